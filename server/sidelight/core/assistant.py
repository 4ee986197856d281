"""The one use case: a task at a place becomes a stream of answer events, kept in a conversation."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sidelight.core.answers import Answer, AnswerEvent, Begun, Finished, Note, Replace, Sources, Text
from sidelight.core.budget import AskedModel, Limits, fit_prompt
from sidelight.core.context import Context
from sidelight.core.earlier_code import with_earlier_code
from sidelight.core.looking_up import LookedUp, look_up
from sidelight.core.ports import (
    Conversation,
    Conversations,
    Exchange,
    Knowledge,
    Provider,
    ProviderSource,
    Request,
    Turn,
)
from sidelight.core.record import Record
from sidelight.core.stopping import Stop, Stopped
from sidelight.core.tasks import Task
from sidelight.errors import ProviderError, SidelightError
from sidelight.messages import msg

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a task at a place, in a conversation, of a model that the user may have chosen for it.

    ``provider`` is who is asked; None for whoever the settings name when the answer begins. ``gather`` adds to the
    context what else is worth showing; it may read files, and is called on the answer's thread.
    """

    task: Task
    context: Context
    conversation: Conversation
    model: str | None = None
    provider: Provider | None = None
    gather: Callable[[Context], Context] | None = None

    def gathered(self) -> Question:
        """Return the question with all that is worth showing in its context."""
        return self if self.gather is None else replace(self, context=self.gather(self.context))


class Assistant:
    """Asks the configured provider, and keeps what it says."""

    def __init__(
        self,
        provider: ProviderSource,
        conversations: Callable[[], Conversations],
        limits: Callable[[], Limits],
        knowledge: Callable[[], Knowledge | None] = lambda: None,
    ) -> None:
        self._provider = provider
        self._conversations = conversations
        self._limits = limits
        self._knowledge = knowledge

    def question(
        self,
        task: Task,
        context: Context,
        conversation_id: str | None = None,
        model: str | None = None,
        *,
        folder: str = "",
        provider: Provider | None = None,
    ) -> Question:
        """Return the question for ``answer``.

        A model that is named here stays chosen for its conversation, as long as the same provider answers.
        """
        conversation = self._conversations().open(conversation_id, folder)
        if model:
            conversation.model, conversation.model_of = model, ""
        return Question(task, context, conversation, _model(conversation, provider), provider)

    def answer(self, question: Question, stop: Stop) -> Iterator[AnswerEvent]:
        """Yield the answer's events; ends with exactly one ``Finished`` and raises nothing a user could cause.

        Blocks its thread while it waits. A failure is ``Finished("cut_off", error)``, whether or not text came before.
        """
        try:
            record = Record(self._conversations(), question.conversation, question.task.name, question.context)
        except SidelightError as error:
            yield Finished("cut_off", error)
            return
        except Exception as error:  # the rim of a thread: nobody above could tell the user
            log.exception("conversations failed in a way that they should not")
            yield Finished("cut_off", _fault(error))
            return
        is_begun, held, clean = False, Answer(), question.task.clean
        for event in self._events(question, record, stop):
            if clean and held.text and isinstance(event, Finished):
                cleaned = clean(held.text)
                record.add(Replace(cleaned))
                yield Text(cleaned)
            record.add(event)
            if clean and isinstance(event, (Text, Replace)):
                held.add(event)
                continue
            if not is_begun and not isinstance(event, Begun):  # it failed before it was asked
                yield Begun(record.number, question.conversation.id)
            is_begun = True
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

    def _events(self, question: Question, record: Record, stop: Stop) -> Iterator[AnswerEvent]:
        try:
            stop.raise_if_set()
            provider = question.provider or self._provider()
            model = question.model if question.provider or _model(question.conversation, provider) else None
            earlier = record.begin(provider.name, model or provider.model)
            yield Begun(record.number, question.conversation.id)
            for event in self._asked(AskedModel(provider, model), question.gathered(), earlier, record, stop):
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

    def _asked(
        self, asked: AskedModel, question: Question, earlier: list[Turn], record: Record, stop: Stop
    ) -> Iterator[AnswerEvent]:
        limits = self._limits()
        context, exchanges = question.context, _exchanges(earlier)
        if asked.provider.remembers:
            context, exchanges = with_earlier_code(context, earlier, asked.provider.name), []
        looked_up = LookedUp(context)
        if (knowledge := self._knowledge_for(asked.provider)) is not None:
            looked_up = yield from look_up(knowledge, question.task, context, stop)
        fitted = fit_prompt(question.task, looked_up.context, exchanges, limits, asked, stop=stop)
        prompt = fitted.prompt
        record.sent(prompt, asked.provider.place, looked_up.sent)
        if sources := looked_up.sources_in(prompt):
            yield Sources(sources)
        if asked.provider.remembers:
            yield from _unknown_turns(asked.provider, earlier)
        yield from prompt.notes
        yield from asked.provider.stream(
            Request(
                question.task.name, prompt, question.context, question.conversation.id, asked.name,
                fitted.answer_tokens, fitted.max_tokens,
            ),
            stop,
        )  # fmt: skip

    def _knowledge_for(self, provider: Provider) -> Knowledge | None:
        """Return where to look the question up; None for a provider that is that knowledge base itself."""
        knowledge = self._knowledge()
        return None if knowledge is None or knowledge.place == provider.place else knowledge


def _model(conversation: Conversation, provider: Provider | None) -> str | None:
    """Return the model that was chosen for a conversation; None where another provider than its own answers."""
    if conversation.model is None or provider is None:
        return conversation.model
    conversation.model_of = conversation.model_of or provider.name
    return conversation.model if conversation.model_of == provider.name else None


def _exchanges(turns: list[Turn]) -> list[Exchange]:
    """Return what a model is told of earlier turns: messages as they were sent, so that servers know the prefix.

    What is still being answered is no turn before this one.
    """
    return [Exchange(turn.sent, turn.answer) for turn in turns if turn.sent and turn.answer and turn.finish]


def _unknown_turns(provider: Provider, turns: list[Turn]) -> Iterator[Note]:
    """Say how many turns a provider with a memory of its own does not know, because another one answered them."""
    count = sum(turn.answer != "" and turn.finish != "" and turn.provider != provider.name for turn in turns)
    if count:
        yield Note(
            msg("{provider} does not know {count} earlier turns of this conversation: another provider answered them.",
                provider=provider.name, count=count)
        )  # fmt: skip


def _no_end() -> ProviderError:
    return ProviderError("cut_off", msg("The answer ended before it was complete."))


def _fault(error: Exception) -> ProviderError:
    return ProviderError(
        "other",
        msg("Sidelight made a mistake ({name}).", name=type(error).__name__),
        msg("The log has the details; `sidelight doctor` says where it is. Please report it."),
    )
