"""What core asks of the rooms around it. ``cli`` alone joins these to their implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sidelight.core.answers import AnswerEvent
from sidelight.core.context import Context
from sidelight.core.stopping import Stop
from sidelight.messages import Message


@dataclass(frozen=True, slots=True)
class Prompt:
    """What goes to a model, within the token budget: its standing orders, and what is asked now.

    ``notes`` tell the user what did not fit.
    """

    system: str
    user: str
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a provider.

    ``conversation`` is an id that no other conversation of any user shares. ``model`` overrides the configured model
    (AnythingLLM: the workspace slug). ``context`` is for providers that read code themselves.
    """

    task: str
    prompt: Prompt
    context: Context
    conversation: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One thing that can answer: a model, or with AnythingLLM a workspace. ``detail`` is for people."""

    id: str
    name: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    state: Literal["ok", "failed", "note"]
    message: Message
    hint: Message | None = None


class Provider(Protocol):
    """Where answers come from.

    ``stream`` blocks its thread while it waits, ends early with ``Stopped`` when ``stop`` is set, and raises
    ``ProviderError`` or ``ConfigurationError`` for anything that ends the answer before its time; text already
    yielded stays valid. It yields exactly one ``Finished``, last, when it does not raise.
    """

    @property
    def name(self) -> str:
        """The provider's word in the settings."""
        ...

    @property
    def model(self) -> str:
        """The configured model, or an empty string when there is none to name."""
        ...

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Ask, and yield the answer as it arrives."""
        ...

    def models(self) -> list[Model]:
        """Return what can be chosen as ``model``; raises like ``stream``."""
        ...

    def checks(self) -> Iterator[Check]:
        """Examine the connection step by step, for the doctor; raises where a step makes the rest pointless."""
        ...


@dataclass(slots=True)
class Turn:
    """One question and its answer, as kept."""

    task: str
    question: str
    answer: str = ""
    finish: str = ""


@dataclass(slots=True)
class Conversation:
    """Turns that belong together; ``model`` is what the user chose for this conversation alone."""

    id: str
    model: str | None = None
    turns: list[Turn] = field(default_factory=list)


class Conversations(Protocol):
    """Where conversations are kept."""

    def open(self, conversation_id: str | None) -> Conversation:
        """Return the conversation of that id; None, or an id not known here, begins one (keeping a given id)."""
        ...


ProviderSource = Callable[[], Provider]
"""Returns the provider that the settings of this moment ask for; raises ``ConfigurationError``."""
