"""Trying a connection before it is configured: what comes of it, what is kept (nothing), and where keys go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from support import anythingllm as fake
from support import vendor
from support.anythingllm import AnythingLLMServer, Seen, json_reply
from support.editor import Editor
from support.vendor import Hanging, Vendor, eventually

Start = Callable[[dict[str, str]], Editor]
TYPED = "sk-typed-into-a-box-0001"
OTHER = "sk-configured-elsewhere-2"
MODELS = json_reply({"object": "list", "data": [{"id": "one", "max_model_len": 4096}, {"id": "two"}]})


@pytest.fixture
def server() -> Iterator[Vendor]:
    server = Vendor()
    server.routes = {"GET /v1/models": MODELS}
    yield server
    server.close()


def opened(start: Start, environment: dict[str, str], **more: Any) -> Editor:
    editor = start(environment)
    editor.initialize(**more)
    return editor


def connect(editor: Editor, provider: str, **more: str) -> dict[str, Any]:
    result: dict[str, Any] = editor.request("sidelight/connect", {"provider": provider, **more})
    return result


def told(result: dict[str, Any], state: str = "failed") -> str:
    return " ".join(
        f"{check['message']} {check.get('hint', '')}" for check in result["checks"] if check["state"] == state
    )


def keys_seen(server: AnythingLLMServer) -> set[str]:
    return {seen.headers.get("authorization", "") for seen in server.seen}


def logged(home: Path) -> str:
    return "".join(file.read_text("utf-8") for file in home.rglob("sidelight-*.log*"))


def test_a_connection_is_tried_and_its_models_are_listed_and_nothing_is_kept(
    plain_editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    result = connect(plain_editor, "anythingllm", address=anythingllm.url, key=fake.KEY)
    assert result["isConnected"] is True
    assert [it["id"] for it in result["models"]] == ["test1", "test-2"]
    assert {it["provider"] for it in result["models"]} == {"anythingllm"}
    assert "No workspace is chosen" in told(result, "note")
    assert told(result) == ""
    listed = plain_editor.request("sidelight/models", {})
    assert (listed["provider"], listed["models"]) == ("builtin", [])


def test_a_wrong_key_a_wrong_workspace_and_nobody_there_are_told(
    plain_editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    wrong = connect(plain_editor, "anythingllm", address=anythingllm.url, key=TYPED)
    assert wrong["isConnected"] is False
    assert "did not accept the key" in told(wrong)
    assert wrong["models"] == []
    gone = connect(plain_editor, "anythingllm", address=anythingllm.url, key=fake.KEY, model="nope")
    assert gone["isConnected"] is False
    assert "The workspace nope does not exist" in told(gone)
    assert len(gone["models"]) == 2
    nobody = connect(plain_editor, "openai", address="http://127.0.0.1:9/v1")
    assert nobody["isConnected"] is False
    assert "cannot be reached" in told(nobody)


def test_every_provider_that_has_an_address_can_be_tried(plain_editor: Editor, server: Vendor) -> None:
    server.routes |= {
        "GET /api/version": json_reply({"version": "0.9"}),
        "GET /api/tags": json_reply({"models": [{"name": "m"}]}),
        "GET /api/ps": json_reply({"models": []}),
        "POST /api/show": json_reply({"model_info": {"a.context_length": 8192}}),
    }
    assert connect(plain_editor, "openai", address=f"{server.url}/v1", model="one")["isConnected"]
    ollama = connect(plain_editor, "ollama", address=server.url)
    assert (ollama["isConnected"], [it["id"] for it in ollama["models"]]) == (True, ["m"])
    refused = connect(plain_editor, "dashscope", address=f"{server.url}/api/v1", key=TYPED)
    assert any(f"Bearer {TYPED}" == key for key in keys_seen(server))
    assert refused["checks"]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "provider"),
        ({"provider": "builtin"}, "provider"),
        ({"provider": ["openai"]}, "provider"),
        ({"provider": "openai", "key": 5}, "key"),
        ({"provider": "openai", "address": [TYPED]}, "address"),
        ([TYPED], "provider"),
        (TYPED, "provider"),
        (None, "provider"),
    ],
)
def test_wrong_parameters_are_refused_and_not_repeated(plain_editor: Editor, params: Any, named: str) -> None:
    error = plain_editor.error("sidelight/connect", params)
    assert error["code"] == -32602
    assert named in error["message"]
    assert TYPED not in str(error)


def test_what_is_no_address_is_told_without_showing_a_password(plain_editor: Editor) -> None:
    for address in ("localhost:1234", "http://me:secret-word@host/v1", "file:///etc/passwd"):
        result = connect(plain_editor, "openai", address=address)
        assert not result["isConnected"]
        assert "OPENAI_BASE_URL" in told(result)
        assert "secret-word" not in str(result)
    assert not connect(plain_editor, "openai", key="two\nlines-of-secrets")["isConnected"]


# Where keys go


def test_a_configured_key_goes_to_its_own_origin_only(
    start_editor: Start, environment: dict[str, str], server: Vendor
) -> None:
    own = {**environment, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": OTHER, "ANYTHINGLLM_API_KEY": OTHER}
    editor = opened(start_editor, own)
    elsewhere = Vendor()
    elsewhere.routes = server.routes
    try:
        assert connect(editor, "openai", address=f"{elsewhere.url}/v1")["isConnected"]
        connect(editor, "anythingllm", address=elsewhere.url)
        connect(editor, "anythingllm", address=elsewhere.url, key=TYPED)
        assert OTHER not in str(keys_seen(elsewhere))
        assert f"Bearer {TYPED}" in keys_seen(elsewhere)
        server.seen.clear()
        assert connect(editor, "openai", address=f"{server.url}/v1/")["isConnected"]
        assert keys_seen(server) == {f"Bearer {OTHER}"}
        server.seen.clear()
        assert connect(editor, "openai", address=f"{server.url}/v1", key=TYPED)["isConnected"]
        assert keys_seen(server) == {f"Bearer {TYPED}"}
    finally:
        elsewhere.close()


def test_configured_headers_go_to_the_configured_origin_only_and_that_is_said(
    start_editor: Start, environment: dict[str, str], server: Vendor
) -> None:
    own = {**environment, "OPENAI_BASE_URL": f"{server.url}/v1", "SIDELIGHT_HEADERS": '{"X-Team": "team-secret"}'}
    editor = opened(start_editor, own)
    elsewhere = Vendor()
    elsewhere.routes = server.routes
    try:
        there = connect(editor, "openai", address=f"{elsewhere.url}/v1")
        connect(editor, "anythingllm", address=elsewhere.url)
        assert there["isConnected"]
        assert "SIDELIGHT_HEADERS" in told(there, "note")
        assert elsewhere.seen
        assert all("x-team" not in seen.headers for seen in elsewhere.seen)
        for result in (connect(editor, "openai", address=f"{server.url}/v1/"), connect(editor, "openai")):
            assert "SIDELIGHT_HEADERS" not in told(result, "note")
        assert {seen.headers.get("x-team") for seen in server.seen} == {"team-secret"}
    finally:
        elsewhere.close()


def test_a_key_of_a_default_address_does_not_go_anywhere_else(
    start_editor: Start, environment: dict[str, str], server: Vendor
) -> None:
    editor = opened(start_editor, {**environment, "OPENAI_API_KEY": OTHER})
    connect(editor, "openai", address=f"{server.url}/v1")
    assert keys_seen(server) == {""}


def test_the_users_key_does_not_go_to_an_address_of_the_folders(
    start_editor: Start, environment: dict[str, str], server: Vendor, folder: Path
) -> None:
    (folder / ".env").write_text(f"OPENAI_BASE_URL={server.url}/v1\n")
    own = {**environment, "OPENAI_API_KEY": OTHER}
    editor = opened(start_editor, own, initializationOptions={"trusted": True})
    connect(editor, "openai")
    connect(editor, "openai", key=TYPED)
    connect(editor, "openai", address=f"{server.url}/v1")
    assert OTHER not in str(keys_seen(server))
    assert TYPED not in str(keys_seen(server))
    assert server.seen


def test_a_model_that_is_configured_for_another_server_is_not_asked_for(
    start_editor: Start, environment: dict[str, str], server: Vendor
) -> None:
    editor = opened(start_editor, {**environment, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_MODEL": "gone"})
    result = connect(editor, "openai", address=f"{server.url}/v1")
    assert result["isConnected"]
    assert "gone" not in str(result)


# What must not be seen


def test_a_key_reaches_no_log_and_no_answer_even_where_the_server_repeats_it(
    start_editor: Start, environment: dict[str, str], home: Path
) -> None:
    echoing = AnythingLLMServer()

    def echo(seen: Seen) -> bytes:
        words = f"the key {seen.headers.get('authorization', '')} is wrong"
        return json_reply({"error": {"message": words}, "message": words}, "403 Forbidden")

    echoing.respond = echo
    editor = opened(start_editor, {**environment, "SIDELIGHT_LOG_LEVEL": "debug"})
    try:
        for key in (TYPED, "abcd"):
            for provider, path in (("openai", "/v1"), ("anythingllm", ""), ("dashscope", "/api/v1")):
                result = connect(editor, provider, address=echoing.url + path, key=key)
                assert not result["isConnected"]
                assert key not in str(result)
    finally:
        echoing.close()
    short = "zq9x7"  # too short to be masked wherever it stands, so that only its name can hide it
    strange = [
        {"method": "sidelight/connect", "id": 901, "params": {"provider": "openai", "key": {"value": short}}},
        {"method": "sidelight/connect", "id": 902, "params": [short]},
        {"method": "sidelight/nothing", "id": 903, "params": {"key": short, "nested": [{"apiKey": short}]}},
        {"method": "sidelight/run", "id": 904, "params": {"task": "no such", "key": short}},
        {"method": "workspace/didChangeConfiguration",
         "params": {"settings": {"sidelight": {"openai": {"apiKey": short, "baseUrl": f"http://me:{short}@host/v1"},
                                               "headers": {"X-Team": short}}}}},
        {"method": "sidelight/connect", "id": 905,
         "params": {"provider": "openai", "address": f"http://127.0.0.1:9/v1?api_key={short}"}},
    ]  # fmt: skip
    for message in strange:
        editor.send(message)
    address = f"http://me:{short}@host:11434"
    editor.configuration = {"openai": {"apiKey": short}, "headers": {"X-Team": short}, "ollama": {"host": address}}
    editor.answer_to(904)
    editor.request("sidelight/history", {})
    editor.request("shutdown", None)
    editor.notify("exit", None)
    editor.exit_code()
    assert "sidelight/nothing" in logged(home)  # at this level, what is received is logged
    for secret in (TYPED, "abcd'", short):
        assert secret not in logged(home)
        assert secret not in editor.stderr


def test_a_trial_that_is_cancelled_ends_at_once_and_lets_the_server_go(plain_editor: Editor, server: Vendor) -> None:
    hanging = Hanging(b"")
    server.routes["GET /v1/models"] = hanging
    began = plain_editor.begin("sidelight/connect", {"provider": "openai", "address": f"{server.url}/v1"})
    assert hanging.reached.wait(10)
    assert plain_editor.request("sidelight/history", {}) == {"points": []}  # the loop is free
    plain_editor.notify("$/cancelRequest", {"id": began})
    assert plain_editor.answer_to(began)["error"]["code"] == -32800
    assert eventually(lambda: all(seen.closed.is_set() for seen in server.asked("/v1/models")))


def test_who_does_not_answer_a_step_is_not_asked_for_models_as_well(
    start_editor: Start, environment: dict[str, str], server: Vendor
) -> None:
    editor = opened(start_editor, {**environment, "SIDELIGHT_SILENCE_TIMEOUT": "0.3"})
    server.routes["GET /v1/models"] = Hanging(b"")
    for _ in range(2):
        began = monotonic()
        result = connect(editor, "openai", address=f"{server.url}/v1", model="one")
        assert "has not said anything" in told(result)
        assert monotonic() - began < 3  # as long as the user waits for silence, not as a provider usually does
    assert len(server.asked("/v1/models")) == 2


def test_trials_that_hang_take_nothing_from_the_others(plain_editor: Editor, server: Vendor) -> None:
    server.routes["GET /v1/models"] = Hanging(b"")
    for _ in range(8):
        plain_editor.begin("sidelight/connect", {"provider": "openai", "address": f"{server.url}/v1"})
    assert eventually(lambda: len(server.asked("/v1/models")) == 8, 4)  # none of them waits for another
    assert plain_editor.request("sidelight/models", {})["provider"] == "builtin"
    assert plain_editor.request("sidelight/run", {"task": "ask", "instruction": "Who?"})["finish"] == "complete"


def test_what_is_told_is_in_the_clients_language(
    start_editor: Start, environment: dict[str, str], server: Vendor
) -> None:
    editor = opened(start_editor, environment, locale="zh-cn")
    result = connect(editor, "openai", address=f"{server.url}/v1")
    assert any("\u4e00" <= character <= "\u9fff" for character in result["checks"][0]["message"])
    assert vendor.KEY not in str(result)
