"""The provider `openai` with real servers, llama.cpp's and `transformers serve`: alone, in an editor, in a shell."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from models.servers import REPLY, LlamaServer, ModelServer, TransformersServe
from sidelight.core.answers import Answer, Finished, Status, Text, Usage
from sidelight.core.context import Context
from sidelight.core.ports import Prompt, Request, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ProviderError
from sidelight.providers.http import Http, HttpOptions
from sidelight.providers.openai import OpenAI, OpenAIConfig
from support.editor import Editor

Llama = Callable[..., LlamaServer]
SIDELIGHT = [sys.executable, "-I", str(Path(__file__).resolve().parents[2] / "server")]
SOON_S = 2.0


def provider(server: ModelServer, **config: Any) -> OpenAI:
    return OpenAI(OpenAIConfig(f"{server.url}/v1", **config), Http(HttpOptions(retries=1)))


def question(text: str = "Add them up.", **more: Any) -> Request:
    return Request("ask", Prompt("Be brief.", text), Context(instruction=text), "c", **more)


def asked(server: ModelServer, request: Request, **config: Any) -> Answer:
    answer = Answer()
    for event in provider(server, **config).stream(request, Stop()):
        answer.add(event)
    return answer


def first_text(events: Iterator[Any]) -> str:
    return next(event.text for event in events if isinstance(event, Text))


# llama.cpp


def test_an_answer_of_llama_cpp_is_whole(llama_server: Llama) -> None:
    answer = asked(llama_server(), question())
    assert answer.text == REPLY
    assert answer.finished == Finished("complete")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 29


def test_an_answer_that_reaches_the_longest_allowed_says_so(llama_server: Llama) -> None:
    answer = asked(llama_server(), question(max_tokens=10))
    assert answer.finished is not None
    assert answer.finished.finish == "length"
    assert answer.finished.error is not None
    assert "SIDELIGHT_MAX_TOKENS" in str(answer.finished.error.hint)


def test_stopping_frees_the_only_slot_at_once(llama_server: Llama) -> None:
    server = llama_server(endless=True)
    stop = Stop()
    events = provider(server).stream(question(), stop)
    first_text(events)
    stop.set()
    with pytest.raises(Stopped):
        list(events)
    began = monotonic()
    other = Stop()
    again = provider(server).stream(question(), other)
    first_text(again)
    assert monotonic() - began < SOON_S
    other.set()
    with pytest.raises(Stopped):
        list(again)


def test_a_question_that_waits_for_the_slot_can_be_stopped(llama_server: Llama) -> None:
    server = llama_server(endless=True)
    busy = provider(server).stream(question(), Stop())
    first_text(busy)
    stop = Stop()
    threading.Timer(0.3, stop.set).start()
    began = monotonic()
    with pytest.raises(Stopped):
        list(provider(server).stream(question(), stop))
    assert monotonic() - began < SOON_S
    busy.close()  # type: ignore[attr-defined]


def test_a_prompt_over_the_context_is_refused_with_both_numbers(llama_server: Llama) -> None:
    with pytest.raises(ProviderError) as raised:
        asked(llama_server(context=256), question("word " * 2000))
    assert raised.value.kind == "too_long"
    assert "256" in str(raised.value.message)


def test_a_wrong_key_is_told_as_that(llama_server: Llama) -> None:
    server = llama_server(api_key="right")
    with pytest.raises(ProviderError) as raised:
        asked(server, question(), key="wrong", model="tiny")
    assert raised.value.kind == "auth"
    assert "OPENAI_API_KEY" in str(raised.value.hint)
    with pytest.raises(ProviderError, match="none is set"):
        asked(server, question(), model="tiny")
    assert asked(server, question(), key="right").text == REPLY


def test_a_model_that_is_being_loaded_is_waited_for_and_told(llama_server: Llama) -> None:
    server = llama_server(held=True)
    loading = threading.Timer(1.0, server.let_load)
    loading.start()
    events = list(provider(server, model="tiny").stream(question(), Stop()))
    loading.join()
    told = [str(event.message) for event in events if isinstance(event, Status)]
    assert "the server is loading the model" in told
    assert "".join(event.text for event in events if isinstance(event, Text)) == REPLY


def test_waiting_for_a_model_to_load_can_be_stopped(llama_server: Llama) -> None:
    server = llama_server(held=True)
    stop = Stop()
    threading.Timer(0.3, stop.set).start()
    began = monotonic()
    with pytest.raises(Stopped):
        list(provider(server, model="tiny").stream(question(), stop))
    assert monotonic() - began < SOON_S
    server.let_load()


def test_a_server_that_is_killed_in_mid_answer_leaves_the_text_and_an_error(llama_server: Llama) -> None:
    server = llama_server(endless=True)
    events = provider(server).stream(question(), Stop())
    text = first_text(events)
    server.kill()
    with pytest.raises(ProviderError) as raised:
        for event in events:
            text += event.text if isinstance(event, Text) else ""
    assert text.startswith(REPLY[:2])
    assert raised.value.kind == "cut_off"


def test_the_context_length_is_the_running_one(llama_server: Llama) -> None:
    assert provider(llama_server(context=1024)).window(None, Stop()) == Window(1024, "server")


def test_tokens_are_counted_by_the_server(llama_server: Llama) -> None:
    server = llama_server()
    assert provider(server).count_tokens("hi ", None, Stop()) == 3
    assert provider(server).count_tokens("", None, Stop()) == 0


# transformers serve


def test_an_answer_of_transformers_serve_is_whole_without_done(
    transformers_serve: Callable[..., TransformersServe],
) -> None:
    server = transformers_serve()
    answer = asked(server, question(), model=server.model)
    assert answer.text == REPLY
    assert answer.finished == Finished("complete")
    assert isinstance(answer.usage, Usage)
    with pytest.raises(ProviderError) as raised:
        asked(server, question(), model="other")
    assert raised.value.kind == "not_found"
    answer = asked(server, question(max_tokens=5), model=server.model)
    assert answer.finished is not None
    assert answer.finished.finish == "length"


# In an editor and in a shell


@pytest.fixture
def connected_to(environment: dict[str, str]) -> Callable[..., dict[str, str]]:
    def settings(server: ModelServer, **more: str) -> dict[str, str]:
        return {**environment, "OPENAI_BASE_URL": f"{server.url}/v1", **more}

    return settings


def test_a_server_on_this_machine_is_found_without_any_setting(
    llama_server: Llama, environment: dict[str, str], start_editor: Callable[[dict[str, str]], Editor]
) -> None:
    server = llama_server()
    editor = start_editor({**environment, "SIDELIGHT_TEST_PORTS": str(server.port)})
    editor.initialize()
    status = editor.seen("sidelight/status")[-1]
    assert status["provider"] == "openai"
    assert f"found at http://127.0.0.1:{server.port}/v1" in status["why"]
    result = editor.request("sidelight/run", {"task": "ask", "instruction": "Add."})
    assert result["text"] == REPLY


def test_a_model_is_chosen_for_the_folder_and_stays_chosen(
    llama_server: Llama, environment: dict[str, str], start_editor: Callable[[dict[str, str]], Editor]
) -> None:
    one, two = llama_server(alias="one"), llama_server(alias="two", endless=True)
    ports = {**environment, "SIDELIGHT_TEST_PORTS": f"{one.port},{two.port}"}
    editor = start_editor(ports)
    editor.initialize()
    listed = editor.request("sidelight/models", {})
    assert [(it["provider"], it["id"], it["contextTokens"]) for it in listed["models"]] == [
        ("openai", "one", 4096),
        ("openai", "two", 262144),
    ]
    running = editor.begin("sidelight/run", {"task": "ask", "instruction": "x", "partialResultToken": "p"})
    choice = {name: listed["models"][1][name] for name in ("provider", "address")} | {"model": "two"}
    assert editor.request("sidelight/chooseModel", choice)["model"] == "two"
    assert editor.answer_to(running)["result"]["finish"] == "complete"  # the running one kept its own
    again = editor.begin("sidelight/run", {"task": "ask", "instruction": "x", "partialResultToken": "q"})
    editor.wait_for("$/progress", where=lambda it: it["token"] == "q" and "Done." in it["value"].get("text", ""))
    editor.notify("$/cancelRequest", {"id": again})  # the endless one answers now
    editor.answer_to(again)
    other = start_editor(ports)
    other.initialize()
    assert other.seen("sidelight/status")[-1]["model"] == "two"
    assert other.request("sidelight/chooseModel", {})["model"] == ""


def test_the_terminal_lists_chooses_and_asks(
    llama_server: Llama, connected_to: Callable[..., dict[str, str]], folder: Path
) -> None:
    settings = connected_to(llama_server())

    def sidelight(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*SIDELIGHT, *arguments]
        return subprocess.run(
            command, env=settings, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            encoding="utf-8", check=False,
        )  # fmt: skip

    assert sidelight("models", "--use", "tiny").stdout.splitlines()[0].startswith("*\topenai\ttiny\t4096 tokens")
    assert "The nearest names: tiny" in sidelight("models", "--use", "tinny").stderr
    assert sidelight("ask", "Add.").stdout == REPLY + "\n"
    doctor = sidelight("doctor")
    assert "reads 4096 tokens, as the server says" in doctor.stdout
    assert doctor.returncode == 0


def test_earlier_turns_go_along_within_the_context(
    llama_server: Llama, connected_to: Callable[..., dict[str, str]], start_editor: Callable[[dict[str, str]], Editor]
) -> None:
    server = llama_server(context=2048)
    editor = start_editor(connected_to(server))
    editor.initialize()
    first = editor.request("sidelight/run", {"task": "ask", "instruction": "One."})
    used = []
    for number in range(12):
        ask = {"task": "ask", "instruction": f"More {number}. " + "hm " * 99, "conversation": first["conversation"]}
        result = editor.request("sidelight/run", ask)
        assert result["finish"] == "complete", result
        used.append(result.get("notes", []))
    assert used[0] == []
    assert any("earlier turns: they did not fit" in note for note in used[-1])


def test_a_silent_server_is_said_to_be_loading_or_reading(
    llama_server: Llama, connected_to: Callable[..., dict[str, str]], folder: Path
) -> None:
    server = llama_server()
    settings = connected_to(server, OPENAI_MODEL="tiny", SIDELIGHT_CONTEXT_TOKENS="4096")
    server.pause()
    process = subprocess.Popen(
        [*SIDELIGHT, "ask", "Add."], env=settings, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    sleep(6.5)
    server.resume()
    out, errors = process.communicate(timeout=20)
    assert "it may be loading the model, or reading the prompt, 5 s" in errors
    assert out == REPLY + "\n"
