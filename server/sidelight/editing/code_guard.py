"""What a document would lose by a change: telling lines that no new line stands for, and definitions that are gone.

It knows nothing of how the change was found, and so it also catches what was found wrongly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence
from difflib import SequenceMatcher
from itertools import chain

from sidelight.editing.definitions import Definition, definitions
from sidelight.editing.line_diff import Hunk, hunks

_ALIKE = 0.6
# What is set, called or defined: another name there is another thing.
_SUBJECT = re.compile(r"[^=:(]*?(?=\s*[-+*/|&:]?[=:(])")
_IMPORTS = ("import ", "from ", "use ", "using ", "#include ")
_MOST_COMPARED = 10_000
_LONGEST_COMPARED = 400


def find_losses(old: Sequence[str], new: Sequence[str], said: Container[object], language: str) -> list[str]:
    """Return the names and the lines that are lost from ``old`` to ``new``, which have no line ends.

    The bodies of the functions whose keys are ``said`` may change as they like.
    """
    if old == new:
        return []
    before, after = definitions(old, language), definitions(new, language)
    free = [one for one in before if not one.kind and one.key in said]
    gone = Counter(one.key for one in before if not _is_inside(one, free)) - Counter(one.key for one in after)
    if gone:
        return [str(key[-1]) for key in gone]
    is_free = set(chain.from_iterable(range(one.first, one.end) for one in free))
    is_free.update(one.header for one in before if one.kind and one.key in said)
    return unpaired(old, new, is_free)


def _is_inside(one: Definition, free: Sequence[Definition]) -> bool:
    return any(other.encloses(one) for other in free)


def unpaired(old: Sequence[str], new: Sequence[str], free: Container[int] = ()) -> list[str]:
    """Return the telling old lines that are gone with no line like them in their place; those ``free`` may go."""
    before = [_said(line) for line in old]
    after = [_said(line) for line in new]
    missing = Counter(line for n, line in enumerate(before) if line and n not in free) - Counter(filter(None, after))
    if not missing:
        return []
    lost = []
    for hunk in hunks(before, after):
        gone = [before[n] for n in range(hunk.first, hunk.end) if before[n] in missing and n not in free]
        lost += _without_partner(gone, after, hunk)
    return lost


def _without_partner(gone: Sequence[str], after: Sequence[str], hunk: Hunk) -> list[str]:
    if len(gone) * (hunk.new_end - hunk.new_first) > _MOST_COMPARED:
        return list(gone)
    lost, at = [], hunk.new_first
    for line in gone:
        partner = next((n for n in range(at, hunk.new_end) if is_alike(line, after[n])), None)
        if partner is None:
            lost.append(line)
        else:
            at = partner + 1
    return lost


def is_alike(one: str, other: str) -> bool:
    """Whether one line may be the new version of another: much the same words, about the same thing."""
    subjects = [_SUBJECT.match(line) for line in (one, other)]
    if subjects[0] and subjects[1] and subjects[0].group().split() != subjects[1].group().split():
        return False
    if one.startswith(_IMPORTS) and one.split()[:2] != other.split()[:2]:
        return False
    if max(len(one), len(other)) > _LONGEST_COMPARED:
        return one == other
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _said(line: str) -> str:
    """Return what a line says; nothing for brackets and rules."""
    return line.strip() if any(map(str.isalnum, line)) else ""
