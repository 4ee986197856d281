"""How an answer reaches the editor: as a stream of deltas, or as one edit of the document (pages: ``pages.py``)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types

from sidelight.core.answers import Answer, AnswerEvent, Reasoning, Replace, Source, Sources, Status, Text
from sidelight.core.replacement import NotApplied, replacement
from sidelight.editing.line_diff import line_change
from sidelight.editing.text import Place, Range
from sidelight.errors import ProviderError, SidelightError
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.framing import frame
from sidelight.lsp.stdio import Writer
from sidelight.lsp.subject import Subject
from sidelight.messages import Message, msg

_FRAME_EVERY_S = 0.016
_EDIT_ATTEMPTS = 3
# Neovim sends its didChange up to 150 ms after an edit, Eglot when idle for 500 ms.
_ARRIVAL_S = 3.0


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


def workspace_edit(document: Document, place: Range, text: str, *, document_changes: bool) -> dict[str, Any]:
    """Return LSP's edit that puts ``text`` in a place of a document as it is now: versioned, where the client can."""
    edit = {"range": document.lsp_range(place), "newText": text}
    if not document_changes:
        return {"changes": {document.uri: [edit]}}
    identifier = {"uri": document.uri, "version": document.version if document.is_open else None}
    return {"documentChanges": [{"textDocument": identifier, "edits": [edit]}]}


class Edit:
    """What an edit task's answer does to the document: the new text of the subject's target."""

    def __init__(self, subject: Subject, answer: Answer) -> None:
        assert subject.document is not None
        self._document: Document = subject.document
        self._subject = subject
        self._old = subject.context.target_text
        self.new = replacement(answer, subject.context)

    @property
    def is_empty(self) -> bool:
        """Whether the answer leaves everything as it is."""
        return self.new == self._old

    def stands_in(self, text: str, *, is_touched: bool) -> bool:
        """Whether ``text``, which was the target's and may have changed, is the new one (and what else was typed)."""
        if not is_touched:
            return False
        if len(self.new) > len(self._old) and self.new in text:
            return True
        typed = len(text) - len(self.new)
        # All that differs was typed into the new text; of a text nearer to the old one, that would be a guess.
        return _distance(text, self.new) == typed and (not typed or typed < _distance(text, self._old))

    def workspace_edit(self, *, document_changes: bool) -> dict[str, Any]:
        """Return the edit of the document as it is now. Raises ``NotApplied`` when it would be wrong there."""
        document, target = self._document, self._target()
        change = line_change(self._old, self.new)
        assert change is not None
        start = Place(target.start.line + change.first, target.start.column if change.first == 0 else 0)
        end = target.end if change.end > self._old_lines() else Place(target.start.line + change.end, 0)
        place = Range(start, max(start, end))
        return workspace_edit(document, place, change.text, document_changes=document_changes)

    def _old_lines(self) -> int:
        target = self._subject.context.target
        return target.end.line - target.start.line

    def _target(self) -> Range:
        tracked = self._subject.target
        if tracked is None:
            return self._subject.context.target  # not open: nobody has typed in it
        if not self._document.is_open:
            raise NotApplied(msg("{name} was closed meanwhile.", name=self._document.name))
        if tracked.is_touched or self._document.text.between(tracked.range) != self._old:
            raise NotApplied(msg("{name} was changed at that place meanwhile.", name=self._document.name))
        return tracked.range


def _distance(one: str, other: str) -> int:
    """Return how long the part is in which two texts differ, from the first difference to the last."""
    least, most = sorted((len(one), len(other)))
    head = next((i for i in range(least) if one[i] != other[i]), least)
    tail = next((i for i in range(least - head) if one[-1 - i] != other[-1 - i]), least - head)
    return most - head - tail


class EditDelivery:
    """Puts an answer into the document as one edit at the end, and sees that it arrives.

    ``fall_back`` shows an answer that could not be applied as a page, with the reason.
    """

    def __init__(
        self,
        client: Client,
        documents: Documents,
        subject: Subject,
        fall_back: Callable[[Answer, Message], Awaitable[Message | None]],
    ) -> None:
        self._client = client
        self._documents = documents
        self._subject = subject
        self._fall_back = fall_back

    def receive(self, event: AnswerEvent) -> None:
        """Wait for the end: nothing goes into the document before the answer is complete."""

    async def finish(self, answer: Answer) -> Message | None:
        """Apply the answer, or show it as a page that says why it was not applied."""
        finished = answer.finished
        if finished is not None and finished.finish == "stopped":
            if answer.text:
                await self._fall_back(answer, msg("It was stopped."))
            return msg("stopped")
        if not answer.text:
            self._client.show_error(failure(answer))
            return msg("failed")
        try:
            return await self._apply(Edit(self._subject, answer))
        except NotApplied as not_applied:
            return await self._fall_back(answer, not_applied.reason)

    async def _apply(self, edit: Edit) -> Message:
        if edit.is_empty:
            self._client.show(types.MessageType.Info, msg("The answer changes nothing here."))
            return msg("nothing to change")
        for _ in range(_EDIT_ATTEMPTS):
            if await self._try(edit):
                return msg("applied")
            if not self._client.can.apply_edit:
                break
        raise NotApplied(msg("The editor did not take the edit."))

    async def _try(self, edit: Edit) -> bool:
        """Send the edit once, and see whether it arrives: some clients say yes to edits that they drop.

        Where versions do not guard against applying an edit twice, a client's yes is believed.
        """
        document, target = self._subject.document, self._subject.target
        workspace_edit = edit.workspace_edit(document_changes=self._client.can.document_changes)
        label = self._client.write(msg("Sidelight"))
        if document is None or target is None:
            return await self._client.apply_edit(workspace_edit, label)  # not open: there will be no didChange
        arrival = document.track(target.range, grows=True)
        changed = asyncio.Event()
        forget = self._documents.listen(lambda _: changed.set())
        try:
            applied = await self._client.apply_edit(workspace_edit, label)
            if applied and not self._client.can.document_changes:
                return True
            while document.is_open and not edit.stands_in(
                document.text.between(arrival.range), is_touched=arrival.is_touched
            ):
                await asyncio.wait_for(changed.wait(), _ARRIVAL_S if applied else _ARRIVAL_S / 3)
                changed.clear()
            return document.is_open
        except asyncio.TimeoutError:
            return False
        finally:
            forget()
            document.untrack(arrival)


def failure(answer: Answer) -> SidelightError:
    """Return why an answer without text failed."""
    error = answer.finished.error if answer.finished else None
    return error or ProviderError("refused", msg("The answer is empty."), msg("Ask again, or ask differently."))
