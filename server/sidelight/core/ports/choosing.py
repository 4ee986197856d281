"""Who answers: what can be chosen, tried and examined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sidelight.core.ports.providers import Check, Model, Provider
from sidelight.errors import SidelightError
from sidelight.messages import Message


@dataclass(frozen=True, slots=True)
class Choice:
    """The provider that answers, and why it was this one."""

    provider: Provider
    why: Message


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be chosen. ``address`` is there where its server was found and not configured."""

    provider: str
    model: Model
    address: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be chosen, and which providers could not be asked, with the reason."""

    offers: tuple[Offer, ...]
    unreachable: tuple[tuple[str, SidelightError], ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A connection that the user would like to have; what is empty is as configured, or the provider's default."""

    provider: str
    address: str = ""
    key: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial: step by step, and what could be asked there."""

    checks: tuple[Check, ...]
    offers: tuple[Offer, ...] = ()

    @property
    def is_connected(self) -> bool:
        """Whether no step failed."""
        return all(check.state != "failed" for check in self.checks)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How somebody wants to be examined: where the editor says the server runs (None: it finds out by itself).

    ``asks``: the provider is asked for one word, too, in ``language``.
    """

    remote: str | None = None
    asks: bool = True
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Examined:
    """What the doctor found, and that in one sentence."""

    state: Literal["ok", "warning", "failed"]
    summary: Message
    checks: tuple[Check, ...]
