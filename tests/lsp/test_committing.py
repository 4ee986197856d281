"""A commit message for what is staged, in an editor: a run's text or a page, and only where the folder is trusted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp.test_reviews import ended, read_page
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]
TRUSTED: dict[str, Any] = {"initializationOptions": {"trusted": True}}


@pytest.fixture
def staged(folder: Path, anythingllm: AnythingLLMServer) -> Path:
    """A repository with something staged; who is asked answers with a fence around the message."""
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / "a.py").write_text("x = 1\n")
    subprocess.run(["git", "add", "a.py"], cwd=folder, check=True)
    anythingllm.always(fake.answer("```\nAdd x\n\nIt was missing.\n```\n"))
    return folder


@pytest.fixture
def trusting(start_editor: Start, connected: dict[str, str]) -> Editor:
    editor = start_editor(connected)
    editor.initialize(**TRUSTED)
    return editor


def test_a_run_has_the_message_as_text_and_streams_nothing_of_the_fence(
    trusting: Editor, anythingllm: AnythingLLMServer, staged: Path
) -> None:
    result = trusting.request("sidelight/run", {"task": "commit", "uri": staged.as_uri()})
    assert (result["text"], result["finish"]) == ("Add x\n\nIt was missing.", "complete")
    assert "+x = 1" in anythingllm.questions[0].body["message"]
    streamed = trusting.request("sidelight/run", {"task": "commit", "partialResultToken": "p"})
    assert "text" not in streamed
    texts = [it["value"].get("text") for it in trusting.seen("$/progress") if it["value"]["kind"] == "text"]
    assert texts == ["Add x\n\nIt was missing."]
    kept = trusting.request("sidelight/conversation", {"id": streamed["conversation"]})
    assert kept["turns"][0]["answer"] == "Add x\n\nIt was missing."


def test_a_command_shows_the_message_as_a_page(trusting: Editor, staged: Path) -> None:
    uri = trusting.open("a.py", "x = 1\n")
    params = {"command": "sidelight.commit", "arguments": [{"uri": uri}]}
    assert ended(trusting, trusting.request("workspace/executeCommand", params)["job"]) == "done"
    (shown,) = trusting.seen("window/showDocument")
    assert "Add x\n\nIt was missing." in read_page(shown["uri"])
    assert "```" not in read_page(shown["uri"])


def test_git_is_not_run_where_the_folder_is_not_trusted(editor: Editor, staged: Path) -> None:
    error = editor.error("sidelight/run", {"task": "commit", "uri": staged.as_uri()})
    assert error["data"]["kind"] == "usage"
    assert "not trusted" in error["message"]


def test_nothing_staged_is_told_and_nobody_is_asked(
    trusting: Editor, staged: Path, anythingllm: AnythingLLMServer
) -> None:
    subprocess.run(["git", "rm", "-q", "--cached", "a.py"], cwd=staged, check=True)
    assert trusting.error("sidelight/run", {"task": "commit"})["message"] == "Nothing is staged."
    assert not anythingllm.questions
