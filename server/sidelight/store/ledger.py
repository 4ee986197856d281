"""What is done to conversations within one transaction, for ``conversations.py``. Importing this imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, true

from sidelight.core.conversations import clean_title, free_number, made_title, matched, searched_texts
from sidelight.core.ports import Conversation, ConversationSummary, Turn
from sidelight.core.words import Phrase, excerpt
from sidelight.store.packing import storable
from sidelight.store.selection import Selection
from sidelight.store.tables import CONVERSATIONS, SOURCES, TURNS
from sidelight.store.turn_ids import LAST_NUMBER, TITLE, number_of, turn_id
from sidelight.store.turn_rows import (
    explanation_about,
    source_values,
    summary_of,
    texts_at,
    turn_values,
    turns_of,
    within,
)
from sidelight.store.word_index import WordIndex

_ROW_BYTES = 500
# The index holds the words, and where they are.
_INDEX_FACTOR = 2
_INDEXED_AT_ONCE = 500
_IDS_AT_ONCE = 500
_C, _T = CONVERSATIONS.c, TURNS.c


class Ledger:
    """Conversations and their turns, kept in step with the index of words."""

    def __init__(self, index: WordIndex) -> None:
        self._index = index

    # Looking

    def summaries(self, connection: Connection, which: Selection, limit: int) -> list[ConversationSummary]:
        """Return conversations, the one last changed first."""
        return [summary_of(row) for row in connection.execute(_latest(_meant(which)).limit(limit))]

    def turns(self, connection: Connection, key: str) -> list[Turn]:
        """Return the turns of a conversation."""
        row = _row(connection, key)
        return [] if row is None else list(turns_of(connection, row.id))

    def explanation(self, connection: Connection, about: str) -> Turn | None:
        """Return the newest explanation that came to its end of the text with that digest."""
        return explanation_about(connection, about)

    def search(
        self, connection: Connection, looked_for: list[Phrase], folder: str | None, limit: int
    ) -> list[ConversationSummary]:
        """Return the conversations that have all phrases, the one last changed first."""
        if not self._index.is_there(connection):
            return self._read_through(connection, looked_for, Selection(folder=folder), limit)
        met = dict(
            self._index.latest_with_all(connection, looked_for, None if folder is None else storable(folder), limit)
        )
        rows = {row.id: row for some in _portions(list(met)) for row in connection.execute(_latest(_C.id.in_(some)))}
        texts = {id_: it for some in _portions(list(met.values())) for id_, it in texts_at(connection, some)}
        found = {id_: excerpt([*texts.get(place, ()), rows[id_].title], looked_for) for id_, place in met.items()}
        return [summary_of(rows[id_], found[id_]) for id_ in met]

    def _read_through(
        self, connection: Connection, looked_for: list[Phrase], which: Selection, limit: int
    ) -> list[ConversationSummary]:
        found: list[ConversationSummary] = []
        for row in connection.execute(_latest(_meant(which))).all():
            if len(found) == limit:
                break
            if summary := matched(summary_of(row), turns_of(connection, row.id), looked_for):
                found.append(summary)
        return found

    # Keeping

    def put(self, connection: Connection, conversation: Conversation, turn: Turn, now_us: int) -> int:
        """Keep a turn or what has become of it; returns its conversation's row."""
        key = self._conversation(connection, conversation, turn)
        id_ = self._turn(connection, key, turn)
        sources = source_values(id_, turn)
        connection.execute(SOURCES.delete().where(SOURCES.c.turn == id_))
        if sources:
            connection.execute(SOURCES.insert(), sources)
        texts = searched_texts(turn)
        is_indexed = self._index.make(connection)
        if is_indexed:
            self._index.put(connection, id_, *texts)
        more = sum(len(it["text"]) + _ROW_BYTES for it in sources) + _INDEX_FACTOR * sum(map(_bytes, texts))
        values = {"is_indexed": int(is_indexed), "size": _T.size + more}
        connection.execute(TURNS.update().where(_T.id == id_).values(values))
        self._count(connection, key, now_us)
        return key

    def _turn(self, connection: Connection, conversation: int, turn: Turn) -> int:
        """Write the turn's row, a new one where it has none; returns its id."""
        values = {**turn_values(turn), "is_indexed": 0}
        id_ = connection.scalar(select(_T.id).where(_T.key == turn.key))
        if id_ is not None:
            connection.execute(TURNS.update().where(_T.id == id_).values(values))
            return int(id_)
        numbers = (number_of(it) for it in connection.scalars(select(_T.id).where(within(_T.id, conversation))))
        id_ = turn_id(conversation, free_number(turn.number if turn.number <= LAST_NUMBER else 0, numbers))
        connection.execute(TURNS.insert().values(id=id_, **values))
        return id_

    def has_turn(self, connection: Connection, key: str) -> bool:
        """Whether a turn is kept."""
        return connection.scalar(select(_T.id).where(_T.key == key)) is not None

    def rename(self, connection: Connection, key: str, title: str) -> bool:
        """Give a conversation a title; an empty one is made of the first question again."""
        row = _row(connection, key)
        if row is None:
            return False
        given = storable(clean_title(title))
        self._set_title(connection, row.id, given or storable(made_title(next(turns_of(connection, row.id)))))
        return True

    def _conversation(self, connection: Connection, conversation: Conversation, turn: Turn) -> int:
        row = _row(connection, conversation.id)
        if row is not None:
            return int(row.id)
        values = {"key": storable(conversation.id), "folder": storable(conversation.folder), "title": ""}
        zeros = dict.fromkeys(("is_indexed", "began_at_us", "changed_at_us", "turns", "size"), 0)
        made = connection.execute(CONVERSATIONS.insert().values(**values, **zeros)).inserted_primary_key
        assert made is not None
        self._set_title(connection, made[0], storable(made_title(turn)))
        return int(made[0])

    def _set_title(self, connection: Connection, id_: int, title: str) -> None:
        is_indexed = self._index.make(connection)
        if is_indexed:
            self._index.put(connection, turn_id(id_, TITLE), title)
        connection.execute(
            CONVERSATIONS.update().where(_C.id == id_).values(title=title, is_indexed=int(is_indexed))
        )  # fmt: skip

    def _count(self, connection: Connection, id_: int, now_us: int) -> None:
        counted = select(func.count(), func.sum(_T.size), func.min(_T.id)).where(within(_T.id, id_))
        turns, size, first = connection.execute(counted).one()
        began = select(_T.began_at_us).where(_T.id == first).scalar_subquery()
        values = {"turns": turns, "size": size + _ROW_BYTES, "began_at_us": began, "changed_at_us": now_us}
        connection.execute(CONVERSATIONS.update().where(_C.id == id_).values(values))

    # Removing

    def remove(self, connection: Connection, which: Selection) -> int:
        """Remove conversations, their words as well; returns how many."""
        if which == Selection():
            return self._remove_all(connection)
        ids = list(connection.scalars(select(_C.id).where(_meant(which))))
        self._remove(connection, ids)
        self._index.forget_deleted(connection, entirely=True)
        return len(ids)

    def _remove_all(self, connection: Connection) -> int:
        for table in (SOURCES, TURNS):
            connection.execute(table.delete())
        self._index.drop(connection)
        return connection.execute(CONVERSATIONS.delete()).rowcount

    def prune(self, connection: Connection, spared: int, oldest_us: int, budget_bytes: int) -> None:
        """Remove what was last changed too long ago, and the oldest that does not fit; never the ``spared`` one."""
        excess = (connection.scalar(select(func.sum(_C.size))) or 0) - budget_bytes
        gone = []
        for row in connection.execute(select(_C.id, _C.size, _C.changed_at_us).order_by(_C.changed_at_us)):
            if row.changed_at_us >= oldest_us and excess <= 0:
                break
            if row.id != spared:
                gone.append(row.id)
                excess -= row.size
        if gone:
            self._remove(connection, gone)
            self._index.forget_deleted(connection, entirely=False)

    def _remove(self, connection: Connection, ids: list[int]) -> None:
        for id_ in ids:
            connection.execute(SOURCES.delete().where(within(SOURCES.c.turn, id_)))
            connection.execute(TURNS.delete().where(within(_T.id, id_)))
            connection.execute(CONVERSATIONS.delete().where(_C.id == id_))

    # The index

    def is_index_behind(self, connection: Connection) -> bool:
        """Whether this SQLite can index what another, that could not, has left."""
        behind = select(_T.id).where(_T.is_indexed == 0).union_all(select(_C.id).where(_C.is_indexed == 0)).limit(1)
        return connection.scalar(behind) is not None and self._index.can(connection)

    def catch_up(self, connection: Connection) -> None:
        """Index some of what is not indexed yet."""
        self._index.make(connection)
        titles = select(_C.id, _C.title).where(_C.is_indexed == 0).limit(_INDEXED_AT_ONCE)
        for row in connection.execute(titles).all():
            self._set_title(connection, row.id, row.title)
        ids = list(connection.scalars(select(_T.id).where(_T.is_indexed == 0).limit(_INDEXED_AT_ONCE)))
        for id_, texts in list(texts_at(connection, ids)):
            self._index.put(connection, id_, *texts)
            connection.execute(TURNS.update().where(_T.id == id_).values(is_indexed=1))


def _row(connection: Connection, key: str) -> Row[Any] | None:
    return connection.execute(CONVERSATIONS.select().where(_meant(Selection(id=key)))).one_or_none()


def _latest(which: ColumnElement[bool]) -> Select[Any]:
    return CONVERSATIONS.select().where(which).order_by(_C.changed_at_us.desc(), _C.id.desc())


def _meant(which: Selection) -> ColumnElement[bool]:
    if which.id is not None:
        return _C.key == storable(which.id)
    if which.beginning is not None:
        beginning = storable(which.beginning)
        return func.substr(_C.key, 1, len(beginning)) == beginning
    return true() if which.folder is None else _C.folder == storable(which.folder)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _portions(ids: list[int]) -> Iterator[list[int]]:
    """Yield ids in portions that every SQLite takes in one statement."""
    for first in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[first : first + _IDS_AT_ONCE]
