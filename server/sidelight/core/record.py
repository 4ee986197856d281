"""What is kept of an answer while it comes, from the question on, so that no crash loses what was received."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from time import monotonic
from uuid import uuid4

from sidelight.core.answers import Answer, AnswerEvent, Finished, Text
from sidelight.core.context import Context
from sidelight.core.ports import Conversation, Conversations, HistoryError, Turn

log = logging.getLogger(__name__)

_KEEP_EVERY_S = 2.0


class Record:
    """Keeps one turn of a conversation: when it begins, now and then while text comes, and when it has ended."""

    def __init__(self, conversations: Conversations, conversation: Conversation, task: str, context: Context) -> None:
        self._conversations = conversations
        self._conversation = conversation
        self._task = task
        self._instruction = context.instruction
        self._place = f"{context.name}:{context.target.start.line + 1}" if context.name else ""
        self._answer = Answer()
        self._began_at = datetime.now(timezone.utc)
        self._began = self._kept = monotonic()
        self._first_text: float | None = None
        self._number = 0
        self._provider = self._model = self._sent = ""
        self._key = uuid4().hex

    def begin(self, provider: str, model: str) -> list[Turn]:
        """Keep the question, and return the turns before it. Blocks while they are read."""
        self._provider, self._model = provider, model
        try:
            earlier = self._conversations.turns(self._conversation.id)
        except HistoryError as error:  # the answer matters more; Conversations.problem tells the user
            log.warning("earlier turns cannot be read: %s", error)
            earlier = []
        self._number = self._conversations.begin(self._conversation)
        self._keep()
        return earlier

    def sent(self, message: str) -> None:
        """Take note of what goes to the model."""
        self._sent = message
        self._keep()

    def add(self, event: AnswerEvent) -> None:
        """Take the next event in."""
        self._answer.add(event)
        now = monotonic()
        is_first = self._first_text is None and isinstance(event, Text)
        if is_first:
            self._first_text = now
        if isinstance(event, Finished):
            self._number = self._number or self._conversations.begin(self._conversation)  # failed before it was asked
            self._keep()
        elif self._number and (is_first or now - self._kept > _KEEP_EVERY_S):
            self._keep()

    def _keep(self) -> None:
        self._kept = monotonic()
        self._conversations.keep(self._conversation, self._turn())

    def _turn(self) -> Turn:
        answer, finished, usage = self._answer, self._answer.finished, self._answer.usage
        return Turn(
            number=self._number,
            task=self._task,
            instruction=self._instruction,
            began_at=self._began_at,
            place=self._place,
            sent=self._sent,
            answer=answer.text,
            reasoning=answer.reasoning,
            sources=answer.sources,
            notes=tuple(str(note.message) for note in answer.notes),
            finish=finished.finish if finished else "",
            error=str(finished.error) if finished and finished.error else "",
            provider=self._provider,
            model=answer.model or self._model,
            first_text_ms=None if self._first_text is None else round((self._first_text - self._began) * 1000),
            duration_ms=round((monotonic() - self._began) * 1000),
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            key=self._key,
        )
