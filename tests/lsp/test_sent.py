"""What was sent, for the user of an editor: asked for by a request, and shown as a page by the command."""

from __future__ import annotations

from typing import Any

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

CODE = "import math\n\n\ndef area(r):\n    return math.pi * r\n"


def explain(editor: Editor, anythingllm: AnythingLLMServer) -> dict[str, Any]:
    anythingllm.always(fake.answer("It is an area."))
    at = {"line": 3, "character": 5}
    uri = editor.open("area.py", CODE)
    return editor.request("sidelight/run", {"task": "explain", "uri": uri, "range": {"start": at, "end": at}})


def show(editor: Editor, argument: dict[str, Any]) -> str:
    from sidelight.lsp.documents import file_path

    params = {"command": "sidelight.showSent", "arguments": [argument] if argument else []}
    assert editor.request("workspace/executeCommand", params) == {"accepted": True}
    path = file_path(editor.wait_for("window/showDocument")["uri"])
    assert path is not None
    return path.read_text("utf-8")


def test_what_was_sent_is_told_with_its_reasons(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    run = explain(editor, anythingllm)
    sent = editor.request("sidelight/sent", {"conversation": run["conversation"], "turn": run["turn"]})
    assert (sent["provider"], sent["model"], sent["sentTo"]) == (
        "anythingllm",
        "test1",
        f"127.0.0.1:{anythingllm.port}",
    )
    assert sent["tokens"] == sum(part["tokens"] for part in sent["parts"]) > 0
    assert all(part["why"] and set(part) == {"kind", "name", "why", "tokens", "where"} for part in sent["parts"])
    assert "def area(r):" in sent["text"]
    [turn] = editor.request("sidelight/conversation", {"id": run["conversation"]})["turns"]
    assert turn["sentTo"] == sent["sentTo"]
    assert [it["kind"] for it in turn["parts"]] == [it["kind"] for it in sent["parts"]]
    assert len(turn["about"]) == 32


def test_the_command_shows_the_latest_answer_or_the_one_that_is_named(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    run = explain(editor, anythingllm)
    editor.request("sidelight/run", {"task": "ask", "instruction": "Something else?"})
    assert "Something else?" in show(editor, {})
    page = show(editor, {"conversation": run["conversation"], "turn": 1})
    assert page == show(editor, {"conversation": run["conversation"]})
    assert page.startswith("# What was sent\n\nexplain, area.py:4, ")
    assert "| What | Name | Why | Tokens | Where it went |" in page
    assert "def area(r):" in page.partition("**The message**")[2]


def test_where_nothing_was_sent_that_is_said(plain_editor: Editor) -> None:
    plain_editor.request("workspace/executeCommand", {"command": "sidelight.showSent", "arguments": []})
    assert "Nothing has been sent yet." in plain_editor.wait_for("window/showMessage")["message"]


@pytest.mark.parametrize("params", [None, {"conversation": "x"}, {"turn": 1}, {"conversation": 1, "turn": 1}])
def test_wrong_parameters_are_told(editor: Editor, params: Any) -> None:
    assert editor.error("sidelight/sent", params)["code"] == -32602
