"""Documents that are no ordinary file: a notebook's cell, one that was never saved, a very large one; and no folder."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from lsp.test_reviews import CODE, DONE, FIXED, LENSES, actions, ended, fix, hints, in_block, take, text
from sidelight.editing.text import Text
from sidelight.uris import name_of
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]
CELL = "vscode-notebook-cell:/abs/path/nb.ipynb#W0sZmlsZQ%3D%3D"
OTHER_CELL = "vscode-notebook-cell:/abs/path/nb.ipynb#W1sZmlsZQ%3D%3D"
UNTITLED = "untitled:Untitled-1"


def open_as(editor: Editor, uri: str, code: str) -> str:
    editor.documents[uri], editor.versions[uri] = Text(code), 1
    item = {"uri": uri, "languageId": "python", "version": 1, "text": code}
    editor.notify("textDocument/didOpen", {"textDocument": item})
    return uri


def opened(start: Start, environment: dict[str, str], **more: Any) -> Editor:
    editor = start(environment)
    editor.initialize(clientInfo={"name": "Visual Studio Code"}, capabilities=LENSES, **more)
    return editor


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        (CELL, "nb.ipynb"),
        (UNTITLED, "Untitled-1"),
        ("file:///a/b%20c%23d.py", "b c#d.py"),
        ("vscode-vfs://github/owner/repo/a.py?ref=x", "a.py"),
        ("a.py", "a.py"),
        ("C:\\x\\a.py", "a.py"),
        ("c:/x/a.py", "a.py"),
        ("file:///w/what?.py", "what?.py"),
        ("file:///w/a#b.py", "a#b.py"),
        ("file:///w/100%25.py", "100%.py"),
        ("inmemory:", "inmemory:"),
        ("file://[", "file://["),
    ],
)
def test_a_document_is_called_by_the_name_that_its_user_knows(uri: str, name: str) -> None:
    assert name_of(uri) == name


@pytest.mark.parametrize(("uri", "name"), [(CELL, "nb.ipynb"), (UNTITLED, "Untitled-1")])
@pytest.mark.parametrize("folders", [True, False])
def test_explain_fix_keep_undo_and_restore_work_there(
    start_editor: Start,
    connected: dict[str, str],
    anythingllm: AnythingLLMServer,
    uri: str,
    name: str,
    *,
    folders: bool,
) -> None:
    more: dict[str, Any] = {} if folders else {"rootUri": None, "workspaceFolders": None}
    editor = opened(start_editor, connected, **more)
    open_as(editor, OTHER_CELL, CODE)
    open_as(editor, uri, CODE)
    place = {"start": {"line": 4, "character": 4}, "end": {"line": 4, "character": 4}}
    run = editor.request("sidelight/run", {"task": "explain", "uri": uri, "range": place})
    assert run["finish"] == "complete"
    assert name in anythingllm.questions[-1].body["message"]
    anythingllm.always(fake.answer(in_block(FIXED)))
    job = fix(editor, uri)
    assert ended(editor, job) == "applied"
    assert text(editor, uri) == DONE
    begun = next(p["value"] for p in editor.seen("$/progress") if p["token"] == job and p["value"]["kind"] == "begin")
    assert begun["title"] == f"Sidelight: Fix {name}:4"
    take(editor, uri, "Undo this edit")
    editor.settle(0.4)
    assert text(editor, uri) == CODE
    assert ended(editor, fix(editor, uri)) == "applied"
    take(editor, uri, "Keep")
    editor.settle(0.3)
    assert hints(editor) == []
    (point, _) = editor.request("sidelight/history", {"uri": uri})["points"]
    assert point["name"] == name
    editor.request(
        "workspace/executeCommand",
        {"command": "sidelight.restore", "arguments": [{"uri": uri, "point": point["id"]}]},
    )
    editor.wait_until(lambda _: text(editor, uri) == CODE)
    assert text(editor, OTHER_CELL) == CODE
    assert editor.request("sidelight/history", {"uri": OTHER_CELL}) == {"points": []}


@pytest.mark.parametrize("uri", [CELL, UNTITLED])
def test_a_document_that_is_no_file_and_not_open_is_said_by_its_uri(plain_editor: Editor, uri: str) -> None:
    error = plain_editor.error("sidelight/run", {"task": "explain", "uri": uri})
    assert "is not open" in error["message"]


# A document of more than 5 MB

LARGE = CODE + "".join(f"value_{number} = {number}  # a line like many others\n" for number in range(130_000))


def first_piece_s(editor: Editor, uri: str, task: str, token: str) -> float:
    """Run a task on a selection of a few lines; return the seconds until the first text."""
    place = {"start": {"line": 3, "character": 0}, "end": {"line": 7, "character": 0}}
    began = monotonic()
    running = editor.begin("sidelight/run", {"task": task, "uri": uri, "range": place, "partialResultToken": token})
    editor.wait_for("$/progress", where=lambda p: p["token"] == token and p["value"]["kind"] == "text")
    took_s = monotonic() - began
    assert editor.answer_to(running)["result"]["finish"] == "complete"
    return took_s


@pytest.mark.parametrize("task", ["explain", "fix"])
def test_a_document_over_5_mb_is_answered_about_in_well_under_a_second(
    start_editor: Start, environment: dict[str, str], task: str
) -> None:
    assert len(LARGE) > 5 << 20
    editor = opened(start_editor, environment)
    uri = editor.open("large.py", LARGE)
    first_piece_s(editor, uri, task, "p0")
    times = [first_piece_s(editor, uri, task, f"p{number}") for number in (1, 2, 3)]
    print(task, times)
    assert min(times) < 1.5  # a quarter is usual


def test_an_edit_in_a_document_over_5_mb_is_applied_and_undone(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(in_block(FIXED)))
    editor = opened(start_editor, connected)
    uri = editor.open("large.py", LARGE)
    assert ended(editor, fix(editor, uri)) == "applied"
    assert text(editor, uri) == LARGE.replace(CODE, DONE)
    assert "Undo this edit" in actions(editor, uri)
    take(editor, uri, "Undo this edit")
    editor.wait_until(lambda _: text(editor, uri) == LARGE)


def test_code_for_a_document_over_5_mb_keeps_the_loop_free(start_editor: Start, environment: dict[str, str]) -> None:
    editor = opened(start_editor, environment)
    uri = editor.open("large.py", LARGE)
    argument = {"uri": uri, "code": "def other():\n    return 2\n"}
    applying = {"command": "sidelight.applyCode", "arguments": [argument]}
    job = editor.request("workspace/executeCommand", applying)["job"]
    began = monotonic()
    editor.request("sidelight/conversations", {})
    assert monotonic() - began < 1.0
    assert ended(editor, job) == "applied"
    assert text(editor, uri) == LARGE.replace("return 1", "return 2", 1)
