"""Brackets without partners: what is skipped, what counts where a comment or string is never closed, and the time."""

from __future__ import annotations

from time import thread_time

import pytest

from sidelight.editing.balance import imbalance
from sidelight.editing.gate import is_syntax_worse


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("c", "f(a[1]) { }", 0), ("c", "f(a[1)", 3), ("c", "} {", 2),
        ("c", "// (\n/* ( \n */ \"(\" '('", 0), ("c", "/* ( ", 1), ("c", '"(\n)', 1), ("c", '"\\"("', 0),
        ("c", "'\\'' '\\x28' ( 'a)", 0),
        ("javascript", "x = `(${a}\n`; y = /[/(]\\/(/;", 0), ("javascript", "x = a / b(", 1),
        ("javascript", "x = \n  /(/", 0), ("javascript", "x = `(", 2), ("javascript", "x = /(\n", 1),
        ("go", "x := `(\\`", 0), ("css", "a { b: '}' }", 0), ("jsonc", "{ // }\n}", 0),
        ("rust", "r#\"(\"(\"#", 0), ("rust", "r#\"(", 2), ("rust", "'a 'b' '('", 0), ("rust", "\"(\n\"", 0),
        ("php", "#[A(1)]\n# (", 0), ("ruby", '"#{a}(" # (', 0), ("toml", '"""\n[ " """\n[a]', 0),
        ("julia", '"""("""', 0), ("lua", "--[[ ( \n]] [[(]] -- (\n", 0), ("lua", "--[[ (\n)", 1), ("lua", "[[(", 3),
        ("makefile", "\\( $(a) # (", 0), ("terraform", 'a = "(" # (', 0),
        ("text", "(", None),
    ],
)  # fmt: skip
def test_what_has_no_partner_is_counted(language: str, text: str, expected: int | None) -> None:
    assert imbalance(text, language) == expected


def test_only_what_an_edit_breaks_counts() -> None:
    assert is_syntax_worse("f(1);\n", "f(1;\n", "c")
    assert not is_syntax_worse("f(1;\n", "g(1;\n", "c"), "it was broken before"
    assert not is_syntax_worse("f(1)", "f(1", "text"), "nobody knows"


UNCLOSED = [
    ("c", "int a; /* open {\n"), ("c", '\\"abc\\\n'), ("javascript", "\\`abc\n"), ("javascript", " \n"),
    ("javascript", "=/[/abc"), ("javascript", "= [/a]\\\n"), ("rust", 'r#"abc {\n'), ("rust", '\\"abc'),
    ("php", "\\'abc"), ("ruby", '\\"#{'), ("lua", "x = [[abc\n"), ("lua", "--[[ abc\n"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "unit"), UNCLOSED, ids=range(len(UNCLOSED)))
def test_time_grows_with_what_is_never_closed_and_not_with_its_square(language: str, unit: str) -> None:
    def takes(count: int) -> float:
        text, best = unit * count, 1e9
        for _ in range(2):
            began = thread_time()
            imbalance(text, language)
            best = min(best, thread_time() - began)
        return best

    small, large = takes(1_000), takes(8_000)
    assert large < 8 * 4 * max(small, 0.001), (small, large)
