"""What a commit message is asked about, and what is left of an answer."""

from __future__ import annotations

import pytest

from sidelight.core.changes import ChangedFile, Changes
from sidelight.core.tasks.commit import clean_message, staged_context


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Add x\n\nWhy.\n", "Add x\n\nWhy."),
        ("```\nAdd x\n\nWhy.\n```", "Add x\n\nWhy."),
        ("Here is the message:\n\n```text\nAdd x\n```\nI hope it helps.", "Add x"),
        ("`Add x`", "Add x"),
        ('"Add x"', "Add x"),
        ("Add x\n\n```\nsidelight commit\n```", "Add x\n\n```\nsidelight commit\n```"),
        ("fix: handle `None`", "fix: handle `None`"),
        ("```\nAdd x", "Add x"),
        ("", ""),
    ],
)
def test_a_message_is_freed_of_what_stands_around_it(said: str, message: str) -> None:
    assert clean_message(said) == message


def patch(path: str, lines: int) -> ChangedFile:
    return ChangedFile(path, "changed", lines, 0, f"diff --git a/{path} b/{path}\n" + "+some line of text\n" * lines)


def test_all_files_are_named_and_the_largest_patch_is_cut() -> None:
    files = (patch("big.py", 10_000), patch("small.py", 3), ChangedFile("uv.lock", "changed", 900, 2))
    context = staged_context(Changes(files), ["Add y"], "", "de")
    text = context.target_text
    assert "  changed: big.py (+10000 -0)\n" in text
    assert "  changed: uv.lock (+900 -2, not shown)\n" in text
    assert "  Add y\n" in text
    assert text.index("diff --git a/small.py") < text.index("diff --git a/big.py")
    assert "more lines of this file]" in text
    assert len(text) < 70_000
    assert ["too large" in str(note) for note in context.notes] == [True]
    assert context.answer_language == "en"


def test_files_for_secrets_are_named_and_not_shown() -> None:
    secret = ChangedFile(".env", "added", 1, 0, "diff --git a/.env b/.env\n+KEY=hunter2\n")
    context = staged_context(Changes((secret, patch("a.py", 1))), [], "", "de")
    assert "hunter2" not in context.target_text
    assert "added: .env (+1 -0, not shown)" in context.target_text
    assert ".env" in str(context.notes[0])
    assert context.answer_language == "de"


def test_a_secret_in_a_line_that_is_cut_is_masked_before() -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 4
    text = f"@@ -1 +1 @@\n+{'z' * 370} token={secret}\n"
    context = staged_context(Changes((ChangedFile("a.min.js", "changed", 1, 1, text),)), (), "", "en")
    assert "z" * 370 in context.target_text
    assert "ghp_" not in context.target_text


def test_a_file_for_secrets_is_one_under_its_new_name_too() -> None:
    renamed = ChangedFile("settings.txt", "renamed", 1, 1, "@@ -1 +1 @@\n-A=hidden\n+B=hidden\n", before=".env")
    context = staged_context(Changes((renamed,)), (), "", "en")
    assert "hidden" not in context.target_text
    assert [str(note) for note in context.notes if ".env" in str(note) or "settings.txt" in str(note)]
