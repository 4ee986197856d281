"""Reviews and tasks of one's own, on the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import SERVER

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CODE = "import os\n\n\ndef area(w, h):\n    return w + h\n"


@pytest.fixture
def sidelight(connected: dict[str, str], folder: Path) -> Run:
    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(SERVER), *arguments],
            input=stdin, env=connected, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=30,
            check=False,
        )  # fmt: skip

    return run


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_findings_are_lines_as_compilers_write_them(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(
        fake.answer("I see:\n", "- **Line 5** - error: No\tarea.\n```\n    return w * h\n```\n1 | hint [unused] | `os`")
    )
    (folder / "a.py").write_text(CODE)
    done = sidelight("review", "a.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "a.py:5: error: No area.\na.py:1: hint: `os` [unused]\n"
    assert "5|     return w + h" in anythingllm.questions[0].body["message"]


def test_a_review_without_findings_prints_nothing(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    anythingllm.always(fake.answer("NO FINDINGS"))
    (folder / "a.py").write_text(CODE)
    done = sidelight("review", "a.py:4-5")
    assert (done.returncode, done.stdout) == (0, "")
    assert "found nothing" in done.stderr


def test_an_answer_that_names_no_line_is_not_lost(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    anythingllm.always(fake.answer("It could be shorter."))
    (folder / "a.py").write_text(CODE)
    done = sidelight("review", "a.py")
    assert done.stdout == ""
    assert "It could be shorter." in done.stderr


def test_what_has_changed_is_reviewed_from_git_and_from_a_pipe(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer("src/a.py:5 | error | No area.\n"))
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text(CODE.replace("+", "*"))
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    clean = sidelight("review", "--changes")
    assert (clean.returncode, clean.stdout) == (0, "")
    assert "There is nothing to review" in clean.stderr
    (folder / "src" / "a.py").write_text(CODE)
    changed = sidelight("review", "--changes")
    piped = sidelight("review", stdin=git(folder, "diff"))
    assert changed.stdout == piped.stdout == "src/a.py:5: error: No area.\n"
    assert all("+ 5|     return w + h" in question.body["message"] for question in anythingllm.questions)


def test_a_new_file_is_among_the_changes(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    anythingllm.always(fake.answer("src/a.py:5 | error | No area.\n"))
    git(folder, "init", "-q")
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text(CODE)
    changed = sidelight("review", "--changes")
    assert (changed.returncode, changed.stdout) == (0, "src/a.py:5: error: No area.\n")
    assert "=== src/a.py (added)\n" in anythingllm.questions[0].body["message"]


def test_any_other_text_can_be_piped_too(sidelight: Run, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("2 | warning | Odd.\n"))
    assert sidelight("review", stdin="a = 1\nb = 2\n").stdout == "stdin:2: warning: Odd.\n"
    assert sidelight("review", stdin="").returncode == 2


def test_a_task_of_ones_own(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path, home: Path) -> None:
    anythingllm.always(fake.answer("```python\n" + CODE.replace("+", "*") + "```\n"))
    users, folders = home / "config" / "sidelight" / "tasks", folder / ".sidelight" / "tasks"
    for place, name, text in (
        (users, "product.md", "---\nanswer: edit\n---\nMultiply in {file}.\n"),
        (folders, "team.md", "---\nneeds: instruction\n---\nAs the team says: {instruction}\n"),
        (folders, "wrong.md", "---\nanswer: x\n---\nx\n"),
    ):
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    (folder / "a.py").write_text(CODE)
    done = sidelight("task", "product", "a.py", "--apply")
    assert done.returncode == 0, done.stderr
    assert "+    return w * h" in done.stdout
    assert (folder / "a.py").read_text() == CODE.replace("+", "*")
    assert "Multiply in a.py." in anythingllm.questions[0].body["message"]
    untrusted = sidelight("task", "team", "a.py", "now")
    assert untrusted.returncode == 2
    assert "--trust" in untrusted.stderr
    assert "wrong.md" not in untrusted.stderr
    trusted = sidelight("task", "team", "a.py", "now", "--trust")
    assert trusted.returncode == 0
    assert "wrong.md:2: answer is x" in trusted.stderr
    assert "As the team says: now" in anythingllm.questions[1].body["message"]
    assert sidelight("task", "team", "a.py", "--trust").returncode == 2
    nowhere = sidelight("task", "product")
    assert nowhere.returncode == 2
    assert "The task product speaks of {file}, and no file is given." in nowhere.stderr
    assert len(anythingllm.questions) == 2


def test_without_a_model_a_review_fails(environment: dict[str, str], folder: Path) -> None:
    (folder / "a.py").write_text(CODE)
    command = [sys.executable, "-I", str(SERVER), "review", "a.py"]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a model" in done.stderr
