"""How an answer reaches the editor: as a stream of deltas, or as one edit of a document that is not open.

Open documents: ``live_edit.py``. Pages: ``pages.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from lsprotocol import types

from sidelight.core.answers import Answer, AnswerEvent, Reasoning, Replace, Source, Sources, Status, Text
from sidelight.core.rewrite import rewritten
from sidelight.editing.line_diff import hunks
from sidelight.editing.text import Place, Range, split_lines
from sidelight.errors import ProviderError, SidelightError
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Document
from sidelight.lsp.framing import frame
from sidelight.lsp.stdio import Writer
from sidelight.lsp.subject import Subject
from sidelight.messages import Message, msg

_FRAME_EVERY_S = 0.016


class StreamDelivery:
    """Partial results of ``sidelight/run``: deltas, the first at once, then at most one frame each 16 ms.

    While the client does not keep up, deltas merge. A frame of text is a prepared prefix and an escaped string, because
    general serialisers cost ten times as much as all the rest of a delta's way.
    """

    def __init__(self, client: Client, writer: Writer, token: str | int | None) -> None:
        self._client = client
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
        elif (value := self._value(event)) is not None:
            self._flush()
            self._client.protocol.tell(types.PROGRESS, {"token": self._token, "value": value})

    async def finish(self, answer: Answer) -> Message | None:
        """Send what is still waiting."""
        del answer
        self._flush()
        return None

    def _value(self, event: AnswerEvent) -> dict[str, Any] | None:
        match event:
            case Replace(text):
                return {"kind": "replace", "text": text}
            case Status(message):
                return {"kind": "status", "text": self._client.write(message)}
            case Sources(sources):
                return {"kind": "sources", "sources": [source_value(source) for source in sources]}
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


def source_value(source: Source) -> dict[str, Any]:
    """Return a source as the protocol has it."""
    return {"title": source.title, "uri": source.uri, "text": source.text}


def edit_of(document: Document, edits: Sequence[dict[str, Any]], *, document_changes: bool) -> dict[str, Any]:
    """Return LSP's edit of a document as it is now: versioned, where the client can."""
    if not document_changes:
        return {"changes": {document.uri: list(edits)}}
    identifier = {"uri": document.uri, "version": document.version if document.is_open else None}
    return {"documentChanges": [{"textDocument": identifier, "edits": list(edits)}]}


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


class FileEdit:
    """Puts an answer into a document that is not open, as one edit at the end: there is no buffer to look at.

    ``fall_back`` shows an answer that could not be applied as a page, with the reason.
    """

    def __init__(
        self,
        client: Client,
        subject: Subject,
        task: str,
        fall_back: Callable[[Answer, Message], Awaitable[None]],
        *,
        tells_truncation: bool,
    ) -> None:
        self._client = client
        self._subject = subject
        self._task = task
        self._fall_back = fall_back
        self._tells_truncation = tells_truncation

    def receive(self, event: AnswerEvent) -> None:
        """Wait for the end."""

    async def finish(self, answer: Answer) -> Message | None:
        """Apply the answer, or show it as a page that says why it was not applied."""
        finished = answer.finished
        if finished is not None and finished.finish == "stopped":
            if answer.text:
                await self._fall_back(answer, msg("Not applied: {reason}", reason=msg("It was stopped.")))
            return msg("stopped")
        if not answer.text:
            self._client.show_error(failure(answer))
            return msg("failed")
        context, document = self._subject.context, self._subject.document
        assert document is not None
        new, outcome = await asyncio.to_thread(
            rewritten, self._task, answer, context, tells_truncation=self._tells_truncation
        )
        if outcome.kind == "same":
            self._client.show(types.MessageType.Info, msg("The answer changes nothing here."))
            return msg("nothing to change")
        reason = outcome.reason
        edits = edits_between(document, context.target, context.target_text, new)
        if edits:
            edit = edit_of(document, edits, document_changes=self._client.can.document_changes)
            if not await self._client.apply_edit(edit, self._client.write(msg("Sidelight"))):
                reason, edits = msg("The editor did not take the edit."), []
        if reason is None:
            return msg("applied")
        await self._fall_back(answer, not_applied(reason, in_part=bool(edits)))
        return msg("applied in part") if edits else msg("not applied")


def not_applied(reason: Message, *, in_part: bool) -> Message:
    """Return what is said of an answer that was not applied, or in part."""
    if in_part:
        return msg("Applied in part: {reason} The rest of the old text stands.", reason=reason)
    return msg("Not applied: {reason}", reason=reason)


def failure(answer: Answer) -> SidelightError:
    """Return why an answer without text failed."""
    error = answer.finished.error if answer.finished else None
    return error or ProviderError("refused", msg("The answer is empty."), msg("Ask again, or ask differently."))
