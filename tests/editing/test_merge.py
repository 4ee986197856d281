"""Undoing an edit after the user has typed on: three texts joined by lines."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidelight.editing.merge import Merged, merge

LINES = st.lists(st.sampled_from("abcd"), max_size=8)
MARKED = st.lists(st.sampled_from(["user 1", "user 2"]), max_size=2)


def merged(base: str, mine: str, theirs: str) -> tuple[str, int]:
    result = merge(base.split(), mine.split(), theirs.split())
    return " ".join(result.lines), result.conflicts


@given(LINES, LINES)
def test_a_change_of_one_side_alone_is_taken(base: list[str], side: list[str]) -> None:
    assert merge(base, side, base) == Merged(tuple(side), 0)
    assert merge(base, base, side) == Merged(tuple(side), 0)
    assert merge(base, side, side) == Merged(tuple(side), 0)


@given(LINES, LINES, LINES)
def test_every_line_that_the_user_added_is_there_as_often(base: list[str], mine: list[str], theirs: list[str]) -> None:
    added = Counter(mine) - Counter(base)
    assert added <= Counter(merge(base, mine, theirs).lines)


@given(LINES, LINES, LINES)
def test_no_line_comes_from_nowhere(base: list[str], mine: list[str], theirs: list[str]) -> None:
    assert Counter(merge(base, mine, theirs).lines) <= Counter(base) + Counter(mine) + Counter(theirs)


@given(LINES, LINES, st.data())
def test_undo_takes_back_the_edit_and_leaves_what_the_user_typed_between(
    base: list[str], theirs: list[str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(base)))
    mine = [*base[:place], "user 1", "user 2", *base[place:]]
    lines = list(merge(base, mine, theirs).lines)
    assert [line for line in lines if not line.startswith("user")] == theirs
    first = lines.index("user 1")
    assert lines[first + 1] == "user 2"


@given(LINES, LINES, MARKED, MARKED)
def test_what_was_typed_before_and_after_an_edit_stays_there(
    base: list[str], theirs: list[str], above: list[str], below: list[str]
) -> None:
    edit, before = ["head", *base, "tail"], ["head", *theirs, "tail"]
    assert merge(edit, [*above, *edit, *below], before) == Merged((*above, *before, *below), 0)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "result"),
    [
        pytest.param("a X Y b", "a X Y b mine", "a x b", ("a x b mine", 0), id="typed elsewhere"),
        pytest.param("a X Y b", "a mine X Y b", "a x b", ("a mine x b", 0), id="typed just above"),
        pytest.param("a X Y b", "a X Y mine b", "a x b", ("a x mine b", 0), id="typed just below"),
        pytest.param("a X Y b", "a X mine Y b", "a x b", ("a x mine b", 1), id="typed inside"),
        pytest.param("a X Y b", "a X mine b", "a x y b", ("a x y mine b", 1), id="a written line changed"),
        pytest.param("a X Y b", "a X b", "a x y b", ("a x y b", 0), id="a written line deleted"),
        pytest.param("a X Y b", "a x Y b", "a x y b", ("a x y b", 0), id="an old line typed again"),
        pytest.param("a X Y b", "a x mine b", "a x y b", ("a x y mine b", 1), id="typed again and more"),
        pytest.param("a b", "a mine b", "a old b", ("a mine old b", 1), id="both inserted"),
        pytest.param("a b c", "c", "a b B c", ("B c", 0), id="deleted around what comes back"),
        pytest.param("a b c d", "A b c d", "a b c D", ("A b c D", 0), id="far apart"),
        pytest.param("a b c d", "a B c d", "a b C d", ("a B C d", 0), id="side by side"),
    ],
)
def test_undo(base: str, mine: str, theirs: str, result: tuple[str, int]) -> None:
    assert merged(base, mine, theirs) == result


def test_line_ends_are_compared_as_given() -> None:
    assert merge(["a\r\n", "b\n"], ["a\n", "b\n"], ["a\r\n", "c\n"]).lines == ("a\n", "c\n")
