"""What syncing speaks of: documents, what a knowledge base holds of them, and what came of it all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sidelight.core.stopping import Stop
from sidelight.errors import SidelightError
from sidelight.messages import Message

Why = Literal["secret", "binary", "empty", "large", "ignored", "link", "unreadable", "name"]
"""Why a file is left out. ``unreadable`` may pass; what is known of such a file stays as it is."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it goes there: ``name`` is its path below the root; ``digest`` is SHA-256 of the text, in hex."""

    name: str
    source: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is left out."""

    name: str
    why: Why
    message: Message


@dataclass(frozen=True, slots=True)
class Held:
    """A document that a workspace holds; of one that is not ours, source or digest say nothing."""

    location: str
    source: str
    digest: str


class DocumentStore(Protocol):
    """One workspace of a knowledge base. All methods block, and raise ``SidelightError`` or ``Stopped``."""

    @property
    def address(self) -> str:
        """Where it is; with the workspace, this is what it is known by."""
        ...

    def workspace(self, stop: Stop) -> str:
        """Return the workspace that is meant: the one named, else the only one there is."""
        ...

    def held(self, stop: Stop) -> Mapping[str, Held]:
        """Return what the workspace holds, by location."""
        ...

    def upload(self, document: Document, stop: Stop) -> str:
        """Bring a document there, into no workspace yet; returns its location."""
        ...

    def exists(self, location: str, stop: Stop) -> bool:
        """Whether a document is there, in a workspace or not."""
        ...

    def embed(self, locations: Sequence[str], stop: Stop) -> None:
        """Take documents into the workspace; which of them came in, ``held`` says."""
        ...

    def remove(self, locations: Sequence[str], stop: Stop) -> None:
        """Take documents out of the workspace, and delete them; those that are not there count as removed."""
        ...


@dataclass(slots=True)
class Plan:
    """The names of documents by what they need.

    ``changed``: the file; ``missing``: the workspace lost it; ``unfinished``: brought there, but not taken in, or
    what it replaced is still there; ``gone``: to be removed. ``adopted`` are there already though the ledger does not
    say so: the location of each.
    """

    in_step: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    adopted: dict[str, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.new or self.changed or self.missing or self.unfinished or self.gone)


@dataclass(frozen=True, slots=True)
class Step:
    """What begins now, with the ``number``-th of ``count`` documents; ``embed`` is about all before it, too."""

    number: int
    count: int
    name: str
    act: Literal["upload", "embed", "remove"]


Tell = Callable[[Step], None]


@dataclass(slots=True)
class Report:
    """What was to be done, by names, and what came of it; of a mere look, nothing is ``done``.

    ``error`` ended it before its time; ``is_empty``: nothing had been added before.
    """

    workspace: str
    root: str
    plan: Plan = field(default_factory=Plan)
    refused: list[Refused] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    failed: list[tuple[str, SidelightError]] = field(default_factory=list)
    error: SidelightError | None = None
    is_stopped: bool = False
    is_empty: bool = False
