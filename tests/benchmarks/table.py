"""The tables that `make bench` prints: a figure, what it is compared with, and what it should reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    what: str
    ours: str
    baseline: str
    compared: str
    reach: str
    is_reached: bool


def ratio(what: str, ours: float, baseline: float, name: str, reach: float) -> Row:
    """Return a row that may be so many times its baseline."""
    times = ours / baseline
    return Row(what, f"{ours:.1f}", f"{baseline:.1f} {name}", f"x {times:.2f}", f"<= x {reach:g}", times <= reach)


def difference(what: str, ours: float, baseline: float, name: str, reach: float) -> Row:
    """Return a row that may be so much above its baseline."""
    more = ours - baseline
    return Row(what, f"{ours:.2f}", f"{baseline:.2f} {name}", f"{more:+.2f}", f"<= +{reach:g}", more <= reach)


def at_most(what: str, ours: float, reach: float, seen: str = "") -> Row:
    """Return a row that is compared with nothing; ``seen`` is said beside the figure."""
    return Row(what, f"{ours:.2f}{seen}", "", "", f"<= {reach:g}", ours <= reach)


def show(rows: list[Row]) -> None:
    """Print a table."""
    head = ("what", "ours", "baseline", "compared", "reach", "")
    cells = [(row.what, row.ours, row.baseline, row.compared, row.reach, "" if row.is_reached else "misses")
             for row in rows]  # fmt: skip
    widths = [max(len(line[column]) for line in [head, *cells]) for column in range(len(head))]
    for line in [head, *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
