"""What a document's code is made of: which definition is around a place, what a name there means, what is imported.

Made of a whole text once, and then every question is quick. Nothing here fails for broken syntax: then headers,
brackets and indentation tell. ``structure_index.py`` is what it is read from, ``structure_near.py`` what stands in for
it while nothing is at hand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from sidelight.editing.definitions import Definition
from sidelight.editing.languages import language_of
from sidelight.editing.structure_index import Entry, Import, Index, Lines
from sidelight.editing.structure_plain import plain_index
from sidelight.editing.structure_python import python_index

_ITSELF = {"self", "this", "cls"}
_MOST_BASES = 8
_MOST_LEAD_LINES = 15
_COMMENTS = ("//", "/*", "*", "#", "--")


class Structure:
    """The structure of one text; what is returned are lines of it, counted from 0, ends exclusive."""

    def __init__(self, lines: Sequence[str], language: str, index: Index | None = None) -> None:
        self.language = language_of(language)
        self._lines = lines
        self._index = index

    @classmethod
    def of(cls, lines: Sequence[str], language: str, is_wanted: Callable[[], bool] = lambda: True) -> Structure:
        """Return the structure of a text: its lines, with or without line ends. It takes 30 to 60 ms for 1,000 lines.

        Once ``is_wanted`` says no, it ends early, and what is returned knows a part of the text only.
        """
        language, bare = language_of(language), [line.rstrip("\r\n") for line in lines]
        index = python_index(bare, is_wanted) if language == "python" else plain_index(bare, language)
        return cls(lines, language, index)

    def enclosing(self, first: int, end: int) -> tuple[Definition, ...]:
        """Return the definitions that these lines are a part of, or are, the innermost first."""
        index = self._at(first)
        return tuple(index.entries[number].definition for number in self._around(index, first, max(end, first + 1)))

    @property
    def imports(self) -> tuple[Lines, ...]:
        """The imports, outside of functions."""
        return tuple((one.first, one.end) for one in self._imports())

    def imports_used(self, names: Iterable[str]) -> tuple[Lines, ...]:
        """Return the imports that make known any of the names, as ``names_used`` gives them."""
        roots = {name.partition(".")[0] for name in names}
        is_known = self.language == "python"
        return tuple(
            (one.first, one.end)
            for one in self._imports()
            if not roots.isdisjoint(one.names) or (is_known and "*" in one.names)
        )

    def origin(self, name: str) -> str:
        """Return what a name is in the module it is imported from: ``package.module.name``; empty where unknown."""
        root, dot, rest = name.partition(".")
        origin = next((one.names[root] for one in self._imports() if one.names.get(root)), "")
        return origin and f"{origin}{dot}{rest}"

    def names_used(self, first: int, end: int) -> tuple[str, ...]:
        """Return the names that the lines use, in order, each once: ``name``, ``name.attribute``, ``self.attribute``.

        An attribute of something unknown is ``.attribute``. Builtins and, in Python, locals are left out.
        """
        return tuple(dict.fromkeys(self._at(first).uses(first, end)))

    def defining(self, name: str, at_line: int) -> Definition | None:
        """Return what a name, as ``names_used`` gives it, means at a line; None for what is not defined here."""
        index = self._at(at_line)
        root, _, rest = name.partition(".")
        member = rest.partition(".")[0]
        around = self._around(index, at_line, at_line + 1)
        if root in _ITSELF and member:
            inside = next((number for number in around if index.entries[number].definition.kind), None)
            return None if inside is None else self._member(index, inside, member)
        if not root:
            found = index.methods.get(member, ())
            return index.entries[found[0]].definition if len(found) == 1 else None
        if (number := self._visible(index, root, around)) is None:
            return index.values.get(root)
        entry = index.entries[number]
        inner = self._member(index, number, member) if member and entry.definition.kind else None
        return inner or entry.definition

    def find(self, name: str) -> Definition | None:
        """Return the outermost definition or value of that name, or ``Class.member``, wherever it stands."""
        index = self._at(0)
        root, _, member = name.partition(".")
        if (number := index.member(-1, root)) is not None:
            entry = index.entries[number]
            return self._member(index, number, member.partition(".")[0]) if member else entry.definition
        return None if member else index.values.get(root)

    def head(self, one: Definition, *, whole_doc: bool = False) -> Lines:
        """Return a definition's signature with what is above it, and its docstring: the first line, or all of it."""
        entry = self._entry(one)
        first = one.first if self.language == "python" else self._lead(one.first)
        if entry is None:
            return first, one.end
        return first, min(one.end, entry.doc_end if whole_doc else entry.doc)

    def values(self, one: Definition) -> tuple[Definition, ...]:
        """Return what a class assigns outside of its methods."""
        entry = self._entry(one)
        return entry.values if entry else ()

    def member(self, one: Definition, name: str) -> Definition | None:
        """Return a class's own member."""
        index = self._at(one.header)
        number = self._number(index, one)
        found = None if number is None else index.member(number, name)
        return None if found is None else index.entries[found].definition

    # Looking things up

    def _at(self, line: int) -> Index:  # noqa: ARG002 - a structure of a neighbourhood needs to know where
        """Return what is known around a line."""
        assert self._index is not None
        return self._index

    def _imports(self) -> Sequence[Import]:
        return self._at(0).imports

    def _around(self, index: Index, first: int, end: int) -> list[int]:
        """Return the entries around some lines, the innermost first."""
        number = bisect_right(index.entries, first, key=lambda entry: entry.definition.first) - 1
        found = []
        while number >= 0:
            one = index.entries[number].definition
            if one.first <= first and end <= one.end:
                found.append(number)
            number = index.parents[number]
        return found

    def _visible(self, index: Index, name: str, around: Sequence[int]) -> int | None:
        for depth, number in enumerate(around):
            is_class = bool(index.entries[number].definition.kind)
            if is_class and depth and self.language == "python":
                continue  # methods do not see what their class defines
            if (found := index.member(number, name)) is not None:
                return found
        return index.member(-1, name)

    def _member(self, index: Index, number: int, name: str) -> Definition | None:
        """Return a member of a class, or of those that it is made from as far as they stand in this text."""
        for _ in range(_MOST_BASES):
            entry = index.entries[number]
            if (found := index.member(number, name)) is not None:
                return index.entries[found].definition
            if value := next((value for value in entry.values if value.name == name), None):
                return value
            bases = (index.member(-1, base) for base in entry.bases)
            if (base := next((it for it in bases if it is not None and it != number), None)) is None:
                return None
            number = base
        return None

    def _number(self, index: Index, one: Definition) -> int | None:
        number = bisect_right(index.entries, one.header, key=lambda entry: entry.definition.header) - 1
        return number if number >= 0 and index.entries[number].definition.header == one.header else None

    def _entry(self, one: Definition) -> Entry | None:
        index = self._at(one.header)
        number = self._number(index, one)
        return None if number is None else index.entries[number]

    def _lead(self, first: int) -> int:
        """Return the first line of the comment right above a line."""
        lowest = max(0, first - _MOST_LEAD_LINES)
        while first > lowest and self._lines[first - 1].lstrip().startswith(_COMMENTS):
            first -= 1
        return first
