"""Live edits against simulated editors and a seeded typist: nothing of the user's is lost, nothing of the model's."""

from __future__ import annotations

import asyncio
import os
import random
import re
from dataclasses import dataclass, replace
from time import perf_counter

import pytest

from sidelight.editing.line_diff import hunks
from sidelight.editing.text import Place, Range
from support.simulation import PERSONALITIES, Personality, Recorder, Scene, SimulatedEditor, in_virtual_time

# What the typist types, one character at a time: private ones, so that each is known again.
_TYPED = re.compile("[\ue000-\uf8ff]")


# What happens to the document meanwhile

OLD = [f"    line_{number} = {number}" for number in range(8)]
NEW = [*OLD[:2], "    added = True", *OLD[2:5], "    line_5 = 500", *OLD[6:]]
DOCUMENT = "\n".join(["def before():", "    pass", "", *OLD, "", "after()", ""])
VS_CODE, KATE = PERSONALITIES[0], Personality("Kate", on_stale="apply", tells="whole", change_s=(0.5, 0.9))


def in_block(lines: list[str]) -> str:
    return "```cobol\n" + "".join(line + "\n" for line in lines) + "```\n"


def scene(personality: Personality = VS_CODE, mode: str = "live", text: str = DOCUMENT) -> Scene:
    editor = SimulatedEditor(personality, text, random.Random(1), "cobol")
    return Scene(editor, 3, 3 + len(OLD), mode)


async def say(scene: Scene, *pieces: str, pause_s: float = 0.2) -> None:
    for piece in pieces:
        scene.say(piece)
        await asyncio.sleep(pause_s)


def whole(place_of: Scene) -> Range:
    return Range(Place(0, 0), place_of.editor.text.end)


def test_formatting_on_save_that_leaves_the_written_part_alone_is_survived() -> None:
    async def run() -> None:
        it = scene()
        await say(it, "```cobol\n", "\n".join(NEW[:4]) + "\n")
        text = str(it.editor.text)
        assert "added = True" in text
        it.editor.change(whole(it), text.replace("    pass", "  pass").replace("after()", "after( )"))
        await say(it, "\n".join(NEW[4:]) + "\n```\n")
        assert await it.end() == "applied"
        expected = DOCUMENT.replace("\n".join(OLD), "\n".join(NEW))
        assert str(it.editor.text) == expected.replace("    pass", "  pass").replace("after()", "after( )")

    in_virtual_time(run())


def test_formatting_that_changes_lines_still_to_be_replaced_ends_on_a_page() -> None:
    async def run() -> None:
        it = scene()
        await say(it, "```cobol\n", "\n".join(NEW[:4]) + "\n")
        it.editor.change(whole(it), str(it.editor.text).replace("line_5 = 5", "line_5  =  5"))
        await say(it, "\n".join(NEW[4:]) + "\n```\n")
        assert await it.end() == "applied in part"
        assert "line_5  =  5" in str(it.editor.text)
        assert it.recorder.pages[0][0] == it.answer.text
        assert "changed at that place" in it.recorder.pages[0][1]

    in_virtual_time(run())


def test_what_is_typed_exactly_at_the_borders_stays_outside_and_stands_once() -> None:
    async def run() -> None:
        it = scene()
        await say(it, "```cobol\n")
        it.editor.change(Range(Place(3, 0), Place(3, 0)), "# first\n")
        it.editor.change(Range(Place(4 + len(OLD), 0), Place(4 + len(OLD), 0)), "# last\n")
        await say(it, in_block(NEW).removeprefix("```cobol\n"))
        assert await it.end() == "applied"
        expected = "\n".join(["# first", *NEW, "# last"])
        assert str(it.editor.text) == DOCUMENT.replace("\n".join(OLD), expected)

    in_virtual_time(run())


def test_an_undo_that_is_told_together_with_the_edit_stops_it() -> None:
    async def run() -> None:
        it = scene(Personality("gathers", tells="idle", change_s=(0.3, 0.3)))
        saying = asyncio.ensure_future(say(it, "```cobol\n", "\n".join(NEW[:4]) + "\n", pause_s=0.05))
        await asyncio.sleep(0.15)
        assert it.editor.applied == 1
        it.editor.undo()
        await saying
        await say(it, "\n".join(NEW[4:]) + "\n```\n", pause_s=1)
        assert await it.end() == "not applied"
        assert str(it.editor.text) == DOCUMENT
        assert "was undone" in it.recorder.pages[0][1]

    in_virtual_time(run())


def test_code_for_an_empty_place_stands_where_it_was_asked_for() -> None:
    async def run() -> None:
        editor = SimulatedEditor(VS_CODE, "a = 1\n\nb = 2\n", random.Random(1), "cobol")
        it = Scene(editor, 1, 1, task="generate")
        await say(it, "```cobol\n", "x = 1\n")
        editor.change(Range(Place(0, 0), Place(0, 0)), "# top\n")
        await say(it, "y = 2\n```\n")
        assert await it.end() == "applied"
        assert str(editor.text) == "# top\na = 1\nx = 1\ny = 2\n\nb = 2\n"

    in_virtual_time(run())


@pytest.mark.parametrize("tail", ["", "\r\n"])
def test_the_last_line_keeps_its_line_end_or_the_lack_of_it(tail: str) -> None:
    async def run() -> None:
        editor = SimulatedEditor(VS_CODE, "\ufeffa = 1\r\nb = 2" + tail, random.Random(1), "cobol")
        it = Scene(editor, 0, 2)
        await say(it, in_block(["a = 1", "z = 0", "b = 3"]))
        assert await it.end() == "applied"
        assert str(editor.text) == "\ufeffa = 1\r\nz = 0\r\nb = 3" + tail

    in_virtual_time(run())


def test_an_editor_that_checks_no_versions_is_left_in_peace_while_its_user_types() -> None:
    async def run() -> None:
        editor = SimulatedEditor(KATE, DOCUMENT, random.Random(1), "cobol")
        editor.client.can = replace(editor.client.can, checks_versions=False)
        it = Scene(editor, 3, 3 + len(OLD), "once")
        ending = asyncio.ensure_future(say_and_end(it, in_block(NEW)))
        for number in range(12):
            editor.change(Range(Place(0, 0), Place(0, 0)), chr(0xE000 + number))
            await asyncio.sleep(0.4)
        assert editor.applied == 0
        assert await ending == "applied"
        typed = "".join(chr(0xE000 + number) for number in reversed(range(12)))
        assert str(editor.text) == typed + DOCUMENT.replace("\n".join(OLD), "\n".join(NEW))

    async def say_and_end(it: Scene, text: str) -> str:
        await say(it, text, pause_s=1)
        return await it.end()

    in_virtual_time(run())


def test_an_editor_that_never_answers_does_not_keep_the_answer() -> None:
    async def run() -> None:
        it = scene(Personality("mute", silent=1.0, change_s=(99, 99)))
        await say(it, in_block(NEW))
        assert await it.end() == "not applied"
        assert it.recorder.pages == [(in_block(NEW), "Not applied: The editor did not answer.")]

    in_virtual_time(run())


def test_a_restore_point_is_made_before_the_first_edit() -> None:
    async def run() -> None:
        it = scene()
        await say(it, in_block(NEW))
        await it.end()
        assert it.recorder.prepared == [DOCUMENT]
        assert it.recorder.finished == [DOCUMENT.replace("\n".join(OLD), "\n".join(NEW))]

    in_virtual_time(run())


# Answers that are none


def ending_of(*pieces: str, finish: str = "complete") -> tuple[str, Scene]:
    async def run() -> tuple[str, Scene]:
        it = scene()
        for number, piece in enumerate(pieces):
            it.say(piece)
            if number % 1000 == 0:
                await asyncio.sleep(0)
        return await it.end(finish), it

    return in_virtual_time(run())


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        (["```cobol\n", *["x" * (1 << 20)] * 50], "too large"),
        (["x" * (1 << 20)] * 50, "too large"),
        (["```cobol\n    " + "y" * (1 << 20) + "\n```\n"], "too large"),
        (["```cobol\n    a = \x00\x01\n```\n"], "no text has"),
        (["```cobol\n```\n"], "empty"),
        (["I cannot do that."], "no code"),
        (["```bash\nrm -rf x\n```\n"], "another language"),
        ([in_block([f"    colour_{name} = None" for name in "abcdefgh"])], "nothing to do with"),
        ([in_block(OLD[:2])], "More than half"),
    ],
)
def test_an_answer_without_usable_code_ends_in_a_message_and_an_unharmed_document(
    pieces: list[str], reason: str
) -> None:
    last, it = ending_of(*pieces)
    assert last == "not applied"
    assert str(it.editor.text) == DOCUMENT
    ((text, told),) = it.recorder.pages
    assert text == "".join(pieces)
    assert reason in told


def test_no_answer_at_all_and_only_reasoning_are_told_as_what_they_are() -> None:
    last, it = ending_of()
    assert last == "failed"
    assert it.editor.protocol.shown == ["The answer is empty. Ask again, or ask differently."]
    assert str(it.editor.text) == DOCUMENT


def test_the_same_code_again_is_said() -> None:
    last, it = ending_of(in_block(OLD))
    assert last == "nothing to change"
    assert it.editor.applied == 0


def test_very_many_deltas_are_one_edit_like_any_other() -> None:
    lines = [f"    value_{number} = {number}" for number in range(10_000)]
    last, it = ending_of(*in_block([*OLD, *lines]))
    assert last == "applied"
    assert str(it.editor.text) == DOCUMENT.replace("\n".join(OLD), "\n".join([*OLD, *lines]))


# Random runs


def some_code(rng: random.Random, name: str) -> list[str]:
    lines = []
    for number in range(rng.randint(1, 4)):
        lines.append(f"def {name}_{number}(a, b):")
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
    above, target, below = (some_code(rng, name) for name in ("above", "target", "below"))
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


RUNS = int(os.environ.get("SIDELIGHT_TEST_RUNS", "1500"))


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
