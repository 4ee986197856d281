"""A plan: which lines of a document become which, so that the steps of an edit are done beside what the user wrote.

Made for the lines as they stand in ``live_region.py``, which it does not change. Knows no LSP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sidelight.editing.line_diff import Delete, Insert, Keep, Step, hunks
from sidelight.editing.live_marks import OURS, USERS, old_line
from sidelight.editing.live_written import Written
from sidelight.editing.merge import merge

# More old lines than this beyond those that replace them go at the end, when the answer is known to be whole.
_LINES_DELETED_AT_ONCE = 4


class TouchedError(Exception):
    """The edit would remove a line that the user has changed."""


class Splice(NamedTuple):
    """Lines ``first`` up to and without ``end`` become ``lines``."""

    first: int
    end: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Splices (of the lines as they are, in order, apart from each other) and what they lead to.

    ``is_back``: it takes everything back, and nothing of ours stands in the lines afterwards.
    """

    splices: list[Splice]
    lines: list[str]
    marks: list[int]
    front: int
    next_old: int
    steps: int
    inserted: int = 0
    is_back: bool = False


class Final:
    """The step after which what is doomed goes."""


class Ground(Protocol):
    """What a plan is made for: the lines as they are, whose they are, and how far the steps have come.

    ``first`` up to ``end`` of the ``old`` lines is the part that is written. The ``doomed`` ones go at the end; a plan
    in the making adds to them.
    """

    lines: list[str]
    marks: list[int]
    old: tuple[str, ...]
    first: int
    end: int
    line_end: str
    front: int
    next_old: int
    inserted: int
    doomed: set[int]


def plan_back(ground: Ground, written: Sequence[Written], steps: int) -> Plan:
    """Return what takes back what is ``written``, and leaves what the user has written; it does away with ``steps``."""
    lines, splices = list(ground.lines), []
    for hunk in reversed(written):
        mine = ground.lines[hunk.first : hunk.end]
        back = list(merge(hunk.new, mine, hunk.old).lines)
        splices.append(Splice(hunk.first, hunk.end, back))
        lines[hunk.first : hunk.end] = back
    splices.reverse()
    if _has_open_end(ground.lines):
        splices = _closed(ground.lines, lines, ground.line_end)
    return Plan(splices, lines, list(range(len(lines))), len(lines), len(lines), steps, is_back=True)


def plan_lines(ground: Ground, lines: Sequence[str], steps: int, *, is_exact: bool) -> Plan:
    """Return what makes the lines these, and does away with ``steps``; ``LiveRegion.plan_lines`` says more."""
    new, marks = list(lines), []
    if _has_open_end(ground.lines) and not is_exact:
        _closed(ground.lines, new, ground.line_end)
    last = 0
    for hunk in hunks(ground.lines, new):
        if any(mark <= USERS for mark in ground.marks[hunk.first : hunk.end]):
            raise TouchedError
        marks += ground.marks[last : hunk.first] + [OURS] * (hunk.new_end - hunk.new_first)
        last = hunk.end
    marks += ground.marks[last:]
    return Plan(_splices(ground.lines, new), new, marks, len(new), len(ground.old), steps)


class Work:
    """A plan in the making: steps go from left to right, and so do its splices."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._lines, self._marks = list(ground.lines), list(ground.marks)
        self._front, self._next_old = ground.front, ground.next_old
        self._doomed = ground.doomed
        self._inserted = ground.inserted
        self._splices: list[Splice] = []
        self._shift = 0

    def take(self, step: Step | Final) -> None:
        """Do one step. Raises ``TouchedError``."""
        match step:
            case Keep(count):
                self._keep(count)
                self._inserted = 0
            case Insert(lines):
                self._splice(self._front, self._front, [line + self._ground.line_end for line in lines])
                self._inserted += len(lines)
            case Delete(count) if count > self._inserted + _LINES_DELETED_AT_ONCE:
                self._doomed.update(range(self._next_old, self._next_old + count))
                self._keep(count)
            case Delete(count):
                self._delete(range(self._next_old, self._next_old + count))
                self._next_old += count
            case Final():
                self._front, self._shift = 0, 0
                self._finish()

    @property
    def splices(self) -> int:
        """How many splices there are by now."""
        return len(self._splices)

    def plan(self, steps: int) -> Plan:
        """Return the plan for the steps that were taken; ``steps`` says how many."""
        if _has_open_end(self._ground.lines):
            self._splices = _closed(self._ground.lines, self._lines, self._ground.line_end)
        return Plan(self._splices, self._lines, self._marks, self._front, self._next_old, steps, self._inserted)

    def _keep(self, count: int) -> None:
        self._next_old += count
        for index in range(self._front, len(self._marks)):
            old = old_line(self._marks[index])
            if old is not None:
                if old >= self._next_old:
                    break
                self._front = index + 1

    def _delete(self, olds: range) -> None:
        index = self._front
        while index < len(self._marks):
            mark = self._marks[index]
            old = old_line(mark)
            if old is not None and old >= olds.stop:
                break
            if old is None or old not in olds:
                index += 1
                continue
            rest = self._typed_at_border(index, old) if mark < 0 else []
            self._splice(index, index + 1, [])
            if rest:
                self._leave(rest)
                index += 1

    def _typed_at_border(self, index: int, old: int) -> list[str]:
        """Return what the user typed before the first line or after the last one; what else was changed is not ours."""
        ground, line = self._ground, self._lines[index]
        was = ground.old[old]
        if old == ground.first and line.endswith(was):
            return [line[: len(line) - len(was)] + ground.line_end]
        if old == ground.end - 1 and not was.endswith(("\n", "\r")) and line.startswith(was):
            return [line[len(was) :]]
        raise TouchedError

    def _leave(self, lines: list[str]) -> None:
        self._splice(self._front, self._front, lines)
        self._marks[self._front - len(lines) : self._front] = [USERS] * len(lines)

    def _splice(self, first: int, end: int, new: list[str]) -> None:
        at = first - self._shift
        self._lines[first:end] = new
        self._marks[first:end] = [OURS] * len(new)
        self._shift += len(new) - (end - first)
        self._front = max(self._front, first + len(new))
        last = self._splices[-1] if self._splices else None
        if last is not None and last.end == at:
            self._splices[-1] = Splice(last.first, at + end - first, last.lines + new)
        else:
            self._splices.append(Splice(at, at + end - first, new))

    def _finish(self) -> None:
        """Delete what is doomed. It lies left of the front, so splices are found anew."""
        doomed = self._doomed
        for index in range(len(self._marks) - 1, -1, -1):
            old = old_line(self._marks[index])
            if old is not None and old in doomed:
                rest = self._typed_at_border(index, old) if self._marks[index] < 0 else []
                self._lines[index : index + 1] = rest
                self._marks[index : index + 1] = [USERS] * len(rest)
        if doomed:
            self._splices = _splices(self._ground.lines, self._lines)
        self._front = len(self._marks)


def _splices(old: list[str], new: list[str]) -> list[Splice]:
    return [Splice(hunk.first, hunk.end, new[hunk.new_first : hunk.new_end]) for hunk in hunks(old, new)]


def _has_open_end(lines: list[str]) -> bool:
    return bool(lines) and not lines[-1].endswith(("\n", "\r"))


def _closed(old: list[str], new: list[str], line_end: str) -> list[Splice]:
    """Give every line of ``new`` its line end but the last, which has none; return the splices to that."""
    for index, line in enumerate(new[:-1]):
        if not line.endswith(("\n", "\r")):
            new[index] = line + line_end
    if new:
        new[-1] = new[-1].rstrip("\r\n")
    return _splices(old, new)
