"""A conversation to take away: as Markdown for people, as JSON for programs.

Markdown has the questions, answers and sources; JSON has everything, in the shape of ``sidelight/conversation`` in
``lsp/PROTOCOL.md`` with ``format`` and ``version`` before it. Nothing that a user or a model wrote ends the place it
stands in: long texts are block quotes, in which an open fence ends too, and short ones are escaped. HTML in an answer
stays what it is: who shows a transcript decides about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, get_args

from sidelight.core.answers import Source
from sidelight.core.ports import ConversationSummary, Turn

TranscriptFormat = Literal["markdown", "json"]
FORMATS: tuple[str, ...] = get_args(TranscriptFormat)

_VERSION = 1
# Line ends of CommonMark, and those at which a viewer might end a line anyway.
_LINE_END = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# What is markup inside a line; an underscore within a word is none.
_MARKUP = re.compile(r"[\\`*\[\]<>&~|$]|(?<![^\W_])_|_(?![^\W_])|#(?=#*$)")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def transcript(summary: ConversationSummary, turns: Iterable[Turn], format_: str) -> str:
    """Return a conversation in one of the formats."""
    return markdown(summary, turns) if format_ == "markdown" else as_json(summary, turns)


def as_json(summary: ConversationSummary, turns: Iterable[Turn]) -> str:
    """Return a conversation as JSON. Lone surrogates are escaped, so that the text can be written as UTF-8."""
    value = {"format": "sidelight-conversation", "version": _VERSION, **conversation_value(summary, turns)}
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _HALF_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def conversation_value(summary: ConversationSummary, turns: Iterable[Turn]) -> dict[str, Any]:
    """Return a conversation as the protocol has it."""
    return {**summary_value(summary), "turns": [turn_value(turn) for turn in turns]}


def summary_value(summary: ConversationSummary) -> dict[str, Any]:
    """Return what lists have of a conversation, as the protocol has it."""
    value: dict[str, Any] = {
        "id": summary.id,
        "title": summary.title,
        "folder": summary.folder,
        "beganAt": utc(summary.began_at),
        "changedAt": utc(summary.changed_at),
        "turns": summary.turns,
    }
    return value | ({"found": summary.found} if summary.found else {})


def turn_value(turn: Turn) -> dict[str, Any]:
    """Return a turn as the protocol has it."""
    value: dict[str, Any] = {
        "number": turn.number,
        "task": turn.task,
        "instruction": turn.instruction,
        "place": turn.place,
        "sent": turn.sent,
        "answer": turn.answer,
        "sources": [{"title": it.title, "uri": it.uri, "text": it.text} for it in turn.sources],
        "notes": list(turn.notes),
        "finish": turn.finish,
        "provider": turn.provider,
        "model": turn.model,
        "beganAt": utc(turn.began_at),
        "firstTextMs": turn.first_text_ms,
        "durationMs": turn.duration_ms,
        "promptTokens": turn.prompt_tokens,
        "completionTokens": turn.completion_tokens,
    }
    return value | {name: it for name, it in (("reasoning", turn.reasoning), ("error", turn.error)) if it}


def markdown(summary: ConversationSummary, turns: Iterable[Turn]) -> str:
    """Return a conversation as Markdown."""
    head = [
        f"# {_inline(summary.title)}",
        f"Conversation {_inline(summary.id)}, {utc(summary.began_at)} to {utc(summary.changed_at)}",
    ]
    if summary.folder:
        head.append(f"Folder: {_inline(summary.folder)}")
    return "\n\n".join([*head, *(part for turn in turns for part in _turn_parts(turn))]) + "\n"


def utc(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601 has it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _turn_parts(turn: Turn) -> list[str]:
    by = " ".join(_inline(part) for part in (turn.provider, turn.model) if part)
    about = ", ".join(part for part in (utc(turn.began_at), _inline(turn.place), by) if part)
    parts = [f"## {turn.number}. {_inline(turn.task)}", about]
    if turn.instruction.strip():
        parts += ["**Question**", _quoted(turn.instruction)]
    if turn.answer.strip():
        parts += ["**Answer**", _quoted(turn.answer)]
    if sources := "\n".join(_source_lines(turn.sources)):
        parts += ["**Sources**", sources]
    if turn.notes:
        parts.append("\n".join(f"- {_inline(note)}" for note in turn.notes))
    return parts + _end_parts(turn)


def _end_parts(turn: Turn) -> list[str]:
    if turn.finish == "complete":
        return []
    ending = _inline((turn.finish or "unfinished").replace("_", " "))
    return [f"*({ending}{': ' + _inline(turn.error) if turn.error else ''})*"]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in _LINE_END.split(text.strip("\r\n")))


def _source_lines(sources: Iterable[Source]) -> Iterable[str]:
    for number, source in enumerate(sources, 1):
        uri = f", {_inline(source.uri)}" if source.uri else ""
        yield f"{number}. {_inline(source.title or 'untitled')}{uri}"


def _inline(text: str) -> str:
    """Return text on one line in which nothing is markup."""
    printed = "".join(character if character.isprintable() else " " for character in text)
    return _MARKUP.sub(r"\\\g<0>", " ".join(printed.split()))
