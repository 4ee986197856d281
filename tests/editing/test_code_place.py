"""Where a piece of code belongs: it never takes away what it does not speak of."""

from __future__ import annotations

import pytest

from sidelight.editing.code_place import CodePlace, find_place
from sidelight.editing.text import split_lines

CODE = """\
import os


def greet(name):
    text = "hallo " + name
    print(text)
    return None


class Cat:
    def purr(self):
        return "purr"

    @property
    def name(self):
        return "Tom"


def other():
    return 1
"""
LINES = CODE.splitlines()
GREET, PURR, OTHER = (3, 7), (11, 12), (19, 21)


def placed(code: str, place: tuple[int, int] | None = GREET, text: str = CODE, language: str = "python") -> CodePlace:
    return find_place(split_lines(text), code, place, language)


def result(code: str, place: tuple[int, int] | None = GREET, text: str = CODE, language: str = "python") -> str:
    """Return what the document becomes."""
    found = placed(code, place, text, language)
    assert found.obstacle is None, found.obstacle
    lines = text.split("\n")
    return "\n".join([*lines[: found.first], *found.lines, *lines[found.end :]])


def test_a_definition_of_the_place_replaces_that() -> None:
    new = "def greet(name):\n    return name"
    assert result(new) == CODE.replace("\n".join(LINES[3:7]), new)


def test_a_definition_that_stands_elsewhere_goes_there() -> None:
    assert result("def other():\n    return 2\n") == CODE.replace("return 1", "return 2")


def test_a_method_in_a_place_that_is_the_whole_class_replaces_only_itself() -> None:
    found = placed("def purr(self):\n    return 'prr'\n", (9, 16))
    assert (found.first, found.end) == (10, 12)


def test_a_decorator_of_which_the_code_says_nothing_stays() -> None:
    found = placed("def name(self):\n    return 'Tim'\n", (9, 16))
    assert (found.first, found.end) == (14, 16)
    assert placed("@cached\ndef name(self):\n    return 'Tim'\n", (9, 16)).first == 13


def test_a_new_function_goes_below_the_place() -> None:
    new = "def fresh():\n    return 3"
    assert result(new) == CODE.replace("    return None\n", f"    return None\n\n\n{new}\n")


def test_a_new_function_about_a_method_goes_below_the_class_and_a_new_method_into_it() -> None:
    function, method = "def fresh():\n    return 3", "def fresh(self):\n    return 3"
    assert result(function, (10, 12)) == CODE.replace('return "Tom"\n', f'return "Tom"\n\n\n{function}\n')
    inside = "    def fresh(self):\n        return 3"
    assert result(method, (10, 12)) == CODE.replace('return "purr"\n', f'return "purr"\n\n{inside}\n')


def test_a_new_function_without_a_place_goes_to_the_end() -> None:
    assert result("def fresh():\n    return 3", None) == f"{CODE}\n\ndef fresh():\n    return 3\n"


def test_a_class_of_which_only_a_part_is_said_is_not_replaced() -> None:
    found = placed("class Cat:\n    def purr(self):\n        return 'prr'\n", (9, 16))
    assert found.obstacle is not None
    assert "name" in str(found.obstacle)


def test_several_definitions_are_replaced_where_nothing_stands_between_them() -> None:
    both = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"
    assert result(both.replace("return", "yield"), (0, 2), both) == both.replace("return", "yield")
    assert placed(both.replace("two", "three"), (0, 2), both).obstacle is None
    found = placed("def greet(name):\n    pass\n\n\ndef other():\n    pass\n")
    assert "Cat" in str(found.obstacle)


def test_two_of_a_name_elsewhere_are_not_confused() -> None:
    classes = [f"class {name}:\n    def go(self):\n        return {name}\n\n\n" for name in "AB"]
    text = "".join(classes) + "x = 1\n"
    found = placed("def go(self):\n    return 3\n", (6, 8), text)
    assert (found.first, found.end) == (6, 8)
    below = placed("def go(self):\n    return 3\n", (10, 11), text)
    assert below.lines[0] == "x = 1"


def test_imports_that_stand_there_are_not_repeated() -> None:
    assert result("import os\n\ndef other():\n    return 2\n") == CODE.replace("return 1", "return 2")


def test_a_few_lines_replace_those_that_they_stand_for() -> None:
    found = placed('    text = "hello " + name\n    print(text)\n    return text\n')
    assert (found.first, found.end) == (4, 7)
    found = placed("    print(text)\n    log(text)\n")
    assert (found.first, found.end) == (5, 6)


@pytest.mark.parametrize("place", [GREET, None])
def test_lines_that_stand_nowhere_replace_no_definition(place: tuple[int, int] | None) -> None:
    assert placed("x = compute()\nstore(x)\n", place).obstacle is not None


def test_lines_at_a_place_without_definitions_replace_it_but_are_judged() -> None:
    found = placed("c = 3\n", (0, 1), "a = 1\n\nb = 2\n")
    assert (found.first, found.end, found.is_sure, found.obstacle) == (0, 1, False, None)


def test_only_line_ends_end_lines() -> None:
    assert placed("x = '\x0c\u2028'\r\n", None, "").lines == ["x = '\x0c\u2028'"]


def test_an_empty_document_and_an_empty_place_take_anything() -> None:
    assert result("x = 1", None, "") == "x = 1"
    assert result("def f():\n    pass", None, "") == "def f():\n    pass\n"
    assert result("x = 1", (1, 1), "a = 1\n\nb = 2\n") == "a = 1\nx = 1\n\nb = 2\n"


def test_other_languages_have_definitions_too() -> None:
    script = "const one = (a) => {\n  return a;\n};\n\nexport function two() {\n  return 2;\n}\n"
    two, one = "export function two() {\n  return 3;\n}", "const one = (a) => {\n  return -a;\n};"
    assert result(two, (0, 3), script, "javascript") == script.replace("return 2", "return 3")
    assert result(one, (4, 7), script, "javascript") == script.replace("return a", "return -a")
    go = "func (s *Server) Run() {\n\treturn\n}\n"
    assert placed("func (s *Server) Run() {\n\tlisten()\n}", None, go, "go").first == 0
