"""Ollama as its documentation and source say it answers (docs.ollama.com/api, fb30760), with texts of our own.

No Ollama runs here: it cannot be had from a package index. So every frame is written, none recorded, but for what
llama.cpp's server says when it is taken for an Ollama.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Note, Status, Text, Usage
from sidelight.core.context import Context
from sidelight.core.ports import Exchange, Model, Prompt, Request, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.http import Http, HttpOptions
from sidelight.providers.ollama import Ollama, OllamaConfig, OllamaDecoder, encode, num_ctx_for
from sidelight.providers.ollama_models import Running
from support import vendor
from support.vendor import Vendor, capture, json_reply, outcome, shown

NDJSON = "application/x-ndjson"
CHAT = "/api/chat"


def said(content: str = "", **message: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": content, **message}, "done": False}


def done(reason: str | None = "stop", read: int | None = 20, **more: Any) -> dict[str, Any]:
    counts = {} if read is None else {"prompt_eval_count": read, "eval_count": 5}
    return {**said(), "done": True, "done_reason": reason, **counts, **more}


def decoded(pieces: Iterable[bytes]) -> tuple[Answer, list[AnswerEvent]]:
    events = vendor.decoded(OllamaDecoder("h:1"), pieces)
    return vendor.folded(events), events


def ended(*frames: Any) -> tuple[str, str, str, str]:
    return outcome(decoded(vendor.lines(*frames))[0])


def error_in(*frames: Any) -> str:
    finished = decoded(vendor.lines(*frames))[0].finished
    assert finished is not None
    return shown(finished.error)


# In


def test_a_last_line_is_the_end() -> None:
    assert ended(said("Yes"), said("."), done()) == ("Yes.", "", "complete", "")


def test_tokens_are_counted_in_the_last_line() -> None:
    assert decoded(vendor.lines(said("Yes."), done()))[0].usage == Usage(20, 5)


def test_without_a_last_line_the_answer_is_cut_off() -> None:
    assert ended(said("half")) == ("half", "", "cut_off", "cut_off")


def test_nothing_at_all_is_told_as_what_it_is() -> None:
    assert "without a word" in error_in()


def test_an_error_line_keeps_what_came() -> None:
    frames = [said("half"), {"error": "model runner has unexpectedly stopped"}]
    assert ended(*frames) == ("half", "", "cut_off", "cut_off")
    assert "model runner has unexpectedly stopped" in error_in(*frames)


def test_an_error_after_the_last_line_is_the_servers_own_business() -> None:
    assert ended(said("whole"), done(), {"error": "telemetry"})[2] == "complete"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("the input length exceeds the context length", "too_long"),
        ("the prompt is longer than the context length currently available to the model", "too_long"),
        ("context deadline exceeded", "cut_off"),
        ("context canceled", "cut_off"),
        ("model requires more system memory (5.6 GiB) than is available (3.1 GiB)", "other"),
    ],
)
def test_an_error_is_known_by_its_words(words: str, kind: str) -> None:
    assert ended({"error": words})[3] == kind


def test_thinking_is_no_text() -> None:
    assert ended(said(thinking="Hm. "), said("Yes.", thinking=""), done())[:2] == ("Yes.", "Hm. ")


def test_thinking_within_the_text_is_set_apart() -> None:
    assert ended(said("<think>H"), said("m</thi"), said("nk>Yes."), done())[:2] == ("Yes.", "Hm")


def test_a_model_that_only_thinks_is_told() -> None:
    assert "only thought" in error_in(said(thinking="Hm"), done())


@pytest.mark.parametrize("reason", [None, "", "stop"])
def test_older_versions_do_not_say_why_they_are_done(reason: str | None) -> None:
    assert ended(said("Yes."), done(reason))[2] == "complete"


def test_an_answer_that_was_too_long_is_told_with_the_setting() -> None:
    assert ended(said("half"), done("length"))[2] == "length"
    assert "SIDELIGHT_MAX_TOKENS" in error_in(said("half"), done("length"))


def test_a_model_that_was_only_loaded_gave_no_answer() -> None:
    assert "empty answer" in error_in(done("load", None))


def test_a_tool_call_that_nobody_asked_for_is_told() -> None:
    assert "call a tool" in error_in(said(tool_calls=[{"function": {"name": "f", "arguments": {}}}]), done())


@pytest.mark.parametrize("odd", [{"message": None}, {"message": {"content": 7}}, {"error": None}, [1], 3, None])
def test_odd_lines_do_not_end_a_good_answer(odd: Any) -> None:
    assert ended(odd, said("Yes."), odd, done(read=None, eval_count="5"))[:3] == ("Yes.", "", "complete")


def test_a_line_that_is_no_json_is_passed_over() -> None:
    assert outcome(decoded([b"{broken\n", *vendor.lines(said("Yes."), done())])[0])[0] == "Yes."


@pytest.mark.parametrize("change", [lambda it: b"\xef\xbb\xbf" + it, lambda it: it.replace(b"\n", b"\r\n\r\n")])
def test_marks_and_other_line_ends_are_no_text(change: Any) -> None:
    body = change(b"".join(vendor.lines(said("Yes."), done())))
    assert outcome(decoded([body])[0]) == ("Yes.", "", "complete", "")


def test_the_last_line_needs_no_line_end() -> None:
    body = b"".join(vendor.lines(said("Yes."), done())).rstrip()
    assert outcome(decoded([body])[0])[2] == "complete"


def test_a_surrogate_pair_torn_over_two_lines_is_joined() -> None:
    assert ended(said("a\ud83d"), said("\ude00"), done())[0] == "a😀"


@pytest.mark.parametrize("last", [done(), {"error": "it broke"}])
def test_after_the_last_word_nobody_waits_for_the_end_of_the_body(last: Any) -> None:
    decoder = OllamaDecoder("h")
    decoder.feed(b"".join(vendor.lines(said("x"))))
    assert not decoder.is_complete
    decoder.feed(b"".join(vendor.lines(last)))
    assert decoder.is_complete


ANSWERS = {
    "plain": [said("Yes"), said(" 你好 \u2028 😀"), done()],
    "thinking": [said(thinking="Hm"), said("Yes."), done()],
    "tags": [said("<think>Hm</think>\n\nYes."), done()],
    "error": [said("half"), {"error": "it broke"}],
    "cut off": [said("half")],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_understood_at_any_cut(name: str) -> None:
    body = b"".join(json.dumps(it, ensure_ascii=False).encode() + b"\n" for it in ANSWERS[name])
    expected = outcome(decoded([body])[0])
    assert outcome(decoded(vendor.one_byte_at_a_time(body))[0]) == expected  # type: ignore[arg-type]
    for seed in range(20):
        assert outcome(decoded(vendor.random_cuts(body, seed))[0]) == expected  # type: ignore[arg-type]


# Out


def question(tokens: int = 100, answer_tokens: int = 200, **more: Any) -> Request:
    prompt = Prompt("Be brief.", "What is it?", tokens=tokens)
    return Request("ask", prompt, Context(), "conversation-1", answer_tokens=answer_tokens, **more)


PLAIN = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is it?"}],
    "stream": True,
    "truncate": False,
    "options": {"num_ctx": 4096},
}


def test_a_question_is_sent_as_the_vendor_says() -> None:
    call = encode(OllamaConfig("http://h:1"), question(), "m", 4096)
    assert (call.method, call.url) == ("POST", "http://h:1/api/chat")
    assert call.headers == {"Accept": NDJSON}
    assert call.body == PLAIN


def test_temperature_and_longest_answer_are_options() -> None:
    call = encode(OllamaConfig(temperature=0.0), question(max_tokens=50), "m", 4096)
    assert call.body == {**PLAIN, "options": {"num_ctx": 4096, "temperature": 0.0, "num_predict": 50}}


def test_earlier_exchanges_stand_between_orders_and_question() -> None:
    prompt = Prompt("", "And now?", earlier=(Exchange("One?", "Yes."),))
    sent = encode(OllamaConfig(), Request("ask", prompt, Context(), "c"), "m", 4096).body["messages"]
    assert [(it["role"], it["content"]) for it in sent] == [
        ("user", "One?"), ("assistant", "Yes."), ("user", "And now?"),
    ]  # fmt: skip


@pytest.mark.parametrize(("word", "sent"), [("30m", "30m"), ("-1", -1), ("0", 0), ("300", 300), ("--5", "--5")])
def test_keep_alive_is_sent_as_ollama_takes_it(word: str, sent: Any) -> None:
    assert encode(OllamaConfig(keep_alive=word), question(), "m", 4096).body == {**PLAIN, "keep_alive": sent}


def test_a_model_is_not_loaded_again_for_an_answer_that_will_hardly_be_so_long() -> None:
    loaded, idle = Running(32768, 4096), Running(32768, 0)
    assert num_ctx_for(OllamaConfig(), question(1500, 4096), loaded) == 4096
    assert num_ctx_for(OllamaConfig(), question(1500, 4096), idle) == 8192
    assert num_ctx_for(OllamaConfig(), question(3000, 4096), loaded) == 8192


@pytest.mark.parametrize(
    ("needed", "known", "num_ctx"),
    [
        (300, Running(), 4096),
        (300, Running(131072, 32768), 32768),  # what runs is enough: another size would load the model again
        (5000, Running(131072, 4096), 8192),
        (8192, Running(131072, 4096), 8192),
        (8193, Running(131072, 0), 12288),
        (9000, Running(8192, 4096), 8192),  # not more than the model can
        (300, Running(2048, 0), 2048),
        (300, Running(131072, 0, 16384), 16384),  # as the model's file asks for
    ],
)
def test_the_context_that_is_asked_for_fits_the_prompt(needed: int, known: Running, num_ctx: int) -> None:
    assert num_ctx_for(OllamaConfig(), question(needed - 200, 200), known) == num_ctx


def test_a_configured_context_is_asked_for_always() -> None:
    assert num_ctx_for(OllamaConfig(context_tokens=6000), question(9000), Running(131072, 4096)) == 6000


# Wire

TAGS = {"models": [
    {"name": "qwen:7b", "details": {"parameter_size": "7.6B", "quantization_level": "Q4_K_M", "family": "qwen2"}},
]}  # fmt: skip
SHOW = {"model_info": {"qwen2.context_length": 32768}, "capabilities": ["completion"], "parameters": "stop x"}


def running(*models: tuple[str, int]) -> bytes:
    return json_reply({"models": [{"name": name, "context_length": tokens} for name, tokens in models]})


def listing(*names: Any) -> bytes:
    return json_reply({"models": [it if isinstance(it, dict) else {"name": it, "details": {}} for it in names]})


YES = vendor.streamed(vendor.lines(said("Yes."), done()), NDJSON)


@pytest.fixture
def server() -> Iterator[Vendor]:
    server = Vendor()
    server.routes = {
        f"POST {CHAT}": YES,
        "GET /api/tags": json_reply(TAGS),
        "GET /api/ps": running(("qwen:7b", 4096)),
        "POST /api/show": json_reply(SHOW),
        "GET /api/version": json_reply({"version": "0.33.3"}),
    }
    yield server
    server.close()


def provider_for(server: Vendor, model: str = "qwen:7b", **more: Any) -> Ollama:
    options = {name: more.pop(name) for name in ("silence_s", "retries", "headers") if name in more}
    quick = {"connect_s": 2.0, "silence_s": 2.0, "retries": 0, **options}
    return Ollama(OllamaConfig(server.url, model, **more), Http(HttpOptions(**quick)))


def failure_of(provider: Ollama) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        vendor.ask(provider, question())
    shown(caught.value)
    return caught.value


def told(events: Iterable[AnswerEvent]) -> list[str]:
    return [str(it.message) for it in events if isinstance(it, (Status, Note))]


def test_a_question_goes_to_the_model_that_runs_without_loading_it_again(server: Vendor) -> None:
    events = list(provider_for(server).stream(question(), Stop()))
    assert outcome(vendor.folded(events)) == ("Yes.", "", "complete", "")
    assert server.asked(CHAT)[0].body["options"] == {"num_ctx": 4096}
    assert told(events) == ["asking qwen:7b"]


def test_loading_is_told_with_the_context_that_is_asked_for(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.streamed(vendor.lines(said("Yes."), done(read=5900)), NDJSON)
    events = list(provider_for(server).stream(question(6000), Stop()))
    assert server.asked(CHAT)[0].body["options"] == {"num_ctx": 8192}
    assert told(events) == ["loading qwen:7b, 8192 tokens of context"]
    (status,) = [event for event in events if isinstance(event, Status)]
    assert status.if_silent is not None


def test_what_runs_is_asked_before_every_question(server: Vendor) -> None:
    provider = provider_for(server)
    vendor.ask(provider, question())
    server.routes["GET /api/ps"] = running(("qwen:7b", 16384))
    vendor.ask(provider, question())
    assert [seen.body["options"]["num_ctx"] for seen in server.asked(CHAT)] == [4096, 16384]


def test_a_name_without_a_tag_is_the_latest(server: Vendor) -> None:
    server.routes["GET /api/ps"] = running(("qwen:latest", 16384))
    vendor.ask(provider_for(server, "qwen"), question())
    assert server.asked(CHAT)[0].body["options"] == {"num_ctx": 16384}


def test_the_context_of_the_models_file_is_asked_for_when_it_is_loaded(server: Vendor) -> None:
    server.routes["GET /api/ps"] = running()
    server.routes["POST /api/show"] = json_reply({**SHOW, "parameters": "temperature 1\nnum_ctx      16384\nstop x"})
    vendor.ask(provider_for(server), question())
    assert server.asked(CHAT)[0].body["options"] == {"num_ctx": 16384}


DROPPED = vendor.streamed(vendor.lines(said("Yes."), done(read=900)), NDJSON)


def test_a_prompt_that_lost_its_front_is_told(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = DROPPED
    answer = vendor.ask(provider_for(server, context_tokens=2048), question(5000))
    assert [note.is_warning for note in answer.notes] == [True]
    assert "it read 900 tokens of about 5000" in str(answer.notes[0].message)
    assert "a context of 4096" in str(answer.notes[0].message)
    assert outcome(answer)[2] == "complete"


def test_a_beginning_that_ollama_remembers_is_not_lost(server: Vendor) -> None:
    server.routes.update({f"POST {CHAT}": DROPPED, "GET /api/ps": running(("qwen:7b", 8192))})
    assert not vendor.ask(provider_for(server), question(5000)).notes


def test_a_prompt_that_is_estimated_too_high_is_not_lost(server: Vendor) -> None:
    assert not vendor.ask(provider_for(server), question(30)).notes


def test_without_a_count_nothing_is_said_of_it(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = vendor.streamed(vendor.lines(said("Yes."), done(read=None)), NDJSON)
    assert not vendor.ask(provider_for(server), question(5000)).notes


def test_where_what_runs_cannot_be_asked_the_asked_context_counts(server: Vendor) -> None:
    server.routes.update({f"POST {CHAT}": DROPPED, "GET /api/ps": vendor.NOT_FOUND})
    assert not vendor.ask(provider_for(server), question(5000)).notes


@pytest.mark.parametrize(
    ("response", "kind", "says", "hints"),
    [
        (json_reply({"error": "the input length exceeds the context length"}, "400 Bad Request"), "too_long",
         "too long", "SIDELIGHT_CONTEXT_TOKENS"),
        (json_reply({"error": json.dumps({"error": {
            "code": 400, "type": "exceed_context_size_error",
            "message": "request (8889 tokens) exceeds the available context size (4096 tokens), try increasing it",
        }})}, "400 Bad Request"), "too_long", "request (8889 tokens)", "smaller part"),
        (json_reply({"error": '"m" does not support chat'}, "400 Bad Request"), "refused", "does not answer",
         "OLLAMA_MODEL"),
        (json_reply({"error": "model requires more system memory (5.6 GiB) than is available (3.1 GiB)"},
                    "500 Internal Server Error"), "other", "not enough memory", "smaller model"),
        (json_reply({"error": "timed out waiting for llama runner to start"}, "500 Internal Server Error"), "other",
         "timed out waiting", "log"),
        (json_reply({"error": "server busy, please try again. maximum pending requests exceeded"}, "503 Busy"),
         "overloaded", "server busy", "again"),
        (json_reply({"error": "it broke"}), "cut_off", "it broke", "log"),
        (vendor.HTML, "not_found", "is not Ollama", "OLLAMA_HOST"),
        (vendor.NOT_FOUND, "not_found", "is not Ollama", "OLLAMA_HOST"),
        (capture("llama-ollama-chat"), "not_found", "is not Ollama", "OLLAMA_HOST"),
        (json_reply({"object": "list", "data": []}), "not_found", "is not Ollama", "OLLAMA_HOST"),
        (vendor.reply(b"<html>", "text/html", "502 Bad Gateway"), "overloaded", "status 502", "again"),
        (vendor.reply(b"denied", "text/plain", "401 Unauthorized"), "auth", "denied", "SIDELIGHT_HEADERS"),
        (vendor.reply(b"", "text/plain", "307 Moved", "Location: https://other.example/\r\n"), "other",
         "https://other.example/", "OLLAMA_HOST"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_with_what_to_do(server: Vendor, response: bytes, kind: str, says: str, hints: str) -> None:
    server.routes[f"POST {CHAT}"] = response
    error = failure_of(provider_for(server))
    assert error.kind == kind
    assert says in str(error.message)
    assert hints in str(error.hint)


@pytest.mark.parametrize("words", ["model 'qwn' not found", 'model "qwn" not found, try pulling it first'])
def test_a_missing_model_can_be_pulled(server: Vendor, words: str) -> None:
    server.routes[f"POST {CHAT}"] = json_reply({"error": words}, "404 Not Found")
    error = failure_of(provider_for(server, "qwn"))
    assert error.kind == "not_found"
    assert "qwen:7b" in str(error.message)
    assert "ollama pull qwn" in str(error.hint)


def test_stop_is_heard_while_the_names_of_the_models_are_asked_for(server: Vendor) -> None:
    hanging = vendor.Hanging(b"")
    server.routes[f"POST {CHAT}"] = json_reply({"error": "model 'qwn' not found"}, "404 Not Found")
    server.routes["GET /api/tags"] = hanging
    stop = Stop()
    threading.Thread(target=lambda: (hanging.reached.wait(5), stop.set())).start()
    with pytest.raises(Stopped):
        vendor.ask(provider_for(server), stop=stop)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
def test_a_stream_under_another_name_is_a_stream(server: Vendor, content_type: str) -> None:
    server.routes[f"POST {CHAT}"] = vendor.streamed(vendor.lines(said("Yes."), done()), content_type)
    assert outcome(vendor.ask(provider_for(server))) == ("Yes.", "", "complete", "")


def test_an_answer_in_one_piece_is_an_answer(server: Vendor) -> None:
    server.routes[f"POST {CHAT}"] = json_reply({**said("Yes."), "done": True})
    assert outcome(vendor.ask(provider_for(server))) == ("Yes.", "", "complete", "")


def test_a_server_that_never_closes_is_left_after_the_last_line(server: Vendor) -> None:
    body = b"".join(vendor.lines(said("Yes."), done()))
    server.routes[f"POST {CHAT}"] = vendor.Hanging(vendor.head(NDJSON) + vendor.chunk(body))
    assert outcome(vendor.ask(provider_for(server, silence_s=20.0))) == ("Yes.", "", "complete", "")


def test_text_arrives_as_it_is_written(server: Vendor) -> None:
    body = b"".join(vendor.lines(said("first ")))
    server.routes[f"POST {CHAT}"] = vendor.Hanging(vendor.head(NDJSON) + vendor.chunk(body))
    events = provider_for(server).stream(question(), Stop())
    assert next(event for event in events if isinstance(event, Text)) == Text("first ")
    events.close()  # type: ignore[attr-defined]
    assert server.asked(CHAT)[0].closed.wait(2)


# Wire: models


def test_models_are_those_on_that_machine(server: Vendor) -> None:
    server.routes["GET /api/tags"] = listing(TAGS["models"][0], {"name": "v", "details": {"family": "nomic-bert"}})
    assert provider_for(server).models() == [
        Model("qwen:7b", detail="7.6B Q4_K_M"), Model("v", abilities=("embedding",)),
    ]  # fmt: skip


def test_the_window_is_what_the_model_can_have(server: Vendor) -> None:
    assert provider_for(server).window(None, Stop()) == Window(32768, "server")


def test_the_window_is_what_runs_where_the_model_does_not_tell(server: Vendor) -> None:
    server.routes["POST /api/show"] = json_reply({"model_info": {}})
    assert provider_for(server).window(None, Stop()) == Window(4096, "server")


def test_a_configured_window_asks_nobody(server: Vendor) -> None:
    assert provider_for(server, context_tokens=777).window(None, Stop()) == Window(777, "configured")
    assert not server.seen


@pytest.mark.parametrize(
    "odd", [vendor.HTML, json_reply(7), json_reply({"models": 5}), json_reply({"models": [None, {"name": None}]})]
)
def test_a_window_that_nobody_tells_is_assumed(server: Vendor, odd: bytes) -> None:
    server.routes.update({"GET /api/ps": odd, "POST /api/show": odd, "GET /api/tags": odd})
    for model in ("qwen:7b", ""):
        assert provider_for(server, model).window(None, Stop()) == Window(4096, "assumed")


# Wire: no model is configured


def test_the_only_model_is_taken_without_a_word(server: Vendor) -> None:
    server.routes["GET /api/ps"] = running()
    events = list(provider_for(server, "").stream(question(), Stop()))
    assert server.asked(CHAT)[0].body["model"] == "qwen:7b"
    assert not any(isinstance(event, Note) for event in events)


def test_the_model_that_is_loaded_is_taken_without_a_word(server: Vendor) -> None:
    server.routes.update({"GET /api/tags": listing("one", "two"), "GET /api/ps": running(("two", 4096))})
    events = list(provider_for(server, "").stream(question(), Stop()))
    assert server.asked(CHAT)[0].body["model"] == "two"
    assert not any(isinstance(event, Note) for event in events)


def test_a_loaded_model_that_only_embeds_is_not_asked(server: Vendor) -> None:
    server.routes.update({
        "GET /api/tags": listing("nomic-embed-text", "one"), "GET /api/ps": running(("nomic-embed-text", 2048)),
    })  # fmt: skip
    vendor.ask(provider_for(server, ""), question())
    assert server.asked(CHAT)[0].body["model"] == "one"


def test_of_several_models_on_this_machine_the_first_that_writes_is_asked_and_told(server: Vendor) -> None:
    vectors = {"name": "vec", "capabilities": ["embedding"]}
    server.routes.update({"GET /api/tags": listing("nomic-embed-text", vectors, "one", "two"),
                          "GET /api/ps": running()})  # fmt: skip
    answer = vendor.ask(provider_for(server, ""), question())
    assert server.asked(CHAT)[0].body["model"] == "one"
    assert [str(note.message) for note in answer.notes] == [
        "No model is chosen; one was asked, one of 2. `sidelight models` chooses."
    ]


def test_of_several_loaded_models_the_first_is_asked_and_told(server: Vendor) -> None:
    server.routes.update({"GET /api/tags": listing("one", "two", "three"),
                          "GET /api/ps": running(("three", 4096), ("two", 4096))})  # fmt: skip
    answer = vendor.ask(provider_for(server, ""), question())
    assert server.asked(CHAT)[0].body["model"] == "two"
    assert len(answer.notes) == 1


def test_elsewhere_several_models_and_none_chosen_is_told(server: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)  # so that the far host is this server
    server.routes = {"GET http://ollama.example/api/ps": running(),
                     "GET http://ollama.example/api/tags": listing("one", "two")}  # fmt: skip
    provider = Ollama(OllamaConfig("http://ollama.example"), Http(HttpOptions(retries=0)))
    with pytest.raises(ConfigurationError, match="one, two") as caught:
        vendor.ask(provider)
    assert "OLLAMA_MODEL" in shown(caught.value)


def test_an_ollama_without_models_says_how_to_get_one(server: Vendor) -> None:
    server.routes.update({"GET /api/tags": listing(), "GET /api/ps": running()})
    with pytest.raises(ConfigurationError, match="no model yet") as caught:
        vendor.ask(provider_for(server, ""))
    assert "ollama pull" in shown(caught.value)


def test_the_choice_for_the_context_holds_for_the_question(server: Vendor) -> None:
    provider = provider_for(server, "")
    provider.window(None, Stop())
    vendor.ask(provider, question())
    assert len(server.asked("/api/tags")) == 1


# The doctor


def test_the_doctors_checks_pass_on_a_healthy_server(server: Vendor) -> None:
    checks = list(provider_for(server).checks())
    assert {check.state for check in checks} == {"ok"}
    assert "The model qwen:7b can read 32768 tokens; 4096 are loaded now." in [str(it.message) for it in checks]


def test_the_doctor_says_how_to_get_a_missing_model(server: Vendor) -> None:
    with pytest.raises(ProviderError) as caught:
        list(provider_for(server, "qwn").checks())
    assert "ollama pull qwn" in shown(caught.value)


def test_the_doctor_says_which_model_would_be_asked(server: Vendor) -> None:
    server.routes.update({"GET /api/tags": listing("one", "two"), "GET /api/ps": running()})
    checks = [str(check.message) for check in provider_for(server, "").checks()]
    assert any("one was asked, one of 2" in check for check in checks)
