"""How live edits fare with each simulated editor (in virtual time), and what a large one costs (in real time)."""

from __future__ import annotations

import asyncio
import random
import sys
from difflib import SequenceMatcher
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.simulation import PERSONALITIES, Personality, Scene, SimulatedEditor, in_virtual_time

_TOKENS_A_SECOND = 60
_LINES = 60
_LARGE = 5_000


def _document(count: int) -> list[str]:
    return [f"    value_{number} = compute({number})" for number in range(count)]


def _rewrite(old: list[str]) -> list[str]:
    """Every fifth line is another, and every tenth has one more below it."""
    new: list[str] = []
    for number, line in enumerate(old):
        new.append(line if number % 5 else line.replace("compute", "calculate"))
        if number % 10 == 3:
            new.append(f"    check(value_{number})")
    return new


def _pieces(text: str) -> list[str]:
    dice = random.Random(1)
    pieces = []
    while text:
        size = dice.choice((2, 3, 4, 5))
        pieces.append(text[:size])
        text = text[size:]
    return pieces


async def _stream(personality: Personality) -> tuple[float, float, float]:
    """Return edits a second, bytes sent against the minimal diff, and the median ms from a line's end to the buffer."""
    old = _document(_LINES)
    new = _rewrite(old)
    editor = SimulatedEditor(personality, "\n".join(old) + "\n", random.Random(1), "cobol")
    scene = Scene(editor, 0, len(old))
    clock = asyncio.get_running_loop().time
    complete: dict[str, float] = {}
    shown: dict[str, float] = {}
    written = set(new) - set(old)
    sent = 0

    def note(before: object = editor.apply) -> None:
        lines = {line.rstrip("\n") for line in editor.text.lines}
        for line in written & lines - shown.keys():
            shown[line] = clock()

    apply = editor.apply

    async def counted(edit: dict[str, object]) -> object:
        nonlocal sent
        (one,) = edit["documentChanges"]  # type: ignore[misc]
        sent += sum(len(text_edit["newText"]) for text_edit in one["edits"])
        result = await apply(edit)  # type: ignore[arg-type]
        note()
        return result

    editor.apply = counted  # type: ignore[method-assign]
    begun, text = clock(), ""
    for piece in _pieces("```cobol\n" + "\n".join(new) + "\n```\n"):
        text += piece
        scene.say(piece)
        for line in text.split("\n")[:-1]:
            if line in written:
                complete.setdefault(line, clock())
        await asyncio.sleep(1 / _TOKENS_A_SECOND)
    streamed_s = clock() - begun
    await scene.end()
    assert str(editor.text) == "\n".join(new) + "\n"
    delays = [shown[line] - complete[line] for line in written]
    return editor.applied / streamed_s, sent / _minimal(old, new), median(delays) * 1000


def _minimal(old: list[str], new: list[str]) -> int:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return sum(len(line) + 1 for tag, *_, first, end in blocks if tag != "equal" for line in new[first:end])


def large() -> tuple[float, float]:
    """Return the CPU seconds of 5,000 lines against 5,000, and the loop's longest stop in ms, in real time."""
    old = _document(_LARGE)
    text = "```cobol\n" + "\n".join(_rewrite(old)) + "\n```\n"
    longest = 0.0

    async def run() -> float:
        nonlocal longest
        editor = SimulatedEditor(PERSONALITIES[0], "\n".join(old) + "\n", random.Random(1), "cobol")
        scene = Scene(editor, 0, len(old))
        before = process_time()

        async def watch() -> None:
            nonlocal longest
            while True:
                asked = perf_counter()
                await asyncio.sleep(0)
                longest = max(longest, perf_counter() - asked)

        watching = asyncio.ensure_future(watch())
        for start in range(0, len(text), 60_000):
            scene.say(text[start : start + 60_000])
            await asyncio.sleep(0.01)
        await scene.end()
        watching.cancel()
        return process_time() - before

    cpu = asyncio.run(run())
    return cpu, longest * 1000


def measure() -> list[tuple[str, str]]:
    """Return the rows: what, and how much."""
    rows = []
    for personality in PERSONALITIES:
        edits, size, delay_ms = in_virtual_time(_stream(personality))
        rows.append(
            (
                f"live edit, {personality.name}",
                f"{edits:.1f} edits/s, bytes x{size:.2f}, line to buffer {delay_ms:.0f} ms",
            )
        )
    cpu, longest_ms = large()
    rows.append(("live edit of 5,000 lines by 5,500", f"{cpu:.2f} s CPU, longest stop of the loop {longest_ms:.1f} ms"))
    return rows


if __name__ == "__main__":
    for what, value in measure():
        print(what.ljust(36), value)
