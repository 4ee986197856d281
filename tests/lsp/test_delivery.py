"""How an edit reaches editors that are not quite as one would wish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sidelight.lsp.documents import file_path
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, Editor

CODE = 'import a\n\n\ndef greet(name):\n    print("hallo" + nam)\n\n\ngreet("x")\n'
FIXED = 'def greet(name):\n    print("hallo" + name)\n'
SHORTER = "def greet(name):\n    print(name)\n"


def in_block(code: str) -> str:
    return f"```python\n{code}```\n"


def fix(editor: Editor, uri: str) -> str:
    ends = [{"line": 4, "character": character} for character in (20, 23)]
    diagnostic = {"range": {"start": ends[0], "end": ends[1]}, "message": "undefined name 'nam'"}
    params = {"command": "sidelight.fix", "arguments": [{"uri": uri, "diagnostics": [diagnostic]}]}
    job: str = editor.request("workspace/executeCommand", params)["job"]
    return job


def ended(editor: Editor, job: str) -> str:
    """Wait for the end of a job's progress; returns its last line."""
    params = editor.wait_for(
        "$/progress", where=lambda params: params["token"] == job and params["value"]["kind"] == "end"
    )
    return str(params["value"]["message"])


def read_page(uri: str) -> str:
    path = file_path(uri)
    assert path is not None
    return path.read_text("utf-8")


@pytest.fixture
def unversioned_editor(start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str]) -> Editor:
    """An editor that knows no versions in edits."""
    editor = start_editor(connected)
    workspace = {**CAPABILITIES["workspace"], "workspaceEdit": {}}
    editor.initialize(capabilities={**CAPABILITIES, "workspace": workspace})
    return editor


# Edits without versions


def test_an_edit_without_version_is_never_sent_again_after_a_yes(
    unversioned_editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    """Its didChange may be late; a second edit would then stand in the document twice."""
    anythingllm.always(fake.answer(in_block(FIXED)))
    unversioned_editor.handle["workspace/applyEdit"] = lambda _: {"applied": True}
    job = fix(unversioned_editor, unversioned_editor.open("a.py", CODE))
    assert ended(unversioned_editor, job) == "applied"
    (sent,) = unversioned_editor.seen("workspace/applyEdit")
    assert "changes" in sent["edit"]


def test_an_edit_without_version_is_sent_again_after_a_no(
    unversioned_editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(in_block(FIXED)))
    replies = iter([{"applied": False}, {"applied": True}])
    unversioned_editor.handle["workspace/applyEdit"] = lambda _: next(replies)
    job = fix(unversioned_editor, unversioned_editor.open("a.py", CODE))
    assert ended(unversioned_editor, job) == "applied"
    assert len(unversioned_editor.seen("workspace/applyEdit")) == 2


# Edits that arrive together with what is typed


def with_typing(editor: Editor, uri: str, typed: tuple[int, int]) -> Any:
    """Return a handler that applies an edit, and tells of it together with a character typed after it."""

    def handle(params: dict[str, Any]) -> dict[str, Any]:
        (change,) = params["edit"]["documentChanges"]
        line, character = typed
        place = {"line": line, "character": character}
        edits = [
            *({"range": edit["range"], "text": edit["newText"]} for edit in change["edits"]),
            {"range": {"start": place, "end": place}, "text": "#"},
        ]
        identifier = {"uri": uri, "version": change["textDocument"]["version"] + 1}
        editor.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": edits})
        return {"applied": True}

    return handle


@pytest.mark.parametrize("typed", [(3, 0), (3, 16), (4, 9), (4, 15), (5, 0)])
def test_a_shortening_edit_that_arrives_with_a_typed_character_has_arrived(
    editor: Editor, anythingllm: AnythingLLMServer, typed: tuple[int, int]
) -> None:
    anythingllm.always(fake.answer(in_block(SHORTER)))
    uri = editor.open("a.py", CODE)
    editor.handle["workspace/applyEdit"] = with_typing(editor, uri, typed)
    assert ended(editor, fix(editor, uri)) == "applied"
    assert len(editor.seen("workspace/applyEdit")) == 1


# Stopping


def test_what_came_before_a_stop_is_shown_and_changes_nothing(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event(f"```python\n{FIXED}"), fake.Pause(30)]))
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    editor.wait_for("$/progress", where=lambda params: "words" in params["value"].get("message", ""))
    editor.request("workspace/executeCommand", {"command": "sidelight.stop"})
    page = editor.wait_for("window/showDocument")["uri"]
    assert ended(editor, job) == "stopped"
    assert FIXED in read_page(page)
    assert "Not applied: It was stopped." in read_page(page)
    assert editor.seen("window/showMessage")[-1]["message"] == "Not applied: It was stopped."
    assert not editor.seen("workspace/applyEdit")
    assert str(editor.documents[uri]) == CODE


def test_a_stop_before_any_text_shows_nothing(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD, fake.Pause(30)]))
    job = fix(editor, editor.open("a.py", CODE))
    editor.wait_for("$/progress", where=lambda params: params["value"]["kind"] == "begin")
    editor.request("workspace/executeCommand", {"command": "sidelight.stop"})
    assert ended(editor, job) == "stopped"
    assert not editor.seen("window/showDocument")
