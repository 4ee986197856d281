"""How a task asked for becomes a job: what it is about, who is asked, and where the answer goes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from sidelight.core.answers import Answer
from sidelight.core.assistant import Assistant, Question
from sidelight.core.tasks import Task
from sidelight.editing.text import Range
from sidelight.errors import SidelightError, UsageError
from sidelight.lsp.asking import find_or_ask
from sidelight.lsp.client import Progress
from sidelight.lsp.delivery import StreamDelivery, failure
from sidelight.lsp.documents import Document
from sidelight.lsp.file_edit import FileEdit
from sidelight.lsp.jobs import Ask, Delivery, Job
from sidelight.lsp.page_delivery import AskDelivery, PageDelivery, incomplete_note
from sidelight.lsp.pages import AskPage
from sidelight.lsp.preparations import make_preparation
from sidelight.lsp.reviewing import Reviewing
from sidelight.lsp.reviews import Review
from sidelight.lsp.run_result import edit_result, result_of
from sidelight.lsp.stdio import Writer
from sidelight.lsp.subject import Asked, Subject, find_subject
from sidelight.messages import Message, msg, plain

if TYPE_CHECKING:
    from sidelight.lsp.session import Session


class Running:
    """The jobs of a session's tasks, from the command or the request to the last word of the answer."""

    def __init__(self, session: Session, assistant: Assistant, writer: Writer) -> None:
        self._session = session
        self._assistant = assistant
        self._writer = writer

    def start(self, task: Task, asked: Asked) -> Job:
        """Begin a task that was asked for as a command; its answer goes into the buffer or onto a page."""
        job = Job(task.name, self._session.client)
        try:
            # Now, and not when the task comes to run: what the user types next must find the place followed.
            subject = self._subject(task, asked)
        except SidelightError as error:
            self._session.client.show_error(error)
            return job
        self._session.begin(job, self._perform(job, task, asked, subject))
        return job

    def send(self, page: AskPage, instruction: str) -> Job:
        """Send what was written on an ask page."""
        job = Job(page.task.name, self._session.client)
        subject = page.subject.with_instruction(instruction)
        self._session.begin(job, self._perform_written(job, page, subject))
        return job

    async def perform(self, job: Job, task: Task, asked: Asked) -> None:
        """Do a task for a job that has begun already."""
        await self._perform(job, task, asked, self._subject(task, asked))

    def _subject(self, task: Task, asked: Asked) -> Subject:
        return find_subject(asked, task, self._session.documents, self._session.answer_language())

    async def _perform(self, job: Job, task: Task, asked: Asked, subject: Subject) -> None:
        session = self._session
        try:
            await session.settings()
            ready = await find_or_ask(task, subject, session.client, session.pages, asked.conversation)
            if ready is not None:
                await session.models.ready()
                ready = self.checked(task, ready)
                preparation = make_preparation(session, task, asked)
                if preparation is not None:
                    task, ready = await preparation.prepare(ready)
                question = self.question(task, ready, asked)
                delivery = preparation.delivery(job, question, ready) if preparation else None
                await self._run(job, question, ready, delivery or self._delivery(job, question, asked, ready))
        finally:
            session.pages.release(subject)

    async def _perform_written(self, job: Job, page: AskPage, subject: Subject) -> None:
        asked = Asked(conversation=page.conversation)
        await self._session.models.ready()
        subject = self.checked(page.task, subject)
        question = self.question(page.task, subject, asked)
        delivery: Delivery = AskDelivery(self._session.pages, subject, self.title(page.task, subject), page, job.id)
        if page.task.edits:
            delivery = self._delivery(job, question, asked, subject)
        await self._run(job, question, subject, delivery)
        self._session.pages.continue_ask(page, question.conversation.id)

    def checked(self, task: Task, subject: Subject) -> Subject:
        """Return the subject as it is now. Raises ``UsageError`` where an edit cannot begin."""
        subject = subject.as_now()
        document = subject.document
        if not task.edits or document is None or subject.target is None:
            return subject
        if not document.is_open:
            raise UsageError(msg("{name} was closed meanwhile.", name=document.name), msg("Open it, then try again."))
        return subject

    async def _run(self, job: Job, question: Question, subject: Subject, delivery: Delivery) -> None:
        """Run a job to its end."""
        ask, title = self.ask(question), self.title(question.task, subject)
        answer = await job.run(ask, delivery, title, is_edit=question.task.edits)
        if question.task.edits:  # a page shows its notes itself
            for note in answer.notes:
                if note.is_warning:
                    self._session.client.show(types.MessageType.Warning, note.message)

    def question(self, task: Task, subject: Subject, asked: Asked) -> Question:
        """Return the question, with who is asked: what is chosen from now on concerns later ones."""
        session = self._session
        question = self._assistant.question(
            task, subject.context, asked.conversation, asked.workspace, folder=session.folder_key,
            provider=session.models.current,
        )  # fmt: skip
        return replace(question, gather=session.gathering.gatherer(subject))

    def ask(self, question: Question) -> Ask:
        """Return what begins the answer to a question."""
        return partial(self._assistant.start, question)

    def _delivery(self, job: Job, question: Question, asked: Asked, subject: Subject) -> Delivery:
        session = self._session
        task, title, mode = question.task, self.title(question.task, subject), session.edit_mode()
        if not task.edits or mode == "page":
            return PageDelivery(session.pages, subject, title)
        tells = tells_truncation(question)
        if subject.target is not None:
            return session.edits.delivery(job.id, task, asked, subject, title, mode=mode, tells_truncation=tells)

        assert subject.document is not None

        async def show_page(answer: Answer, told: Message) -> None:
            await self.show_unapplied(subject, title, answer, told)

        def keep_answer(answer: Answer, document: Document) -> None:
            def again(place: Range, more: str) -> None:
                session.edits.again(task, asked, subject, place, more)

            place, show = document.track(subject.context.target), partial(show_page, answer, plain(title))
            session.edits.reviews.add(Review(job.id, title, document, place, [], again=again, show_answer=show))

        return FileEdit(
            session.client, session.documents, session.restoring, subject.context, subject.document.uri, task.name,
            job.id, title, show_page, tells, keep_answer, previews=mode == "preview",
        )  # fmt: skip

    async def show_unapplied(self, subject: Subject, title: str, answer: Answer, told: Message) -> None:
        """Show the answer of an edit task as a page, and say why: it did not go into the document, or not whole."""
        session = self._session
        page = session.pages.new(title, subject, answer)
        error = answer.finished.error if answer.finished else None
        page.foot = incomplete_note(answer, session.client)
        page.notice = " ".join(session.client.write(part) for part in (told, error and error.message) if part)
        session.client.show(types.MessageType.Warning, told, error.message if error else None)
        await session.pages.show(page)

    def title(self, task: Task, subject: Subject) -> str:
        """Return what a job and its edits are called."""
        name = self._session.client.write(task.title)
        if subject.document is None:
            return f"Sidelight: {name}"
        line = subject.context.target.start.line + 1
        return f"Sidelight: {name} {subject.context.name}:{line}"

    # sidelight/run

    async def run_to_result(
        self, task: Task, asked: Asked, partial_token: str | int | None, work_done_token: str | int | None
    ) -> dict[str, Any]:
        """Run a task for a client that shows the text itself; returns the result of ``sidelight/run``.

        Raises the error of an answer that failed before its first text. Being cancelled stops the job.
        """
        session = self._session
        if task.needs_instruction and not asked.instruction:
            raise UsageError(msg("This task needs an instruction."), msg("Say in a few words what you want."))
        subject = self._subject(task, asked)
        stream = StreamDelivery(session.client, self._writer, partial_token, session.opening.values)
        job = Job(task.name, session.client, Progress(session.client, work_done_token, is_ours=False))
        session.jobs.add(job)
        if work_done_token in session.cancelled:
            job.stop()
        try:
            await session.settings()
            await session.models.ready()
            preparation = make_preparation(session, task, asked)
            if preparation is not None:
                task, subject = await preparation.prepare(subject)
            question = self.question(task, subject, asked)
            ask = self.ask(question)
            delivery = preparation.beside(stream, job, subject) if isinstance(preparation, Reviewing) else stream
            answer = await job.run(ask, delivery, self.title(task, subject), is_edit=False)
            session.remember_outcome(answer)
            if answer.finished and answer.finished.error and not answer.text:
                raise failure(answer)
            sources = await session.opening.values(answer.sources)
            result = result_of(answer, session.client, sources, is_streamed=partial_token is not None)
            result |= {"conversation": question.conversation.id, "turn": answer.turn}
            session.places.keep(question.conversation.id, answer.turn, subject)
            if preparation is not None:
                return result | await preparation.result(answer)
            return result | (await self._edit_result(question, subject, answer) if task.edits else {})
        finally:
            session.jobs.remove(job)
            if not session.places.has(subject):
                subject.release()

    async def _edit_result(self, question: Question, subject: Subject, answer: Answer) -> dict[str, Any]:
        tells = tells_truncation(question)
        documents, client = self._session.documents, self._session.client
        return await edit_result(question.task, subject, answer, documents, client, tells_truncation=tells)


def tells_truncation(question: Question) -> bool:
    """Whether who is asked tells when an answer was cut off."""
    return question.provider is not None and question.provider.tells_truncation
