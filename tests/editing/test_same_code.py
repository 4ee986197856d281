"""An edit that may only document: what counts as the same code, and what does not."""

from __future__ import annotations

from time import thread_time

import pytest

from sidelight.editing.same_code import changes_code

CODE = 'def area(r):  # in metres\n    """Old."""\n    return 3 * r * r\n\n\nclass Empty:\n    pass\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Old."""', '"""New.\n\n    More of it.\n    """'),
        ("    pass\n", '    """Nothing yet."""\n'),
        ('    """Old."""\n', ""),
        ("def area", '"""A module."""\n\n\ndef area'),
        ("    return", "    # why\n    return"),
    ],
)
def test_docstrings_and_new_comments_in_python_are_no_change(old: str, new: str) -> None:
    assert not changes_code(CODE, CODE.replace(old, new, 1), "python")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3 * r", "3.14 * r"),
        ("  # in metres", ""),
        ("def area(r)", "def area(r: float)"),
        ("    return 3 * r * r\n", ""),
        ("    return", "    '''no docstring'''; x = 1\n    return"),
        ("return 3 * r * r\n", "return 3 * (r * r\n"),
    ],
)
def test_code_lost_comments_and_broken_syntax_in_python_are_a_change(old: str, new: str) -> None:
    assert changes_code(CODE, CODE.replace(old, new, 1), "python")


def test_python_that_does_not_parse_is_compared_without_comments() -> None:
    broken = "def area(r:\n    return r\n"
    assert not changes_code(broken, broken.replace("    return", '    """Text."""\n    return'), "python")
    assert changes_code(broken, broken.replace("return r", "return 2"), "python")


SCRIPT = "function add(a, b) {\n  return `${a} // no` + b; // sum\n}\n"


def test_comments_of_other_languages_are_no_change_and_strings_are() -> None:
    documented = f"/**\n * Adds.\n */\n{SCRIPT}".replace(" // sum", "")
    assert not changes_code(SCRIPT, documented, "typescript")
    assert changes_code(SCRIPT, SCRIPT.replace("// no", ""), "typescript")
    rust = "fn add<'a>(a: &'a str) -> char {\n    '\"'\n}\n"
    assert not changes_code(rust, '/// Adds "all".\n' + rust, "rust")
    assert changes_code(rust, rust.replace("'\"'", "'x'"), "rust")


def test_languages_that_nobody_reads_are_let_through() -> None:
    assert not changes_code("a", "b", "cobol")


def test_comments_that_are_never_closed_cost_no_time() -> None:
    before = thread_time()
    assert changes_code("/* " * 10_000, "/* " * 10_000 + "x", "java")
    assert thread_time() - before < 0.5
