"""Ranges that follow, blocks, code in answers, and what differs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidelight.editing.blocks import enclosing_block
from sidelight.editing.fences import CodeBlock, code_blocks
from sidelight.editing.fitting import fit
from sidelight.editing.languages import blocks_in
from sidelight.editing.left_out import left_out
from sidelight.editing.text import Place, Range, Text, split_lines, without_line_end
from sidelight.editing.tracked import TrackedRange

TEXTS = st.text(alphabet="ab\n", max_size=14)


def place(text: str, offset: int) -> Place:
    before = text[:offset]
    return Place(before.count("\n"), offset - before.rfind("\n") - 1)


@given(TEXTS, st.data(), st.booleans())
def test_a_range_follows_its_text_until_that_is_touched(text: str, data: st.DataObject, grows: bool) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    inside = text[start:end]
    tracked = TrackedRange(Range(place(text, start), place(text, end)), grows=grows)
    for _ in range(data.draw(st.integers(1, 4))):
        one = data.draw(st.integers(0, len(text)))
        other = data.draw(st.integers(one, min(len(text), one + 3)))
        new = data.draw(st.text(alphabet="xy\n", max_size=3))
        change = Range(place(text, one), place(text, other))
        text = text[:one] + new + text[other:]
        tracked.change(change, new)
        document = Text(text)
        assert document.clamp(tracked.range.start) == tracked.range.start
        assert document.clamp(tracked.range.end) == tracked.range.end
        if not tracked.is_touched:
            assert document.between(tracked.range) == inside


def test_text_typed_at_a_border_stays_outside() -> None:
    tracked = TrackedRange(Range(Place(1, 0), Place(2, 0)))
    tracked.change(Range(Place(1, 0), Place(1, 0)), "new\n")
    tracked.change(Range(Place(3, 0), Place(3, 0)), "below\n")
    assert (tracked.range, tracked.is_touched) == (Range(Place(2, 0), Place(3, 0)), False)


CODE = """\
import a

x = 1

@cached
def f(a,
      b):
    if a:
        return 1

    return 2

class A:
    def m(self):
        pass

    z = 3
"""


@pytest.mark.parametrize(
    ("line", "block"),
    [(0, (0, 1)), (1, (1, 1)), (2, (2, 3)), (4, (4, 11)), (5, (4, 11)), (8, (4, 11)), (9, (4, 11)), (12, (12, 17)),
     (14, (13, 15)), (16, (12, 17))],
)  # fmt: skip
def test_the_block_around_a_line_is_its_definition(line: int, block: tuple[int, int]) -> None:
    assert enclosing_block(CODE.splitlines(keepends=True), line) == block


def test_a_block_in_braces_ends_with_its_brace() -> None:
    lines = "int x;\n\nfunction f(a) {\n  if (a) {\n    return 1;\n  }\n}\n\nf(2);\n".splitlines(keepends=True)
    assert enclosing_block(lines, 4) == (2, 7)


def texts(answer: str) -> list[tuple[str, str, bool]]:
    return [(block.language, block.text, block.is_closed) for block in code_blocks(answer)]


def test_the_code_is_what_stands_between_fences_of_any_length() -> None:
    assert texts("Look:\n```python\nx = 1\n```\nand ~~~\n~~~~\ny\n~~~\n~~~~\n") == [
        ("python", "x = 1\n", True),
        ("", "y\n~~~\n", True),
    ]


def test_a_fence_with_a_language_inside_a_block_is_nested() -> None:
    assert texts("```markdown\n# T\n```py\n1\n```\nend\n```\n") == [("markdown", "# T\n```py\n1\n```\nend\n", True)]


def test_an_open_fence_is_told() -> None:
    assert texts("```python\nx = 1\ny") == [("python", "x = 1\ny", False)]


@pytest.mark.parametrize(
    ("code", "replaced", "line_end", "fitted"),
    [
        ("if x:\n    a\n", "        a\n", "\n", "        if x:\n            a\n"),
        ("    a\n", "    a\r\n", "\r\n", "    a\r\n"),
        ("    a\n    b\n", "a\n", "\n", "a\nb\n"),
        ("a\n\nb\n", "\tx\n", "\n", "\ta\n\n\tb\n"),
        ("a\n", "x", "\n", "a"),
        ("a", "x\n", "\n", "a\n"),
        ("a\n", "", "\n", "a\n"),
        ("", "x\n", "\n", ""),
        ("", "x", "\n", ""),
        ("a\n", "\ufeffx\n", "\n", "\ufeffa\n"),
        ("\ufeffa\n", "\ufeff    x\n", "\n", "\ufeff    a\n"),
        ("\ufeffa\n", "x\n", "\n", "a\n"),
    ],
)
def test_code_takes_indentation_and_line_ends_of_the_document(
    code: str, replaced: str, line_end: str, fitted: str
) -> None:
    assert fit(code, replaced, line_end) == fitted


@pytest.mark.parametrize(
    ("code", "replaced", "fitted"),
    [
        ("a\nnew\nb\nc\n", "a\r\nb\nc\r\n", "a\r\nnew\r\nb\nc\r\n"),
        ("b\nnew\n", "a\nb\n", "b\nnew\r\n"),
        ("a\nb\n", "a\n\tx\rb", "a\nb"),
        ("a\nb\nc\n", "a\nb", "a\nb\r\nc"),
        ("a\nb\n", "\ufeffa\nb\r\n", "\ufeffa\nb\r\n"),
    ],
)
def test_lines_that_stay_keep_their_own_line_ends(code: str, replaced: str, fitted: str) -> None:
    assert fit(code, replaced, "\r\n") == fitted


@given(st.text(alphabet="ab \r\n", min_size=1, max_size=14).filter(str.strip))
def test_code_that_changes_nothing_changes_no_line_end(old: str) -> None:
    lines = [without_line_end(line) for line in split_lines(old)]
    assert fit("\n".join(lines if not lines[-1] else [*lines, ""]), old, "\r\n") == old


def tags_in(language: str, *tags: str) -> list[str]:
    return [block.language for block in blocks_in(language, [CodeBlock(tag, "x\n", 1, 2, True) for tag in tags])]


@pytest.mark.parametrize(
    ("language", "tags", "fitting"),
    [
        ("python", ["bash", "py"], ["py"]),
        ("python", ["python3", "", "python"], ["python3", "python"]),
        ("python", ["bash", ""], [""]),
        ("python", ["bash", "json"], []),
        ("python", ["{.python"], ["{.python"]),
        ("python", ["python:a/b.py"], ["python:a/b.py"]),
        ("rs", ["rust"], ["rust"]),
        ("shellscript", ["console", "bash"], ["bash"]),
        ("cpp", ["c++"], ["c++"]),
        ("csharp", ["cs"], ["cs"]),
        ("typescriptreact", ["ts", "tsx"], ["tsx"]),
        ("typescriptreact", ["bash", "ts"], ["ts"]),
        ("javascript", ["java"], []),
        ("", ["makefile"], ["makefile"]),
        ("", ["makefile", ""], [""]),
    ],
)
def test_a_block_is_chosen_by_its_language(language: str, tags: list[str], fitting: list[str]) -> None:
    assert tags_in(language, *tags) == fitting


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the code unchanged",
        "    // ... existing code ...",
        "# rest unchanged",
        "# (the rest of the function stays the same)",
        "/* ... rest of the file ... */",
        "{/* ... existing code ... */}",
        "<!-- rest of the file unchanged -->",
        "-- ... remaining columns ...",
        "... existing code ...",
        "[... rest unchanged ...]",
        "...  # rest unchanged",
        "// existing code",
        "# Remaining code here...",
        "# Rest of the implementation",
        "# other methods remain unchanged",
        "# code omitted for brevity",
        "# … same as before",
        "# ... 其余代码保持不变",
        "// 其他代码不变",
        "# 其余代码",
        "# ……（省略）",
        "# 此处省略",
        "// ... 现有代码 ...",
        "# 其他方法与之前相同",
    ],
)
def test_a_line_that_stands_for_code_left_out_is_told(line: str) -> None:
    assert left_out(f"a = 1\n{line}\nb = 2\n", "a = 0\n") == line.strip()
    assert left_out(f"a = 1\n{line}\n", f"a = 0\n\t{line}\n") is None, "the user wrote it"


@pytest.mark.parametrize(
    "line",
    [
        "...",
        "    ...rest,",
        "...existing",
        "    ...",
        "def f(): ...",
        "rest = items[1:]",
        "# Sort the remaining items",
        "# The rest of the arguments",
        "# rest",
        "# Other imports",
        "# keep the order of existing rows",
        "# Loading the rest of it...",
        'print("... existing code ...")',
        "# 修改",
        "# 处理其余的项目",
        "case rest of",
    ],
)
def test_ordinary_code_stands_for_itself(line: str) -> None:
    assert left_out(f"{line}\n", "") is None
