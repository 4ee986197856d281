"""Which lines a few lines of code stand for: those around the lines that both have, once each, in the same order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from sidelight.editing.code_guard import is_alike, unpaired
from sidelight.editing.code_search import Change, Search, Unclear, would_remove

_SETTING = re.compile(r"([\w.\"'-]+)\s*[=:](?!=)")


def changes_by_lines(search: Search) -> list[Change]:
    """Return what the code changes. Raises ``Unclear``."""
    first, end = search.place or (0, len(search.old))
    old, new = [line.strip() for line in search.old[first:end]], [line.strip() for line in search.new]
    if search.place and not any(old):
        return [Change(first, end, search.given)]
    found = _window(old, new)
    if found is None:
        raise Unclear
    top, bottom = first + found[0], first + found[1]
    if lost := unpaired(search.old[top:bottom], search.new):
        raise would_remove(lost)
    search.keys = {one.key for one in search.there if one.header < top and bottom <= one.end}
    lines = search.fitted(search.new, search.old[top:bottom])
    if _are_moved(lines, search.old[top:bottom]) or _sets_again(search.old, lines, top, bottom):
        raise Unclear
    return [Change(top, bottom, lines)]


def _are_moved(lines: Sequence[str], old: Sequence[str]) -> bool:
    """Whether lines that only stand deeper or less deep than before are among them: in YAML that says much."""
    here, there = Counter(lines), Counter(old)
    same = Counter(line.strip() for line in lines) & Counter(line.strip() for line in old)
    return same.total() > (here & there).total() + same[""]


def _sets_again(document: Sequence[str], lines: Sequence[str], first: int, end: int) -> bool:
    """Whether the lines give something a value that has one above or below them: it would stand there twice."""
    beside = {found[1] for line in (*document[:first], *document[end:]) if (found := _SETTING.match(line))}
    added = set(lines) - set(document[first:end])
    return any(found[1] in beside for line in added if (found := _SETTING.match(line)))


def _window(old: Sequence[str], new: Sequence[str]) -> tuple[int, int] | None:
    """Return the old lines (first, end) that the new ones stand for; None where that is not clear.

    All are without indentation. Without a line that both have, they are all the old lines, if
    each has one like it.
    """
    anchors = _anchors(old, new)
    if any(one > other for (one, _), (other, _) in pairwise(anchors)):
        return None
    if not anchors:
        return None if unpaired(old, new) else (0, len(old))
    top = anchors[0][0] - _reach(old[: anchors[0][0]][::-1], new[: anchors[0][1]][::-1])
    bottom = anchors[-1][0] + 1 + _reach(old[anchors[-1][0] + 1 :], new[anchors[-1][1] + 1 :])
    return (top, bottom) if _is_mostly_old(old[top:bottom], new) else None


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    counts, said = Counter(old), Counter(new)
    where = {line: n for n, line in enumerate(old) if counts[line] == 1 and any(map(str.isalnum, line))}
    return [(where[line], n) for n, line in enumerate(new) if line in where and said[line] == 1]


def _reach(old: Sequence[str], new: Sequence[str]) -> int:
    """Return for how many old lines, one after the other, the new ones have the same or one like it."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other and not (one and other and is_alike(one, other)):
            break
        count += 1
    return count


def _is_mostly_old(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether at least half of the new lines that say something stand there or take the place of an old one."""
    before, after = (Counter(line for line in lines if any(map(str.isalnum, line))) for lines in (old, new))
    return 2 * before.total() >= after.total()
