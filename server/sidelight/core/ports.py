"""What core asks of the rooms around it. ``cli`` alone joins these to their implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from sidelight.core.answers import AnswerEvent
from sidelight.core.context import Context
from sidelight.core.stopping import Stop
from sidelight.errors import SidelightError
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

    @property
    def tells_truncation(self) -> bool:
        """Whether it says so (``length``) when the model stopped for want of room, and not because it was done."""
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


class RestorePointError(SidelightError):
    """Restore points cannot be kept or read: the disk is full, the database is locked, the text is too large."""

    kind = "restore"


@dataclass(frozen=True, slots=True)
class RestorePointSummary:
    """A restore point without its texts, for lists.

    ``name`` is the document's for people. ``made_at`` is in UTC. ``changed_lines`` is None when the edit never ended.
    """

    id: int
    uri: str
    name: str
    task: str
    job: str
    made_at: datetime
    changed_lines: int | None


@dataclass(frozen=True, slots=True)
class RestorePoint(RestorePointSummary):
    """The whole text of a document ``before`` an edit, and ``after`` it; None when the edit never ended."""

    before: str
    after: str | None


class RestorePoints(Protocol):
    """Where the text from before each edit is kept, so that it outlives the editor.

    Every method may be called from any thread, blocks (call it off the loop) and raises ``RestorePointError``.
    A document is known by one spelling of its URI, which the caller gives (``uris.document_key``).
    """

    def prepare(self) -> None:
        """Load what the first call would have to, so that it is quick; nothing is kept by this."""
        ...

    def add(self, uri: str, name: str, task: str, job: str, before: str) -> int:
        """Keep a text that is about to be edited; returns the point's id. What it returns outlives the process."""
        ...

    def finish(self, id_: int, after: str) -> None:
        """Add what the edit made of the text; without effect where the point is no longer kept."""
        ...

    def latest(self, uri: str | None = None, limit: int = 50) -> list[RestorePointSummary]:
        """Return the latest points, of one document or of all, newest first."""
        ...

    def get(self, id_: int) -> RestorePoint | None:
        """Return a point with its texts; None when it is not kept, or no longer."""
        ...

    def clear(self) -> int:
        """Remove every point and return how many there were; nothing of their texts stays in the files."""
        ...

    def close(self) -> None:
        """Let go of the files; whatever is called later opens them again."""
        ...
