"""What is kept of an answer while it comes, from the question on, so that no crash loses what was received."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from threading import Lock, Timer
from time import monotonic
from uuid import uuid4

from sidelight.core.answers import Answer, AnswerEvent, Asked, Begun, Finished, Status, Text
from sidelight.core.context import Context
from sidelight.core.ports import Conversation, Conversations, HistoryError, Prompt, SentPart, Turn
from sidelight.core.sent import as_asked, sent_parts

log = logging.getLogger(__name__)

_KEEP_EVERY_S = 2.0
_READING_S = 1.0


class Record:
    """Keeps one turn of a conversation: when it begins, its first text, what comes then, and when it has ended.

    What comes is kept a little later, also when nothing follows it. ``number`` is the turn's, 0 until it has one.
    """

    def __init__(self, conversations: Conversations, conversation: Conversation, task: str, context: Context) -> None:
        self._conversations = conversations
        self._conversation = conversation
        self._task = task
        self._instruction = context.instruction
        self._place = f"{context.name}:{context.target.start.line + 1}" if context.name else ""
        self._answer = Answer()
        self._began_at = datetime.now(timezone.utc)
        self._began = monotonic()
        self._first_text: float | None = None
        self.number = 0
        self._provider = self._model = self._sent = self._sent_to = ""
        self._about = context.digest
        self._parts: tuple[SentPart, ...] = ()
        self._key = uuid4().hex
        self._lock = Lock()
        self._timer: Timer | None = None

    def begin(self, provider: str, model: str) -> list[Turn]:
        """Keep the question, and return the turns before it. Blocks while they are read, for a second at most."""
        self._provider, self._model = provider, model
        earlier = self._begin()
        with self._lock:
            self._keep()
        return earlier

    def sent(self, prompt: Prompt, place: str, searched: tuple[SentPart, ...] = ()) -> None:
        """Take note of what goes to the model, and to which place (``Provider.place``)."""
        with self._lock:
            self._sent, self._sent_to, self._parts = prompt.user, place, (*searched, *sent_parts(prompt))
            self._keep()

    def add(self, event: AnswerEvent) -> None:
        """Take the next event in."""
        if isinstance(event, Finished) and not self.number:  # failed before it was asked
            self._begin()
        with self._lock:
            self._answer.add(event)
            if isinstance(event, Asked):
                self._parts = as_asked(self._parts, event)
            is_first = self._first_text is None and isinstance(event, Text)
            if is_first:
                self._first_text = monotonic()
            if is_first or isinstance(event, Finished):
                self._keep()
            elif self._timer is None and not isinstance(event, (Begun, Asked, Status)):
                self._keep_later()

    def _begin(self) -> list[Turn]:
        try:
            earlier = self._conversations.turns(self._conversation.id, _READING_S)
        except HistoryError as error:  # the answer matters more; Conversations.problem tells the user
            log.warning("earlier turns cannot be read: %s", error)
            earlier = []
        last = max((turn.number for turn in earlier), default=0)
        self.number = self._conversations.begin(self._conversation, last)
        return earlier

    def _keep_later(self) -> None:
        timer = Timer(_KEEP_EVERY_S, self._keep_now)
        timer.daemon, timer.name = True, f"keep-{self._task}"
        try:
            timer.start()
        except RuntimeError:  # too many threads, or the process is ending
            self._keep()
        else:
            self._timer = timer

    def _keep_now(self) -> None:
        with self._lock:
            if self._timer is not None:  # else it was kept while this waited for the lock
                self._keep()

    def _keep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._conversations.keep(self._conversation, self._turn())

    def _turn(self) -> Turn:
        answer, finished, usage = self._answer, self._answer.finished, self._answer.usage
        return Turn(
            number=self.number,
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
            parts=self._parts,
            sent_to=self._sent_to,
            about=self._about,
            warnings=tuple(str(note.message) for note in answer.notes if note.is_warning),
        )
