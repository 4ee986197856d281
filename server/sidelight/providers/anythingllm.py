"""AnythingLLM, through its developer API (https://docs.anythingllm.com/features/api; read at v1.16, August 2026).

What is peculiar: a 200 proves nothing (failures come as an ``abort`` event, a wrong address as the web page); the event
with ``close: true`` is not the end (sources follow it); an abort may be followed by a cheerful ``finalize``; an agent
sends its answer up to three times. The end of the body is the end, and it counts only after one of the closing events.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sidelight.core.answers import (
    AnswerEvent,
    Asked,
    Finished,
    Replace,
    Source,
    Sources,
    Status,
    Text,
    Usage,
    merge_text,
)
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.reasoning import ReasoningSplitter
from sidelight.core.stopping import Stop
from sidelight.core.wire.event_stream import EventStreamDecoder
from sidelight.core.wire.surrogates import SurrogateJoiner, whole
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg, plain
from sidelight.providers.chat import count_of
from sidelight.providers.http import Call, Http, Reply, host_of, redirect_error
from sidelight.providers.refusals import told

log = logging.getLogger(__name__)

# Who

DEFAULT_ADDRESS = "http://localhost:3001"
# For everything but an answer: a server that is slow here must not hold anybody up for as long as a model may think.
_QUICK_S = 15.0
_AGENT = "@agent"
_AGENT_FAILED = "Error encountered while running:"


@dataclass(frozen=True, slots=True)
class AnythingLLMConfig:
    """``address`` may be the bare origin or end in /api or /api/v1; ``key_withheld`` says why ``key`` is empty."""

    address: str = DEFAULT_ADDRESS
    key: str = ""
    workspace: str = ""
    mode: str = "chat"
    key_withheld: bool = False

    @property
    def api(self) -> str:
        """The address of the developer API itself."""
        origin = self.address.rstrip("/").removesuffix("/v1").removesuffix("/api")
        return f"{origin}/api/v1"


# Out


def encode(config: AnythingLLMConfig, request: Request, workspace: str) -> Call:
    """Return the call for one question. The mode is always said: its default starts an agent on newer servers."""
    body = {
        "message": _message(request),
        "mode": config.mode,
        "sessionId": request.conversation,
    }
    url = f"{config.api}/workspace/{quote(workspace, safe='')}/stream-chat"
    return Call("POST", url, {**_authorization(config), "Accept": "text/event-stream"}, body)


def _message(request: Request) -> str:
    """Join orders and question; a message that begins with ``@agent`` would start the agent, so none ever does."""
    text = whole("\n\n".join(part for part in (request.prompt.system, request.prompt.user) if part))
    return f" {text}" if text.startswith(_AGENT) else text


def _authorization(config: AnythingLLMConfig) -> dict[str, str]:
    if not config.key.isascii():
        raise ConfigurationError(
            msg("ANYTHINGLLM_API_KEY holds a character that no key has."), msg("Copy the key again, without quotes.")
        )
    return {"Authorization": f"Bearer {config.key}"}


# In


class AnythingLLMDecoder:
    """The events of one ``stream-chat`` body."""

    def __init__(self, key: str = "") -> None:
        self._key = key
        self._events = EventStreamDecoder()
        self._joiner = SurrogateJoiner()
        self._splitter = ReasoningSplitter()
        self._parts: list[str] = []  # the text as AnythingLLM counts it, reasoning included
        self._is_closed = False
        self._is_finalized = False
        self._error = ""

    @property
    def is_complete(self) -> bool:
        """Never: sources, and an agent's second answer, come after what looks like the end."""
        return False

    def feed(self, chunk: bytes) -> list[AnswerEvent]:
        """Take bytes; return the answer events that they complete, neighbouring text joined."""
        return self._decoded(event.data for event in self._events.feed(chunk))

    def finish(self) -> list[AnswerEvent]:
        """Say that the body has ended; the last event is ``Finished``, with the error if there was one."""
        events = self._decoded(event.data for event in self._events.finish())
        events += self._flush()
        error = self._failure()
        events.append(Finished("cut_off" if error else "complete", error))
        return events

    def _failure(self) -> ProviderError | None:
        if self._error:
            return abort_error(told(self._error, self._key))
        if not self._is_closed:
            return ProviderError(
                "cut_off",
                msg("AnythingLLM ended the answer before it was complete."),
                msg("What came so far is kept. If a reverse proxy stands between, switch its buffering off and raise "
                    "its time limit."),
            )  # fmt: skip
        if not self._parts:
            return ProviderError(
                "refused",
                msg("AnythingLLM gave an empty answer."),
                msg("Ask again, or look at the model in AnythingLLM's settings: it ended without a word."),
            )
        return None

    def _decoded(self, datas: Iterator[str]) -> list[AnswerEvent]:
        events: list[AnswerEvent] = []
        for data in datas:
            try:
                event = json.loads(data)
            except (ValueError, RecursionError):
                log.warning("skipped an event that is not JSON, %d characters", len(data))
                continue
            if isinstance(event, dict):
                events.extend(self._event(event))
        return merge_text(events)

    def _event(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        kind = event.get("type")
        if kind == "textResponseChunk":
            self._is_closed = self._is_closed or bool(event.get("close"))
            yield from self._more(event.get("textResponse") or "")
        elif kind in ("textResponse", "finalizeResponseStream"):
            self._is_closed = True
            self._is_finalized = self._is_finalized or kind == "finalizeResponseStream"
            yield from self._whole(event.get("textResponse"))
        elif kind == "abort" and not self._is_finalized:  # after finalize only the server's book-keeping failed
            self._error = str(event.get("error") or "abort")
        elif kind == "agentThought":
            yield from self._thought(str(event.get("thought") or ""))
        yield from self._details(event)

    def _details(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Yield what may ride on any event: an error, sources, token counts."""
        error = event.get("error")
        if error and event.get("type") != "abort":
            self._error = str(error)
        sources = event.get("sources")
        if isinstance(sources, list) and sources:
            yield Sources(tuple(_source(item) for item in sources if isinstance(item, dict)))
        metrics = event.get("metrics")
        if isinstance(metrics, dict) and metrics:
            yield Usage(count_of(metrics.get("prompt_tokens")), count_of(metrics.get("completion_tokens")))

    def _more(self, delta: str) -> Iterator[AnswerEvent]:
        if not isinstance(delta, str) or not delta:
            return
        self._parts.append(delta)
        if text := self._joiner.feed(delta):
            yield from self._splitter.feed(text)

    def _whole(self, text: object) -> Iterator[AnswerEvent]:
        """Take an event that holds the complete answer: nothing new when it repeats what has come."""
        if not isinstance(text, str) or not text:
            return
        received = "".join(self._parts)
        self._parts = [received]
        if text == received:
            return
        self._joiner, self._splitter = SurrogateJoiner(), ReasoningSplitter()
        self._parts = []
        pieces = list(self._more(text)) + self._flush()
        answer = "".join(piece.text for piece in pieces if isinstance(piece, Text))
        yield from (piece for piece in pieces if not isinstance(piece, Text))
        yield Replace(answer) if received else Text(answer)
        self._splitter = ReasoningSplitter()

    def _thought(self, thought: str) -> Iterator[AnswerEvent]:
        if thought.startswith(_AGENT_FAILED):
            self._error = thought.removeprefix(_AGENT_FAILED).strip() or thought
        elif thought:
            yield Status(plain(whole(thought)))

    def _flush(self) -> list[AnswerEvent]:
        events: list[AnswerEvent] = []
        if rest := self._joiner.finish():
            events.extend(self._splitter.feed(rest))
        events.extend(self._splitter.finish())
        return events


def _source(item: dict[str, Any]) -> Source:
    """Read a source; ``text`` begins with a block of metadata that is not part of the document."""
    text = str(item.get("text") or "")
    if text.startswith("<document_metadata>"):
        text = text.partition("</document_metadata>")[2].lstrip("\n")
    uri = item.get("chunkSource") or item.get("url") or ""
    title = item.get("title") or uri or item.get("id") or ""
    return Source(whole(str(title)), whole(str(uri)), whole(text))


def abort_error(reason: str) -> ProviderError:
    """Say what an abort event means. Its words are those of AnythingLLM or of the model behind it."""
    lowered = reason.lower()
    words = plain(reason)
    if "premature close" in lowered:
        return ProviderError(
            "cut_off",
            msg("The model behind AnythingLLM stopped in the middle of the answer ({reason}).", reason=words),
            msg("What came so far is kept. Look at the model server that AnythingLLM uses."),
        )
    if "api key" in lowered or lowered.startswith("401"):
        return ProviderError(
            "auth",
            msg("AnythingLLM could not use its model: {reason}", reason=words),
            msg("The key of the model provider is wrong or missing in AnythingLLM's own settings; yours is fine."),
        )
    if "embed" in lowered:
        return ProviderError(
            "other",
            msg("AnythingLLM could not search its documents: {reason}", reason=words),
            msg("Check the embedder in AnythingLLM's settings, and that its server runs."),
        )
    return ProviderError(
        "other",
        msg("AnythingLLM could not answer: {reason}", reason=words),
        msg("Check the model in AnythingLLM's settings (LLM Preference), and that its server runs."),
    )


# Wire


class AnythingLLM:
    """The provider ``anythingllm``."""

    name = "anythingllm"

    def __init__(self, config: AnythingLLMConfig, http: Http) -> None:
        self._config = config
        self._http = http

    @property
    def place(self) -> str:
        """The server's host and port."""
        return host_of(self._config.api)

    @property
    def tells_truncation(self) -> bool:
        """No: it ends every stream in the same way."""
        return False

    @property
    def remembers(self) -> bool:
        """Yes: each conversation is a session of its own on the server."""
        return True

    @property
    def model(self) -> str:
        """The configured workspace."""
        return self._config.workspace

    def window(self, model: str | None, stop: Stop) -> Window | None:  # noqa: ARG002, the port's signature
        """Return None: it knows its model's, tells nobody, and fits documents and history by itself."""
        return None

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the port's signature
        """Return None: nothing to count with."""
        return None

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Ask the workspace; the conversation is a session of its own, so nobody else's history is touched."""
        workspace = request.model or self._config.workspace or self._only_workspace(stop)
        stop.raise_if_set()
        yield Asked(workspace)
        yield Status(msg("asking {workspace}", workspace=workspace))
        call = encode(self._config, request, workspace)
        yield from self._http.answer(call, AnythingLLMDecoder(self._config.key), stop, self._refusal)

    def models(self) -> list[Model]:
        """Return the workspaces."""
        return self._workspaces(None)

    def _workspaces(self, stop: Stop | None) -> list[Model]:
        reply = self._get("/workspaces", stop)
        found = reply.get("workspaces") if isinstance(reply, dict) else None
        if not isinstance(found, list):
            raise self._not_the_api()
        return [
            Model(str(item["slug"]), str(item.get("name") or ""), str(item.get("chatModel") or ""))
            for item in found
            if isinstance(item, dict) and item.get("slug")
        ]

    def checks(self) -> Iterator[Check]:
        """Examine address, API, key and workspace."""
        api = self._config.api
        yield from self._http.checks(api)
        ping = self._http.fetch(Call("GET", api.removesuffix("/v1") + "/ping"))
        yield Check("ok", msg("{host} is reachable.", host=host_of(api)))
        if ping.json() != {"online": True}:
            raise self._refusal(ping) or self._not_the_api()
        yield Check("ok", msg("{url} is AnythingLLM's API.", url=api))
        self._get("/auth")
        yield Check("ok", msg("The key is accepted."))
        slugs = [model.id for model in self.models()]
        yield Check("ok", msg("Workspaces: {slugs}", slugs=", ".join(slugs)))
        workspace = self._config.workspace or self._only_workspace()
        if workspace not in slugs:
            raise self._no_such_workspace(workspace, slugs)
        yield Check("ok", msg("The workspace {slug} exists.", slug=workspace))

    def _only_workspace(self, stop: Stop | None = None) -> str:
        """Return the one workspace there is, for users who named none."""
        slugs = [model.id for model in self._workspaces(stop)]
        if len(slugs) == 1:
            return slugs[0]
        if not slugs:
            raise ConfigurationError(
                msg("AnythingLLM has no workspace yet."), msg("Make one in AnythingLLM, then try again.")
            )
        raise ConfigurationError(
            msg("No workspace is chosen. There are: {slugs}", slugs=", ".join(slugs)),
            msg("Set ANYTHINGLLM_WORKSPACE_SLUG to one of them."),
        )

    def _get(self, path: str, stop: Stop | None = None) -> Any:
        call = Call("GET", self._config.api + path, _authorization(self._config), silence_s=_QUICK_S)
        reply = self._http.fetch(call, stop)
        if reply.status != 200 or reply.json() is None:
            raise self._refusal(reply) or self._not_the_api()
        return reply.json()

    def _refusal(self, reply: Reply) -> ProviderError | None:
        """Say what a reply means that is not a stream of events; None where it may be one all the same."""
        body = reply.json()
        reason = body.get("error") or body.get("message") if isinstance(body, dict) else None
        words = told(str(reason or ""), self._config.key)
        if 300 <= reply.status < 400:
            return redirect_error(reply, "ANYTHINGLLM_BASE_URL")
        if reply.status == 200:
            return abort_error(words) if words else self._not_the_api()
        if reply.status in (401, 403):
            return self._refused_key(words)
        if reply.status in (400, 404):
            return self._not_found(words, reply)
        return ProviderError(
            "overloaded" if reply.status in (429, 502, 503, 504) else "other",
            msg("AnythingLLM answered with status {status}: {reason}", status=reply.status, reason=plain(words or "-")),
            msg("Look at AnythingLLM's log, and at the proxy in front of it if there is one."),
        )

    def _refused_key(self, words: str) -> ProviderError:
        if self._config.key_withheld:
            return ProviderError(
                "auth",
                msg("{url} wants a key, and yours was not sent there.", url=self._config.address),
                msg("That address came from the opened folder, and your key belongs to another. Set "
                    "ANYTHINGLLM_BASE_URL in your own configuration if you trust it."),
            )  # fmt: skip
        if not self._config.key:
            return ProviderError(
                "auth", msg("AnythingLLM wants a key, and none is set."), msg("Set ANYTHINGLLM_API_KEY.")
            )
        return ProviderError(
            "auth",
            msg("AnythingLLM did not accept the key: {reason}", reason=plain(words or "403")),
            msg("Make a key in AnythingLLM (Settings, Tools, Developer API) and set ANYTHINGLLM_API_KEY."),
        )

    def _not_found(self, words: str, reply: Reply) -> ProviderError:
        if "workspace" in words.lower():
            return ProviderError(
                "not_found",
                msg("AnythingLLM does not know the workspace: {reason}", reason=plain(words or str(reply.status))),
                msg("Run `sidelight models` to see the workspaces; ANYTHINGLLM_WORKSPACE_SLUG names one."),
            )
        if reply.status == 404:
            return self._not_the_api()
        return ProviderError(
            "other",
            msg("AnythingLLM did not understand the request: {reason}", reason=plain(words or "400")),
            msg("Check that AnythingLLM is version 1.8 or newer, and look at its log."),
        )

    def _no_such_workspace(self, slug: str, slugs: list[str]) -> ProviderError:
        return ProviderError(
            "not_found",
            msg("The workspace {slug} does not exist. There are: {slugs}", slug=slug, slugs=", ".join(slugs)),
            msg("Set ANYTHINGLLM_WORKSPACE_SLUG to one of them; upper and lower case matter."),
        )

    def _not_the_api(self) -> ProviderError:
        return ProviderError(
            "not_found",
            msg("{url} is not the address of AnythingLLM's API: it answers with something else.", url=self._config.api),
            msg("Set ANYTHINGLLM_BASE_URL to where AnythingLLM runs, such as http://localhost:3001."),
        )
