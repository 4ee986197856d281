"""Where conversations are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import uuid4

from sidelight.core.answers import Finish, Source
from sidelight.errors import SidelightError
from sidelight.messages import Message


@dataclass(frozen=True, slots=True)
class SentPart:
    """One part of what went to a model, without its text: what it was, why it was there, and where it went.

    ``why`` is a message's template and values, so that it can be said in any language. ``where``: the standing orders,
    the message, a document attached to it, what the model was told of earlier turns, or a search before the question.
    """

    kind: str
    name: str
    why: Message
    tokens: int
    where: Literal["orders", "message", "attachment", "earlier", "search"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer, as kept; ``finish`` is empty while the answer is still coming.

    ``number`` counts from 1 within its conversation (``Conversations.begin`` gives it). ``key`` tells a turn from every
    other of any process: what becomes of it is kept under the same one. ``instruction`` is what the user wrote,
    ``place`` what it was about, for people (``area.py:12``); ``sent`` is the message that went to the model. ``error``
    is what went wrong, in English. Times in milliseconds; ``began_at`` in UTC; None where nothing of the kind happened
    or was counted. ``parts`` are what was sent, to the place ``sent_to`` (``Provider.place``). ``about`` is the digest
    of the text that was asked about (``Context.digest``), so that an explanation is known to hold still. ``warnings``
    are those of the notes because of which the answer may be wrong.
    """

    number: int
    task: str
    instruction: str
    began_at: datetime
    place: str = ""
    sent: str = ""
    answer: str = ""
    reasoning: str = ""
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    finish: Finish | Literal[""] = ""
    error: str = ""
    provider: str = ""
    model: str = ""
    first_text_ms: int | None = None
    duration_ms: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    key: str = field(default_factory=lambda: uuid4().hex)
    parts: tuple[SentPart, ...] = ()
    sent_to: str = ""
    about: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation without its turns, for lists. ``folder`` is the workspace folder's URI, empty for none.

    ``title`` is the user's, else made of the first question: one line. Times are in UTC. ``found`` is the piece of text
    that a search met.
    """

    id: str
    title: str
    folder: str
    began_at: datetime
    changed_at: datetime
    turns: int
    found: str = ""


@dataclass(slots=True)
class Conversation:
    """A conversation under way. ``model`` is what the user chose for it alone, of the provider ``model_of``.

    ``model_of`` is empty until it is known who answers: a model means something to its own provider alone.
    ``next_number`` is its next turn's, 0 until its first ``Conversations.begin``, which alone changes it. ``folder`` is
    one spelling of the workspace folder's URI, which the caller gives; what is kept of a conversation keeps its first.
    """

    id: str
    folder: str = ""
    model: str | None = None
    model_of: str = ""
    next_number: int = 0


class HistoryError(SidelightError):
    """Conversations cannot be kept or read: the disk is full, the database is locked or of a newer version."""

    kind = "history"


class Conversations(Protocol):
    """Where conversations are kept. Safe to call from any thread.

    ``open`` and ``keep`` never block and never raise: what is kept is written by a thread of its own, and answers go on
    where it cannot be written (``problem`` says why). The others block (call them off the loop), see everything that
    was kept before, and raise ``HistoryError``.

    Several processes may continue one conversation: none loses a turn of another. What was deleted, here or in another
    process, stays so, whatever is still to come of its last answer; a turn that begins later begins it anew.
    """

    def open(self, conversation_id: str | None, folder: str = "") -> Conversation:
        """Return the conversation of that id; None, or an id not known here, begins one (keeping a given id)."""
        ...

    def turns(self, conversation_id: str, patience_s: float | None = None) -> list[Turn]:
        """Return a conversation's turns, oldest first; none where it is not known.

        Waits no longer than ``patience_s`` for the disk: after that, those in memory are all, and where there are none
        it raises.
        """
        ...

    def begin(self, conversation: Conversation, after: int | None = None) -> int:
        """Return the number of a turn that begins now: every call gives another one. Raises nothing.

        ``after`` is the number of the last turn that the caller has seen, 0 for none; then nothing is looked up, and it
        does not block.
        """
        ...

    def keep(self, conversation: Conversation, turn: Turn) -> None:
        """Keep a turn, or what has become of it: the same key replaces what was kept of it.

        Where another turn has its number already (another process was faster), the next free one becomes its number.
        """
        ...

    def latest(self, folder: str | None = None, search: str = "", limit: int = 50) -> list[ConversationSummary]:
        """Return conversations, the one last changed first: of one folder or of all, with all words of ``search``.

        A word is found by how it begins, in titles, questions, answers and places; Chinese, Japanese and other writing
        without spaces anywhere in a text. Case and accents do not count. A search without a word finds nothing.
        """
        ...

    def get(self, conversation_id: str) -> ConversationSummary | None:
        """Return one conversation; None when it is not kept."""
        ...

    def find(self, beginning: str, limit: int = 10) -> list[ConversationSummary]:
        """Return the conversations whose ids begin so, or the one whose id is just this."""
        ...

    def explanation(self, about: str) -> Turn | None:
        """Return the newest ``explain`` turn with a complete answer about the text with this digest; None for none."""
        ...

    def rename(self, conversation_id: str, title: str) -> bool:
        """Give a conversation a title, or none: then it is made again; tells whether there is such a conversation."""
        ...

    def delete(self, conversation_id: str) -> bool:
        """Remove a conversation; tells whether there was one. Nothing of it stays in the files."""
        ...

    def clear(self, folder: str | None = None) -> int:
        """Remove every conversation, of one folder or all; returns how many. Nothing of them stays in the files."""
        ...

    def problem(self) -> HistoryError | None:
        """Return why the last thing kept could not be written; None when all is well."""
        ...

    def prepare(self) -> None:
        """Load what the first call would have to, so that it is quick; nothing is kept by this."""
        ...

    def close(self) -> None:
        """Write what is still to be written, waiting some seconds at most, and let go of the files."""
        ...
