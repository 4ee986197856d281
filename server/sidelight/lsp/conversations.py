"""Conversations for clients that show them: listed, read, renamed, exported and removed by requests of ours.

Everything blocks on the disk, so everything happens on threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sidelight.core.ports import Conversations, ConversationSummary, HistoryError, Turn
from sidelight.core.transcripts import FORMATS, conversation_value, summary_value, transcript
from sidelight.errors import UsageError
from sidelight.lsp.documents import document_key
from sidelight.lsp.protocol import InvalidParams
from sidelight.messages import Translator, msg

_LISTED = 50
_MOST_LISTED = 1000

Handler = Callable[[Any], Awaitable[dict[str, Any]]]


def folder_key(uri: str) -> str:
    """Return the one spelling of a workspace folder's URI by which its conversations are known."""
    return document_key(uri).rstrip("/")


def kept_turn(conversations: Conversations, id_: str, number: int | None) -> Turn:
    """Return a turn of a conversation, without a number the last one. Blocks; raises ``UsageError`` for none."""
    turn = next((it for it in reversed(conversations.turns(id_)) if number in (None, it.number)), None)
    if turn is None:
        raise UsageError(msg("This answer is no longer kept."))
    return turn


class ConversationRequests:
    """Answers the requests; ``conversations`` and ``translate`` are looked up at each, since both may change.

    ``removed`` is told when something was.
    """

    def __init__(
        self,
        conversations: Callable[[], Conversations],
        translate: Callable[[], Translator],
        removed: Callable[[], None],
    ) -> None:
        self._conversations = conversations
        self._translate = translate
        self._removed = removed

    def handlers(self) -> dict[str, Handler]:
        """Return the table: method -> what answers it."""
        return {
            "sidelight/conversations": self._list,
            "sidelight/conversation": self._read,
            "sidelight/renameConversation": self._rename,
            "sidelight/deleteConversation": self._delete,
            "sidelight/clearConversations": self._clear,
            "sidelight/exportConversation": self._export,
        }

    async def _list(self, params: Any) -> dict[str, Any]:
        search, folder, limit = _text(params, "search") or "", _folder(params), _limit(params)
        conversations = self._conversations()
        try:
            found = await asyncio.to_thread(conversations.latest, folder, search, limit)
            problem = conversations.problem()
        except HistoryError as error:  # a client's list shows it, and stays usable
            found, problem = [], error
        listed = {"conversations": [summary_value(summary) for summary in found]}
        return {**listed, "problem": self._told(problem)} if problem else listed

    async def _read(self, params: Any) -> dict[str, Any]:
        return await asyncio.to_thread(lambda id_: conversation_value(*self._whole(id_)), _id(params))

    async def _export(self, params: Any) -> dict[str, Any]:
        id_, format_ = _id(params), _text(params, "format") or "markdown"
        if format_ not in FORMATS:
            raise InvalidParams(f"format must be one of {', '.join(FORMATS)}.")
        return {"text": await asyncio.to_thread(lambda: transcript(*self._whole(id_), format_))}

    async def _rename(self, params: Any) -> dict[str, Any]:
        id_, title = _id(params), _text(params, "title")
        if title is None:
            raise InvalidParams("title is missing.")
        conversations = self._conversations()
        return {"renamed": await asyncio.to_thread(conversations.rename, id_, title)}

    async def _delete(self, params: Any) -> dict[str, Any]:
        deleted = await asyncio.to_thread(self._conversations().delete, _id(params))
        self._removed()
        return {"deleted": deleted}

    async def _clear(self, params: Any) -> dict[str, Any]:
        deleted = await asyncio.to_thread(self._conversations().clear, _folder(params))
        self._removed()
        return {"deleted": deleted}

    def _whole(self, id_: str) -> tuple[ConversationSummary, list[Any]]:
        conversations = self._conversations()
        summary = conversations.get(id_)
        if summary is None:
            raise UsageError(msg("This conversation is no longer kept."))
        return summary, conversations.turns(id_)

    def _told(self, problem: HistoryError) -> dict[str, str]:
        translate = self._translate()
        hint = {"hint": translate(problem.hint)} if problem.hint else {}
        return {"message": translate(problem.message), **hint}


def _id(params: Any) -> str:
    id_ = _text(params, "id")
    if not id_:
        raise InvalidParams("id is missing.")
    return id_


def _folder(params: Any) -> str | None:
    folder = _text(params, "folder")
    return None if folder is None else folder_key(folder)


def _limit(params: Any) -> int:
    limit = params.get("limit") if isinstance(params, dict) else None
    if limit is None:
        return _LISTED
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise InvalidParams("limit must be a number.")
    return min(limit, _MOST_LISTED)


def _text(params: Any, name: str) -> str | None:
    value = params.get(name) if isinstance(params, dict) else None
    if value is not None and not isinstance(value, str):
        raise InvalidParams(f"{name} must be a string.")
    return value
