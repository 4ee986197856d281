"""Conversations kept in memory, for as long as the process lives: all there is where history is switched off.

Where it is on, ``store/conversations.py`` keeps those used last in here too, so that they can go on without the disk.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import islice
from threading import RLock
from uuid import uuid4

from sidelight.core.ports import Conversation, ConversationSummary, HistoryError, Turn
from sidelight.core.words import Phrase, excerpt, has, indexed, phrases

KEPT = 200
LONGEST_TITLE = 200
_MADE_TITLE = 80


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(timezone.utc)


def new_id() -> str:
    """Return a random id, so that no two users of one knowledge base share a conversation."""
    return f"sidelight-{uuid4()}"


def clean_title(title: str) -> str:
    """Return a title as it is kept: on one line, without control characters, and not endless."""
    shown = "".join(character if character.isprintable() else " " for character in title)
    return " ".join(shown.split())[:LONGEST_TITLE]


def made_title(turn: Turn) -> str:
    """Return the title of a conversation that begins with this turn."""
    lines = (clean_title(line) for line in turn.instruction.splitlines())
    title = next((line for line in lines if line), "") or clean_title(f"{turn.task} {turn.place}")
    return title if len(title) <= _MADE_TITLE else title[: _MADE_TITLE - 1].rstrip() + "…"


def searched_texts(turn: Turn) -> tuple[str, str, str]:
    """Return what a search looks at in a turn."""
    return turn.instruction, turn.place, turn.answer


def free_number(wanted: int, taken: Iterable[int]) -> int:
    """Return the number of a new turn: the one it wants, else the one after all others."""
    numbers = set(taken)
    return wanted if wanted > 0 and wanted not in numbers else max(numbers, default=0) + 1


def explains(turn: Turn, about: str) -> bool:
    """Whether a turn is an explanation, with its end, of the text with this digest."""
    return bool(about) and turn.about == about and turn.task == "explain" and turn.finish == "complete"


def newest(turns: Iterable[Turn]) -> Turn | None:
    """Return the turn that began last."""
    return max(turns, key=lambda turn: turn.began_at, default=None)


def matched(
    summary: ConversationSummary, turns: Iterable[Turn], looked_for: list[Phrase]
) -> ConversationSummary | None:
    """Return the conversation with what a search found in it; None when it has not all that is looked for."""
    if not looked_for:
        return summary
    texts = [text for turn in turns for text in searched_texts(turn)] + [summary.title]
    all_words = [indexed(text) for text in texts]
    if not all(any(has(there, phrase) for there in all_words) for phrase in looked_for):
        return None
    return replace(summary, found=excerpt(texts, looked_for))


@dataclass(slots=True)
class _Kept:
    """A conversation with its turns by their keys. ``change`` puts conversations in the order of their changes."""

    conversation: Conversation
    changed_at: datetime
    change: int = 0
    title: str = ""
    turns: dict[str, Turn] = field(default_factory=dict)

    def ordered(self) -> list[Turn]:
        return sorted(self.turns.values(), key=lambda turn: turn.number)

    def put(self, turn: Turn) -> None:
        was = self.turns.get(turn.key)
        number = was.number if was else free_number(turn.number, (it.number for it in self.turns.values()))
        self.turns[turn.key] = replace(turn, number=number)

    def summary(self) -> ConversationSummary:
        first = self.ordered()[0]
        return ConversationSummary(
            self.conversation.id,
            self.title or made_title(first),
            self.conversation.folder,
            first.began_at,
            self.changed_at,
            len(self.turns),
        )


class MemoryConversations:
    """Keeps the ``kept`` conversations used last; see the port for what the methods promise."""

    def __init__(self, kept: int = KEPT, now: Callable[[], datetime] = utc_now) -> None:
        self._most = kept
        self._now = now
        self._lock = RLock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._changes = 0
        self._deleted_turns: set[str] = set()

    def open(self, conversation_id: str | None, folder: str = "") -> Conversation:
        """Return the conversation of that id, or begin one."""
        with self._lock:
            return self._entry(Conversation(conversation_id or new_id(), folder)).conversation

    def turns(self, conversation_id: str, patience_s: float | None = None) -> list[Turn]:
        """Return a conversation's turns."""
        del patience_s
        with self._lock:
            kept = self._kept.get(conversation_id)
            return kept.ordered() if kept else []

    def begin(self, conversation: Conversation, after: int | None = None) -> int:
        """Return the number of a turn that begins now, and which comes ``after`` that of another."""
        with self._lock:
            last = max((turn.number for turn in self._entry(conversation).turns.values()), default=0)
            last = max(last, after or 0)
            number = max(conversation.next_number, last + 1)
            conversation.next_number = number + 1
            return number

    def keep(self, conversation: Conversation, turn: Turn) -> None:
        """Keep a turn, or what has become of it."""
        with self._lock:
            if turn.key in self._deleted_turns:
                return
            kept = self._entry(conversation)
            kept.put(turn)
            self._changes += 1
            kept.changed_at, kept.change = self._now(), self._changes

    def latest(self, folder: str | None = None, search: str = "", limit: int = 50) -> list[ConversationSummary]:
        """Return the conversations that have turns, the one last changed first."""
        looked_for = phrases(search)
        if search.strip() and not looked_for:
            return []
        with self._lock:
            every = [it for it in self._kept.values() if it.turns and folder in (None, it.conversation.folder)]
            every.sort(key=lambda kept: -kept.change)
            candidates = [(kept.summary(), kept.ordered()) for kept in every]
        met = (matched(summary, turns, looked_for) for summary, turns in candidates)
        return list(islice((summary for summary in met if summary), max(0, limit)))

    def get(self, conversation_id: str) -> ConversationSummary | None:
        """Return one conversation."""
        with self._lock:
            kept = self._kept.get(conversation_id)
            return kept.summary() if kept and kept.turns else None

    def find(self, beginning: str, limit: int = 10) -> list[ConversationSummary]:
        """Return the conversations whose ids begin so, or the one whose id is just this."""
        exact = self.get(beginning)
        return [exact] if exact else [it for it in self.latest(limit=self._most) if it.id.startswith(beginning)][:limit]

    def explanation(self, about: str) -> Turn | None:
        """Return the newest explanation of a text."""
        with self._lock:
            every = [turn for kept in self._kept.values() for turn in kept.turns.values()]
        return newest(turn for turn in every if explains(turn, about))

    def rename(self, conversation_id: str, title: str) -> bool:
        """Give a conversation a title."""
        with self._lock:
            kept = self._kept.get(conversation_id)
            if kept is None or not kept.turns:
                return False
            kept.title = clean_title(title)
            return True

    def delete(self, conversation_id: str) -> bool:
        """Remove a conversation."""
        with self._lock:
            kept = self._kept.pop(conversation_id, None)
            if kept is None:
                return False
            self._deleted_turns.update(key for key, turn in kept.turns.items() if not turn.finish)
            return bool(kept.turns)

    def clear(self, folder: str | None = None) -> int:
        """Remove every conversation, of one folder or all."""
        with self._lock:
            gone = [id_ for id_, kept in self._kept.items() if folder in (None, kept.conversation.folder)]
            return sum(self.delete(id_) for id_ in gone)

    def is_deleted(self, turn: Turn) -> bool:
        """Whether the turn's conversation was deleted while its answer was still coming."""
        return turn.key in self._deleted_turns

    def problem(self) -> HistoryError | None:
        """Return None: nothing is written."""
        return None

    def prepare(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def _entry(self, conversation: Conversation) -> _Kept:
        """Return what is kept of a conversation, used just now; what was not used for longest goes."""
        kept = self._kept.setdefault(conversation.id, _Kept(conversation, self._now()))
        self._kept.move_to_end(conversation.id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept
