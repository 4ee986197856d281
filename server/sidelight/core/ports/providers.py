"""Providers, and what goes to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from sidelight.core.answers import AnswerEvent, Note, Source
from sidelight.core.context import Context, PieceKind
from sidelight.core.stopping import Stop
from sidelight.messages import Message


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn of a conversation, as a model is told of it: what it was sent, and what it answered."""

    user: str
    assistant: str


PartKind = Literal["orders", "question", "instruction", "problems", "target", PieceKind]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a prompt, as the model reads it, and why it is there; ``name`` is of the document it is from."""

    kind: PartKind
    name: str
    text: str
    why: Message
    tokens: int

    @property
    def is_material(self) -> bool:
        """Whether this is what the question is about, rather than the question."""
        return self.kind not in ("orders", "question", "instruction", "problems")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What goes to a model, within the token budget: its standing orders, earlier turns, and what is asked now.

    ``parts`` are all of ``system`` and ``user`` in order, which join them with blank lines. ``query`` is what to look
    up in a knowledge base: a short question without code. ``notes`` tell the user what did not fit. ``tokens`` is how
    many the whole has, estimated high or counted.
    """

    system: str
    user: str
    notes: tuple[Note, ...] = ()
    earlier: tuple[Exchange, ...] = ()
    tokens: int = 0
    parts: tuple[Part, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """How many tokens a model reads and writes together, and who said so: the server, the settings, or nobody."""

    tokens: int
    origin: Literal["server", "configured", "assumed"]


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a provider.

    ``conversation`` is an id that no other conversation of any user shares. ``model`` overrides the configured model
    (AnythingLLM: the workspace slug). ``context`` is for providers that read code themselves. ``answer_tokens`` is the
    room that the prompt leaves for the answer, 0 where nobody counted; ``max_tokens`` the longest answer that the user
    wants, 0 for as long as the model likes.
    """

    task: str
    prompt: Prompt
    context: Context
    conversation: str
    model: str | None = None
    answer_tokens: int = 0
    max_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """One thing that can answer: a model, or with AnythingLLM a workspace. ``detail`` is for people.

    ``context_tokens`` is None where the server does not tell; ``abilities`` are its own words (``vision``, ``tools``).
    """

    id: str
    name: str = ""
    detail: str = ""
    context_tokens: int | None = None
    abilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report; ``details`` are lines below it."""

    state: Literal["ok", "failed", "note"]
    message: Message
    hint: Message | None = None
    details: tuple[Message, ...] = ()


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

    @property
    def place(self) -> str:
        """Where questions go, for people: host and port (``localhost:11434``); empty where they stay with us."""
        ...

    @property
    def tells_truncation(self) -> bool:
        """Whether it says so (``length``) when the model stopped for want of room, and not because it was done."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether it keeps a conversation's turns itself, so that earlier ones are not sent again."""
        ...

    def window(self, model: str | None, stop: Stop) -> Window | None:
        """Return the context length of a model (None: the configured one), asked of the server where it tells.

        None where the provider fits the prompt itself. May block; raises ``Stopped``, and nothing else: a server that
        cannot be asked gives an assumed length, and ``stream`` says what is wrong.
        """
        ...

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:
        """Return how many tokens a text has by the model's own tokenizer; None where that cannot be asked.

        May block; raises ``Stopped``, and nothing else.
        """
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


@runtime_checkable
class Probing(Protocol):
    """A provider whose server does not tell all that it can; some of it is found out by asking a small question."""

    def probe(self, stop: Stop) -> Iterator[Check]:
        """Ask, and keep what was found out; what cannot be found out is a note.

        Blocks for half a minute at most. Raises ``Stopped``, and nothing else.
        """
        ...


class Knowledge(Protocol):
    """A knowledge base in which a question is looked up, for a model that has none of its own."""

    @property
    def place(self) -> str:
        """Where questions go, for people, as ``Provider.place``."""
        ...

    def search(self, query: str, stop: Stop) -> tuple[Source, ...]:
        """Return the pieces that fit a short question, the best first; raises like ``Provider.stream``."""
        ...


ProviderSource = Callable[[], Provider]
"""Returns the provider that the settings of this moment ask for; raises ``ConfigurationError``."""
