"""One editor's session with the server: what it has, and how a task asked for becomes a job."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lsprotocol import types

from sidelight.core.answers import Answer
from sidelight.core.assistant import Assistant, Question
from sidelight.core.ports import Conversations, HistoryError, RestorePoints
from sidelight.core.tasks import Task
from sidelight.editing.fitting import fit
from sidelight.editing.live_region import lines_of
from sidelight.editing.text import Place, Range, without_line_end
from sidelight.errors import SidelightError, UsageError
from sidelight.lsp.asking import find_or_ask
from sidelight.lsp.buffer import BufferWriter, UnwrittenError
from sidelight.lsp.client import Client, Progress, new_label
from sidelight.lsp.conversations import folder_key
from sidelight.lsp.delivery import (
    StreamDelivery,
    failure,
    not_applied,
)
from sidelight.lsp.documents import Document, Documents, document_key, file_path, name_of
from sidelight.lsp.edits import Edits
from sidelight.lsp.file_edit import FileEdit
from sidelight.lsp.findings import Findings
from sidelight.lsp.gathering import Gathering
from sidelight.lsp.handshake import EditMode
from sidelight.lsp.hover import Hovers
from sidelight.lsp.jobs import Ask, Delivery, Job, Jobs
from sidelight.lsp.live_edit import Mode
from sidelight.lsp.models import Models
from sidelight.lsp.opening import Opening
from sidelight.lsp.pages import AskDelivery, AskPage, Page, PageDelivery, Pages, incomplete_note
from sidelight.lsp.places import Places
from sidelight.lsp.preparations import make_preparation
from sidelight.lsp.protocol import Protocol
from sidelight.lsp.restoring import Restoring
from sidelight.lsp.reviewing import Reviewing
from sidelight.lsp.reviews import Review
from sidelight.lsp.run_result import edit_result, result_of
from sidelight.lsp.sent import SentRequests
from sidelight.lsp.start import Wiring
from sidelight.lsp.stdio import Writer
from sidelight.lsp.structures import Structures
from sidelight.lsp.subject import Asked, Subject, find_subject
from sidelight.lsp.task_list import TaskList
from sidelight.messages import Message, msg, plain, translator
from sidelight.own_tasks import TaskFolders, user_tasks
from sidelight.settings import Settings

log = logging.getLogger(__name__)

_HISTORY_SETTINGS = ("history", "history_days", "history_mib")
# What a job that was stopped at the end takes to say so, and what is then waited for at most until it is on disk.
_LAST_WORDS_S = 0.03
_FLUSH_S = 1.8


class Session:
    """Everything that lives as long as the connection to one editor."""

    def __init__(self, wiring: Wiring, protocol: Protocol, writer: Writer) -> None:
        self._wiring = wiring
        self._writer = writer
        self.protocol = protocol
        self.client = Client(protocol)
        self.documents = Documents()
        self.jobs = Jobs(self._tell_status)
        self.pages = Pages(self.client, self.documents, wiring.pages_folder)
        self.places = Places(self.documents)
        self.opening = Opening(
            self.pages, self.conversations, lambda: self.folders, lambda: self._settings.values["sources.map"].value
        )
        self.hovers = Hovers(self.client, self.documents, self.conversations)
        self.sent = SentRequests(self.pages, self.conversations, lambda: self._latest)
        self._latest: tuple[str, int] | None = None
        self.locale = "en"
        self.sends_status = True
        self._folders: list[str] = []
        self.structures = Structures(self.documents)
        self.gathering = Gathering(self.structures, lambda: self.folders, lambda: self.is_trusted)
        self.findings = Findings(self.client, self.documents)
        self.tasks = TaskList(self, self._task_folders)
        self.restoring = Restoring(self.client, self.documents, self.restore_points)
        self.edits = Edits(self.client, self.documents, self.restoring, self.start, self.show_unapplied)
        self._settings = wiring.settings.read()
        self.models = Models(wiring, self.client, lambda: self._settings, self.reload)
        self._restore_points: RestorePoints | None = None
        self._conversations: Conversations | None = None
        self._warned: set[str] = set()
        self.cancelled: deque[str | int] = deque(maxlen=50)  # tokens of runs that are only beginning
        self._doing: set[asyncio.Task[None]] = set()  # the loop itself holds tasks only weakly
        self._status: dict[str, Any] = {}
        self._warning: Message | None = None
        self._configured = asyncio.Event()
        self._assistant = Assistant(
            self.models.provider, self.conversations, lambda: wiring.limits(self._settings),
            lambda: wiring.choosing.knowledge(self._settings),
        )  # fmt: skip

    # Settings

    def set_locale(self, locale: str | None) -> None:
        """Use the client's language from now on."""
        self.locale = locale or "en"
        self.protocol.translate = translator(self.locale)

    def set_folders(self, added: list[str], removed: list[str]) -> None:
        """Take note of the workspace folders (URIs) that came and went."""
        gone = {_folder_key(uri) for uri in removed}
        self._folders = [uri for uri in self._folders if _folder_key(uri) not in gone] + added
        paths = (file_path(uri) for uri in self._folders)
        self._wiring.settings.folders = tuple(path for path in paths if path is not None)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The workspace folders on this machine."""
        return self._wiring.settings.folders

    @property
    def is_trusted(self) -> bool:
        """Whether the workspace is trusted."""
        return self._wiring.settings.trusted or self._settings.flag("trust_workspace")

    def set_trusted(self, *, trusted: bool) -> None:
        """Take the client's word on whether the workspace is trusted."""
        self._wiring.settings.trusted = trusted

    def _task_folders(self) -> TaskFolders:
        return TaskFolders(user_tasks(self._wiring.settings.user_file), self.folders, self.is_trusted)

    def set_client_settings(self, settings: Any) -> None:
        """Take the client's ``sidelight`` section."""
        if isinstance(settings, dict):
            self._wiring.settings.client = settings

    async def settings(self) -> Settings:
        """Return the settings of this moment, once the client has said its own."""
        await self._configured.wait()
        return self._settings

    def set_configured(self) -> None:
        """Say that the client's first word about its settings is in: tasks wait for it."""
        self._configured.set()

    def read_settings(self) -> None:
        """Read the settings anew; running jobs keep what they began with."""
        before, self._settings = self._settings, self._wiring.settings.read()
        self._restore_points = None
        self.models.forget()
        self.tasks.forget()
        is_kept = before.flag("history") or self._settings.flag("history")
        if is_kept and any(before.values[it].value != self._settings.values[it].value for it in _HISTORY_SETTINGS):
            kept, self._conversations = self._conversations, None
            if kept is not None:
                self.do(asyncio.to_thread(kept.close))

    def reload(self) -> None:
        """Read the settings anew, and tell the client what came of it."""
        self.read_settings()
        self._wiring.set_log_level(self._settings.text("log_level"))
        for problem in self._settings.problems:
            if str(problem) not in self._warned:
                self._warned.add(str(problem))
                log.warning("%s", problem)
                self.client.show(types.MessageType.Warning, problem)
        self._tell_status()
        if self._configured.is_set():
            self.do(self.prepare())

    def is_settings_file(self, uri: str) -> bool:
        """Whether a saved document is a ``.env`` that counts, or would."""
        path = file_path(uri)
        source = self._wiring.settings
        return path is not None and path in {source.user_file, *(folder / ".env" for folder in source.folders)}

    def restore_points(self) -> RestorePoints:
        """Return where restore points are kept. Called on threads."""
        if self._restore_points is None:
            self._restore_points = self._wiring.restore_points(self._settings)
        return self._restore_points

    def conversations(self) -> Conversations:
        """Return where conversations are kept: one for the whole session, since it holds those that go on."""
        if self._conversations is None:
            self._conversations = self._wiring.conversations(self._settings)
        return self._conversations

    @property
    def message_limit_bytes(self) -> int:
        """The largest message that is taken from the client."""
        return self._settings.integer("message_limit_mib") << 20

    async def end(self) -> None:
        """Stop all jobs, so that connections to providers close, and let what was kept reach the disk."""
        had_jobs = bool(self.jobs)
        self.jobs.stop_all()
        self.structures.end()
        if self._conversations is not None:
            await asyncio.sleep(_LAST_WORDS_S if had_jobs else 0)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(self._conversations.close), _FLUSH_S)

    async def prepare(self) -> None:
        """Load what the first question will need, and find out who answers it, while nobody waits."""
        await self.models.ready()
        self._tell_status()
        provider = self.models.current
        if provider is not None and provider.name not in ("builtin", "transformers"):
            await asyncio.to_thread(__import__, "requests")
        with contextlib.suppress(HistoryError):
            await asyncio.to_thread(self.conversations().prepare)
        self._tell_history_problem()
        await self.tasks.own()

    # Status

    def _tell_status(self) -> None:
        if not self.sends_status:
            return
        state, message = "ready", ""
        if self.jobs:
            state, message = "busy", ", ".join(job.id for job in self.jobs)
        elif self._warning is not None:
            state, message = "warning", self.client.write(self._warning)
        who = self.models.status()
        if who is None and state == "ready":
            return  # who answers is just being found out, and is told then
        unknown = {"provider": self._settings.text("provider"), "model": "", "why": ""}
        status = {"state": state, "message": message, **(who or unknown)}
        if status != self._status:
            self._status = status
            self.protocol.tell("sidelight/status", status)

    def _remember_outcome(self, answer: Answer) -> None:
        if answer.turn:
            self._latest = answer.conversation, answer.turn
            self.hovers.forget()
        error = answer.finished.error if answer.finished else None
        self._warning = error.message if error else None
        self._tell_history_problem()

    def _tell_history_problem(self) -> None:
        """Say once that conversations cannot be kept; answers go on."""
        problem = self.conversations().problem()
        if problem is not None:
            self._warn_once(problem.message, problem.hint)

    # Jobs

    def start(self, task: Task, asked: Asked) -> Job:
        """Begin a task that was asked for as a command; its answer goes into the buffer or onto a page."""
        job = Job(task.name, self.client)
        try:
            # Now, and not when the task comes to run: what the user types next must find the place followed.
            subject = find_subject(asked, task, self.documents, self.answer_language())
        except SidelightError as error:
            self.client.show_error(error)
            return job
        self.begin(job, self._perform(job, task, asked, subject))
        return job

    def send(self, page: AskPage, instruction: str) -> Job:
        """Send what was written on an ask page."""
        job = Job(page.task.name, self.client)
        subject = page.subject.with_instruction(instruction)
        self.begin(job, self._perform_written(job, page, subject))
        return job

    def begin(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        """Let a job do its work."""
        self.jobs.add(job)

        def ended() -> None:
            work.close()  # a job that was stopped before its first step has never begun it
            self._remember_outcome(job.answer)
            self.jobs.remove(job)

        job.begin(self._guarded(work), ended)

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do what a command asked for, after the command was answered."""
        doing = asyncio.get_running_loop().create_task(self._guarded(work))
        self._doing.add(doing)
        doing.add_done_callback(self._doing.discard)

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do work; whatever goes wrong, the user is told."""
        try:
            await work
        except SidelightError as error:
            self.client.show_error(error)
        except Exception as error:  # the rim of a task: nobody else would hear of it
            log.exception("a job failed in a way that it should not")
            name = type(error).__name__
            self.client.show(types.MessageType.Error, msg("Sidelight made a mistake ({name}).", name=name))

    async def perform(self, job: Job, task: Task, asked: Asked) -> None:
        """Do a task for a job that has begun already."""
        await self._perform(job, task, asked, find_subject(asked, task, self.documents, self.answer_language()))

    async def _perform(self, job: Job, task: Task, asked: Asked, subject: Subject) -> None:
        try:
            await self._configured.wait()
            ready = await find_or_ask(task, subject, self.client, self.pages, asked.conversation)
            if ready is not None:
                await self.models.ready()
                ready = self.checked(task, ready)
                preparation = make_preparation(self, task, asked)
                if preparation is not None:
                    task, ready = await preparation.prepare(ready)
                question = self.question(task, ready, asked)
                delivery = preparation.delivery(job, question, ready) if preparation else None
                await self._run(job, question, ready, delivery or self._delivery(job, question, asked, ready))
        finally:
            self.pages.release(subject)

    async def _perform_written(self, job: Job, page: AskPage, subject: Subject) -> None:
        asked = Asked(conversation=page.conversation)
        await self.models.ready()
        subject = self.checked(page.task, subject)
        question = self.question(page.task, subject, asked)
        delivery: Delivery = AskDelivery(self.pages, subject, self.title(page.task, subject), page, job.id)
        if page.task.edits:
            delivery = self._delivery(job, question, asked, subject)
        await self._run(job, question, subject, delivery)
        self.pages.continue_ask(page, question.conversation.id)

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
                    self.client.show(types.MessageType.Warning, note.message)

    def question(self, task: Task, subject: Subject, asked: Asked) -> Question:
        """Return the question, with who is asked: what is chosen from now on concerns later ones."""
        folder = folder_key(self._folders[0]) if self._folders else ""
        question = self._assistant.question(
            task, subject.context, asked.conversation, asked.workspace, folder=folder, provider=self.models.current
        )
        return replace(question, gather=self.gathering.gatherer(subject))

    def ask(self, question: Question) -> Ask:
        """Return what begins the answer to a question."""
        return partial(self._assistant.start, question)

    def _delivery(self, job: Job, question: Question, asked: Asked, subject: Subject) -> Delivery:
        task = question.task
        title = self.title(task, subject)
        mode = self.edit_mode()
        if not task.edits or mode == "page":
            return PageDelivery(self.pages, subject, title)
        tells = tells_truncation(question)
        if subject.target is not None:
            return self.edits.delivery(job.id, task, asked, subject, title, mode=mode, tells_truncation=tells)

        assert subject.document is not None

        async def show_page(answer: Answer, told: Message) -> None:
            await self.show_unapplied(subject, title, answer, told)

        def keep_answer(answer: Answer, document: Document) -> None:
            def again(place: Range, more: str) -> None:
                self.edits.again(task, asked, subject, place, more)

            place, show = document.track(subject.context.target), partial(show_page, answer, plain(title))
            self.edits.reviews.add(Review(job.id, title, document, place, [], again=again, show_answer=show))

        return FileEdit(
            self.client, self.documents, self.restoring, subject.context, subject.document.uri, task.name, job.id,
            title, show_page, tells, keep_answer, previews=mode == "preview",
        )  # fmt: skip

    def edit_mode(self) -> Mode | Literal["page"]:
        """Return how edits reach this client: as the user set it, else by the table of known clients."""
        chosen = self._settings.text("edits")
        mode: EditMode = self.client.can.edits if chosen == "auto" else chosen  # type: ignore[assignment]
        if mode == "page" or self._settings.text("review") == "inline":
            return mode
        if self.client.can.previews:
            return "preview"
        told = msg("This editor cannot show an edit before it is made, so the answer is shown as a page.")
        self._warn_once(told, msg("Set SIDELIGHT_REVIEW=inline to have edits written into the document."))
        return "page"

    def _warn_once(self, message: Message, hint: Message | None = None) -> None:
        if str(message) not in self._warned:
            self._warned.add(str(message))
            self.client.show(types.MessageType.Warning, message, hint)

    async def show_unapplied(self, subject: Subject, title: str, answer: Answer, told: Message) -> None:
        """Show the answer of an edit task as a page, and say why: it did not go into the document, or not whole."""
        page = self.pages.new(title, subject, answer)
        error = answer.finished.error if answer.finished else None
        page.foot = incomplete_note(answer, self.client)
        page.notice = " ".join(self.client.write(part) for part in (told, error and error.message) if part)
        self.client.show(types.MessageType.Warning, told, error.message if error else None)
        await self.pages.show(page)

    def title(self, task: Task, subject: Subject) -> str:
        """Return what a job and its edits are called."""
        name = self.client.write(task.title)
        if subject.document is None:
            return f"Sidelight: {name}"
        line = subject.context.target.start.line + 1
        return f"Sidelight: {name} {subject.context.name}:{line}"

    def answer_language(self) -> str:
        """Return the language that answers are wanted in."""
        return self._settings.text("answer_language") or self.locale

    # sidelight/run

    async def run_to_result(
        self, task: Task, asked: Asked, partial_token: str | int | None, work_done_token: str | int | None
    ) -> dict[str, Any]:
        """Run a task for a client that shows the text itself; returns the result of ``sidelight/run``.

        Raises the error of an answer that failed before its first text. Being cancelled stops the job.
        """
        if task.needs_instruction and not asked.instruction:
            raise UsageError(msg("This task needs an instruction."), msg("Say in a few words what you want."))
        subject = find_subject(asked, task, self.documents, self.answer_language())
        stream = StreamDelivery(self.client, self._writer, partial_token, self.opening.values)
        job = Job(task.name, self.client, Progress(self.client, work_done_token, is_ours=False))
        self.jobs.add(job)
        if work_done_token in self.cancelled:
            job.stop()
        try:
            await self._configured.wait()
            await self.models.ready()
            preparation = make_preparation(self, task, asked)
            if preparation is not None:
                task, subject = await preparation.prepare(subject)
            question = self.question(task, subject, asked)
            ask = self.ask(question)
            delivery = preparation.beside(stream, job, subject) if isinstance(preparation, Reviewing) else stream
            answer = await job.run(ask, delivery, self.title(task, subject), is_edit=False)
            self._remember_outcome(answer)
            if answer.finished and answer.finished.error and not answer.text:
                raise failure(answer)
            sources = await self.opening.values(answer.sources)
            result = result_of(answer, self.client, sources, is_streamed=partial_token is not None)
            result |= {"conversation": question.conversation.id, "turn": answer.turn}
            self.places.keep(question.conversation.id, answer.turn, subject)
            if preparation is not None:
                return result | await preparation.result(answer)
            return result | (await self._edit_result(question, subject, answer) if task.edits else {})
        finally:
            self.jobs.remove(job)
            if not self.places.has(subject):
                subject.release()

    async def _edit_result(self, question: Question, subject: Subject, answer: Answer) -> dict[str, Any]:
        tells = tells_truncation(question)
        return await edit_result(question.task, subject, answer, self.documents, self.client, tells_truncation=tells)

    # Pages

    async def insert_block(self, page_id: str, number: int, uri: str, *, replace: bool) -> bool:
        """Put a code block of a page into a document: below the place that the page is about, or in its place."""
        page, document = self.pages.by_id(page_id), self.documents.opened(uri)
        block = page.block(number) if page else None
        if page is None or block is None or document is None:
            self.client.show(
                types.MessageType.Warning,
                msg("The code block cannot be put into {name} any more.", name=name_of(uri)),
                msg("Open the document, or copy the block by hand."),
            )
            return False
        point = await self.restoring.before_edit(document, "insert", page.id)
        place = self._place_for_block(page, document, replace=replace)
        if place is None:
            self.client.show(
                types.MessageType.Warning,
                msg("{name} was changed at that place meanwhile.", name=document.name),
                msg("Insert the block instead, or copy it by hand."),
            )
            return False
        context = page.subject.context
        code = fit(context.mask.restore(block.text), context.target_text, document.text.line_end)
        is_written = await self._write_block(page, document, place, code)
        await self.restoring.after_edit(document, point)
        return is_written

    async def _write_block(self, page: Page, document: Document, place: Range, code: str) -> bool:
        lines = [without_line_end(line) for line in lines_of(code)]
        if place.is_empty and place.start.column:  # below a last line that has no line end
            lines.insert(0, document.text.lines[place.start.line])
            place = Range(Place(place.start.line, 0), place.end)
        writer = BufferWriter(self.client, self.documents, document, place, new_label(page.title, "insert"))
        try:
            await writer.write(lambda: writer.region.plan_lines(writer.region.with_target(lines)))
        except UnwrittenError as error:
            self.client.show(types.MessageType.Warning, not_applied(error.reason, in_part=False))
            return False
        finally:
            writer.close()
        return True

    def _place_for_block(self, page: Page, document: Document, *, replace: bool) -> Range | None:
        """Return where a page's block goes; None where what it would replace is no longer what the page is about."""
        tracked = page.subject.target if page.subject.document is document else None
        if replace:
            return tracked.range if tracked is not None and not tracked.is_touched else None
        end = tracked.range.end if tracked is not None else page.subject.context.target.end
        end = document.text.clamp(end)
        return Range(end, end)


def tells_truncation(question: Question) -> bool:
    """Whether who is asked tells when an answer was cut off."""
    return question.provider is not None and question.provider.tells_truncation


def _folder_key(uri: str) -> str:
    return document_key(uri).rstrip("/")
