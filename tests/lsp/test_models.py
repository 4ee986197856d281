"""Models in an editor: listed, chosen, and told in an answer's details. The servers on loopback play OpenAI's part."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from sidelight.lsp.framing import encode_message
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer, Pause, Script, Seen, json_reply
from support.editor import SERVER, Editor

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
Start = Callable[[dict[str, str]], Editor]
Serve = Callable[..., AnythingLLMServer]


def frame(**choice: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {}, **choice}]}).encode() + b"\n\n"


def says(text: str, finish: str | None = "stop") -> bytes:
    return HEAD + frame(delta={"content": text}) + (frame(finish_reason=finish) if finish else b"")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with these models; each answers with the name of the model that it was asked for."""
    started: list[AnythingLLMServer] = []

    def start(*models: str, tokens: int = 8192, answer: Callable[[str], bytes | Script] = says) -> AnythingLLMServer:
        server = AnythingLLMServer()

        def respond(seen: Seen) -> bytes | Script:
            if seen.path == "/v1/models":
                return json_reply({"object": "list", "data": [{"id": it, "max_model_len": tokens} for it in models]})
            if seen.path != "/v1/chat/completions":
                return json_reply({"detail": "Not Found"}, "404 Not Found")
            if seen.body["model"] not in models:
                return json_reply({"error": {"message": f"model {seen.body['model']} not found"}}, "404 Not Found")
            return answer(seen.body["model"])

        server.respond = respond
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


def ask(editor: Editor, **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = editor.request("sidelight/run", {"task": "ask", "instruction": "Who?", **more})
    return result


@pytest.fixture
def open_editor(start_editor: Start, environment: dict[str, str]) -> Callable[..., Editor]:
    def open_(server: AnythingLLMServer, **settings: str) -> Editor:
        editor = start_editor({**environment, "OPENAI_BASE_URL": f"{server.url}/v1", **settings})
        editor.initialize()
        return editor

    return open_


def command(editor: Editor, name: str, *arguments: Any) -> Any:
    return editor.request("workspace/executeCommand", {"command": f"sidelight.{name}", "arguments": list(arguments)})


def test_the_models_of_every_provider_are_listed_and_who_cannot_be_asked_is_named(
    serve: Serve, open_editor: Callable[..., Editor]
) -> None:
    other = serve("local")
    editor = open_editor(
        serve("one", "two"), ANYTHINGLLM_BASE_URL="http://127.0.0.1:9", SIDELIGHT_TEST_PORTS=str(other.port),
        SIDELIGHT_PROVIDER="openai", SIDELIGHT_RETRIES="0", OPENAI_MODEL="two",
    )  # fmt: skip
    listed = editor.request("sidelight/models", {})
    assert [(it["id"], it["isCurrent"], it.get("address", "")) for it in listed["models"]] == [
        ("one", False, ""),
        ("two", True, ""),
        ("local", False, f"http://127.0.0.1:{other.port}/v1"),
    ]
    assert all(it["contextTokens"] == 8192 for it in listed["models"])
    assert [it["provider"] for it in listed["unreachable"]] == ["anythingllm"]
    assert listed["unreachable"][0]["hint"]
    assert listed["why"] == "it is set, in the environment"


def test_a_chosen_model_answers_the_next_job_and_also_after_a_restart(
    serve: Serve, open_editor: Callable[..., Editor]
) -> None:
    server = serve("one", "two")
    editor = open_editor(server, OPENAI_MODEL="one")
    assert ask(editor)["text"] == "one"
    chosen = editor.request("sidelight/chooseModel", {"provider": "openai", "model": "two"})
    assert (chosen["provider"], chosen["model"]) == ("openai", "two")
    assert ask(editor)["text"] == "two"
    assert ask(open_editor(server, OPENAI_MODEL="one"))["text"] == "two"
    assert editor.request("sidelight/chooseModel", {})["model"] == "one"
    assert ask(editor)["text"] == "one"


def test_a_running_job_keeps_the_model_that_it_began_with(serve: Serve, open_editor: Callable[..., Editor]) -> None:
    def slowly(model: str) -> Script:
        yield HEAD + frame(delta={"content": "begun "})
        yield Pause(1.0)
        yield frame(delta={"content": model}) + frame(finish_reason="stop")

    editor = open_editor(serve("one", "two", answer=slowly), OPENAI_MODEL="one")
    running = editor.begin("sidelight/run", {"task": "ask", "instruction": "Who?", "partialResultToken": "p"})
    editor.wait_for("$/progress", where=lambda it: it["value"].get("text") == "begun ")
    editor.request("sidelight/chooseModel", {"provider": "openai", "model": "two"})
    assert editor.answer_to(running)["result"]["finish"] == "complete"
    texts = [it["value"].get("text") for it in editor.seen("$/progress") if it["token"] == "p"]
    assert texts[-1] == "one"
    assert ask(editor)["text"] == "begun two"


def test_a_plain_editor_chooses_in_a_message(serve: Serve, open_editor: Callable[..., Editor]) -> None:
    editor = open_editor(serve("one", "two"), OPENAI_MODEL="one")
    asked: list[list[str]] = []

    def choose(params: dict[str, Any]) -> dict[str, Any]:
        asked.append([action["title"] for action in params["actions"]])
        return params["actions"][1]

    editor.handle["window/showMessageRequest"] = choose
    assert command(editor, "chooseModel") == {"accepted": True}
    editor.wait_for("window/showMessage", where=lambda it: it["message"] == "Answers come from openai two now.")
    assert asked == [["one (openai)", "two (openai)", "As configured"]]
    assert ask(editor)["text"] == "two"


@pytest.mark.parametrize("wrong", [{"provider": 1}, {"model": "x"}, ["x"], {"provider": "openai", "model": None}])
def test_a_choice_without_a_provider_is_refused(serve: Serve, open_editor: Callable[..., Editor], wrong: Any) -> None:
    assert open_editor(serve("one")).error("sidelight/chooseModel", wrong)["code"] == -32602


def test_an_address_of_another_machine_cannot_be_chosen(serve: Serve, open_editor: Callable[..., Editor]) -> None:
    choice = {"provider": "openai", "model": "m", "address": "http://example.com/v1"}
    assert open_editor(serve("one")).error("sidelight/chooseModel", choice)["code"] == -32803


def test_a_wrong_model_name_is_answered_with_the_nearest_names(
    serve: Serve, open_editor: Callable[..., Editor]
) -> None:
    editor = open_editor(serve("qwen2.5-coder", "llama3.2"), OPENAI_MODEL="qwen-coder")
    error = editor.error("sidelight/run", {"task": "ask", "instruction": "Who?"})
    assert "has no model qwen-coder. The nearest names: qwen2.5-coder" in error["message"]
    assert error["data"]["kind"] == "not_found"


def test_what_the_model_was_not_shown_is_in_the_result_and_on_the_page(
    serve: Serve, open_editor: Callable[..., Editor]
) -> None:
    editor = open_editor(serve("one", tokens=2048))
    uri = editor.open("a.py", "".join(f"value_{number} = {number}\n" for number in range(2000)))
    place = {"start": {"line": 900, "character": 0}, "end": {"line": 901, "character": 0}}
    result = editor.request("sidelight/run", {"task": "explain", "uri": uri, "range": place})
    assert any("The model was not shown lines 1–" in note for note in result["notes"])
    assert "warnings" not in result  # it is no reason to doubt the answer
    command(editor, "explain", {"uri": uri, "range": place})
    page = editor.wait_for("window/showDocument")["uri"].removeprefix("file://")
    with open(page, encoding="utf-8") as file:
        assert "> The model was not shown lines 1–" in file.read()


def test_an_answer_that_reached_its_length_is_told_as_that(serve: Serve, open_editor: Callable[..., Editor]) -> None:
    editor = open_editor(serve("one", answer=lambda _model: says("Half of", "length")))
    result = ask(editor)
    assert (result["text"], result["finish"]) == ("Half of", "length")
    assert "SIDELIGHT_MAX_TOKENS" in result["error"]["hint"]


def test_the_settings_of_an_answer_reach_the_server(serve: Serve, open_editor: Callable[..., Editor]) -> None:
    server = serve("one")
    editor = open_editor(
        server, OPENAI_MODEL="one", SIDELIGHT_TEMPERATURE="0.3", SIDELIGHT_MAX_TOKENS="99",
        SIDELIGHT_SYSTEM_PROMPT="Always rhyme.", SIDELIGHT_OPENAI_BODY='{"top_p": 0.5}',
        SIDELIGHT_HEADERS='{"X-Team": "a"}',
    )  # fmt: skip
    ask(editor)
    seen = server.seen[-1]
    assert {name: seen.body[name] for name in ("temperature", "max_tokens", "top_p")} == {
        "temperature": 0.3, "max_tokens": 99, "top_p": 0.5,
    }  # fmt: skip
    assert "Always rhyme." in seen.body["messages"][0]["content"]
    assert seen.headers["x-team"] == "a"


def test_earlier_turns_are_sent_as_they_were(serve: Serve, open_editor: Callable[..., Editor]) -> None:
    server = serve("one")
    editor = open_editor(server, OPENAI_MODEL="one")
    first = ask(editor)
    second = ask(editor, conversation=first["conversation"])
    assert (first["turn"], second["turn"]) == (1, 2)
    one, two = (seen.body["messages"] for seen in server.seen if seen.path == "/v1/chat/completions")
    assert two[:2] == one
    assert two[2] == {"role": "assistant", "content": "one"}


def test_a_conversation_goes_on_after_a_restart(serve: Serve, open_editor: Callable[..., Editor]) -> None:
    server = serve("one")
    first = ask(editor := open_editor(server, OPENAI_MODEL="one"))
    editor.close()
    again = ask(open_editor(server, OPENAI_MODEL="one"), conversation=first["conversation"])
    assert again["turn"] == 2
    assert [it["role"] for it in server.seen[-1].body["messages"]] == ["system", "user", "assistant", "user"]


def test_a_job_that_is_cut_off_by_the_end_of_the_editor_is_kept(
    serve: Serve, open_editor: Callable[..., Editor]
) -> None:
    def never_ends(_model: str) -> Script:
        yield HEAD + frame(delta={"content": "so far"})
        yield Pause(30)

    server = serve("one", answer=never_ends)
    editor = open_editor(server, OPENAI_MODEL="one")
    editor.begin("sidelight/run", {"task": "ask", "instruction": "Who?", "partialResultToken": "p"})
    editor.wait_for("$/progress", where=lambda it: it["value"].get("text") == "so far")
    editor.request("shutdown", None)
    editor.notify("exit", None)
    assert editor.exit_code() == 0
    other = open_editor(server, OPENAI_MODEL="one")
    (summary,) = other.request("sidelight/conversations", {})["conversations"]
    (turn,) = other.request("sidelight/conversation", {"id": summary["id"]})["turns"]
    assert (turn["answer"], turn["finish"]) == ("so far", "stopped")


def test_choosing_another_model_meanwhile_does_not_change_how_an_answer_is_judged(
    serve: Serve, anythingllm: AnythingLLMServer, connected: dict[str, str], start_editor: Start
) -> None:
    """AnythingLLM never tells that an answer was cut off, so that what an open fence did not reach must stand."""
    server = serve("one")
    editor = start_editor({**connected, "OPENAI_BASE_URL": f"{server.url}/v1"})
    editor.initialize()
    code = (
        "def total(prices):\n    result = 0\n"
        + "".join(f"    result += {n}\n" for n in range(6))
        + "    return result\n"
    )
    uri = editor.open("a.py", code)

    reached = code.replace("result = 0", "result = 1").splitlines(keepends=True)[:7]  # enough not to look suspicious

    def cut_off() -> Script:
        yield fake.STREAM_HEAD + fake.text_event("```python\n" + "".join(reached))
        yield Pause(1.0)
        yield fake.text_event("", close=True) + fake.finalize() + fake.STREAM_END

    anythingllm.always(cut_off)
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    run = {"task": "fix", "uri": uri, "range": place, "partialResultToken": "p"}
    running = editor.begin("sidelight/run", run)
    editor.wait_for("$/progress", where=lambda it: "result = 1" in it["value"].get("text", ""))
    editor.request("sidelight/chooseModel", {"provider": "openai", "model": "one"})
    result = editor.answer_to(running)["result"]
    assert "in part" in result["notice"]
    edits = result["edit"]["documentChanges"][0]["edits"]
    assert all(edit["range"]["end"]["line"] <= 2 for edit in edits)


def test_a_provider_that_hangs_takes_nothing_from_the_others(
    serve: Serve, start_editor: Start, environment: dict[str, str]
) -> None:
    hanging = AnythingLLMServer()
    hanging.respond = lambda _seen: iter([Pause(30)])
    own = {"OPENAI_BASE_URL": f"{serve('one').url}/v1", "ANYTHINGLLM_BASE_URL": hanging.url}
    editor = start_editor({**environment, **own, "SIDELIGHT_PROVIDER": "openai"})
    editor.initialize()
    for _ in range(20):
        editor.begin("sidelight/models", {})
    began = monotonic()
    assert ask(editor)["text"] == "one"
    assert editor.request("sidelight/conversations", {})["conversations"]
    assert monotonic() - began < 5.0
    hanging.close()


def test_a_run_that_is_cancelled_in_the_same_breath_is_stopped(
    serve: Serve, open_editor: Callable[..., Editor]
) -> None:
    def never_ends(_model: str) -> Script:
        yield HEAD + frame(delta={"content": "so far"})
        yield Pause(30)

    editor = open_editor(serve("one", answer=never_ends), OPENAI_MODEL="one")
    run = {"task": "ask", "instruction": "Who?", "workDoneToken": "w"}
    messages = [
        {"id": 77, "method": "sidelight/run", "params": run},
        {"method": "window/workDoneProgress/cancel", "params": {"token": "w"}},
    ]
    editor.send_raw(b"".join(encode_message({"jsonrpc": "2.0", **message}) for message in messages))
    assert editor.answer_to(77)["result"]["finish"] == "stopped"


def test_a_choice_made_in_a_terminal_is_noticed(
    serve: Serve, open_editor: Callable[..., Editor], environment: dict[str, str], folder: Path
) -> None:
    server = serve("one", "two")
    editor = open_editor(server, OPENAI_MODEL="one")
    assert ask(editor)["text"] == "one"
    chosen = subprocess.run(
        [sys.executable, "-I", str(SERVER), "models", "--use", "two"], cwd=folder, capture_output=True, text=True,
        env={**environment, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_MODEL": "one"}, check=False,
    )  # fmt: skip
    assert chosen.returncode == 0, chosen.stderr
    assert ask(editor)["text"] == "two"


def test_a_status_is_told_also_when_nobody_can_be_found(
    serve: Serve, start_editor: Start, environment: dict[str, str]
) -> None:
    port = str(serve("one").port)
    editor = start_editor({**environment, "REQUESTS_CA_BUNDLE": "/nonexistent", "SIDELIGHT_TEST_PORTS": port})
    editor.initialize()
    assert editor.seen("sidelight/status")[-1]["provider"] == "openai"
