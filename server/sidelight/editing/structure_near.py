"""A structure that costs no more than the neighbourhood of a place: for a text of which nothing is at hand yet.

It reads what is around the first place that it is asked about, the headers above that, and looks for single names
elsewhere. Definitions that are long, or far away, it may miss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sidelight.editing.blocks import block_end, with_decorators
from sidelight.editing.definitions import Definition, in_containers, named_in, receiver_of
from sidelight.editing.languages import is_markup
from sidelight.editing.structure import Structure
from sidelight.editing.structure_index import Entry, Import, Index
from sidelight.editing.structure_plain import entry_of, moved_lines, plain_index, value_at

# On either side of the place; above it, until its classes are found; at the beginning, for imports.
_NEAR_LINES = 120
_UP_LINES = 5000
_IMPORT_LINES = 120
# How far from its place a name is looked for, and how long what it defines may be.
_SEARCHED_LINES = 4000
_MEMBER_LINES = 600
_LONGEST_LINES = 400
_MOST_HEADER = 300
_MOST_HITS = 12


class NearStructure(Structure):
    """The structure around the first place that is asked about."""

    def __init__(self, lines: Sequence[str], language: str) -> None:
        super().__init__(lines, language)
        self._found_imports: Sequence[Import] | None = None
        self._searched: dict[tuple[str, bool], Definition | None] = {}
        self._lines_seen: dict[bool, list[int]] = {}
        self._place = 0

    def defining(self, name: str, at_line: int) -> Definition | None:
        """Return what a name means at a line: by the neighbourhood, else the nearest definition of that name."""
        if found := super().defining(name, at_line):
            return found
        root, _, rest = name.partition(".")
        if root in {"self", "this", "cls", ""}:
            return self._search(rest.partition(".")[0], is_member=True) if rest and root else None
        return self._search(root, is_member=False)

    def find(self, name: str) -> Definition | None:
        """Return an outermost definition or value of that name, or ``Class.member``."""
        self._at(0)
        root, _, member = name.partition(".")
        found = self._search(root, is_member=False)
        if found is None or not member:
            return found
        for at in range(found.header + 1, min(found.header + _UP_LINES, len(self._lines))):
            text = self._lines[at]
            if text[:1].strip() and text[0] not in ")]}{#/":
                break  # below the class
            if member in text and (one := self._defined_at(at, member)):
                return one
        return None

    def _at(self, line: int) -> Index:
        if self._index is None:
            self._place = line
            self._index = self._neighbourhood(min(max(line, 0), max(len(self._lines) - 1, 0)))
        return self._index

    def _imports(self) -> Sequence[Import]:
        if self._found_imports is None:
            self._found_imports = plain_index(self._lines, self.language, 0, _IMPORT_LINES).imports
        return self._found_imports

    def _neighbourhood(self, line: int) -> Index:
        first, end = max(0, line - _NEAR_LINES), min(len(self._lines), line + _NEAR_LINES)
        near = plain_index(self._lines, self.language, first, end)
        entries = [*reversed(list(self._above(line, first, end))), *near.entries]
        placed = in_containers(entry.definition for entry in entries)
        entries = [replace(entry, definition=one) for entry, one in zip(entries, placed, strict=True)]
        return Index(entries, near.imports, near.values, near.uses)

    def _above(self, line: int, first: int, end: int) -> Iterator[Entry]:
        """Return the definitions above the neighbourhood that reach down to a line, the innermost first."""
        lines, language = self._lines, self.language
        depth = min((_indent(text) for text in lines[first : line + 1] if text.strip()), default=1)
        for at in range(first - 1, max(-1, first - _UP_LINES), -1):
            text = lines[at]
            if not text.strip() or (indent := _indent(text)) >= depth or text.strip()[0] in ")]}#/":
                continue
            depth = indent
            name, kind = named_in(lines[at : at + 4], 0, language) if len(text) <= _MOST_HEADER else ("", "")
            if name and (stop := at + block_end(lines[at:end], 0)) > line:
                above = with_decorators(lines, at)
                receiver = receiver_of(lines[above : at + 2], 0, at - above, kind)
                yield entry_of(lines, Definition(name, kind, receiver, above, at, stop), language)
            if not depth:
                return

    def _search(self, name: str, *, is_member: bool) -> Definition | None:
        """Return the nearest definition of a name: an outermost one, or a member."""
        key = name, is_member
        if key not in self._searched:
            hits = [at for at in self._candidates(is_member=is_member) if name in self._lines[at]]
            hits.sort(key=lambda at: abs(at - self._place))
            found = (self._defined_at(at, name) for at in hits[:_MOST_HITS])
            self._searched[key] = next((one for one in found if one), None)
        return self._searched[key]

    def _candidates(self, *, is_member: bool) -> list[int]:
        """Return the lines on which an outermost definition may begin, or a member: the first time, all are seen."""
        if is_member not in self._lines_seen:
            reach = _MEMBER_LINES if is_member else _SEARCHED_LINES
            first = max(0, self._place - reach)
            some = enumerate(self._lines[first : self._place + reach], first)
            self._lines_seen[is_member] = [at for at, text in some if text and text[0].isspace() == is_member]
        return self._lines_seen[is_member]

    def _defined_at(self, at: int, name: str) -> Definition | None:
        lines, language = self._lines, self.language
        window = lines[at : at + _LONGEST_LINES]
        if is_markup(language) or len(window[0]) > _MOST_HEADER:
            return None
        found, kind = named_in(window, 0, language)
        if found != name:
            value = value_at(window, 0, language)
            return moved_lines(value, at) if value and value.name == name else None
        first = with_decorators(lines, at)
        receiver = receiver_of(lines[first : at + 2], 0, at - first, kind)
        return Definition(name, kind, receiver, first, at, at + block_end(window, 0))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
