"""What is worth showing beside a target: of its own document, and of the others that are open.

The function and classes around it, the imports and definitions that it uses, the most valuable first. How much of that
a prompt has room for is not decided here; see ``prompt.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from sidelight.core.context import Context, Excerpt, Piece, PieceKind
from sidelight.editing.definitions import Definition
from sidelight.editing.languages import kin_of
from sidelight.editing.structure import Structure
from sidelight.messages import Message, msg

# Of a function that goes on around the target, on either side; the rest may come as lines around it.
_NEAR_LINES = 40
# What is shown whole; of anything longer its head.
_SHORT_LINES = 20
_SHORT_PIECE_LINES = 40
# So much of a target is searched for names, and so many names are followed.
_READ_LINES = 600
_MOST_NAMES = 60
_MOST_DEFINITIONS = 24
_MOST_PIECES = 12
_MOST_IMPORTS = 30
_MOST_VALUES = 25
_MOST_HEAD_LINES = 30


class Open(Protocol):
    """A document that is open beside the one that a task is about."""

    @property
    def name(self) -> str:
        """The file's name, for people and the model."""

    @property
    def language_id(self) -> str:
        """Its language, as the editor calls it."""

    @property
    def lines(self) -> Sequence[str]:
        """Its lines with their line ends."""

    @property
    def structure(self) -> Structure:
        """The structure of these lines."""


def excerpts_of(structure: Structure, context: Context) -> tuple[Excerpt, ...]:
    """Return what of the document is worth showing beside the target, the most valuable first.

    No two of them have a line in common, and none has one of the target's. ``structure`` is that of ``context.lines``.
    """
    first, end = context.target.start.line, context.target_end
    if not any(map(str.strip, context.lines[:first])) and not any(map(str.strip, context.lines[end:])):
        return ()
    chosen = _Chosen(context.lines, first, end)
    around = [one for one in structure.enclosing(first, end) if (one.first, one.end) != (first, end)]
    if around and not around[0].kind:
        _show_function(chosen, structure, around.pop(0), first, end)
    for one in around:
        _show_head(chosen, structure, one, _part_of(one))
    names = _names(structure, first, end)
    for begin, stop in structure.imports_used(names)[:_MOST_IMPORTS]:
        chosen.add("imports", begin, stop, msg("imports what is used here"))
    found = (structure.defining(name, first) for name in names)
    used = [one for one in dict.fromkeys(found) if one is not None and one not in around]
    for one in used[:_MOST_DEFINITIONS]:
        if one.end - one.first <= _SHORT_LINES:
            chosen.add("definition", one.first, one.end, _defines(_qualified(one)))
        else:
            _show_head(chosen, structure, one, _defines(_qualified(one)), "definition")
    return tuple(chosen.excerpts)


def unexplained(structure: Structure, context: Context) -> tuple[str, ...]:
    """Return the names that the target uses and its document does not define: by what they are where known.

    ``from shapes import area as f`` makes ``f`` the name ``shapes.area``.
    """
    first, end = context.target.start.line, context.target_end
    names = (name for name in _names(structure, first, end) if structure.defining(name, first) is None)
    return tuple(dict.fromkeys(structure.origin(name) or name for name in names))


def pieces_from(names: Iterable[str], others: Sequence[Open], language: str = "") -> tuple[Piece, ...]:
    """Return the definitions of names (as ``unexplained`` gives them) in other open documents, one of each.

    With a language, only documents of its kin are looked into. A name that several documents define, and none of them
    is its module, is left out: it may be any.
    """
    kin = kin_of(language) if language else None
    others = [other for other in others if kin is None or other.structure.language in kin]
    pieces: dict[tuple[int, Definition], Piece] = {}
    for name in names:
        if len(pieces) >= _MOST_PIECES or not others:
            break
        if name.startswith((".", "self.", "this.", "cls.")):
            continue
        if found := _elsewhere(name, others):
            other, one = found
            pieces.setdefault((id(other), one), _piece("definition", other, one, _defines(name)))
    return tuple(pieces.values())


def symbol(name: str, others: Sequence[Open]) -> Piece | None:
    """Return the definition that the user mentions by name (``area`` or ``Circle.area``), whole; None for none."""
    for other in others:
        one = other.structure.find(name)
        if one is None and "." not in name:
            one = other.structure.defining(f".{name}", 0)  # a method, where only one class has it
        if one is not None:
            text = "".join(other.lines[one.first : one.end])
            why = msg("you mentioned {name}", name=name)
            return Piece("mention", other.name, text, why, other.language_id, one.first, is_wanted=True)
    return None


class _Chosen:
    """Excerpts without a line in common, nor one of the lines that were taken before."""

    def __init__(self, lines: Sequence[str], first: int = 0, end: int = 0) -> None:
        self.excerpts: list[Excerpt] = []
        self._lines = lines
        self._target = range(first, end)
        self._taken = set(self._target)

    def add(self, kind: PieceKind, first: int, end: int, why: Message) -> None:
        """Take what is left of some lines, without blank ones at its ends; what follows the last taken joins it."""
        free = [at for at in range(max(first, 0), min(end, len(self._lines))) if at not in self._taken]
        self._taken.update(free)
        for run in _runs(free):
            told = [at for at in run if self._lines[at].strip()]
            if told:
                self._join(Excerpt(kind, told[0], told[-1] + 1, why))

    def _join(self, one: Excerpt) -> None:
        """Take an excerpt; it is a part of the last one where nothing but blank lines is between them."""
        last = self.excerpts[-1] if self.excerpts else None
        if last and (last.kind, last.why) == (one.kind, one.why) and last.end <= one.first:
            between = range(last.end, one.first)
            if not any(self._lines[at].strip() or at in self._target for at in between):
                one = Excerpt(one.kind, self.excerpts.pop().first, one.end, one.why)
        self.excerpts.append(one)

    def text(self) -> str:
        """Return the lines that were taken, in the document's order, with dots for what lies between."""
        parts = list[str]()
        for excerpt in sorted(self.excerpts, key=lambda one: one.first):
            first = self._lines[excerpt.first]
            if parts:
                parts.append(f"{first[: len(first) - len(first.lstrip())]}...\n")
            parts += self._lines[excerpt.first : excerpt.end]
        return "".join(parts)


def _runs(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Return the numbers, which ascend, as lists of such as follow one another."""
    run = list[int]()
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _names(structure: Structure, first: int, end: int) -> tuple[str, ...]:
    return structure.names_used(first, min(end, first + _READ_LINES))[:_MOST_NAMES]


def _show_function(chosen: _Chosen, structure: Structure, one: Definition, first: int, end: int) -> None:
    """Take the head of a function, and as much of it as is near to the part of it that the target is."""
    why = _part_of(one)
    head, body = structure.head(one)
    chosen.add("enclosing", head, min(body, head + _MOST_HEAD_LINES), why)
    chosen.add("enclosing", max(body, first - _NEAR_LINES), first, why)
    chosen.add("enclosing", end, min(one.end, end + _NEAR_LINES), why)


def _show_head(
    chosen: _Chosen, structure: Structure, one: Definition, why: Message, kind: PieceKind = "enclosing"
) -> None:
    """Take the signature and docstring of a definition; of a class, also what it assigns and how one is made."""
    head, body = structure.head(one, whole_doc=kind != "enclosing")
    chosen.add(kind, head, min(body, head + _MOST_HEAD_LINES), why)
    if not one.kind:
        return
    for value in structure.values(one)[:_MOST_VALUES]:
        chosen.add(kind, value.first, min(value.end, value.first + _SHORT_LINES), why)
    made = (structure.member(one, name) for name in ("__init__", "constructor", one.name, "new"))
    if init := next((it for it in made if it is not None), None):
        first, end = structure.head(init)
        chosen.add(kind, first, init.end if init.end - init.first <= _SHORT_LINES else end, why)


def _elsewhere(name: str, others: Sequence[Open]) -> tuple[Open, Definition] | None:
    """Return the definition of a name, and its document: the one of its module, else the only one that has it."""
    parts = name.strip(".").split(".")
    for at in range(1, len(parts)):
        for other in others:
            if other.name.rpartition(".")[0] == parts[at - 1] and (one := other.structure.find(".".join(parts[at:]))):
                return other, one
    wanted = name
    if len(parts) > 1 and (name[0] == "." or not parts[0][0].isupper()):
        if parts[0] in sys.stdlib_module_names:
            return None
        wanted = parts[-1]  # a package that hands on what its modules define
    found = [(other, one) for other in others if (one := other.structure.find(wanted))]
    return found[0] if len(found) == 1 else None


def _piece(kind: PieceKind, other: Open, one: Definition, why: Message) -> Piece:
    lines, first = other.lines, one.first
    if one.end - one.first <= _SHORT_PIECE_LINES:
        text = "".join(lines[one.first : one.end])
    else:
        chosen = _Chosen(lines)
        _show_head(chosen, other.structure, one, why, kind)
        text, first = chosen.text(), min((excerpt.first for excerpt in chosen.excerpts), default=first)
    return Piece(kind, other.name, text, why, other.language_id, first)


def _part_of(one: Definition) -> Message:
    return msg("this is a part of {name}", name=_qualified(one))


def _defines(name: str) -> Message:
    return msg("defines {name}, which is used here", name=name)


def _qualified(one: Definition) -> str:
    """Return a definition's name with that of the class it is in."""
    holder = one.container[-1].split(" ", 1) if one.container else ["", ""]
    return f"{holder[1]}.{one.name}" if holder[0] else one.name
