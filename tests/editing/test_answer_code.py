"""The code of an answer, while it arrives: the same at any cut, and never taken back in silence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sidelight.editing.answer_code import CodeEvent, CodeStream, Lines, Problem, Restart

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


def read_pieces(pieces: list[str], replaced: str, language: str) -> Read:
    stream = CodeStream(language, replaced.splitlines(keepends=True))
    lines: list[str] = []
    for piece in pieces:
        lines = shown(lines, stream.feed(piece))
    lines = shown(lines, stream.finish())
    return Read(lines, stream.problem, stream.is_open, stream.has_more, stream.left_out)


def cuts(text: str) -> Iterator[list[str]]:
    yield list(text)
    for seed in range(12):
        choose = random.Random(seed)
        borders = sorted(choose.choices(range(len(text) + 1), k=choose.randrange(1, 12)))
        print("seed", seed)
        yield [text[start:end] for start, end in zip([0, *borders], [*borders, len(text)], strict=True)]


def read(answer: str, replaced: str = OLD, language: str = "python") -> Read:
    """Read an answer whole, and byte by byte and at random cuts with the same result, also with CRLF."""
    whole = read_pieces([answer], replaced, language)
    for pieces in cuts(answer):
        assert read_pieces(pieces, replaced, language) == whole, pieces
    if "\r" not in answer:
        with_crlf = answer.replace("\n", "\r\n")
        assert all(read_pieces(pieces, replaced, language) == whole for pieces in ([with_crlf], list(with_crlf)))
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
        ("\n\n  a\n", "    x\n", ["", "", "    a"]),
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
    whole = read_pieces([answer], replaced, language)
    for cut in cuts(answer):
        assert read_pieces(cut, replaced, language) == whole, cut
