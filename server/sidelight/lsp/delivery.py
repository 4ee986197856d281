"""How an answer reaches a client that shows it itself: as a stream of deltas. And what edits are made of.

Edits of open documents: ``live_edit.py``; of others: ``file_edit.py``. Pages: ``pages.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from lsprotocol import types

from sidelight.core.answers import Answer, AnswerEvent, Note, Reasoning, Replace, Source, Sources, Status, Text
from sidelight.editing.line_diff import hunks
from sidelight.editing.text import Place, Range, split_lines
from sidelight.errors import ProviderError, SidelightError
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Document
from sidelight.lsp.framing import frame
from sidelight.lsp.stdio import Writer
from sidelight.messages import Message, msg

_FRAME_EVERY_S = 0.016
_ANNOTATION = "sidelight"

DescribeSources = Callable[[Sequence[Source]], Awaitable[list[dict[str, Any]]]]
"""Returns sources as the protocol has them; never raises."""


class StreamDelivery:
    """Partial results of ``sidelight/run``: deltas, the first at once, then at most one frame each 16 ms.

    While the client does not keep up, deltas merge. A frame of text is a prepared prefix and an escaped string, because
    general serialisers cost ten times as much as all the rest of a delta's way.
    """

    def __init__(self, client: Client, writer: Writer, token: str | int | None, describe: DescribeSources) -> None:
        self._client = client
        self._describe = describe
        self._telling: asyncio.Task[None] | None = None
        self._writer = writer
        self._token = token
        self._loop = asyncio.get_running_loop()
        head = f'{{"jsonrpc":"2.0","method":"$/progress","params":{{"token":{json.dumps(token)},"value":{{"kind":"'
        self._heads = {kind: f'{head}{kind}","text":'.encode("ascii") for kind in ("text", "reasoning")}
        self._kind = "text"
        self._pending: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next_frame_at = 0.0

    def receive(self, event: AnswerEvent) -> None:
        """Send the event on, now or with the next frame."""
        if self._token is None:
            return
        if isinstance(event, Text):
            self._add("text", event.text)
        elif isinstance(event, Reasoning):
            self._add("reasoning", event.text)
        elif isinstance(event, Sources):
            if self._telling is not None:
                self._telling.cancel()
            self._telling = self._loop.create_task(self._tell_sources(event.sources))
        elif (value := self._value(event)) is not None:
            self._flush()
            self._client.protocol.tell(types.PROGRESS, {"token": self._token, "value": value})

    async def finish(self, answer: Answer) -> Message | None:
        """Send what is still waiting."""
        del answer
        if self._telling is not None:
            await self._telling
        self._flush()
        return None

    async def _tell_sources(self, sources: tuple[Source, ...]) -> None:
        """Tell of sources as soon as their files are found; text goes on meanwhile."""
        value = {"kind": "sources", "sources": await self._describe(sources)}
        self._flush()
        self._client.protocol.tell(types.PROGRESS, {"token": self._token, "value": value})

    def _value(self, event: AnswerEvent) -> dict[str, Any] | None:
        match event:
            case Replace(text):
                return {"kind": "replace", "text": text}
            case Status(message) | Note(message, is_warning=True):
                return {"kind": "status", "text": self._client.write(message)}
        return None

    def _add(self, kind: str, text: str) -> None:
        if kind != self._kind:
            self._flush()
            self._kind = kind
        self._pending.append(text)
        if self._timer is None:
            self._flush_when_due()

    def _flush_when_due(self) -> None:
        self._timer = None
        wait_s = self._next_frame_at - self._loop.time()
        if wait_s <= 0 and self._writer.has_room:
            self._flush()
        elif self._pending:
            # A client that does not keep up is looked at again later. Never round a wait up: it would add up.
            self._timer = self._loop.call_later(wait_s if wait_s > 0 else _FRAME_EVERY_S, self._flush_when_due)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            text = json.dumps("".join(self._pending)).encode("ascii")
            self._pending.clear()
            self._writer.write(frame(b"".join((self._heads[self._kind], text, b"}}}"))))
            self._next_frame_at = self._loop.time() + _FRAME_EVERY_S


def edit_of(document: Document, edits: Sequence[dict[str, Any]], *, document_changes: bool) -> dict[str, Any]:
    """Return LSP's edit of a document as it is now: versioned, where the client can."""
    if not document_changes:
        return {"changes": {document.uri: list(edits)}}
    identifier = {"uri": document.uri, "version": document.version if document.is_open else None}
    return {"documentChanges": [{"textDocument": identifier, "edits": list(edits)}]}


def with_confirmation(edit: dict[str, Any], label: str, description: str) -> dict[str, Any]:
    """Return an edit of LSP's that the client shows to its user, who applies it, parts of it, or nothing."""
    annotation = {"label": label, "needsConfirmation": True, "description": description}
    changes = [
        {**change, "edits": [{**one, "annotationId": _ANNOTATION} for one in change["edits"]]}
        if "edits" in change
        else {**change, "annotationId": _ANNOTATION}
        for change in edit["documentChanges"]
    ]
    return {"documentChanges": changes, "changeAnnotations": {_ANNOTATION: annotation}}


def workspace_edit(document: Document, place: Range, text: str, *, document_changes: bool) -> dict[str, Any]:
    """Return LSP's edit that puts ``text`` in a place of a document as it is now."""
    edit = {"range": document.lsp_range(place), "newText": text}
    return edit_of(document, [edit], document_changes=document_changes)


def edits_between(document: Document, place: Range, old: str, new: str) -> list[dict[str, Any]]:
    """Return LSP's edits of the lines that differ between a place's text and a new one; none where nothing does."""
    before, after = split_lines(old), split_lines(new)
    edits = []
    for hunk in hunks(before, after):
        ends = [_line_start(place, line, len(before)) for line in (hunk.first, hunk.end)]
        text = "".join(after[hunk.new_first : hunk.new_end])
        edits.append({"range": document.lsp_range(Range(*ends)), "newText": text})
    return edits


def _line_start(place: Range, line: int, count: int) -> Place:
    if line == 0:
        return place.start
    return place.end if line >= count else Place(place.start.line + line, 0)


def not_applied(reason: Message, *, in_part: bool) -> Message:
    """Return what is said of an answer that was not applied, or in part."""
    if in_part:
        return msg("Applied in part: {reason} The rest of the old text stands.", reason=reason)
    return msg("Not applied: {reason}", reason=reason)


def failure(answer: Answer) -> SidelightError:
    """Return why an answer without text failed."""
    error = answer.finished.error if answer.finished else None
    return error or ProviderError("refused", msg("The answer is empty."), msg("Ask again, or ask differently."))
