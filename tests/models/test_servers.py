"""The real servers do what the tests of the providers count on; asked with bare HTTP, without Sidelight."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest
import requests

from models.servers import REPLY, LlamaServer, ModelServer, TransformersServe

# Enough for a busy machine, and far less than an endless answer takes.
SOON_S = 5.0


def ask(server: ModelServer, text: str = "Add them up.", key: str = "", **fields: Any) -> requests.Response:
    """Ask for a streamed chat answer."""
    return requests.post(
        f"{server.url}/v1/chat/completions",
        json={"model": "tiny", "messages": [{"role": "user", "content": text}], "stream": True, **fields},
        headers={"Authorization": f"Bearer {key}"} if key else {},
        stream=True,
        timeout=30,
    )


def events(answer: requests.Response) -> Iterator[dict[str, Any]]:
    for line in answer.iter_lines():
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])


def choices(answer: requests.Response) -> Iterator[dict[str, Any]]:
    for event in events(answer):
        yield from event["choices"]


@contextmanager
def begun(answer: requests.Response) -> Iterator[Iterator[dict[str, Any]]]:
    """Read the first choice, and keep what reads: the connection ends with it."""
    seen = choices(answer)
    next(seen)
    yield seen


def said(answer: requests.Response) -> tuple[str, str | None]:
    """Return the text of an answer, and how it ended."""
    seen = list(choices(answer))
    return "".join(choice["delta"].get("content") or "" for choice in seen), seen[-1].get("finish_reason")


def read(server: LlamaServer, path: str) -> Any:
    answer = requests.get(server.url + path, timeout=30)
    assert answer.status_code == 200
    return answer.json()


def post(server: LlamaServer, path: str, body: dict[str, Any]) -> Any:
    answer = requests.post(server.url + path, json=body, timeout=30)
    assert answer.status_code == 200
    return answer.json()


def test_a_stream_brings_the_whole_reply_and_says_that_it_is_finished(llama_server: Callable[..., LlamaServer]) -> None:
    answer = ask(llama_server())
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert said(answer) == (REPLY, "stop")


def test_a_token_limit_ends_a_stream_with_length(llama_server: Callable[..., LlamaServer]) -> None:
    text, reason = said(ask(llama_server(), max_tokens=8))
    assert (text, reason) == (REPLY[: len(text)], "length")


def test_a_full_context_ends_a_stream_with_length(llama_server: Callable[..., LlamaServer]) -> None:
    text, reason = said(ask(llama_server(context=256, endless=True)))
    assert text.startswith(REPLY + REPLY[:9])
    assert reason == "length"


def test_a_client_that_hangs_up_frees_the_only_slot(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server(endless=True)
    with ask(server) as answer, begun(answer):
        assert [slot["is_processing"] for slot in read(server, "/slots")] == [True]
    began = monotonic()
    assert said(ask(server, max_tokens=1))[1] == "length"
    assert monotonic() - began < SOON_S


def test_a_second_client_waits_for_the_only_slot(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server(endless=True)
    with ask(server) as first, begun(first), pytest.raises(requests.ReadTimeout):
        requests.post(f"{server.url}/completion", json={"prompt": "x", "n_predict": 1}, timeout=0.5)


def test_two_slots_answer_at_once_and_have_the_whole_context_each(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server(endless=True, slots=2)
    with ask(server) as first, begun(first):
        assert said(ask(server, max_tokens=1))[1] == "length"
    small = llama_server(context=512, slots=2)
    assert [slot["n_ctx"] for slot in read(small, "/slots")] == [512, 512]


def test_a_prompt_over_the_context_is_refused_with_its_size(llama_server: Callable[..., LlamaServer]) -> None:
    answer = ask(llama_server(context=256), "total " * 500)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "exceed_context_size_error"
    assert (error["n_prompt_tokens"] > 500, error["n_ctx"]) == (True, 256)


def test_a_wrong_key_is_refused_and_the_right_one_is_not(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server(api_key="sk-right")
    for key in ("", "sk-wrong"):
        answer = ask(server, key=key)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert said(ask(server, key="sk-right")) == (REPLY, "stop")


def test_a_crash_cuts_the_stream_and_a_restart_answers_at_the_same_address(
    llama_server: Callable[..., LlamaServer],
) -> None:
    server = llama_server(endless=True)
    with ask(server) as answer, begun(answer) as seen:
        server.kill()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            list(seen)
    with pytest.raises(requests.ConnectionError):
        ask(server)
    server.restart()
    assert said(ask(server, max_tokens=1))[1] == "length"


def test_a_paused_server_is_silent_with_the_connection_open(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server()
    server.pause()
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{server.url}/health", timeout=0.5)
    server.resume()
    assert said(ask(server)) == (REPLY, "stop")


def test_a_server_that_loads_its_model_says_so_until_it_has(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server(held=True)
    answer = ask(server)
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "Loading model")
    server.let_load()
    assert said(ask(server)) == (REPLY, "stop")


def test_tokens_can_be_counted_before_asking(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server()
    assert len(post(server, "/tokenize", {"content": REPLY})["tokens"]) == 28
    pieces = post(server, "/tokenize", {"content": "你😀", "with_pieces": True})["tokens"]
    assert [piece["piece"] for piece in pieces] == ["你", [0xF0], [0x9F], [0x98], [0x80]]
    messages = {"messages": [{"role": "user", "content": "Add them up."}]}
    prompt = post(server, "/apply-template", messages)["prompt"]
    count = len(post(server, "/tokenize", {"content": prompt})["tokens"])
    assert post(server, "/v1/chat/completions/input_tokens", messages)["input_tokens"] == count
    *_, usage = events(ask(server, stream_options={"include_usage": True}))
    assert (usage["choices"], usage["usage"]["prompt_tokens"]) == ([], count)


def test_a_server_tells_its_context_in_three_places(llama_server: Callable[..., LlamaServer]) -> None:
    server = llama_server(context=1024, alias="small")
    properties = read(server, "/props")
    assert properties["default_generation_settings"]["n_ctx"] == 1024
    assert (properties["model_alias"], properties["total_slots"]) == ("small", 1)
    (model,) = read(server, "/v1/models")["data"]
    assert (model["id"], model["meta"]["n_ctx"], model["meta"]["n_ctx_train"]) == ("small", 1024, 262144)
    assert read(server, "/slots")[0]["n_ctx"] == 1024


def test_transformers_brings_the_whole_reply_and_says_that_it_is_finished(
    transformers_serve: Callable[..., TransformersServe],
) -> None:
    server = transformers_serve()
    assert said(ask(server)) == (REPLY, "stop")
    refused = ask(server, model="another")
    assert (refused.status_code, "pinned" in refused.json()["detail"]) == (400, True)


def test_a_crash_of_transformers_cuts_the_stream(transformers_serve: Callable[..., TransformersServe]) -> None:
    server = transformers_serve(endless=True)
    with ask(server, max_tokens=20000) as answer, begun(answer) as seen:
        server.kill()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            list(seen)


def test_a_client_that_hangs_up_ends_the_answer_of_transformers(
    transformers_serve: Callable[..., TransformersServe],
) -> None:
    server = transformers_serve(endless=True)
    with ask(server, max_tokens=20000) as answer, begun(answer):
        pass
    # One answer at a time: this one would wait for minutes.
    began = monotonic()
    assert said(ask(server, max_tokens=1))[1] == "length"
    assert monotonic() - began < SOON_S
