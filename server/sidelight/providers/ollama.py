"""Ollama, through its native API (https://docs.ollama.com/api, source read at fb30760, August 2026).

What is peculiar: a prompt that exceeds the running context loses its front without a word, so the context is asked for
(``num_ctx``), ``truncate: false`` is sent, and what was read is compared with what was sent. A model that is not loaded
is silent until it is. An error in mid-answer is a line of its own, and then no ``done`` comes.
What its models are and what it says of them is in ``ollama_models.py``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sidelight.core.answer_text import AnswerText
from sidelight.core.answers import AnswerEvent, Asked, Note, Status, Usage, merge_text
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.core.wire.ndjson import NdjsonDecoder
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.chat import count_of, messages_of
from sidelight.providers.endings import ending
from sidelight.providers.http import Call, Http, host_of
from sidelight.providers.http_reply import Reply
from sidelight.providers.ollama_errors import error_of_reply, failed, lacks_model
from sidelight.providers.ollama_models import DEFAULT_NUM_CTX, OllamaModels, Running
from sidelight.providers.refusals import refusal_in

log = logging.getLogger(__name__)

# Who

DEFAULT_ADDRESS = "http://127.0.0.1:11434"
# Most answers are shorter; to load a model again for one that might not be takes longer than it is worth.
_SHORT_ANSWER = 2048
# A context is asked for in steps: each new size makes Ollama load the model again.
_STEP = 4096
# Our estimate errs high, but not by half: a prompt of which less than this was read may have lost its front.
_READ_PART = 0.5


@dataclass(frozen=True, slots=True)
class OllamaConfig:
    """``keep_alive`` is how long the model stays loaded, in Ollama's own words; empty for its default."""

    address: str = DEFAULT_ADDRESS
    model: str = ""
    temperature: float | None = None
    context_tokens: int = 0
    keep_alive: str = ""

    @property
    def host(self) -> str:
        """Host and port, by which users know a server."""
        return host_of(self.address)


# Out


def encode(config: OllamaConfig, request: Request, model: str, num_ctx: int) -> Call:
    """Return the call for one question, with the context that it needs."""
    options: dict[str, Any] = {"num_ctx": num_ctx}
    if config.temperature is not None:
        options["temperature"] = config.temperature
    if request.max_tokens:
        options["num_predict"] = request.max_tokens
    body: dict[str, Any] = {
        "model": model,
        "messages": messages_of(request.prompt),
        "stream": True,
        "truncate": False,
        "options": options,
    }
    if config.keep_alive:
        body["keep_alive"] = _keep_alive(config.keep_alive)
    return Call("POST", f"{config.address}/api/chat", {"Accept": "application/x-ndjson"}, body)


def _keep_alive(text: str) -> str | int:
    """Return a duration as Ollama takes it: with a unit as text, without one as a number of seconds."""
    try:
        return int(text)
    except ValueError:
        return text


def num_ctx_for(config: OllamaConfig, request: Request, known: Running) -> int:
    """Return the context to ask for: the one that runs where it is enough, since another means loading again."""
    if config.context_tokens:
        return config.context_tokens
    needed = request.prompt.tokens + request.answer_tokens
    running = known.running_tokens or known.usual_tokens or DEFAULT_NUM_CTX
    room = min(request.answer_tokens, _SHORT_ANSWER) if known.running_tokens else request.answer_tokens
    if request.prompt.tokens + room <= running:
        return min(running, known.limit_tokens or running)
    stepped = -(-needed // _STEP) * _STEP
    return min(stepped, known.limit_tokens or stepped)


# In


class OllamaDecoder:
    """The events of one ``/api/chat`` body."""

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._lines = NdjsonDecoder()
        self._said = AnswerText()
        self._reason = ""
        self._has_tools = False
        self._error: ProviderError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the last line has come, or an error, after which there is none."""
        return bool(self._reason or self._error)

    def feed(self, chunk: bytes) -> list[AnswerEvent]:
        """Take bytes; return the answer events that they complete, neighbouring text joined."""
        return merge_text(self._decoded(self._lines.feed(chunk)))

    def finish(self) -> list[AnswerEvent]:
        """Say that the body has ended; the last event is ``Finished``, with the error if there was one."""
        events = list(self._decoded(self._lines.finish()))
        events += self._said.finish()
        reason = "tool_calls" if self._has_tools and not self._said.has_text else self._reason
        events.append(ending(self._said, reason, self._whose, self._error))
        return merge_text(events)

    def _decoded(self, lines: list[str]) -> Iterator[AnswerEvent]:
        for line in lines:
            try:
                frame = json.loads(line.removeprefix("\ufeff"))
            except (ValueError, RecursionError):
                log.warning("skipped a line that is not JSON, %d characters", len(line))
                continue
            if isinstance(frame, dict):
                yield from self._frame(frame)

    def _frame(self, frame: dict[str, Any]) -> Iterator[AnswerEvent]:
        if frame.get("error") and not self._reason:
            self._error = failed(self._whose, refusal_in(frame))
        message = frame.get("message")
        if isinstance(message, dict):
            yield from self._said.reason(message.get("thinking"))
            yield from self._said.feed(message.get("content"))
            self._has_tools = self._has_tools or bool(message.get("tool_calls"))
        if frame.get("done") is True:
            self._reason = str(frame.get("done_reason") or "stop")
            yield Usage(count_of(frame.get("prompt_eval_count")), count_of(frame.get("eval_count")))


# Wire


class Ollama:
    """The provider ``ollama``."""

    name = "ollama"
    tells_truncation = True
    remembers = False

    def __init__(self, config: OllamaConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._models = OllamaModels(config.address, http)

    @property
    def model(self) -> str:
        """The configured model."""
        return self._config.model

    @property
    def place(self) -> str:
        """The server's host and port."""
        return host_of(self._config.address)

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Ask the model; where none is named, the one that is loaded, or the only one."""
        stop.raise_if_set()
        model, notes = self._chosen(request.model, stop)
        yield Asked(model)
        yield from notes
        known = self._models.about(model, stop)
        num_ctx = num_ctx_for(self._config, request, known)
        host = self._config.host
        if known.running_tokens == num_ctx:
            silent = msg("{model} is reading the prompt", model=model)
            yield Status(msg("asking {model}", model=model), if_silent=silent)
        else:
            silent = msg("loading {model}, {tokens} tokens of context", model=model, tokens=num_ctx)
            yield Status(silent, if_silent=silent)

        def refusal(reply: Reply) -> ProviderError | None:
            if lacks_model(reply):
                return self._models.missing(model, stop)
            return error_of_reply(reply, self._config.address)

        call = encode(self._config, request, model, num_ctx)
        for event in self._http.answer(call, OllamaDecoder(host), stop, refusal):
            if isinstance(event, Usage):
                yield from self._dropped(event, request.prompt.tokens, model, num_ctx, stop)
            yield event

    def _dropped(self, usage: Usage, sent: int, model: str, num_ctx: int, stop: Stop) -> Iterator[Note]:
        """Warn where the prompt lost its front: too little was read, and the context that runs is too small for it.

        Less is also read where Ollama remembers the beginning from an earlier question.
        """
        read = usage.prompt_tokens
        if read is None or read >= sent * _READ_PART:
            return
        running = self._models.about(model, stop).running_tokens or num_ctx
        if running < sent:
            yield Note(
                msg("The model did not see the beginning of the prompt: it read {read} tokens of about {sent}, and "
                    "{host} runs it with a context of {running}.", read=read, sent=sent, host=self._config.host,
                    running=running),
                is_warning=True,
            )  # fmt: skip

    def window(self, model: str | None, stop: Stop) -> Window | None:
        """Return the context that the model can have; ``stream`` asks for as much of it as a question needs."""
        if self._config.context_tokens:
            return Window(self._config.context_tokens, "configured")
        try:
            known = self._models.about(self._chosen(model, stop)[0], stop)
        except (ProviderError, ConfigurationError):
            known = Running()
        if known.limit_tokens or known.running_tokens:
            return Window(known.limit_tokens or known.running_tokens, "server")
        return Window(DEFAULT_NUM_CTX, "assumed")

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the port's signature
        """Return None: Ollama counts for nobody."""
        return None

    def models(self) -> list[Model]:
        """Return the models that are on that machine."""
        return self._models.listed()

    def checks(self) -> Iterator[Check]:
        """Examine address, version, model and context."""
        config = self._config
        yield from self._http.checks(config.address)
        version = self._models.version() or "?"
        yield Check("ok", msg("{url} is Ollama {version}.", url=config.address, version=version))
        names = [it.id for it in self.models()]
        yield Check("ok", msg("Models: {names}", names=", ".join(names) or "-"))
        model, notes = self._chosen(None, None)
        for note in notes:
            yield Check("note", note.message)
        if model not in names and f"{model}:latest" not in names:
            raise self._models.missing(model, None)
        known = self._models.about(model, Stop())
        yield Check("ok", msg("The model {model} can read {limit} tokens; {running} are loaded now.", model=model,
                              limit=known.limit_tokens or "?", running=known.running_tokens))  # fmt: skip

    def _chosen(self, model: str | None, stop: Stop | None) -> tuple[str, tuple[Note, ...]]:
        """Return the model to ask, and what to tell of it."""
        name = model or self._config.model
        return (name, ()) if name else self._models.default(stop)
