"""Answers that become pages: a page of their own, which grows where the client can read it again, or the ask page."""

from __future__ import annotations

import asyncio

from sidelight.core.answers import Answer, AnswerEvent
from sidelight.editing.text import Range
from sidelight.lsp.client import Client, label_of
from sidelight.lsp.delivery import failure, workspace_edit
from sidelight.lsp.pages import WRITE_BELOW, AskPage, Page, Pages, closed, notes_text, one_line, sources_text
from sidelight.lsp.subject import Subject
from sidelight.messages import Message, msg

# A refresh makes the client read the whole page again: twice a second at most, rarer as the page grows.
_REFRESH_S = 0.5
_REFRESH_S_A_CHARACTER = 0.5 / 50_000


class PageDelivery:
    """Shows an answer as a page: while it grows where the client can read it again, else when it has ended."""

    def __init__(self, pages: Pages, subject: Subject, title: str) -> None:
        self._pages = pages
        self._subject = subject
        self._title = title
        self._answer = Answer()
        self._page: Page | None = None
        self._refresh_at = 0.0
        self._opening: asyncio.Task[None] | None = None

    def receive(self, event: AnswerEvent) -> None:
        """Let the page grow, and be read again when it is time."""
        self._answer.add(event)
        if not self._pages.has_content or not self._answer.text:
            return
        now = asyncio.get_running_loop().time()
        if self._page is None:
            self._page = self._pages.new(self._title, self._subject, self._answer)
            self._opening = asyncio.ensure_future(self._open(self._page))
        elif self._page.is_shown and now >= self._refresh_at:
            self._pages.refresh(self._page)
            self._refresh_at = now + _REFRESH_S + len(self._answer.text) * _REFRESH_S_A_CHARACTER

    async def _open(self, page: Page) -> None:
        page.is_shown = await self._pages.client.show_document(page.uri)

    async def finish(self, answer: Answer) -> Message | None:
        """Show the whole page, with its sources and with what went wrong."""
        client = self._pages.client
        finished = answer.finished
        is_stopped = finished is not None and finished.finish == "stopped"
        if not answer.text:
            if is_stopped:
                return msg("stopped")
            client.show_error(failure(answer))
            return msg("failed")
        if self._opening is not None:
            await self._opening
        page = self._page or self._pages.new(self._title, self._subject, answer)
        page.answer = answer
        page.foot = incomplete_note(answer, client)
        await self._pages.show(page)
        return msg("stopped") if is_stopped else msg("done")


def incomplete_note(answer: Answer, client: Client) -> str:
    """Return the note below an answer that did not end well; empty below one that did."""
    finished = answer.finished
    if finished is None or finished.finish == "complete":
        return ""
    if finished.error is None:
        return f"> **{client.write(msg('Incomplete: it was stopped.'))}**"
    reason = " ".join(client.write(part) for part in (finished.error.message, finished.error.hint) if part)
    return f"> **{client.write(msg('Incomplete: {reason}', reason=one_line(reason)))}**"


class AskDelivery(PageDelivery):
    """Puts an answer on the ask page that asked for it, below what the user wrote, with a new place to write."""

    def __init__(self, pages: Pages, subject: Subject, title: str, page: AskPage, job: str) -> None:
        super().__init__(pages, subject, title)
        self._label = label_of(title, job)
        self._ask_page = page

    def receive(self, event: AnswerEvent) -> None:
        """Wait for the end: the user may still be writing on this page."""
        self._answer.add(event)

    async def finish(self, answer: Answer) -> Message | None:
        """Append the answer; where that fails, show it as a page of its own."""
        document = self._pages.documents.opened(self._ask_page.uri)
        if document is None or not answer.text:
            return await super().finish(answer)
        client = self._pages.client
        parts = [
            closed(answer.text),
            sources_text(answer, client.write),
            notes_text(answer, client.write),
            incomplete_note(answer, client),
            WRITE_BELOW,
        ]
        text = "\n\n" + "\n\n".join(part.strip("\n") for part in parts if part) + "\n\n"
        end = document.text.end
        edit = workspace_edit(document, Range(end, end), text, document_changes=client.can.document_changes)
        if await client.apply_edit(edit, self._label):
            return msg("done")
        return await super().finish(answer)
