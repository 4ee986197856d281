"""Conversations and turns as rows and back. Importing this imports SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, literal_column, select

from sidelight.core.answers import Source
from sidelight.core.ports import ConversationSummary, HistoryError, Turn
from sidelight.messages import msg
from sidelight.store.packing import pack, storable, unpack
from sidelight.store.sent_parts import pack_parts, unpack_parts
from sidelight.store.tables import SOURCES, TURNS
from sidelight.store.turn_ids import LAST_NUMBER, TITLE, number_of, turn_id

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_PACKED = ("instruction", "answer", "reasoning", "sent")
_PLAIN = ("task", "place", "finish", "error", "provider", "model", "about", "sent_to")
_LARGEST = 2**63 - 1
_NUMBERS = ("first_text_ms", "duration_ms", "prompt_tokens", "completion_tokens")
# What a row needs beside its long texts, about.
_ROW_BYTES = 500


def microseconds(moment: datetime) -> int:
    """Return a moment as the tables have it."""
    return (moment - _EPOCH) // _MICROSECOND


def turn_values(turn: Turn) -> dict[str, Any]:
    """Return the columns of a turn; its id and whether it is indexed are for others to say."""
    packed = {name: pack(getattr(turn, name)) for name in _PACKED} | {"notes": pack(json.dumps(turn.notes))}
    packed |= {"parts": pack_parts(turn.parts)} if turn.parts else {}
    packed |= {"warnings": pack(json.dumps(turn.warnings))} if turn.warnings else {}
    return {
        "parts": None,
        "warnings": None,
        **packed,
        **{name: storable(getattr(turn, name)) for name in _PLAIN},
        **{name: _storable_number(getattr(turn, name)) for name in _NUMBERS},
        "key": turn.key,
        "began_at_us": microseconds(turn.began_at),
        "size": _ROW_BYTES + sum(map(len, packed.values())),
    }


def source_values(id_: int, turn: Turn) -> list[dict[str, Any]]:
    """Return the rows of a turn's sources."""
    return [
        {"turn": id_, "position": position, "title": storable(source.title), "uri": storable(source.uri),
         "text": pack(source.text)}
        for position, source in enumerate(turn.sources)
    ]  # fmt: skip


def summary_of(row: Row[Any], found: str = "") -> ConversationSummary:
    """Return the conversation of a row."""
    began_at, changed_at = _moment(row.began_at_us), _moment(row.changed_at_us)
    return ConversationSummary(row.key, row.title, row.folder, began_at, changed_at, row.turns, found)


def turns_of(connection: Connection, conversation: int) -> Iterator[Turn]:
    """Yield a conversation's turns, oldest first. Raises ``HistoryError`` where a text is damaged."""
    sources: dict[int, list[Source]] = {}
    rows = SOURCES.select().where(within(SOURCES.c.turn, conversation)).order_by(SOURCES.c.turn, SOURCES.c.position)
    for row in connection.execute(rows):
        sources.setdefault(row.turn, []).append(_source(row))
    for row in connection.execute(TURNS.select().where(within(TURNS.c.id, conversation)).order_by(TURNS.c.id)):
        yield _turn(row, tuple(sources.get(row.id, ())))


def explanations(about: str) -> Select[Any]:
    """Return the statement for the explanations of a text, the newest first."""
    # The empty text is in the statement itself: by that SQLite knows that the index has all of these.
    has_text = TURNS.c.about != literal_column("''")
    finished = (TURNS.c.task == "explain") & (TURNS.c.finish == "complete")
    which = (TURNS.c.about == storable(about)) & has_text & finished
    return TURNS.select().where(which).order_by(TURNS.c.began_at_us.desc(), TURNS.c.id.desc())


def explanation_about(connection: Connection, about: str) -> Turn | None:
    """Return the newest explanation that came to its end of the text with that digest, by the index."""
    row = connection.execute(explanations(about).limit(1)).one_or_none()
    if row is None:
        return None
    of_turn = SOURCES.select().where(SOURCES.c.turn == row.id).order_by(SOURCES.c.position)
    return _turn(row, tuple(_source(it) for it in connection.execute(of_turn)))


def texts_at(connection: Connection, ids: list[int]) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Yield the ids of turns with what a search looks at in them: question, place and answer; damaged ones empty."""
    columns = (TURNS.c.id, TURNS.c.instruction, TURNS.c.place, TURNS.c.answer)
    for row in connection.execute(select(*columns).where(TURNS.c.id.in_(ids))):
        yield row.id, (_readable(row.instruction), row.place, _readable(row.answer))


def within(column: ColumnElement[int], conversation: int) -> ColumnElement[bool]:
    """Return the condition that a turn's id is one of a conversation's."""
    return column.between(turn_id(conversation, TITLE), turn_id(conversation, LAST_NUMBER))


def _turn(row: Row[Any], sources: tuple[Source, ...]) -> Turn:
    values: dict[str, Any] = {name: getattr(row, name) for name in (*_PLAIN, *_NUMBERS, "key")}
    values |= {name: _unpacked(getattr(row, name)) for name in _PACKED}
    notes = tuple(json.loads(_unpacked(row.notes)))
    values["warnings"] = () if row.warnings is None else tuple(json.loads(_unpacked(row.warnings)))
    values["parts"] = () if row.parts is None else unpack_parts(_unpacked(row.parts))
    return Turn(number=number_of(row.id), began_at=_moment(row.began_at_us), sources=sources, notes=notes, **values)


def _source(row: Row[Any]) -> Source:
    return Source(row.title, row.uri, _unpacked(row.text))


def _storable_number(number: int | None) -> int | None:
    """Return a number that SQLite can hold: servers count as they like."""
    return None if number is None else max(-_LARGEST, min(number, _LARGEST))


def _readable(packed: bytes) -> str:
    try:
        return unpack(packed)
    except ValueError:
        return ""


def _unpacked(packed: bytes) -> str:
    try:
        return unpack(packed)
    except ValueError as error:
        raise HistoryError(
            msg("A text of this conversation is damaged."), msg("Delete the conversation, or restore a backup.")
        ) from error


def _moment(microseconds_: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds_)
