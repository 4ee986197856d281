"""The tasks ``document``, ``test`` and ``commit`` on the command line, as a user types them."""

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
CODE = "def add(a, b):\n    return a + b\n"
TESTS = "from a import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
MORE = "def test_zero():\n    assert add(0, 0) == 0\n"


@pytest.fixture
def sidelight(connected: dict[str, str], folder: Path) -> Run:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(SERVER), *arguments],
            stdin=subprocess.DEVNULL, env=connected, cwd=folder, capture_output=True, text=True, encoding="utf-8",
            timeout=60, check=False,
        )  # fmt: skip

    (folder / "a.py").write_text(CODE)
    return run


def git(folder: Path, *arguments: str, text: str = "") -> None:
    subprocess.run(["git", *arguments], cwd=folder, input=text, text=True, check=True, capture_output=True)


def test_document_prints_a_diff_and_refuses_other_changes(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    documented = CODE.replace(":\n", ':\n    """Return the sum."""\n', 1)
    anythingllm.always(fake.answer(f"```python\n{documented}```\n"))
    done = sidelight("document", "a.py:1", "--apply")
    assert done.returncode == 0
    assert '+    """Return the sum."""' in done.stdout
    assert (folder / "a.py").read_text() == documented
    anythingllm.always(fake.answer(f"```python\n{documented.replace('a + b', 'a - b')}```\n"))
    (folder / "a.py").write_text(CODE)
    refused = sidelight("document", "a.py:1", "--apply")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "only to document" in refused.stderr
    assert (folder / "a.py").read_text() == CODE


def test_tests_are_a_diff_that_git_applies_and_apply_writes_them(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer(f"New.\n```python\n{TESTS}```\n"))
    done = sidelight("test", "a.py:1")
    assert done.returncode == 0
    assert "New." in done.stderr
    assert not (folder / "tests").exists()
    git(folder, "apply", "-", text=done.stdout)
    assert (folder / "tests" / "test_a.py").read_text() == TESTS
    anythingllm.always(fake.answer(f"```python\nfrom a import add\n\n\n{MORE}```\n"))
    assert sidelight("test", "a.py:1", "--apply").returncode == 0
    assert (folder / "tests" / "test_a.py").read_text() == f"{TESTS}\n\n{MORE}"


def test_without_a_model_commit_prints_no_message(sidelight: Run, folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "a.py")
    done = sidelight("commit", "--provider", "builtin")
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a model" in done.stderr


def test_apply_makes_a_new_file_for_tests(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    anythingllm.always(fake.answer(f"```python\n{TESTS}```\n"))
    assert sidelight("test", "a.py", "--apply").returncode == 0
    assert (folder / "tests" / "test_a.py").read_text() == TESTS


def test_commit_prints_the_message_and_nothing_else(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    git(folder, "init", "-q")
    nothing = sidelight("commit")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "Nothing is staged." in nothing.stderr
    git(folder, "add", "a.py")
    anythingllm.always(fake.answer("```\nAdd add\n```\n"))
    done = sidelight("commit", "mention nothing")
    assert (done.returncode, done.stdout) == (0, "Add add\n")
    message = anythingllm.questions[-1].body["message"]
    assert "added: a.py (+2 -0)" in message
    assert "Request: mention nothing" in message
