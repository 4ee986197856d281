from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidelight.editing.text import (
    Place,
    Range,
    Text,
    Units,
    column_from_units,
    split_lines,
    units_from_column,
)

TEXTS = st.text(alphabet="ab\r\n\x0c\u2028\u0085é😀", max_size=20)
PLACES = st.builds(Place, st.integers(-1, 12), st.integers(0, 8))


def offset(text: str, place: Place) -> int:
    return sum(len(line) for line in split_lines(text)[: place.line]) + place.column


@given(TEXTS, st.lists(st.tuples(PLACES, PLACES, TEXTS), max_size=6))
def test_edits_in_place_equal_edits_of_the_whole_string(text: str, edits: list[tuple[Place, Place, str]]) -> None:
    document = Text(text)
    for one, other, new in edits:
        start, end = sorted((document.clamp(one), document.clamp(other)))
        text = text[: offset(text, start)] + new + text[offset(text, end) :]
        assert document.replace(Range(one, other), new) == Range(start, end)
        assert str(document) == text
        assert document.lines == split_lines(text)


def test_lines_end_as_lsp_has_it_and_nowhere_else() -> None:
    assert split_lines("a\nb\r\nc\rd\x0ce\u2028f\u0085g\x0b") == ["a\n", "b\r\n", "c\r", "d\x0ce\u2028f\u0085g\x0b"]


def test_a_place_past_the_end_of_a_line_is_its_end() -> None:
    document = Text("abc\r\nd")
    assert document.clamp(Place(0, 4)) == Place(0, 3)
    assert document.clamp(Place(7, 0)) == Place(1, 1)
    document.replace(Range(Place(0, 99), Place(0, 99)), "!")
    assert str(document) == "abc!\r\nd"


@given(TEXTS.filter(lambda text: len(split_lines(text)) == 1), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_columns_survive_the_way_to_the_client_and_back(line: str, encoding: Units) -> None:
    for column in range(len(line) + 1):
        units = units_from_column(line, column, encoding)
        assert column_from_units(line, units, encoding) == column
        size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
        encoded = line[:column].encode({"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding])
        assert units == len(encoded) // size


def test_a_column_inside_a_character_is_after_it() -> None:
    assert column_from_units("a😀b", 2, "utf-16") == 2
    assert column_from_units("é", 1, "utf-8") == 1


def test_the_line_end_is_the_documents_own() -> None:
    assert [Text(text).line_end for text in ("a\r\nb", "a\nb\r\n", "a\rb", "a")] == ["\r\n", "\n", "\r", "\n"]


@given(TEXTS, PLACES, PLACES)
def test_between_is_a_slice_of_the_text(text: str, one: Place, other: Place) -> None:
    document = Text(text)
    start, end = sorted((document.clamp(one), document.clamp(other)))
    assert document.between(Range(start, end)) == text[offset(text, start) : offset(text, end)]


def test_a_line_of_megabytes_is_split_in_no_time() -> None:
    """Quadratic splitting would take hours here, and the test's time limit is a minute."""
    assert split_lines("x" * 5_000_000) == ["x" * 5_000_000]
