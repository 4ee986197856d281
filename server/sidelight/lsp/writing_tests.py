"""The task ``test``: its answer is code for another file, found or made, and goes there as code of an answer does.

Nothing is run. What is in the file already is not lost: ``editing/test_place.py`` finds the place or refuses it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidelight.core.answers import Answer, AnswerEvent, Finished, Text
from sidelight.core.assistant import Question
from sidelight.core.context import Context
from sidelight.core.tasks import TASKS, Task
from sidelight.core.tasks.test import code_of, test_task
from sidelight.editing.code_place import CodePlace
from sidelight.editing.test_place import place_tests
from sidelight.editing.text import Place, Range
from sidelight.errors import SidelightError, UsageError
from sidelight.lsp.apply_code import APPLY, fenced
from sidelight.lsp.delivery import edit_of, edits_between, failure, not_applied
from sidelight.lsp.documents import Document, file_path, file_uri
from sidelight.lsp.file_edit import FileEdit
from sidelight.lsp.jobs import Delivery, Job
from sidelight.lsp.made_file import MadeFile, edit_that_makes, wait_for_document
from sidelight.lsp.subject import Asked, Subject
from sidelight.messages import Message, msg, plain
from sidelight.testing import Tests, find_tests, project_folder

if TYPE_CHECKING:
    from sidelight.lsp.session import Session

_SEARCHES = 3


class WritingTests:
    """See ``preparations.Preparation``."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self._session = session
        self._asked = asked
        self._tests: Tests | None = None
        self._subject: Subject | None = None

    async def prepare(self, subject: Subject) -> tuple[Task, Subject]:
        """Return the task with the file that the tests go into, and the subject with what that looks like."""
        path = file_path(subject.document.uri) if subject.document else None
        if path is None:
            raise UsageError(
                msg("Tests need a file whose code they test."), msg("Open a file, and save it where it belongs.")
            )
        folder = project_folder(path, self._session.folders)
        texts = {at: str(one.text) for one in self._session.documents if (at := _tests_path(one, subject))}
        self._tests = await asyncio.to_thread(find_tests, path, folder, subject.context.language_id, texts.get)
        task = test_task(self._tests.file, self._tests.framework)
        context = replace(subject.context, pieces=(*self._tests.pieces, *subject.context.pieces))
        self._subject = Subject(context, subject.document, subject.target)
        return task, self._subject

    def delivery(self, job: Job, question: Question, subject: Subject) -> Delivery | None:
        """Return what puts the answer's code into the file for tests."""
        assert self._tests is not None
        title = self._session.running.title(question.task, subject)
        return _TestDelivery(self._session, job, self._asked, subject, self._tests, title)

    async def result(self, answer: Answer) -> dict[str, Any]:
        """Return the edit of the file for tests, or a notice that says why there is none."""
        assert self._tests is not None
        assert self._subject is not None
        client, tests = self._session.client, self._tests
        code, reason = code_of(answer, self._subject.context)
        if reason is None and not tests.file.exists:
            return {"edit": edit_that_makes(tests.path, _whole(code))}
        if reason is None:
            document = self._session.documents.read(file_uri(tests.path))
            lines = tuple(document.text.lines)
            found = await asyncio.to_thread(place_tests, lines, code, document.language_id)
            reason = found.obstacle
            if reason is None:
                place, old = _range_of(document, found), document.text.between(_range_of(document, found))
                edits = edits_between(document, place, old, _with_ends(found, document))
                return {"edit": edit_of(document, edits, document_changes=True)}
        return {"notice": client.write(not_applied(reason, in_part=False))}


def _tests_path(document: Document, subject: Subject) -> Path | None:
    """Return the file of an open document that may have tests, or is the source itself."""
    name = document.name.lower()
    is_wanted = document is subject.document or "test" in name or "spec" in name
    return file_path(document.uri) if is_wanted else None


def _range_of(document: Document, found: CodePlace) -> Range:
    lines = document.text.lines
    end = Place(found.end, 0) if found.end < len(lines) else document.text.end
    start = min(Place(found.first, 0), document.text.end)
    return Range(start, max(start, end))


def _with_ends(found: CodePlace, document: Document) -> str:
    text = document.text.line_end.join(found.lines)
    is_last = found.end >= len(document.text.lines)
    return text if is_last else text + document.text.line_end


def _whole(code: str) -> str:
    return code.strip("\n") + "\n"


@dataclass(slots=True)
class _TestDelivery:
    """A delivery, see ``jobs.Delivery``: all at the end, when it is known what the answer defines."""

    session: Session
    job: Job
    asked: Asked
    subject: Subject
    tests: Tests
    title: str

    def receive(self, event: AnswerEvent) -> None:
        """Wait for the end."""

    async def finish(self, answer: Answer) -> Message | None:
        """Put the tests into their file, or show them as a page that says why not."""
        client = self.session.client
        is_stopped = answer.finished is not None and answer.finished.finish == "stopped"
        if not answer.text:
            if not is_stopped:
                client.show_error(failure(answer))
            return msg("stopped") if is_stopped else msg("failed")
        code, reason = code_of(answer, self.subject.context)
        if reason is None and self.session.edit_mode() == "page":
            reason = msg("This editor takes no edits.")
        if reason is not None:
            await self._show_page(answer, not_applied(reason, in_part=False))
            return msg("stopped") if is_stopped else msg("not applied")
        if not self.tests.file.exists:
            return await self._create(code, answer)
        return await self._add(code, answer)

    async def _show_page(self, answer: Answer, told: Message) -> None:
        await self.session.running.show_unapplied(self.subject, self.title, answer, told)

    async def _create(self, code: str, answer: Answer) -> Message:
        session, path = self.session, self.tests.path
        show_answer = partial(session.running.show_unapplied, self.subject, self.title, answer, plain(self.title))
        made = MadeFile(session, path, _whole(code), TASKS["test"].name, self.job.id, self.title, show_answer)
        if not session.client.can.creates_files:
            reason = msg("This editor cannot make {path}.", path=str(path))
        elif not await made.make():
            reason = msg("The editor did not take the edit.")
        else:
            return msg("applied")
        await self._show_page(answer, not_applied(reason, in_part=False))
        return msg("not applied")

    async def _add(self, code: str, answer: Answer) -> Message | None:
        """Add the tests to a file that is there, which is shown first: an edit of an open document is reviewed."""
        session, uri = self.session, file_uri(self.tests.path)
        try:
            document = await self._opened(uri)
            found = await self._find(document, code)
        except SidelightError as error:
            await self._show_page(answer, error.message)
            return msg("not applied")
        place = _range_of(document, found)
        context = Context(
            document.name, document.language_id, tuple(document.text.lines), selection=place, target=place,
            answer_language=session.answer_language(),
        )  # fmt: skip
        subject = Subject(context, document, document.track(place) if document.is_open else None)
        placed = Answer(turn=answer.turn, finished=Finished("complete"))
        placed.add(Text(fenced("\n".join(found.lines), document.language_id)))
        if found.obstacle is not None:
            await self._show_page(answer, not_applied(found.obstacle, in_part=False))
            return msg("not applied")
        try:
            delivery = self._edit(subject, uri)
            delivery.receive(Text(placed.text))
            told = await delivery.finish(placed)
            if subject.target is not None and session.edit_mode() != "preview":
                # What was added may be far below what an editor shows of the file.
                end = subject.target.range.end
                await session.client.show_document(uri, document.lsp_range(Range(end, end)), takes_focus=False)
            return told
        finally:
            session.pages.release(subject)

    async def _opened(self, uri: str) -> Document:
        """Return the file's document: open, where the editor shows it when asked. Raises ``UsageError``."""
        if await self.session.client.show_document(uri):
            await wait_for_document(self.session, uri)
        return self.session.documents.read(uri)

    async def _find(self, document: Document, code: str) -> CodePlace:
        """Return where the tests go in the document as it is now."""
        for _ in range(_SEARCHES):
            version, lines = document.version, tuple(document.text.lines)
            found = await asyncio.to_thread(place_tests, lines, code, document.language_id)
            if document.version == version:
                return found
        raise UsageError(msg("{name} was changed all the while.", name=document.name), msg("Try again."))

    def _edit(self, subject: Subject, uri: str) -> Delivery:
        session, is_preview = self.session, self.session.edit_mode() == "preview"
        show_page = partial(session.running.show_unapplied, self.subject, self.title)
        task = replace(APPLY, title=TASKS["test"].title)
        if subject.target is not None:
            mode = "preview" if is_preview else "once"
            return session.edits.delivery(
                self.job.id, task, self.asked, subject, self.title, mode=mode, tells_truncation=True  # type: ignore[arg-type]
            )  # fmt: skip
        return FileEdit(
            session.client, session.documents, session.restoring, subject.context, uri, task.name, self.job.id,
            self.title, show_page, True, lambda _answer, _document: None, previews=is_preview,
        )  # fmt: skip
