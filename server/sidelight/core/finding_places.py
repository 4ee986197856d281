"""Which lines of a document a finding means: those it names, or those whose code it quotes.

Models miscount. What was quoted decides where a named line does not exist, or where other code stands there; what can
be placed by neither stands at the first line of what was reviewed. Lines count from 0 here, an end is exclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath

from sidelight.core.finding_lines import Said

_QUOTED = re.compile(r"(?<!`)`([^`\n]{3,200})`(?!`)")
_TELLING = 6
_MARKS = "_[("
# A replacement begins at most so many lines above the line that it was given for.
_FARTHEST = 40
# So much of what lies between must come back in the replacement, or it is no replacement of that.
_KEPT_PART = 0.8
# `total = w * h` is what became of `total = w + h`.
_ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A file that is reviewed: its name as the model was told it, all its lines, and the part that was shown."""

    name: str
    lines: Sequence[str]
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a finding stands. ``missing``: the line (from 1) that it named and that does not exist."""

    file: int
    first: int
    end: int
    missing: int | None = None
    is_sure: bool = False


def anchor(files: Sequence[Reviewed], said: Said) -> Anchor:
    """Return where a finding stands, whatever it says."""
    named = _file(files, said.file)
    at = 0 if named is None else named
    quotes = [" ".join(quote.split()) for quote in _QUOTED.findall(said.message)]
    quotes.sort(key=len, reverse=True)
    file = files[at]
    first, count = said.first - 1, _count(file.lines)
    exists = 0 <= first < count and (named is not None or len(files) == 1)
    if exists:
        end = min(said.last, count)
        if _stands(quotes, file.lines[first:end]):
            return Anchor(at, first, end, is_sure=True)
        found = _nearest(file, [quote for quote in quotes if _is_code(quote)], first)
        return Anchor(at, first, end) if found is None else Anchor(at, found, found + 1, is_sure=True)
    for number in range(len(files)) if named is None else (at,):
        found = _nearest(files[number], quotes, first)
        if found is not None:
            return Anchor(number, found, found + 1, is_sure=True)
    start = min(file.first, max(count - 1, 0))
    return Anchor(at, start, start + 1, said.first)


def _file(files: Sequence[Reviewed], name: str) -> int | None:
    """Return which file a name means, by as much of its path as was said; None for none, or several."""
    if len(files) == 1:
        return 0
    said = PurePosixPath(name.replace("\\", "/").removeprefix("./")).parts
    if not said:
        return None
    for drop in range(len(said)):  # a/ and b/ of a diff, or the repository's own folder, may stand before it
        tail = said[drop:]
        found = [n for n, file in enumerate(files) if PurePosixPath(file.name).parts[-len(tail) :] == tail]
        found = found or [n for n, file in enumerate(files) if _is_alike(PurePosixPath(file.name).parts, tail)]
        if len(found) == 1:
            return found[0]
    return None


def _is_alike(parts: Sequence[str], tail: Sequence[str]) -> bool:
    """Whether a path ends in ``tail``, of which marks that look like emphasis are gone (``__init__.py``)."""
    parts = parts[-len(tail) :]
    return parts[1:] == tail[1:] and parts[0].lstrip(_MARKS) == tail[0].lstrip(_MARKS)


def _count(lines: Sequence[str]) -> int:
    """Return how many lines there are to speak of: after the last line end comes none."""
    return len(lines) - (len(lines) > 1 and not lines[-1])


def _stands(quotes: Sequence[str], lines: Sequence[str]) -> bool:
    there = [" ".join(line.split()) for line in lines]
    return any(quote in line for quote in quotes for line in there)


def _is_code(quote: str) -> bool:
    """Whether this can only be a quotation: a mere name is also what is to be used instead."""
    return len(quote) >= _TELLING and re.search(r"[^\w.]", quote) is not None


def _nearest(file: Reviewed, quotes: Sequence[str], line: int) -> int | None:
    """Return the line nearest to ``line`` that has the longest of the quotes, before all in what was reviewed."""
    for quote in quotes:
        found = [number for number, text in enumerate(file.lines) if quote in text]
        found = found or [number for number, text in enumerate(file.lines) if quote in " ".join(text.split())]
        if found:
            return min(found, key=lambda number: (not file.first <= number < file.end, abs(number - line)))
    return None


def find_lines(lines: Sequence[str], wanted: Sequence[str], near: int) -> int | None:
    """Return where the wanted lines stand one after another, indentation apart, nearest to ``near``; else None."""
    wanted = [line.strip() for line in _without_blank_ends(wanted)]
    if not wanted:
        return None
    found = [
        number
        for number in range(len(lines) - len(wanted) + 1)
        if lines[number].strip() == wanted[0]
        and all(lines[number + more].strip() == line for more, line in enumerate(wanted))
    ]
    return min(found, key=lambda number: abs(number - near)) if found else None


def _without_blank_ends(lines: Sequence[str]) -> Sequence[str]:
    told = [number for number, line in enumerate(lines) if line.strip()]
    return lines[told[0] : told[-1] + 1] if told else ()


def spread(lines: Sequence[str], first: int, end: int, new: Sequence[str]) -> tuple[int, int]:
    """Return the lines that a replacement is of: those it was given for, and those around them that it repeats."""
    told = [line.strip() for line in new if line.strip()]
    if not told:
        return first, end
    above = below = None
    if lines[first].strip() != told[0]:
        above = _match(lines, told, range(first - 1, max(first - 1 - _FARTHEST, -1), -1), told[0])
    if lines[end - 1].strip() != told[-1]:
        below = _match(lines, told, range(end, min(end + _FARTHEST, len(lines))), told[-1])
    return (first if above is None else above), (end if below is None else below + 1)


def _match(lines: Sequence[str], told: Sequence[str], places: range, edge: str) -> int | None:
    """Return the farthest of the places up to which the replacement repeats the document, and ends with ``edge``."""
    best: int | None = None
    for number, kept in _kept(lines, told, places):
        if lines[number].strip() == edge and kept >= _KEPT_PART and abs(number - places.start) < len(told):
            best = number
    return best


def _kept(lines: Sequence[str], told: Sequence[str], places: range) -> Iterator[tuple[int, float]]:
    """Yield each place with how much of the lines up to it comes back."""
    count = seen = 0
    for number in places:
        if text := lines[number].strip():
            count += 1
            seen += text in told or bool(get_close_matches(text, told, 1, _ALIKE))
            yield number, seen / count
