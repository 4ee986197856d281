"""What core asks of the rooms around it. ``cli`` alone joins these to their implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import uuid4

from sidelight.core.answers import AnswerEvent, Finish, Note, Source
from sidelight.core.context import Context
from sidelight.core.stopping import Stop
from sidelight.errors import SidelightError
from sidelight.messages import Message


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn of a conversation, as a model is told of it: what it was sent, and what it answered."""

    user: str
    assistant: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What goes to a model, within the token budget: its standing orders, earlier turns, and what is asked now.

    ``notes`` tell the user what did not fit. ``tokens`` is how many the whole has, estimated high or counted.
    """

    system: str
    user: str
    notes: tuple[Note, ...] = ()
    earlier: tuple[Exchange, ...] = ()
    tokens: int = 0


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


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer, as kept; ``finish`` is empty while the answer is still coming.

    ``number`` counts from 1 within its conversation (``Conversations.begin`` gives it). ``key`` tells a turn from every
    other of any process: what becomes of it is kept under the same one. ``instruction`` is what the user wrote,
    ``place`` what it was about, for people (``area.py:12``); ``sent`` is the message that went to the model. ``error``
    is what went wrong, in English. Times in milliseconds; ``began_at`` in UTC; None where nothing of the kind happened
    or was counted.
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


ProviderSource = Callable[[], Provider]
"""Returns the provider that the settings of this moment ask for; raises ``ConfigurationError``."""


class RestorePointError(SidelightError):
    """Restore points cannot be kept or read: the disk is full, the database is locked, the text is too large."""

    kind = "restore"


@dataclass(frozen=True, slots=True)
class RestorePointSummary:
    """A restore point without its texts, for lists.

    ``name`` is the document's for people. ``made_at`` is in UTC. ``changed_lines`` is None when the edit never ended,
    or has not ended yet: then it ``is_running``, in this process or in another.
    """

    id: int
    uri: str
    name: str
    task: str
    job: str
    made_at: datetime
    changed_lines: int | None
    is_running: bool = field(default=False, kw_only=True)


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

    def forget(self, id_: int) -> None:
        """Remove a point whose edit did not happen; without effect where it is no longer kept."""
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
