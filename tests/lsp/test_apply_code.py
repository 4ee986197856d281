"""A code block of an answer becomes an edit: at the place of its turn, judged, reviewed, and never at a loss."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from lsprotocol import types

from lsp.test_preview import ABLE
from lsp.test_reviews import CODE, DONE, FIXED, LENSES, actions, ended, hints, read_page, take, text
from sidelight.core.tasks import TASKS
from sidelight.editing.text import Place, Range
from sidelight.lsp.documents import Documents
from sidelight.lsp.places import Places
from sidelight.lsp.subject import Asked, Subject, find_subject
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]
OTHER = CODE.splitlines().index("    return 1")


@pytest.fixture
def live(start_editor: Start, environment: dict[str, str]) -> Editor:
    editor = start_editor(environment)
    editor.initialize(clientInfo={"name": "Visual Studio Code"}, capabilities=LENSES)
    return editor


def caret(line: int) -> dict[str, Any]:
    return {"start": {"line": line, "character": 4}, "end": {"line": line, "character": 4}}


def apply(editor: Editor, uri: str, code: str, **more: Any) -> str:
    argument = {"uri": uri, "code": code, **more}
    params = {"command": "sidelight.applyCode", "arguments": [argument]}
    return ended(editor, editor.request("workspace/executeCommand", params)["job"])


def explained(editor: Editor, uri: str, line: int) -> dict[str, Any]:
    """Let a place be explained; return its conversation and turn."""
    run = {"task": "explain", "uri": uri, "range": caret(line), "partialResultToken": "p"}
    result = editor.request("sidelight/run", run)
    return {"conversation": result["conversation"], "turn": result["turn"]}


def pages(editor: Editor) -> list[str]:
    return [read_page(params["uri"]) for params in editor.seen("window/showDocument")]


def test_code_goes_into_the_block_around_the_caret_as_one_edit_with_a_review(live: Editor) -> None:
    uri = live.open("a.py", CODE)
    assert apply(live, uri, FIXED, range=caret(4)) == "applied"
    assert text(live, uri) == DONE
    (params,) = live.seen("workspace/applyEdit")
    assert params["label"].startswith("Sidelight: Apply a.py:4 (apply-")
    assert len(hints(live)) == 2
    (point,) = live.request("sidelight/history", {"uri": uri})["points"]
    assert (point["task"], point["changedLines"]) == ("apply", 3)
    assert "Retry" not in actions(live, uri)
    take(live, uri, "Undo this edit")
    live.settle(0.4)
    assert text(live, uri) == CODE


def test_the_place_of_a_turn_follows_what_is_typed(live: Editor) -> None:
    uri = live.open("a.py", CODE)
    turn = explained(live, uri, OTHER)
    live.type(uri, 0, 0, "# one\n# two\n")
    new = "def new():\n    return 0\n"
    assert apply(live, uri, new, range=caret(6), **turn) == "applied"
    assert text(live, uri) == "# one\n# two\n" + CODE.replace("    return 1\n", f"    return 1\n\n\n{new}")


def test_a_place_in_another_or_a_reopened_document_is_not_known(live: Editor) -> None:
    uri, second = live.open("a.py", CODE), live.open("b.py", CODE)
    turn = explained(live, uri, OTHER)
    new = "def new():\n    return 0\n"
    assert apply(live, second, new, range=caret(4), **turn) == "applied"
    assert text(live, second) == CODE.replace("    return None\n", f"    return None\n\n\n{new}")
    live.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    live.open("a.py", CODE)
    assert apply(live, uri, new, range=caret(4), **turn) == "applied"
    assert text(live, uri) == CODE.replace("    return None\n", f"    return None\n\n\n{new}")


def test_only_the_latest_places_are_followed(live: Editor) -> None:
    uri = live.open("a.py", CODE)
    turn = explained(live, uri, OTHER)
    for _ in range(50):
        explained(live, uri, 4)
    new = "def new():\n    return 0\n"
    assert apply(live, uri, new, range=caret(4), **turn) == "applied"
    assert text(live, uri) == CODE.replace("    return None\n", f"    return None\n\n\n{new}")


def test_what_is_followed_keeps_no_lines() -> None:
    documents = Documents()
    document = documents.open(types.TextDocumentItem("file:///a.py", "python", 1, CODE))
    places = Places(documents)
    places.keep("one", 1, find_subject(Asked("file:///a.py"), TASKS["explain"], documents, "en"))
    gc.collect()
    assert not any(isinstance(one, Subject) for one in gc.get_objects())
    assert places.find("one", 1, document) == Range(Place(0, 0), document.text.end)


def test_a_definition_that_stands_elsewhere_is_replaced_there_and_nothing_else(live: Editor) -> None:
    uri = live.open("a.py", CODE)
    assert apply(live, uri, "def other():\n    return 2\n", range=caret(4)) == "applied"
    assert text(live, uri) == CODE.replace("return 1", "return 2")


def test_a_new_function_at_the_end_of_a_document_without_a_line_end(live: Editor) -> None:
    code = "def one():\r\n    return 1"
    uri = live.open("a.py", code)
    assert apply(live, uri, "def two():\n    return 2\n", range=caret(1)) == "applied"
    assert text(live, uri) == f"{code}\r\n\r\n\r\ndef two():\r\n    return 2"
    take(live, uri, "Undo this edit", 4)
    live.settle(0.4)
    assert text(live, uri) == code


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def greet(name):\n    text = 1\n    # ... rest unchanged ...\n", "leaves a part of the code out"),
        ("def greet(name:\n    return (\n", "breaks the syntax"),
        ("x = compute()\nstore(x)\n", "not clear which lines"),
        ('    text = "hallo " + nam\n    return None\n', "would remove print(text)"),
        ("def greet(name):\n    pass\n\n\nx = 1\n", "not clear which lines"),
    ],
)
def test_code_that_would_lose_something_becomes_a_page(live: Editor, code: str, reason: str) -> None:
    uri = live.open("a.py", CODE)
    apply(live, uri, code, range=caret(4))
    assert "def other():\n    return 1\n" in text(live, uri)
    assert "print(text)" in text(live, uri)
    assert reason in pages(live)[-1]
    assert code in pages(live)[-1]


def test_code_that_is_far_shorter_than_what_it_replaces_becomes_a_page(live: Editor) -> None:
    long = "def long():\n" + "".join(f"    v{n} = {n}\n" for n in range(9))
    uri = live.open("a.py", long)
    apply(live, uri, "def long():\n    return 1\n", range=caret(1))
    assert text(live, uri) == long
    assert "More than half" in pages(live)[-1]


def test_a_whole_file_goes_in_place_of_the_document(live: Editor) -> None:
    uri = live.open("a.py", CODE)
    new = DONE.replace("return 1", "return 2")
    assert apply(live, uri, new, range=caret(4)) == "applied"
    assert text(live, uri) == new


def test_code_with_fences_in_it_stays_whole(live: Editor) -> None:
    document = "# Title\n\nold line of text\n"
    uri = live.open("a.md", document, "markdown")
    code = "Old line of text:\n\n```python\nx = 1\n```\n\nand on."
    place = {"start": {"line": 2, "character": 0}, "end": {"line": 2, "character": 16}}
    apply(live, uri, code, range=place)
    assert text(live, uri) == f"# Title\n\n{code}\n"


def test_the_settings_of_edits_and_review_hold(start_editor: Start, environment: dict[str, str]) -> None:
    editor = start_editor(environment)
    editor.configuration = {"review": "preview"}
    editor.initialize(clientInfo={"name": "Visual Studio Code"}, capabilities=ABLE)
    uri = editor.open("a.py", CODE)
    assert apply(editor, uri, FIXED, range=caret(4)) == "applied"
    assert "changeAnnotations" in editor.seen("workspace/applyEdit")[0]["edit"]
    assert text(editor, uri) == DONE
    plain = start_editor({**environment, "SIDELIGHT_EDITS": "page"})
    plain.initialize(clientInfo={"name": "Visual Studio Code"})
    uri = plain.open("c.py", CODE)
    assert apply(plain, uri, FIXED, range=caret(4)) == "done"
    assert text(plain, uri) == CODE
    assert FIXED in pages(plain)[-1]


@pytest.mark.parametrize(
    "wrong", [{}, {"code": "x"}, {"code": 1, "uri": "file:///a"}, {"code": "x", "uri": "file:///a", "turn": "1"}]
)
def test_wrong_arguments_are_refused(plain_editor: Editor, wrong: dict[str, Any]) -> None:
    params = {"command": "sidelight.applyCode", "arguments": [wrong]}
    assert plain_editor.error("workspace/executeCommand", params)["code"] == -32602


def test_a_document_that_is_not_open_is_said(plain_editor: Editor, anythingllm: AnythingLLMServer) -> None:
    params = {"command": "sidelight.applyCode", "arguments": [{"code": "x = 1", "uri": "file:///nowhere/a.py"}]}
    assert "not open" in plain_editor.error("workspace/executeCommand", params)["message"]
    assert anythingllm.seen == []
