"""What a text is made of: definitions around places, what names mean there, and what is imported."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path

import pytest

from sidelight.editing.definitions import definitions
from sidelight.editing.structure import Structure
from sidelight.editing.structure_near import NearStructure
from sidelight.editing.text import split_lines, without_line_end

CODE = '''\
from __future__ import annotations
import math
import os.path as paths
from shapes.round import (
    Circle,
    Oval as Egg,
)
from . import near

LIMIT = 10
SIZES: dict[str, int] = {
    "a": 1,
}


def area(shape, limit=LIMIT):
    """Return the area.

    Of any shape.
    """
    total = math.pi * shape.radius ** 2
    def area_of(part):
        return part.area() + total
    return min(total, limit, len(SIZES), area_of(shape))


class Base:
    unit = "m"

    def name(self):
        return self.unit


@decorated(
    LIMIT,
)
class Square(Base):
    """A square."""

    side: int = LIMIT
    corners = 4

    def __init__(self, side):
        self.side = side

    @property
    def area(self):
        # the area
        return self.helper(self.side) + area(self) + Egg(self.name())

    @area.setter
    def area(self, value):
        def area():
            return value
        return area()

    def helper(self, x):
        return [x for x in paths.split(near.far)] or Square.name
'''


def structure(code: str, language: str = "python") -> Structure:
    return Structure.of(split_lines(code), language)


def line_of(code: str, text: str) -> int:
    return next(number for number, line in enumerate(code.splitlines()) if text in line)


def around(code: str, text: str, language: str = "python") -> list[str]:
    line = line_of(code, text)
    return [one.name for one in structure(code, language).enclosing(line, line + 1)]


def meant(name: str, text: str, code: str = CODE, language: str = "python") -> str | None:
    """Return the line on which that begins what a name means on the line with a text."""
    found = structure(code, language).defining(name, line_of(code, text))
    return None if found is None else code.splitlines()[found.header].strip()


def test_the_definitions_around_a_line_come_innermost_first() -> None:
    assert around(CODE, "part.area()") == ["area_of", "area"]
    assert around(CODE, "# the area") == ["area", "Square"]
    assert around(CODE, "@property") == ["area", "Square"]
    assert around(CODE, "@decorated") == ["Square"]
    assert around(CODE, "SIZES: ") == []


def test_lines_of_two_methods_are_in_their_class_only() -> None:
    found = structure(CODE).enclosing(line_of(CODE, "self.side = side"), line_of(CODE, "# the area"))
    assert [one.name for one in found] == ["Square"]


def test_used_names_are_those_that_need_an_explanation() -> None:
    found = structure(CODE).names_used(line_of(CODE, "def area(shape"), line_of(CODE, "class Base"))
    assert found == ("LIMIT", "math.pi", ".radius", ".area", "SIZES", "area_of")


def test_what_a_method_calls_on_itself_is_named_self() -> None:
    code = "class A:\n    def b(this, that):\n        return this.c(that.d, e.f)\n"
    assert structure(code).names_used(1, 3) == ("self.c", ".d", "e.f")


def test_a_local_that_is_declared_global_is_none() -> None:
    code = "def f():\n    global count\n    count = count + 1\n    own = own_too = 1\n    return own\n"
    assert structure(code).names_used(0, 5) == ("count",)


def test_a_name_means_what_its_scope_says() -> None:
    assert meant("area", "return min") == "def area(shape, limit=LIMIT):"
    assert meant("area", "# the area") == "def area(shape, limit=LIMIT):", "a method does not see its class's names"
    assert meant("area", "return area()") == "def area():"
    assert meant("area_of", "return min") == "def area_of(part):"
    assert meant("area_of", "class Base") is None
    assert meant("SIZES", "return min") == "SIZES: dict[str, int] = {"


def test_a_member_is_found_in_the_class_around_its_bases_and_by_the_class() -> None:
    assert meant("self.helper", "# the area") == "def helper(self, x):"
    assert meant("self.area", "def helper") == "def area(self):", "the property, not its setter"
    assert meant("self.name", "# the area") == "def name(self):"
    assert meant("self.corners", "# the area") == "corners = 4"
    assert meant("Square.helper", "def area(shape") == "def helper(self, x):"
    assert meant("Square.nothing", "def area(shape") == "class Square(Base):"
    assert meant("self.nothing", "# the area") is None
    assert meant(".helper", "def area(shape") == "def helper(self, x):"
    assert meant(".area", "def area(shape") is None, "two have that name"


def test_a_value_has_all_its_lines() -> None:
    found = structure(CODE).defining("SIZES", 0)
    assert found is not None
    assert (found.first, found.end) == (10, 13)


def test_imports_are_found_by_what_they_make_known() -> None:
    found = structure(CODE)
    assert found.imports == ((0, 1), (1, 2), (2, 3), (3, 7), (7, 8))
    assert found.imports_used(["math.pi", "nothing", ".Circle"]) == ((1, 2),)
    assert found.imports_used(["Egg", "paths.split"]) == ((2, 3), (3, 7))
    names = ("Egg.size", "paths.split", "near.far", "Square", "math.pi")
    assert [*map(found.origin, names)] == ["shapes.round.Oval.size", "os.path.split", "near.far", "", "math.pi"]


def test_the_head_of_a_definition_ends_after_its_docstring() -> None:
    found = structure(CODE)
    area, square = found.defining("area", 15), found.defining("Square", 15)
    assert area and square
    assert found.head(area) == (15, 17)
    assert found.head(area, whole_doc=True) == (15, 20)
    assert found.head(square) == (line_of(CODE, "@decorated"), line_of(CODE, "A square.") + 1)
    assert [one.name for one in found.values(square)] == ["side", "corners"]


def test_what_does_not_parse_leaves_the_rest_as_it_is() -> None:
    other = 'def other():\n    """Say:\n\n    def phantom(): pass\n    """\n    own = 1\n    return own + area(1)\n\n\n'
    code = other + CODE.replace("def helper(self, x):", "def helper(self, x:\n        y = (")
    assert around(code, "or Square.name") == ["helper", "Square"]
    assert around(code, "# the area") == ["area", "Square"]
    assert around(code, "Say:") == ["other"]
    assert structure(code).names_used(0, 7) == ("area",)
    assert meant("phantom", "Say:", code) is None
    assert meant("self.helper", "# the area", code) == "def helper(self, x:"


@pytest.mark.parametrize("quotes", ['"""', "'''"])
@pytest.mark.parametrize("lines", [1, 400])
def test_code_in_a_string_is_no_code(quotes: str, lines: int) -> None:
    inside = f"text = {quotes}\ndef phantom():\n    pass\n{quotes}\n"
    filler = "    def one(self):\n        return 1\n" * lines
    code = f"class A:\n{filler}    {inside}\n    def last(self):\n        return 2\n\n\ndef after():\n    return 3\n"
    assert around(code, "return 2") == ["last", "A"]
    assert around(code, "return 3") == ["after"]
    assert meant("phantom", "return 3", code) is None


def test_a_long_class_reads_as_the_parser_reads_it_at_once() -> None:
    methods = "".join(
        f'    @cached\n    def method_{n}(self, a):\n        """Doc.\n\n        """\n        def inner():\n'
        f"            return a\n        return self.method_{n - 1}(inner, {n})\n        # last\n\n"
        for n in range(200)
    )
    code = f"class Long(Base):\n    if True:\n        def early(self): pass\n    size = 1\n\n{methods}\n\nend = 1\n"
    found = structure(code)
    assert [one.definition for one in found._at(0).entries] == definitions(code.split("\n"), "python")
    assert meant("self.method_150", "method_3(inner", code) == "def method_150(self, a):"
    assert meant("self.size", "method_3(inner", code) == "size = 1"


SCRIPT = """\
import {
  area,
  Circle as Round,
} from "./shapes";
const other = require("other");

export const LIMIT = 10;
export type Size = { width: number };

// Draws a thing.
export function draw(shape: Round): Size {
  return { width: area(shape) ?? LIMIT };
}

class Canvas extends Base {
  paint(shape) {
    const text = "draw(it)"; // draw(that)
    return this.fill(draw(shape));
  }

  fill(size: Size) {
    return size;
  }
}
"""


def test_other_languages_are_read_by_headers_and_brackets() -> None:
    assert around(SCRIPT, "this.fill", "typescript") == ["paint", "Canvas"]
    assert meant("this.fill", "draw(it)", SCRIPT, "typescript") == "fill(size: Size) {"
    assert meant("LIMIT", "draw(it)", SCRIPT, "typescript") == "export const LIMIT = 10;"
    assert meant("Size", "draw(it)", SCRIPT, "typescript") == "export type Size = { width: number };"
    found = structure(SCRIPT, "typescript")
    assert found.imports == ((0, 4), (4, 5))
    assert found.imports_used(["Round"]) == ((0, 4),)
    draw = found.defining("draw", 17)
    assert draw
    assert found.head(draw) == (9, 11), "with the comment above it"


def test_strings_and_comments_use_no_names() -> None:
    at = line_of(SCRIPT, "draw(it)")
    assert structure(SCRIPT, "typescript").names_used(at, at + 1) == ("text",)


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_make_no_difference(line_end: str) -> None:
    for code, language in ((CODE, "python"), (SCRIPT, "typescript")):
        plain, other = structure(code, language), structure(code.replace("\n", line_end), language)
        assert plain._at(0).entries == other._at(0).entries
        assert plain._at(0).values == other._at(0).values
        assert (plain.imports, plain.names_used(0, 99)) == (other.imports, other.names_used(0, 99))


@pytest.mark.parametrize("language", ["python", "typescript", "markdown", "", "py"])
@pytest.mark.parametrize(
    "code",
    [
        "",
        "\n\n",
        "\ufeffx = 1",
        "def f(\0): pass",
        "x = '\ud800'",
        "(" * 5000,
        "x" + ".y" * 3000,
        "    return 1",
        "@\n@",
    ],
)
def test_nothing_is_too_odd_to_be_read(code: str, language: str) -> None:
    lines = split_lines(code)
    for found in (Structure.of(lines, language), NearStructure(lines, language)):
        found.enclosing(0, len(lines))
        found.imports_used(found.names_used(0, len(lines)))
        assert found.defining("nothing", 0) is None
        assert found.find("nothing") is None


def test_real_code_with_a_line_too_many_or_too_few_stays_readable() -> None:
    chance = random.Random(seed := random.randrange(10**6))
    for name in ("argparse", "dataclasses"):
        lines = split_lines((Path(sysconfig.get_paths()["stdlib"]) / f"{name}.py").read_text("utf-8"))[:500]
        for _ in range(8):
            at = chance.randrange(len(lines))
            odd = chance.choice([(), ('text = """\n',), ("value = (\n",), ("else:\n",), ("class\n",)])
            broken = [*lines[:at], *odd, *lines[at + 1 :]]
            found = Structure.of(broken, "python")
            for line in range(0, len(broken), 7):
                found.names_used(line, line + 3)
                around = found.enclosing(line, line + 1)
                assert all(one.first <= line < one.end for one in around), (name, at, odd, seed)
                assert [*around] == sorted(around, key=lambda one: -one.header), (name, at, odd, seed)


# Without the whole at hand


def test_a_neighbourhood_knows_the_class_far_above() -> None:
    filler = "    def one(self):\n        return 1\n\n" * 400
    code = f"import math\nLIMIT = 1\n\n\nclass Far:\n{filler}    def here(self):\n        return math.pi + LIMIT\n"
    line = line_of(code, "math.pi")
    found = NearStructure(split_lines(code), "python")
    assert [one.name for one in found.enclosing(line, line + 1)] == ["here", "Far"]
    assert found.imports_used(found.names_used(line, line + 1)) == ((0, 1),)
    limit = found.defining("LIMIT", line)
    assert limit
    assert limit.first == 1


def test_a_neighbourhood_mostly_tells_what_the_whole_tells() -> None:
    chance = random.Random(seed := 6)
    alike = count = 0
    for name in ("argparse", "logging/__init__", "threading"):
        lines = split_lines((Path(sysconfig.get_paths()["stdlib"]) / f"{name}.py").read_text("utf-8"))
        whole = Structure.of(lines, "python")
        for line in chance.sample([n for n, line in enumerate(lines) if without_line_end(line).strip()], 20):
            near = NearStructure(lines, "python").enclosing(line, line + 1)
            there = whole.enclosing(line, line + 1)
            alike += [one.header for one in near] == [one.header for one in there]
            count += 1
    assert alike >= 0.9 * count, (alike, count, seed)


def test_reading_that_is_not_wanted_any_more_ends_early() -> None:
    asked = []

    def is_wanted() -> bool:
        asked.append(1)
        return len(asked) < 3

    code = "def one():\n    return 1\n\n\n" * 500
    assert len(Structure.of(split_lines(code), "python", is_wanted)._at(0).entries) < 200
