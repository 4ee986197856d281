"""Any OpenAI-compatible server (https://platform.openai.com/docs/api-reference/chat, read August 2026).

llama.cpp, LM Studio, vLLM, LocalAI, LiteLLM, OpenRouter, Azure, ``transformers serve``, DashScope's compatible mode.
What is peculiar: a ``finish_reason`` means complete and ``[DONE]`` proves nothing; errors come inside a 200; keys are
null or absent; usage comes with the finish, after it, or never; reasoning has two names, or none.
Who is asked is in ``openai_config.py``, which models there are in ``openai_models.py``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from sidelight.core.answer_text import AnswerText
from sidelight.core.answers import AnswerEvent, Asked, Status, Usage, merge_text
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.core.wire.event_stream import MAX_LINE_BYTES, EventStreamDecoder, LineTooLong, ServerEvent
from sidelight.core.wire.surrogates import whole
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.chat import count_of, messages_of
from sidelight.providers.endings import ending
from sidelight.providers.http import QUICK_S, Call, Http, host_of
from sidelight.providers.http_reply import Reply
from sidelight.providers.openai_config import DEFAULT_ADDRESS, OpenAIConfig, headers_of
from sidelight.providers.openai_errors import error_of, error_of_reply, is_loading
from sidelight.providers.openai_models import OpenAIModels
from sidelight.providers.refusals import no_such_model, refusal_in

__all__ = ["DEFAULT_ADDRESS", "OpenAI", "OpenAIConfig", "OpenAIDecoder", "encode"]

log = logging.getLogger(__name__)

# The smallest context that models of today come with; for servers that do not tell.
_ASSUMED_TOKENS = 8192
_BOM = b"\xef\xbb\xbf"

# Out


def encode(config: OpenAIConfig, request: Request, model: str) -> Call:
    """Return the call for one question. What the user did not set is not sent: servers refuse what they do not know."""
    body: dict[str, Any] = {
        "model": model,
        "messages": messages_of(request.prompt),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if config.temperature is not None:
        body["temperature"] = config.temperature
    if request.max_tokens:
        body[_max_tokens_name(config)] = request.max_tokens
    body = {name: value for name, value in {**body, **config.body}.items() if value is not None}
    headers = {**headers_of(config), "Accept": "text/event-stream"}
    return Call("POST", f"{config.address}/chat/completions", headers, body)


def _max_tokens_name(config: OpenAIConfig) -> str:
    """Return what the limit is called: OpenAI's newer models refuse the old name, other servers know only that."""
    return "max_completion_tokens" if config.is_openai else "max_tokens"


# In


class OpenAIDecoder:
    """The events of one ``/chat/completions`` stream, or of the whole answer of a server that does not stream."""

    def __init__(self, whose: str, key: str = "") -> None:
        self._whose = whose
        self._key = key
        self._events = EventStreamDecoder()
        self._begun = b""  # what came before the first byte that tells what this is
        self._is_stream = False
        self._body: list[bytes] | None = None  # of a server that does not stream
        self._held = 0
        self._said = AnswerText()
        self._reason = ""
        self._is_done = False
        self._has_tools = False
        self._error: ProviderError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing but token counts can follow: a finish reason has come, an error, or what some send last."""
        return bool(self._reason or self._error) or self._is_done

    def feed(self, chunk: bytes) -> list[AnswerEvent]:
        """Take bytes; return the answer events that they complete, neighbouring text joined."""
        if self._body is None and not self._is_stream:
            chunk = self._begun = self._begun + chunk
            if not (first := _first(chunk)):
                return []
            self._begun, self._is_stream = b"", first != b"{"
            self._body = None if self._is_stream else []
        if self._body is not None:
            self._hold(self._body, chunk)
            return []
        return merge_text(self._decoded(self._events.feed(chunk)))

    def finish(self) -> list[AnswerEvent]:
        """Say that the body has ended; the last event is ``Finished``, with the error if there was one."""
        last = self._events.finish()
        if self._body is not None:
            last = [ServerEvent(b"".join(self._body).decode("utf-8-sig", "replace"))]
        events = [*self._decoded(last), *self._said.finish()]
        reason = "tool_calls" if self._has_tools and self._reason and not self._said.has_text else self._reason
        events.append(ending(self._said, reason, self._whose, self._error))
        return merge_text(events)

    def _hold(self, body: list[bytes], chunk: bytes) -> None:
        body.append(chunk)
        self._held += len(chunk)
        if self._held > MAX_LINE_BYTES:
            raise LineTooLong

    def _decoded(self, events: Iterable[ServerEvent]) -> Iterator[AnswerEvent]:
        for event in events:
            if event.data.strip() == "[DONE]":
                self._is_done = True
                continue
            try:
                frame = json.loads(event.data)
            except (ValueError, RecursionError):
                log.warning("skipped an event that is not JSON, %d characters", len(event.data))
                frame = event.data
            if event.type == "error" or _is_error(frame):
                self._fail(frame)
            if isinstance(frame, dict):
                yield from self._frame(frame)

    def _fail(self, frame: Any) -> None:
        if not self._reason and not self._error:
            self._error = error_of(refusal_in(frame, key=self._key), self._whose)

    def _frame(self, frame: dict[str, Any]) -> Iterator[AnswerEvent]:
        choices = frame.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and not choice.get("index"):
                yield from self._choice(choice)
                yield from _usage(choice)
        yield from _usage(frame)

    def _choice(self, choice: dict[str, Any]) -> Iterator[AnswerEvent]:
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            yield from self._said.reason(delta.get("reasoning_content") or delta.get("reasoning"))
            yield from self._said.feed(_text_of(delta.get("content")))
            yield from self._said.feed(delta.get("refusal"))
            self._has_tools = self._has_tools or bool(delta.get("tool_calls"))
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason != "null":
            self._reason = self._reason or reason


def _first(body: bytes) -> bytes:
    """Return the first byte that is neither mark nor blank; empty while it has not come."""
    return b"" if _BOM.startswith(body) else body.removeprefix(_BOM).lstrip()[:1]


def _is_error(frame: Any) -> bool:
    """Whether a frame is an error, in any of the shapes that errors have."""
    if not isinstance(frame, dict):
        return False
    if frame.get("error") or frame.get("object") == "error":
        return True
    return "choices" not in frame and bool(frame.get("detail") or (frame.get("code") and frame.get("message")))


def _usage(holder: dict[str, Any]) -> Iterator[Usage]:
    """Yield token counts; they stand in the frame, with Moonshot in the choice."""
    usage = holder.get("usage")
    if isinstance(usage, dict):
        yield Usage(count_of(usage.get("prompt_tokens")), count_of(usage.get("completion_tokens")))


def _text_of(content: object) -> object:
    """Return the text of a content: a string, null, or a list of parts as some gateways send it."""
    if not isinstance(content, list):
        return content
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))


# Wire


class OpenAI:
    """The provider ``openai``."""

    name = "openai"
    tells_truncation = True
    remembers = False

    def __init__(self, config: OpenAIConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._models = OpenAIModels(config, http)

    @property
    def model(self) -> str:
        """The configured model."""
        return self._config.model

    @property
    def place(self) -> str:
        """The server's host and port."""
        return host_of(self._config.address)

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Ask the model; where none is named, the only one that the server has, or the one it has loaded."""
        stop.raise_if_set()
        model, notes = self._models.chosen(request.model, stop)
        yield from notes
        host = self._config.host
        yield Asked(model)
        yield Status(msg("asking {model}", model=model or host),
                     if_silent=msg("{host} has not answered yet: it may be loading the model, or reading the prompt",
                                   host=host))  # fmt: skip
        decoder = OpenAIDecoder(host, self._config.key)
        names = partial(self._models.try_names, stop)

        def refusal(reply: Reply) -> ProviderError | None:
            return None if _may_be_an_answer(reply) else error_of_reply(reply, self._config, model, names)

        call = encode(self._config, request, model)
        yield from self._http.answer(call, decoder, stop, refusal, is_loading)

    def window(self, model: str | None, stop: Stop) -> Window | None:
        """Return the context length: as configured, else as the list of models or llama.cpp's properties say."""
        if self._config.context_tokens:
            return Window(self._config.context_tokens, "configured")
        found = self._models.try_find(model or self._config.model, stop)
        if found is not None and found.context_tokens:
            return Window(found.context_tokens, "server")
        return Window(_ASSUMED_TOKENS, "assumed")

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the server has one model
        """Ask llama.cpp's ``/tokenize``; other servers have none, or another, and are not sent the text twice."""
        self._models.try_list(stop)
        if not self._models.is_llama_cpp:
            return None
        body = {"content": whole(text)}
        call = Call("POST", f"{self._config.root}/tokenize", headers_of(self._config), body, silence_s=QUICK_S)
        try:
            reply = self._http.fetch(call, stop).json()
        except (ProviderError, ConfigurationError):
            return None
        tokens = reply.get("tokens") if isinstance(reply, dict) else None
        return len(tokens) if isinstance(tokens, list) else None

    def models(self) -> list[Model]:
        """Return the server's models."""
        return self._models.list_anew()

    def checks(self) -> Iterator[Check]:
        """Examine address, key and model."""
        config = self._config
        yield from self._http.checks(config.address)
        models = self.models()
        yield Check("ok", msg("{url} is an OpenAI-compatible API.", url=config.address))
        yield Check("ok", msg("Models: {names}", names=", ".join(it.id for it in models) or "-"))
        model, notes = self._models.chosen(None, None)
        for note in notes:
            yield Check("note", note.message)
        if model and models and all(it.id != model for it in models):
            yield Check("note", no_such_model(model, (it.id for it in models), config.host).message)
        window = self.window(model, Stop())
        if window is not None:
            origin = {"server": msg("as the server says"), "configured": msg("as configured"),
                      "assumed": msg("assumed: the server does not say; SIDELIGHT_CONTEXT_TOKENS sets it")}  # fmt: skip
            yield Check("ok" if window.origin != "assumed" else "note",
                        msg("The model {model} reads {tokens} tokens, {said}.", model=model or "-",
                            tokens=window.tokens, said=origin[window.origin]))  # fmt: skip


def _may_be_an_answer(reply: Reply) -> bool:
    """Whether a 200 is an answer of one piece, or a stream under another name."""
    if reply.status != 200:
        return False
    body = reply.json()
    if body is None:
        return reply.body.removeprefix(_BOM).lstrip().startswith((b"data:", b"event:", b"id:", b":"))
    return isinstance(body, dict) and bool(body.get("choices"))
