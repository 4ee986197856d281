from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Reasoning, Replace, Status, Text
from sidelight.core.context import Context
from sidelight.core.ports import Prompt, Request
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.anythingllm import AnythingLLM, AnythingLLMConfig, AnythingLLMDecoder, encode
from sidelight.providers.anythingllm_message import Sent
from sidelight.providers.http import Http, HttpOptions
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer, capture

ENGLISH = "AnythingLLM is a private RAG server."


def request(user: str = "hi", model: str | None = None) -> Request:
    return Request("ask", Prompt("", user), Context(), "conversation-1", model)


def body_of(raw: bytes) -> bytes:
    """Return the body of a recorded answer without its chunking."""
    body = raw.partition(b"\r\n\r\n")[2]
    parts = []
    while (match := re.match(rb"([0-9a-fA-F]+)\r\n", body)) and (size := int(match[1], 16)):
        parts.append(body[match.end() : match.end() + size])
        body = body[match.end() + size + 2 :]
    return b"".join(parts)


def decoded(pieces: Iterator[bytes] | list[bytes]) -> tuple[Answer, list[AnswerEvent]]:
    decoder, answer = AnythingLLMDecoder("a-key"), Answer()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    events += decoder.finish()
    for event in events:
        answer.add(event)
    return answer, events


def outcome(answer: Answer) -> tuple[str, str, str, str, int]:
    finished = answer.finished
    assert finished is not None
    kind = finished.error.kind if finished.error else ""
    return answer.text, answer.reasoning, finished.finish, kind, len(answer.sources)


CASES = {
    "stream-chat-english": (None, "", "complete", "", 0),
    "stream-chat-with-sources": (None, "", "complete", "", 1),
    "stream-chat-http10": (None, "", "complete", "", 0),
    "stream-chat-agent": (None, "", "complete", "", 0),
    "stream-chat-agent-tool": (None, "", "complete", "", 0),
    "stream-chat-agent-no-native-tools": (None, "", "complete", "", 0),
    "stream-chat-code-fence": (None, "", "complete", "", 0),
    "stream-chat-finish-length": (None, "", "complete", "", 0),
    "stream-chat-query-no-context": (None, "", "complete", "", 0),
    "stream-chat-agent-upstream-dead": (None, "", "cut_off", "other", 0),
    "stream-chat-upstream-dies-midstream": (None, "", "cut_off", "cut_off", 0),
    "stream-chat-upstream-no-finish-reason-hangs": (None, "", "cut_off", "cut_off", 0),
    "stream-chat-upstream-dead-before-start": ("", "", "cut_off", "other", 0),
    "stream-chat-upstream-401": ("", "", "cut_off", "auth", 0),
    "stream-chat-upstream-500": ("", "", "cut_off", "other", 0),
    "stream-chat-embedder-dead": ("", "", "cut_off", "other", 0),
    "stream-chat-provider-not-configured": ("", "", "cut_off", "auth", 0),
    "stream-chat-message-array": ("", "", "cut_off", "other", 0),
}


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_answer_is_understood_whole(name: str) -> None:
    answer, _ = decoded([body_of(capture(name)) or capture(name).partition(b"\r\n\r\n")[2]])
    text, *rest = CASES[name]
    assert outcome(answer)[1:] == tuple(rest)
    if text is None:
        assert answer.text
    else:
        assert answer.text == text


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_answer_is_understood_at_any_cut(name: str) -> None:
    body = body_of(capture(name)) or capture(name).partition(b"\r\n\r\n")[2]
    expected = outcome(decoded([body])[0])
    assert outcome(decoded(fake.one_byte_at_a_time(body))[0]) == expected  # type: ignore[arg-type]
    for seed in range(20):
        assert outcome(decoded(fake.random_cuts(body, seed))[0]) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["stream-chat-agent", "stream-chat-agent-tool", "stream-chat-agent-no-native-tools"])
def test_an_agents_answer_is_not_repeated(name: str) -> None:
    answer, events = decoded([body_of(capture(name))])
    whole = next(
        json.loads(line[6:])["textResponse"]
        for line in body_of(capture(name)).split(b"\n")
        if b'"type":"finalizeResponseStream"' in line
    )
    assert answer.text == whole
    assert not any(isinstance(event, Replace) for event in events)


def test_an_agents_tool_use_is_progress() -> None:
    _, events = decoded([body_of(capture("stream-chat-agent-tool"))])
    assert any(isinstance(event, Status) for event in events)


def test_characters_that_are_no_line_ends_stay_in_the_text() -> None:
    answer, _ = decoded([body_of(capture("stream-chat-cjk-emoji-u2028"))])
    assert "你好，世界。" in answer.text
    assert "\u2028" in answer.text
    assert "\u2029" in answer.text
    assert "😀" in answer.text


def test_reasoning_is_no_text() -> None:
    answer, events = decoded([body_of(capture("stream-chat-reasoning"))])
    assert answer.reasoning
    assert "think>" not in answer.text
    assert answer.text
    assert any(isinstance(event, Reasoning) for event in events)


def data(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def chunk(text: str) -> bytes:
    return data(type="textResponseChunk", textResponse=text, close=False, error=False)


def test_a_surrogate_pair_torn_over_two_events_is_joined() -> None:
    closing = data(type="finalizeResponseStream", close=True, error=False)
    answer, _ = decoded([chunk("a\ud83d"), chunk("\ude00"), closing])
    assert answer.text == "a😀"
    assert outcome(answer)[2] == "complete"


def test_a_final_text_that_differs_replaces_the_answer() -> None:
    closing = data(type="finalizeResponseStream", textResponse="All new.", close=True, error=False)
    answer, events = decoded([chunk("Old"), closing])
    assert answer.text == "All new."
    assert Replace("All new.") in events


def test_an_abort_is_remembered_through_a_cheerful_end() -> None:
    answer, _ = decoded([
        chunk("half"),
        data(type="abort", textResponse=None, close=True, error="Premature close"),
        data(type="finalizeResponseStream", close=True, error=False),
    ])  # fmt: skip
    assert outcome(answer)[:4] == ("half", "", "cut_off", "cut_off")


def test_an_abort_after_the_end_is_the_servers_own_business() -> None:
    answer, _ = decoded([
        chunk("whole"),
        data(type="finalizeResponseStream", close=True, error=False),
        data(type="abort", close=True, error="telemetry failed"),
    ])  # fmt: skip
    assert outcome(answer)[2] == "complete"


def test_sources_are_taken_from_whichever_event_has_them() -> None:
    source = {"title": "a.md", "text": "<document_metadata>\nx\n</document_metadata>\n\nThe text", "url": "file://a.md"}
    for kind in ("textResponseChunk", "finalizeResponseStream"):
        answer, _ = decoded([data(type=kind, textResponse="x", close=True, error=False, sources=[source])])
        assert [(item.title, item.uri, item.text) for item in answer.sources] == [("a.md", "file://a.md", "The text")]


def test_an_empty_answer_is_told() -> None:
    answer, _ = decoded([data(type="finalizeResponseStream", close=True, error=False)])
    assert answer.finished is not None
    assert "empty answer" in str(answer.finished.error)


def test_unknown_and_broken_events_are_passed_over() -> None:
    closing = data(type="finalizeResponseStream", close=True, error=False)
    answer, _ = decoded([data(type="fileDownload", x=1), b"data: {broken\n\n", b"data: 3\n\n", chunk("x"), closing])
    assert outcome(answer)[:3] == ("x", "", "complete")


def test_a_key_that_the_server_repeats_is_masked() -> None:
    decoder = AnythingLLMDecoder("sk-very-secret")
    decoder.feed(data(type="abort", error="401 Incorrect key sk-very-secret"))
    assert "sk-very-secret" not in str(decoder.finish()[-1].error)  # type: ignore[union-attr]


# Out


@pytest.mark.parametrize("address", ["http://h:3001", "http://h:3001/", "http://h:3001/api", "http://h:3001/api/v1/"])
def test_the_address_may_be_written_in_any_usual_way(address: str) -> None:
    call = encode(AnythingLLMConfig(address, "k"), Sent("hi"), "c", "doc space")
    assert call.url == "http://h:3001/api/v1/workspace/doc%20space/stream-chat"


def test_mode_and_session_are_always_said() -> None:
    call = encode(AnythingLLMConfig(key="k"), Sent("hi"), "conversation-1", "w")
    assert call.body == {"message": "hi", "mode": "chat", "sessionId": "conversation-1"}
    assert call.headers["Authorization"] == "Bearer k"


def test_a_key_that_cannot_be_one_is_told() -> None:
    with pytest.raises(ConfigurationError, match="ANYTHINGLLM_API_KEY"):
        encode(AnythingLLMConfig(key="ключ"), Sent("hi"), "c", "w")


# Wire


def provider_for(
    server: AnythingLLMServer, *, workspace: str = "test1", key: str = fake.KEY, **options: Any
) -> AnythingLLM:
    quick = {"connect_s": 2.0, "silence_s": 2.0, "retries": 0, **options}
    return AnythingLLM(AnythingLLMConfig(server.url, key, workspace), Http(HttpOptions(**quick)))


def ask(provider: AnythingLLM, model: str | None = None) -> Answer:
    answer = Answer()
    for event in provider.stream(request(model=model), Stop()):
        answer.add(event)
    return answer


def failure_of(provider: AnythingLLM) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(provider)
    assert caught.value.hint is not None
    return caught.value


@pytest.mark.parametrize("name", ["stream-chat-english", "stream-chat-with-sources", "stream-chat-http10"])
def test_a_real_connection_gives_the_recorded_answer(anythingllm: AnythingLLMServer, name: str) -> None:
    anythingllm.always(capture(name))
    assert outcome(ask(provider_for(anythingllm)))[2] == "complete"


@pytest.mark.parametrize("script", [fake.one_byte_at_a_time, lambda raw: fake.random_cuts(raw, 7)])
def test_cuts_on_the_wire_change_nothing(
    anythingllm: AnythingLLMServer, script: Callable[[bytes], fake.Script]
) -> None:
    anythingllm.always(lambda: script(capture("stream-chat-cjk-emoji-u2028")))
    expected = outcome(decoded([body_of(capture("stream-chat-cjk-emoji-u2028"))])[0])
    assert outcome(ask(provider_for(anythingllm))) == expected


def test_what_is_sent_is_what_the_server_wants(anythingllm: AnythingLLMServer) -> None:
    ask(provider_for(anythingllm))
    seen = anythingllm.questions[0]
    assert seen.headers["authorization"] == f"Bearer {fake.KEY}"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-type"] == "application/json"
    assert seen.body["sessionId"] == "conversation-1"


def test_a_wrong_key_is_told(anythingllm: AnythingLLMServer) -> None:
    error = failure_of(provider_for(anythingllm, key="WRONG-KEY"))
    assert error.kind == "auth"
    assert "ANYTHINGLLM_API_KEY" in str(error.hint)


def test_a_missing_key_is_told(anythingllm: AnythingLLMServer) -> None:
    assert "none is set" in str(failure_of(provider_for(anythingllm, key="")))


def test_a_wrong_workspace_is_told(anythingllm: AnythingLLMServer) -> None:
    error = failure_of(provider_for(anythingllm, workspace="nope"))
    assert error.kind == "not_found"
    assert "Workspace nope is not a valid workspace" in str(error)


@pytest.mark.parametrize(
    "response",
    [
        fake.reply(b"<!DOCTYPE html>", "text/html; charset=utf-8"),
        fake.reply(b"<!DOCTYPE html>", "text/html", "404 Not Found"),
    ],
)
def test_a_wrong_address_is_told(anythingllm: AnythingLLMServer, response: bytes) -> None:
    anythingllm.always(response)
    error = failure_of(provider_for(anythingllm))
    assert "is not the address of AnythingLLM's API" in str(error)
    assert "ANYTHINGLLM_BASE_URL" in str(error.hint)


@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "400 Bad Request"])
def test_a_refused_request_is_told(anythingllm: AnythingLLMServer, status: str) -> None:
    anythingllm.always(fake.json_reply({"error": "it broke"}, status))
    assert "it broke" in str(failure_of(provider_for(anythingllm)))


def test_a_redirect_is_told_and_not_followed(anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.reply(b"", "text/html", "301 Moved", "Location: https://other.example/\r\n"))
    error = failure_of(provider_for(anythingllm))
    assert "https://other.example/" in str(error)
    assert len(anythingllm.seen) == 1


def test_a_server_that_is_down_is_told(anythingllm: AnythingLLMServer) -> None:
    anythingllm.close()
    error = failure_of(provider_for(anythingllm))
    assert error.kind == "network"
    assert "cannot be reached" in str(error)


@pytest.mark.parametrize("ending", ["close", "reset", "inside a chunk"])
def test_a_server_that_dies_midstream_leaves_its_text(anythingllm: AnythingLLMServer, ending: str) -> None:
    def script() -> fake.Script:
        yield fake.STREAM_HEAD + fake.text_event("What came ") + fake.text_event("is kept")
        yield fake.Pause(0.1)
        if ending == "reset":
            yield "reset"
        elif ending == "inside a chunk":
            yield b"40\r\ndata: {"

    anythingllm.always(script)
    answer = Answer()
    with pytest.raises(ProviderError) as caught:
        for event in provider_for(anythingllm).stream(request(), Stop()):
            answer.add(event)
    assert answer.text == "What came is kept"
    assert caught.value.kind == "cut_off"


def test_a_body_without_length_that_ends_early_is_cut_off(anythingllm: AnythingLLMServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    anythingllm.always(head + chunk("half"))
    assert outcome(ask(provider_for(anythingllm)))[:4] == ("half", "", "cut_off", "cut_off")


@pytest.mark.parametrize("before", [b"", fake.STREAM_HEAD, fake.STREAM_HEAD + fake.text_event("x")])
def test_a_silent_server_is_given_up_and_told(anythingllm: AnythingLLMServer, before: bytes) -> None:
    anythingllm.always(lambda: iter([before, fake.Pause(20)]))
    error = failure_of(provider_for(anythingllm, silence_s=0.3, retries=2))
    assert "SIDELIGHT_SILENCE_TIMEOUT" in str(error.hint)
    assert len(anythingllm.questions) == 1


def test_comments_do_not_count_as_an_answer(anythingllm: AnythingLLMServer) -> None:
    def script() -> fake.Script:
        yield fake.STREAM_HEAD
        for _ in range(100):
            yield fake.chunk(b": still here\n\n")
            yield fake.Pause(0.05)

    anythingllm.always(script)
    assert "has not said anything" in str(failure_of(provider_for(anythingllm, silence_s=0.3)))


def test_a_busy_server_is_asked_again_before_a_byte_of_the_answer(anythingllm: AnythingLLMServer) -> None:
    busy = fake.json_reply({"error": "busy"}, "503 Service Unavailable")
    replies = iter([busy, capture("stream-chat-english")])
    anythingllm.always(lambda: iter([next(replies)]))
    assert outcome(ask(provider_for(anythingllm, retries=1)))[2] == "complete"
    assert len(anythingllm.questions) == 2


def test_nothing_is_sent_again_once_the_answer_has_begun(anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event("x"), "reset"]))
    failure_of(provider_for(anythingllm, retries=2))
    assert len(anythingllm.questions) == 1


def test_an_unflushed_gzip_body_is_read_all_the_same(anythingllm: AnythingLLMServer) -> None:
    body = gzip.compress(body_of(capture("stream-chat-english")))
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}"
    )
    anythingllm.always(f"{head}\r\n\r\n".encode() + body)
    assert outcome(ask(provider_for(anythingllm)))[2] == "complete"


def test_models_are_the_workspaces(anythingllm: AnythingLLMServer) -> None:
    assert [model.id for model in provider_for(anythingllm).models()] == ["test1", "test-2"]


def test_several_workspaces_and_none_chosen_is_told(anythingllm: AnythingLLMServer) -> None:
    with pytest.raises(ConfigurationError, match="test1, test-2"):
        ask(provider_for(anythingllm, workspace=""))


def test_the_only_workspace_is_taken(anythingllm: AnythingLLMServer) -> None:
    def respond(seen: fake.Seen) -> bytes | fake.Script:
        if seen.path.endswith("/workspaces"):
            return fake.json_reply({"workspaces": [{"slug": "test1", "name": "One"}]})
        return anythingllm.usual(seen)

    anythingllm.respond = respond
    assert outcome(ask(provider_for(anythingllm, workspace="")))[2] == "complete"


def test_a_workspace_can_be_chosen_for_one_question(anythingllm: AnythingLLMServer) -> None:
    ask(provider_for(anythingllm), model="test-2")
    assert anythingllm.questions[0].path == "/api/v1/workspace/test-2/stream-chat"


def test_the_doctors_checks_pass_on_a_healthy_server(anythingllm: AnythingLLMServer) -> None:
    checks = list(provider_for(anythingllm).checks())
    assert {check.state for check in checks} == {"ok"}
    told = "\n".join(str(check.message) for check in checks)
    for step in (
        "without a proxy",
        "is reachable",
        "is AnythingLLM's API",
        "key is accepted",
        "workspace test1 exists",
    ):
        assert step in told


def test_the_doctors_checks_name_the_workspaces_there_are(anythingllm: AnythingLLMServer) -> None:
    with pytest.raises(ProviderError, match="test1, test-2"):
        list(provider_for(anythingllm, workspace="nope").checks())


def test_text_arrives_as_it_is_written(anythingllm: AnythingLLMServer) -> None:
    def script() -> fake.Script:
        yield fake.STREAM_HEAD + fake.text_event("first ")
        yield fake.Pause(0.5)
        yield fake.text_event("second") + fake.finalize() + fake.STREAM_END

    anythingllm.always(script)
    events = provider_for(anythingllm).stream(request(), Stop())
    first = next(event for event in events if isinstance(event, Text))
    assert first.text == "first "
    assert [event.text for event in events if isinstance(event, Text)] == ["second"]


@pytest.mark.parametrize("odd", [{"sources": 5}, {"metrics": {"prompt_tokens": float("nan")}}, {"sources": [7, None]}])
def test_odd_details_do_not_end_a_good_answer(odd: dict[str, Any]) -> None:
    closing = data(type="finalizeResponseStream", close=True, error=False, **odd)
    answer, _ = decoded([chunk("whole"), closing])
    assert outcome(answer)[:3] == ("whole", "", "complete")


def test_a_stream_without_its_content_type_is_a_stream(anythingllm: AnythingLLMServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    anythingllm.always(
        lambda: iter([head + fake.text_event("first "), fake.Pause(0.3), fake.finalize() + fake.STREAM_END])
    )
    assert outcome(ask(provider_for(anythingllm)))[:3] == ("first ", "", "complete")


def test_another_services_json_is_told_as_a_wrong_address(anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.json_reply({"object": "list", "data": []}))
    assert "is not the address of AnythingLLM's API" in str(failure_of(provider_for(anythingllm)))


def test_stop_is_heard_while_the_workspace_is_looked_for(anythingllm: AnythingLLMServer) -> None:
    anythingllm.respond = lambda _: iter([fake.Pause(30)])
    stop = Stop()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        list(provider_for(anythingllm, workspace="", silence_s=30).stream(request(), stop))
    assert anythingllm.seen[0].closed.wait(2)
