"""Edit tasks in open documents: how each is delivered, what is kept for it, and the commands of its review."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import attrs
from lsprotocol import types

from sidelight.core.answers import Answer
from sidelight.core.rewrite import Outcome, Rewrite
from sidelight.core.tasks import TASKS, Task
from sidelight.editing.text import Place, Range
from sidelight.lsp.buffer import BufferWriter
from sidelight.lsp.client import Client, label_of, new_label
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.live_edit import LiveEdit, Mode
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.restoring import Restoring
from sidelight.lsp.reviews import Review, Reviews
from sidelight.lsp.subject import Asked, Subject
from sidelight.messages import Message, msg, plain

log = logging.getLogger(__name__)

ShowPage = Callable[[Subject, str, Answer, Message], Awaitable[None]]
Show = Callable[[], Awaitable[None]]

_AFTER_THE_ANSWER_S = 0.05
_GO_ON = "The lines above the part to change are done already. Go on from there, and repeat none of them."


@dataclass(frozen=True, slots=True)
class Aside:
    """Who hears how a delivery went: a client that shows messages, and what shows an answer as a page."""

    client: Client
    show_page: ShowPage


@dataclass(slots=True)
class Edits:
    """What a session has of edits. ``start`` begins a task."""

    client: Client
    documents: Documents
    restoring: Restoring
    start: Callable[[Task, Asked], object]
    show_page: ShowPage
    reviews: Reviews = field(init=False)
    _writers: list[BufferWriter] = field(default_factory=list)
    _running: set[asyncio.Future[Any]] = field(default_factory=set)
    _later: list[asyncio.Future[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reviews = Reviews(self.client, self.documents)

    def _obstacle(self, document: Document, place: Range) -> Message | None:
        """Return why nothing may be written at a place now: two edits there would both be wrong."""
        running = (writer.target for writer in self._writers if writer.document is document and not writer.is_over)
        if any(_meet(place, other) for other in running):
            return msg("Another edit was being written at this place.")
        return None

    def delivery(
        self,
        job: str,
        task: Task,
        asked: Asked,
        subject: Subject,
        title: str,
        *,
        mode: Mode,
        tells_truncation: bool,
        obstacle: Message | None = None,
        aside: Aside | None = None,
    ) -> LiveEdit:
        """Return the delivery of a task that edits an open document; with an ``obstacle``, it becomes a page.

        ``aside`` says who hears how it went, where that is not the user.
        """
        document = subject.document
        assert document is not None
        assert subject.target is not None
        self.restoring.prepare()
        rewrite = Rewrite(task.name, subject.context, tells_truncation=tells_truncation, asked=task.asked)
        obstacle = obstacle or self._obstacle(document, subject.target.range)
        writer = BufferWriter(self.client, self.documents, document, subject.target.range, label_of(title, job))
        self._writers = [other for other in self._writers if not other.is_over] + [writer]
        aside = aside or Aside(self.client, self.show_page)
        edit_job = _EditJob(self, job, task, asked, subject, title, rewrite, aside.show_page)
        return LiveEdit(aside.client, writer, rewrite, mode, edit_job, title=title, obstacle=obstacle)

    # Commands. Each answers at once: some editors send nothing and take no edit while one runs.

    def commands(self) -> dict[str, Callable[[Any], dict[str, bool]]]:
        """Return the table: command -> what does it."""
        return {
            "sidelight.keep": self._command(self._keep),
            "sidelight.undo": self._command(self._undo),
            "sidelight.applyAnyway": self._command(self._apply_anyway),
            "sidelight.retry": self._command(self._retry),
            "sidelight.refine": self._command(self._refine),
            "sidelight.continue": self._command(self._continue),
            "sidelight.nextChange": self._command(self._next_change),
            "sidelight.showAnswer": self._command(self._show_answer),
            "sidelight.restore": self._restore,
            "sidelight.clearHistory": self._clear_history,
        }

    def _command(self, do: Callable[[Review, dict[str, Any]], Awaitable[object]]) -> Callable[[Any], dict[str, bool]]:
        def command(argument: Any) -> dict[str, bool]:
            review = self._find(argument or {})
            if review is None:
                hint = msg("A text from before an earlier edit can be restored: code action or command “Restore”.")
                self.client.show(types.MessageType.Info, msg("There is no edit of Sidelight to review here."), hint)
                return {"accepted": False}
            self._spawn(self._in_turn(do, review, argument or {}))
            return {"accepted": True}

        return command

    async def _in_turn(
        self, do: Callable[[Review, dict[str, Any]], Awaitable[object]], review: Review, argument: dict[str, Any]
    ) -> None:
        """One command at a time for an edit: a second click may find nothing left to do.

        Emacs leaves lying, until something else comes, what it reads together with the answer to a command.
        """
        await asyncio.sleep(_AFTER_THE_ANSWER_S)
        async with review.lock:
            if self.reviews.by_id(review.id) is review:
                await do(review, argument)

    def _find(self, argument: dict[str, Any]) -> Review | None:
        """Return the review that is meant: that of the id, else the latest of the document, else the latest."""
        id_, uri, number = argument.get("edit"), argument.get("uri"), argument.get("hunk")
        if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
            raise InvalidParams("hunk must be a number.")
        if id_ is not None:
            return self.reviews.by_id(id_)
        if isinstance(uri, str):
            document = self.documents.opened(uri)
            return next(iter(self.reviews.of(document)), None) if document else None
        return self.reviews.latest

    def do_later(self, work: Coroutine[None, None, None]) -> None:
        """Do what is left to do after a job has ended; it is cancelled by ``end``."""
        self._later.append(self._spawn(work))

    async def end(self) -> None:
        """Let go of the previews whose users have not decided yet."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    def _spawn(self, work: Awaitable[object]) -> asyncio.Future[Any]:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        self._later = [later for later in self._later if later is not task]
        if not task.cancelled() and (error := task.exception()):
            log.error("work on an edit failed in a way that it should not", exc_info=error)
            name = type(error).__name__
            self.client.show(types.MessageType.Error, msg("Sidelight made a mistake ({name}).", name=name))

    async def _keep(self, review: Review, argument: dict[str, Any]) -> None:
        self.reviews.keep(review, argument.get("hunk"))

    async def _undo(self, review: Review, argument: dict[str, Any]) -> None:
        await self.reviews.undo(review, argument.get("hunk"))

    async def _apply_anyway(self, review: Review, _: dict[str, Any]) -> None:
        point = await self.restoring.before_edit(review.document, "apply", review.id)
        await self.reviews.apply_anyway(review)
        await self.restoring.after_edit(review.document, point)

    async def _retry(self, review: Review, _: dict[str, Any]) -> None:
        label = new_label(review.title, "retry")
        if review.can_retry and await self.reviews.undo_hunks(review, list(review.hunks), label):
            place = review.place.range
            self.reviews.keep(review)
            review.again(place, "")

    async def _refine(self, review: Review, argument: dict[str, Any]) -> None:
        instruction = argument.get("instruction")
        place = review.place.range
        asked = self._asked(review.document, place, instruction if isinstance(instruction, str) else "")
        self.start(TASKS["generate"], asked)

    async def _continue(self, review: Review, _: dict[str, Any]) -> None:
        if review.rest is not None:
            place = review.rest.range
            self.reviews.keep(review)
            review.again(place, _GO_ON)

    async def _next_change(self, review: Review, argument: dict[str, Any]) -> None:
        line = argument.get("line")
        place = self.reviews.next_change(review, Place(line, 0) if isinstance(line, int) else None)
        if place is not None:
            await self.client.show_document(review.document.uri, review.document.lsp_range(place))

    async def _show_answer(self, review: Review, _: dict[str, Any]) -> None:
        if review.show_answer is not None:
            await review.show_answer()

    def _restore(self, argument: Any) -> dict[str, bool]:
        argument = argument or {}
        uri, point = argument.get("uri"), argument.get("point")
        if not isinstance(uri, str) or not (point is None or (isinstance(point, int) and not isinstance(point, bool))):
            raise InvalidParams("uri must be a string, and point a number.")
        self._spawn(self.restoring.restore(uri, point))
        return {"accepted": True}

    def _clear_history(self, _: Any) -> dict[str, bool]:
        self._spawn(self.restoring.clear())
        return {"accepted": True}

    def _asked(self, document: Document, place: Range, instruction: str) -> Asked:
        start, end = (document.lsp_range(place)[name] for name in ("start", "end"))
        range_ = types.Range(types.Position(**start), types.Position(**end))
        return Asked(document.uri, range_, instruction, is_exact=True)

    def again(self, task: Task, asked: Asked, subject: Subject, place: Range, more: str) -> None:
        """Ask once more, at a place that may have moved; ``more`` is to be said beside what was asked."""
        assert subject.document is not None
        instruction = " ".join(part for part in (subject.context.instruction, more) if part)
        moved = self._asked(subject.document, place, instruction)
        by = place.start.line - subject.context.target.start.line
        diagnostics = () if more else tuple(_moved(diagnostic, by) for diagnostic in asked.diagnostics)
        self.start(task, replace(moved, diagnostics=diagnostics, workspace=asked.workspace))


def _meet(one: Range, other: Range) -> bool:
    if one.is_empty or other.is_empty:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _moved(diagnostic: types.Diagnostic, by: int) -> types.Diagnostic:
    start, end = diagnostic.range.start, diagnostic.range.end
    moved = types.Range(
        types.Position(max(0, start.line + by), start.character), types.Position(max(0, end.line + by), end.character)
    )
    return attrs.evolve(diagnostic, range=moved)


@dataclass(slots=True)
class _EditJob:
    """What a live edit asks of the session: an ``Aftermath``."""

    edits: Edits
    id: str
    task: Task
    asked: Asked
    subject: Subject
    title: str
    rewrite: Rewrite
    tell_by_page: ShowPage
    _point: int = 0

    async def before_first_edit(self) -> None:
        """Commit a restore point."""
        self._point = await self.edits.restoring.before_edit(self._document, self.task.name, self.id)

    async def show_page(self, answer: Answer, told: Message) -> None:
        """Show the whole answer as a page."""
        await self.tell_by_page(self.subject, self.title, answer, told)

    async def after_last_edit(self) -> None:
        """Add to the restore point what became of the text."""
        await self.edits.restoring.after_edit(self._document, self._point)

    async def no_edit(self) -> None:
        """Forget the restore point."""
        await self.edits.restoring.no_edit(self._point)

    def keep_answer(self, writer: BufferWriter, answer: Answer) -> None:
        """Let the user have the answer: it can be shown, asked for again, and dismissed."""
        document, show = self._document, self._show(answer)
        if document.is_open:
            place = document.track(writer.target, grows=True)
            self.edits.reviews.add(
                Review(self.id, self.title, document, place, [], again=self._again, show_answer=show,
                       can_retry=bool(self.task.orders))
            )  # fmt: skip

    def do_later(self, work: Coroutine[None, None, None]) -> None:
        """Do what is left to do after the job has ended."""
        self.edits.do_later(work)

    def _show(self, answer: Answer) -> Show:
        return lambda: self.edits.show_page(self.subject, self.title, answer, plain(self.title))

    def _again(self, place: Range, more: str) -> None:
        self.edits.again(self.task, self.asked, self.subject, place, more)

    def review(self, writer: BufferWriter, answer: Answer, outcome: Outcome) -> None:
        """Let the user review the edit: its hunks, and what was not applied."""
        document, reviews = self._document, self.edits.reviews
        if not document.is_open:
            return
        if self.subject.target is not None:
            self.subject.target.range = writer.target  # for what is inserted below it
        hunks = reviews.hunks_of(writer)
        is_whole = outcome.kind == "whole" and not writer.region.has_steps
        whole = (lambda: self.rewrite.anyway(answer)) if not is_whole and self.rewrite.has_code else None
        if not hunks and whole is None:
            return
        rest = writer.unfinished
        review = Review(
            id=self.id,
            title=self.title,
            document=document,
            place=document.track(writer.target, grows=True),
            hunks=hunks,
            rest=document.track(rest) if outcome.can_continue and hunks and not rest.is_empty else None,
            whole=whole,
            before=self.subject.context.lines[self.subject.context.target.start.line : self.subject.context.target_end],
            again=self._again,
            show_answer=self._show(answer),
            can_retry=bool(self.task.orders),
        )
        reviews.add(review)

    @property
    def _document(self) -> Document:
        assert self.subject.document is not None
        return self.subject.document
