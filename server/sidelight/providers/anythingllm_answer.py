"""AnythingLLM's answers: the events of one ``stream-chat`` body. Pure.

What is peculiar: failures come as an ``abort`` event; the event with ``close: true`` is not the end (sources follow
it); an abort may be followed by a cheerful ``finalize``; an agent sends its answer up to three times; documents that
were attached come back as sources. The end of the body is the end, and it counts only after a closing event.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from sidelight.core.answers import (
    AnswerEvent,
    Finished,
    Note,
    Replace,
    Source,
    Sources,
    Status,
    Text,
    Usage,
    merge_text,
)
from sidelight.core.reasoning import ReasoningSplitter
from sidelight.core.wire.event_stream import EventStreamDecoder
from sidelight.core.wire.surrogates import SurrogateJoiner, whole
from sidelight.errors import ProviderError
from sidelight.messages import msg, plain
from sidelight.providers.anythingllm_errors import abort_error, empty_answer, ended_early
from sidelight.providers.anythingllm_message import Sent, without_mark
from sidelight.providers.chat import count_of
from sidelight.providers.refusals import told

log = logging.getLogger(__name__)

_AGENT_FAILED = "Error encountered while running:"
# Below so many tokens nothing is cut by any model, and what AnythingLLM counts itself is not exact.
_SMALL_TOKENS = 1000


class AnythingLLMDecoder:
    """The events of one answer to what was ``sent``; ``mode`` is the one that it was asked in."""

    def __init__(self, key: str = "", sent: Sent | None = None, mode: str = "chat") -> None:
        self._key = key
        self._sent = sent or Sent("")
        self._mode = mode
        self._attached = {document.name for document in self._sent.documents}
        self._returned: set[str] = set()
        self._has_source = False
        self._tells_sources = False
        self._prompt_tokens: int | None = None
        self._events = EventStreamDecoder()
        self._text = _TextOfAnswer(self._sent.mark)
        self._parts: list[str] = []  # the text as AnythingLLM counts it, reasoning and marks included
        self._is_closed = False
        self._is_finalized = False
        self._error = ""

    @property
    def is_complete(self) -> bool:
        """Never: sources, and an agent's second answer, come after what looks like the end."""
        return False

    @property
    def unread(self) -> int:
        """How many of the attached documents the model was not shown, as far as the server told."""
        return len(self._attached - self._returned) if self._tells_sources else 0

    def feed(self, chunk: bytes) -> list[AnswerEvent]:
        """Take bytes; return the answer events that they complete, neighbouring text joined."""
        return self._decoded(event.data for event in self._events.feed(chunk))

    def finish(self) -> list[AnswerEvent]:
        """Say that the body has ended; the last event is ``Finished``, with the error if there was one."""
        events = self._decoded(event.data for event in self._events.finish())
        events += self._text.finish()
        error = self._failure()
        if error is None:
            events += self._notes()
        events.append(Finished("cut_off" if error else "complete", error))
        return events

    def _failure(self) -> ProviderError | None:
        if self._error:
            return abort_error(told(self._error, self._key))
        if not self._is_closed:
            return ended_early()
        return None if self._parts else empty_answer()

    def _notes(self) -> Iterator[Note]:
        """Say what makes this answer worth less than it looks."""
        if self._mode == "query" and not self._has_source:
            yield Note(msg("No source in the knowledge base supports this answer."), is_warning=True)
        if self.unread:
            yield Note(
                msg("AnythingLLM did not show the model {count} of {all} attached documents. From now on the code goes "
                    "in the message, unless SIDELIGHT_ANYTHINGLLM_ATTACHMENTS is on.",
                    count=self.unread, all=len(self._attached)),
                is_warning=True,
            )  # fmt: skip
        seen, least = self._prompt_tokens, self._sent.least_tokens()
        if seen and least > max(seen, _SMALL_TOKENS):
            yield Note(
                msg("AnythingLLM seems to have cut what was sent in the middle: that had more than {sent} tokens, and "
                    "its model was given {seen}. Set SIDELIGHT_CONTEXT_TOKENS to the model's context window, as it is "
                    "set in AnythingLLM (LLM Preference), or choose a smaller part.", sent=least, seen=seen),
                is_warning=True,
            )  # fmt: skip

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
            yield from self._more(event.get("textResponse"))
        elif kind in ("textResponse", "finalizeResponseStream"):
            self._is_closed = True
            if kind == "finalizeResponseStream":
                self._is_finalized = True
                self._tells_sources = self._tells_sources or isinstance(event.get("sources"), list)
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
        listed = event.get("sources")
        if isinstance(listed, list) and listed:
            self._returned |= {str(item.get("title")) for item in listed if isinstance(item, dict)} & self._attached
            sources = tuple(source for source in sources_of(listed) if source.title not in self._attached)
            self._has_source = self._has_source or bool(sources)
            if sources or not self._attached:
                yield Sources(sources)
        metrics = event.get("metrics")
        if isinstance(metrics, dict) and metrics:
            usage = Usage(count_of(metrics.get("prompt_tokens")), count_of(metrics.get("completion_tokens")))
            self._prompt_tokens = usage.prompt_tokens
            yield usage

    def _more(self, delta: object) -> Iterator[AnswerEvent]:
        if isinstance(delta, str) and delta:
            self._parts.append(delta)
            yield from self._text.feed(delta)

    def _whole(self, text: object) -> Iterator[AnswerEvent]:
        """Take an event that holds the complete answer: nothing new when it repeats what has come."""
        if not isinstance(text, str) or not text:
            return
        received = "".join(self._parts)
        self._parts = [received]
        if text == received:
            return
        self._parts = [text]
        again = _TextOfAnswer(self._sent.mark)
        pieces = [*again.feed(text), *again.finish()]
        answer = "".join(piece.text for piece in pieces if isinstance(piece, Text))
        yield from (piece for piece in pieces if not isinstance(piece, Text))
        yield Replace(answer) if received else Text(answer)
        self._text = _TextOfAnswer(self._sent.mark)

    def _thought(self, thought: str) -> Iterator[AnswerEvent]:
        if thought.startswith(_AGENT_FAILED):
            self._error = thought.removeprefix(_AGENT_FAILED).strip() or thought
        elif thought:
            yield Status(plain(whole(thought)))


class _TextOfAnswer:
    """From the server's deltas to text and reasoning: torn characters joined, our marks taken out."""

    def __init__(self, mark: str) -> None:
        self._joiner = SurrogateJoiner()
        self._mark = mark
        self._splitter = ReasoningSplitter()

    def feed(self, delta: str) -> Iterator[AnswerEvent]:
        """Take a delta; yield what is certain."""
        yield from self._split(without_mark(self._joiner.feed(delta), self._mark))

    def finish(self) -> list[AnswerEvent]:
        """Return what waited for more."""
        rest = without_mark(self._joiner.finish(), self._mark)
        return [*self._split(rest), *self._splitter.finish()]

    def _split(self, text: str) -> Iterable[AnswerEvent]:
        return self._splitter.feed(text) if text else ()


def sources_of(listed: list[Any]) -> Iterator[Source]:
    """Read sources as the API lists them; a passage that is listed twice counts once."""
    seen = set()
    for item in listed:
        if isinstance(item, dict) and (source := _source(item)) not in seen:
            seen.add(source)
            yield source


def _source(item: dict[str, Any]) -> Source:
    """Read a source; ``text`` begins with a block of metadata that is not part of the document."""
    text = str(item.get("text") or "")
    if text.startswith("<document_metadata>"):
        text = text.partition("</document_metadata>")[2].lstrip("\n")
    uri = item.get("chunkSource") or item.get("url") or ""
    title = item.get("title") or uri or item.get("id") or ""
    return Source(whole(str(title)), whole(str(uri)), whole(text))
