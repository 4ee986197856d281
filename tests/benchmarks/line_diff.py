"""Measures the line diff: its CPU time in good and bad cases, and how near it comes to the smallest difference.

The rewrites are what a model makes of a file: seeded, built from Sidelight's own sources. The tests use them, too.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

from sidelight.editing.line_diff import Delete, Insert, LineDiff, Step, hunks

_ROOT = Path(__file__).parents[2]
_LINES = 5_000
Rewrite = Callable[[random.Random, list[str]], list[str]]


# Rewrites


def _block(dice: random.Random, lines: list[str], longest: int = 25) -> tuple[int, int]:
    first = dice.randrange(len(lines))
    return first, min(len(lines), first + dice.randint(1, longest))


def _function(dice: random.Random, lines: list[str]) -> tuple[int, int]:
    """Return the lines of a whole definition with the blank ones after it, or of any block where there is none."""
    starts = [i for i, line in enumerate(lines) if re.match(r"\s*(async )?(def|class|function|export) ", line)]
    if not starts:
        return _block(dice, lines)
    first = dice.choice(starts)
    deep = len(lines[first]) - len(lines[first].lstrip())
    for end in range(first + 1, len(lines)):
        line = lines[end]
        if line.strip() and len(line) - len(line.lstrip()) <= deep and not line.lstrip().startswith((")", "}")):
            return first, end
    return first, len(lines)


def _changed(line: str, dice: random.Random) -> str:
    words = list(re.finditer(r"\w+", line))
    if not words:
        return line + "  # changed"
    word = dice.choice(words)
    return f"{line[: word.start()]}{word[0]}_{dice.randint(1, 9)}{line[word.end() :]}"


def _invented(dice: random.Random, lines: list[str]) -> list[str]:
    """Return a function nobody has seen, with lines that every file has."""
    name = f"made_{dice.randint(100, 999)}"
    body = [_changed(line, dice) if dice.random() < 0.7 else line for line in lines[slice(*_block(dice, lines, 15))]]
    return ["", f"def {name}(self, value: int) -> None:", f'    """Do {name}."""', *body, "    return None", ""]


def change_lines(dice: random.Random, lines: list[str]) -> list[str]:
    chosen = set(dice.sample(range(len(lines)), min(len(lines), dice.randint(1, 12))))
    return [_changed(line, dice) if i in chosen else line for i, line in enumerate(lines)]


def insert_block(dice: random.Random, lines: list[str]) -> list[str]:
    place = dice.randrange(len(lines) + 1)
    return [*lines[:place], *_invented(dice, lines), *lines[place:]]


def delete_block(dice: random.Random, lines: list[str]) -> list[str]:
    first, end = _block(dice, lines)
    return lines[:first] + lines[end:]


def delete_function(dice: random.Random, lines: list[str]) -> list[str]:
    first, end = _function(dice, lines)
    return lines[:first] + lines[end:]


def rewrite_function(dice: random.Random, lines: list[str]) -> list[str]:
    first, end = _function(dice, lines)
    return [*lines[: first + 1], *_invented(dice, lines), *lines[end:]]


def rename(dice: random.Random, lines: list[str]) -> list[str]:
    words = re.findall(r"\b[a-z_]{3,}\b", "\n".join(lines)) or ["x"]
    word = re.compile(rf"\b{dice.choice(words)}\b")
    return [word.sub("renamed", line) for line in lines]


def wrap_in_if(dice: random.Random, lines: list[str]) -> list[str]:
    first, end = _block(dice, lines)
    indent = re.match(r"\s*", lines[first])
    body = ["    " + line if line.strip() else line for line in lines[first:end]]
    return [*lines[:first], f"{indent[0] if indent else ''}if ready:", *body, *lines[end:]]


def try_except(dice: random.Random, lines: list[str]) -> list[str]:
    wrapped = wrap_in_if(dice, lines)
    first = next(i for i, line in enumerate(wrapped) if line.endswith("if ready:"))
    end = next((i for i in range(first + 1, len(wrapped)) if not wrapped[i].strip()), len(wrapped))
    indent = wrapped[first][: -len("if ready:")]
    handler = [f"{indent}except ValueError as error:", f"{indent}    raise Failed from error"]
    return [*wrapped[:first], f"{indent}try:", *wrapped[first + 1 : end], *handler, *wrapped[end:]]


def add_docstrings(dice: random.Random, lines: list[str]) -> list[str]:
    written: list[str] = []
    for line in lines:
        written.append(line)
        if re.match(r"\s*def .*:$", line) and dice.random() < 0.5:
            indent = " " * (len(line) - len(line.lstrip()) + 4)
            written += [f'{indent}"""Do what it says.', "", f"{indent}Returns what is asked.", f'{indent}"""']
    return written


def move_function(dice: random.Random, lines: list[str]) -> list[str]:
    first, end = _function(dice, lines)
    rest = lines[:first] + lines[end:]
    place = dice.randrange(len(rest) + 1)
    return [*rest[:place], *lines[first:end], *rest[place:]]


def reorder_imports(dice: random.Random, lines: list[str]) -> list[str]:
    places = [i for i, line in enumerate(lines) if re.match(r"(import|from) ", line)]
    shuffled = dice.sample(places, len(places))
    moved = list(lines)
    for place, other in zip(places, shuffled, strict=True):
        moved[place] = lines[other]
    return moved


def copy_function(dice: random.Random, lines: list[str]) -> list[str]:
    first, end = _function(dice, lines)
    return [
        *lines[:end],
        *(_changed(line, dice) if dice.random() < 0.2 else line for line in lines[first:end]),
        *lines[end:],
    ]


REWRITES: list[Rewrite] = [
    change_lines,
    insert_block,
    delete_block,
    delete_function,
    rewrite_function,
    rename,
    wrap_in_if,
    try_except,
    add_docstrings,
    move_function,
    reorder_imports,
    copy_function,
]


def corpus(seed: int, count: int) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield the name of a rewrite, the old lines and the new ones: files and parts of files, one to three rewrites."""
    dice = random.Random(seed)
    paths = sorted([*_ROOT.glob("server/sidelight/**/*.py"), *_ROOT.glob("client-vscode/src/*.ts")])
    texts = [path.read_text(encoding="utf-8").splitlines() for path in paths]
    texts = [lines for lines in texts if len(lines) >= 40]
    for _ in range(count):
        lines = dice.choice(texts)
        if dice.random() < 0.5:
            first = dice.randrange(len(lines) - 30)
            lines = lines[first : first + dice.randint(30, 150)]
        chosen = dice.sample(REWRITES, dice.choice((1, 1, 2, 3)))
        new = lines
        for rewrite in chosen:
            new = rewrite(dice, new) or [""]
        yield " + ".join(rewrite.__name__ for rewrite in chosen), lines, new


def edited(steps: list[Step]) -> int:
    """Count the lines that steps delete and insert."""
    return sum(
        len(step.lines) if isinstance(step, Insert) else step.count if isinstance(step, Delete) else 0 for step in steps
    )


# What is measured


def shapes(count: int = _LINES) -> dict[str, tuple[list[str], list[str]]]:
    """Return old and new lines, ``count`` of each, easy and bad."""
    dice = random.Random(1)
    old = [f"    value_{n} = compute({n})" if n % 7 else "" for n in range(count)]
    blocks = [old[first : first + 25] for first in range(0, count, 25)]
    few = [dice.choice("abcdefgh") for _ in range(count)]
    return {
        "equal": (old, old),
        "all different": (old, [line + "#" for line in old]),
        "every third line changed": (old, [line if n % 3 else line + "#" for n, line in enumerate(old)]),
        "all the same line": (["}"] * count, ["}"] * count),
        "one line, then all the same": (["a", *["}"] * (count - 1)], ["}"] * count),
        "shuffled blocks": (old, [line for block in dice.sample(blocks, len(blocks)) for line in block]),
        "eight lines in any order": (few, dice.sample(few, count)),
        "runs that never go on": ([*["x"] * (count // 2), *["a"] * (count // 2)], ["b", *["a"] * 19] * (count // 20)),
    }


def measure(seed: int = 1, count: int = 300) -> list[tuple[str, str]]:
    """Return (name, value) rows: CPU time of both comparisons by shape, and how near the rewrites come to minimal."""
    rows = []
    for name, (old, new) in shapes().items():
        streamed_s, longest_s = _streamed(old, new)
        begun = process_time()
        hunks(old, new)
        whole_s = process_time() - begun
        times = f"{streamed_s * 1e3:.0f} (longest feed {longest_s * 1e3:.2f}), whole {whole_s * 1e3:.1f}"
        rows.append((f"line diff, {_LINES:,} lines, {name}, CPU ms", times))
    ours, fewest = 0, 0
    for _, old, new in corpus(seed, count):
        diff = LineDiff(old)
        ours += edited([*diff.feed(new), *diff.finish()])
        fewest += sum(hunk.end - hunk.first + hunk.new_end - hunk.new_first for hunk in hunks(old, new))
    rows.append((f"edited lines to the fewest possible, {count} rewrites, seed {seed}", f"x {ours / fewest:.3f}"))
    return rows


def _streamed(old: list[str], new: list[str]) -> tuple[float, float]:
    """Return the CPU time of a whole live edit and of its longest single line."""
    longest = 0.0
    begun = process_time()
    diff = LineDiff(old)
    for line in new:
        before = process_time()
        diff.feed([line])
        longest = max(longest, process_time() - before)
    diff.finish()
    return process_time() - begun, longest


if __name__ == "__main__":
    for row in measure():
        sys.stdout.write("{}: {}\n".format(*row))
