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

from sidelight.core.ports import ConversationSummary, SentPart, Turn
from sidelight.core.sources import Cited, cited, source_values
from sidelight.messages import Translator

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
        "sentTo": turn.sent_to,
        "parts": part_values(turn.parts),
        "about": turn.about,
        "answer": turn.answer,
        "sources": source_values(cited(turn.sources)),
        "notes": list(turn.notes),
        "warnings": list(turn.warnings),
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


def part_values(parts: Iterable[SentPart], write: Translator = str) -> list[dict[str, Any]]:
    """Return what was sent, piece by piece, as the protocol has it."""
    return [
        {"kind": it.kind, "name": it.name, "why": write(it.why), "tokens": it.tokens, "where": it.where} for it in parts
    ]


def markdown(summary: ConversationSummary, turns: Iterable[Turn]) -> str:
    """Return a conversation as Markdown."""
    head = [
        f"# {inline(summary.title)}",
        f"Conversation {inline(summary.id)}, {utc(summary.began_at)} to {utc(summary.changed_at)}",
    ]
    if summary.folder:
        head.append(f"Folder: {inline(summary.folder)}")
    return "\n\n".join([*head, *(part for turn in turns for part in _turn_parts(turn))]) + "\n"


def utc(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601 has it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _turn_parts(turn: Turn) -> list[str]:
    by = " ".join(inline(part) for part in (turn.provider, turn.model) if part)
    about = ", ".join(part for part in (utc(turn.began_at), inline(turn.place), by) if part)
    parts = [f"## {turn.number}. {inline(turn.task)}", about]
    if turn.instruction.strip():
        parts += ["**Question**", _quoted(turn.instruction)]
    if turn.answer.strip():
        parts += ["**Answer**", _quoted(turn.answer)]
    if sources := "\n".join(map(source_line, cited(turn.sources))):
        parts += ["**Sources**", sources]
    if turn.notes:
        parts.append("\n".join(f"- {inline(note)}" for note in turn.notes))
    return parts + _end_parts(turn)


def _end_parts(turn: Turn) -> list[str]:
    if turn.finish == "complete":
        return []
    ending = inline((turn.finish or "unfinished").replace("_", " "))
    return [f"*({ending}{': ' + inline(turn.error) if turn.error else ''})*"]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in _LINE_END.split(text.strip("\r\n")))


def source_line(document: Cited) -> str:
    """Return a cited document as one line of a numbered list in Markdown."""
    address = f", {inline(document.address)}" if document.address != document.name else ""
    return f"{document.number}. {inline(document.name or 'untitled')}{address if document.address else ''}"


def fence_for(text: str) -> str:
    """Return the mark of a code block that nothing in the text ends."""
    return "`" * (max((len(run) for run in re.findall("`{3,}", text)), default=2) + 1)


def inline(text: str) -> str:
    """Return text on one line in which nothing is markup."""
    printed = "".join(character if character.isprintable() else " " for character in text)
    return _MARKUP.sub(r"\\\g<0>", " ".join(printed.split()))
