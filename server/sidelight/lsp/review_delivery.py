"""Delivers a review: each finding becomes a diagnostic when its line is complete, many at a time where they come fast.

The whole text is the conversation's answer, as always; it becomes a page where no finding could be read from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from sidelight.core.answers import Answer, AnswerEvent, Finished, Replace, Text
from sidelight.core.finding_places import Reviewed
from sidelight.core.findings import FindingStream
from sidelight.editing.text import Units
from sidelight.lsp.delivery import DescribeSources, failure
from sidelight.lsp.documents import Document
from sidelight.lsp.findings import Findings, Review, ReviewedFile
from sidelight.lsp.jobs import Delivery
from sidelight.lsp.page_delivery import incomplete_note
from sidelight.lsp.pages import Pages
from sidelight.lsp.subject import Subject
from sidelight.messages import Message, msg

# All findings of a document are published each time: one by one, a long review would cost the square of its length.
_SHOW_EVERY_S = 0.25


def files_of(subject: Subject, encoding: Units) -> tuple[ReviewedFile, ...]:
    """Return the files that a review of a subject looks at; none where it is about no document."""
    if subject.files or subject.document is None:
        return tuple(
            ReviewedFile(uri, file, _snapshot(uri, "", file, encoding)) for uri, file in subject.files
        )  # fmt: skip
    context, uri = subject.context, subject.document.uri
    end = max(context.target_end, context.target.start.line + 1)
    file = Reviewed(context.name, context.lines, context.target.start.line, end)
    return (ReviewedFile(uri, file, _snapshot(uri, context.language_id, file, encoding)),)


def _snapshot(uri: str, language_id: str, file: Reviewed, encoding: Units) -> Document:
    snapshot = Document(uri, language_id, None, "".join(file.lines), encoding)
    snapshot.is_open = False
    return snapshot


class ReviewDelivery:
    """A delivery, see ``jobs.Delivery``."""

    def __init__(self, findings: Findings, pages: Pages, review: Review, describe: DescribeSources) -> None:
        self._findings = findings
        self._pages = pages
        self._client = pages.client
        self._review = review
        self._describe = describe
        self._stream = FindingStream([file.reviewed for file in review.files])
        self._has_begun = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._next_show_at = 0.0

    def receive(self, event: AnswerEvent) -> None:
        """Show what the event adds: the first finding at once, others within a moment."""
        match event:
            case Text(text):
                has_changed = self._stream.feed(text)
            case Replace(text):
                self._stream.restart()
                self._stream.feed(text)
                has_changed = True
            case _:
                return
        if has_changed and self._timer is None:
            self._show_when_due()

    def _show_when_due(self) -> None:
        self._timer = None
        wait_s = self._next_show_at - self._loop.time()
        if wait_s <= 0:
            self._show()
        else:
            self._timer = self._loop.call_later(wait_s, self._show_when_due)

    def _show(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._findings.clear_for(self._review)
        self._findings.set(self._review, self._stream.findings)
        self._next_show_at = self._loop.time() + _SHOW_EVERY_S

    async def conclude(self, answer: Answer) -> None:
        """Show what is still held; an earlier review of the same lines is over, also where this one found nothing."""
        is_due = self._timer is not None  # perhaps to take back what is shown
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._stream.finish()
        self._review.answer = answer
        if is_due or self._stream.findings or (answer.finished and answer.finished.finish == "complete"):
            self._show()
        if answer.sources and self._stream.findings:
            self._review.related = _related(await self._describe(answer.sources))
            self._findings.publish(self._review)

    async def finish(self, answer: Answer) -> Message | None:
        """Say what was found, and how it ended."""
        await self.conclude(answer)
        finished = answer.finished or Finished("cut_off")
        is_stopped = finished.finish == "stopped"
        if not answer.text:
            if is_stopped:
                return msg("stopped")
            self._client.show_error(failure(answer))
            return msg("failed")
        count, lost = len(self._stream.findings), len(self._review.lost)
        if finished.error is not None:
            told = msg("The review is incomplete: {reason}", reason=finished.error.message)
            self._client.show(types.MessageType.Warning, told, finished.error.hint)
        elif not count and self._stream.is_clean and not is_stopped:
            name = self._review.subject.context.name
            self._client.show(types.MessageType.Info, msg("The review has found nothing in {name}.", name=name))
        if not count and not self._stream.is_clean:
            await self._show_page(answer)
        if lost:
            told = msg("{count} findings are about lines that you have changed meanwhile.", count=lost)
            self._client.show(types.MessageType.Info, told)
        return msg("stopped") if is_stopped else msg("{count} findings", count=count)

    async def _show_page(self, answer: Answer) -> None:
        page = self._pages.new(self._review.title, self._review.subject, answer)
        page.notice = self._client.write(msg("This answer names no lines, so nothing of it is shown in the document."))
        page.foot = incomplete_note(answer, self._client)
        await self._pages.show(page)


def _related(sources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those sources that are files on this machine, as LSP's related information."""
    start = {"line": 0, "character": 0}
    return [
        {"location": {"uri": source["file"], "range": {"start": start, "end": start}}, "message": source["title"]}
        for source in sources
        if source.get("file")
    ]


class FindingsBeside:
    """Shows the findings of a review whose text goes to the client by another delivery."""

    def __init__(self, delivery: Delivery, review: ReviewDelivery) -> None:
        self._delivery = delivery
        self._review = review

    def receive(self, event: AnswerEvent) -> None:
        """Deliver the event, and show what it adds."""
        self._delivery.receive(event)
        self._review.receive(event)

    async def finish(self, answer: Answer) -> Message | None:
        """Deliver what remains."""
        await self._review.conclude(answer)
        return await self._delivery.finish(answer)
