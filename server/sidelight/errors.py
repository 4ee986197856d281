"""Everything that can go wrong in a way a user should read about.

::

    SidelightError              message: what happened; hint: what to do about it
    ├── ConfigurationError      a setting is wrong or missing; nobody was asked
    ├── UsageError              the request makes no sense here: no such place, nothing selected, no such command
    └── ProviderError           the provider could not or would not answer; ``kind`` says how

Foreign exceptions are translated once, in the file that calls the foreign code. Being stopped is not an error.
"""

from __future__ import annotations

from typing import Literal

from sidelight.messages import Message

ProviderErrorKind = Literal[
    "auth", "not_found", "rate_limit", "overloaded", "too_long", "refused", "cut_off", "network", "other"
]


class SidelightError(Exception):
    """What happened, in the user's words, and what to do about it."""

    kind: str = "other"

    def __init__(self, message: Message, hint: Message | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else str(self.message)


class ConfigurationError(SidelightError):
    """A setting is missing or cannot be used."""

    kind = "configuration"


class UsageError(SidelightError):
    """What was asked for cannot be done at this place or with these arguments."""

    kind = "usage"


class ProviderError(SidelightError):
    """The provider failed or refused. ``kind`` is one of ``ProviderErrorKind``."""

    def __init__(self, kind: ProviderErrorKind, message: Message, hint: Message | None = None) -> None:
        super().__init__(message, hint)
        self.kind = kind
