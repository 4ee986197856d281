"""Where a piece of code belongs: it never takes away what it does not speak of."""

from __future__ import annotations

import random
import re
import time
from collections import Counter

import pytest

from sidelight.editing.blocks import enclosing_block
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
    name = "def name(self):\n    return 'Tim'\n"
    assert result(name, (9, 16)) == CODE.replace('"Tom"', "'Tim'")
    assert result(f"@cached\n{name}", (9, 16)) == CODE.replace("@property", "@cached").replace('"Tom"', "'Tim'")


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


def test_of_several_definitions_each_is_replaced_and_what_stands_between_them_stays() -> None:
    several = "def greet(name):\n    pass\n    return name\n\n\ndef other():\n    return 2\n"
    done = CODE.replace("\n".join(LINES[4:7]), "    pass\n    return name").replace("return 1", "return 2")
    assert result(several) == done


def test_a_new_definition_among_known_ones_goes_beside_the_one_above_it() -> None:
    both = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"
    code = "def one():\n    return 3\n\n\ndef three():\n    return 4\n"
    assert result(code, (0, 2), both) == code + "\n\n" + both.split("\n\n\n")[1]


def test_two_of_a_name_elsewhere_are_not_confused() -> None:
    classes = [f"class {name}:\n    def go(self):\n        return {name}\n\n\n" for name in "AB"]
    text = "".join(classes) + "x = 1\n"
    assert result("def go(self):\n    return 3\n", (6, 8), text) == text.replace("return B", "return 3")
    assert placed("def go(self):\n    return 3\n", (10, 11), text).obstacle is not None


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


def test_lines_at_a_place_without_definitions_replace_lines_like_them_alone() -> None:
    assert result("a = 3\n", (0, 1), "a = 1\n\nb = 2\n") == "a = 3\n\nb = 2\n"
    assert placed("c = 3\n", (0, 1), "a = 1\n\nb = 2\n").obstacle is not None


def test_only_line_ends_end_lines() -> None:
    assert placed("x = '\x0c\u2028'\r\n", None, "").lines == ["x = '\x0c\u2028'"]


def test_an_empty_document_and_an_empty_place_take_anything() -> None:
    assert result("x = 1", None, "") == "x = 1"
    assert result("def f():\n    pass", None, "") == "def f():\n    pass"
    assert result("x = 1", (1, 1), "a = 1\n\nb = 2\n") == "a = 1\nx = 1\n\nb = 2\n"


def test_other_languages_have_definitions_too() -> None:
    script = "const one = (a) => {\n  return a;\n};\n\nexport function two() {\n  return 2;\n}\n"
    two, one = "export function two() {\n  return 3;\n}", "const one = (a) => {\n  return -a;\n};"
    assert result(two, (0, 3), script, "javascript") == script.replace("return 2", "return 3")
    assert result(one, (4, 7), script, "javascript") == script.replace("return a", "return -a")
    go = "func (c *Client) Run() {\n\treturn\n}\n\nfunc (s *Server) Run() {\n\treturn\n}\n"
    new = "func (s *Server) Run() {\n\tlisten()\n}"
    assert result(new, None, go, "go") == go.split("\n\n", maxsplit=1)[0] + f"\n\n{new}\n"


def caret(text: str, line: str) -> tuple[int, int]:
    """Return the place that a caret in that line means."""
    lines = text.split("\n")
    return enclosing_block(lines, lines.index(line))


TWO = "class A:\n    def run(self):\n        return 1\n\n\nclass B:\n    def save(self):\n        return 'B'\n"


def test_a_new_method_does_not_replace_the_one_of_another_class() -> None:
    after = "        return 1\n\n    def save(self):\n        return 'A'\n"
    assert result("def save(self):\n    return 'A'\n", caret(TWO, "        return 1"), TWO) == TWO.replace(
        "        return 1\n", after
    )


def test_a_function_is_no_method_of_the_same_name() -> None:
    code = "def save():\n    pass"
    assert result(code, (6, 8), TWO) == f"{TWO}\n\n{code}\n"


def test_a_property_is_not_its_setter() -> None:
    getter, setter = (
        "    @property\n    def x(self):\n        return self._x\n",
        "    @x.setter\n    def x(self, v):\n        self._x = v\n",
    )
    text = f"class A:\n{getter}\n{setter}"
    assert "x" in str(placed(f"class A:\n{getter}", (0, 1), text).obstacle)
    assert result(getter.replace("_x", "_y"), (0, 8), text) == text.replace("return self._x", "return self._y")
    alone = f"class A:\n{getter}"
    assert result(setter, (0, 4), alone) == text


def test_a_class_without_its_fields_or_its_docstring_is_refused() -> None:
    text = "class A:\n    a: int\n    b: int\n\n    def f(self):\n        return self.a\n"
    assert "a: int" in str(placed("class A:\n    def f(self):\n        return self.b\n", (0, 6), text).obstacle)


def test_decorators_stay_with_their_functions() -> None:
    text = "@cache\ndef a():\n    return 1\n\n\ndef b():\n    return 2\n\n\nimport x\n" + "".join(
        f"x.y{n}()\n" for n in "abcdef"
    )
    code = "def b():\n    return 3\n\n\n@cache\ndef a():\n    return 4\n"
    assert result(code, None, text) == text.replace("1", "4").replace("2", "3")  # each where it stood
    several = "@dec(\n    1,\n)\ndef a():\n    return 1\n"
    assert result(several.replace("return 1", "return 2"), (0, 5), several) == several.replace("return 1", "return 2")


@pytest.mark.parametrize("tabs", [False, True])
def test_a_new_method_with_the_place_on_the_class_goes_into_it_as_deep_as_the_others(tabs: bool) -> None:
    text = "class A:\n    def run(self):\n        return 1\n\n\nx = 1\n"
    done = text.replace("return 1\n", "return 1\n\n    def load(self):\n        return 2\n")
    if tabs:
        text, done = text.replace("    ", "\t"), done.replace("    ", "\t")
    assert result("def load(self):\n    return 2\n", (0, 3), text) == done


def test_a_whole_file_replaces_the_document_where_it_loses_nothing() -> None:
    new = CODE.replace("hallo", "hello").replace("return 1", "return 2").replace("import os", "import os\nimport sys")
    assert result(new) == new
    without = new.replace("def other():\n    return 2\n", "")
    assert result(without) == new.replace("return 2", "return 1")


def test_a_comment_at_the_left_edge_ends_no_body() -> None:
    for broken in ("", "\n\ndef (\n"):  # parsed, and while it does not parse
        text = "def f():\n    a = 1\n# note\n    return a\n\n\ndef g():\n    return 1\n" + broken
        assert result("def f():\n    a = 2\n    return a\n", (0, 2), text) == text.replace(
            "    a = 1\n# note\n", "    a = 2\n"
        )


def test_a_tail_that_stands_below_already_is_not_repeated() -> None:
    text = "def a():\n    return 1\n\n\nif __name__ == '__main__':\n    a()\n"
    assert result(text.replace("return 1", "return 2"), (0, 2), text) == text.replace("return 1", "return 2")
    new = "def b():\n    return 2\n\n\n"
    assert result(text.replace(text[: text.index("if")], new), (0, 2), text) == text.replace("if", f"{new}if")
    other = f"{new}if __name__ == '__main__':\n    b()\n"
    assert placed(other, (0, 2), text).obstacle is not None


def test_a_new_import_goes_to_the_imports() -> None:
    assert result("import sys\n\ndef other():\n    return 2\n") == CODE.replace("return 1", "return 2").replace(
        "import os\n", "import os\nimport sys\n"
    )


def test_a_new_function_brings_its_import_once() -> None:
    new = "def fresh():\n    return sys"
    done = CODE.replace("import os\n", "import os\nimport sys\n")
    assert result(f"import sys\n\n\n{new}", None) == f"{done}\n\n{new}\n"


def test_an_import_is_no_version_of_another_one() -> None:
    text = "from text import sheep\nx = 1\ny = 2\n"
    assert result("from time import sleep\nx = 1\ny = 3\n", None, text).startswith("from text import sheep\nfrom time")


def test_a_comment_above_is_not_doubled_and_another_one_stays() -> None:
    text = "// Adds one.\nint add(int x) {\n    return x + 1;\n}\n\nint b(int x) {\n    return x;\n}\n"
    code = text.split("\n\n", maxsplit=1)[0].replace("+ 1", "+ 2")
    assert result(code, (1, 4), text, "c") == text.replace("+ 1", "+ 2")
    code = code.replace("Adds one.", "Calculates.")
    assert "// Adds one.\n// Calculates.\n" in result(code, (1, 4), text, "c")


YAML = "".join(f"{name}:\n  x: 1\n  y: 2\n" for name in "abc")
F = "def f():\n        return 0\n"
SETTINGS = "".join(f"SETTING_{n} = {n}\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "code", "language"),
    [
        ("x = 1\ndef f():\n    return 1\ny = 2\n", "x = 1\ny = 2\nw = 3\n", "python"),
        (YAML, "a:\n  x: 1\n  y: 2\nc:\n  x: 1\n  y: 3\n", "yaml"),
        (YAML, "c:\nx: 1\ny: 3\n", "yaml"),
        (SETTINGS, "SETTING_2 = 2\nSETTING_7 = 70\n", "python"),
        (SETTINGS, "SETTING_2 = 2\nSETTING_4 = 2\nSETTING_6 = 6\nSETTING_7 = 7\n", "python"),
        (f"if x:\n    {F}else:\n    {F}", "def f():\n    return 2\n", "python"),
        ("int add(int a) {\n  return a;\n}\n\nint x;\nint y;\n", "int add(double a) {\n  return a;\n}\n", "cpp"),
        ("def f():\n    a = 1\n    b = 2\n    c = 3\n    return a\n", "def f():\n    pass\n", "python"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused(text: str, code: str, language: str) -> None:
    assert placed(code, None, text, language).obstacle is not None


def test_lines_of_data_replace_those_that_they_stand_for() -> None:
    assert result("c:\n  x: 1\n  y: 3\n", None, YAML, "yaml") == YAML[:-2] + "3\n"


def test_many_lines_alike_take_no_time() -> None:
    text = "same = 1\n" * 40_000 + "x = 1\n"
    began = time.process_time()
    placed("same = 1\n" * 3_000 + "x = 2\n", None, text)
    placed("def f():\n    return 1\n", None, "# note\n" * 20_000 + "def g(\n" + "    x = 1\n# note\n" * 20_000)
    assert time.process_time() - began < 10  # two seconds; minutes where each line is compared with each


# Random documents: whatever the code is, nothing that it does not define is lost.

# What stands above, a function's header, its indentation, a line, its last one, what closes it, and what stands below.
SHAPES = {
    "python": ('"""Kept."""\n', "def {name}(x):", "    ", "v{0} = {1}", "return x", "", ""),
    "python class": (
        "class Foo:\n    kept: int = 3\n", "    def {name}(self, x):", "        ", "v{0} = {1}", "return x", "", ""
    ),
    "java": (
        "public class Foo {\n    int kept;\n", "    public int {name}(int x) {{",
        "        ", "int v{0} = {1};", "return x;", "    }", "}",
    ),
    "typescript": (
        "export class Foo {\n  kept = 3;\n", "  {name}(x: number): number {{",
        "    ", "const v{0} = {1};", "return x;", "  }", "}",
    ),
    "javascript": ("const kept = 3;\n", "function {name}(x) {{", "  ", "const v{0} = {1};", "return x;", "}", ""),
    "c": ("#include <kept.h>\n", "static int {name}(int x)\n{{", "    ", "int v{0} = {1};", "return x;", "}", ""),
    "go": ("var kept = 3\n", "func (k *Kept) {name}(x int) int {{", "\t", "v{0} := {1}", "return x", "}", ""),
    "rust": ("const KEPT: i32 = 3;\n", "pub fn {name}(x: i32) -> i32 {{", "    ", "let v{0} = {1};", "x", "}", ""),
    "yaml": ("kept: 3\n", "{name}:", "  ", "v{0}: {1}", "end: x", "", ""),
}  # fmt: skip
KINDS = ["one", "several", "new", "ends", "reordered", "whole", "part", "class"]
PLAIN = {
    *((shape, "one") for shape in ("python", "python class", "javascript", "go", "rust", "java", "c", "typescript")),
    *((shape, "whole") for shape in SHAPES if shape != "yaml"),
    *((shape, "new") for shape in SHAPES if shape != "yaml"),
}


class Made:
    """A random document, and code that says some of it anew."""

    def __init__(self, shape: str, kind: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.head, self.header, self.indent, self.line, self.last, self.closing, self.foot = SHAPES[shape]
        names = [f"fn_{letter}{self.random.randint(0, 9)}" for letter in "abcdef"[: self.random.randint(3, 6)]]
        self.functions = {name: self.function(name) for name in names}
        self.text = self.document(self.functions)
        count = {"one": 1, "part": 1, "new": 0, "class": 1}.get(kind, 2)
        said = [names[0], names[-1]] if kind == "ends" else self.random.sample(names, count)
        self.new = {name: self.changed(name) for name in said}
        self.place_line = self.random.choice(self.text.split("\n")[1:-1])
        self.expected = self.document({**self.functions, **self.new})
        self.code = self.said(kind)

    def function(self, name: str) -> str:
        body = [self.line.format(self.random.randint(0, 99), self.random.randint(0, 99)) for _ in range(4)]
        lines = [*(self.indent + line for line in [*body, self.last]), *([self.closing] if self.closing else [])]
        return "\n".join([self.header.format(name=name), *lines]) + "\n"

    def changed(self, name: str) -> str:
        added = self.indent + self.line.format(777, 7) + "\n"
        lines = self.functions[name].splitlines(keepends=True)
        at = self.random.randint(3, len(lines) - 1)
        gone = self.random.choice([0, 1]) if at < 5 else 0
        return "".join([*lines[:at], added, *lines[at + gone :]])

    def document(self, functions: dict[str, str]) -> str:
        return self.head + "\n" + "\n".join(functions.values()) + (self.foot and self.foot + "\n")

    def said(self, kind: str) -> str:
        if kind == "whole":
            return self.expected
        if kind == "new":
            return self.function("brand_new")
        if kind == "reordered":
            return "\n".join(self.functions[name] if name not in self.new else self.new[name] for name in sorted(
                self.functions, key=lambda _: self.random.random()))  # fmt: skip
        if kind == "part":
            (text,) = self.new.values()
            return "".join(text.splitlines(keepends=True)[1 : self.random.randint(3, 5)])
        if kind == "class":
            first = self.head.split("\n")[0] + "\n"
            return first + "\n".join(self.new.values()) + (self.foot and self.foot + "\n")
        return "\n".join(self.new.values())

    def lost(self, after: str) -> list[str]:
        """Return the lines of what the code does not speak of that are no more there."""
        kept = [text for name, text in self.functions.items() if name not in self.new]
        there = Counter(line.strip() for line in after.split("\n"))
        lines = Counter(line.strip() for text in [self.head, *kept] for line in text.split("\n"))
        own = [name for name in self.functions if name not in self.new and self.functions[name].strip() not in after]
        return [*(lines - there), *own]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_that_the_code_does_not_define_is_ever_lost(shape: str, kind: str) -> None:
    language = shape.split(maxsplit=1)[0]
    applied = 0
    for seed in range(60):
        made = Made(shape, kind, seed)
        lines = made.text.split("\n")
        place = enclosing_block(lines, lines.index(made.place_line)) if made.random.random() < 0.8 else None
        if shape in ("python class", "java", "typescript") and place is None:
            place = (0, len(lines) - 1)  # a method without its class belongs to that of the place
        found = placed(made.code, place, made.text, language)
        if found.obstacle is not None:
            continue
        after = result(made.code, place, made.text, language)
        assert not made.lost(after), (seed, made.text, made.code, after)
        assert len(re.findall("777", after)) <= len(re.findall("777", made.code)), (seed, after)
        if kind in ("one", "several", "ends", "whole") and shape != "yaml":
            assert after == made.expected, seed
        applied += 1
    if (shape, kind) in PLAIN:
        assert applied >= 57, applied
