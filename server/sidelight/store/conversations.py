"""Conversations in SQLite: written by one thread that nobody waits for, and searched by an index of words.

What was used last is in memory too (``core/conversations.py``): a conversation goes on where the file cannot be used.
``ledger.py`` is what happens inside a transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from sidelight.core.conversations import MemoryConversations, free_number, new_id, newest, utc_now
from sidelight.core.ports import Conversation, ConversationSummary, HistoryError, Turn
from sidelight.core.words import phrases
from sidelight.messages import msg
from sidelight.store.database import BUSY_S, FILE_NAME, Database
from sidelight.store.database_errors import Purpose
from sidelight.store.late_writer import LateWriter
from sidelight.store.selection import Selection
from sidelight.store.word_index import WordIndex

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sidelight.store.ledger import Ledger

log = logging.getLogger(__name__)
_Item = tuple[Conversation, Turn, datetime]

PURPOSE = Purpose(HistoryError, msg("conversations"), "SIDELIGHT_HISTORY")
_IN_MEMORY = 50
_MOST_UNWRITTEN = 100
_MOST_LISTED = 10_000
_CLOSING_S = 3.0
_DAY_US = 86_400_000_000


class StoredConversations:
    """The conversations in ``folder``, of all processes of this user; see the port for what the methods promise.

    Those that were not continued for ``days`` go, and the oldest when all together need more than ``budget_bytes``;
    never the one that was just changed. SQLAlchemy is imported by the writing thread, or at the first look.
    """

    def __init__(
        self,
        folder: Path,
        *,
        days: int,
        budget_bytes: int,
        now: Callable[[], datetime] = utc_now,
        index: WordIndex | None = None,
    ) -> None:
        self._database = Database(folder / FILE_NAME, PURPOSE)
        self._days = days
        self._budget_bytes = budget_bytes
        self._now = now
        self._index = index or WordIndex()
        self._memory = MemoryConversations(_IN_MEMORY, now)
        self._writer: LateWriter[_Item] = LateWriter(self._write, "conversations")
        self._without_turns: set[str] = set()
        self._written: set[str] = set()
        self._written_to = 0
        self._unwritten: dict[str, _Item] = {}
        self._problem: HistoryError | None = None

    # Conversations under way

    def open(self, conversation_id: str | None, folder: str = "") -> Conversation:
        """Return the conversation of that id, or begin one."""
        if conversation_id is None:
            conversation_id = new_id()
            self._without_turns.add(conversation_id)
        return self._memory.open(conversation_id, folder)

    def turns(self, conversation_id: str, patience_s: float | None = None) -> list[Turn]:
        """Return a conversation's turns: those on disk, with what has not got there yet."""
        began = monotonic()
        here = self._memory.turns(conversation_id)
        if conversation_id in self._without_turns or not (
            self._database.exists() if here else self._has_file(None if patience_s is None else patience_s / 2)
        ):
            return here
        left_s = None if patience_s is None else max(0.0, patience_s - (monotonic() - began))
        try:
            there = self._database.read(lambda connection: self._ledger().turns(connection, conversation_id), left_s)
        except HistoryError as error:
            self._problem = error
            if here:
                return here
            raise
        return self._merged(there, here)

    def begin(self, conversation: Conversation, after: int | None = None) -> int:
        """Return the number of a turn that begins now."""
        if after is None:
            try:
                after = max((turn.number for turn in self.turns(conversation.id)), default=0)
            except HistoryError:  # ``problem`` has it
                after = 0
        return self._memory.begin(conversation, after)

    def keep(self, conversation: Conversation, turn: Turn) -> None:
        """Keep a turn in memory now, and on disk soon."""
        self._memory.keep(conversation, turn)
        self._without_turns.discard(conversation.id)
        self._writer.put(turn.key, (conversation, turn, self._now()))

    # Looking

    def latest(self, folder: str | None = None, search: str = "", limit: int = 50) -> list[ConversationSummary]:
        """Return conversations, the one last changed first."""
        looked_for = phrases(search)
        if limit <= 0 or (search.strip() and not looked_for) or not self._has_file():
            return []
        limit, ledger = min(limit, _MOST_LISTED), self._ledger()
        if not looked_for:
            return self._summaries(Selection(folder=folder), limit)
        while self._database.read(ledger.is_index_behind):
            self._database.write(ledger.catch_up)
        return self._database.read(lambda connection: ledger.search(connection, looked_for, folder, limit))

    def get(self, conversation_id: str) -> ConversationSummary | None:
        """Return one conversation."""
        found = self._summaries(Selection(id=conversation_id), 1)
        return found[0] if found else None

    def find(self, beginning: str, limit: int = 10) -> list[ConversationSummary]:
        """Return the conversations whose ids begin so, or the one whose id is just this."""
        exact = self.get(beginning)
        return [exact] if exact else self._summaries(Selection(beginning=beginning), limit)

    def explanation(self, about: str) -> Turn | None:
        """Return the newest explanation of a text: of those on disk, and of those that have not got there yet."""
        here = self._memory.explanation(about)
        if here is not None and self._was_written(here):
            here = None  # the file tells better: another process may have deleted it
        if not about or not self._database.exists():
            return here
        try:
            there = self._database.read(lambda connection: self._ledger().explanation(connection, about))
        except HistoryError:
            if here is None:
                raise
            return here
        return newest(it for it in (here, there) if it is not None)

    # Changing

    def rename(self, conversation_id: str, title: str) -> bool:
        """Give a conversation a title."""
        return self._has_file() and self._database.write(
            lambda connection: self._ledger().rename(connection, conversation_id, title)
        )

    def delete(self, conversation_id: str) -> bool:
        """Remove a conversation."""
        was_here = self._memory.delete(conversation_id)
        return bool(self._remove(Selection(id=conversation_id))) or was_here

    def clear(self, folder: str | None = None) -> int:
        """Remove every conversation; of all folders: also the broken files that were moved aside."""
        count = max(self._memory.clear(folder), self._remove(Selection(folder=folder)))
        if folder is None and self._database.exists():
            self._database.remove_broken()
        return count

    # Life

    def problem(self) -> HistoryError | None:
        """Return why the last thing kept could not be written, or what happened to the file."""
        if self._problem is None and self._database.moved_aside:
            return HistoryError(self._database.moved_aside)
        return self._problem

    def prepare(self) -> None:
        """Import SQLAlchemy, and open the file where there is one."""
        try:
            self._ledger()
            self._database.prepare()
        except HistoryError as error:
            self._problem = error
            raise

    def close(self) -> None:
        """Write what is still to be written, waiting some seconds at most, and let go of the file."""
        if self._writer.close(_CLOSING_S):
            self._database.close()
        else:
            log.warning("the last turns could not be written in time")

    # Inside

    def _ledger(self) -> Ledger:
        self._database.load()
        from sidelight.store.ledger import Ledger

        return Ledger(self._index)

    def _has_file(self, patience_s: float | None = None) -> bool:
        """Whether anything is on disk, after what was kept before has got there."""
        self._writer.flush(BUSY_S + 1 if patience_s is None else patience_s)
        return self._database.exists()

    def _summaries(self, which: Selection, limit: int) -> list[ConversationSummary]:
        if not self._has_file():
            return []
        ledger = self._ledger()
        return self._database.read(lambda connection: ledger.summaries(connection, which, limit))

    def _remove(self, which: Selection) -> int:
        has_file = self._has_file()
        for key, (conversation, *_) in list(self._unwritten.items()):
            if which.id in (None, conversation.id) and which.folder in (None, conversation.folder):
                self._unwritten.pop(key, None)
        if not has_file:
            return 0
        count = self._database.write(lambda connection: self._ledger().remove(connection, which))
        self._database.forget_deleted()
        return count

    def _merged(self, there: list[Turn], here: list[Turn]) -> list[Turn]:
        """Return the turns on disk as they are in memory, where they are newer, and those that are in memory alone."""
        newest = {turn.key: turn for turn in here}
        merged = [replace(newest.pop(turn.key, turn), number=turn.number) for turn in there]
        for turn in newest.values():
            if not self._was_written(turn):  # else another process has deleted it
                merged.append(replace(turn, number=free_number(turn.number, (it.number for it in merged))))
        return sorted(merged, key=lambda turn: turn.number)

    # Writing, on a thread of its own

    def _write(self, item: _Item) -> None:
        """Write a turn, and when that was possible those that could not be written before."""
        key = item[1].key
        self._unwritten.pop(key, None)
        self._unwritten[key] = item
        if self._try_put(item):
            for earlier in list(self._unwritten.values()):
                self._try_put(earlier)
        for lost in list(self._unwritten)[:-_MOST_UNWRITTEN]:
            self._unwritten.pop(lost, None)

    def _try_put(self, item: _Item) -> bool:
        try:
            self._put(*item)
        except HistoryError as error:
            if str(error) != str(self._problem):
                log.warning("a conversation cannot be kept: %s", error)
            self._problem = error
            return False
        except Exception:  # the rim of a thread
            log.exception("a turn could not be kept, and is not tried again")
        self._unwritten.pop(item[1].key, None)
        self._problem = None
        return True

    def _put(self, conversation: Conversation, turn: Turn, now: datetime) -> None:
        from sidelight.store.turn_rows import microseconds

        ledger = self._ledger()
        now_us = microseconds(now)
        oldest_us = now_us - self._days * _DAY_US

        def work(connection: Connection) -> None:
            is_new = not ledger.has_turn(connection, turn.key)
            if self._memory.is_deleted(turn) or (is_new and self._was_written(turn)):
                return  # deleted here, or by another process
            row = ledger.put(connection, conversation, turn, now_us)
            if is_new or turn.finish:
                ledger.prune(connection, row, oldest_us, self._budget_bytes)

        self._database.write(work)
        if self._written_to != self._database.generation:
            self._written_to, self._written = self._database.generation, set()
        self._written.add(turn.key)

    def _was_written(self, turn: Turn) -> bool:
        """Whether this process has written the turn to the file that is open now."""
        return self._written_to == self._database.generation and turn.key in self._written
