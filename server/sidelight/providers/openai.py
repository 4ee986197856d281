"""Any OpenAI-compatible server (https://platform.openai.com/docs/api-reference/chat, read August 2026).

llama.cpp, LM Studio, vLLM, LocalAI, LiteLLM, OpenRouter, Azure, ``transformers serve``, DashScope's compatible mode.
What is peculiar: a ``finish_reason`` means complete and ``[DONE]`` proves nothing; errors come inside a 200; keys are
null or absent; usage comes with the finish, after it, or never; reasoning has two names, or none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from sidelight.core.answer_text import AnswerText
from sidelight.core.answers import AnswerEvent, Asked, Note, Status, Usage, merge_text
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.core.wire.event_stream import MAX_LINE_BYTES, EventStreamDecoder, LineTooLong, ServerEvent
from sidelight.core.wire.surrogates import whole
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.chat import count_of, messages_of
from sidelight.providers.default_model import LOADED, try_default
from sidelight.providers.endings import ending
from sidelight.providers.http import Call, Http, Reply, host_of, is_loopback, redirect_error
from sidelight.providers.openai_errors import error_of, is_about_the_model, is_loading, refused_key
from sidelight.providers.refusals import Refusal, no_such_model, reason_of, refusal_in, refusal_of, told

log = logging.getLogger(__name__)

# Who

DEFAULT_ADDRESS = "https://api.openai.com/v1"
# The smallest context that models of today come with; for servers that do not tell.
_ASSUMED_TOKENS = 8192
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
# For what is asked before the question: a server that is slow here must not hold it up.
_QUICK_S = 5.0
# How long a list of models holds. On this machine it costs nothing, and models come, go and change their context.
_LISTED_S = 300.0
_LISTED_HERE_S = 2.0
_NOT_LISTED_S = 30.0
_BOM = b"\xef\xbb\xbf"
# What servers say of a path that they do not have.
_NO_PATH = ("", "not found", "file not found", "404 page not found", "resource not found", "method not allowed")


@dataclass(frozen=True, slots=True)
class OpenAIConfig:
    """``address`` ends in /v1; ``body`` is merged into every request's; ``key_withheld`` says why ``key`` is empty."""

    address: str = DEFAULT_ADDRESS
    key: str = ""
    model: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    temperature: float | None = None
    context_tokens: int = 0
    key_withheld: bool = False

    @property
    def host(self) -> str:
        """Host and port, by which users know a server."""
        return host_of(self.address)


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
    return Call("POST", f"{config.address}/chat/completions", {**_headers(config), "Accept": "text/event-stream"}, body)


def _max_tokens_name(config: OpenAIConfig) -> str:
    """Return what the limit is called: OpenAI's newer models refuse the old name, other servers know only that."""
    host = urlsplit(config.address).hostname or ""
    return "max_completion_tokens" if host == "api.openai.com" or host.endswith(_AZURE) else "max_tokens"


def _headers(config: OpenAIConfig) -> dict[str, str]:
    if not config.key:
        return {}
    if not config.key.isascii():
        raise ConfigurationError(
            msg("OPENAI_API_KEY holds a character that no key has."), msg("Copy the key again, without quotes.")
        )
    if (urlsplit(config.address).hostname or "").endswith(_AZURE):
        return {"api-key": config.key}
    return {"Authorization": f"Bearer {config.key}"}


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
        self._listed: list[Model] = []
        self._listed_until = 0.0
        self._is_llama_cpp = False

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
        model, notes = self._chosen(request.model, stop)
        yield from notes
        host = self._config.host
        yield Asked(model)
        yield Status(msg("asking {model}", model=model or host),
                     if_silent=msg("{host} has not answered yet: it may be loading the model, or reading the prompt",
                                   host=host))  # fmt: skip
        decoder = OpenAIDecoder(host, self._config.key)

        def refusal(reply: Reply) -> ProviderError | None:
            return None if _may_be_an_answer(reply) else self._refusal(reply, model, stop)

        call = encode(self._config, request, model)
        yield from self._http.answer(call, decoder, stop, refusal, is_loading)

    def window(self, model: str | None, stop: Stop) -> Window | None:
        """Return the context length: as configured, else as the list of models or llama.cpp's properties say."""
        if self._config.context_tokens:
            return Window(self._config.context_tokens, "configured")
        found = self._find(model or self._config.model, self._try_list(stop))
        if found is not None and found.context_tokens:
            return Window(found.context_tokens, "server")
        return Window(_ASSUMED_TOKENS, "assumed")

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the server has one model
        """Ask llama.cpp's ``/tokenize``; other servers have none, or another, and are not sent the text twice."""
        self._try_list(stop)
        if not self._is_llama_cpp:
            return None
        body = {"content": whole(text)}
        call = Call("POST", f"{self._root}/tokenize", _headers(self._config), body, silence_s=_QUICK_S)
        try:
            reply = self._http.fetch(call, stop).json()
        except (ProviderError, ConfigurationError):
            return None
        tokens = reply.get("tokens") if isinstance(reply, dict) else None
        return len(tokens) if isinstance(tokens, list) else None

    def models(self) -> list[Model]:
        """Return the server's models."""
        self._listed_until = 0.0
        return self._list(None)

    def checks(self) -> Iterator[Check]:
        """Examine address, key and model."""
        config = self._config
        yield from self._http.checks(config.address)
        models = self.models()
        yield Check("ok", msg("{url} is an OpenAI-compatible API.", url=config.address))
        yield Check("ok", msg("Models: {names}", names=", ".join(it.id for it in models) or "-"))
        model, notes = self._chosen(None, None)
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

    @property
    def _root(self) -> str:
        """The server's own address, where llama.cpp keeps what OpenAI has not."""
        return self._config.address.removesuffix("/v1")

    def _chosen(self, model: str | None, stop: Stop | None) -> tuple[str, tuple[Note, ...]]:
        """Return the model to ask, and what to tell of it; an empty name where the server lists none, or not yet."""
        if name := model or self._config.model:
            return name, ()
        try:
            listed = self._list(stop)
        except ProviderError as error:
            if error.kind not in ("not_found", "overloaded"):
                raise
            listed = []
        if not listed:
            return "", ()
        if default := try_default(listed, is_local=is_loopback(self._config.address)):
            return default[0].id, default[1]
        raise ConfigurationError(
            msg("No model is chosen. {host} has: {names}", host=self._config.host,
                names=", ".join(it.id for it in listed[:20])),
            msg("Choose one (`sidelight models`), or set OPENAI_MODEL."),
        )  # fmt: skip

    def _find(self, name: str, listed: list[Model]) -> Model | None:
        """Return what is known of a model, or of the one that is asked without a name."""
        if not name:
            default = try_default(listed, is_local=is_loopback(self._config.address))
            return default[0] if default else None
        return next((it for it in listed if it.id == name), listed[0] if len(listed) == 1 else None)

    def _try_list(self, stop: Stop) -> list[Model]:
        """Return the models, none where they cannot be asked; a server that is not there yet is asked again soon."""
        try:
            return self._list(stop)
        except (ProviderError, ConfigurationError) as error:
            if error.kind not in ("network", "overloaded"):
                self._listed, self._listed_until = [], monotonic() + _NOT_LISTED_S
            return []

    def _list(self, stop: Stop | None) -> list[Model]:
        if monotonic() > self._listed_until:
            self._listed = self._models(stop)
            holds_s = _LISTED_HERE_S if is_loopback(self._config.address) else _LISTED_S
            self._listed_until = monotonic() + holds_s
        return self._listed

    def _models(self, stop: Stop | None) -> list[Model]:
        reply = self._get(f"{self._config.address}/models", stop)
        body = reply.json()
        found = body.get("data") if isinstance(body, dict) else body
        if reply.status != 200 or not isinstance(found, list):
            raise self._refusal(reply, None, stop)
        items = [item for item in found if isinstance(item, dict) and item.get("id")]
        models = [model_of(item) for item in items]
        self._is_llama_cpp = any(item.get("owned_by") == "llamacpp" for item in items)
        if self._is_llama_cpp and len(models) == 1 and not models[0].context_tokens:
            models = [replace(models[0], context_tokens=self._running_tokens(stop))]
        return models

    def _running_tokens(self, stop: Stop | None) -> int | None:
        """Ask an older llama.cpp, whose list tells only what the model was trained for, what it runs with."""
        reply = self._get(f"{self._root}/props", stop)
        body = reply.json() if reply.status == 200 else None
        running = body.get("default_generation_settings") if isinstance(body, dict) else None
        tokens = running.get("n_ctx") if isinstance(running, dict) else None
        return tokens if isinstance(tokens, int) and tokens > 0 else None

    def _get(self, url: str, stop: Stop | None) -> Reply:
        return self._http.fetch(Call("GET", url, _headers(self._config), silence_s=_QUICK_S), stop)

    def _refusal(self, reply: Reply, model: str | None, stop: Stop | None) -> ProviderError:
        """Say what a reply means that is no answer; ``model`` is None where none was asked."""
        config = self._config
        refusal = refusal_of(reply, config.key)
        status, reason = refusal.status, refusal.reason.lower()
        if 300 <= status < 400:
            return redirect_error(reply, "OPENAI_BASE_URL")
        if status == 200 and (not reason or "unexpected endpoint" in reason):  # LM Studio has no 404
            return self._not_the_api()
        if status in (401, 403):
            return refused_key(refusal, config.host, config.address, config.key, withheld=config.key_withheld)
        if model is not None and status in (200, 400, 404, 422) and is_about_the_model(refusal):
            return self._refused_model(refusal, model, stop)
        if status in (404, 405) and reason.rstrip(".") in _NO_PATH:
            return self._not_the_api()
        return error_of(refusal, self._config.host)

    def _refused_model(self, refusal: Refusal, model: str, stop: Stop | None) -> ProviderError:
        """Name the models there are, where the model that was asked for is not among them."""
        host, reason = self._config.host, reason_of(refusal)
        if not model:
            return ProviderError("not_found", msg("{host} wants a model to be named: {reason}", host=host,
                                                  reason=reason), msg("Set OPENAI_MODEL."))  # fmt: skip
        try:
            names = [it.id for it in self._models(stop)]
        except (ProviderError, ConfigurationError):
            names = []
        if names and model not in names:
            return no_such_model(model, names, host)
        return ProviderError(
            "not_found",
            msg("{host} cannot use the model {model}: {reason}", host=host, model=told(model), reason=reason),
            msg("Run `sidelight models` to see what there is, and choose one."),
        )

    def _not_the_api(self) -> ProviderError:
        return ProviderError(
            "not_found",
            msg("{url} is not an OpenAI-compatible API: it answers with something else.", url=self._config.address),
            msg("Set OPENAI_BASE_URL to where the API is; it usually ends in /v1, such as http://localhost:1234/v1."),
        )


def _may_be_an_answer(reply: Reply) -> bool:
    """Whether a 200 is an answer of one piece, or a stream under another name."""
    if reply.status != 200:
        return False
    body = reply.json()
    if body is None:
        return reply.body.removeprefix(_BOM).lstrip().startswith((b"data:", b"event:", b"id:", b":"))
    return isinstance(body, dict) and bool(body.get("choices"))


def model_of(item: Mapping[str, Any]) -> Model:
    """Read one model of a list. The context length has a name of its own with every server."""
    meta = item.get("meta") if isinstance(item.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    lengths = (meta.get("n_ctx"), item.get("loaded_context_length"), item.get("max_model_len"),
               item.get("context_length"), item.get("context_window"), item.get("max_context_length"))  # fmt: skip
    tokens = next((length for length in lengths if isinstance(length, int) and length > 0), None)
    abilities = item.get("capabilities")
    listed = tuple(str(it) for it in abilities) if isinstance(abilities, list) else ()
    state = item.get("state") or item.get("status")  # LM Studio; llama.cpp with several models
    state = state.get("value") if isinstance(state, dict) else state
    loaded = (LOADED,) if state == LOADED else ()
    name = item.get("name")
    return Model(str(item["id"]), str(name) if isinstance(name, str) else "", context_tokens=tokens,
                 abilities=(*listed, *loaded))  # fmt: skip
