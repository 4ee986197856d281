"""The code of an answer, while it arrives: the same at any cut, and never taken back in silence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sidelight.editing.answer_choice import CodeEvent, Lines, Restart
from sidelight.editing.answer_code import CodeStream
from sidelight.editing.candidate import Problem
from sidelight.editing.left_out import stands_for_code

OLD = "x = 1\ny = 2\n"


@dataclass(frozen=True)
class Read:
    lines: list[str]
    problem: Problem | None = None
    is_open: bool = False
    has_more: bool = False
    left_out: str | None = None


def shown(lines: list[str], events: list[CodeEvent]) -> list[str]:
    """Return the lines after the events; what stands is never changed but by a restart."""
    for event in events:
        lines = [] if isinstance(event, Restart) else [*lines, *event.lines]
    return lines


def read_pieces(pieces: list[str], replaced: str, language: str, above: str = "", *, is_cut: bool = False) -> Read:
    stream = CodeStream(language, replaced.splitlines(keepends=True), above=above.splitlines(keepends=True))
    lines: list[str] = []
    for piece in pieces:
        lines = shown(lines, stream.feed(piece))
    lines = shown(lines, stream.finish(is_cut=is_cut))
    return Read(lines, stream.problem, stream.is_open, stream.has_more, stream.left_out)


def cuts(text: str) -> Iterator[list[str]]:
    yield list(text)
    for seed in range(12):
        choose = random.Random(seed)
        borders = sorted(choose.choices(range(len(text) + 1), k=choose.randrange(1, 12)))
        print("seed", seed)
        yield [text[start:end] for start, end in zip([0, *borders], [*borders, len(text)], strict=True)]


def read(answer: str, replaced: str = OLD, language: str = "python", above: str = "", *, is_cut: bool = False) -> Read:
    """Read an answer whole, and byte by byte and at random cuts with the same result, also with CRLF."""
    whole = read_pieces([answer], replaced, language, above, is_cut=is_cut)
    for pieces in cuts(answer):
        assert read_pieces(pieces, replaced, language, above, is_cut=is_cut) == whole, pieces
    if "\r" not in answer:
        with_crlf = answer.replace("\n", "\r\n")
        for pieces in ([with_crlf], list(with_crlf)):
            assert read_pieces(pieces, replaced, language, above, is_cut=is_cut) == whole
    return whole


def block(code: str, tag: str = "python", fence: str = "```") -> str:
    return f"{fence}{tag}\n{code}{fence}\n"


def known(pieces: list[str], replaced: str = OLD, language: str = "python") -> list[list[CodeEvent]]:
    stream = CodeStream(language, replaced.splitlines())
    return [stream.feed(piece) for piece in pieces]


@pytest.mark.parametrize(
    "answer",
    [
        block("x = 3\ny = 4\n"),
        "Sure:\n" + block("x = 3\ny = 4\n", "py") + "Done.",
        block("x = 3\ny = 4\n", ""),
        block("x = 3\ny = 4\n", "python title=a.py"),
        block("x = 3\ny = 4\n", "{.python}"),
        block("x = 3\ny = 4\n", fence="~~~~~"),
        "   ```python\n   x = 3\n   y = 4\n   ```",
        "1. So:\n\n     ```python\n     x = 3\n     y = 4\n     ```\n",
        "- ```python\n  x = 3\n  y = 4\n  ```\n",
        "\ufeff```\nx = 3\ny = 4\n```\n",
        "```python\nx = 3\ny = 4\n```<|im_end|>",
        "```python\nx = 3\ny = 4\n````",
        "```python\n\ufeffx = 3\ny = 4\n```",
        "For reference:\n" + block("import a\n", "") + block("x = 3\ny = 4\n"),
        block("pip install x\n", "bash") + block("x = 3\ny = 4\n"),
        "Look:\n" + block("x = 3\ny = 4\n", ""),
        block("") + block("x = 3\ny = 4\n"),
        block("demo.py, lines 3 to 9:\nx = 3\ny = 4\n"),
        block("x = 3\ny = 4\n\n\n"),
    ],
)
def test_the_code_is_the_block_that_fits(answer: str) -> None:
    assert read(answer) == Read(["x = 3", "y = 4"])


def test_a_line_is_known_when_its_end_came() -> None:
    events = known(["Hm.\n```py", "thon\nx = ", "3\ny", " = 4\n", "\n", "z\n``", "`\n"])
    assert events == [[], [], [Lines(("x = 3",))], [Lines(("y = 4",))], [], [Lines(("", "z"))], []]


def test_a_block_in_another_language_is_never_the_code() -> None:
    assert read("Run:\n" + block("rm -rf x\n", "bash")) == Read([], "other_language")


def test_kin_stands_for_the_documents_language() -> None:
    assert read(block("let a;\n", "ts"), "", "typescriptreact") == Read(["let a;"])


def test_a_block_without_a_tag_waits_for_a_tagged_one() -> None:
    events = known(["So:\n", block("print(1)\n", ""), "```python\n", "x = 3\n"])
    assert events == [[], [], [], [Lines(("x = 3",))]]


def test_any_block_fits_a_document_of_no_known_language() -> None:
    assert known(["So:\n", "```\n", "a\n"], "", "")[2] == [Lines(("a",))]


def test_a_quotation_gives_way_to_the_block_after_it() -> None:
    assert read("Was:\n" + block(OLD) + "Now:\n" + block("x = 3\n")) == Read(["x = 3"])
    assert read("Was:\n" + block(OLD, "") + "Now:\n" + block("x = 3\n", "")) == Read(["x = 3"])
    events = known(["Was:\n" + block(OLD), "Now:\n```python\n", "x = 3\n"])
    assert events == [[Lines(("x = 1", "y = 2"))], [], [Restart(), Lines(("x = 3",))]]


def test_a_quotation_alone_is_the_code() -> None:
    assert read("It is right:\n" + block(OLD)) == Read(["x = 1", "y = 2"])
    assert read("It is right:\n" + block(OLD) + "It prints:\n" + block("1\n", "")).lines == ["x = 1", "y = 2"]


def test_a_quotation_is_known_whatever_its_indentation() -> None:
    assert read(block("a\n  b\n") + block("c\n"), "    a\n      b\n") == Read(["    c"])


def test_later_blocks_are_told_unless_they_are_the_same_again() -> None:
    assert read(block("x = 3\n") + block("x = 5\n")) == Read(["x = 3"], has_more=True)
    assert read(block("x = 3\n") + block("x = 3\n\n")) == Read(["x = 3"])
    assert read("So:\n" + block("x = 3\n", "") + block("x = 5\n", "")) == Read(["x = 3"], has_more=True)


def test_an_open_fence_is_told() -> None:
    assert read("```python\nx = 3\ny = 4") == Read(["x = 3", "y = 4"], is_open=True)
    assert read("```python\nx = 3\n<|im_end|>\n") == Read(["x = 3"], is_open=True)


@pytest.mark.parametrize("answer", ["", " \n\n", "<|im_end|>", block(""), block("\n  \n"), block("", "")])
def test_nothing_is_empty(answer: str) -> None:
    assert read(answer) == Read([], "empty")


def test_a_fence_with_a_tag_in_a_block_is_nested() -> None:
    answer = block("# T\n```py\n1\n```\nend\n", "markdown") + "Run it:\n" + block("ls\n", "bash")
    assert read(answer, "# S\n", "markdown") == Read(["# T", "```py", "1", "```", "end"], has_more=True)


NESTED = block("# T\n```\n1\n```\nend\n", "markdown")


def test_a_bare_fence_in_a_markdown_block_is_ambiguous_when_others_follow() -> None:
    assert read(NESTED, "# S\n", "markdown") == Read(["# T"], "ambiguous")
    more = NESTED.replace("end", "```\n2\n```\nend")
    assert read(more, "# S\n```\n0\n```\n", "markdown") == Read(["# T"], "ambiguous")


def test_a_bare_fence_in_a_markdown_block_is_nested_where_the_target_has_such() -> None:
    assert read(NESTED, "# S\n```\n0\n```\n", "markdown") == Read(["# T", "```", "1", "```", "end"])


def test_a_longer_fence_holds_shorter_ones() -> None:
    answer = block("# T\n```\n1\n```\n", "markdown", "````") + "And:\n" + block("x\n", "")
    assert read(answer, "# S\n", "markdown") == Read(["# T", "```", "1", "```"], has_more=True)
    answer = block("# T\n", "markdown", "````") + "And:\n" + block("x\n", "", "````")
    assert read(answer, "# S\n", "markdown") == Read(["# T"], has_more=True)


def test_the_only_bare_fence_ends_a_markdown_block() -> None:
    assert read(block("# T\n", "markdown") + "Done.", "# S\n", "markdown") == Read(["# T"])


def test_a_quotation_in_markdown_gives_way_too() -> None:
    answer = "Was:\n" + block("# S\n", "markdown") + "Now:\n" + block("# T\n", "markdown")
    assert read(answer, "# S\n", "markdown") == Read(["# T"])


def test_a_document_with_blocks_may_come_without_a_fence_around_it() -> None:
    old = "# T\nRun it:\n```\nls\n```\n"
    assert read(old.replace("ls", "ls -l"), old, "markdown") == Read(["# T", "Run it:", "```", "ls -l", "```"])
    assert read("So:\n" + block("# T\nRun it.\n", ""), old, "markdown") == Read(["# T", "Run it."])


DOCSTRING = 'def f():\n    """Do.\n\n```\nf()\n```\n    """\n'


def test_a_fence_in_a_docstring_is_a_line_of_it() -> None:
    assert read(block(DOCSTRING + "    g()\n"), "") == Read([*DOCSTRING.splitlines(), "    g()"])
    tagged = DOCSTRING.replace("```\nf", "```python\nf")
    assert read(block(tagged), "") == Read(tagged.splitlines())


def test_a_fence_in_a_docstring_that_is_never_closed_was_the_end() -> None:
    assert read(block('def f():\n    """Do.\n') + "Done.\n", "") == Read(["def f():", '    """Do.'])
    assert read(block('a = """b\n') + block("c\n", "bash"), "") == Read(['a = """b'], has_more=True)


def test_a_docstring_that_a_block_only_ends_does_not_swallow_the_next_block() -> None:
    old = '    Old.\n    """\n'
    assert read("Was:\n" + block(old) + "Now:\n" + block(old.replace("Old", "New")), old) == Read(
        ["    New.", '    """']
    )


def test_triple_quotes_in_strings_and_comments_open_nothing() -> None:
    assert read(block('a = \'"""\'  # """\n') + 'x """\n', "") == Read(['a = \'"""\'  # """'])


@pytest.mark.parametrize(
    ("code", "replaced", "fitted"),
    [
        ("if x:\n    a\n", "        a\n", ["        if x:", "            a"]),
        ("    a\n    b\n", "a\n", ["a", "b"]),
        ("        a\n    b\n", "    a\n", ["    a", "b"]),
        ("    a\n  b\nc\n", "a\n", ["a", "b", "c"]),
        ("a(\n    b\n)\n", "    a(\n        b\n    )\n    b\n", ["    a(", "        b", "    )"]),
        ("\n\n  a\n", "    x\n", ["    a"]),
        ("\n\n  a\n", "\n    x\n", ["", "", "    a"]),
        ("a\n   \nb\n", "  x\n", ["  a", "   ", "  b"]),
        ("a\n  b\n", "\n", ["a", "  b"]),
        ("a\n  b\n", "", ["a", "  b"]),
        ("  a\n", "", ["  a"]),
        ("a\n", "\ufeff  x\n", ["  a"]),
        ("\ufeffa\n", "  x\n", ["  a"]),
        ("a\n", "\tx\n\t  y\n", ["\ta"]),
        ("def f():\n        return 2\n", "    def f():\n        return 1\n", ["    def f():", "        return 2"]),
        ("a = 1\n    b = 2\n", "    a = 0\n    b = 2\n", ["    a = 1", "    b = 2"]),
        ("if a:\n    b = 2\n", "    b = 2\n", ["    if a:", "        b = 2"]),
        ("f(\n        a,\n)\n", "    f()\n", ["    f(", "            a,", "    )"]),
        ("a\n", "    x\n", ["    a"]),
        ("a\n\n\n", "x\n\n", ["a", "", ""]),
    ],
)
def test_code_takes_the_documents_indentation(code: str, replaced: str, fitted: list[str]) -> None:
    assert read(block(code), replaced) == Read(fitted)


@pytest.mark.parametrize(
    ("code", "replaced", "fitted"),
    [
        ("if a:\n    b\n    if c:\n        d\n", "\tx\n\t\ty\n", ["\tif a:", "\t\tb", "\t\tif c:", "\t\t\td"]),
        ("    if a:\n      b\n", "\tx\n", ["\tif a:", "\t\tb"]),
        ("if a:\n\tb\n\n\t\tc\n", "  x\n    y\n", ["  if a:", "    b", "", "      c"]),
        ("\tif a:\n\t\tb\nc\n", "    x\n", ["    if a:", "        b", "c"]),
        ("/*\n * a\n */\nf() {\n  b\n}\n", "/*\n * c\n */\n\tx\n", ["/*", " * a", " */", "f() {", "\tb", "}"]),
    ],
)
def test_tabs_and_spaces_become_the_documents(code: str, replaced: str, fitted: list[str]) -> None:
    assert read(block(code), replaced) == Read(fitted)


def test_recipes_of_a_makefile_have_tabs() -> None:
    assert read(block("all:\n    cc x\n", "make"), "all:\n", "makefile") == Read(["all:", "\tcc x"])


@pytest.mark.parametrize("code", ["if a:\n     b\n      c\n", "if a:\n\tb\n        c\n", "if a:\n \tb\n"])
def test_indentation_of_no_one_style_is_a_problem(code: str) -> None:
    assert read(block(code), "x:\n\ty\n") in (Read(["if a:"], "tabs"), Read(["if a:", "\tb"], "tabs"))


def test_code_stops_where_a_line_stands_for_code_left_out() -> None:
    answer = block("x = 3\n\n    # ... rest unchanged\nz = 1\n")
    assert read(answer) == Read(["x = 3"], left_out="# ... rest unchanged")
    assert read(answer, "x = 1\n# ... rest unchanged\n").left_out is None


def test_a_line_that_the_stream_holds_comes_before_the_placeholder() -> None:
    placeholder = "# ... rest unchanged"
    assert read(block(f"x = 3\n{placeholder}\n"), "    x = 1\n") == Read(["    x = 3"], left_out=placeholder)


def test_control_characters_are_no_code() -> None:
    assert read(block("a\nb\0\nc\n")) == Read(["a"], "binary")
    assert read(block("a\x1bb\n"), "\x1b\n") == Read(["a\x1bb"])
    assert read(block("a\tb\fc\n")) == Read(["a\tb\fc"])


@pytest.mark.parametrize("line", ["x" * ((1 << 20) + 1), "a\n" * 200_001])
def test_there_is_a_limit(line: str) -> None:
    assert read_pieces([block(f"a\n{line}\n")], OLD, "python").problem == "too_large"


def test_a_text_without_end_is_not_read_to_its_end() -> None:
    stream = CodeStream("python", [])
    for _ in range(40):
        stream.feed("x" * (1 << 20))
    assert (stream.finish(), stream.problem) == ([], "too_large")


@pytest.mark.parametrize(
    ("answer", "replaced", "language", "lines"),
    [
        ("x = 3\ny = 4\n", OLD, "python", ["x = 3", "y = 4"]),
        ("    x = 3\n    y = 4", OLD, "python", ["x = 3", "y = 4"]),
        ("Here is the code:\n\nx = 3\n\nI changed the number.\n", OLD, "python", ["x = 3"]),
        ("Here is the code:\nx = 3\n<|im_end|>\n</s>", OLD, "python", ["x = 3"]),
        ("for x in range(3):\n    print(x)", "", "python", ["for x in range(3):", "    print(x)"]),
        ("elif x:\n    print(x)", "", "python", ["elif x:", "    print(x)"]),
        ("let a = 1;\nif (a) {\n  b();\n}", "", "javascript", ["let a = 1;", "if (a) {", "  b();", "}"]),
        ("A line.\nAnother one.", "A line.\nAn other one.", "markdown", ["A line.", "Another one."]),
        ("x = 3\ny = 4\n```\n", OLD, "python", ["x = 3", "y = 4"]),
        ("The fix:\n\n    x = 3\n    y = 4\n", OLD, "python", ["x = 3", "y = 4"]),
        ("SELECT a, b\nFROM t\nWHERE c = 1", "SELECT a FROM t", "sql", ["SELECT a, b", "FROM t", "WHERE c = 1"]),
        ("demo.py, line 3:\nx = 3\ny = 2", OLD, "python", ["x = 3", "y = 2"]),
    ],
)
def test_code_may_come_without_a_fence(answer: str, replaced: str, language: str, lines: list[str]) -> None:
    assert read(answer, replaced, language) == Read(lines)


@pytest.mark.parametrize(
    ("answer", "language"),
    [
        ("I would rename the variable (it is short).", "python"),
        ("Sorry, I cannot help with that.", "javascript"),
        ("Done", "python"),
        ("    Done", "python"),
        ("this is fine", "python"),
        ("Note: this", "python"),
        ("The code is right; nothing is to be changed.\n\nAsk again.", "c"),
        ("1. Rename the variable x here\n2. Delete the other line", "rust"),
        ("我会重命名这个变量。", "python"),
        ("I'm sorry, but I can't do that (policy)", "javascript"),
        ("Here's how:\n\nUse the `foo()` function instead of bar().", "javascript"),
        ("Some other text.\n\nAnd more.", "markdown"),
    ],
)
def test_prose_is_no_code(answer: str, language: str) -> None:
    assert read(answer, OLD, language) == Read([], "none")


def test_code_without_a_fence_is_not_said_before_the_end() -> None:
    assert known(["x = 3\n", "y = 2\n"]) == [[], []]


def test_a_whole_answer_that_goes_on_restarts_nothing() -> None:
    stream = CodeStream("python", [])
    assert stream.feed("```python\nx = 3\ny") == [Lines(("x = 3",))]
    assert stream.replace("```python\nx = 3\ny = 4\n") == [Lines(("y = 4",))]


def test_finishing_twice_says_nothing_twice() -> None:
    stream = CodeStream("python", ["x = 1"])
    stream.feed("x = 1\ny = 3")
    assert [stream.finish(), stream.finish()] == [[Lines(("x = 1", "y = 3"))], []]


def test_another_answer_begins_anew() -> None:
    stream = CodeStream("python", [])
    stream.feed("```python\nx = 3\ny")
    assert stream.replace("```python\nz = 1\n```\n") == [Restart(), Lines(("z = 1",))]
    assert (stream.finish(), stream.problem) == ([], None)


@pytest.mark.parametrize("seed", range(150))
def test_any_answer_is_read_alike_at_any_cut(seed: int) -> None:
    choose = random.Random(seed)
    pieces = ["```", "python", "markdown", "\n", "\n", "\n", "~~~", "a", "    b", '"""', "\t", " ", "- ", "# ... rest",
              "x = 1", "y = 2", "\r", "<|im_end|>", "\0", "bash", "````", "if a:"]  # fmt: skip
    answer = "".join(choose.choices(pieces, k=choose.randrange(40)))
    print("seed", seed, repr(answer))
    replaced = choose.choice([OLD, "", "    x = 1\n", "\tx = 1\n\t\ty\n", "# T\n```\nx\n```\n"])
    language = choose.choice(["python", "markdown", "", "makefile"])
    for is_cut in (False, True):
        whole = read_pieces([answer], replaced, language, is_cut=is_cut)
        for cut in cuts(answer):
            assert read_pieces(cut, replaced, language, is_cut=is_cut) == whole, cut


FUNCTION = "def f(a):\n    b = a\n    return b\n"
FIXED = FUNCTION.replace("b = a", "b = a + 1")


def test_a_few_lines_of_the_target_are_a_quotation_where_the_code_follows() -> None:
    fixed = Read(FIXED.splitlines())
    assert read("Here:\n" + block("    b = a\n") + "So:\n" + block(FIXED), FUNCTION) == fixed
    assert read("Here:\n" + block("b = a\nreturn b\n") + "So:\n" + block(FIXED), FUNCTION) == fixed
    assert read("Here:\n" + block("def f(a):\n") + "So:\n" + block(FIXED), FUNCTION) == fixed
    assert read("Here:\n" + block("    b = a\n", "") + "So:\n" + block(FIXED, ""), FUNCTION) == fixed
    assert read(block("b = a\n") + block("def f(a, c):\n    pass\n"), FUNCTION) == Read(["def f(a, c):", "    pass"])


def test_a_quotation_of_a_few_lines_is_not_said_before_it_is_known_to_be_the_code() -> None:
    pieces = ["```python\n    b = a\n", "```\n", "```python\ndef f(a):\n"]
    assert known(pieces, FUNCTION) == [[], [], [Lines(("def f(a):",))]]
    assert known(["```python\nb = a\n", "c = b\n"], FUNCTION) == [[], [Lines(("b = a", "c = b"))]]


def test_a_few_lines_of_the_target_are_the_code_where_no_other_follows() -> None:
    assert read(block("    b = a\n    return b\n"), FUNCTION).lines == ["b = a", "return b"]
    shorter = block("def f(a):\n    b = a\n") + "Use it:\n" + block("print(f(1))\n")
    assert read(shorter, FUNCTION) == Read(["def f(a):", "    b = a"], has_more=True)


@pytest.mark.parametrize(
    ("answer", "language"),
    [
        ("```python\nx = 3\ny = 4```", "python"),
        ("```python\nx = 3\ny = 4```\n\nI changed both of the numbers.\n", "python"),
        ("```python\nx = 3\ny = 4```\nRun it:\n```bash\npython x.py\n```\n", "python"),
        ("```python\nx = 3\ny = 4```\nIt is run like this:\n```\npython x.py\n```\n", "python"),
    ],
)
def test_a_closing_fence_may_stand_behind_the_last_line(answer: str, language: str) -> None:
    found = read(answer, OLD, language)
    assert (found.lines, found.is_open) == (["x = 3", "y = 4"], False)


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("a = `x\n${b}```\nc()\n", "javascript"),
        ("a('b```\nc()\n", "shellscript"),
        ("/// ```\n/// f();\n/// ```\nfn f() {}\n", "rust"),
        ("# see ```\nx\n", "python"),
        ('"""a```\nb"""\n', "python"),
    ],
)
def test_backticks_at_the_end_of_a_line_are_code_where_the_block_goes_on(code: str, language: str) -> None:
    assert read(block(code, language), "z\n", language) == Read(code.splitlines())


def test_code_behind_the_tag_of_a_fence_is_the_first_line() -> None:
    assert read("```python def f(a):\n    return a\n```\n", FUNCTION) == Read(["def f(a):", "    return a"])


def test_half_a_line_is_no_code() -> None:
    assert read("```python\nx = 3\ny = ret", is_cut=True) == Read(["x = 3"], is_open=True)
    assert read("```python\nx = 3\ny = 4\n", is_cut=True) == Read(["x = 3", "y = 4"], is_open=True)
    assert read("```python\nx = 3\ny = 2", is_cut=True) == Read(["x = 3", "y = 2"], is_open=True), "an old line"
    assert read("```python\nx = 3\n```", is_cut=True) == Read(["x = 3"])
    assert read("x = 3\ny = 2\nz = 1", is_cut=True).lines == ["x = 3", "y = 2"]


@pytest.mark.parametrize(
    ("code", "replaced", "language", "fitted"),
    [
        ("a := 1\n\tb()\n", "\tc()\n\tb()\n\n", "go", ["\ta := 1", "\tb()"]),
        ("a := 1\n\tif b {\n\t\tc()\n\t}\n", "\tc()\n", "go", ["\ta := 1", "\tif b {", "\t\tc()", "\t}"]),
        ("a = 1\n    c = 2\n", "    a = 0\n    b = 0\n", "python", ["    a = 1", "    c = 2"]),
        ("if a:\n    c = 2\n", "    a = 0\n", "python", ["    if a:", "        c = 2"]),
        ("f(a)\n    .g()\n", "    x()\n", "javascript", ["    f(a)", "        .g()"]),
        ("a() {\n    b;\n}\n", "  a() {\n    b;\n    c;\n  }\n", "javascript", ["  a() {", "      b;", "  }"]),
        ("a() {\n    c;\n  }\n", "  a() {\n    b;\n  }\n", "javascript", ["  a() {", "    c;", "  }"]),
        ("f(`\n  a\n`)\n\tb()\n", "f()\n\tb()\n", "go", ["f(`", "  a", "`)", "\tb()"]),
        ("a:\n    b\n", "ifeq a\n    b\nendif\na:\n\tc\n", "makefile", []),
    ],
)
def test_what_the_lines_say_decides_about_indentation(
    code: str, replaced: str, language: str, fitted: list[str]
) -> None:
    assert read(block(code, language), replaced, language).lines == (fitted or ["a:"])


def test_an_empty_place_takes_the_style_and_the_body_from_the_lines_above() -> None:
    above = "func f() {\n\tg()\n}\n"
    assert read(block("func h() {\n    g()\n}\n", "go"), "", "go", above) == Read(["func h() {", "\tg()", "}"])
    assert read(block("x = 1\n"), "\n", "python", "def f():\n") == Read(["    x = 1"])
    assert read(block("    x = 1\n"), "\n", "python", "def f():\n") == Read(["    x = 1"])
    assert read(block("def g(): pass\n"), "", "python", "def f():\n    pass\n\n") == Read(["def g(): pass"])


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("# ...", "python"),
        ("# …", "python"),
        ("// ...", "python"),
        ("/* ... */", "python"),
        ("# [...]", "python"),
        ("# (previous code)", "python"),
        ("# [previous code]", "python"),
        ("// unchanged fields", "python"),
        ("// fields unchanged", "python"),
        ("# same as original", "python"),
        ("# same as in the original", "python"),
        ("# no changes", "python"),
        ("# ... (no changes)", "python"),
        ("# continue as before", "python"),
        ("# 与原来相同", "python"),
        ("# 其余不变", "python"),
        ("# 以下省略", "python"),
        ("# 以上代码", "python"),
        ("# 以下与原代码相同", "python"),
        ("# 后面的代码不变", "python"),
        ("# ……（省略）", "python"),
        ("// 其他字段保持不变", "python"),
        ("pass  # rest unchanged", "python"),
        ("pass  # existing implementation unchanged", "python"),
        ("### rest of the code unchanged ###", "python"),
        ("# (code above stays the same)", "python"),
        ("# (rest of config)", "python"),
        ("# rest of the configuration unchanged", "python"),
        ("# other services unchanged", "python"),
        ("# ... rest of your code ...", "python"),
        ("// ... validation logic ...", "python"),
        ("# everything else stays the same", "python"),
        ("# keep existing code", "python"),
        ("# Implementation remains unchanged", "python"),
        ("// rest of the methods remain the same as before", "python"),
        ("# implementation omitted", "python"),
        ("# Rest of the function stays exactly as it was", "python"),
        ("// ... (same as before)", "python"),
        ("/* unchanged */", "python"),
        ("(* ... *)", "python"),
        ("{# ... #}", "python"),
        ("<!-- ... -->", "python"),
        ("# The other methods stay as they were", "python"),
        ("// ... more methods", "python"),
        ("load() { /* ... existing code ... */ }", "python"),
        ("load() { /* unchanged */ }", "python"),
        ("def f(self): ...  # unchanged", "python"),
        ("# existing code here", "python"),
        ("# 原有代码保持不变", "python"),
        ("# 保留原有代码", "python"),
        ("# 此处代码与之前相同", "python"),
        ("# 中间部分省略", "python"),
        ("# 以下代码未修改", "python"),
        ("# 既存のコード", "python"),
        ("// 省略", "python"),
        ("# [snip]", "python"),
        ("# Same code as before", "python"),
        ("# your existing code goes here", "python"),
        ("# rest of your code here", "python"),
        ("# Existing routes here", "python"),
        ("...", "markdown"),
        ("…", "markdown"),
        ("[...]", "markdown"),
        ("（其余内容保持不变）", "markdown"),
        ("<!-- rest of the document unchanged -->", "markdown"),
        ("*(The rest of the document remains unchanged.)*", "markdown"),
        ("*(rest unchanged)*", "markdown"),
        ("_rest of the document unchanged_", "markdown"),
        ("[rest of document unchanged]", "markdown"),
        ("toggle() { ... }", "javascript"),
        ("    ...", "yaml"),
    ],
)
def test_a_wording_that_stands_for_code_is_known(line: str, language: str) -> None:
    assert stands_for_code(line, language)


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("# Sort the remaining items", "python"),
        ("# the rest of the path", "python"),
        ("# unchanged since version 2", "python"),
        ("# existing customers keep their old price", "python"),
        ("# The rest of the items is handled by receipt()", "python"),
        ("# rest of the packages come from the lock file", "python"),
        ("// the existing value wins", "python"),
        ("# same as above", "python"),
        ("# Other imports", "python"),
        ("# Existing users", "python"),
        ("# No changes needed", "python"),
        ("# Same length", "python"),
        ("x = 1  # unchanged", "python"),
        ("# Keep the original order", "python"),
        ("# remaining fields", "python"),
        ("# password unchanged", "python"),
        ("# and so on", "python"),
        ("# Other settings", "python"),
        ("# keep a copy of the original file", "python"),
        ("# 保留所有行", "python"),
        ("# 相同的行", "python"),
        ("# here", "python"),
        ("# values below", "python"),
        ("# ----", "python"),
        ("#", "python"),
        ("//", "python"),
        ("# include the file here", "python"),
        ("# The value is the same", "python"),
        ("# skip unchanged lines", "python"),
        ("# Original", "python"),
        ("# Previous", "python"),
        ("print(...)", "python"),
        ("# the same file", "python"),
        ("# if the rest is empty", "python"),
        ("return None", "python"),
        ("pass", "python"),
        ("pass  # nothing to do", "python"),
        ("# old code", "python"),
        ("# Check the file is here", "python"),
        ("# original file", "python"),
        ("# previous line", "python"),
        ("// Do not reorder these fields", "python"),
        ("# value here", "python"),
        ("# Add the values here", "python"),
        ("# other", "python"),
        ("# the lines are the same", "python"),
        ("# test case", "python"),
        ("## Unchanged", "markdown"),
        ("# Other settings here", "markdown"),
        ("- the rest is unchanged", "markdown"),
        ("The rest is unchanged.", "markdown"),
        ("(see below)", "markdown"),
        ("[link]", "markdown"),
        ("[existing code](x)", "markdown"),
        ("x = {...}", "python"),
        ("...", "yaml"),
        ("...existing,", "javascript"),
    ],
)
def test_an_ordinary_remark_stands_for_itself(line: str, language: str) -> None:
    assert not stands_for_code(line, language)


def test_dots_alone_are_judged_by_the_line_above_them() -> None:
    assert stands_for_code("...", "c", "x;")
    assert not stands_for_code("...", "c", "int f(char *a,")
    assert stands_for_code("...", "python", "x = 1")
    assert not stands_for_code("...", "python", "def f():")
    assert not stands_for_code("...", "python", ">>> for a in b:")
    assert read(block("# T\n```py\n...\n```\n", "markdown"), "# S\n", "markdown").left_out is None
