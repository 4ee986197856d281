"""OpenAI-compatible servers: llama.cpp and ``transformers serve`` as recorded, the others as they are documented."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Note, Reasoning, Status, Text, Usage
from sidelight.core.context import Context
from sidelight.core.ports import Exchange, Prompt, Request, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.core.wire.event_stream import LineTooLong
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.http import Http, HttpOptions
from sidelight.providers.openai import OpenAI, OpenAIConfig, OpenAIDecoder, encode
from support import vendor
from support.vendor import KEY, Vendor, body_of, capture, json_frame, json_reply, outcome, request, shown, streamed

DONE = b"data: [DONE]\n\n"
CHAT = "/v1/chat/completions"
MODELS = "/v1/models"


def frame(content: Any = None, finish: Any = None, **more: Any) -> bytes:
    """Return a frame with one choice; ``more`` goes into its delta."""
    delta = {"content": content, **more} if content is not None or more else {}
    return json_frame({"object": "chat.completion.chunk", "choices": [choice(delta, finish)]})


def choice(delta: dict[str, Any], finish: Any = None, index: int = 0) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish}


def decoded(pieces: Iterable[bytes]) -> tuple[Answer, list[AnswerEvent]]:
    events = vendor.decoded(OpenAIDecoder("h:1", KEY), pieces)
    return vendor.folded(events), events


def ended(*frames: bytes) -> tuple[str, str, str, str]:
    return outcome(decoded(frames)[0])


def error_in(*frames: bytes) -> str:
    finished = decoded(frames)[0].finished
    assert finished is not None
    return shown(finished.error)


# In: recordings

RECORDED = {
    "llama-chat-stream": ("5asas5 token5 token5", "", "length", "cut_off"),
    "llama-chat-stream-usage": ("5asas5", "", "length", "cut_off"),
    "llama-badmodel": ("/.B", "", "length", "cut_off"),
    "llama-chat-nostream": ("5asas5 token5", "", "length", "cut_off"),
    "llama-splitutf8": (None, "", "length", "cut_off"),
    "tfserve-chat-stream": (None, "", "length", "cut_off"),
    "tfserve-chat-stream-usage": ("token the.lm ma theace", "", "length", "cut_off"),
    "tfserve-chat-stream-splitutf8": (None, "", "length", "cut_off"),
    "tfserve-chat-nostream": ("token the.lm ma theace", "", "length", "cut_off"),
    "tfserve-oversized": (None, "", "length", "cut_off"),
    "tfserve-killed-midstream": (None, "", "cut_off", "cut_off"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_answer_is_understood_whole(name: str) -> None:
    answer, _ = decoded([body_of(capture(name))])
    text, *rest = RECORDED[name]
    assert outcome(answer)[1:] == tuple(rest)
    assert answer.text == text if text is not None else answer.text


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_answer_is_understood_at_any_cut(name: str) -> None:
    body = body_of(capture(name))
    expected = outcome(decoded([body])[0])
    assert outcome(decoded(vendor.one_byte_at_a_time(body))[0]) == expected  # type: ignore[arg-type]
    for seed in range(10):
        assert outcome(decoded(vendor.random_cuts(body, seed))[0]) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("llama-chat-stream-usage", Usage(15, 4)),  # a frame of its own, after the finish
        ("tfserve-chat-stream", Usage(15, 12)),  # in the frame with the finish
        ("llama-chat-nostream", Usage(15, 6)),
    ],
)
def test_tokens_are_counted_wherever_they_come(name: str, usage: Usage) -> None:
    assert decoded([body_of(capture(name))])[0].usage == usage


def test_characters_split_over_tokens_arrive_as_the_server_sent_them() -> None:
    assert "\ufffd" in decoded([body_of(capture("tfserve-chat-stream-splitutf8"))])[0].text


# In: what others document


def test_a_finish_reason_is_the_end_and_done_proves_nothing() -> None:
    assert ended(frame("Yes."), frame(finish="stop"))[2] == "complete"
    assert ended(frame("Yes."), DONE)[2:] == ("cut_off", "cut_off")


def test_an_empty_stream_is_told_as_what_it_is() -> None:
    assert "without a word" in error_in()
    assert "without a word" in error_in(DONE)  # vLLM, after a failure before the first token
    assert "without a word" in error_in(b": keep-alive\n\n")


def test_an_answer_of_blanks_is_empty() -> None:
    assert "empty answer" in error_in(frame("  \n"), frame(finish="stop"))


@pytest.mark.parametrize("odd", [None, "null", "", False, 0])
def test_a_finish_reason_that_is_none_does_not_finish(odd: Any) -> None:
    assert ended(frame("x", odd))[2] == "cut_off"


@pytest.mark.parametrize("reason", ["stop", "STOP", "eos", "end_turn"])
def test_every_word_for_done_is_done(reason: str) -> None:
    assert ended(frame("x", reason))[2:] == ("complete", "")


@pytest.mark.parametrize("reason", ["error", "abort", "timeout", "insufficient_system_resource"])
def test_a_finish_that_is_a_failure_is_no_complete_answer(reason: str) -> None:
    assert ended(frame("half", reason)) == ("half", "", "cut_off", "cut_off")
    assert reason in error_in(frame("half", reason))


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_an_answer_that_was_too_long_is_told_with_the_setting(reason: str) -> None:
    assert ended(frame("half", reason))[2] == "length"
    assert "SIDELIGHT_MAX_TOKENS" in error_in(frame("half", reason))


def test_a_content_filter_keeps_what_came() -> None:
    assert ended(frame("half"), frame(finish="content_filter")) == ("half", "", "refused", "refused")


def test_a_refusal_of_the_models_own_is_an_answer() -> None:
    assert ended(frame(refusal="I cannot."), frame(finish="stop")) == ("I cannot.", "", "complete", "")


@pytest.mark.parametrize("reason", ["tool_calls", "function_call", "stop"])
def test_a_tool_call_that_nobody_asked_for_is_told(reason: str) -> None:
    call = {"index": 0, "function": {"name": "f", "arguments": "{}"}}
    assert "call a tool" in error_in(frame(tool_calls=[call]), frame(finish=reason))


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_has_two_names(name: str) -> None:
    answer = [frame(**{name: "Hmm. "}), frame("Yes.", **{name: None}), frame(finish="stop")]
    assert ended(*answer) == ("Yes.", "Hmm. ", "complete", "")


def test_reasoning_under_both_names_is_told_once() -> None:
    assert ended(frame(reasoning_content="Hm", reasoning="Hm"), frame("Yes.", "stop"))[1] == "Hm"


def test_reasoning_within_the_text_is_set_apart() -> None:
    assert ended(frame("<thi"), frame("nk>Hm</think>"), frame("Yes."), frame(finish="stop"))[:2] == ("Yes.", "Hm")


def test_a_model_that_only_thinks_is_told() -> None:
    assert "only thought" in error_in(frame(reasoning="Hm"), frame(finish="stop"))
    assert "still thinking" in error_in(frame(reasoning="Hm"), frame(finish="length"))


def test_a_surrogate_pair_torn_over_two_frames_is_joined() -> None:
    assert ended(frame("a\ud83d"), frame("\ude00", "stop"))[0] == "a😀"


def test_content_in_parts_is_text() -> None:
    parts = [{"type": "text", "text": "Ye"}, {"type": "text", "text": "s."}, {"type": "image"}, 7]
    assert ended(frame(parts), frame(finish="stop"))[0] == "Yes."


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None, "usage": None},
        {"choices": []},
        {"choices": 5},
        {"choices": {}},
        {"choices": [None, 7]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": {"content": 7, "reasoning": {}}}]},
        {"choices": [], "usage": {"prompt_tokens": "many"}},
        {"usage": 3},
        {"prompt_filter_results": [{"prompt_index": 0}], "choices": []},
        [1, 2],
        None,
    ],
)
def test_odd_frames_do_not_end_a_good_answer(odd: Any) -> None:
    assert ended(json_frame(odd), frame("Yes."), json_frame(odd), frame(finish="stop"), json_frame(odd)) == (
        "Yes.", "", "complete", "",
    )  # fmt: skip


def test_a_frame_that_is_no_json_is_passed_over() -> None:
    assert ended(b"data: {broken\n\n", frame("Yes.", "stop"))[0] == "Yes."


def test_of_several_choices_the_first_is_the_answer() -> None:
    both = {"choices": [choice({"content": "Yes."}), choice({"content": "No."}, "stop", 1)]}
    assert ended(json_frame(both)) == ("Yes.", "", "cut_off", "cut_off")


def test_usage_beside_a_choice_counts() -> None:
    inside = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    assert decoded([frame("x"), json_frame({"choices": [inside]})])[0].usage == Usage(3, 1)


def test_comments_are_no_text() -> None:
    assert ended(b": OPENROUTER PROCESSING\n\n", frame("Yes."), b":\n\n", frame(finish="stop"))[0] == "Yes."


@pytest.mark.parametrize("blank", [b"\r\n", b"\r"])
def test_other_line_ends_are_read(blank: bytes) -> None:
    assert ended(*(it.replace(b"\n", blank) for it in (frame("Yes."), frame(finish="stop"), DONE)))[2] == "complete"


def test_a_byte_order_mark_is_no_text() -> None:
    body = b"\xef\xbb\xbf" + frame("Yes.", "stop")
    assert ended(body)[0] == "Yes."
    assert outcome(decoded(vendor.one_byte_at_a_time(body))[0])[0] == "Yes."  # type: ignore[arg-type]


ERRORS = {
    "object": {"error": {"message": "it broke", "type": "server_error", "code": None}},
    "text": {"error": "it broke"},
    "detail": {"detail": "it broke"},
    "details": {"detail": [{"msg": "it broke", "loc": ["body"]}]},
    "code": {"code": "InternalError", "message": "it broke", "request_id": "1"},
    "vllm": {"object": "error", "message": "it broke", "type": "InternalServerError", "code": 500},
    "nested": {"error": json.dumps({"error": {"message": "it broke", "code": 500}})},
    "flag": {"error": True, "message": "it broke"},
    "openrouter": {"error": {"message": "Provider returned error", "code": 502, "metadata": {"raw": "it broke"}}},
}


@pytest.mark.parametrize("shape", ERRORS)
def test_an_error_inside_a_200_keeps_what_came(shape: str) -> None:
    frames = [frame("half"), json_frame(ERRORS[shape])]
    assert ended(*frames)[:3] == ("half", "", "cut_off")
    assert "it broke" in error_in(*frames)


def test_an_error_event_of_any_shape_is_an_error() -> None:
    assert "it broke" in error_in(frame("half"), b"event: error\ndata: it broke\n\n")


def test_an_error_with_a_finish_reason_is_told() -> None:
    both = {"error": {"code": 502, "message": "it broke"}, "choices": [choice({"content": ""}, "error")]}
    assert "it broke" in error_in(frame("half"), json_frame(both))


def test_an_error_after_the_finish_is_the_servers_own_business() -> None:
    assert ended(frame("whole", "stop"), json_frame(ERRORS["object"]))[2:] == ("complete", "")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow down"}, "rate_limit"),
        ({"code": "503", "message": "no capacity"}, "overloaded"),
        ({"code": "context_length_exceeded", "message": "too much"}, "too_long"),
        ({"code": "content_filter", "message": "no"}, "refused"),
        ({"code": "insufficient_quota", "message": "pay"}, "auth"),
    ],
)
def test_an_error_inside_a_200_is_known_by_its_code(error: dict[str, Any], kind: str) -> None:
    assert ended(json_frame({"error": error}))[3] == kind


def test_a_key_that_the_server_repeats_is_masked() -> None:
    assert "Incorrect key ***" in error_in(json_frame({"error": {"message": f"Incorrect key {KEY}", "code": 401}}))


@pytest.mark.parametrize("last", [frame(finish="stop"), DONE, json_frame(ERRORS["object"])])
def test_after_the_last_word_nobody_waits_for_the_end_of_the_body(last: bytes) -> None:
    decoder = OpenAIDecoder("h")
    decoder.feed(frame("x"))
    assert not decoder.is_complete
    decoder.feed(last)
    assert decoder.is_complete


def test_an_answer_in_one_piece_may_be_long_but_not_endless() -> None:
    decoder = OpenAIDecoder("h")
    decoder.feed(b"{" + b" " * (15 << 20))
    with pytest.raises(LineTooLong):
        decoder.feed(b" " * (2 << 20))


# Out


def body_sent(config: OpenAIConfig, asked: Request) -> dict[str, Any]:
    body: dict[str, Any] = encode(config, asked, "m").body
    return body


PLAIN = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is it?"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}


def test_a_question_is_sent_as_the_vendor_says() -> None:
    call = encode(OpenAIConfig("http://h:1/v1", KEY), request(), "m")
    assert (call.method, call.url) == ("POST", "http://h:1/v1/chat/completions")
    assert call.headers == {"Authorization": f"Bearer {KEY}", "Accept": "text/event-stream"}
    assert call.body == PLAIN


def test_earlier_exchanges_stand_between_orders_and_question() -> None:
    prompt = Prompt("", "And now?", earlier=(Exchange("One?", "Yes."), Exchange("Two?", "No.")))
    sent = body_sent(OpenAIConfig(), Request("ask", prompt, Context(), "c"))["messages"]
    assert [(it["role"], it["content"]) for it in sent] == [
        ("user", "One?"), ("assistant", "Yes."), ("user", "Two?"), ("assistant", "No."), ("user", "And now?"),
    ]  # fmt: skip


def test_without_a_key_no_header_is_sent() -> None:
    assert encode(OpenAIConfig("http://h:1/v1"), request(), "m").headers == {"Accept": "text/event-stream"}


@pytest.mark.parametrize("host", ["a.openai.azure.com", "a.cognitiveservices.azure.com", "a.services.ai.azure.com"])
def test_azure_has_a_header_and_a_limit_of_its_own(host: str) -> None:
    call = encode(OpenAIConfig(f"https://{host}/openai/v1", KEY), request(max_tokens=50), "deployment")
    assert call.url == f"https://{host}/openai/v1/chat/completions"
    assert call.headers == {"api-key": KEY, "Accept": "text/event-stream"}
    assert call.body == {**PLAIN, "model": "deployment", "max_completion_tokens": 50}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("http://127.0.0.1:8080/v1", "max_tokens"),
        ("https://api.openai.com.example/v1", "max_tokens"),
    ],
)
def test_the_longest_answer_is_limited_in_the_servers_word(address: str, name: str) -> None:
    assert body_sent(OpenAIConfig(address), request(max_tokens=50)) == {**PLAIN, name: 50}


def test_a_temperature_is_sent_when_it_is_set_also_when_it_is_zero() -> None:
    assert body_sent(OpenAIConfig(temperature=0.0), request()) == {**PLAIN, "temperature": 0.0}


def test_extra_fields_are_merged_and_a_null_removes_one() -> None:
    extra = {"stream_options": None, "top_p": 0.5, "chat_template_kwargs": {"enable_thinking": False, "x": None}}
    expected = {**PLAIN, **extra}
    del expected["stream_options"]
    assert body_sent(OpenAIConfig(body=extra), request()) == expected


def test_a_key_that_cannot_be_one_is_told() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY") as caught:
        encode(OpenAIConfig(key="ключ"), request(), "m")
    shown(caught.value)


def test_lone_surrogates_are_made_whole_before_they_are_sent() -> None:
    assert body_sent(OpenAIConfig(), request("a\ud83d"))["messages"][1]["content"] == "a\ufffd"


# Wire


def provider_for(server: Vendor, *, model: str = "m", key: str = KEY, **more: Any) -> OpenAI:
    options = {name: more.pop(name) for name in ("silence_s", "retries") if name in more}
    config = OpenAIConfig(f"{server.url}/v1", key, model, **more)
    return OpenAI(config, Http(HttpOptions(**{"connect_s": 2.0, "silence_s": 2.0, "retries": 0, **options})))


def listing(*items: Any) -> bytes:
    return json_reply({"object": "list", "data": [it if isinstance(it, dict) else {"id": it} for it in items]})


def failure_of(provider: OpenAI, asked: Request | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        vendor.ask(provider, asked)
    shown(caught.value)
    return caught.value


def told(events: Iterable[AnswerEvent]) -> list[str]:
    return [str(it.message) for it in events if isinstance(it, (Status, Note))]


YES = streamed([frame("Yes."), frame(finish="stop"), DONE])


@pytest.fixture
def server() -> Iterator[Vendor]:
    server = Vendor()
    server.routes = {f"POST {CHAT}": YES, f"GET {MODELS}": listing("m")}
    yield server
    server.close()


@pytest.mark.parametrize("name", ["llama-chat-stream", "tfserve-chat-stream", "tfserve-chat-nostream"])
def test_a_real_connection_gives_the_recorded_answer(server: Vendor, name: str) -> None:
    server.routes[f"POST {CHAT}"] = capture(name)
    assert outcome(vendor.ask(provider_for(server))) == outcome(decoded([body_of(capture(name))])[0])


def test_what_is_sent_is_what_the_server_wants(server: Vendor) -> None:
    vendor.ask(provider_for(server))
    (seen,) = server.seen
    assert seen.body == PLAIN
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept-encoding"] == "identity"


def test_a_model_can_be_chosen_for_one_question(server: Vendor) -> None:
    vendor.ask(provider_for(server), request(model="other"))
    assert server.seen[0].body["model"] == "other"


def test_a_body_that_ends_with_its_connection_is_read(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.head(is_chunked=False) + frame("Yes.") + frame(finish="stop")
    assert outcome(vendor.ask(provider_for(server))) == ("Yes.", "", "complete", "")


def test_a_server_that_never_closes_is_left_after_the_finish(server: Vendor) -> None:
    answer = vendor.Hanging(vendor.head() + vendor.chunk(frame("Yes.") + frame(finish="stop")))
    server.routes[f"POST {CHAT}"] = answer
    assert outcome(vendor.ask(provider_for(server, silence_s=20.0))) == ("Yes.", "", "complete", "")
    assert server.seen[0].closed.wait(2)


def test_token_counts_that_follow_the_finish_are_waited_for(server: Vendor) -> None:
    usage = json_frame({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}})
    server.routes[f"POST {CHAT}"] = lambda: iter(
        [vendor.head(), vendor.chunk(frame("Yes.", "stop")), vendor.Pause(0.2), vendor.chunk(usage), vendor.STREAM_END]
    )
    assert vendor.ask(provider_for(server)).usage == Usage(3, 1)


def test_an_error_is_told_at_once_although_the_connection_stays_open(server: Vendor) -> None:
    answer = vendor.Hanging(vendor.head() + vendor.chunk(frame("half") + json_frame(ERRORS["object"])))
    server.routes[f"POST {CHAT}"] = answer
    assert outcome(vendor.ask(provider_for(server, silence_s=20.0)))[:3] == ("half", "", "cut_off")


def test_what_was_held_back_is_kept_when_the_connection_breaks(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.head() + vendor.chunk(frame("if a <"))
    answer = Answer()
    with pytest.raises(ProviderError):
        for event in provider_for(server).stream(request(), Stop()):
            answer.add(event)
    assert answer.text == "if a <"


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/octet-stream", ""])
def test_a_stream_under_another_name_is_a_stream(server: Vendor, content_type: str) -> None:
    server.routes[f"POST {CHAT}"] = streamed([frame("Yes."), frame(finish="stop")], content_type)
    assert outcome(vendor.ask(provider_for(server))) == ("Yes.", "", "complete", "")


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\r\n "])
def test_an_answer_in_one_piece_is_an_answer(server: Vendor, content_type: str, mark: bytes) -> None:
    body = json.dumps({"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}).encode()
    server.routes[f"POST {CHAT}"] = vendor.reply(mark + body, content_type)
    assert outcome(vendor.ask(provider_for(server))) == ("Yes.", "", "complete", "")


def test_a_long_answer_in_one_piece_is_whole(server: Vendor) -> None:
    text = "word " * 50_000
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    server.routes[f"POST {CHAT}"] = json_reply(body)
    assert vendor.ask(provider_for(server)).text == text


def test_an_error_that_calls_itself_a_stream_is_told(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.reply(b'{"error": "it broke"}', "text/event-stream")
    finished = vendor.ask(provider_for(server)).finished
    assert finished is not None
    assert "it broke" in shown(finished.error)


def test_an_empty_answer_of_200_is_told_as_what_it_is(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.reply(b"", "text/event-stream")  # llama-cpp-python, too long a prompt
    finished = vendor.ask(provider_for(server)).finished
    assert finished is not None
    assert "too long for the model" in shown(finished.error)


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("llama-badjson", "other", "parse error"),
        ("llama-nomessages", "other", "'messages' is required"),
        ("llama-notfound", "not_found", "is not an OpenAI-compatible API"),
        ("llama-oversized", "too_long", "4013 tokens"),
        ("llama-401", "auth", "did not accept the key"),
        ("tfserve-badjson", "other", "JSON decode error"),
        ("tfserve-nomessages", "other", "Internal Server Error"),
        ("tfserve-notfound", "not_found", "is not an OpenAI-compatible API"),
    ],
)
def test_a_recorded_refusal_is_told(server: Vendor, name: str, kind: str, says: str) -> None:
    server.routes[f"POST {CHAT}"] = capture(name)
    error = failure_of(provider_for(server))
    assert error.kind == kind
    assert says in str(error)


@pytest.mark.parametrize("shape", ERRORS)
@pytest.mark.parametrize("status", ["400 Bad Request", "500 Internal Server Error", "200 OK"])
def test_every_shape_of_an_error_is_read(server: Vendor, shape: str, status: str) -> None:
    server.routes[f"POST {CHAT}"] = json_reply(ERRORS[shape], status)
    assert "it broke" in str(failure_of(provider_for(server)))


def test_text_is_an_error_too_and_a_page_is_none_to_show(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.reply(b"it broke", "text/plain", "500 Internal Server Error")
    assert "it broke" in str(failure_of(provider_for(server)))
    server.routes[f"POST {CHAT}"] = vendor.reply(b"<html>it broke", "text/html", "502 Bad Gateway")
    error = failure_of(provider_for(server))
    assert "it broke" not in str(error)
    assert error.kind == "overloaded"


@pytest.mark.parametrize(
    "response",
    [
        vendor.HTML,
        vendor.NOT_FOUND,
        json_reply({"error": "Unexpected endpoint or method. (POST /chat/completions)"}),  # LM Studio without /v1
        json_reply({"object": "list", "data": []}),
        json_reply({"error": {"code": "404", "message": "Resource not found"}}, "404 Not Found"),  # Azure
    ],
)
def test_a_wrong_address_is_told_with_the_setting(server: Vendor, response: bytes) -> None:
    server.routes[f"POST {CHAT}"] = response
    error = failure_of(provider_for(server))
    assert "is not an OpenAI-compatible API" in str(error)
    assert "OPENAI_BASE_URL" in str(error.hint)


def test_a_missing_key_and_a_withheld_one_are_told_apart(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = capture("llama-401")
    assert "none is set" in str(failure_of(provider_for(server, key="")))
    assert "yours was not sent there" in str(failure_of(provider_for(server, key="", key_withheld=True)))


def test_a_key_is_not_told_although_the_server_repeats_it(server: Vendor) -> None:
    words = {"error": {"message": f"Incorrect API key provided: {KEY}."}}
    for status in ("400 Bad Request", "401 Unauthorized", "429 Too Many Requests", "200 OK"):
        server.routes[f"POST {CHAT}"] = json_reply(words, status)
        assert "***" in str(failure_of(provider_for(server)))  # and `shown` looked for the key


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": {"code": "model_not_found", "message": "The model `qwen-3` does not exist"}},
        {"detail": "Server is pinned to 'x'; requested 'qwen-3'."},
        {"error": "model 'qwen-3' not found"},
        {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}},
    ],
)
def test_a_missing_model_is_told_with_the_names_nearest_to_it(server: Vendor, refusal: dict[str, Any]) -> None:
    server.routes[f"GET {MODELS}"] = listing("qwen3-coder", "llama")
    server.routes[f"POST {CHAT}"] = json_reply(refusal, "404 Not Found")
    error = failure_of(provider_for(server, model="qwen-3"))
    assert error.kind == "not_found"
    assert "qwen3-coder" in str(error)


def test_a_missing_model_of_a_server_without_a_list_is_told_in_its_words(server: Vendor) -> None:
    server.routes = {f"POST {CHAT}": capture("tfserve-badmodel"), f"GET {MODELS}": capture("tfserve-models")}
    assert "pinned to 'tiny-llama'" in str(failure_of(provider_for(server, model="nope/none")))


def test_a_server_that_wants_a_model_named_is_told_with_the_setting(server: Vendor) -> None:
    server.routes = {
        f"POST {CHAT}": capture("tfserve-badmodel"), f"GET {MODELS}": capture("tfserve-models-emptycache"),
    }  # fmt: skip
    error = failure_of(provider_for(server, model=""))
    assert "OPENAI_MODEL" in str(error.hint)
    assert "pinned to 'tiny-llama'" in str(error)


def test_a_refusal_that_only_mentions_the_model_keeps_its_words(server: Vendor) -> None:
    server.routes = {f"POST {CHAT}": json_reply(
        {"error": {"message": "temperature is unsupported with this model", "code": "unsupported_value"}}, "400 Bad"
    )}  # fmt: skip
    assert "temperature is unsupported" in str(failure_of(provider_for(server)))


def test_a_list_of_models_that_is_refused_is_asked_once(server: Vendor) -> None:
    server.routes = {f"POST {CHAT}": json_reply({"error": "no such model"}, "404 Not Found"),
                     f"GET {MODELS}": json_reply({"error": "models: no such model"}, "404 Not Found")}  # fmt: skip
    failure_of(provider_for(server))
    assert len(server.asked(MODELS)) == 1


def test_stop_is_heard_while_the_names_of_the_models_are_asked_for(server: Vendor) -> None:
    hanging = vendor.Hanging(b"")
    server.routes = {f"POST {CHAT}": json_reply({"error": "no such model"}, "404 Not Found"),
                     f"GET {MODELS}": hanging}  # fmt: skip
    stop = Stop()
    threading.Thread(target=lambda: (hanging.reached.wait(5), stop.set())).start()
    with pytest.raises(Stopped):
        vendor.ask(provider_for(server, silence_s=20.0), stop=stop)


def test_a_redirect_is_told_and_not_followed(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.reply(b"", "text/html", "307 Moved", "Location: https://other.example/\r\n")
    error = failure_of(provider_for(server))
    assert "https://other.example/" in str(error)
    assert len(server.seen) == 1


# Wire: loading


LOADING = json_reply({"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, "503 Busy")


def test_a_model_that_is_being_loaded_is_waited_for_and_told_once(server: Vendor) -> None:
    replies = iter([LOADING, LOADING, YES])
    server.routes[f"POST {CHAT}"] = lambda: iter([next(replies)])
    events = list(provider_for(server).stream(request(), Stop()))
    assert told(events).count("the server is loading the model") == 1
    assert outcome(vendor.folded(events))[2] == "complete"


def test_loading_that_never_ends_is_given_up_after_the_time_for_silence(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = LOADING
    error = failure_of(provider_for(server, silence_s=0.2))
    assert error.kind == "overloaded"
    assert "Loading model" in str(error)


@pytest.mark.parametrize("words", ["Failed loading model: out of memory", "error while loading model"])
def test_a_model_that_cannot_be_loaded_is_not_waited_for(server: Vendor, words: str) -> None:
    server.routes[f"POST {CHAT}"] = json_reply({"error": {"message": words}}, "503 Busy")
    assert words in str(failure_of(provider_for(server, silence_s=20.0)))
    assert len(server.seen) == 1


def test_a_server_that_loads_its_only_model_is_waited_for_where_none_is_named(server: Vendor) -> None:
    replies = iter([LOADING, YES])
    server.routes = {f"GET {MODELS}": LOADING, f"POST {CHAT}": lambda: iter([next(replies)])}
    assert outcome(vendor.ask(provider_for(server, model=""))) == ("Yes.", "", "complete", "")


def test_stop_is_heard_between_two_looks_at_a_loading_model(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = LOADING
    stop = Stop()
    with pytest.raises(Stopped):
        for event in provider_for(server, silence_s=20.0).stream(request(), stop):
            if "loading" in str(told([event])):
                stop.set()


def test_a_server_that_is_silent_before_its_answer_is_told_as_loading(server: Vendor) -> None:
    events = provider_for(server).stream(request(), Stop())
    first = next(event for event in events if isinstance(event, Status))
    events.close()  # type: ignore[attr-defined]
    assert "it may be loading the model" in str(first.if_silent)


def test_comments_alone_are_given_up_after_the_time_for_silence(server: Vendor) -> None:
    def comments() -> vendor.Script:
        yield vendor.head()
        for _ in range(100):
            yield vendor.chunk(b": OPENROUTER PROCESSING\n\n")
            yield vendor.Pause(0.05)

    server.routes[f"POST {CHAT}"] = comments
    assert "has not said anything" in str(failure_of(provider_for(server, silence_s=0.3)))


# Wire: models


def test_models_are_what_the_server_lists(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = capture("llama-models")
    (model,) = provider_for(server).models()
    assert (model.id, model.context_tokens) == ("tiny", 512)


def test_a_list_without_a_name_for_it_and_odd_items_are_read(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = json_reply([{"id": "a", "meta": 3, "capabilities": 7}, {"id": ""}, 5, None])
    assert [model.id for model in provider_for(server).models()] == ["a"]


@pytest.mark.parametrize(
    "length",
    [
        {"max_model_len": 4096},  # vLLM
        {"context_length": 4096},  # OpenRouter
        {"max_context_length": 4096},
        {"max_context_length": 131072, "loaded_context_length": 4096},  # LM Studio
        {"meta": {"n_ctx": 4096, "n_ctx_train": 131072}},
    ],
)
def test_the_context_length_is_read_by_every_name(server: Vendor, length: dict[str, Any]) -> None:
    server.routes[f"GET {MODELS}"] = listing({"id": "m", **length}, "other")
    assert provider_for(server).window(None, Stop()) == Window(4096, "server")


def test_an_older_llama_cpp_is_asked_what_it_runs_with(server: Vendor) -> None:
    item = {"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}
    server.routes.update({f"GET {MODELS}": listing(item), "GET /props": capture("llama-props")})
    assert provider_for(server).window(None, Stop()) == Window(512, "server")


def test_a_configured_context_asks_nobody(server: Vendor) -> None:
    assert provider_for(server, context_tokens=777).window(None, Stop()) == Window(777, "configured")
    assert not server.seen


@pytest.mark.parametrize("response", [vendor.NOT_FOUND, vendor.HTML, capture("tfserve-models"), json_reply(7)])
def test_a_context_that_nobody_tells_is_assumed(server: Vendor, response: bytes) -> None:
    server.routes[f"GET {MODELS}"] = response
    window = provider_for(server).window(None, Stop())
    assert window is not None
    assert window.origin == "assumed"


def test_a_server_on_this_machine_that_was_loading_is_asked_again(server: Vendor) -> None:
    provider = provider_for(server)
    server.routes[f"GET {MODELS}"] = LOADING
    assert provider.window(None, Stop()) == Window(8192, "assumed")
    server.routes[f"GET {MODELS}"] = capture("llama-models")
    assert provider.window("tiny", Stop()) == Window(512, "server")


def test_models_are_asked_for_anew_when_they_are_to_be_shown(server: Vendor) -> None:
    provider = provider_for(server)
    assert [it.id for it in provider.models()] == ["m"]
    server.routes[f"GET {MODELS}"] = listing("new")
    assert [it.id for it in provider.models()] == ["new"]


def test_a_server_without_a_list_is_asked_for_it_once_in_a_while(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = vendor.NOT_FOUND
    provider = provider_for(server)
    for _ in range(3):
        provider.window(None, Stop())
    assert len(server.asked(MODELS)) == 1


LLAMA_CPP = {"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx": 512}}


def test_llama_cpp_counts_tokens(server: Vendor) -> None:
    server.routes.update({f"GET {MODELS}": listing(LLAMA_CPP), "POST /tokenize": json_reply({"tokens": [1, 2, 3]})})
    assert provider_for(server).count_tokens("a\ud83d", None, Stop()) == 3
    assert server.asked("/tokenize")[0].body == {"content": "a\ufffd"}


def test_other_servers_are_not_sent_the_text_to_count(server: Vendor) -> None:
    assert provider_for(server).count_tokens("text", None, Stop()) is None
    assert not server.asked("/tokenize")


def test_a_count_that_fails_once_is_asked_for_again(server: Vendor) -> None:
    server.routes.update({f"GET {MODELS}": listing(LLAMA_CPP), "POST /tokenize": LOADING})
    provider = provider_for(server)
    assert provider.count_tokens("text", None, Stop()) is None
    server.routes["POST /tokenize"] = json_reply({"tokens": [1]})
    assert provider.count_tokens("text", None, Stop()) == 1


# Wire: no model is configured


def test_the_only_model_is_taken_without_a_word(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = listing("text-embed", "one")
    events = list(provider_for(server, model="").stream(request(), Stop()))
    assert server.asked(CHAT)[0].body["model"] == "one"
    assert not any(isinstance(event, Note) for event in events)


def test_of_several_models_on_this_machine_the_first_that_writes_is_asked_and_told(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = listing("text-embed", {"id": "vec", "capabilities": ["embedding"]}, "one", "two")
    events = list(provider_for(server, model="").stream(request(), Stop()))
    assert server.asked(CHAT)[0].body["model"] == "one"
    notes = [event for event in events if isinstance(event, Note)]
    assert [str(note.message) for note in notes] == [
        "No model is chosen; one was asked, one of 2. `sidelight models` chooses."
    ]
    assert not notes[0].is_warning


@pytest.mark.parametrize("state", [{"state": "loaded"}, {"status": {"value": "loaded"}}])
def test_the_model_that_is_loaded_is_taken_without_a_word(server: Vendor, state: dict[str, Any]) -> None:
    server.routes[f"GET {MODELS}"] = listing("one", {"id": "two", **state}, {"id": "three", "state": "not-loaded"})
    events = list(provider_for(server, model="").stream(request(), Stop()))
    assert server.asked(CHAT)[0].body["model"] == "two"
    assert not any(isinstance(event, Note) for event in events)


def test_the_context_is_that_of_the_model_that_will_be_asked(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = listing("text-embed", {"id": "one", "context_length": 4096}, "two")
    assert provider_for(server, model="").window(None, Stop()) == Window(4096, "server")


def test_elsewhere_several_models_and_none_chosen_is_told(server: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)  # so that the far host is this server
    server.routes["GET http://models.example/v1/models"] = listing("one", "two")
    provider = OpenAI(OpenAIConfig("http://models.example/v1"), Http(HttpOptions(retries=0)))
    with pytest.raises(ConfigurationError, match="one, two") as caught:
        vendor.ask(provider)
    assert "OPENAI_MODEL" in shown(caught.value)


def test_a_server_without_a_list_is_asked_without_a_name(server: Vendor) -> None:
    del server.routes[f"GET {MODELS}"]
    assert vendor.ask(provider_for(server, model="")).text == "Yes."
    assert server.asked(CHAT)[0].body["model"] == ""


def test_a_wrong_key_is_told_before_a_model_is_looked_for_in_vain(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = capture("llama-401")
    assert failure_of(provider_for(server, model="")).kind == "auth"


# The doctor


def test_the_doctors_checks_pass_on_a_healthy_server(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = capture("llama-models")
    checks = list(provider_for(server, model="tiny").checks())
    assert {check.state for check in checks} == {"ok"}
    assert "The model tiny reads 512 tokens, as the server says." in [str(check.message) for check in checks]


def test_the_doctor_says_which_model_would_be_asked(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = listing("one", "two")
    checks = [str(check.message) for check in provider_for(server, model="").checks()]
    assert any("one was asked, one of 2" in check for check in checks)


def test_the_doctor_notes_a_model_that_the_server_does_not_list(server: Vendor) -> None:
    server.routes[f"GET {MODELS}"] = listing("qwen3")
    notes = [str(it.message) for it in provider_for(server, model="qwen-3").checks() if it.state == "note"]
    assert "qwen3" in notes[0]


def test_text_arrives_as_it_is_written(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.Hanging(vendor.head() + vendor.chunk(frame("first ")))
    events = provider_for(server).stream(request(), Stop())
    assert next(event for event in events if isinstance(event, (Text, Reasoning))) == Text("first ")
    events.close()  # type: ignore[attr-defined]
    assert server.seen[0].closed.wait(2)
