"""What differs between two texts, by lines: while the new one is still being written, and when both are whole.

``LineDiff`` follows a live edit: what it has said it never takes back. ``hunks`` knows both texts and is minimal.
Lines are equal or they are not: indentation is content. ``merge`` builds on this.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Union

# A run of lines that matches further down is held back for no longer than this: the edit must be seen to follow.
_LONGEST_RUN = 20
# As many places of one line are looked at: the worst line costs as much as any other.
_MOST_PLACES = 16
# Each old line that a run skips must be outweighed by so much. Lower loses more at functions that moved up, higher at
# blocks that were deleted: tried out with tests/benchmarks/line_diff.py, as were the numbers below.
_WEIGHT_PER_SKIPPED = 0.6
# Beyond so many, deleting a large part is likelier than moving up what comes after it.
_MANY, _WEIGHT_PER_FURTHER = 50, 0.2
# What then remains of a run's weight makes it certain while it may yet grow, or likely when it has ended.
_CERTAIN, _LIKELY = 2.0, 0.2
# The weight of a run that is not only blank lines; and of one with a line that stands there once.
_TELLING, _SURE = 0.3, 2.0
# A row of bits a line: 5,000 lines with 5,000 take about 7 ms and 3 MB. What is longer goes through LineDiff.
_MOST_EXACT = 10_000


@dataclass(frozen=True, slots=True)
class Hunk:
    """Old lines ``first`` up to and without ``end`` became new lines ``new_first`` up to and without ``new_end``."""

    first: int
    end: int
    new_first: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Keep:
    """The next ``count`` old lines stay."""

    count: int


@dataclass(frozen=True, slots=True)
class Delete:
    """The next ``count`` old lines go."""

    count: int


@dataclass(frozen=True, slots=True)
class Insert:
    """New lines stand here, before the next old line."""

    lines: tuple[str, ...]


Step = Union[Keep, Delete, Insert]


def hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    """Return what changed, in order, with at least one equal line between two hunks.

    As few lines as possible are in them, unless what changed is longer than 10,000 lines.
    """
    old, new = list(old), list(new)
    head, tail = _common_ends(old, new)
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    if not old or not new:
        kept = []
    elif max(len(old), len(new)) <= _MOST_EXACT:
        kept = _longest_common(old, new)
    else:
        kept = _streamed(old, new)
    return _between(kept, len(old), len(new), head)


def _between(kept: list[tuple[int, int]], old_length: int, new_length: int, offset: int) -> list[Hunk]:
    found = []
    first = new_first = 0
    for end, new_end in [*kept, (old_length, new_length)]:
        if first < end or new_first < new_end:
            found.append(Hunk(first + offset, end + offset, new_first + offset, new_end + offset))
        first, new_first = end + 1, new_end + 1
    return found


def _common_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    """Count the lines that are equal at the beginning and, of the rest, at the end."""
    most = min(len(old), len(new))
    head = _common_head(old, new, most)
    tail = _common_head(old[head:][::-1], new[head:][::-1], most - head)
    return head, tail


def _common_head(old: list[str], new: list[str], most: int) -> int:
    """Bisect with slices: they are compared in C, and this runs at every keystroke."""
    if old[:most] == new[:most]:
        return most
    equal, different = 0, most
    while different - equal > 1:
        middle = (equal + different) // 2
        if old[equal:middle] == new[equal:middle]:
            equal = middle
        else:
            different = middle
    return equal


def _longest_common(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return the pairs (old, new) of one longest common subsequence.

    Hyyrö's bit-parallel recurrence ("Bit-Parallel LCS-length Computation Revisited", 2004): bit i of a row is 0 where
    old[:i + 1] has one more line in common with the new lines so far than old[:i] has.
    """
    where: dict[str, int] = {}
    for index, line in enumerate(old):
        where[line] = where.get(line, 0) | 1 << index
    row = mask = (1 << len(old)) - 1
    rows = [row]
    for line in new:
        matches = row & where.get(line, 0)
        if matches:
            row = ((row + matches) | (row - matches)) & mask
        rows.append(row)
    return _walk_back(rows, len(old), len(new))


def _walk_back(rows: list[int], column: int, count: int) -> list[tuple[int, int]]:
    pairs = []
    while column and count:
        bit = 1 << (column - 1)
        if rows[count] & bit:
            column -= 1
            continue
        count -= 1
        if rows[count] & bit:
            column -= 1
            pairs.append((column, count))
    pairs.reverse()
    return pairs


def _streamed(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    diff = LineDiff(old)
    pairs: list[tuple[int, int]] = []
    place = new_place = 0
    for step in [*diff.feed(new), *diff.finish()]:
        if isinstance(step, Insert):
            new_place += len(step.lines)
        elif isinstance(step, Delete):
            place += step.count
        else:
            pairs.extend(zip(range(place, place + step.count), range(new_place, new_place + step.count), strict=True))
            place += step.count
            new_place += step.count
    return pairs


@dataclass(slots=True)
class _Run:
    """New lines, held back because they stand further down in the old text, until it is clear why."""

    lines: list[str]
    starts: list[int]
    """Where in the old text the lines stand, nearest first; never empty."""
    next_if_inserted: int
    """The next old line if they are an insertion. Old lines may be among them even then."""
    weight: float = 0
    """What speaks against an insertion: the lines that match, without those that match in an insertion, too."""


class LineDiff:
    """The difference between old lines and new ones that come one at a time, said as they come.

    A new line that equals the next old line keeps it. One that stands further down may mean that the lines before it
    are gone, or be an insertion: it is held back until the lines after it tell. Every other line is an insertion.
    Applying all steps of ``feed`` and ``finish`` in order gives exactly the new lines.
    """

    def __init__(self, old: Sequence[str]) -> None:
        self._old = list(old)
        self._places: dict[str, list[int]] = {}
        for place, line in enumerate(self._old):
            if line in self._places:
                self._places[line].append(place)
            else:
                self._places[line] = [place]
        self._next = 0
        """The next old line about which nothing is said."""
        self._run: _Run | None = None
        self._doubt = 0.0
        """The weight of the runs that were taken for insertions since a line was kept: too many, and it was wrong."""
        self._steps: list[Step] = []
        self._written = 0
        """How many lines were inserted since a line was kept."""
        self._inserted: list[str] = []
        """The insertion that comes after ``_steps``."""

    def feed(self, lines: Iterable[str]) -> list[Step]:
        """Take new lines, without their ends, and return what is now certain."""
        for line in lines:
            self._take(line)
        return self._said()

    def finish(self) -> list[Step]:
        """Return the rest, with what is left of the old lines deleted. Nothing is fed after this."""
        run, self._run = self._run, None
        # Everything else goes now: what counts is how many lines stay.
        if run and len(run.lines) > run.next_if_inserted - self._next:
            self._skip_to(run)
        elif run:
            self._insert(run.lines)
        self._delete(len(self._old) - self._next)
        return self._said()

    def flush(self) -> list[Step]:
        """Return what was held back; old lines that the new ones did not reach stay. Nothing is fed after this."""
        run, self._run = self._run, None
        # No more lines go than were written in their place: what is skipped was replaced, and the run is what follows.
        if run and (self._follows(run) or self._evidence(run) >= _LIKELY):
            self._skip_to(run)
        elif run:
            self._insert(run.lines)
        return self._said()

    def _follows(self, run: _Run) -> bool:
        """Whether what the run skips was surely replaced: by as many lines, or the run is of a line that is unique."""
        return run.weight >= _SURE or (run.weight >= _TELLING and run.starts[0] - self._next <= self._written)

    def _said(self) -> list[Step]:
        self._end_insertion()
        steps, self._steps = self._steps, []
        return steps

    def _take(self, line: str) -> None:
        if self._run:
            self._go_on(self._run, line)
        elif self._stands_at(self._next, line):
            self._keep(1)
        else:
            self._hold([line])

    def _stands_at(self, place: int, line: str) -> bool:
        return place < len(self._old) and self._old[place] == line

    # Runs

    def _hold(self, lines: list[str]) -> None:
        """Begin a run, or insert the lines when they stand nowhere."""
        starts = self._starts(lines)
        if not starts:
            self._insert(lines)
            return
        self._run = _Run([], starts, self._next)
        for line in lines:
            self._add(self._run, line)
        self._decide_early(self._run)

    def _add(self, run: _Run, line: str) -> None:
        run.lines.append(line)
        if self._stands_at(run.next_if_inserted, line):
            run.next_if_inserted += 1
        else:
            run.weight += self._weight(line)

    def _go_on(self, run: _Run, line: str) -> None:
        length = len(run.lines)
        starts = [start for start in run.starts if self._stands_at(start + length, line)]
        # Only the nearest places of its first line were looked at: there may be others.
        starts = starts or self._starts([*run.lines, line])
        if starts:
            run.starts = starts
            self._add(run, line)
            self._decide_early(run)
        else:
            self._run = None
            self._decide(run, line)

    def _decide_early(self, run: _Run) -> None:
        """Let go of a run that need not grow any more, or must not."""
        evidence = self._evidence(run)
        if evidence >= _CERTAIN or len(run.lines) >= _LONGEST_RUN:
            self._run = None
            if evidence >= _LIKELY:
                self._skip_to(run)
            else:
                self._doubt += run.weight
                self._insert(run.lines)

    def _decide(self, run: _Run, line: str) -> None:
        """Say what a run was, now that ``line`` has ended it, and take that line."""
        back = self._weight(line) if self._stands_at(run.next_if_inserted, line) else 0
        if self._evidence(run) - back >= _LIKELY:
            self._skip_to(run)
            self._take(line)
        elif back:
            self._insert([*run.lines, line])
        else:
            self._doubt += run.weight
            self._begin_anew([*run.lines, line])

    def _begin_anew(self, lines: list[str]) -> None:
        """Insert the first lines, as few as it takes until the others stand somewhere; hold those."""
        first = next((first for first in range(1, len(lines)) if self._starts(lines[first:])), len(lines))
        self._insert(lines[:first])
        if first < len(lines):
            self._hold(lines[first:])

    def _starts(self, lines: list[str]) -> list[int]:
        """Return where the lines stand together after the next old line; nearest first."""
        places = self._places.get(lines[-1])
        if not places:
            return []
        before = len(lines) - 1
        first = bisect_right(places, self._next + before)
        nearest = [place - before for place in places[first : first + _MOST_PLACES]]
        return [start for start in nearest if self._old[start : start + before + 1] == lines]

    def _evidence(self, run: _Run) -> float:
        """How far the run outweighs the old lines that would be skipped for it."""
        skipped = run.starts[0] - self._next
        many = max(skipped - _MANY, 0)
        return run.weight + self._doubt - _WEIGHT_PER_SKIPPED * (skipped - many) - _WEIGHT_PER_FURTHER * many

    def _weight(self, line: str) -> float:
        """How much it tells that a line matches: little when any text could have it, most when it stands there once."""
        if not line or line.isspace():
            return 0.05
        if not any(map(str.isalnum, line)):
            return 0.3
        times = len(self._places.get(line, ()))
        return 2 if times <= 1 else 1 if times <= 3 else 0.5

    # Steps

    def _skip_to(self, run: _Run) -> None:
        self._delete(run.starts[0] - self._next)
        self._keep(len(run.lines))

    def _keep(self, count: int) -> None:
        self._end_insertion()
        last = self._steps[-1] if self._steps else None
        if isinstance(last, Keep):
            self._steps[-1] = Keep(last.count + count)
        else:
            self._steps.append(Keep(count))
        self._next += count
        self._doubt = 0
        self._written = 0

    def _delete(self, count: int) -> None:
        self._end_insertion()
        if count:
            self._steps.append(Delete(count))
            self._next += count

    def _insert(self, lines: list[str]) -> None:
        """Insert lines, except where they are the next old ones."""
        for line in lines:
            if self._stands_at(self._next, line):
                self._keep(1)
            else:
                self._inserted.append(line)
                self._written += 1

    def _end_insertion(self) -> None:
        if self._inserted:
            self._steps.append(Insert(tuple(self._inserted)))
            self._inserted = []
