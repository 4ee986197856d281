"""The task ``commit``: what is staged is asked about. The message is text: a page, or the result of a run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidelight.core.answers import Answer
from sidelight.core.assistant import Question
from sidelight.core.context import Context
from sidelight.core.tasks import TASKS, Task
from sidelight.lsp.jobs import Delivery, Job
from sidelight.lsp.repositories import repository_folder
from sidelight.lsp.subject import Asked, Subject

if TYPE_CHECKING:
    from sidelight.lsp.session import Session


class Committing:
    """See ``preparations.Preparation``."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self._session = session
        self._asked = asked

    async def prepare(self, subject: Subject) -> tuple[Task, Subject]:
        """Return the task with what is staged around the document, else in the first folder."""
        folder = repository_folder(self._session, self._asked)
        return TASKS["commit"], Subject(await asyncio.to_thread(self._staged, folder, subject.context))

    def _staged(self, folder: Path, about: Context) -> Context:
        from sidelight.git import read_staged

        return read_staged(folder, self._session.folders, about.instruction, about.answer_language)

    def delivery(self, job: Job, question: Question, subject: Subject) -> Delivery | None:  # noqa: ARG002
        """Return None: the message is a page."""
        return None

    async def result(self, answer: Answer) -> dict[str, Any]:  # noqa: ARG002
        """Return nothing: the text is the message."""
        return {}
