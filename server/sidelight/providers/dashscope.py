"""DashScope's native text generation (https://www.alibabacloud.com/help/en/model-studio/qwen-api-reference, Oct. 2026).

What is peculiar: a frame may hold what is new or the whole text so far, by what was asked for; ``finish_reason`` is the
string "null" until the end; once streaming is asked for, refusals come as ``event:error`` inside a 200; keys belong to
a region, and each region has its address; models that also see are served elsewhere.
Who is asked is in ``dashscope_config.py``, which models there are in ``dashscope_models.py``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from sidelight.core.answer_text import AnswerText
from sidelight.core.answers import AnswerEvent, Asked, Finished, Replace, Status, Usage, merge_text
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.core.wire.ndjson import NdjsonDecoder
from sidelight.errors import ProviderError
from sidelight.messages import msg
from sidelight.providers.chat import count_of, messages_of
from sidelight.providers.dashscope_config import (
    DEFAULT_ADDRESS,
    GENERATION,
    DashScopeConfig,
    api_of,
    authorization,
)
from sidelight.providers.dashscope_errors import error_of, error_of_reply, lacks_model, model_hint
from sidelight.providers.dashscope_models import DashScopeModels
from sidelight.providers.endings import ending
from sidelight.providers.http import Call, Http, host_of
from sidelight.providers.http_reply import Reply
from sidelight.providers.refusals import no_such_model, refusal_in, refusal_of

__all__ = ["DEFAULT_ADDRESS", "DashScope", "DashScopeConfig", "DashScopeDecoder", "encode"]

log = logging.getLogger(__name__)

# Out


def encode(config: DashScopeConfig, request: Request) -> Call:
    """Return the call for one question. What the user did not set is not sent; how frames are cut is always said."""
    parameters: dict[str, Any] = {"result_format": "message", "incremental_output": True}
    if config.temperature is not None:
        parameters["temperature"] = config.temperature
    if request.max_tokens:
        parameters["max_tokens"] = request.max_tokens
    body = {
        "model": config.model_or(request.model),
        "input": {"messages": messages_of(request.prompt)},
        "parameters": parameters,
    }
    headers = {**authorization(config), "X-DashScope-SSE": "enable", "Accept": "text/event-stream"}
    return Call("POST", api_of(config) + GENERATION, headers, body)


# In


class DashScopeDecoder:
    """The events of one text generation, streamed or (behind a gateway that does not stream) one JSON value.

    ``incremental`` is what was asked for: whether a frame holds what is new, or the whole text so far. The text cannot
    tell: what is new may well begin like what there is.

    Every ``data:`` line is a frame, as for DashScope's own SDK: recordings exist without blank lines between events.
    """

    def __init__(self, config: DashScopeConfig, model: str, *, incremental: bool = True) -> None:
        self._config = config
        self._model = model
        self._incremental = incremental
        self._lines = NdjsonDecoder()
        self._body: list[str] = []  # of an answer that is no stream
        self._type = ""
        self._status = 200
        self._so_far = {"content": "", "reasoning_content": ""}  # where frames hold the whole
        self._said = AnswerText()
        self._usage: Usage | None = None
        self._reason = ""
        self._has_tools = False
        self._error: ProviderError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether a finish reason has come, or an error; token counts are in the same frame."""
        return bool(self._reason or self._error)

    def feed(self, chunk: bytes) -> list[AnswerEvent]:
        """Take bytes; return the answer events that they complete, neighbouring text joined."""
        return merge_text(event for line in self._lines.feed(chunk) for event in self._line(line))

    def finish(self) -> list[AnswerEvent]:
        """Say that the body has ended; the last event is ``Finished``, with the error if there was one."""
        events = [event for line in self._lines.finish() for event in self._line(line)]
        events += self._data("\n".join(self._body)) if self._body else ()
        events += self._said.finish()
        if self._usage is not None:
            events.append(self._usage)
        events.append(self._ending())
        return merge_text(events)

    def _ending(self) -> Finished:
        if self._error is not None and self._error.kind == "refused":
            return Finished("refused", self._error)
        reason = "tool_calls" if self._has_tools and not self._said.has_text else self._reason
        return ending(self._said, reason, "DashScope", self._error)

    def _line(self, line: str) -> Iterator[AnswerEvent]:
        line = line.removeprefix("\ufeff")
        name, _, value = line.partition(":")
        if self._body or line.startswith("{"):
            self._body.append(line)
        elif name == "event":
            self._type = value.strip()
        elif name == "status" or line.startswith(":HTTP_STATUS/"):
            status = value.rpartition("/")[2].strip()
            self._status = int(status) if status.isascii() and status.isdigit() else self._status
        elif name == "data":
            yield from self._data(value)

    def _data(self, data: str) -> Iterator[AnswerEvent]:
        frame: Any = data
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            log.warning("a frame is not JSON, %d characters", len(data))
        if self._error is not None:
            return
        if self._type == "error" or _is_error(frame):
            if not self._reason:
                refusal = refusal_in(frame, self._status, self._config.key)
                self._error = error_of(refusal, self._config, self._model)
        elif isinstance(frame, dict):
            if isinstance(output := frame.get("output"), dict):
                yield from self._output(output)
            usage = frame.get("usage")
            if isinstance(usage, dict) and "output_tokens" in usage:
                self._usage = Usage(count_of(usage.get("input_tokens")), count_of(usage.get("output_tokens")))

    def _output(self, output: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Read ``output`` in either result format: message, with one choice, or text."""
        choices = output.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {"message": {"content": output.get("text")}}
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict):
            yield from self._said.reason(self._new_reasoning(message.get("reasoning_content")))
            yield from self._content(message.get("content"))
            self._has_tools = self._has_tools or bool(message.get("tool_calls"))
        reason = choice.get("finish_reason", output.get("finish_reason")) if isinstance(choice, dict) else None
        if isinstance(reason, str) and reason != "null":
            self._reason = self._reason or reason

    def _new_reasoning(self, text: object) -> object:
        if self._incremental or not isinstance(text, str) or not text:
            return text
        before, self._so_far["reasoning_content"] = self._so_far["reasoning_content"], text
        return text[len(before) :]

    def _content(self, text: object) -> Iterator[AnswerEvent]:
        if self._incremental:
            yield from self._said.feed(text)
        elif isinstance(text, str) and text:  # the last frame may be empty
            before, self._so_far["content"] = self._so_far["content"], text
            if text.startswith(before):
                yield from self._said.feed(text[len(before) :])
            else:  # it took back what it said, half a character mostly
                self._said = AnswerText()
                yield Replace("")
                yield from self._said.feed(text)


def _is_error(frame: Any) -> bool:
    """Whether a frame without its ``event:error`` is one; answers may carry an empty code."""
    return isinstance(frame, dict) and not frame.get("output") and bool(frame.get("code") or frame.get("error"))


# Wire


class DashScope:
    """The provider ``dashscope``."""

    name = "dashscope"
    tells_truncation = True
    remembers = False

    def __init__(self, config: DashScopeConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._models = DashScopeModels(config, http)

    @property
    def model(self) -> str:
        """The configured model."""
        return self._config.model_or(None)

    @property
    def place(self) -> str:
        """The server's host and port."""
        return host_of(self._config.address)

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Ask the model."""
        model = self._config.model_or(request.model)
        call = encode(self._config, request)
        incremental = call.body["parameters"]["incremental_output"]
        decoder = DashScopeDecoder(self._config, model, incremental=incremental)

        def refusal(reply: Reply) -> ProviderError | None:
            if reply.status != 200 and lacks_model(refusal_of(reply)):
                return no_such_model(model, self._models.try_names(stop), "DashScope", model_hint(model))
            return error_of_reply(reply, self._config, model)

        yield Asked(model)
        yield Status(msg("asking {model}", model=model))
        yield from self._http.answer(call, decoder, stop, refusal)

    def window(self, model: str | None, stop: Stop) -> Window | None:
        """Return the context length: as configured, else as the list of models says, else as the models' pages do."""
        if self._config.context_tokens:
            return Window(self._config.context_tokens, "configured")
        return self._models.window(self._config.model_or(model), stop)

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the port's signature
        """Return None: its tokenizer counts for a few models alone."""
        return None

    def models(self) -> list[Model]:
        """Return the region's models for text; the configured one where there is no list."""
        try:
            return self._models.listed() or [Model(self.model)]
        except ProviderError as error:
            if error.kind != "not_found":
                raise
            return [Model(self.model)]

    def checks(self) -> Iterator[Check]:
        """Examine address, key and model."""
        api = api_of(self._config)
        yield from self._http.checks(api)
        try:
            names = [it.id for it in self._models.listed()]
        except ProviderError as error:
            if error.kind != "not_found":
                raise
            yield Check("note", msg("{url} lists no models: only a question can tell whether it answers.", url=api))
        else:
            yield Check("ok", msg("{url} is DashScope's API.", url=api))
            yield Check("ok", msg("The key is accepted."))
            if self.model in names:
                yield Check("ok", msg("The model {model} exists.", model=self.model))
            else:
                missing = no_such_model(self.model, names, "DashScope", model_hint(self.model))
                yield Check("note", missing.message, missing.hint)
        window = self.window(None, Stop())
        if window is not None:
            origin = {"server": msg("as the server says"), "configured": msg("as configured"),
                      "assumed": msg("assumed: the server does not say; SIDELIGHT_CONTEXT_TOKENS sets it")}  # fmt: skip
            yield Check("ok" if window.origin != "assumed" else "note",
                        msg("The model {model} reads {tokens} tokens, {said}.", model=self.model,
                            tokens=window.tokens, said=origin[window.origin]))  # fmt: skip
