"""What was sent for an answer: ``sidelight/sent``, and the command that shows it as a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sidelight.core.ports import Conversations, Turn
from sidelight.core.sent_page import sent_page, sent_value
from sidelight.errors import UsageError
from sidelight.lsp.conversations import kept_turn
from sidelight.lsp.pages import Pages
from sidelight.lsp.protocol import InvalidParams
from sidelight.messages import msg

Latest = tuple[str, int]


class SentRequests:
    """Answers them; ``latest`` is this session's last answer, by conversation and turn."""

    def __init__(
        self, pages: Pages, conversations: Callable[[], Conversations], latest: Callable[[], Latest | None]
    ) -> None:
        self._pages = pages
        self._conversations = conversations
        self._latest = latest

    async def request(self, params: Any) -> dict[str, Any]:
        """Answer ``sidelight/sent``."""
        conversation, number = _which(params)
        if conversation is None or number is None:
            raise InvalidParams("conversation and turn are needed.")
        turn = await asyncio.to_thread(kept_turn, self._conversations(), conversation, number)
        return sent_value(turn, self._pages.client.write)

    def shown(self, argument: Any) -> Any:
        """Return the work of ``sidelight.showSent``. Raises ``InvalidParams``."""
        return self._show(*_which(argument or {}))

    async def _show(self, conversation: str | None, number: int | None) -> None:
        if conversation is None:
            conversation, number = self._latest() or (None, None)
        write = self._pages.client.write
        turn = await asyncio.to_thread(self._turn, conversation, number)
        page = self._pages.new_text(write(msg("What was sent")), sent_page(turn, write))
        await self._pages.show(page)

    def _turn(self, conversation: str | None, number: int | None) -> Turn:
        conversations = self._conversations()
        if conversation is None:  # nothing was asked since this session began
            latest = conversations.latest(limit=1)
            if not latest:
                raise UsageError(msg("Nothing has been sent yet."), msg("Ask something first."))
            conversation = latest[0].id
        return kept_turn(conversations, conversation, number)


def _which(params: Any) -> tuple[str | None, int | None]:
    match {"conversation": None, "turn": None, **(params if isinstance(params, dict) else {})}:
        case {"conversation": str() | None as conversation, "turn": int() | None as turn}:
            return conversation, turn
    raise InvalidParams("conversation must be a string, and turn a number.")
