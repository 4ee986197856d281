"""Documents of the knowledge base in an editor: asked for by a command, shown as progress, told at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.anythingllm import Pause, Script, Seen
from support.anythingllm_documents import DocumentsServer
from support.editor import Editor


@pytest.fixture
def anythingllm() -> Iterator[DocumentsServer]:
    server = DocumentsServer()
    yield server
    server.close()


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / "docs").mkdir()
    (folder / "README.md").write_text("Hello.\n", "utf-8")
    (folder / "docs" / "a.md").write_text("A.\n", "utf-8")
    (folder / ".env").write_text("TOKEN=x\n", "utf-8")
    return folder


def knowledge(editor: Editor, act: str, *paths: Path) -> str:
    argument: dict[str, Any] = {"act": act, **({"uris": [path.as_uri() for path in paths]} if paths else {})}
    params = {"command": "sidelight.knowledge", "arguments": [argument]}
    return str(editor.request("workspace/executeCommand", params)["job"])


def told(editor: Editor, *words: str) -> str:
    """Wait for the message with one of these words; a quick job has no progress."""
    is_it = lambda it: any(word in it["message"] for word in words)  # noqa: E731
    return str(editor.wait_for("window/showMessage", where=is_it)["message"])


def ended(editor: Editor, job: str) -> str:
    """Wait for the end of a job's progress; returns its last line."""
    done = editor.wait_for("$/progress", where=lambda it: it["token"] == job and it["value"]["kind"] == "end")
    return str(done["value"]["message"])


def shown(editor: Editor) -> list[str]:
    return [it["message"] for it in editor.seen("window/showMessage")]


def test_the_open_file_and_the_folder_are_added_and_kept_up_to_date(
    project: Path, editor: Editor, anythingllm: DocumentsServer
) -> None:
    knowledge(editor, "add", project / "README.md")
    told(editor, "test1: 1 added")
    assert anythingllm.names() == ["README.md"]
    knowledge(editor, "add")
    told(editor, "test1: 1 added")
    told(editor, ".env is not in the knowledge base as it is here: it is a file")
    assert anythingllm.names() == ["README.md", "docs/a.md"]
    (project / "docs" / "a.md").unlink()
    knowledge(editor, "status")
    told(editor, "1 to be removed, 1 left out")
    knowledge(editor, "sync")
    told(editor, "1 removed")
    assert anythingllm.names() == ["README.md"]
    knowledge(editor, "remove", project / "README.md")
    told(editor, "1 removed")
    assert not anythingllm.documents


@pytest.mark.parametrize("act", ["status", "sync"])
def test_where_nothing_was_added_yet_that_is_said(project: Path, editor: Editor, act: str) -> None:
    knowledge(editor, act)
    assert told(editor, "test1", "Nothing of").startswith("Nothing of")


def test_the_command_is_answered_at_once_and_its_progress_can_be_cancelled(
    project: Path, editor: Editor, anythingllm: DocumentsServer
) -> None:
    reached = threading.Event()

    def hang(seen: Seen) -> Script | None:
        if not seen.path.endswith("/update-embeddings"):
            return None
        reached.set()
        return iter([Pause(30)])

    anythingllm.fault = hang
    job = knowledge(editor, "add", project / "README.md")
    begun = editor.wait_for("$/progress", where=lambda it: it["token"] == job)
    assert begun["value"]["cancellable"]
    assert reached.wait(10)
    editor.notify("window/workDoneProgress/cancel", {"token": job})
    assert ended(editor, job) == "stopped"
    assert anythingllm.calls("/update-embeddings")[0].closed.wait(5)
    anythingllm.fault = lambda _: None
    knowledge(editor, "sync")
    while "Another process" in told(editor, "Another process", "1 updated"):  # the first is just letting go
        knowledge(editor, "sync")
    assert anythingllm.names() == ["README.md"]
    assert len(anythingllm.uploads) == 1


def test_without_anythingllm_it_is_told_what_to_set(project: Path, plain_editor: Editor) -> None:
    knowledge(plain_editor, "sync")
    assert "ANYTHINGLLM_BASE_URL" in told(plain_editor, "No knowledge base is configured.")


def test_a_failure_is_told_by_name(project: Path, editor: Editor, anythingllm: DocumentsServer) -> None:
    anythingllm.stuck = {"docs/a.md"}
    knowledge(editor, "add", project / "docs")
    told(editor, "1 failed")
    told(editor, "docs/a.md is not in the knowledge base as it is here")
    assert not any(line.startswith("README") for line in shown(editor))


@pytest.mark.parametrize("argument", [{}, {"act": "burn"}, {"act": "add", "uris": "a"}, {"act": "add", "uris": [3]}])
def test_wrong_arguments_are_refused(editor: Editor, argument: dict[str, Any]) -> None:
    params = {"command": "sidelight.knowledge", "arguments": [argument]}
    assert editor.error("workspace/executeCommand", params)["code"] == -32602


def test_without_a_folder_or_a_file_it_is_told(
    connected: dict[str, str], start_editor: Callable[[dict[str, str]], Editor]
) -> None:
    editor = start_editor(connected)
    editor.initialize(workspaceFolders=None, rootUri=None)
    knowledge(editor, "sync")
    editor.wait_for("window/showMessage", where=lambda it: "No folder is open." in it["message"])
    params = {"command": "sidelight.knowledge", "arguments": [{"act": "add", "uris": ["untitled:Untitled-1"]}]}
    assert "Only files on this machine" in editor.error("workspace/executeCommand", params)["message"]
