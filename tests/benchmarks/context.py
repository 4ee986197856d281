"""What is worth showing beside a place: found in real code as Python itself says it is, and how long it takes."""

from __future__ import annotations

import importlib.util
import random
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import process_time

sys.path[:0] = [str(Path(__file__).parents[1])]

from table import Row, at_most, show  # noqa: E402

from sidelight.core.context import Context  # noqa: E402
from sidelight.core.surroundings import excerpts_of  # noqa: E402
from sidelight.editing.structure import Structure  # noqa: E402
from sidelight.editing.structure_near import NearStructure  # noqa: E402
from sidelight.editing.text import Place, Range  # noqa: E402
from support.scopes import Spot, read, spots  # noqa: E402

_SEED = 6
_SPOTS = 200
_PACKAGES = ("requests", "sqlalchemy", "pygls")
_LONG_LINES = 5_000
_REACH_MS = 20


@dataclass
class _Tally:
    """What was found at all places, and how long it took, in milliseconds."""

    spots: int = 0
    enclosing: int = 0
    broken: int = 0
    names: int = 0
    names_found: int = 0
    overlapping: int = 0
    taken: list[float] = field(default_factory=list)


def measure() -> list[Row]:
    """Look at seeded places in the standard library and in packages, and at a long file."""
    paths, missing = _modules()
    if missing:
        print(f"Not installed, so not looked at: {', '.join(missing)}.")
    chance = random.Random(_SEED)
    each = -(-_SPOTS // len(paths))
    tally = _Tally()
    for path in paths:
        _look(path, list(spots(path, chance, each))[: _SPOTS - tally.spots], tally)
    long_ms, parsing, near = _long_file(chance)
    where = f"{tally.spots} places, seed {_SEED}"
    return [
        _all(f"enclosing definition found, {where}", tally.enclosing, tally.spots),
        _all("used definitions of the file found", tally.names_found, tally.names),
        _all("excerpts beside the target only", tally.spots - tally.overlapping, tally.spots),
        _most(f"enclosing definition found, syntax broken there, {where}", tally.broken, tally.spots, 0.95),
        _timed("what to show beside a place, CPU, ms", tally.taken),
        _timed(f"the same in a file of {_LONG_LINES:,} lines, CPU, ms", long_ms),
        _timed("the same while its tree is not at hand, CPU, ms", near),
        at_most(f"reading {_LONG_LINES:,} lines first, on a thread, CPU, ms", parsing, 1500),
    ]


def _modules() -> tuple[list[Path], list[str]]:
    """Return the modules that are looked at, and the packages that are missing."""
    found = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    missing = []
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            missing.append(name)
        else:
            found += sorted(Path(spec.origin).parent.rglob("*.py"))
    chosen = [path for path in found if path.stat().st_size > 4000]
    return random.Random(_SEED).sample(chosen, 50), missing


def _look(path: Path, places: list[Spot], tally: _Tally) -> None:
    lines = read(path)
    structure = Structure.of(lines, "python")
    for spot in places:
        tally.spots += 1
        tally.enclosing += tuple(it.header for it in structure.enclosing(spot.line, spot.line + 1)) == spot.around
        names = structure.names_used(spot.first, spot.end)
        tally.names += len(spot.used)
        tally.names_found += sum(is_found(structure, spot, names, name) for name in spot.used)
        context = context_at(lines, spot.first, spot.end)
        begin = process_time()
        excerpts = excerpts_of(structure, context)
        tally.taken.append((process_time() - begin) * 1e3)
        tally.overlapping += any(it.first < spot.end and spot.first < it.end for it in excerpts)
        tally.broken += _survives(lines, spot)


def is_found(structure: Structure, spot: Spot, names: tuple[str, ...], name: str) -> bool:
    """Whether a name that a function uses is among those that are said to be used, and means what it should."""
    is_used = any(one == name or one.startswith(f"{name}.") for one in names)
    found = structure.defining(name, spot.line)
    return is_used and found is not None and found.header in spot.used[name]


def context_at(lines: tuple[str, ...], first: int, end: int) -> Context:
    """Return the context of a task that is about some lines."""
    place = Range(Place(first, 0), Place(end, 0))
    return Context("module.py", "python", lines, place, place)


def _survives(lines: tuple[str, ...], spot: Spot) -> bool:
    """Whether the same definitions are around a line of code once it is one that does not parse."""
    line = lines[spot.line]
    broken = f"{line[: len(line) - len(line.lstrip())]}value = compute(= 1\n"
    if spot.line in spot.around or line.lstrip().startswith("@"):
        return True  # that would be without its header
    structure = Structure.of((*lines[: spot.line], broken, *lines[spot.line + 1 :]), "python")
    return tuple(it.header for it in structure.enclosing(spot.line, spot.line + 1)) == spot.around


def _long_file(chance: random.Random) -> tuple[list[float], float, list[float]]:
    """Return the times in a long file: of a place with its tree at hand, of reading it, of a place without."""
    library = Path(sysconfig.get_paths()["stdlib"])
    lines = tuple(line for name in ("_pydecimal", "typing") for line in read(library / f"{name}.py"))[:_LONG_LINES]
    begin = process_time()
    structure = Structure.of(lines, "python")
    parsing = (process_time() - begin) * 1e3
    places = [chance.randrange(_LONG_LINES - 60) for _ in range(_SPOTS)]
    contexts = [context_at(lines, first, first + chance.randrange(1, 60)) for first in places]
    known = [_taken(lambda at=at: excerpts_of(structure, at)) for at in contexts]
    near = [_taken(lambda at=at: excerpts_of(NearStructure(lines, "python"), at)) for at in contexts]
    return known, parsing, near


def _taken(work: Callable[[], object]) -> float:
    begin = process_time()
    work()
    return (process_time() - begin) * 1e3


def _all(what: str, found: int, of: int) -> Row:
    return _most(what, found, of, 1.0)


def _most(what: str, found: int, of: int, part: float) -> Row:
    return Row(what, f"{found} of {of}", "", "", f">= {part:.0%}", found >= part * of)


def _timed(what: str, taken: list[float]) -> Row:
    return Row(what, f"{median(taken):.2f} (max {max(taken):.1f})", "", "", f"<= {_REACH_MS}", max(taken) <= _REACH_MS)


if __name__ == "__main__":
    show(measure())
