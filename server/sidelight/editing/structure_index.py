"""What is known of a text after one look at it: its definitions, imports, values, and who uses which names where.

``structure_python.py`` and ``structure_plain.py`` make one; ``structure.py`` answers questions from it. Lines count
from 0, ends are exclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sidelight.editing.definitions import Definition

Lines = tuple[int, int]
"""The lines from the first up to and without the second."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A definition and its parts.

    Its body begins at ``body``; ``doc`` and ``doc_end`` are the lines after a docstring's first line and after all of
    it, both ``body`` where it has none. ``values`` is what a class assigns outside of its
    methods, ``bases`` the classes that its header names.
    """

    definition: Definition
    body: int
    doc: int
    doc_end: int
    values: tuple[Definition, ...] = ()
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """The lines of an import; ``names`` are what it makes known, each with where it is from (``package.module.name``).

    ``*`` stands for names that only the other module knows.
    """

    first: int
    end: int
    names: Mapping[str, str]


@dataclass(slots=True)
class Index:
    """Everything about some lines. ``entries`` are in order of where they begin, an outer one first.

    ``uses(first, end)`` are the names that lines use, in order: ``name``, ``root.attribute``, ``self.attribute``, and
    ``.attribute`` of something unknown.
    """

    entries: Sequence[Entry]
    imports: Sequence[Import]
    values: Mapping[str, Definition]
    uses: Callable[[int, int], Iterable[str]]
    parents: list[int] = field(init=False)
    members: dict[int, dict[str, list[int]]] = field(init=False)
    methods: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        """Note which entry is in which; the outermost are the members of -1."""
        self.parents, self.members, self.methods = [], {-1: {}}, {}
        around: list[int] = []
        for number, entry in enumerate(self.entries):
            one = entry.definition
            while around and self.entries[around[-1]].definition.end <= one.header:
                around.pop()
            parent = around[-1] if around else -1
            self.parents.append(parent)
            self.members.setdefault(parent, {}).setdefault(one.name, []).append(number)
            if parent >= 0 and self.entries[parent].definition.kind:
                self.methods.setdefault(one.name, []).append(number)
            around.append(number)

    def member(self, parent: int, name: str) -> int | None:
        """Return the entry of that name in another one; of several the last, yet no property's setter or overload."""
        found = self.members.get(parent, {}).get(name)
        if not found:
            return None
        plain = [number for number in found if "." not in self.entries[number].definition.receiver]
        return plain[-1] if plain else found[0]
