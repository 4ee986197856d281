"""Live edits against simulated editors and a seeded typist: nothing of the user's is lost, nothing of the model's."""

from __future__ import annotations

import asyncio
import os
import random
import re
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pytest

from sidelight.core.answers import Answer, Finished, Text
from sidelight.core.context import Context, target_lines
from sidelight.core.rewrite import Outcome, Rewrite
from sidelight.editing.line_diff import hunks
from sidelight.editing.text import Place, Range
from sidelight.lsp.buffer import BufferWriter
from sidelight.lsp.live_edit import LiveEdit
from sidelight.messages import Message
from support.simulation import PERSONALITIES, Personality, SimulatedEditor, VirtualLoop

# What the typist types, one character at a time: private ones, so that each is known again.
_TYPED = re.compile("[\ue000-\uf8ff]")


@dataclass
class Recorder:
    """An aftermath that remembers."""

    pages: list[tuple[str, str]] = field(default_factory=list)
    reviews: list[Outcome] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    editor: Any = None

    async def before_first_edit(self) -> None:
        self.prepared.append(str(self.editor.document.text))

    async def after_last_edit(self) -> None:
        self.finished.append(str(self.editor.document.text))

    async def show_page(self, answer: Answer, told: Message) -> None:
        self.pages.append((answer.text, str(told)))

    def review(self, writer: BufferWriter, answer: Answer, outcome: Outcome) -> None:
        self.reviews.append(outcome)


def in_virtual_time(run: Any) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(run, 600))
    finally:
        loop.close()


class Scene:
    """A document, a task at a place in it, and an answer that is on its way."""

    def __init__(self, editor: SimulatedEditor, first: int, end: int, mode: str = "live", *, task: str = "fix") -> None:
        self.editor = editor
        document = editor.document
        lines = tuple(document.text.lines)
        place = Range(Place(first, 0), Place(end, 0))
        target = target_lines(lines, place) if end > first else place
        context = Context(name="a.py", language_id=document.language_id, lines=lines, target=target)
        self.recorder = Recorder(editor=editor)
        self.rewrite = Rewrite(task, context, tells_truncation=False)
        self.writer = BufferWriter(editor.client, editor.documents, document, target, "Sidelight")
        self.delivery = LiveEdit(editor.client, self.writer, self.rewrite, mode, self.recorder)  # type: ignore[arg-type]
        self.answer = Answer()

    def say(self, text: str) -> None:
        event = Text(text)
        self.answer.add(event)
        self.delivery.receive(event)

    async def end(self, finish: str = "complete") -> str:
        self.answer.add(Finished(finish))  # type: ignore[arg-type]
        last = await self.delivery.finish(self.answer)
        return str(last)


# Random runs


def some_code(rng: random.Random) -> list[str]:
    lines = []
    for number in range(rng.randint(1, 4)):
        lines.append(f"def function_{number}(a, b):")
        lines += [f"    {rng.choice(_BODY).format(rng.randrange(5))}" for _ in range(rng.randint(1, 9))]
        lines += ["", ""]
    return lines


_BODY = ("x = a + {}", "y = b * {}", "", "print(x, {})", "if a > {}: return b", "# note {}", "return x - {}", "pass")


def a_rewrite(lines: list[str], rng: random.Random) -> list[str]:
    new = list(lines)
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(1, len(new) + 1)
        match rng.randrange(4):
            case 0:
                new[at:at] = [f"    z{number} = {rng.randrange(100)}" for number in range(rng.randint(1, 5))]
            case 1 if len(new) > 0.8 * len(lines) + 1:
                del new[at : at + rng.randint(1, 3)]
            case _ if at < len(new):
                new[at] += f"  # changed {rng.randrange(10)}"
    while new and not new[-1].strip():
        new.pop()
    return new or ["pass"]


@dataclass
class Run:
    """What happened in one random run."""

    seed: int
    personality: str
    last: str
    before: str
    above: list[str]
    below: list[str]
    tail: str
    target: list[str]
    new: list[str]
    editor: SimulatedEditor
    recorder: Recorder
    typed: set[str]
    known: str

    @property
    def written(self) -> list[str]:
        """The lines that are the model's alone."""
        return [self.new[n] for hunk in hunks(self.target, self.new) for n in range(hunk.new_first, hunk.new_end)]


async def random_run(personality: Personality, seed: int) -> Run:
    rng = random.Random(seed)
    above, target, below = some_code(rng), some_code(rng), some_code(rng)
    while target and not target[-1]:
        target.pop()
    new = a_rewrite(target, rng)
    end = rng.choice(["\n", "\n", "\n", "\r\n"])
    tail = rng.choice(["", end])
    before = end.join([*above, *target, *below]) + tail
    editor = SimulatedEditor(personality, before, rng, "cobol")
    scene = Scene(editor, len(above), len(above) + len(target), rng.choice(["live", "live", "live", "once"]))
    typed: set[str] = set()
    typist = asyncio.ensure_future(_type(editor, rng, typed))
    reply = "Sure:\n\n```cobol\n" + "\n".join(new) + "\n```\n"
    while reply:
        size = rng.choice([1, 3, 9, 40, 200])
        scene.say(reply[:size])
        reply = reply[size:]
        await asyncio.sleep(rng.expovariate(1 / rng.choice([0.001, 0.02, 0.1])))
    last = await scene.end()
    typist.cancel()
    known = str(editor.document.text)  # the user may have undone the edit since, and not said so yet
    editor.flush()
    return Run(
        seed, personality.name, last, before, above, below, tail, target, new, editor, scene.recorder, typed, known
    )


async def _type(editor: SimulatedEditor, rng: random.Random, typed: set[str]) -> None:
    """Type here and there, with pauses; now and then delete a character or undo."""
    if rng.random() < 0.2:
        return
    pause_s = rng.choice([0.03, 0.15, 0.6, 2.0])
    at, count = None, 0
    while True:
        await asyncio.sleep(rng.expovariate(1 / pause_s) + (rng.uniform(1, 4) if rng.random() < 0.1 else 0))
        lines = editor.text.lines
        if at is None or rng.random() < 0.3:
            line = rng.randrange(len(lines))
            at = Place(line, rng.choice([0, len(lines[line].rstrip("\r\n"))]))
        at = editor.text.clamp(at)
        mark = chr(0xE000 + count)
        count += 1
        if rng.random() < 0.08 and editor.undo_stack:
            for gone in _TYPED.findall(editor.undo()):
                typed.discard(gone)
            continue
        text = rng.choice([mark, mark, mark + "\n", "\n" + mark])
        typed.add(mark)
        editor.change(Range(at, at), text)
        at = Place(at.line + text.count("\n"), 0 if text.endswith("\n") else at.column + len(mark))


def problems(run: Run) -> list[str]:
    """Return what is wrong after a run."""
    text = str(run.editor.text)
    found = []
    if str(run.editor.document.text) != text:
        found.append("the server's text is not the editor's")
    for mark in run.typed:
        if text.count(mark) != 1:
            found.append(f"typed {ord(mark):x} stands there {text.count(mark)} times")
    is_there = _is_within(run.written, _TYPED.sub("", run.known))
    is_disturbed = bool(run.typed or run.editor.undone)
    if not is_there and not run.recorder.pages:
        found.append("the model's text is neither in the buffer nor on a page")
    if not is_disturbed and run.last not in ("applied", "nothing to change"):
        found.append(f"undisturbed, and yet: {run.last} {run.recorder.pages}")
    if not is_disturbed and run.last == "applied":
        end = "\r\n" if "\r\n" in run.before else "\n"
        if text != end.join([*run.above, *run.new, *run.below]) + run.tail:
            found.append("undisturbed, and yet not as expected")
    return found


def _is_within(lines: list[str], text: str) -> bool:
    """Whether the lines stand in a text in this order, however the user has broken them."""
    text, at = "".join(text.split()), 0
    for line in ("".join(line.split()) for line in lines):
        at = text.find(line, at)
        if at < 0:
            return False
        at += len(line)
    return True


RUNS = int(os.environ.get("SIDELIGHT_TEST_RUNS", "700"))


@pytest.mark.parametrize("personality", PERSONALITIES, ids=lambda one: one.name)
@pytest.mark.timeout(300)
def test_nothing_is_lost_in_random_runs(personality: Personality) -> None:
    first = int(os.environ.get("SIDELIGHT_TEST_SEED", "1"))
    began = perf_counter()
    outcomes: dict[str, int] = {}
    failures = []
    for seed in range(first, first + RUNS):
        run = in_virtual_time(random_run(personality, seed))
        outcomes[run.last] = outcomes.get(run.last, 0) + 1
        failures += [f"seed {seed}: {problem}" for problem in problems(run)]
    print(f"{personality.name}: {RUNS} runs in {perf_counter() - began:.1f} s, {outcomes}")
    assert not failures, "\n".join([f"{len(failures)} failures", *failures[:10]])
    assert outcomes.get("applied", 0) > RUNS / 5, outcomes
