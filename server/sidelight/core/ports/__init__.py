"""What core asks of the rooms around it. ``composition`` alone joins these to their implementations."""

from __future__ import annotations

from sidelight.core.ports.choosing import (
    Choice,
    Examined,
    Offer,
    Offers,
    Trial,
    Tried,
    Wishes,
)
from sidelight.core.ports.conversations import (
    Conversation,
    Conversations,
    ConversationSummary,
    HistoryError,
    SentPart,
    Turn,
)
from sidelight.core.ports.providers import (
    Check,
    Exchange,
    Knowledge,
    Model,
    Part,
    Probing,
    Prompt,
    Provider,
    ProviderSource,
    Request,
    Window,
)
from sidelight.core.ports.restore_points import (
    RestorePoint,
    RestorePointError,
    RestorePoints,
    RestorePointSummary,
)

__all__ = [
    "Check",
    "Choice",
    "Conversation",
    "ConversationSummary",
    "Conversations",
    "Examined",
    "Exchange",
    "HistoryError",
    "Knowledge",
    "Model",
    "Offer",
    "Offers",
    "Part",
    "Probing",
    "Prompt",
    "Provider",
    "ProviderSource",
    "Request",
    "RestorePoint",
    "RestorePointError",
    "RestorePointSummary",
    "RestorePoints",
    "SentPart",
    "Trial",
    "Tried",
    "Turn",
    "Window",
    "Wishes",
]
