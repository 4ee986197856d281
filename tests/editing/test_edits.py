"""Ranges that follow, blocks, code in answers, and what differs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidelight.editing.answer_code import code_blocks, fit
from sidelight.editing.blocks import enclosing_block
from sidelight.editing.line_diff import line_change
from sidelight.editing.text import Place, Range, Text, split_lines
from sidelight.editing.tracked import TrackedRange

TEXTS = st.text(alphabet="ab\n", max_size=14)


def place(text: str, offset: int) -> Place:
    before = text[:offset]
    return Place(before.count("\n"), offset - before.rfind("\n") - 1)


@given(TEXTS, st.data(), st.booleans())
def test_a_range_follows_its_text_until_that_is_touched(text: str, data: st.DataObject, grows: bool) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    inside = text[start:end]
    tracked = TrackedRange(Range(place(text, start), place(text, end)), grows=grows)
    for _ in range(data.draw(st.integers(1, 4))):
        one = data.draw(st.integers(0, len(text)))
        other = data.draw(st.integers(one, min(len(text), one + 3)))
        new = data.draw(st.text(alphabet="xy\n", max_size=3))
        change = Range(place(text, one), place(text, other))
        text = text[:one] + new + text[other:]
        tracked.change(change, new)
        document = Text(text)
        assert document.clamp(tracked.range.start) == tracked.range.start
        assert document.clamp(tracked.range.end) == tracked.range.end
        if not tracked.is_touched:
            assert document.between(tracked.range) == inside


def test_text_typed_at_a_border_stays_outside() -> None:
    tracked = TrackedRange(Range(Place(1, 0), Place(2, 0)))
    tracked.change(Range(Place(1, 0), Place(1, 0)), "new\n")
    tracked.change(Range(Place(3, 0), Place(3, 0)), "below\n")
    assert (tracked.range, tracked.is_touched) == (Range(Place(2, 0), Place(3, 0)), False)


@given(TEXTS, TEXTS)
def test_the_line_change_turns_the_old_text_into_the_new(old: str, new: str) -> None:
    change = line_change(old, new)
    if change is None:
        assert old == new
        return
    lines = split_lines(old)
    assert "".join([*lines[: change.first], change.text, *lines[change.end :]]) == new


CODE = """\
import a

x = 1

@cached
def f(a,
      b):
    if a:
        return 1

    return 2

class A:
    def m(self):
        pass

    z = 3
"""


@pytest.mark.parametrize(
    ("line", "block"),
    [(0, (0, 1)), (1, (1, 1)), (2, (2, 3)), (4, (4, 11)), (5, (4, 11)), (8, (4, 11)), (9, (4, 11)), (12, (12, 17)),
     (14, (13, 15)), (16, (12, 17))],
)  # fmt: skip
def test_the_block_around_a_line_is_its_definition(line: int, block: tuple[int, int]) -> None:
    assert enclosing_block(CODE.splitlines(keepends=True), line) == block


def test_a_block_in_braces_ends_with_its_brace() -> None:
    lines = "int x;\n\nfunction f(a) {\n  if (a) {\n    return 1;\n  }\n}\n\nf(2);\n".splitlines(keepends=True)
    assert enclosing_block(lines, 4) == (2, 7)


def texts(answer: str) -> list[tuple[str, str, bool]]:
    return [(block.language, block.text, block.is_closed) for block in code_blocks(answer)]


def test_the_code_is_what_stands_between_fences_of_any_length() -> None:
    assert texts("Look:\n```python\nx = 1\n```\nand ~~~\n~~~~\ny\n~~~\n~~~~\n") == [
        ("python", "x = 1\n", True),
        ("", "y\n~~~\n", True),
    ]


def test_a_fence_with_a_language_inside_a_block_is_nested() -> None:
    assert texts("```markdown\n# T\n```py\n1\n```\nend\n```\n") == [("markdown", "# T\n```py\n1\n```\nend\n", True)]


def test_an_open_fence_is_told() -> None:
    assert texts("```python\nx = 1\ny") == [("python", "x = 1\ny", False)]


@pytest.mark.parametrize(
    ("code", "replaced", "line_end", "fitted"),
    [
        ("if x:\n    a\n", "        a\n", "\n", "        if x:\n            a\n"),
        ("    a\n", "    a\r\n", "\r\n", "    a\r\n"),
        ("    a\n    b\n", "a\n", "\n", "a\nb\n"),
        ("a\n\nb\n", "\tx\n", "\n", "\ta\n\n\tb\n"),
        ("a\n", "x", "\n", "a"),
        ("a", "x\n", "\n", "a\n"),
        ("a\n", "", "\n", "a\n"),
        ("", "x\n", "\n", ""),
    ],
)
def test_code_takes_indentation_and_line_ends_of_the_document(
    code: str, replaced: str, line_end: str, fitted: str
) -> None:
    assert fit(code, replaced, line_end) == fitted
