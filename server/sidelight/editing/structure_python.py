"""The index of a Python text, by its parser, a few hundred lines at a time.

The parser holds up all threads while it works, so it is never given a long text at once: neither a long module nor a
long class. That also leaves the rest as it is where one function does not parse: that one is told by its indentation.
"""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from sidelight.editing.definitions import Definition, in_containers, with_last_comments
from sidelight.editing.docstrings import OpenString
from sidelight.editing.python_names import Names, Scope
from sidelight.editing.structure_index import Index, Lines
from sidelight.editing.structure_plain import plain_index, plain_uses

# A hundred lines are one or two milliseconds.
_PIECE_LINES = 150
_LONG_LINES = 300
# How far, and how often in vain, the end of a string is sought; how many ends a statement may have.
_MOST_LINES_ON = 20_000
_PATIENCE = 8
_ENDS_TRIED = 4
# A text with more is in another language, or in an older Python.
_MOST_BROKEN = 100
_GOES_ON = re.compile(r"(?:else|elif|except|finally)\b|[^\w@\"'(\[{*~-]")
_CLASS = re.compile(r"\s*class\b")
_MEMBER = re.compile(r"(\s+)(?:def\b|async\s+def\b|class\b|@)")
_filters = threading.Lock()  # warnings.catch_warnings changes what all threads share


def python_index(lines: Sequence[str], is_wanted: Callable[[], bool] = lambda: True) -> Index:
    """Return the index of a text (its lines without ends); of a part of it, once it is not wanted any more."""
    reader = _Reader(lines, is_wanted)
    reader.read(0, len(lines), 0, reader.names.module)
    return reader.index()


class _Reader:
    def __init__(self, lines: Sequence[str], is_wanted: Callable[[], bool]) -> None:
        self.names = Names(lines)
        self._lines = lines
        self._is_wanted = is_wanted
        self._broken: list[Lines] = []
        self._patience = _PATIENCE

    def read(self, first: int, end: int, indent: int, scope: Scope) -> int:
        """Take in lines whose statements begin at a column; return the line after the last statement."""
        cuts = [first, *self._starts(first + 1, end, indent), end]
        at, last = 0, first
        while at < len(cuts) - 1 and self._is_wanted():
            if len(self._broken) >= _MOST_BROKEN:
                self._broken.append((cuts[at], end))
                return end
            to, ended = at + 1, None
            if cuts[to] - cuts[at] <= _LONG_LINES:
                while to < len(cuts) - 1 and cuts[to + 1] - cuts[at] <= _PIECE_LINES:
                    to += 1
                ended = self._statements(cuts[at], cuts[to], indent, scope)
            if ended is None:
                to, ended = self._alone(cuts, at, indent, scope)
            at, last = to, max(last, ended)
        return last

    def _starts(self, first: int, end: int, indent: int) -> list[int]:
        """Return the lines on which a statement may begin: perhaps it is the text of a string."""
        starts, is_decorated = list[int](), self._lines[first - 1][indent : indent + 1] == "@"
        for number in range(first, end):
            line = self._lines[number]
            text = line[indent:]
            if not text or text[0].isspace() or text[0] == "#" or (indent and line[:indent].strip()):
                continue
            if not is_decorated and not _GOES_ON.match(text):
                starts.append(number)
            is_decorated = text[0] == "@"
        return starts

    def _alone(self, cuts: Sequence[int], at: int, indent: int, scope: Scope) -> tuple[int, int]:
        """Take in one long statement, or one that does not parse; return the next cut, and the line after it.

        It may go on below a cut, as the text of a string; else it is broken, and what follows need not be.
        """
        first, before = cuts[at], self._state()
        for to in islice(self._closed(cuts, at), _ENDS_TRIED):
            if cuts[to] - first > _LONG_LINES and (ended := self._class(first, cuts[to], indent, scope)) is not None:
                if to == at + 1 or len(self._broken) == before[-1]:
                    return to, ended
                self._go_back(before)
            elif (ended := self._statements(first, cuts[to], indent, scope)) is not None:
                return to, ended
        self._patience -= self._patience > 0
        if (ended := self._class(first, cuts[at + 1], indent, scope)) is None:
            ended = self._without_blank(first, cuts[at + 1])
            self._broken.append((first, ended))
        return at + 1, ended

    def _closed(self, cuts: Sequence[int], at: int) -> Iterator[int]:
        """Return the cuts after one at which no string is open that was opened since."""
        opened, most = OpenString("python"), _MOST_LINES_ON if self._patience else _LONG_LINES
        for to in range(at + 1, len(cuts)):
            for line in self._lines[cuts[to - 1] : cuts[to]]:
                opened.feed(line)
            if not opened.is_open:
                yield to
            if cuts[to] - cuts[at] > most:
                return

    def _state(self) -> tuple[int, int, int, int]:
        names = self.names
        return len(names.entries), len(names.imports), len(names.used), len(self._broken)

    def _go_back(self, state: tuple[int, int, int, int]) -> None:
        """Forget what was taken in since."""
        entries, imports, used, broken = state
        del self.names.entries[entries:], self.names.imports[imports:], self.names.used[used:], self._broken[broken:]

    def _without_blank(self, first: int, end: int) -> int:
        while end > first + 1 and not self._lines[end - 1].strip():
            end -= 1
        return end

    def _class(self, first: int, end: int, indent: int, scope: Scope) -> int | None:
        """Take in a class, its members one by one; None where it is none, or its head does not parse."""
        lines = self._lines
        header = next((at for at in range(first, end) if lines[at][indent : indent + 1] != "@"), first)
        if not _CLASS.match(lines[header]):
            return None
        members = [
            (at, it[1]) for at in range(header + 1, end) if (it := _MEMBER.match(lines[at])) and len(it[1]) > indent
        ]
        member, deep = min(members, key=lambda it: len(it[1]), default=(end, ""))
        parsed = self._parsed([*lines[first:member], f"{deep}pass"], first, indent) if deep else None
        if parsed is None or len(parsed[0]) != 1 or not isinstance(parsed[0][0], ast.ClassDef):
            return None
        number = len(self.names.entries)
        self.names.walk(parsed[0], scope, parsed[1])
        entry, inside = self.names.entries[number]
        last = self.read(member, end, len(deep), inside)
        one = replace(entry.definition, end=with_last_comments(lines, header, last))
        self.names.entries[number] = replace(entry, definition=one), inside
        return last

    def _statements(self, first: int, end: int, indent: int, scope: Scope) -> int | None:
        """Take in some statements; None where they do not parse."""
        parsed = self._parsed(self._lines[first:end], first, indent)
        return None if parsed is None else self.names.walk(parsed[0], scope, parsed[1])

    def _parsed(self, lines: Sequence[str], first: int, indent: int) -> tuple[list[ast.stmt], int] | None:
        """Return the statements of some lines, and which line their first one counts as."""
        text = "\n".join(lines).removeprefix("\ufeff")
        try:
            with _filters, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(f"if 1:\n{text}" if indent else text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        if not indent:
            return tree.body, first
        only = tree.body[0]
        return (only.body, first - 1) if len(tree.body) == 1 and isinstance(only, ast.If) else None

    def index(self) -> Index:
        """Return what all the pieces are together."""
        names, lines, broken = self.names, self._lines, self._broken
        parts = [plain_index(lines, "python", *range_) for range_ in broken]
        entries = [replace(entry, values=_in_order(inside)) for entry, inside in names.entries]
        entries += (entry for part in parts for entry in part.entries)
        entries.sort(key=lambda entry: entry.definition.header)
        placed = in_containers(entry.definition for entry in entries)
        imports = sorted([*names.imports, *(one for part in parts for one in part.imports)], key=lambda it: it.first)
        values = {name: one for part in parts for name, one in part.values.items()} | names.module.values
        used = names.uses()

        def uses(first: int, end: int) -> Iterable[str]:
            for line in range(first, end):
                yield from used.get(line, ())
            for begin, stop in broken:
                yield from plain_uses(lines[max(first, begin) : min(end, stop)], "python")

        entries = [replace(entry, definition=one) for entry, one in zip(entries, placed, strict=True)]
        return Index(entries, imports, values, uses)


def _in_order(scope: Scope) -> tuple[Definition, ...]:
    return tuple(sorted(scope.values.values(), key=lambda one: one.first))
