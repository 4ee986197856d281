"""The one use case: a task at a place becomes a stream of answer events, kept in a conversation."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sidelight.core.answers import Answer, AnswerEvent, Finished, Status
from sidelight.core.context import Context
from sidelight.core.ports import Conversation, Conversations, ProviderSource, Request, Turn
from sidelight.core.prompt import build_prompt
from sidelight.core.stopping import Stop, Stopped
from sidelight.core.tasks import Task
from sidelight.errors import ProviderError, SidelightError
from sidelight.messages import msg

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a task at a place, in a conversation, of a model that the user may have chosen for it."""

    task: Task
    context: Context
    conversation: Conversation
    model: str | None = None


class Assistant:
    """Asks the configured provider, and keeps what it says."""

    def __init__(self, provider: ProviderSource, conversations: Conversations, budget: Callable[[], int]) -> None:
        self._provider = provider
        self._conversations = conversations
        self._budget = budget

    def question(
        self, task: Task, context: Context, conversation_id: str | None = None, model: str | None = None
    ) -> Question:
        """Return the question for ``answer``. A model that is named here stays chosen for its conversation."""
        conversation = self._conversations.open(conversation_id)
        conversation.model = model or conversation.model
        return Question(task, context, conversation, conversation.model)

    def answer(self, question: Question, stop: Stop) -> Iterator[AnswerEvent]:
        """Yield the answer's events; ends with exactly one ``Finished`` and raises nothing a user could cause.

        Blocks its thread while it waits. A failure is ``Finished("cut_off", error)``, whether or not text came before.
        """
        kept = Answer()
        for event in self._events(question, stop):
            kept.add(event)
            if isinstance(event, Finished):
                self._keep(question, kept)
            yield event

    def start(self, question: Question, stop: Stop, emit: Callable[[AnswerEvent], None]) -> threading.Thread:
        """Run ``answer`` on a thread of its own, which hands every event to ``emit``."""

        def run() -> None:
            for event in self.answer(question, stop):
                emit(event)

        # daemon: a thread inside a name look-up cannot be woken, and must not keep the process alive
        context = contextvars.copy_context()  # so that the log knows whose lines these are
        thread = threading.Thread(target=context.run, args=(run,), name=f"answer-{question.task.name}", daemon=True)
        thread.start()
        return thread

    def _events(self, question: Question, stop: Stop) -> Iterator[AnswerEvent]:
        try:
            stop.raise_if_set()
            prompt = build_prompt(question.task, question.context, self._budget())
            for note in prompt.notes:
                yield Status(note)
            request = Request(
                question.task.name, prompt, question.context, question.conversation.id, question.model
            )  # fmt: skip
            for event in self._provider().stream(request, stop):
                yield event
                if isinstance(event, Finished):
                    return
            yield Finished("cut_off", _no_end())
        except Stopped:
            yield Finished("stopped")
        except SidelightError as error:
            yield Finished("cut_off", error)
        except Exception as error:  # the rim of a thread: nobody above could tell the user
            log.exception("the provider failed in a way that it should not")
            yield Finished("cut_off", _fault(error))

    def _keep(self, question: Question, answer: Answer) -> None:
        finish = answer.finished.finish if answer.finished else "cut_off"
        question.conversation.turns.append(
            Turn(question.task.name, question.context.instruction, answer.text, finish)
        )  # fmt: skip


def _no_end() -> ProviderError:
    return ProviderError("cut_off", msg("The answer ended before it was complete."))


def _fault(error: Exception) -> ProviderError:
    return ProviderError(
        "other",
        msg("Sidelight made a mistake ({name}).", name=type(error).__name__),
        msg("The log has the details; `sidelight doctor` says where it is. Please report it."),
    )
