"""The line diff while lines come, and of two whole texts, against naive ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.line_diff import corpus, edited, shapes
from sidelight.editing.line_diff import Delete, Hunk, Insert, Keep, LineDiff, Step, hunks

# Few different lines, so that most of them stand in many places; one blank, one punctuation.
LINES = st.lists(st.sampled_from(["a", "b", "c", "    a", "", "}"]), max_size=14)
LONG = st.lists(st.sampled_from(["a", "b", "", "}", *(f"line {n}" for n in range(30))]), max_size=80)


def apply(old: list[str], steps: list[Step]) -> tuple[list[str], int]:
    """Return what stands instead of the old lines that the steps passed, and how many those are."""
    written: list[str] = []
    place = 0
    for step in steps:
        if isinstance(step, Insert):
            assert step.lines
            written += step.lines
            continue
        assert step.count > 0
        if isinstance(step, Keep):
            written += old[place : place + step.count]
        place += step.count
    assert place <= len(old)
    return written, place


def streamed(old: list[str], *pieces: list[str]) -> list[Step]:
    diff = LineDiff(old)
    steps = [step for piece in pieces for step in diff.feed(piece)]
    return [*steps, *diff.finish()]


def fewest_edits(old: list[str], new: list[str]) -> int:
    """Count the lines that the smallest difference deletes and inserts: the textbook table, row by row."""
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    row = list(range(len(new) + 1))
    for line in old:
        before, row = row, [row[0] + 1]
        for n, other in enumerate(new):
            row.append(before[n] if line == other else 1 + min(before[n + 1], row[n]))
    return row[-1]


@given(st.one_of(LINES, LONG), st.one_of(LINES, LONG), st.data())
def test_the_steps_give_exactly_the_new_lines_at_every_cut(old: list[str], new: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(new)))
    for steps in (streamed(old, new), streamed(old, new[:cut], new[cut:]), streamed(old, *([line] for line in new))):
        assert apply(old, steps) == (new, len(old))


@given(LONG, LONG)
def test_how_the_lines_are_cut_does_not_change_what_is_edited(old: list[str], new: list[str]) -> None:
    assert edited(streamed(old, *([line] for line in new))) == edited(streamed(old, new))


@given(st.one_of(LINES, LONG), st.one_of(LINES, LONG))
def test_an_answer_that_is_cut_off_is_all_there_and_the_rest_of_the_old_lines_can_stand(
    old: list[str], new: list[str]
) -> None:
    diff = LineDiff(old)
    steps = [*diff.feed(new), *diff.flush()]
    assert apply(old, steps)[0] == new
    assert not steps or not isinstance(steps[-1], Delete)


def test_a_cut_off_answer_deletes_nothing_on_weak_evidence() -> None:
    old, new = ["a", "b", "c", "}", "d"], ["a", "}"]
    diff = LineDiff(old)
    assert [*diff.feed(new), *diff.flush()] == [Keep(1), Insert(("}",))]
    assert streamed(old, new) == [Keep(1), Delete(2), Keep(1), Delete(1)]


@given(st.one_of(LINES, LONG), st.one_of(LINES, LONG))
@example([*(f"line {n}" for n in range(60)), *["}"] * 60], ["}"] * 60)
def test_few_lines_are_held_back(old: list[str], new: list[str]) -> None:
    diff = LineDiff(old)
    steps: list[Step] = []
    for count, line in enumerate(new, 1):
        steps += diff.feed([line])
        written, _ = apply(old, steps)
        assert written == new[: len(written)]
        assert count - len(written) < 20


@pytest.mark.parametrize(
    ("old", "new", "steps"),
    [
        ("a b c d", "a B c d", [Keep(1), Insert(("B",)), Delete(1), Keep(2)]),
        ("a b c d", "a c d", [Keep(1), Delete(1), Keep(2)]),
        ("a b c d", "a x b c d", [Keep(1), Insert(("x",)), Keep(3)]),
        ("a b c d", "a b", [Keep(2), Delete(2)]),
        ("", "a", [Insert(("a",))]),
        ("a", "", [Delete(1)]),
        ("a b c d e f g h", "e f a b c d g h", [Insert(("e", "f")), Keep(4), Delete(2), Keep(2)]),
        ("a b c d e f g h", "c d e f a b g h", [Delete(2), Keep(4), Insert(("a", "b")), Keep(2)]),
    ],
)
def test_a_changed_deleted_inserted_or_moved_line(old: str, new: str, steps: list[Step]) -> None:
    assert streamed(old.split(), new.split()) == steps


def test_lines_indented_anew_are_other_lines() -> None:
    body = ["one()", "two()"]
    assert edited(streamed([*body, "end"], ["if x:", *("    " + line for line in body), "end"])) == 5


def test_a_kept_line_and_an_inserted_one_are_said_at_once() -> None:
    diff = LineDiff(["a", "b", "c"])
    assert diff.feed(["a"]) == [Keep(1)]
    assert diff.feed(["new"]) == [Insert(("new",))]


def test_a_line_that_may_be_a_copy_waits_for_the_next_one() -> None:
    old = ["def f():", "    x", "    return", "def g():", "    y", "    return"]
    diff = LineDiff(old)
    diff.feed(["def f():"])
    assert diff.feed(["    return"]) == []
    assert diff.feed(["def g():"]) == [Delete(1), Keep(2)]


def test_ordinary_rewrites_edit_little_more_than_they_must() -> None:
    seed = random.randrange(1_000_000)
    ours = fewest = 0
    for name, old, new in corpus(seed, 200):
        steps = streamed(old, *([line] for line in new))
        assert apply(old, steps) == (new, len(old)), (seed, name)
        least = fewest_edits(old, new)
        assert least <= edited(steps) <= len(old) + len(new), (seed, name)
        ours, fewest = ours + edited(steps), fewest + least
    print(f"seed {seed}: {ours} lines edited, {fewest} at least, x {ours / fewest:.3f}")
    assert ours <= 1.3 * fewest, seed


@pytest.mark.parametrize("deleted", [1, 10, 50, 200])
def test_a_deleted_block_is_noticed_also_where_lines_after_it_changed(deleted: int) -> None:
    old = [f"line {n}" if n % 6 else "" for n in range(400)]
    new = [line + "#" if n % 4 == 0 else line for n, line in enumerate(old[:20] + old[20 + deleted :])]
    assert edited(streamed(old, *([line] for line in new))) <= 1.5 * fewest_edits(old, new)


@pytest.mark.parametrize("size", [5, 25, 60])
@pytest.mark.parametrize("place", [0, 30, 150])
def test_a_moved_function_costs_a_few_times_itself_and_never_the_file(size: int, place: int) -> None:
    lines = [f"line {n}" if n % 6 else "" for n in range(400)]
    moved, rest = lines[200 : 200 + size], lines[:200] + lines[200 + size :]
    new = rest[:place] + moved + rest[place:]
    assert edited(streamed(lines, *([line] for line in new))) <= 5 * fewest_edits(lines, new)


@pytest.mark.parametrize("shape", shapes(20))
def test_no_text_makes_the_comparison_slow(shape: str) -> None:
    def fastest_s(count: int, compare: Callable[[list[str], list[str]], object]) -> float:
        old, new = shapes(count)[shape]
        times = []
        for _ in range(3):
            begun = process_time()
            compare(old, new)
            times.append(process_time() - begun)
        return min(times)

    def by_the_line(old: list[str], new: list[str]) -> None:
        assert apply(old, streamed(old, *([line] for line in new))) == (new, len(old))

    few, many = fastest_s(1000, by_the_line), fastest_s(8000, by_the_line)
    assert many < 24 * few + 0.01  # 8 to 12 times is usual; a quadratic comparison takes 64 times as long
    assert fastest_s(5000, hunks) < many + 0.01


def applied(old: list[str], new: list[str], found: list[Hunk]) -> list[str]:
    written: list[str] = []
    place = 0
    for hunk in found:
        written += old[place : hunk.first] + new[hunk.new_first : hunk.new_end]
        place = hunk.end
    return written + old[place:]


@given(st.one_of(LINES, LONG), st.one_of(LINES, LONG))
def test_the_hunks_turn_the_old_lines_into_the_new_with_the_fewest_edits(old: list[str], new: list[str]) -> None:
    found = hunks(old, new)
    assert applied(old, new, found) == new
    assert sum(h.end - h.first + h.new_end - h.new_first for h in found) == fewest_edits(old, new)
    for one, other in pairwise(found):
        assert other.first - one.end == other.new_first - one.new_end > 0
    assert all(h.first < h.end or h.new_first < h.new_end for h in found)


def test_hunks_of_more_lines_than_can_be_compared_exactly() -> None:
    old = [f"line {n}" for n in range(12_000)]
    new = ["first", *old[1:6_000], "between", *old[6_010:-1], "last"]
    found = hunks(tuple(old), new)
    assert found == [Hunk(0, 1, 0, 1), Hunk(6_000, 6_010, 6_000, 6_001), Hunk(11_999, 12_000, 11_990, 11_991)]
