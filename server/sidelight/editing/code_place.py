"""Where a piece of code belongs in a document: the lines that it stands for, or a place where it is new.

Nothing that the code does not define anew may go. A definition goes where one of its name stands in the same class, a
new one below the place, a few lines where lines like them stand. What is not clear is refused; ``code_guard.py`` looks
at every change once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sidelight.editing.code_guard import find_losses
from sidelight.editing.code_lines import changes_by_lines
from sidelight.editing.code_names import NamedCode
from sidelight.editing.code_search import Change, Search, Unclear, would_remove
from sidelight.editing.gate import is_shrunk
from sidelight.editing.text import lines_of, without_line_end
from sidelight.messages import Message, msg


@dataclass(frozen=True, slots=True)
class CodePlace:
    """Lines ``first`` up to ``end`` become ``lines`` (without line ends); none of them where ``first`` is ``end``.

    With an ``obstacle``, which says why they must not, ``lines`` are the code as it came.
    """

    first: int
    end: int
    lines: Sequence[str]
    obstacle: Message | None = None


def find_place(document: Sequence[str], code: str, place: tuple[int, int] | None, language: str) -> CodePlace:
    """Return where ``code`` goes in a document's lines; ``place`` is what it is about, None where nobody said."""
    old = [without_line_end(line) for line in document]
    new = _trimmed([without_line_end(line) for line in lines_of(code)])
    try:
        return _find(NamedCode(old, new, place, language))
    except Unclear as refusal:
        first, end = place or (len(old), len(old))
        return CodePlace(first, end, new, refusal.reason)


def _trimmed(lines: list[str]) -> list[str]:
    filled = [n for n, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else lines


def _find(search: NamedCode) -> CodePlace:
    """Return the place. Raises ``Unclear``."""
    if not any(map(str.strip, search.old)):
        return CodePlace(0, len(search.old), search.new)
    if (whole := _whole(search)) is not None:
        return whole
    changes = search.changes() if search.said else changes_by_lines(search)
    changes.sort(key=lambda one: (one.first, one.end))
    if any(one.end > other.first for one, other in pairwise(changes)):
        raise Unclear
    found = _joined(search.old, changes)
    after = [*search.old[: found.first], *found.lines, *search.old[found.end :]]
    if lost := find_losses(search.old, after, search.keys, search.language):
        raise would_remove(lost)
    if is_shrunk(search.old[found.first : found.end], found.lines):
        raise Unclear(msg("More than half of the code would be lost."))
    return found


def _whole(search: Search) -> CodePlace | None:
    """Return the whole document as the place of code that has most of it and loses nothing."""
    telling = [line.strip() for line in search.old if any(map(str.isalnum, line))]
    shared = (Counter(telling) & Counter(line.strip() for line in search.new)).total()
    if 2 * shared < len(telling) or search.is_indented:
        return None
    if find_losses(search.old, search.new, {one.key for one in search.all_said}, search.language):
        return None
    return CodePlace(0, len(search.old) - (not search.old[-1]), search.new)


def _joined(old: Sequence[str], changes: Sequence[Change]) -> CodePlace:
    first, end = changes[0].first, changes[-1].end
    lines, at = [], first
    for change in changes:
        lines += [*old[at : change.first], *change.lines]
        at = change.end
    if first == end:  # in place of nothing nothing can be judged: a line beside it is replaced by itself
        if not first:
            return CodePlace(0, 1, [*lines, old[0]])
        return CodePlace(first - 1, end, [old[first - 1], *lines])
    return CodePlace(first, end, lines)
