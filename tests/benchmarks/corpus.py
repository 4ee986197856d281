"""Counts what the replies of ``tests/corpus`` do to their documents: exactly what they should, or not."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from support.corpus import SEEDS, Case, paths, read, run  # noqa: E402


def judged(case: Case) -> str:
    """Return what became of one reply: wrong at any cut is wrong."""
    if not all(run(case, case.parts_cut(seed)).is_right(case) for seed in SEEDS):
        return "wrongly"
    return "gated rightly" if case.is_gated else "exactly"


def measure() -> list[tuple[str, str]]:
    """Return (language, counts) rows, and one for all."""
    counts: dict[str, Counter[str]] = {}
    for path in paths():
        counts.setdefault(path.parent.name, Counter())[judged(read(path))] += 1
    rows = [(f"replies for {language}", _shown(found)) for language, found in counts.items()]
    return [*rows, ("replies in all", _shown(sum(counts.values(), Counter())))]


def _shown(counts: Counter[str]) -> str:
    right, gated, wrong = (counts[kind] for kind in ("exactly", "gated rightly", "wrongly"))
    return f"{right} of {counts.total()} land exactly, {gated} are gated rightly, {wrong} wrong"


if __name__ == "__main__":
    for row in measure():
        sys.stdout.write("{}: {}\n".format(*row))
