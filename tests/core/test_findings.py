"""A review's text becomes findings: in all the ways that models write it, whole, byte by byte and in random cuts."""

from __future__ import annotations

import random
from time import thread_time

import pytest

from sidelight.core.changed_code import show_changes
from sidelight.core.changes import ChangedFile, Changes
from sidelight.core.finding_lines import read_line
from sidelight.core.finding_places import Reviewed
from sidelight.core.findings import Finding, FindingStream
from sidelight.editing.text import split_lines

CODE = """import os


def area(w, h):
    total = w + h
    return total


def mean(items):
    return sum(items) / len(items)
"""


def read(text: str, *files: Reviewed) -> list[Finding]:
    stream = FindingStream(files or [Reviewed("a.py", split_lines(CODE), 0, 10)])
    stream.feed(text)
    stream.finish()
    return stream.findings


def places(text: str, *files: Reviewed) -> list[tuple[int, int]]:
    return [(finding.first + 1, finding.end) for finding in read(text, *files)]


# One line


@pytest.mark.parametrize(
    "line",
    [
        "12 | warning | It is wrong.",
        "- **Line 12** - **Warning** - It is wrong.",
        "### Line 12 | warning | It is wrong.",
        "* 12: **warning**: It is wrong.",
        "1. Line 12 (warning): It is wrong.",
        "> 12 | Warning | It is wrong.",
        "`12` | `warning` | It is wrong.",
        "| 12 | warning | It is wrong. |",
        "**12 | warning | It is wrong.**",
        "12 – warning – It is wrong.",
        "[WARNING] Line 12 - It is wrong.",
        "- **Warning** (line 12): It is wrong.",
        "warning | 12 | It is wrong.",
        "L12: medium: It is wrong.",
        "第12行 | 警告 | It is wrong.",
        "12 | It is wrong.",
        "Line 12: It is wrong.",
        "a.py:12: warning: It is wrong.",
        "a.py:12:5: warning: It is wrong.",
    ],
)
def test_a_finding_is_read_however_it_is_dressed(line: str) -> None:
    said = read_line(line)
    assert said is not None
    assert (said.first, said.last, said.message) == (12, 12, "It is wrong.")
    assert said.severity in (None, "warning")


@pytest.mark.parametrize(
    "line",
    [
        "Here is my review of 3 functions:",
        "3 problems were found:",
        "1. The first thing is this.",
        "2) other",
        "| Line | Severity | Message |",
        "|------|----------|---------|",
        "At line 12 there is a problem",
        "In 2024, things | were different",
        "Score: 8/10",
        "def f(x: int) -> 12:",
        "Step 1: do this",
        "NO FINDINGS",
        "",
    ],
)
def test_prose_is_no_finding(line: str) -> None:
    assert read_line(line) is None


def test_ranges_categories_and_files_are_read() -> None:
    said = read_line("- src/a b.py:12-14 | error [security] | a | b is wrong, see `x | y`")
    assert said is not None
    assert (said.file, said.first, said.last, said.severity, said.code) == ("src/a b.py", 12, 14, "error", "security")
    assert said.message == "a | b is wrong, see `x | y`"


# Places


def test_a_line_that_does_not_exist_stands_where_its_code_does() -> None:
    assert places("99 | hint | `import os` is unused\n") == [(1, 1)]


def test_a_line_with_other_code_moves_to_what_was_quoted() -> None:
    assert places("3 | error | `sum(items) / len(items)` fails for nothing\n") == [(10, 10)]


def test_a_name_that_is_only_recommended_moves_nothing() -> None:
    assert places("5 | hint | Use `area` or `sum` here.\n") == [(5, 5)]


def test_what_points_nowhere_stands_at_the_first_line_of_what_was_reviewed() -> None:
    (finding,) = read("99 | hint | Nothing here.\n", Reviewed("a.py", split_lines(CODE), 8, 10))
    assert (finding.first, finding.end, finding.missing) == (8, 9, 99)


def test_a_block_that_quotes_moves_the_finding_and_is_no_replacement() -> None:
    text = "2 | warning | Mean of nothing.\n```python\ndef mean(items):\n    return sum(items) / len(items)\n```\n"
    (finding,) = read(text)
    assert (finding.first, finding.end, finding.suggestion) == (8, 10, None)


def test_a_finding_in_several_files_goes_to_the_file_that_is_named() -> None:
    files = [Reviewed("src/a.py", ["x = 1\n", ""], 0, 1), Reviewed("src/b.py", ["y = 2\n", "z = 3\n", ""], 0, 2)]
    found = read("b/src/b.py:2 | error | One.\nnowhere.py:1 | error | Two, `y = 2`.\n1 | hint | Three.\n", *files)
    assert [(one.file, one.first) for one in found] == [(1, 1), (1, 0), (0, 0)]


# Replacements


def test_the_block_below_a_finding_is_its_replacement() -> None:
    (finding,) = read("5 | error | No area.\n\nBetter:\n```python\n    total = w * h\n```\n")
    assert finding.suggestion is not None
    assert (finding.suggestion.first, finding.suggestion.end) == (4, 5)
    assert finding.suggestion.lines == ("    total = w * h",)


def test_line_numbers_that_were_copied_are_taken_off() -> None:
    (finding,) = read("5 | error | No area.\n```\n 5|     total = w * h\n 6|     return total\n```\n")
    assert finding.suggestion is not None
    assert finding.suggestion.lines == ("    total = w * h", "    return total")
    assert (finding.suggestion.first, finding.suggestion.end) == (4, 6)


def test_a_replacement_that_repeats_what_stands_around_replaces_that_too() -> None:
    whole = "def area(w, h):\n    total = w * h\n    return total\n"
    for line in (4, 5, 6):
        (finding,) = read(f"{line} | error | No area.\n```python\n{whole}```\n")
        assert finding.suggestion is not None
        assert (finding.suggestion.first, finding.suggestion.end) == (3, 6), line


def test_a_replacement_does_not_reach_for_lines_that_it_does_not_repeat() -> None:
    code = "if not a:\n    return None\nb = one()\nc = two()\nif not c:\n    return None\nd = c\n"
    text = "4 | warning | Unchecked.\n```\nc = two()\nif not c:\n    return None\n```\n"
    (finding,) = read(text.replace("4 |", "3 |"), Reviewed("a.py", split_lines(code), 0, 7))
    assert finding.suggestion is None or finding.suggestion.first == 2


def test_a_diff_replaces_the_lines_that_it_takes_away() -> None:
    (finding,) = read("4 | error | No area.\n```diff\n-    total = w + h\n+    total = w * h\n     return total\n```\n")
    assert finding.suggestion is not None
    assert (finding.suggestion.first, finding.suggestion.end) == (4, 6)
    assert finding.suggestion.lines == ("    total = w * h", "    return total")


def test_a_block_that_was_cut_off_is_no_replacement() -> None:
    (finding,) = read("5 | error | No area.\n```python\n    total = w *")
    assert finding.suggestion is None


def test_findings_in_a_fence_are_findings() -> None:
    assert places("```\n5 | error | One.\n10 | hint | Two.\n```\n") == [(5, 5), (10, 10)]


def test_headings_and_labels_are_one_finding() -> None:
    (finding,) = read("### Line 5\n- **Severity:** high\n- **Message:** No area.\n")
    assert (finding.severity, finding.message) == ("error", "No area.")


def test_that_nothing_was_found_is_understood() -> None:
    stream = FindingStream([Reviewed("a.py", split_lines(CODE), 0, 10)])
    stream.feed("NO FINDINGS")
    stream.finish()
    assert stream.is_clean
    assert stream.findings == []


# Pieces

WHOLE = """Here is what I see.

- **Line 5** | error | The area is `w * h`.
```python
 5|     total = w * h
```
10 | warning [robustness] | `items` may be empty.
99 | hint | `import os` is unused\r
### Line 4: warning
The name says area.
Now:
```python
def area(w, h):
    total = w + h
```
Better:
```python
def area(width, height):
    total = width * height
```
"""


def test_a_finding_is_there_when_its_line_is_complete() -> None:
    stream = FindingStream([Reviewed("a.py", split_lines(CODE), 0, 10)])
    assert not stream.feed("5 | error | No ")
    assert not stream.feed("area.")
    assert stream.feed("\n")
    assert [finding.message for finding in stream.findings] == ["No area."]


@pytest.mark.parametrize("seed", range(20))
def test_pieces_make_no_difference(seed: int) -> None:
    print(f"seed {seed}")
    choose, whole, at = random.Random(seed), read(WHOLE), 0
    assert [finding.first for finding in whole] == [4, 9, 0, 3]
    stream = FindingStream([Reviewed("a.py", split_lines(CODE), 0, 10)])
    while at < len(WHOLE):
        size = 1 if seed == 0 else choose.choice((1, 2, 3, 7, 40))
        stream.feed(WHOLE[at : at + size])
        at += size
    stream.finish()
    assert stream.findings == whole


def test_an_answer_that_begins_anew_has_only_new_findings() -> None:
    stream = FindingStream([Reviewed("a.py", split_lines(CODE), 0, 10)])
    stream.feed("5 | error | One.\n```\nx")
    stream.restart()
    stream.feed("4 | error | Two.\n")
    stream.finish()
    assert [finding.message for finding in stream.findings] == ["Two."]


# Changes

PATCH = """diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -4,3 +4,4 @@
 def area(w, h):
-    total = w + h
+    total = w * h
+    print(total)
     return total
"""


def test_changes_are_shown_with_the_numbers_that_lines_have_now() -> None:
    now = CODE.replace("w + h\n", "w * h\n    print(total)\n")
    files = (
        ChangedFile("a.py", "changed", 2, 1, PATCH),
        ChangedFile("gone.py", "deleted", 0, 1, PATCH),
        ChangedFile("logo.png", "changed", None, None),
        ChangedFile(".env", "changed", 1, 1, PATCH),
    )
    shown = show_changes(Changes(files), {"a.py": now}.get, "project", "", "en")
    text = "".join(shown.context.lines)
    assert "  4| def area(w, h):\n-  |     total = w + h\n+ 5|     total = w * h\n+ 6|     print(total)\n" in text
    assert "=== gone.py (deleted, not shown)" in text
    assert "=== logo.png (changed, not shown)" in text
    assert ".env" not in text
    assert ".env" in str(shown.context.notes[0])
    assert [(file.name, file.first, file.end, len(file.lines)) for file in shown.files] == [("a.py", 3, 7, 12)]


def test_a_private_key_in_changes_is_hidden_although_lines_are_numbered() -> None:
    body = "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" for _ in range(3))
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    text = f'KEY = """{key}"""\n'
    added = "".join(f"+{line}\n" for line in text.splitlines())
    patch = f"diff --git a/k.py b/k.py\n--- a/k.py\n+++ b/k.py\n@@ -0,0 +1,5 @@\n{added}"
    shown = show_changes(Changes((ChangedFile("k.py", "added", 5, 0, patch),)), {"k.py": text}.get, "p", "", "en")
    assert "MIIEvQ" not in "".join(shown.context.lines)


def test_a_file_that_is_another_by_now_is_shown_as_the_diff_tells() -> None:
    shown = show_changes(Changes((ChangedFile("a.py", "changed", 2, 1, PATCH),)), lambda _: "x\n", "p", "", "en")
    assert shown.files[0].lines[4] == "    total = w * h\n"


def test_a_file_with_marks_at_its_beginning_is_found() -> None:
    files = [Reviewed(name, ["x\n"] * 20, 0, 20) for name in ("b.py", "__init__.py", "app/[id].tsx")]
    found = read("__init__.py:12 | warning | Wrong.\n[id].tsx:13 | error | Wrong.\n", *files)
    assert [(one.file, one.first, one.missing) for one in found] == [(1, 11, None), (2, 12, None)]


@pytest.mark.parametrize("sign", list("( _[`*"))
def test_a_model_that_repeats_itself_costs_no_time(sign: str) -> None:
    before = thread_time()
    for line in (f"{sign * 5000}1 x", f"x{sign * 5000}1", f"12{sign * 5000}x", f"error {sign * 5000}12 | x"):
        read_line(line)
    assert thread_time() - before < 1
