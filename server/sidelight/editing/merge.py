"""Two changes of the same lines, joined: so that an edit can be undone after the user has gone on typing.

Lines are compared whole, with the line ends they are given with. Nothing that ``mine`` added is ever lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sidelight.editing.line_diff import Hunk, hunks


@dataclass(frozen=True, slots=True)
class Merged:
    """The joined lines, and at how many places both sides had changed the same lines in different ways.

    At such a place the lines that either side added stand one after the other, and what either side removed is gone.
    """

    lines: tuple[str, ...]
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines ``first`` up to and without ``end`` of the base became ``lines``."""

    first: int
    end: int
    lines: tuple[str, ...]
    is_mine: bool

    @property
    def order(self) -> tuple[int, int]:
        """Where its lines come: mine before a change that begins where I only inserted, else after it."""
        only_inserts = self.first == self.end
        return self.first, 1 if not self.is_mine else 0 if only_inserts else 2


def merge_ended(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str], line_end: str) -> Merged:
    """Merge lines of which the last may lack its line end, as at the end of a document: that is no difference.

    All lines of the result have one.
    """

    def ended(lines: Sequence[str]) -> list[str]:
        return [line if line.endswith(("\n", "\r")) else line + line_end for line in lines]

    return merge(ended(base), ended(mine), ended(theirs))


def merge(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Merged:
    """Apply to ``base`` what changed in ``mine`` and what changed in ``theirs``.

    To undo an edit: ``base`` is what it wrote, ``mine`` what the user made of that, ``theirs`` what was there before.
    Where both replaced the same lines, the lines of ``theirs`` come first, unless mine began further up.
    """
    changes = [*_changes(base, mine, is_mine=True), *_changes(base, theirs, is_mine=False)]
    merged: list[str] = []
    conflicts = place = 0
    for group in _groups(sorted(changes, key=attrgetter("order"))):
        merged += base[place : group[0].first]
        lines, is_conflict = _join(group)
        merged += lines
        conflicts += is_conflict
        place = max(change.end for change in group)
    merged += base[place:]
    return Merged(tuple(merged), conflicts)


def _changes(base: Sequence[str], side: Sequence[str], *, is_mine: bool) -> list[_Change]:
    def change(hunk: Hunk) -> _Change:
        return _Change(hunk.first, hunk.end, tuple(side[hunk.new_first : hunk.new_end]), is_mine)

    return [change(hunk) for hunk in hunks(base, side)]


def _groups(changes: Iterable[_Change]) -> list[list[_Change]]:
    """Put together what changes the same lines or inserts at the same place; changes that only touch stay apart."""
    groups: list[list[_Change]] = []
    end = 0
    for change in changes:
        inserts_at_same_place = groups and groups[-1][0].first == change.first == change.end == end
        if groups and (change.first < end or inserts_at_same_place):
            groups[-1].append(change)
        else:
            groups.append([change])
        end = max(end, change.end)
    return groups


def _join(group: list[_Change]) -> tuple[tuple[str, ...], bool]:
    """Return the lines that stand instead of the group's, and whether that had to be guessed."""
    mine = [change for change in group if change.is_mine]
    theirs = [change for change in group if not change.is_mine]
    if _covers(theirs, mine):
        return _lines(theirs), False
    if _covers(mine, theirs):
        return _lines(mine), False
    return _without_repeats(group), True


def _covers(some: list[_Change], others: list[_Change]) -> bool:
    """Whether the others remove and add nothing that these do not: what a user typed again, for example."""
    removed = {line for change in some for line in range(change.first, change.end)}
    removed_by_others = {line for change in others for line in range(change.first, change.end)}
    lines = iter(_lines(some))
    return removed_by_others <= removed and all(line in lines for line in _lines(others))


def _lines(changes: list[_Change]) -> tuple[str, ...]:
    return tuple(line for change in changes for line in change.lines)


def _without_repeats(group: list[_Change]) -> tuple[str, ...]:
    """Join the lines in order; what two changes have in common at their beginnings and ends stands once."""
    if len(group) != 2:
        return _lines(group)
    one, other = group[0].lines, group[1].lines
    common = hunks(one, other)
    head = common[0].first if common else len(one)
    tail = len(one) - common[-1].end if common else 0
    return one[: len(one) - tail] + other[head:]
