"""What is worth showing beside a target, of its document and of others."""

from __future__ import annotations

import random
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sidelight.core.context import Context, Excerpt
from sidelight.core.surroundings import excerpts_of, pieces_from, symbol, unexplained
from sidelight.editing.structure import Structure
from sidelight.editing.structure_near import NearStructure
from sidelight.editing.text import Place, Range, split_lines
from sidelight.messages import msg
from support.scopes import read, spots

CODE = '''\
import math
import unused
from shapes import area as size_of

LIMIT = 10


class Canvas:
    """A canvas.

    It has a size.
    """

    unit = "m"

    def __init__(self, width):
        self.width = width

    def paint(self, shape):
        """Paint a shape.

        On the canvas.
        """
        first = size_of(shape)

        if first > LIMIT:
            first = clip(first)
            self.log(first)
        return math.floor(first)

    def log(self, value):
        print(value)

    def other(self):
        return nothing


def clip(value):
    return min(value, LIMIT)


def last():
    return 0
'''


def context(code: str, first: int, end: int, language: str = "python") -> Context:
    target = Range(Place(first, 0), Place(end, 0))
    return Context("canvas.py", language, tuple(split_lines(code)), target, target)


def line_of(text: str, code: str = CODE) -> int:
    return next(number for number, line in enumerate(code.splitlines()) if text in line)


def shown(code: str, first: int, end: int, language: str = "python") -> list[tuple[str, str, str]]:
    """Return (kind, first line, why) of each excerpt."""
    about = context(code, first, end, language)
    found = excerpts_of(Structure.of(about.lines, language), about)
    return [(one.kind, about.lines[one.first].strip(), str(one.why)) for one in found]


def test_the_function_comes_first_then_its_class_its_imports_and_what_it_uses() -> None:
    at = line_of("if first")
    part = "this is a part of"
    assert shown(CODE, at, at + 3) == [
        ("enclosing", "def paint(self, shape):", f"{part} Canvas.paint"),
        ("enclosing", "return math.floor(first)", f"{part} Canvas.paint"),
        ("enclosing", "class Canvas:", f"{part} Canvas"),
        ("enclosing", 'unit = "m"', f"{part} Canvas"),
        ("definition", "LIMIT = 10", "defines LIMIT, which is used here"),
        ("definition", "def clip(value):", "defines clip, which is used here"),
        ("definition", "def log(self, value):", "defines Canvas.log, which is used here"),
    ]


def test_the_imports_that_the_target_uses_are_shown_and_no_others() -> None:
    found = shown(CODE, line_of("def paint"), line_of("def log"))
    imports = [first for kind, first, _ in found if kind == "imports"]
    assert imports == ["import math", "from shapes import area as size_of"]


def test_a_long_definition_is_shown_by_its_head() -> None:
    code = CODE + '\n\ndef long(a):\n    """Say it.\n\n    All of it.\n    """\n' + "    a += 1\n" * 40
    about = context(code + "\n\nlong(1)\n", line_of("    a += 1", code) + 42, line_of("    a += 1", code) + 43)
    (found,) = excerpts_of(Structure.of(about.lines, "python"), about)
    text = "".join(about.lines[found.first : found.end])
    assert text == 'def long(a):\n    """Say it.\n\n    All of it.\n    """\n'


def test_a_function_that_goes_on_for_long_is_shown_near_the_target() -> None:
    body = "".join(f"    step_{n}()\n" for n in range(300))
    about = context(f"def long(a):\n{body}", 150, 152)
    found = [(one.first, one.end) for one in excerpts_of(Structure.of(about.lines, "python"), about)]
    assert found == [(0, 1), (110, 150), (152, 192)]


def test_beside_the_whole_document_there_is_nothing() -> None:
    about = context(CODE, 0, len(split_lines(CODE)))
    assert excerpts_of(Structure.of(about.lines, "python"), about) == ()


@pytest.mark.parametrize("near", [False, True])
def test_other_languages_have_surroundings_too(*, near: bool) -> None:
    code = (
        'import { area } from "./shapes";\nimport { unused } from "./unused";\n\nconst LIMIT = 10;\n\nclass Canvas {\n'
        "  constructor(width) {\n    this.width = width;\n  }\n\n  paint(shape) {\n    const text = 1;\n"
        "    return this.log(area(shape), LIMIT);\n  }\n\n  log(value) {\n    print(value);\n  }\n}\n"
    )
    at = line_of("return", code)
    about = context(code, at, at + 1, "typescript")
    whole = (NearStructure if near else Structure.of)(about.lines, "typescript")
    found = [(one.kind, about.lines[one.first].strip()) for one in excerpts_of(whole, about)]
    assert found == [
        ("enclosing", "paint(shape) {"),
        ("enclosing", "}"),
        ("enclosing", "class Canvas {"),
        ("imports", 'import { area } from "./shapes";'),
        ("definition", "log(value) {"),
        ("definition", "const LIMIT = 10;"),
    ]


def disjoint(excerpts: tuple[Excerpt, ...], about: Context) -> bool:
    lines = [*range(about.target.start.line, about.target_end)]
    lines += [line for one in excerpts for line in range(one.first, one.end)]
    return len(lines) == len(set(lines))


def test_at_real_places_all_that_python_says_is_used_is_found_and_nothing_is_shown_twice() -> None:
    chance = random.Random(seed := random.randrange(10**6))
    count = 0
    for name in ("threading", "csv", "dataclasses"):
        path = Path(sysconfig.get_paths()["stdlib"]) / f"{name}.py"
        lines = read(path)
        whole = Structure.of(lines, "python")
        for spot in spots(path, chance, 12):
            where = f"{name}.py line {spot.line + 1}, seed {seed}"
            assert tuple(one.header for one in whole.enclosing(spot.line, spot.line + 1)) == spot.around, where
            names = whole.names_used(spot.first, spot.end)
            for used, defined in spot.used.items():
                assert any(one == used or one.startswith(f"{used}.") for one in names), (where, used)
                found = whole.defining(used, spot.line)
                assert found, (where, used)
                assert found.header in defined, (where, used)
                count += 1
            about = context("".join(lines), spot.line, min(spot.line + 5, spot.end))
            assert disjoint(excerpts_of(whole, about), about), where
            assert disjoint(excerpts_of(NearStructure(lines, "python"), about), about), where
    assert count > 3  # 9 to 50, by the places that were drawn


# From other documents


@dataclass
class Other:
    name: str
    code: str
    language_id: str = "python"

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(split_lines(self.code))

    @property
    def structure(self) -> Structure:
        return Structure.of(self.lines, self.language_id)


SHAPES = Other(
    "shapes.py", "import x\n\n\ndef area(shape):\n    return 1\n\n\nclass Circle:\n    def grow(self): pass\n"
)


def test_what_the_document_does_not_define_is_left_to_explain() -> None:
    about = context(CODE, line_of("def paint"), line_of("def log"))
    assert unexplained(Structure.of(about.lines, "python"), about) == ("shapes.area", "math.floor")


def test_a_definition_comes_from_the_module_that_it_is_imported_from() -> None:
    impostor = Other("other.py", "def area(): pass\n")
    (piece,) = pieces_from(["shapes.area", "math.floor"], [impostor, SHAPES])
    assert (piece.kind, piece.name, piece.first_line) == ("definition", "shapes.py", 3)
    assert piece.text == "def area(shape):\n    return 1\n"
    assert str(piece.why) == "defines shapes.area, which is used here"


def test_a_name_without_a_module_comes_from_the_only_document_that_defines_it() -> None:
    assert [one.name for one in pieces_from(["area"], [SHAPES])] == ["shapes.py"]
    assert pieces_from(["area"], [SHAPES, Other("other.py", "def area(): pass\n")]) == ()
    assert pieces_from([".area", "self.area", "os.path.area"], [SHAPES]) == ()
    assert pieces_from(["area"], [SHAPES], "go") == ()
    assert len(pieces_from(["drawing.Circle", "drawing.Circle.size", ".round.Circle"], [SHAPES])) == 1


def test_a_long_class_from_elsewhere_is_shown_by_its_parts() -> None:
    methods = "".join(f"    def method_{n}(self):\n        return {n}\n\n" for n in range(30))
    code = f'@final\nclass Big:\n    """Big."""\n\n    size = 1\n\n    def __init__(self):\n        pass\n\n{methods}'
    code = code.replace("    size = 1\n", "    size = 1\n\n    def early(self):\n        return 0\n")
    (piece,) = pieces_from(["Big"], [Other("big.py", code)])
    assert piece.text == (
        '@final\nclass Big:\n    """Big."""\n\n    size = 1\n    ...\n    def __init__(self):\n        pass\n'
    )
    assert piece.first_line == 0


def test_a_mentioned_symbol_is_whole_and_wanted() -> None:
    piece = symbol("Circle.grow", [Other("empty.py", ""), SHAPES])
    assert piece
    assert (piece.kind, piece.name, piece.is_wanted) == ("mention", "shapes.py", True)
    assert piece.text == "    def grow(self): pass\n"
    assert symbol("grow", [SHAPES]) == replace(piece, why=msg("you mentioned {name}", name="grow"))
    assert symbol("nothing", [SHAPES]) is None
    near = NearStructure(SHAPES.lines, "python")
    found = near.find("Circle.grow")
    assert found
    assert (found.first, found.end, near.find("Circle.area"), near.find("grow")) == (8, 9, None, None)
