"""Answer events: what a provider says while it answers, in the order it says it.

A stream of events is ``Begun? (Text | Replace | Reasoning | Status | Asked | Note | Sources | Usage)* Finished``:
exactly one ``Finished``, always last. Providers leave ``Begun`` to ``assistant.py``; it is missing only where there are
no conversations to keep the answer in. ``Answer`` folds a stream into what has been received so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Union

from sidelight.errors import SidelightError
from sidelight.messages import Message, msg

Finish = Literal["complete", "length", "cut_off", "refused", "stopped"]


@dataclass(frozen=True, slots=True)
class Begun:
    """The answer is kept as this turn of this conversation."""

    turn: int
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """More of the answer: a delta, never the whole so far."""

    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """The provider took back what it said: this is the whole answer now."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """More of the model's thinking aloud, which is not part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is happening, for a progress line; ``if_silent`` is what to say when nothing follows for a while."""

    message: Message
    if_silent: Message | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom the question goes to: the model (AnythingLLM: the workspace), also where the provider itself chose it.

    ``attaches``: the prompt's material goes as documents attached to the message. ``has_orders``: the message says
    the orders, too, as there is nothing else to say them in.
    """

    model: str
    attaches: bool = False
    has_orders: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What the user should know about this answer, such as what the model was not shown; kept with it.

    ``is_warning``: the answer may be wrong because of it, so it is not enough to have it among the details.
    """

    message: Message
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of the knowledge base that the answer rests on.

    ``uri`` is as the provider gave it (``file://…``, ``link://…``) or empty; ``text`` is the cited piece.
    """

    title: str
    uri: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of the answer; replaces any named before."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens spent, as the provider counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The end. ``cut_off`` carries the error that ended it; whether text came before is for the reader to see."""

    finish: Finish
    error: SidelightError | None = None


AnswerEvent = Union[Begun, Text, Replace, Reasoning, Status, Asked, Note, Sources, Usage, Finished]


@dataclass(slots=True)
class Answer:
    """What has been received so far of one answer. ``turn`` is 0, and ``conversation`` empty, until it has begun."""

    turn: int = 0
    conversation: str = ""
    reasoning_parts: list[str] = field(default_factory=list)
    sources: tuple[Source, ...] = ()
    model: str = ""
    notes: list[Note] = field(default_factory=list)
    usage: Usage | None = None
    finished: Finished | None = None
    _parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text so far."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return "".join(self.reasoning_parts)

    def add(self, event: AnswerEvent) -> None:
        """Take the next event in; costs O(its length)."""
        match event:
            case Begun(turn, conversation):
                self.turn, self.conversation = turn, conversation
            case Text(text):
                self._parts.append(text)
            case Replace(text):
                self._parts = [text]
            case Reasoning(text):
                self.reasoning_parts.append(text)
            case Asked(model):
                self.model = model
            case Note():
                self.notes.append(event)
            case Sources(sources):
                self.sources = sources
            case Usage():
                self.usage = event
            case Finished():
                self.finished = event


def merge_text(events: Iterable[AnswerEvent]) -> list[AnswerEvent]:
    """Join neighbouring ``Text`` events, and neighbouring ``Reasoning`` events, into one each."""
    merged: list[AnswerEvent] = []
    for event in events:
        last = merged[-1] if merged else None
        if isinstance(event, Text) and isinstance(last, Text):
            merged[-1] = Text(last.text + event.text)
        elif isinstance(event, Reasoning) and isinstance(last, Reasoning):
            merged[-1] = Reasoning(last.text + event.text)
        else:
            merged.append(event)
    return merged


def still_waiting(silent: Message | None, seconds: float) -> Message:
    """Say that nothing has come for a while, and why where the last status told it."""
    if silent is None:
        return msg("still waiting, {seconds} s", seconds=round(seconds))
    return msg("{status}, {seconds} s", status=silent, seconds=round(seconds))
