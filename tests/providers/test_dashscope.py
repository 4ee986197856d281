"""DashScope as documented and as others recorded it. The frames are written here, with texts of our own.

Their form is that of recordings: no space after a colon, the status as a comment, and, in some of them, no blank line
between events and a byte order mark at the beginning. No real DashScope was asked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Asked, Finished, Replace, Status, Text, Usage
from sidelight.core.context import Context
from sidelight.core.ports import Exchange, Model, Prompt, Request, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.dashscope import DashScope, DashScopeConfig, DashScopeDecoder, encode
from sidelight.providers.dashscope_config import DEFAULT_MODEL
from sidelight.providers.http import Http, HttpOptions
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer

KEY = "sk-sample-of-no-account"
GENERATION = "/api/v1/services/aigc/text-generation/generation"


def request(model: str | None = None, **more: Any) -> Request:
    return Request("ask", Prompt("Be brief.", "What is it?"), Context(), "conversation-1", model, **more)


def frame(data: Any, number: int = 1, *, event: str = "result", status: int = 200, blank: str = "\n") -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"id:{number}\nevent:{event}\n:HTTP_STATUS/{status}\ndata:{text}\n{blank}".encode()


def said(text: Any, reason: Any = "null", reasoning: Any = None, **message: Any) -> dict[str, Any]:
    """Return one frame in the result format message."""
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    choice = {"message": {"content": text, "role": "assistant", **message}, "finish_reason": reason}
    return {"output": {"choices": [choice]}, "usage": {"input_tokens": 8, "output_tokens": 5}, "request_id": "r-1"}


def refusal(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message, "request_id": "r-1"}


def stream(*frames: Any, blank: str = "\n") -> bytes:
    return b"".join(frame(data, number, blank=blank) for number, data in enumerate(frames, 1))


def decoded(
    pieces: Iterable[bytes], *, incremental: bool = True, config: DashScopeConfig | None = None
) -> tuple[Answer, list[AnswerEvent]]:
    decoder = DashScopeDecoder(config or DashScopeConfig(key=KEY), "qwen-plus", incremental=incremental)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    events += decoder.finish()
    answer = Answer()
    for event in events:
        answer.add(event)
    return answer, events


def outcome(answer: Answer) -> tuple[str, str, str, str]:
    finished = answer.finished
    assert finished is not None
    return answer.text, answer.reasoning, finished.finish, finished.error.kind if finished.error else ""


def error_in(answer: Answer) -> str:
    assert answer.finished is not None and answer.finished.error is not None
    assert answer.finished.error.hint is not None
    return str(answer.finished.error)


# In

PLAIN = (said("A cat"), said(" sat,"), said("猫坐着😀。"), said("", "stop"))
RECORDED = {
    "with blank lines": (stream(*PLAIN), ("A cat sat,猫坐着😀。", "", "complete", "")),
    "without blank lines": (stream(*PLAIN, blank=""), ("A cat sat,猫坐着😀。", "", "complete", "")),
    "byte order mark": (b"\xef\xbb\xbf" + stream(*PLAIN, blank=""), ("A cat sat,猫坐着😀。", "", "complete", "")),
    "byte order mark before the first frame": (
        b"\xef\xbb\xbf" + b"".join(b"data:" + json.dumps(it).encode() + b"\n\n" for it in PLAIN),
        ("A cat sat,猫坐着😀。", "", "complete", ""),
    ),
    "byte order mark before no stream": (
        b"\xef\xbb\xbf" + json.dumps(said("A cat", "stop")).encode(), ("A cat", "", "complete", ""),
    ),
    "carriage returns": (stream(*PLAIN).replace(b"\n", b"\r\n"), ("A cat sat,猫坐着😀。", "", "complete", "")),
    "no last line end": (stream(*PLAIN).rstrip(b"\n"), ("A cat sat,猫坐着😀。", "", "complete", "")),
    "one line of text": (
        stream(said("a\u2028b\u0085c"), said("\nd", "stop")), ("a\u2028b\u0085c\nd", "", "complete", ""),
    ),
    "reasoning": (
        stream(said("", reasoning="Let me"), said("", reasoning=" see."), said("Yes", reasoning=""), said("", "stop")),
        ("Yes", "Let me see.", "complete", ""),
    ),
    "reasoning in tags": (
        stream(said("<thi"), said("nk>Hm</think>"), said("Yes", "stop")), ("Yes", "Hm", "complete", ""),
    ),
    "the last words with the reason": (stream(said("A cat"), said(" sat", "stop")), ("A cat sat", "", "complete", "")),
    "result format text": (
        stream(
            {"output": {"text": "A ", "finish_reason": "null"}},
            {"output": {"text": "cat", "finish_reason": "stop"}},
        ),
        ("A cat", "", "complete", ""),
    ),
    "cut off": (stream(said("A cat")), ("A cat", "", "cut_off", "cut_off")),
    "cut inside a frame": (stream(said("A cat"), said(" sat"))[:-60], ("A cat", "", "cut_off", "cut_off")),
    "length": (stream(said("A cat"), said("", "length")), ("A cat", "", "length", "cut_off")),
    "an error in the middle": (
        stream(said("A cat")) + frame(refusal("InternalError", "Lost."), 2, event="error", status=500),
        ("A cat", "", "cut_off", "other"),
    ),
    "no stream": (json.dumps(said("A cat sat.", "stop"), indent=4).encode(), ("A cat sat.", "", "complete", "")),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDED)
def test_an_answer_is_understood_whole(name: str) -> None:
    body, expected = RECORDED[name]
    assert outcome(decoded([body])[0]) == expected


@pytest.mark.parametrize("name", RECORDED)
def test_an_answer_is_understood_byte_by_byte(name: str) -> None:
    body, expected = RECORDED[name]
    assert outcome(decoded(fake.one_byte_at_a_time(body))[0]) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RECORDED)
def test_an_answer_is_understood_at_any_cut(name: str) -> None:
    body, expected = RECORDED[name]
    for seed in range(30):
        assert outcome(decoded(fake.random_cuts(body, seed))[0]) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RECORDED)
def test_finished_comes_once_and_last(name: str) -> None:
    _, events = decoded([RECORDED[name][0]])
    assert [isinstance(event, Finished) for event in events] == [False] * (len(events) - 1) + [True]


def test_text_comes_at_once_without_blank_lines_too() -> None:
    decoder = DashScopeDecoder(DashScopeConfig(), "qwen-plus")
    assert decoder.feed(stream(said("A cat"), blank="")) == [Text("A cat")]


def test_incremental_frames_that_repeat_the_beginning_are_new_text() -> None:
    answer, _ = decoded([stream(said("ha"), said("ha"), said("haha"), said("", "stop"))])
    assert answer.text == "hahahaha"


def test_cumulative_frames_are_not_repeated() -> None:
    frames = (said("A"), said("A cat"), said("A cat"), said("A cat sat", "stop"))
    assert outcome(decoded([stream(*frames)], incremental=False)[0]) == ("A cat sat", "", "complete", "")


def test_a_cumulative_answer_may_end_with_an_empty_frame() -> None:
    assert decoded([stream(said("A cat"), said("", "stop"))], incremental=False)[0].text == "A cat"


def test_cumulative_reasoning_is_not_repeated() -> None:
    frames = (said("", reasoning="Let"), said("", reasoning="Let me"), said("Yes", "stop", reasoning="Let me"))
    assert outcome(decoded([stream(*frames)], incremental=False)[0]) == ("Yes", "Let me", "complete", "")


def test_cumulative_text_that_is_taken_back_is_replaced() -> None:
    answer, events = decoded([stream(said("half a \ufffd"), said("half a 猫", "stop"))], incremental=False)
    assert answer.text == "half a 猫"
    assert Replace("") in events


def test_cumulative_text_format_is_not_repeated() -> None:
    frames = [{"output": {"text": text, "finish_reason": "null"}} for text in ("A", "A cat")]
    frames.append({"output": {"text": "A cat", "finish_reason": "stop"}})
    assert decoded([stream(*frames)], incremental=False)[0].text == "A cat"


def test_a_surrogate_pair_torn_over_two_frames_is_joined() -> None:
    torn = [said("PAIR"), said("LOW", "stop")]
    raw = stream(*torn).replace(b"PAIR", rb"a\ud83d").replace(b"LOW", rb"\ude00")
    assert decoded([raw])[0].text == "a😀"


def test_tokens_are_told_once_as_last_counted() -> None:
    last = {**said("", "stop"), "usage": {"input_tokens": 20, "output_tokens": 7}}
    _, events = decoded([stream(said("A cat"), said(" sat"), last)])
    assert [event for event in events if isinstance(event, Usage)] == [Usage(20, 7)]


def test_the_word_null_is_no_finish_reason() -> None:
    decoder = DashScopeDecoder(DashScopeConfig(), "qwen-plus")
    decoder.feed(stream(said("A cat", "null")))
    assert not decoder.is_complete


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls"])
def test_a_finish_reason_makes_it_complete(reason: str) -> None:
    decoder = DashScopeDecoder(DashScopeConfig(), "qwen-plus")
    decoder.feed(stream(said("", reason)))
    assert decoder.is_complete


def test_an_error_makes_it_complete() -> None:
    decoder = DashScopeDecoder(DashScopeConfig(), "qwen-plus")
    decoder.feed(frame(refusal("InternalError", "Lost."), event="error", status=500))
    assert decoder.is_complete


def test_an_error_after_the_finish_changes_nothing() -> None:
    body = stream(said("A cat", "stop")) + frame(refusal("InternalError", "Late."), 2, event="error", status=500)
    assert outcome(decoded([body])[0]) == ("A cat", "", "complete", "")


def test_nothing_counts_after_an_error() -> None:
    body = stream(said("A cat")) + frame(refusal("InternalError", "Lost."), 2, event="error", status=500)
    assert outcome(decoded([body + stream(said(" sat", "stop"))])[0]) == ("A cat", "", "cut_off", "other")


def test_an_error_event_that_is_not_json_is_an_error() -> None:
    assert "Bad gateway" in error_in(decoded([frame("Bad gateway", event="error", status=502)])[0])


def test_an_empty_code_is_no_error() -> None:
    body = stream({**said("A cat"), "code": "", "message": ""}, {"code": "", "message": ""}, said("", "stop"))
    assert outcome(decoded([body])[0]) == ("A cat", "", "complete", "")


def test_a_code_beside_an_answer_is_no_error() -> None:
    assert outcome(decoded([stream({**said("A cat", "stop"), "code": "Success"})])[0]) == ("A cat", "", "complete", "")


def test_an_error_without_its_event_line_is_an_error() -> None:
    answer, _ = decoded([b"data:" + json.dumps(refusal("InternalError", "It broke.")).encode() + b"\n\n"])
    assert "It broke." in error_in(answer)


def test_an_error_that_is_no_stream_is_an_error() -> None:
    answer, _ = decoded([json.dumps(refusal("InvalidParameter", "It broke.")).encode()])
    assert "It broke." in error_in(answer)


def test_a_tool_call_that_nobody_asked_for_is_told() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    answer, _ = decoded([stream(said("", tool_calls=[call]), said("", "tool_calls", tool_calls=[]))])
    assert "call a tool" in error_in(answer)


def test_a_tool_call_that_ends_with_stop_is_told() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    assert "call a tool" in error_in(decoded([stream(said("", "stop", tool_calls=[call]))])[0])


def test_reasoning_alone_is_told() -> None:
    answer, _ = decoded([stream(said("", reasoning="Let me see."), said("", "stop", reasoning=""))])
    assert outcome(answer)[1:3] == ("Let me see.", "refused")
    assert "only thought" in error_in(answer)


def test_an_empty_answer_is_told() -> None:
    assert "empty answer" in error_in(decoded([stream(said("", "stop"))])[0])


def test_an_empty_stream_is_told() -> None:
    answer, _ = decoded([b""])
    assert outcome(answer)[2:] == ("cut_off", "cut_off")
    assert "without a word" in error_in(answer)


def test_a_filter_in_the_middle_keeps_the_text() -> None:
    words = "Output data may contain inappropriate content."
    body = stream(said("A cat")) + frame(refusal("DataInspectionFailed", words), 2, event="error", status=400)
    answer, _ = decoded([body])
    assert outcome(answer) == ("A cat", "", "refused", "refused")
    assert words in error_in(answer)


@pytest.mark.parametrize(
    "odd",
    ["[DONE]", "{broken", "3", "[]", {"output": None}, {"output": {"choices": []}}, {"output": {"choices": [7]}},
     {"output": {"choices": [{"message": None}]}}, said(None, None), said(7, 7), {"output": 5, "usage": 5},
     {"output": {"text": 5}, "usage": {"output_tokens": "5"}}],
)  # fmt: skip
def test_odd_frames_are_passed_over(odd: Any) -> None:
    body = stream(said("A cat"), odd, said(" sat", "stop"))
    assert outcome(decoded([body])[0]) == ("A cat sat", "", "complete", "")


REFUSED = [
    ("InvalidApiKey", "Invalid API-key provided.", 401, "auth", "DASHSCOPE_BASE_URL"),
    ("InvalidParameter", "url error, please check url！", 400, "not_found", "OPENAI_BASE_URL"),
    ("DataInspectionFailed", "Input data may contain inappropriate content.", 400, "refused", "other words"),
    ("Arrearage", "Access denied, please make sure your account is in good standing.", 400, "auth", "console"),
    ("AllocationQuota.FreeTierOnly", "The free tier of the model has been exhausted.", 403, "auth", "console"),
    ("InvalidParameter", "Range of input length should be [1, 30720]", 400, "too_long", "SIDELIGHT_CONTEXT_TOKENS"),
    ("ModelNotFound", "The model can not be found.", 404, "not_found", "sidelight models"),
    ("InvalidParameter", "Model not exist.", 400, "not_found", "sidelight models"),
    ("Model.AccessDenied", "Model access denied.", 403, "auth", "region"),
    ("Throttling.RateQuota", "Requests rate limit exceeded.", 429, "rate_limit", "Wait"),
    ("Throttling.AllocationQuota", "Allocated quota exceeded.", 429, "rate_limit", "quota"),
    ("InvalidParameter", "Temperature should be in [0.0, 2.0)", 400, "other", "SIDELIGHT_TEMPERATURE"),
    ("InternalError", "An internal error has occured.", 500, "other", "Ask again"),
    ("ModelUnavailable", "Model is unavailable.", 503, "overloaded", "Ask again"),
]


@pytest.mark.parametrize(("code", "words", "status", "kind", "hint"), REFUSED)
def test_an_error_inside_a_200_says_what_happened_and_what_to_do(
    code: str, words: str, status: int, kind: str, hint: str
) -> None:
    answer, _ = decoded([frame(refusal(code, words), event="error", status=status)])
    assert outcome(answer)[3] == kind
    assert hint in error_in(answer)


def test_a_key_that_the_server_repeats_is_masked() -> None:
    body = frame(refusal("InvalidApiKey", f"Incorrect key {KEY}"), event="error", status=401)
    assert KEY not in error_in(decoded([body])[0])


# Out


def test_what_is_sent_is_as_documented() -> None:
    earlier = (Exchange("Hello", "Good day"),)
    asked = Request("ask", Prompt("Be brief.", "What is it?", earlier=earlier), Context(), "c", max_tokens=99)
    call = encode(DashScopeConfig(key=KEY, temperature=0.0), asked)
    assert (call.method, call.url) == ("POST", "https://dashscope.aliyuncs.com" + GENERATION)
    assert call.headers == {
        "Authorization": f"Bearer {KEY}", "X-DashScope-SSE": "enable", "Accept": "text/event-stream",
    }  # fmt: skip
    assert json.dumps(call.body, separators=(",", ":")) == (
        '{"model":"qwen-plus","input":{"messages":[{"role":"system","content":"Be brief."},'
        '{"role":"user","content":"Hello"},{"role":"assistant","content":"Good day"},'
        '{"role":"user","content":"What is it?"}]},"parameters":{"result_format":"message",'
        '"incremental_output":true,"temperature":0.0,"max_tokens":99}}'
    )


def test_what_is_not_set_is_not_sent() -> None:
    call = encode(DashScopeConfig(), Request("ask", Prompt("", "hi"), Context(), "c"))
    assert call.body == {
        "model": "qwen-plus",
        "input": {"messages": [{"role": "user", "content": "hi"}]},
        "parameters": {"result_format": "message", "incremental_output": True},
    }
    assert "Authorization" not in call.headers


def test_a_questions_own_model_is_asked() -> None:
    assert encode(DashScopeConfig(model="qwen-max"), request("qwen-flash")).body["model"] == "qwen-flash"


def test_no_model_at_all_is_the_usual_one() -> None:
    assert encode(DashScopeConfig(model=""), request()).body["model"] == DEFAULT_MODEL


@pytest.mark.parametrize("end", ["", "/", "/api", "/api/v1", "/api/v1/", GENERATION])
def test_the_address_may_be_written_in_any_usual_way(end: str) -> None:
    call = encode(DashScopeConfig(f"https://dashscope-intl.aliyuncs.com{end}"), request())
    assert call.url == "https://dashscope-intl.aliyuncs.com" + GENERATION


@pytest.mark.parametrize("end", ["", "/", "/chat/completions"])
def test_the_address_of_compatible_mode_is_told_where_it_belongs(end: str) -> None:
    origin = "https://dashscope-us.aliyuncs.com"
    with pytest.raises(ConfigurationError) as caught:
        encode(DashScopeConfig(f"{origin}/compatible-mode/v1{end}"), request())
    assert f"SIDELIGHT_PROVIDER=openai and OPENAI_BASE_URL={origin}/compatible-mode/v1 " in str(caught.value.hint)


def test_a_key_that_cannot_be_one_is_told() -> None:
    with pytest.raises(ConfigurationError, match="DASHSCOPE_API_KEY"):
        encode(DashScopeConfig(key="ключ"), request())


def test_half_a_character_of_the_users_can_be_sent() -> None:
    call = encode(DashScopeConfig(), Request("ask", Prompt("", "a\ud83d"), Context(), "c"))
    assert call.body["input"]["messages"][0]["content"] == "a\ufffd"


# Wire


def listed(*models: tuple[str, int], total: int | None = None) -> dict[str, Any]:
    """Return a page of the documented list of models."""
    items = [
        {"model": name, "name": name.title(), "features": ["function-calling"],
         "model_info": {"context_window": tokens, "max_input_tokens": tokens - 2000}}
        for name, tokens in models
    ]  # fmt: skip
    output = {"total": len(items) if total is None else total, "page_no": 1, "page_size": 100, "models": items}
    return {"request_id": "r-1", "output": output}


Respond = Callable[[fake.Seen], "bytes | fake.Script"]


class Vendor:
    """A server on loopback that plays DashScope: ``answer`` to questions, ``lists`` to those after the models."""

    def __init__(self) -> None:
        self.server = AnythingLLMServer()
        self.server.respond = self._respond
        self.answer: bytes | Callable[[], fake.Script] = streamed(*PLAIN)
        self.lists: bytes | Respond = fake.json_reply(listed(("qwen-plus", 131072), ("qwen-max", 32768)))

    def _respond(self, seen: fake.Seen) -> bytes | fake.Script:
        if seen.path.startswith("/api/v1/models?"):
            return self.lists if isinstance(self.lists, bytes) else self.lists(seen)
        assert seen.path == GENERATION
        return self.answer if isinstance(self.answer, bytes) else self.answer()

    @property
    def questions(self) -> list[fake.Seen]:
        return [seen for seen in self.server.seen if seen.path == GENERATION]

    def provider(self, *, silence_s: float = 2.0, retries: int = 0, **config: Any) -> DashScope:
        options = HttpOptions(connect_s=2.0, silence_s=silence_s, retries=retries)
        return DashScope(DashScopeConfig(**{"address": self.server.url, "key": KEY, **config}), Http(options))


def streamed(*frames: Any) -> bytes:
    return fake.STREAM_HEAD + fake.chunk(stream(*frames)) + fake.STREAM_END


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    yield vendor
    vendor.server.close()


def ask(provider: DashScope, model: str | None = None) -> Answer:
    answer = Answer()
    for event in provider.stream(request(model), Stop()):
        answer.add(event)
    return answer


def failure_of(provider: DashScope, model: str | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(provider, model)
    assert caught.value.hint is not None
    return caught.value


def test_a_real_connection_gives_the_answer(vendor: Vendor) -> None:
    assert outcome(ask(vendor.provider())) == ("A cat sat,猫坐着😀。", "", "complete", "")


def test_the_first_event_says_who_is_asked(vendor: Vendor) -> None:
    events = vendor.provider().stream(request(), Stop())
    assert next(events) == Asked("qwen-plus")
    assert str(next(events)) == str(Status(msg("asking {model}", model="qwen-plus")))
    events.close()  # type: ignore[attr-defined]


def test_the_server_gets_key_and_headers(vendor: Vendor) -> None:
    ask(vendor.provider())
    headers = vendor.questions[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["x-dashscope-sse"] == "enable"
    assert headers["accept-encoding"] == "identity"


def test_an_answer_that_is_no_stream_is_an_answer(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(said("A cat sat.", "stop"))
    assert outcome(ask(vendor.provider())) == ("A cat sat.", "", "complete", "")


def test_text_arrives_as_it_is_written(vendor: Vendor) -> None:
    def script() -> fake.Script:
        yield fake.STREAM_HEAD + fake.chunk(stream(said("first "), blank=""))
        yield fake.Pause(0.5)
        yield fake.chunk(stream(said("second", "stop"), blank="")) + fake.STREAM_END

    vendor.answer = script
    events = vendor.provider().stream(request(), Stop())
    assert next(event for event in events if isinstance(event, Text)) == Text("first ")
    assert [event for event in events if isinstance(event, Text)] == [Text("second")]


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_a_stream_that_stays_open_after_the_finish_is_left(vendor: Vendor, reason: str) -> None:
    vendor.answer = lambda: iter([fake.STREAM_HEAD + fake.chunk(stream(said("A cat", reason))), fake.Pause(30)])
    began = monotonic()
    assert ask(vendor.provider(silence_s=20)).text == "A cat"
    assert monotonic() - began < 10


def test_a_stream_that_stays_open_after_an_error_is_left(vendor: Vendor) -> None:
    failed = frame(refusal("InternalError", "Lost."), event="error", status=500)
    vendor.answer = lambda: iter([fake.STREAM_HEAD + fake.chunk(failed), fake.Pause(30)])
    began = monotonic()
    assert outcome(ask(vendor.provider(silence_s=20)))[2:] == ("cut_off", "other")
    assert monotonic() - began < 10


def test_a_server_that_closes_after_a_token_leaves_that(vendor: Vendor) -> None:
    vendor.answer = streamed(said("A"))
    answer = ask(vendor.provider())
    assert outcome(answer) == ("A", "", "cut_off", "cut_off")
    assert "before it was complete" in error_in(answer)


def test_an_empty_clean_stream_is_told(vendor: Vendor) -> None:
    vendor.answer = fake.STREAM_HEAD + fake.STREAM_END
    assert "without a word" in error_in(ask(vendor.provider()))


@pytest.mark.parametrize("end", ["close", "reset", "inside a chunk"])
def test_a_lost_connection_keeps_the_text(vendor: Vendor, end: str) -> None:
    def script() -> fake.Script:
        yield fake.STREAM_HEAD + fake.chunk(stream(said("What came "), said("is kept")))
        yield fake.Pause(0.1)
        if end == "reset":
            yield "reset"
        elif end == "inside a chunk":
            yield b"40\r\ndata:{"

    vendor.answer = script
    answer = Answer()
    with pytest.raises(ProviderError) as caught:
        for event in vendor.provider().stream(request(), Stop()):
            answer.add(event)
    assert (answer.text, caught.value.kind) == ("What came is kept", "cut_off")


def test_a_silent_server_is_given_up(vendor: Vendor) -> None:
    vendor.answer = lambda: iter([fake.STREAM_HEAD + fake.chunk(stream(said("A"))), fake.Pause(20)])
    assert "SIDELIGHT_SILENCE_TIMEOUT" in str(failure_of(vendor.provider(silence_s=0.3)).hint)


@pytest.mark.parametrize("before", [b"", fake.STREAM_HEAD, fake.STREAM_HEAD + fake.chunk(stream(said("A")))])
def test_a_stop_is_heard_at_any_moment(vendor: Vendor, before: bytes) -> None:
    vendor.answer = lambda: iter([before, fake.Pause(30)])
    stop = Stop()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        list(vendor.provider(silence_s=30).stream(request(), stop))
    assert vendor.questions[0].closed.wait(2)


@pytest.mark.parametrize(("code", "words", "status", "kind", "hint"), REFUSED)
def test_a_refusal_says_what_happened_and_what_to_do(
    vendor: Vendor, code: str, words: str, status: int, kind: str, hint: str
) -> None:
    vendor.answer = fake.json_reply(refusal(code, words), f"{status} Refused")
    error = failure_of(vendor.provider())
    assert error.kind == kind
    assert hint in str(error)


def test_a_refusal_without_content_type_is_understood(vendor: Vendor) -> None:
    body = json.dumps(refusal("InvalidApiKey", "Invalid API-key provided.")).encode()
    vendor.answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    assert failure_of(vendor.provider()).kind == "auth"


def test_a_wrong_key_is_told_with_every_region(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(refusal("InvalidApiKey", "Invalid API-key provided."), "401 Unauthorized")
    hint = str(failure_of(vendor.provider()).hint)
    assert "DASHSCOPE_API_KEY" in hint
    for host in ("dashscope", "dashscope-intl", "dashscope-us", "cn-hongkong.dashscope"):
        assert f"https://{host}.aliyuncs.com/api/v1" in hint


def test_a_missing_key_is_told(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(refusal("InvalidApiKey", "No API-key provided."), "401 Unauthorized")
    assert "none is set" in str(failure_of(vendor.provider(key="")))


def test_a_key_that_was_not_sent_is_told(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(refusal("InvalidApiKey", "No API-key provided."), "401 Unauthorized")
    assert "was not sent there" in str(failure_of(vendor.provider(key="", key_withheld=True)))


def test_a_model_of_another_api_is_sent_to_compatible_mode(vendor: Vendor) -> None:
    failed = frame(refusal("InvalidParameter", "url error, please check url！"), event="error", status=400)
    vendor.answer = fake.STREAM_HEAD + fake.chunk(failed) + fake.STREAM_END
    told = error_in(ask(vendor.provider(), "qwen3.5-plus"))
    assert f"OPENAI_BASE_URL={vendor.server.url}/compatible-mode/v1" in told
    assert "OPENAI_MODEL=qwen3.5-plus" in told


def test_a_model_of_another_api_is_not_taken_for_a_missing_one(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(refusal("InvalidParameter", "url error, please check url！"), "400 Bad Request")
    assert "by another API" in str(failure_of(vendor.provider(), "qwen3.5-plus"))


def test_a_missing_model_is_told_with_the_nearest_names(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(refusal("ModelNotFound", "Model can not be found."), "404 Not Found")
    assert "The nearest names: qwen-plus" in str(failure_of(vendor.provider(), "qwen-plsu"))


def test_a_missing_model_is_told_where_there_is_no_list(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(refusal("ModelNotFound", "Model can not be found."), "404 Not Found")
    vendor.lists = fake.reply(b"", "text/html", "404 Not Found")
    assert "DashScope has no model qwen-plsu." in str(failure_of(vendor.provider(), "qwen-plsu"))


@pytest.mark.parametrize(
    "response",
    [
        fake.reply(b"<!DOCTYPE html>", "text/html; charset=utf-8"),
        fake.reply(b"<!DOCTYPE html>", "text/html", "404 Not Found"),
        fake.json_reply({"object": "list", "data": []}),
        fake.json_reply(refusal("InvalidURL", "Invalid URL provided in your request."), "400 Bad Request"),
    ],
)
def test_a_wrong_address_is_told(vendor: Vendor, response: bytes) -> None:
    vendor.answer = response
    error = failure_of(vendor.provider())
    assert "is not the address of DashScope's API" in str(error)
    assert "DASHSCOPE_BASE_URL" in str(error.hint)


def test_a_redirect_is_told_and_not_followed(vendor: Vendor) -> None:
    vendor.answer = fake.reply(b"", "text/html", "301 Moved", "Location: https://other.example/\r\n")
    assert "https://other.example/" in str(failure_of(vendor.provider()))
    assert len(vendor.server.seen) == 1


def test_a_server_that_is_down_is_told(vendor: Vendor) -> None:
    vendor.server.close()
    assert failure_of(vendor.provider()).kind == "network"


def test_throttling_is_tried_again_before_it_is_told(vendor: Vendor) -> None:
    busy = iter([fake.json_reply(refusal("Throttling.RateQuota", "Too many."), "429 Too Many Requests")])
    vendor.answer = lambda: iter([next(busy, streamed(*PLAIN))])
    assert outcome(ask(vendor.provider(retries=1)))[2] == "complete"
    assert len(vendor.questions) == 2


# Models and their contexts


def test_models_are_those_of_the_list(vendor: Vendor) -> None:
    assert vendor.provider().models() == [
        Model("qwen-plus", "Qwen-Plus", context_tokens=129072, abilities=("function-calling",)),
        Model("qwen-max", "Qwen-Max", context_tokens=30768, abilities=("function-calling",)),
    ]


def test_every_page_of_the_list_is_read(vendor: Vendor) -> None:
    def respond(seen: fake.Seen) -> bytes:
        number = seen.path.partition("page_no=")[2].partition("&")[0]
        return fake.json_reply(listed((f"qwen-{number}", 8000), total=3))

    vendor.lists = respond
    assert [model.id for model in vendor.provider().models()] == ["qwen-1", "qwen-2", "qwen-3"]


def test_a_list_that_never_ends_is_left(vendor: Vendor) -> None:
    vendor.lists = fake.json_reply(listed(("qwen-plus", 8000), total=10**9))
    vendor.provider().models()
    assert len(vendor.server.seen) == 10


@pytest.mark.parametrize("response", [fake.reply(b"", "text/html", "404 Not Found"), fake.json_reply(listed())])
def test_without_a_list_the_configured_model_is_all(vendor: Vendor, response: bytes) -> None:
    vendor.lists = response
    assert vendor.provider(model="qwen-max").models() == [Model("qwen-max")]


def test_a_wrong_key_is_told_instead_of_models(vendor: Vendor) -> None:
    vendor.lists = fake.json_reply(refusal("InvalidApiKey", "Invalid API-key provided."), "401 Unauthorized")
    with pytest.raises(ProviderError, match="did not accept the key"):
        vendor.provider().models()


def test_the_configured_context_counts_without_asking(vendor: Vendor) -> None:
    assert vendor.provider(context_tokens=4096).window(None, Stop()) == Window(4096, "configured")
    assert vendor.server.seen == []


def test_the_servers_smaller_limit_is_the_context(vendor: Vendor) -> None:
    assert vendor.provider().window("qwen-max", Stop()) == Window(30768, "server")


def test_a_context_is_asked_for_once(vendor: Vendor) -> None:
    provider = vendor.provider()
    for _ in range(3):
        provider.window(None, Stop())
    assert [seen.path for seen in vendor.server.seen] == ["/api/v1/models?model=qwen-plus"]


@pytest.mark.parametrize("model", ["qwen-max", "qwen-max-latest"])
def test_a_documented_context_is_assumed_where_the_server_tells_none(vendor: Vendor, model: str) -> None:
    vendor.lists = fake.reply(b"", "text/html", "404 Not Found")
    assert vendor.provider().window(model, Stop()) == Window(30720, "assumed")


@pytest.mark.parametrize("model", ["qwen-plus-character", "something-else"])
def test_an_unknown_model_is_taken_to_have_a_small_context(vendor: Vendor, model: str) -> None:
    assert vendor.provider().window(model, Stop()) == Window(8192, "assumed")


def test_a_server_that_is_down_leaves_the_assumed_context(vendor: Vendor) -> None:
    vendor.server.close()
    assert vendor.provider(model="own").window(None, Stop()) == Window(8192, "assumed")


def test_a_wrong_address_leaves_the_assumed_context() -> None:
    config = DashScopeConfig("https://dashscope.aliyuncs.com/compatible-mode/v1", KEY, "own")
    assert DashScope(config, Http(HttpOptions())).window(None, Stop()) == Window(8192, "assumed")


def test_a_stop_is_heard_while_the_context_is_asked_for(vendor: Vendor) -> None:
    vendor.lists = lambda _: iter([fake.Pause(30)])
    stop = Stop()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        vendor.provider(silence_s=30).window(None, stop)


def test_without_a_key_nobody_is_asked_for_the_context(vendor: Vendor) -> None:
    vendor.provider(key="").window(None, Stop())
    assert vendor.server.seen == []


def test_a_stop_is_heard_while_names_are_asked_for(vendor: Vendor) -> None:
    vendor.answer = fake.json_reply(refusal("ModelNotFound", "Model can not be found."), "404 Not Found")
    vendor.lists = lambda _: iter([fake.Pause(30)])
    stop = Stop()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        list(vendor.provider(silence_s=30).stream(request("qwen-plsu"), stop))


def test_no_history_and_no_tokenizer_are_promised(vendor: Vendor) -> None:
    provider = vendor.provider()
    assert provider.tells_truncation
    assert not provider.remembers
    assert provider.count_tokens("text", None, Stop()) is None


def test_the_doctors_checks_go_step_by_step(vendor: Vendor) -> None:
    told = [str(check.message) for check in vendor.provider().checks() if check.state == "ok"]
    for step in (
        "is DashScope's API",
        "key is accepted",
        "qwen-plus exists",
        "reads 129072 tokens, as the server says",
    ):
        assert any(step in line for line in told), step


def test_the_doctor_notes_a_model_that_the_list_has_not(vendor: Vendor) -> None:
    checks = list(vendor.provider(model="qwen-pluss").checks())
    notes = [str(check.message) for check in checks if check.state == "note"]
    assert any("has no model qwen-pluss" in note and "qwen-plus" in note for note in notes)


def test_the_doctor_goes_on_where_there_is_no_list(vendor: Vendor) -> None:
    vendor.lists = fake.reply(b"<!DOCTYPE html>", "text/html", "404 Not Found")
    notes = [str(check.message) for check in vendor.provider().checks() if check.state == "note"]
    assert any("lists no models" in note for note in notes)


def test_the_doctor_tells_a_wrong_key(vendor: Vendor) -> None:
    vendor.lists = fake.json_reply(refusal("InvalidApiKey", "Invalid API-key provided."), "401 Unauthorized")
    with pytest.raises(ProviderError, match="did not accept the key"):
        list(vendor.provider().checks())


def test_the_doctor_tells_the_address_of_compatible_mode() -> None:
    config = DashScopeConfig("https://dashscope.aliyuncs.com/compatible-mode/v1", KEY)
    with pytest.raises(ConfigurationError):
        list(DashScope(config, Http(HttpOptions())).checks())
