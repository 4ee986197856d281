"""Conversations kept in memory, for as long as the process lives."""

from __future__ import annotations

import uuid
from collections import OrderedDict

from sidelight.core.ports import Conversation

_KEPT = 200


class MemoryConversations:
    """Keeps the conversations used last; ids are random, so that no two users of one knowledge base share one."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()

    def open(self, conversation_id: str | None) -> Conversation:
        """Return the conversation of that id, or begin one."""
        key = conversation_id or f"sidelight-{uuid.uuid4()}"
        conversation = self._conversations.setdefault(key, Conversation(key))
        self._conversations.move_to_end(key)
        while len(self._conversations) > _KEPT:
            self._conversations.popitem(last=False)
        return conversation
