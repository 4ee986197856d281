"""Ollama, through its native API (https://docs.ollama.com/api, source read at fb30760, August 2026).

What is peculiar: a prompt that exceeds the running context loses its front without a word, so the context is asked for
(``num_ctx``), ``truncate: false`` is sent, and what was read is compared with what was sent. A model that is not loaded
is silent until it is. An error in mid-answer is a line of its own, and then no ``done`` comes.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from sidelight.core.answer_text import AnswerText
from sidelight.core.answers import AnswerEvent, Asked, Note, Status, Usage, merge_text
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.core.wire.ndjson import NdjsonDecoder
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.chat import count_of, messages_of
from sidelight.providers.default_model import LOADED, try_default
from sidelight.providers.endings import ending
from sidelight.providers.http import Call, Http, Reply, host_of, is_loopback, redirect_error
from sidelight.providers.refusals import Refusal, no_such_model, reason_of, refusal_in, refusal_of, told

log = logging.getLogger(__name__)

# Who

DEFAULT_ADDRESS = "http://127.0.0.1:11434"
# What Ollama gives a model on a machine with little video memory, when nobody asks for more.
_DEFAULT_NUM_CTX = 4096
# Most answers are shorter; to load a model again for one that might not be takes longer than it is worth.
_SHORT_ANSWER = 2048
# A context is asked for in steps: each new size makes Ollama load the model again.
_STEP = 4096
# Our estimate errs high, but not by half: a prompt of which less than this was read may have lost its front.
_READ_PART = 0.5
_QUICK_S = 5.0
_KNOWN_S = 60.0
# A question asks for the model twice, for its context and for itself.
_CHOSEN_S = 2.0
# Its own words, and those of llama.cpp, which runs the models.
_TOO_LONG = ("context length", "context size", "context window", "input length", "exceed_context_size",
             "prompt is too long", "prompt too long", "input is too long")  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class Running:
    """What Ollama says of a model: the context it could have, the one it has now, and the one that its file asks for.

    0 where Ollama does not say, or where the model is not loaded.
    """

    limit_tokens: int = 0
    running_tokens: int = 0
    usual_tokens: int = 0


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
    running = known.running_tokens or known.usual_tokens or _DEFAULT_NUM_CTX
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
            self._error = _failed(self._whose, refusal_in(frame))
        message = frame.get("message")
        if isinstance(message, dict):
            yield from self._said.reason(message.get("thinking"))
            yield from self._said.feed(message.get("content"))
            self._has_tools = self._has_tools or bool(message.get("tool_calls"))
        if frame.get("done") is True:
            self._reason = str(frame.get("done_reason") or "stop")
            yield Usage(count_of(frame.get("prompt_eval_count")), count_of(frame.get("eval_count")))


def _failed(whose: str, refusal: Refusal) -> ProviderError:
    """Say what an error means, by Ollama's words: its statuses tell little."""
    words, reason = f"{refusal.code} {refusal.reason}".lower(), reason_of(refusal)
    if any(sign in words for sign in _TOO_LONG):
        return ProviderError(
            "too_long",
            msg("The prompt is too long for the model: {reason}", reason=reason),
            msg("Choose a smaller part, or raise SIDELIGHT_CONTEXT_TOKENS if the model reads more."),
        )
    if "memory" in words:
        return ProviderError(
            "other",
            msg("{whose} has not enough memory for the model: {reason}", whose=whose, reason=reason),
            msg("Choose a smaller model, or lower SIDELIGHT_CONTEXT_TOKENS or SIDELIGHT_PROMPT_TOKENS."),
        )
    if "does not support chat" in words:
        return ProviderError(
            "refused",
            msg("This model does not answer questions: {reason}", reason=reason),
            msg("Choose another (`sidelight models`), or set OLLAMA_MODEL."),
        )
    if refusal.status == 200:
        return ProviderError(
            "cut_off",
            msg("{whose} could not go on: {reason}", whose=whose, reason=reason),
            msg("What came so far is kept. Look at Ollama's log."),
        )
    what = msg("{whose} could not answer: {reason}", whose=whose, reason=reason)
    return ProviderError(refusal.kind, what, msg("Look at Ollama's log."))


# Wire


class Ollama:
    """The provider ``ollama``."""

    name = "ollama"
    tells_truncation = True
    remembers = False

    def __init__(self, config: OllamaConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._known: dict[str, tuple[float, Running]] = {}
        self._default: tuple[float, str, tuple[Note, ...]] = (0.0, "", ())

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
        known = self._ask_about(model, stop)
        num_ctx = num_ctx_for(self._config, request, known)
        host = self._config.host
        if known.running_tokens == num_ctx:
            silent = msg("{model} is reading the prompt", model=model)
            yield Status(msg("asking {model}", model=model), if_silent=silent)
        else:
            silent = msg("loading {model}, {tokens} tokens of context", model=model, tokens=num_ctx)
            yield Status(silent, if_silent=silent)

        def refusal(reply: Reply) -> ProviderError | None:
            return self._refusal(reply, model, stop)

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
        running = self._ask_about(model, stop).running_tokens or num_ctx
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
            known = self._ask_about(self._chosen(model, stop)[0], stop)
        except (ProviderError, ConfigurationError):
            known = Running()
        if known.limit_tokens or known.running_tokens:
            return Window(known.limit_tokens or known.running_tokens, "server")
        return Window(_DEFAULT_NUM_CTX, "assumed")

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the port's signature
        """Return None: Ollama counts for nobody."""
        return None

    def models(self) -> list[Model]:
        """Return the models that are on that machine."""
        return self._models(None)

    def checks(self) -> Iterator[Check]:
        """Examine address, version, model and context."""
        config = self._config
        yield from self._http.checks(config.address)
        version = self._get("/api/version").get("version")
        yield Check("ok", msg("{url} is Ollama {version}.", url=config.address, version=str(version or "?")))
        names = [it.id for it in self.models()]
        yield Check("ok", msg("Models: {names}", names=", ".join(names) or "-"))
        model, notes = self._chosen(None, None)
        for note in notes:
            yield Check("note", note.message)
        if model not in names and f"{model}:latest" not in names:
            raise self._missing(model, None)
        known = self._ask_about(model, Stop())
        yield Check("ok", msg("The model {model} can read {limit} tokens; {running} are loaded now.", model=model,
                              limit=known.limit_tokens or "?", running=known.running_tokens))  # fmt: skip

    def _chosen(self, model: str | None, stop: Stop | None) -> tuple[str, tuple[Note, ...]]:
        """Return the model to ask, and what to tell of it."""
        if name := model or self._config.model:
            return name, ()
        until, name, notes = self._default
        if monotonic() > until:
            name, notes = self._ask_for_default(stop)
            self._default = monotonic() + _CHOSEN_S, name, notes
        return name, notes

    def _ask_for_default(self, stop: Stop | None) -> tuple[str, tuple[Note, ...]]:
        running = {str(it.get("name")) for it in self._list("/api/ps", stop)}
        models = [
            replace(it, abilities=(*it.abilities, LOADED)) if it.id in running else it for it in self._models(stop)
        ]
        if default := try_default(models, is_local=is_loopback(self._config.address)):
            return default[0].id, default[1]
        if not models:
            raise ConfigurationError(
                msg("Ollama has no model yet."), msg("Get one, such as: ollama pull qwen2.5-coder")
            )  # fmt: skip
        names = ", ".join(it.id for it in models[:20])
        raise ConfigurationError(
            msg("No model is chosen. {host} has: {names}", host=self._config.host, names=names),
            msg("Choose one (`sidelight models`), or set OLLAMA_MODEL."),
        )

    def _models(self, stop: Stop | None) -> list[Model]:
        return [_model_of(item) for item in self._list("/api/tags", stop) if item.get("name")]

    def _ask_about(self, model: str, stop: Stop) -> Running:
        """Return what Ollama says of a model; nothing where it says nothing. What runs is asked each time."""
        running = 0
        try:
            for item in self._list("/api/ps", stop):
                if _same(str(item.get("name") or ""), model):
                    running = _tokens(item.get("context_length")) or _DEFAULT_NUM_CTX
            until, known = self._known.get(model, (0.0, Running()))
            if monotonic() > until:
                known = _shown(self._get("/api/show", stop, {"model": model}))
                self._known[model] = monotonic() + _KNOWN_S, known
        except (ProviderError, ConfigurationError):
            return Running(0, running)
        return replace(known, running_tokens=running)

    def _list(self, path: str, stop: Stop | None) -> list[dict[str, Any]]:
        found = self._get(path, stop).get("models")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def _get(self, path: str, stop: Stop | None = None, body: Any = None) -> dict[str, Any]:
        call = Call("GET" if body is None else "POST", self._config.address + path, body=body, silence_s=_QUICK_S)
        reply = self._http.fetch(call, stop)
        answer = reply.json()
        if reply.status != 200 or not isinstance(answer, dict):
            raise self._refusal(reply, "", stop) or self._not_ollama()
        return answer

    def _refusal(self, reply: Reply, model: str, stop: Stop | None) -> ProviderError | None:
        """Say what a reply means that is no stream; None where it is an answer all the same."""
        host, refusal = self._config.host, refusal_of(reply)
        if 300 <= reply.status < 400:
            return redirect_error(reply, "OLLAMA_HOST")
        if reply.status == 200 and _is_frame(reply):
            return None
        if reply.status in (401, 403):
            return ProviderError(
                "auth",
                msg("{host} did not let the question through: {reason}", host=host, reason=reason_of(refusal)),
                msg("Ollama itself wants no key. If a proxy in front of it does, SIDELIGHT_HEADERS can hold that."),
            )
        body = reply.json()
        said = body.get("error") if isinstance(body, dict) else None
        if reply.status < 500 and not isinstance(said, str):
            return self._not_ollama()
        if reply.status == 404 and "not found" in refusal.reason and model:
            return self._missing(model, stop)
        if reply.status in (502, 503, 504):
            busy = msg("{host} is busy: {reason}", host=host, reason=reason_of(refusal))
            return ProviderError("overloaded", busy, msg("Ask again in a while."))
        return _failed(host, refusal)

    def _missing(self, model: str, stop: Stop | None) -> ProviderError:
        try:
            names = [it.id for it in self._models(stop)]
        except (ProviderError, ConfigurationError):
            names = []
        hint = msg("Get it with: ollama pull {model}. Or choose another (`sidelight models`).", model=told(model))
        return no_such_model(model, names, "Ollama", hint)

    def _not_ollama(self) -> ProviderError:
        return ProviderError(
            "not_found",
            msg("{url} is not Ollama: it answers with something else.", url=self._config.address),
            msg("Set OLLAMA_HOST to where Ollama runs, such as http://127.0.0.1:11434."),
        )


def _is_frame(reply: Reply) -> bool:
    """Whether the body begins with a line of an answer, under whatever content type."""
    first = Reply(200, "", reply.body.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]).json()
    return isinstance(first, dict) and ("message" in first or "done" in first)


def _same(name: str, model: str) -> bool:
    return name in (model, f"{model}:latest")


def _tokens(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _shown(answer: dict[str, Any]) -> Running:
    """Read ``/api/show``: the context that the model was trained for, under a name that begins with its family's."""
    info, parameters = answer.get("model_info"), answer.get("parameters")
    info = info if isinstance(info, dict) else {}
    lengths = [_tokens(length) for name, length in info.items() if name.endswith(".context_length")]
    usual = re.search(r"^num_ctx\s+(\d{1,9})\s*$", str(parameters), re.MULTILINE)
    return Running(lengths[0] if lengths else 0, 0, int(usual[1]) if usual else 0)


def _model_of(item: dict[str, Any]) -> Model:
    details = item.get("details")
    details = details if isinstance(details, dict) else {}
    words = [str(details[name]) for name in ("parameter_size", "quantization_level") if details.get(name)]
    abilities = item.get("capabilities")
    listed = tuple(str(it) for it in abilities) if isinstance(abilities, list) else ()
    if not listed and "bert" in str(details.get("family")):  # every older model that makes vectors is one
        listed = ("embedding",)
    tokens = _tokens(details.get("context_length")) or None
    return Model(str(item["name"]), detail=" ".join(words), context_tokens=tokens, abilities=listed)
