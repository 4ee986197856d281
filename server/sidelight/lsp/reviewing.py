"""The task ``review``: of a place in a document, or of what has changed in a folder since the last commit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidelight.core.answers import Answer
from sidelight.core.assistant import Question
from sidelight.core.tasks import TASKS, Task
from sidelight.core.tasks.review import REVIEW_CHANGES
from sidelight.errors import UsageError
from sidelight.lsp.documents import file_uri
from sidelight.lsp.findings import Review
from sidelight.lsp.jobs import Delivery, Job
from sidelight.lsp.repositories import repository_folder
from sidelight.lsp.review_delivery import FindingsBeside, ReviewDelivery, files_of
from sidelight.lsp.subject import Asked, Subject
from sidelight.messages import msg

if TYPE_CHECKING:
    from sidelight.lsp.session import Session


class Reviewing:
    """See ``preparations.Preparation``."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self._session = session
        self._asked = asked

    async def prepare(self, subject: Subject) -> tuple[Task, Subject]:
        """Return the task, and what is looked at. Raises ``UsageError`` where there is nothing to look at."""
        if self._asked.changes:
            folder = repository_folder(self._session, self._asked)
            return REVIEW_CHANGES, await asyncio.to_thread(read_changes, folder, self._session.folders, subject)
        if not subject.context.target_text.strip():
            raise UsageError(msg("There is nothing to review at this place."), msg("Select the code, or open a file."))
        return TASKS["review"], subject

    def delivery(self, job: Job, question: Question, subject: Subject) -> Delivery | None:  # noqa: ARG002
        """Return what shows the findings; None for a client without diagnostics, which gets a page."""
        return self._delivery(job, subject) if self._session.client.can.diagnostics else None

    def beside(self, delivery: Delivery, job: Job, subject: Subject) -> Delivery:
        """Return a run's delivery that shows the findings, too, where the client has diagnostics."""
        if not self._session.client.can.diagnostics:
            return delivery
        return FindingsBeside(delivery, self._delivery(job, subject))

    def _delivery(self, job: Job, subject: Subject) -> ReviewDelivery:
        session = self._session
        files = files_of(subject, session.documents.encoding)
        review = Review(job.id, session.running.title(TASKS["review"], subject), subject, files)
        return ReviewDelivery(session.findings, session.pages, review, session.opening.values)

    async def result(self, answer: Answer) -> dict[str, Any]:  # noqa: ARG002
        """Return nothing: findings are shown, and their text is the answer."""
        return {}


def read_changes(folder: Path, opened: tuple[Path, ...], subject: Subject) -> Subject:
    """Return what has changed in the repository around a folder. Raises ``UsageError``. Blocks."""
    from sidelight.changed_files import changed_files

    context = subject.context
    found = changed_files(folder, opened, context.instruction, context.answer_language)
    uris = (file_uri(path) for path in found.paths)
    return Subject(found.code.context, files=tuple(zip(uris, found.code.files, strict=True)))
