"""Tasks that need more than a place in a document: what is asked is prepared, and the answer goes its own way.

One class a task, made for each job. Next: ``writing_tests.py``, ``committing.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sidelight.core.answers import Answer
from sidelight.core.assistant import Question
from sidelight.core.tasks import Task
from sidelight.lsp.jobs import Delivery, Job
from sidelight.lsp.subject import Asked, Subject

if TYPE_CHECKING:
    from sidelight.lsp.session import Session


class Preparation(Protocol):
    """What a task does beside asking."""

    async def prepare(self, subject: Subject) -> tuple[Task, Subject]:
        """Return what is asked, and about what. Raises ``UsageError`` where there is nothing to ask about."""
        ...

    def delivery(self, job: Job, question: Question, subject: Subject) -> Delivery | None:
        """Return how a command's answer is delivered; None for the usual way."""
        ...

    async def result(self, answer: Answer) -> dict[str, Any]:
        """Return what the result of a run has beside the answer."""
        ...


def make_preparation(session: Session, task: Task, asked: Asked) -> Preparation | None:
    """Return the preparation of a task; None for one that needs none."""
    from sidelight.lsp.committing import Committing
    from sidelight.lsp.reviewing import Reviewing
    from sidelight.lsp.writing_tests import WritingTests

    match task.name:
        case "commit":
            return Committing(session, asked)
        case "test":
            return WritingTests(session, asked)
        case "review":
            return Reviewing(session, asked)
    return None
