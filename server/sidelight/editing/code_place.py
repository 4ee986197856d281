"""Where a piece of code belongs in a document: the lines that it stands for, or a place where it is new.

Nothing that the code does not speak of may go: a definition goes where one of its name stands, a new one below the
place, and a few lines where most of them stand already. What cannot be told is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher

from sidelight.editing.blocks import Definition, definitions, outermost_block
from sidelight.editing.live_region import lines_of
from sidelight.editing.text import without_line_end
from sidelight.messages import Message, msg

_IMPORT = re.compile(r"\s*(?:import|from|use|using|include|require|package)\b|\s*#\s*include\b")
_METHOD = re.compile(r"\s*(?:async\s+)?def\s+\w+\s*\(\s*(?:self|cls)\b")
_ALIKE = 0.6
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class CodePlace:
    """Lines ``first`` up to ``end`` become ``lines`` (without line ends); none of them where ``first`` is ``end``.

    ``is_sure``: the code is surely about these lines. ``obstacle`` says why they must not be replaced.
    """

    first: int
    end: int
    lines: Sequence[str]
    is_sure: bool = True
    obstacle: Message | None = None


def find_place(document: Sequence[str], code: str, place: tuple[int, int] | None, language: str) -> CodePlace:
    """Return where ``code`` goes in a document's lines; ``place`` is what it is about, None where nobody said."""
    lines = _without_known_imports(document, [without_line_end(line) for line in lines_of(code)])
    first, end = place or (0, len(document))
    named = _outer(definitions(lines))
    if not named:
        return _place_of_lines(document, lines, first, end, is_said=place is not None)
    there = {one.name: found for one in named if (found := _same_name(document, one.name, first, end))}
    if not there and not any(_same_names(document, one.name) for one in named):
        return _below(document, lines, first, end, language)
    if len(named) == 1 and not there:  # more than one of that name, and none of them at the place
        return _below(document, lines, first, end, language)
    return _checked(document, lines, named, list(there.values()))


def _without_known_imports(document: Sequence[str], code: list[str]) -> list[str]:
    known = {line.strip() for line in document}
    at = 0
    while at < len(code) and (not code[at].strip() or (_IMPORT.match(code[at]) and code[at].strip() in known)):
        at += 1
    return code[at:] or code


def _outer(found: Sequence[Definition]) -> list[Definition]:
    return [one for one in found if not any(other.header < one.header < other.end for other in found)]


def _same_names(document: Sequence[str], name: str) -> list[Definition]:
    return [one for one in definitions(document) if one.name == name]


def _same_name(document: Sequence[str], name: str, first: int, end: int) -> Definition | None:
    """Return the definition of that name: the one at the place, else the only one there is."""
    found = _same_names(document, name)
    near = [one for one in found if one.header < end and first < one.end]
    inner = [one for one in near if first <= one.header < end]
    for some in (inner, near, found):
        if len(some) == 1:
            return some[0]
    return None


def _checked(document: Sequence[str], code: list[str], named: list[Definition], there: list[Definition]) -> CodePlace:
    """Return the lines from the first to the last definition that the code replaces, if it speaks of all of them."""
    keeps_decorators = not code[named[0].first].lstrip().startswith("@")
    topmost = min(there, key=lambda one: one.header)
    first = topmost.header if keeps_decorators else topmost.first
    end = max(one.end for one in there)
    said = {one.name for one in definitions(code)}
    lost = [one.name for one in definitions(document) if first <= one.header < end and one.name not in said]
    stray = len(there) > 1 and any(
        document[n].strip() and not any(one.first <= n < one.end for one in there) for n in range(first, end)
    )
    obstacle = None
    if lost:
        names = ", ".join(lost[:_SHOWN]) + (", …" if len(lost) > _SHOWN else "")
        obstacle = msg("The code would remove {names}, of which it says nothing.", names=names)
    elif stray:
        obstacle = _unclear()
    return CodePlace(first, end, code, obstacle=obstacle)


def _below(document: Sequence[str], code: list[str], first: int, end: int, language: str) -> CodePlace:
    """Return the place below the block that the code is about; what is no method goes below the outermost one."""
    indent = min((_indent(line) for line in code if line.strip()), default=0)
    line = min(max(first, end - 1), len(document) - 1)
    wanted = indent
    if not indent and any(_METHOD.match(text) for text in code):
        wanted = _indent(document[first]) if first < len(document) else 0
    elif not indent:
        end = max(end, outermost_block(document, line)[1])
    while end > first and not document[end - 1].strip():
        end -= 1
    moved = [" " * (wanted - indent) + text if text.strip() else "" for text in code]
    if end == 0 or not document[end - 1].strip():
        return CodePlace(end, end, moved)
    blank = [""] * (2 if language == "python" and not wanted else 1)
    return CodePlace(end - 1, end, [without_line_end(document[end - 1]), *blank, *moved])


def _place_of_lines(document: Sequence[str], code: list[str], first: int, end: int, *, is_said: bool) -> CodePlace:
    """Return the lines that a few lines of code are about: where most of them stand already, else the place."""
    old = [line.strip() for line in document[first:end]]
    new = [line.strip() for line in code]
    if not any(old):
        return CodePlace(first, end, code)
    matches = [it for it in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks() if it.size]
    matches = [it for it in matches if any(old[it.a : it.a + it.size])]
    if matches:
        top, bottom, changed = _window(old, new, matches[0], matches[-1])
        same = sum(bool(line) for it in matches for line in old[it.a : it.a + it.size])
        if 2 * (same + changed) >= sum(map(bool, new)):
            return CodePlace(first + top, first + bottom, code)
    is_clear = is_said and not any(first <= one.header < end for one in definitions(document))
    return CodePlace(first, end, code, is_sure=False, obstacle=None if is_clear else _unclear())


def _window(old: list[str], new: list[str], head: Match, tail: Match) -> tuple[int, int, int]:
    """Return the old lines from the first to the last that the code has, with those beside that it changes.

    And how many those are.
    """
    top, bottom, new_top, new_bottom = head.a, tail.a + tail.size, head.b, tail.b + tail.size
    while top > 0 and new_top > 0 and _is_alike(old[top - 1], new[new_top - 1]):
        top, new_top = top - 1, new_top - 1
    while bottom < len(old) and new_bottom < len(new) and _is_alike(old[bottom], new[new_bottom]):
        bottom, new_bottom = bottom + 1, new_bottom + 1
    return top, bottom, head.a - top + bottom - tail.a - tail.size


def _is_alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _unclear() -> Message:
    return msg("It is not clear which lines this code stands for.")
