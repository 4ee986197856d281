"""Delivers an edit task's answer into a document that was not open when it was asked for: one edit, at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lsprotocol import types

from sidelight.core.answers import Answer, AnswerEvent
from sidelight.core.context import Context
from sidelight.core.rewrite import rewritten
from sidelight.editing.live_plan import Plan
from sidelight.editing.text import lines_of, without_line_end
from sidelight.errors import SidelightError
from sidelight.lsp.buffer import ADVICE, BufferWriter, UnwrittenError
from sidelight.lsp.client import Client, label_of
from sidelight.lsp.delivery import edit_of, edits_between, failure, not_applied, with_confirmation
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.restoring import Restoring
from sidelight.messages import Message, msg


def as_it_was(documents: Documents, uri: str, context: Context) -> Document | None:
    """Return the document as it is now; None where its target is not what the model saw."""
    try:
        document = documents.read(uri)
    except SidelightError:
        return None
    first, end = context.target.start.line, context.target_end
    return document if tuple(document.text.lines[first:end]) == context.lines[first:end] else None


class _DeclinedError(Exception):
    """The user did not want the edit."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.document = document


@dataclass(slots=True)
class FileEdit:
    """A delivery, see ``jobs.Delivery``. Where there is no buffer to look at, a client's yes is believed.

    ``show_page`` shows an answer that was not applied, or in part, with what is told about it. With ``previews`` the
    user says what is written; ``keep_answer`` lets the user have an answer that was not wanted.
    """

    client: Client
    documents: Documents
    restoring: Restoring
    context: Context
    uri: str
    task: str
    job: str
    title: str
    show_page: Callable[[Answer, Message], Awaitable[None]]
    tells_truncation: bool
    keep_answer: Callable[[Answer, Document], None]
    previews: bool = False

    @property
    def _label(self) -> str:
        return label_of(self.title, self.job)

    @property
    def _advice(self) -> str:
        return self.client.write(ADVICE)

    def receive(self, event: AnswerEvent) -> None:
        """Wait for the end."""

    async def finish(self, answer: Answer) -> Message | None:
        """Apply the answer, or show it as a page that says why it was not applied."""
        finished = answer.finished
        if finished is not None and finished.finish == "stopped":
            if answer.text:
                await self.show_page(answer, not_applied(msg("It was stopped."), in_part=False))
            return msg("stopped")
        if not answer.text:
            self.client.show_error(failure(answer))
            return msg("failed")
        new, outcome = await asyncio.to_thread(
            rewritten, self.task, answer, self.context, tells_truncation=self.tells_truncation
        )
        if outcome.kind == "same":
            self.client.show(types.MessageType.Info, msg("The answer changes nothing here."))
            return msg("nothing to change")
        is_changed = new != self.context.target_text
        try:
            reason = await self._apply(new) if is_changed else None
        except _DeclinedError as declined:
            self.keep_answer(answer, declined.document)
            return msg("not applied")
        in_part = is_changed and reason is None
        reason = reason or outcome.reason
        if reason is None:
            return msg("applied")
        await self.show_page(answer, not_applied(reason, in_part=in_part))
        return msg("applied in part") if in_part else msg("not applied")

    async def _apply(self, new: str) -> Message | None:
        """Write the target's new text; returns why that was not possible."""
        document = as_it_was(self.documents, self.uri, self.context)
        if document is None:
            return msg("{name} was changed at that place meanwhile.", name=self.context.name)
        point = await self.restoring.before_edit(document, self.task, self.job)
        try:
            await (self._into_buffer(document, new) if document.is_open else self._into_file(document, new))
        except UnwrittenError as error:
            return error.reason
        except _DeclinedError:
            await self.restoring.no_edit(point)
            raise
        await self.restoring.after_edit(document, point)
        return None

    async def _into_buffer(self, document: Document, new: str) -> None:
        writer = BufferWriter(self.client, self.documents, document, self.context.target, self._label)
        lines = [without_line_end(line) for line in lines_of(new)]

        def plan() -> Plan:
            return writer.region.plan_lines(writer.region.with_target(lines))

        try:
            if not self.previews:
                await writer.write(plan)
            elif (answered := await writer.offer(plan, self.title)) == "refused":
                raise _DeclinedError(document)
            elif answered == "outdated":
                raise UnwrittenError(msg("{name} was changed at that place meanwhile.", name=document.name))
        finally:
            writer.close()

    async def _into_file(self, document: Document, new: str) -> None:
        edits = edits_between(document, self.context.target, self.context.target_text, new)
        edit = edit_of(document, edits, document_changes=self.client.can.document_changes)
        if self.previews:
            applied = await self.client.try_edit(with_confirmation(edit, self.title, self._advice), self._label)
            if applied is None:
                raise UnwrittenError(msg("The editor did not answer."))
            if not applied:
                raise _DeclinedError(document)
        elif not await self.client.apply_edit(edit, self._label):
            raise UnwrittenError(msg("The editor did not take the edit."))
        document.text.replace(self.context.target, new)  # what it is now, for the restore point
