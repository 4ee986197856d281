"""Conversations by the requests of a client: kept by real runs, listed, read, continued, renamed, exported, removed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]


def ask(editor: Editor, instruction: str, **more: Any) -> dict[str, Any]:
    return editor.request("sidelight/run", {"task": "ask", "instruction": instruction, **more})


def silence() -> fake.Script:
    """Begin an answer that never ends."""
    yield fake.STREAM_HEAD + fake.text_event("It begins")
    yield fake.Pause(60)


def listed(editor: Editor, **params: Any) -> list[dict[str, Any]]:
    result = editor.request("sidelight/conversations", params)
    assert "problem" not in result
    return result["conversations"]


def test_a_run_is_kept_with_everything(editor: Editor, anythingllm: AnythingLLMServer, folder: Path) -> None:
    anythingllm.always(fake.answer("Because of the radius.", sources=[{"title": "Guide", "text": "cited"}]))
    uri = editor.open("area.py", "def area(r):\n    return r\n")
    run = ask(editor, "Why is it negative?", uri=uri)
    [summary] = listed(editor)
    assert summary["id"] == run["conversation"]
    assert (summary["title"], summary["folder"], summary["turns"]) == ("Why is it negative?", folder.as_uri(), 1)
    whole = editor.request("sidelight/conversation", {"id": summary["id"]})
    [turn] = whole.pop("turns")
    assert whole == {name: value for name, value in summary.items() if name != "turns"}
    assert (turn["number"], turn["task"], turn["finish"]) == (run["turn"], "ask", "complete") == (1, "ask", "complete")
    assert (turn["instruction"], turn["answer"]) == ("Why is it negative?", "Because of the radius.")
    assert turn["place"].startswith("area.py:")
    assert "def area" in turn["sent"]
    assert [source["title"] for source in turn["sources"]] == ["Guide"]
    assert (turn["provider"], turn["model"]) == ("anythingllm", "test1")
    assert turn["beganAt"].endswith("Z")
    assert turn["durationMs"] >= turn["firstTextMs"] >= 0


def test_a_conversation_goes_on_in_the_editor_of_tomorrow(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("An answer."))
    first = start_editor(connected)
    first.initialize()
    id_ = ask(first, "one")["conversation"]
    first.request("shutdown", None)
    first.notify("exit", None)
    first.exit_code()
    second = start_editor(connected)
    second.initialize()
    assert [it["id"] for it in listed(second)] == [id_]
    assert ask(second, "two", conversation=id_)["turn"] == 2
    turns = second.request("sidelight/conversation", {"id": id_})["turns"]
    assert [(it["number"], it["instruction"]) for it in turns] == [(1, "one"), (2, "two")]


def test_an_answer_is_kept_while_it_comes_and_outlives_the_server(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(silence)
    first = start_editor(connected)
    first.initialize()
    first.begin("sidelight/run", {"task": "ask", "instruction": "a question that is never answered"})
    deadline = time.monotonic() + 10
    while not listed(first):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.process.kill()
    first.exit_code()
    second = start_editor(connected)
    second.initialize()
    [summary] = listed(second, search="never answered")
    [turn] = second.request("sidelight/conversation", {"id": summary["id"]})["turns"]
    assert turn["finish"] == ""


def test_conversations_are_searched_by_words_and_folder(
    editor: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer("数据库错误"))
    ask(editor, "first question")
    second = ask(editor, "second question")["conversation"]
    assert [it["id"] for it in listed(editor, search="sec")] == [second]
    assert len(listed(editor, search="数据库")) == 2
    assert listed(editor, search="question")[0]["found"] == "second question"
    assert len(listed(editor, limit=1)) == 1
    assert len(listed(editor, folder=folder.as_uri() + "/")) == 2
    assert listed(editor, folder="file:///elsewhere") == []


def test_a_conversation_is_renamed_exported_and_deleted(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("An answer."))
    id_ = ask(editor, "question")["conversation"]
    assert editor.request("sidelight/renameConversation", {"id": id_, "title": "Mine"}) == {"renamed": True}
    assert listed(editor)[0]["title"] == "Mine"
    page = editor.request("sidelight/exportConversation", {"id": id_, "format": "markdown"})["text"]
    assert page.startswith("# Mine\n")
    assert "> An answer." in page
    data = json.loads(editor.request("sidelight/exportConversation", {"id": id_, "format": "json"})["text"])
    assert {name: data[name] for name in data if name not in ("format", "version")} == editor.request(
        "sidelight/conversation", {"id": id_}
    )
    assert editor.request("sidelight/deleteConversation", {"id": id_}) == {"deleted": True}
    assert editor.request("sidelight/deleteConversation", {"id": id_}) == {"deleted": False}
    assert editor.error("sidelight/conversation", {"id": id_})["code"] == -32803
    assert listed(editor) == []


def test_all_conversations_or_those_of_a_folder_are_cleared(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("An answer."))
    ask(editor, "one")
    ask(editor, "two")
    assert editor.request("sidelight/clearConversations", {"folder": "file:///elsewhere"}) == {"deleted": 0}
    assert editor.request("sidelight/clearConversations", {}) == {"deleted": 2}
    assert listed(editor) == []


def test_switched_off_nothing_is_written_and_a_conversation_goes_on(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer, home: Path
) -> None:
    anythingllm.always(fake.answer("An answer."))
    editor = start_editor({**connected, "SIDELIGHT_HISTORY": "0"})
    editor.initialize()
    id_ = ask(editor, "one")["conversation"]
    assert ask(editor, "two", conversation=id_)["turn"] == 2
    assert [it["turns"] for it in listed(editor)] == [2]
    editor.close()
    assert not list(home.rglob("sidelight.db*"))


def test_a_database_that_cannot_be_used_is_said_and_answers_come(
    editor: Editor, anythingllm: AnythingLLMServer, home: Path
) -> None:
    anythingllm.always(fake.answer("An answer."))
    (home / "data" / "sidelight" / "sidelight.db").mkdir(parents=True)
    id_ = ask(editor, "one")["conversation"]
    assert ask(editor, "two", conversation=id_)["turn"] == 2
    result = editor.request("sidelight/conversations", {})
    assert result["conversations"] == []
    assert "cannot be used" in result["problem"]["message"]
    assert "SIDELIGHT_HISTORY=0" in result["problem"]["hint"]
    error = editor.error("sidelight/clearConversations", {})
    assert (error["code"], error["data"]["kind"]) == (-32803, "history")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("conversations", {"limit": "x"}), ("conversations", {"limit": -1}), ("conversations", {"limit": True}),
        ("conversations", {"search": 1}), ("conversations", {"folder": []}), ("conversation", {}),
        ("conversation", None), ("conversation", {"id": 7}), ("conversation", {"id": ""}),
        ("renameConversation", {"id": "x"}), ("deleteConversation", []), ("clearConversations", {"folder": 1}),
        ("exportConversation", {"id": "x", "format": "pdf"}),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(plain_editor: Editor, method: str, params: Any) -> None:
    assert plain_editor.error(f"sidelight/{method}", params)["code"] == -32602
