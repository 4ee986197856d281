"""Where the symbol under a caret is defined in its document, by headers alone: nothing is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sidelight.editing.definitions import named_in
from sidelight.editing.text import Place, without_line_end

_WORD = re.compile(r"[^\W\d][\w$]*")
_LONGEST_HEADER = 300


def word_at(line: str, column: int) -> tuple[int, int]:
    """Return where the name around a column begins and ends; an empty span there where none is."""
    found = next((it for it in _WORD.finditer(line) if it.start() <= column <= it.end()), None)
    return found.span() if found else (column, column)


def headers_of(lines: Sequence[str], language: str, place: Place) -> Iterator[int]:
    """Yield the header that the caret's line is, then the one definition of the name under it; costs O(document)."""
    bare = [without_line_end(it) for it in lines]
    start, end = word_at(bare[place.line], place.column)
    name, header = bare[place.line][start:end], place.line
    while bare[header].lstrip().startswith("@") and header + 1 < len(bare):
        header += 1  # a decorator belongs to what it decorates
    if _name_in(bare, header, language):
        yield header
    if name:
        named = [it for it, said in enumerate(bare) if name in said and _name_in(bare, it, language) == name]
        if len(named) == 1 and named[0] != header:
            yield named[0]


def _name_in(lines: Sequence[str], number: int, language: str) -> str:
    return named_in(lines, number, language)[0] if len(lines[number]) <= _LONGEST_HEADER else ""
