"""What was sent with a turn, for its user: as a page in Markdown, and as the protocol has it.

``core/sent.py`` makes the list when the question goes out. What is shown here was written by a user, a model's server
or a document: names are escaped, and the message stands in a fence that nothing in it ends.
"""

from __future__ import annotations

from typing import Any

from sidelight.core.ports import Turn
from sidelight.core.transcripts import fence_for, inline, part_values, utc
from sidelight.messages import Message, Translator, msg, plain

_KINDS = {
    "orders": msg("orders"),
    "question": msg("question"),
    "instruction": msg("instruction"),
    "problems": msg("problems"),
    "target": msg("target"),
    "query": msg("search query"),
    "earlier": msg("conversation"),
    "instructions": msg("project’s instructions"),
    "mention": msg("mentioned"),
    "enclosing": msg("code around"),
    "imports": msg("imports"),
    "definition": msg("definition"),
    "around": msg("lines around"),
    "knowledge": msg("knowledge"),
    "reference": msg("use"),
    "earlier_code": msg("earlier code"),
}
_PLACES = {
    "orders": msg("standing orders"),
    "message": msg("message"),
    "attachment": msg("attached document"),
    "earlier": msg("earlier turns"),
    "search": msg("search before the question"),
}


def sent_value(turn: Turn, write: Translator) -> dict[str, Any]:
    """Return what was sent as ``sidelight/sent`` has it."""
    return {
        "provider": turn.provider,
        "model": turn.model,
        "sentTo": turn.sent_to,
        "tokens": _tokens(turn),
        "parts": part_values(turn.parts, write),
        "text": turn.sent,
    }


def sent_page(turn: Turn, write: Translator) -> str:
    """Return what was sent as a page: to whom, a table of its parts, and the message as the model read it."""
    said = [f"# {write(msg('What was sent'))}", _about(turn), inline(write(_went_to(turn)))]
    if turn.parts:
        said += [_table(turn, write)]
    else:
        said += [write(msg("What the message was made of was not kept with this turn."))]
    if turn.sent:
        fence = fence_for(turn.sent)
        said += [f"**{write(msg('The message'))}**", f"{fence}text\n{turn.sent.rstrip()}\n{fence}"]
    return "\n\n".join(said) + "\n"


def _tokens(turn: Turn) -> int | None:
    return sum(part.tokens for part in turn.parts) if turn.parts else turn.prompt_tokens


def _about(turn: Turn) -> str:
    return ", ".join(inline(part) for part in (turn.task, turn.place, utc(turn.began_at)) if part)


def _went_to(turn: Turn) -> Message:
    who = " ".join(part for part in (turn.provider, turn.model) if part)
    if turn.sent_to:
        return msg("It went to {who} at {place}.", who=who, place=turn.sent_to)
    if turn.provider == "builtin":
        return msg("It went nowhere: Sidelight answered by itself.")
    return msg("It went to {who}.", who=who) if who else msg("It was not sent.")


def _table(turn: Turn, write: Translator) -> str:
    heads = (msg("What"), msg("Name"), msg("Why"), msg("Tokens"), msg("Where it went"))
    rows = [
        (_KINDS.get(it.kind) or plain(it.kind), plain(it.name), it.why, plain(str(it.tokens)),
         _PLACES.get(it.where) or plain(it.where))
        for it in turn.parts
    ]  # fmt: skip
    rows.append((msg("In all"), plain(""), plain(""), plain(str(_tokens(turn))), plain("")))
    lines = [_row(heads, write), "| --- | --- | --- | ---: | --- |", *(_row(row, write) for row in rows)]
    return "\n".join(lines)


def _row(cells: tuple[Message, ...], write: Translator) -> str:
    return f"| {' | '.join(inline(write(cell)) for cell in cells)} |"
