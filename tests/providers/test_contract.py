"""The promises of ``core.ports.Provider``, stated once and run on every provider.

Those that speak HTTP are played by a real server on loopback; the model on this machine by a process that speaks the
worker's protocol; the built-in provider by itself.
"""

from __future__ import annotations

import contextlib
import gc
import json
import socket
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Finished, Text, merge_text
from sidelight.core.context import Context, target_lines
from sidelight.core.ports import Check, Model, Prompt, Provider, Request, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError, SidelightError
from sidelight.messages import translator
from sidelight.providers.http import Http, HttpOptions
from sidelight.providers.http_stream import Decoder
from support import anythingllm, vendor
from support.vendor import KEY, Hanging, Vendor, eventually, shown

SOON_S = 2.0
LEFT_S = 0.9  # less than the time that a complete answer is given to end
TEXT = "One two – 三."
LINES = ("def f(x):\n", "    return x\n", "")
CONTEXT = Context("a.py", "python", LINES, target=target_lines(LINES, None))
QUESTION = Request("explain", Prompt("Be brief.", "What is it?", tokens=50), CONTEXT, "conversation-1")


# What each vendor sends


@dataclass(frozen=True)
class Words:
    """How a vendor answers over HTTP: where it is asked, its frames, its content type, and its errors in mid-answer."""

    path: str
    text: Callable[[str], bytes]
    finish: bytes
    make: Callable[[str, Http], Provider]
    decoder: Callable[[], Decoder]
    error: Callable[[str], bytes]
    content_type: str = "text/event-stream"
    asked_before: dict[str, bytes] = field(default_factory=dict)
    key: str = KEY

    @property
    def frames(self) -> list[bytes]:
        return [*(self.text(piece) for piece in ("One ", "two ", "– ", "三.")), self.finish]

    def beginning(self, frames: Sequence[bytes]) -> bytes:
        """Return a streamed answer up to here, one chunk a frame."""
        return b"".join([vendor.head(self.content_type), *map(vendor.chunk, frames)])

    def whole(self) -> bytes:
        return self.beginning(self.frames) + vendor.STREAM_END


def _event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n"


def _anythingllm() -> Words:
    from sidelight.providers.anythingllm import AnythingLLM, AnythingLLMConfig, AnythingLLMDecoder

    return Words(
        "POST /api/v1/workspace/w/stream-chat",
        lambda text: _event(type="textResponseChunk", textResponse=text, close=False, error=False),
        _event(type="finalizeResponseStream", close=True, error=False),
        lambda url, http: AnythingLLM(AnythingLLMConfig(url, KEY, "w"), http),
        lambda: AnythingLLMDecoder(KEY),
        lambda words: _event(type="abort", error=words, close=True),
    )


def _openai() -> Words:
    from sidelight.providers.openai import OpenAI, OpenAIConfig, OpenAIDecoder

    return Words(
        "POST /v1/chat/completions",
        lambda text: _event(choices=[{"index": 0, "delta": {"content": text}}]),
        _event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]),
        lambda url, http: OpenAI(OpenAIConfig(f"{url}/v1", KEY, "m"), http),
        lambda: OpenAIDecoder("h", KEY),
        lambda words: _event(error={"message": words}),
        asked_before={"GET /v1/models": vendor.json_reply({"data": [{"id": "m", "max_model_len": 4096}]})},
    )


def _ollama() -> Words:
    from sidelight.providers.ollama import Ollama, OllamaConfig, OllamaDecoder

    def line(**fields: Any) -> bytes:
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"

    return Words(
        "POST /api/chat",
        lambda text: line(message={"role": "assistant", "content": text}, done=False),
        line(message={"role": "assistant", "content": ""}, done=True, done_reason="stop", prompt_eval_count=50),
        lambda url, http: Ollama(OllamaConfig(url, "m"), http),
        lambda: OllamaDecoder("h"),
        lambda words: line(error=words),
        "application/x-ndjson",
        {
            "GET /api/ps": vendor.json_reply({"models": []}),
            "GET /api/tags": vendor.json_reply({"models": [{"name": "m"}]}),
            "POST /api/show": vendor.json_reply({"model_info": {"a.context_length": 8192}}),
        },
        key="",
    )


def _dashscope() -> Words:
    from sidelight.providers.dashscope import DashScope, DashScopeConfig, DashScopeDecoder

    def frame(data: Any, event: str = "result", status: int = 200) -> bytes:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return f"id:1\nevent:{event}\n:HTTP_STATUS/{status}\ndata:{text}\n\n".encode()

    def said(text: str, reason: str = "null") -> bytes:
        return frame({"output": {"choices": [{"message": {"content": text}, "finish_reason": reason}]}})

    return Words(
        "POST /api/v1/services/aigc/text-generation/generation",
        said,
        said("", "stop"),
        lambda url, http: DashScope(DashScopeConfig(url, KEY, "qwen-plus"), http),
        lambda: DashScopeDecoder(DashScopeConfig(key=KEY), "qwen-plus"),
        lambda words: frame({"code": "InternalError", "message": words, "request_id": "1"}, "error", 500),
    )


VENDORS = {"anythingllm": _anythingllm, "openai": _openai, "ollama": _ollama, "dashscope": _dashscope}


@pytest.fixture(params=VENDORS)
def words(request: pytest.FixtureRequest) -> Words:
    return VENDORS[request.param]()


@pytest.fixture
def server() -> Iterator[Vendor]:
    server = Vendor()
    yield server
    server.close()


def over_http(words: Words, server: Vendor, **options: Any) -> Provider:
    server.routes = {**words.asked_before, words.path: words.whole()}
    return words.make(server.url, Http(HttpOptions(**{"connect_s": 2.0, "silence_s": 5.0, "retries": 0, **options})))


# Every provider, at every moment at which it may hang


class Played:
    """A provider whose other side answers, or hangs at a moment; every part of it is real but the model."""

    waits = True
    provider: Provider
    text = TEXT

    def play(self, moment: str = "") -> threading.Event:
        """Answer wholly, or hang at that moment; the event is set then."""
        raise NotImplementedError

    def is_left(self) -> bool:
        """Whether the other side has noticed that nobody listens any more."""
        return True

    def close(self) -> None:
        """Let go of all."""


class OverHttp(Played):
    """A provider whose model server is played."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._server = Vendor()
        self.provider = over_http(words, self._server, silence_s=20.0)

    def play(self, moment: str = "") -> threading.Event:
        said = {"first text": 0, "next text": 2, "finish": 4}
        beginning = self._words.beginning(self._words.frames[: said[moment]]) if moment in said else b""
        hanging = Hanging(beginning)
        self._server.routes[self._words.path] = hanging if moment else self._words.whole()
        return hanging.reached

    def is_left(self) -> bool:
        path = self._words.path.partition(" ")[2]
        return self._server.asked(path)[-1].closed.is_set()

    def close(self) -> None:
        del self.provider  # it keeps a connection for the next list of models
        self._server.close()


# Speaks the worker's protocol; where the file beside it names a moment, it hangs there until it is told to stop.
WORKER = """
import json, os, sys, threading

stopped = threading.Event()

def say(kind, **fields):
    print(json.dumps({"is": kind, **fields}), flush=True)

def hang(moment):
    if open(__file__ + ".moment").read() == moment:
        open(__file__ + ".reached", "w").close()
        stopped.wait(30)
        open(__file__ + ".left", "w").close()
        os._exit(0)

def answer(order):
    hang("headers")
    say("loaded", context_tokens=2048, device="cpu", dtype="float32", has_template=True)

def generate(order):
    say("started", id=order["id"], prompt_tokens=7)
    hang("first text")
    say("piece", id=order["id"], text="One two ")
    hang("next text")
    say("piece", id=order["id"], text="\\u2013 \\u4e09.")
    hang("finish")
    say("finished", id=order["id"], finish="stop", prompt_tokens=7, completion_tokens=3)

def count(order):
    say("tokens", id=order["id"], tokens=3)

def read():
    for text in sys.stdin:
        order = json.loads(text)
        if order["do"] == "stop":
            stopped.set()
        else:
            work = {"load": answer, "generate": generate, "count": count}[order["do"]]
            threading.Thread(target=work, args=(order,), daemon=True).start()
    os._exit(0)

if "--check" in sys.argv:
    say("check", python="3.11.0", torch="2.0", transformers="5.0", devices=["cpu"], problem="")
else:
    read()
"""


class InAProcess(Played):
    """A provider whose model is played by a process."""

    def __init__(self, folder: Path) -> None:
        from sidelight.providers.transformers import Transformers, TransformersConfig

        self._is_closed = False
        self._file = folder / "worker.py"
        self._file.write_text(textwrap.dedent(WORKER), "utf-8")
        self._moment("")
        self.provider = self._own = Transformers(TransformersConfig("owner/name"), self._file)

    def play(self, moment: str = "") -> threading.Event:
        self._moment(moment)
        self._is_loading = moment == "headers"
        reached = threading.Event()

        def watch() -> None:
            file = Path(f"{self._file}.reached")
            if eventually(lambda: file.exists() or self._is_closed, 20) and not self._is_closed:
                reached.set()

        if moment:
            threading.Thread(target=watch, daemon=True).start()
        return reached

    def is_left(self) -> bool:
        return self._is_loading or Path(f"{self._file}.left").exists()  # loading cannot be interrupted

    def close(self) -> None:
        self._is_closed = True
        self._own.close()

    def _moment(self, moment: str) -> None:
        Path(f"{self._file}.moment").write_text(moment, "utf-8")


class ByItself(Played):
    """The provider that asks nobody."""

    waits = False

    def __init__(self) -> None:
        from sidelight.providers.builtin import BuiltinProvider

        self.provider = BuiltinProvider()
        self.text = ""

    def play(self, moment: str = "") -> threading.Event:
        assert not moment
        return threading.Event()


EVERY = [*VENDORS, "transformers", "builtin"]
MOMENTS = ["headers", "first text", "next text", "finish"]


@pytest.fixture(params=EVERY)
def played(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Played]:
    yield from play(request.param, tmp_path)


@pytest.fixture(params=[name for name in EVERY if name != "builtin"])
def waiting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Played]:
    """A provider that may have to wait for somebody."""
    yield from play(request.param, tmp_path)


def play(name: str, folder: Path) -> Iterator[Played]:
    played = (
        InAProcess(folder) if name == "transformers" else ByItself() if name == "builtin" else OverHttp(VENDORS[name]())
    )
    yield played
    played.close()


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """See that no thread and no socket of a test outlives it; what is left open is a warning, and so an error."""
    threads, sockets = set(threading.enumerate()), vendor.sockets()
    yield
    gc.collect()
    assert eventually(lambda: set(threading.enumerate()) <= threads, LEFT_S), threading.enumerate()
    assert eventually(lambda: vendor.sockets() <= sockets, LEFT_S), vendor.sockets()


def test_an_answer_ends_with_one_finish_and_nothing_after_it(played: Played) -> None:
    played.play()
    events = list(played.provider.stream(QUESTION, Stop()))
    assert [type(event) for event in events].count(Finished) == 1
    assert events[-1] == Finished("complete")
    text = vendor.folded(events).text
    assert text == (played.text or text)
    assert text


def test_a_provider_answers_again(played: Played) -> None:
    played.play()
    first, second = (vendor.ask(played.provider, QUESTION).text for _ in range(2))
    assert first == second


def test_two_questions_at_once_get_an_answer_each(played: Played) -> None:
    played.play()
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda: answers.append(vendor.ask(played.provider, QUESTION))) for _ in range(2)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [answer.finished for answer in answers] == [Finished("complete")] * 2
    assert answers[0].text == answers[1].text


def test_a_stop_before_the_question_is_heard(played: Played) -> None:
    played.play()
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        list(played.provider.stream(QUESTION, stop))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stop_is_heard_while_nothing_comes(waiting: Played, moment: str) -> None:
    reached = waiting.play(moment)
    wanted = {"next text": "One two", "finish": TEXT}.get(moment, "")
    stop, answer, stopped_at = Stop(), Answer(), [0.0]
    has_text = threading.Event()

    def ask_to_stop() -> None:
        if reached.wait(20) and has_text.wait(20):
            stopped_at[0] = monotonic()
            stop.set()

    asking = threading.Thread(target=ask_to_stop)
    asking.start()
    with pytest.raises(Stopped):
        for event in _started(waiting.provider.stream(QUESTION, stop), has_text if not wanted else None):
            answer.add(event)
            if wanted and answer.text.startswith(wanted):
                has_text.set()
    assert monotonic() - stopped_at[0] < SOON_S
    assert answer.text.startswith(wanted)
    assert eventually(waiting.is_left)
    asking.join()


def _started(events: Iterator[AnswerEvent], begun: threading.Event | None) -> Iterator[AnswerEvent]:
    """Yield events; tells before the first one that they are waited for."""
    if begun is not None:
        begun.set()
    yield from events


def test_a_stop_between_two_events_is_heard(played: Played) -> None:
    played.play("next text" if played.waits else "")
    _stopped_after_the_first_text(played.provider)


def test_a_stop_is_heard_although_the_whole_answer_has_come(words: Words, server: Vendor) -> None:
    _stopped_after_the_first_text(over_http(words, server))


def _stopped_after_the_first_text(provider: Provider) -> None:
    stop = Stop()
    events = provider.stream(QUESTION, stop)
    next(event for event in events if isinstance(event, Text))
    stop.set()
    with pytest.raises(Stopped):
        list(events)


@pytest.mark.parametrize("moment", ["next text", "finish"])
def test_who_stops_reading_leaves_nothing_behind(waiting: Played, moment: str) -> None:
    waiting.play(moment)
    events = waiting.provider.stream(QUESTION, Stop())
    next(event for event in events if isinstance(event, Text))
    events.close()  # type: ignore[attr-defined]
    assert eventually(waiting.is_left)


def test_what_is_asked_before_the_question_can_be_stopped_too(played: Played) -> None:
    stop = Stop()
    stop.set()
    for ask in (played.provider.window, lambda model, stop: played.provider.count_tokens("text", model, stop)):
        try:
            assert ask(None, stop) is None or isinstance(ask(None, stop), (Window, int))
        except Stopped:
            pass


def test_what_a_provider_says_of_itself_is_of_the_right_kind(played: Played) -> None:
    provider = played.provider
    assert isinstance(provider.name, str) and isinstance(provider.model, str)
    assert isinstance(provider.tells_truncation, bool) and isinstance(provider.remembers, bool)
    window = provider.window(None, Stop())
    assert window is None or window.tokens > 0
    assert provider.count_tokens("text", None, Stop()) in (None, 3)


def test_the_doctors_checks_are_written_in_every_language(played: Played) -> None:
    checks: list[Check] = []
    with _errors_are_shown():
        for check in played.provider.checks():
            checks.append(check)
    for language in ("en", "zh-cn"):
        write = translator(language)
        assert all(write(check.message) for check in checks)
        assert all(write(check.hint) for check in checks if check.hint)
    assert checks


@contextlib.contextmanager
def _errors_are_shown() -> Iterator[None]:
    try:
        yield
    except SidelightError as error:
        shown(error)


# Servers that are not there


@pytest.fixture
def nowhere() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_address_where_nobody_listens_is_told_with_what_to_do(words: Words, nowhere: str) -> None:
    with pytest.raises(ProviderError) as caught:
        vendor.ask(words.make(nowhere, Http(HttpOptions(retries=0))), QUESTION)
    assert caught.value.kind == "network"
    assert nowhere in shown(caught.value)


def test_models_of_nobody_are_an_error_and_not_an_empty_list(words: Words, nowhere: str) -> None:
    with pytest.raises(ProviderError) as caught:
        words.make(nowhere, Http(HttpOptions(retries=0))).models()
    assert caught.value.kind == "network"
    shown(caught.value)


def test_what_is_asked_before_the_question_raises_nothing(words: Words, nowhere: str) -> None:
    provider = words.make(nowhere, Http(HttpOptions(retries=0)))
    window = provider.window(None, Stop())
    assert window is None or window.origin == "assumed"
    assert provider.count_tokens("text", None, Stop()) is None


@pytest.mark.parametrize(
    "address", ["http://", "ftp://h", "http://\x7f", "http://h:99999", "http://%zz", "http://a..b"]
)
def test_an_address_that_is_none_is_told(words: Words, address: str) -> None:
    provider = words.make(address, Http(HttpOptions(connect_s=1.0, retries=0)))
    with pytest.raises((ProviderError, ConfigurationError)) as caught:
        vendor.ask(provider, QUESTION)
    shown(caught.value)
    provider.window(None, Stop())


def test_a_server_that_hangs_is_left_when_the_window_is_not_wanted_any_more(words: Words, server: Vendor) -> None:
    provider = over_http(words, server, silence_s=20.0)
    hanging = Hanging(b"")
    server.respond = lambda _seen: hanging()
    stop = Stop()
    asking = threading.Thread(target=lambda: (hanging.reached.wait(5), stop.set()))
    asking.start()
    began = monotonic()
    with pytest.raises(Stopped):
        if provider.window(None, stop) is not None or not hanging.reached.is_set():
            list(provider.stream(QUESTION, stop))
    assert monotonic() - began < 2 * SOON_S
    asking.join()


# Servers that answer with something else

STATUSES = ["200 OK", "204 No Content", "302 Found", "400 Bad Request", "401 Unauthorized", "402 Payment Required",
            "403 Forbidden", "404 Not Found", "405 Method Not Allowed", "413 Too Large", "422 Unprocessable",
            "429 Too Many", "500 Internal", "502 Bad Gateway", "503 Busy", "504 Timeout", "529 Overloaded"]  # fmt: skip
PAGE = (b"<html>", "text/html")


def bodies(key: str) -> Iterator[tuple[bytes, str]]:
    """Yield what servers send that is no answer, with the key in it where they repeat that."""
    words = f"wrong {key}"
    for body in (
        {"error": {"message": words, "type": "x", "code": None}}, {"error": words}, {"error": True, "message": words},
        {"error": json.dumps({"error": words})}, {"detail": words}, {"detail": [{"msg": words}]}, {"error": [[]]},
        {"code": "X", "message": words}, {"error": {"message": f"{words} " * 99}}, {"error": {"message": {"x": key}}},
        {"error": {"message": "no", "metadata": {"raw": f"{'x' * 290} {words}"}}}, [], 7, "x", {},
    ):  # fmt: skip
        yield json.dumps(body).encode(), "application/json"
    yield from [PAGE, (words.encode(), "text/plain"), (b"", ""), (b"\xff\xfe{", "application/json"),
                (b"[" * 5000, "application/json"), (b"{" * 5000, "text/event-stream")]  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
def test_a_reply_that_is_no_answer_is_told_and_shows_no_key(words: Words, server: Vendor, status: str) -> None:
    provider = over_http(words, server)
    for body, content_type in bodies(words.key):
        server.routes[words.path] = vendor.reply(b"" if status[:3] == "204" else body, content_type, status)
        error: SidelightError | None = None
        try:
            finished = vendor.ask(provider, QUESTION).finished
            error = finished.error if finished else None
        except SidelightError as raised:
            error = raised
        assert error is not None, (status, body)
        shown(error)


def test_an_error_in_mid_answer_keeps_the_text_and_shows_no_key(words: Words, server: Vendor) -> None:
    provider = over_http(words, server)
    server.routes[words.path] = (
        words.beginning([*words.frames[:2], words.error(f"wrong {words.key}")]) + vendor.STREAM_END
    )
    answer = vendor.ask(provider, QUESTION)
    assert answer.text == "One two "
    assert answer.finished is not None
    assert answer.finished.finish == "cut_off"
    shown(answer.finished.error)


def test_a_list_of_models_that_is_none_is_told(words: Words, server: Vendor) -> None:
    for body, content_type in bodies(words.key):
        provider = over_http(words, server)
        server.respond = lambda _seen, body=body, kind=content_type: vendor.reply(body, kind)  # type: ignore[misc]
        with _errors_are_shown():
            assert all(isinstance(model, Model) for model in provider.models())
        assert provider.window(None, Stop()) is None or provider.count_tokens("text", None, Stop()) is None


# Answers that are cut


def test_a_decoder_says_the_same_however_the_bytes_are_cut(words: Words) -> None:
    for frames in (words.frames, words.frames[:2], [words.text("half"), words.error("it broke")]):
        for body in (b"".join(frames), b"\xef\xbb\xbf" + b"".join(frames), b"".join(frames).replace(b"\n", b"\r\n")):
            expected = _events(words, [body])
            assert _events(words, list(anythingllm.one_byte_at_a_time(body))) == expected
            for seed in range(20):
                assert _events(words, list(anythingllm.random_cuts(body, seed))) == expected


def _events(words: Words, pieces: Sequence[Any]) -> list[str]:
    return [str(event) for event in merge_text(vendor.decoded(words.decoder(), pieces))]


def test_an_answer_that_is_cut_anywhere_is_never_complete(words: Words) -> None:
    body = b"".join(words.frames)
    end = len(body) - len(words.finish)
    for size in range(end):
        events = vendor.decoded(words.decoder(), [body[:size]])
        assert isinstance(events[-1], Finished)
        assert events[-1].finish == "cut_off", body[:size]
        assert events[-1].error is not None
        assert TEXT.startswith(vendor.folded(events).text)


def test_a_server_that_never_closes_is_left_after_the_answer(words: Words, server: Vendor) -> None:
    decoder = words.decoder()
    decoder.feed(b"".join(words.frames))
    if not decoder.is_complete:
        pytest.skip("its last word cannot be told from the others")
    provider = over_http(words, server, silence_s=20.0)
    server.routes[words.path] = Hanging(words.beginning(words.frames))
    assert vendor.ask(provider, QUESTION).finished == Finished("complete")
    assert eventually(server.asked(words.path.partition(" ")[2])[0].closed.is_set)


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_connection_that_is_cut_anywhere_leaves_the_text_and_an_error(
    words: Words, server: Vendor, *, is_chunked: bool
) -> None:
    provider = over_http(words, server)
    frames = [vendor.chunk(frame) if is_chunked else frame for frame in words.frames]
    head = vendor.head(words.content_type, is_chunked=is_chunked)
    raw = head + b"".join(frames)
    arrived = {len(head) + sum(map(len, frames[:count])): text
               for count, text in enumerate(("", "One ", "One two ", "One two – ", TEXT))}  # fmt: skip
    kept = ""
    for size in range(max(arrived) + 1):
        server.routes[words.path] = raw[:size]
        kept = arrived.get(size, kept)
        answer, error = Answer(), None
        try:
            for event in provider.stream(QUESTION, Stop()):
                answer.add(event)
            assert answer.finished is not None
            assert answer.finished.finish == "cut_off", raw[:size]
            error = answer.finished.error
        except ProviderError as raised:
            assert answer.finished is None
            error = raised
        assert answer.text.startswith(kept), raw[:size]
        assert TEXT.startswith(answer.text)
        shown(error)
