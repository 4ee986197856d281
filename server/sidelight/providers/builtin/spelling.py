"""Misspelt words: how far two words lie apart, and which known word was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the one known word that is close to ``word``; None when there is none, or more than one as close."""
    if len(word) < 3:
        return None
    reach = 1 if len(word) < 8 else 2
    near = {other: distance(word, other) for other in known if other != word and abs(len(word) - len(other)) <= reach}
    least = min(near.values(), default=reach + 1)
    closest = [other for other, away in near.items() if away == least]
    return closest[0] if least <= reach and len(closest) == 1 else None


def distance(a: str, b: str) -> int:
    """Count the slips between two words: a letter too many, too few, another one, or two that changed places."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a):
        above, before, row = before, row, [i + 1]
        for j, other in enumerate(b):
            row.append(min(before[j] + (letter != other), before[j + 1] + 1, row[j] + 1))
            if i and j and letter == b[j - 1] and a[i - 1] == other:
                row[-1] = min(row[-1], above[j - 1] + 1)
    return row[-1]
