"""What of an edit's own stands in a document, as hunks: for marks that show it, and for taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

from sidelight.editing.live_marks import OURS, old_line


@dataclass(frozen=True, slots=True)
class Written:
    """One hunk: lines ``first`` up to ``end`` stand where ``old`` stood; ``new`` are those of them that are ours."""

    first: int
    end: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def written_hunks(
    lines: Sequence[str], marks: Sequence[int], old: Sequence[str], removed: AbstractSet[int]
) -> list[Written]:
    """Return what of ours stands in ``lines``; ``removed`` are old lines that the user removed himself."""
    found: list[Written] = []
    first: int | None = None
    last = next_old = 0
    for index, mark in enumerate([*marks, len(old)]):
        number = old_line(mark)
        if mark == OURS:
            first, last = index if first is None else first, index + 1
        elif number is not None:
            gone = tuple(old[n] for n in range(next_old, number) if n not in removed)
            if first is not None or gone:
                start, end = (index, index) if first is None else (first, last)
                ours = (line for line, mark in zip(lines[start:end], marks[start:end], strict=True) if mark == OURS)
                found.append(Written(start, end, gone, tuple(ours)))
            first, next_old = None, number + 1
    return found


def joined(found: list[Written], lines: Sequence[str], most: int) -> list[Written]:
    """Return no more hunks than ``most``: neighbours become one, with the lines between them."""
    size = -(-len(found) // most)
    if size <= 1:
        return found
    return [_one(found[first : first + size], lines) for first in range(0, len(found), size)]


def _one(group: Sequence[Written], lines: Sequence[str]) -> Written:
    old, new = list(group[0].old), list(group[0].new)
    for last, hunk in pairwise(group):
        between = lines[last.end : hunk.first]
        old += [*between, *hunk.old]
        new += [*between, *hunk.new]
    return Written(group[0].first, group[-1].end, tuple(old), tuple(new))
