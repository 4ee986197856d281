"""Hover: the explanation that is kept of a symbol, while its text is what was explained. Nobody is asked for one.

What a symbol is, headers tell: nothing is parsed. Looking for it and for what is kept of it happens on a thread, once
for a symbol in a version of a document.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from textwrap import dedent
from time import monotonic
from typing import Any

from lsprotocol import types

from sidelight.core.context import Context, target_lines
from sidelight.core.ports import Conversations, HistoryError, Turn
from sidelight.core.transcripts import fence_for, inline
from sidelight.editing.fences import code_blocks
from sidelight.editing.symbols import headers_of, word_at
from sidelight.editing.text import Place, Range, split_lines
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Document, Documents
from sidelight.messages import Message, msg

log = logging.getLogger(__name__)

_LONGEST = 2000
# Another editor may have explained it, or deleted the explanation.
_KNOWN_FOR_S = 30.0

_FENCE = re.compile("`{3,}|~{3,}")
_LANGUAGE = re.compile(r"[\w+#.-]*")
_JOINER = "\N{WORD JOINER}"
# What makes a link of text, or loads something: the page on which VS Code shows this may run a command of ours.
_LINKS = (
    (re.compile(r"!\["), f"!{_JOINER}["),
    (re.compile(r"\]\((?!\s*<?https?://)", re.IGNORECASE), f"]{_JOINER}("),
    (re.compile(r"\]:"), f"]{_JOINER}:"),
    (re.compile(r"<(?=[a-z/!?])(?!https?://)", re.IGNORECASE), f"<{_JOINER}"),
)


@dataclass(slots=True)
class _Known:
    """What was found in one version of a document, by where the name begins."""

    at: float
    found: dict[Place, Turn | None] = field(default_factory=dict)


class Hovers:
    """Answers ``textDocument/hover``; ``conversations`` is looked up at each, since it may change."""

    def __init__(self, client: Client, documents: Documents, conversations: Callable[[], Conversations]) -> None:
        self._client = client
        self._documents = documents
        self._conversations = conversations
        self._known: dict[str, _Known] = {}
        documents.listen(self._changed)

    def _changed(self, document: Document) -> None:
        self._known.pop(document.key, None)

    def forget(self) -> None:
        """Look anew: something was explained, or deleted."""
        self._known.clear()

    async def hover(self, uri: str, position: types.Position) -> dict[str, Any] | None:
        """Return the hover at a place; None where nothing is kept of what stands there."""
        document = self._documents.opened(uri)
        if document is None:
            return None
        place = document.place(position)
        start, end = word_at(document.text.lines[place.line], place.column)
        at = document.lsp_range(Range(Place(place.line, start), Place(place.line, end)))
        turn = await self._explanation(document, Place(place.line, start))  # meanwhile the line may have gone
        if turn is None:
            return None
        kind = "markdown" if self._client.can.hover_markdown else "plaintext"
        return {"contents": {"kind": kind, "value": self._text(turn)}, "range": at}

    async def _explanation(self, document: Document, place: Place) -> Turn | None:
        known = self._known.get(document.key)
        if known is None or monotonic() - known.at > _KNOWN_FOR_S:
            known = self._known[document.key] = _Known(monotonic())
        if place not in known.found:
            look = (self._conversations(), tuple(document.text.lines), document.language_id, place)
            try:
                known.found[place] = await asyncio.to_thread(_look_up, *look)
            except HistoryError as error:
                log.info("no explanation can be looked up: %s", error)
                return None
        return known.found[place]

    def _text(self, turn: Turn) -> str:
        who = " ".join(part for part in (turn.provider, turn.model) if part)
        foot = msg("Explained {age} by {who}. To explain it anew, choose “{action}”.",
                   age=age_of(turn.began_at, datetime.now(timezone.utc)), who=who,
                   action=msg("Explain with Sidelight"))  # fmt: skip
        return f"{without_links(shortened(turn.answer))}\n\n---\n\n{inline(self._client.write(foot))}"


def _look_up(conversations: Conversations, lines: Sequence[str], language: str, place: Place) -> Turn | None:
    """Return the explanation of the definition whose header the line is, else of the one that has the name there."""
    for header in headers_of(lines, language, place):
        caret = Range(Place(header, 0), Place(header, 0))
        context = Context(lines=tuple(lines), target=target_lines(lines, caret))
        if context.digest and (turn := conversations.explanation(context.digest)) is not None:
            return turn
    return None


# What is shown


def age_of(then: datetime, now: datetime) -> Message:
    """Return how long ago something was, in words."""
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return msg("just now")
    if minutes < 60:
        return msg("{count} minutes ago", count=minutes) if minutes > 1 else msg("a minute ago")
    hours, days = minutes // 60, minutes // (60 * 24)
    if hours < 24:
        return msg("{count} hours ago", count=hours) if hours > 1 else msg("an hour ago")
    return msg("{count} days ago", count=days) if days > 1 else msg("a day ago")


def shortened(answer: str) -> str:
    """Return an answer, or its first paragraphs; none is cut, but a first one that is too long alone."""
    text = answer.strip()
    if len(text) <= _LONGEST:
        return text
    code = {number for it in code_blocks(text) for number in range(it.first_line - 1, it.end_line + 1)}
    end = at = 0
    for number, line in enumerate(split_lines(text)):
        if at > _LONGEST:
            break
        if not line.strip() and number not in code:
            end = at
        at += len(line)
    return f"{text[: end or _LONGEST].rstrip()}\n\n…"


def without_links(text: str) -> str:
    """Return Markdown in which no link leads anywhere but to the web, and no picture is loaded.

    A model wrote it, or what it read: nothing there may run a command. An invisible sign keeps what would be a link
    from being one. Code stays as it is, in fences that are written anew, so that everybody sees the same code.
    """
    lines, shown, at = split_lines(text), [], 0
    for block in code_blocks(text):
        code, fence = dedent(block.text).rstrip("\r\n"), fence_for(block.text)
        language = block.language if _LANGUAGE.fullmatch(block.language) else ""
        shown += [_defused("".join(lines[at : block.first_line - 1])), f"\n{fence}{language}\n{code}\n{fence}\n\n"]
        at = block.end_line + 1
    return "".join([*shown, _defused("".join(lines[at:]))]).strip()


def _defused(text: str) -> str:
    for pattern, put in _LINKS:
        text = pattern.sub(put, text)
    return _FENCE.sub(lambda found: _JOINER.join(found[0]), text)
