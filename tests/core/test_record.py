"""What is kept of an answer, and what an answer says of itself: driven through the assistant, by a provider of ours."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from sidelight.core import record
from sidelight.core.answers import Answer, AnswerEvent, Begun, Finished, Note, Status, Text
from sidelight.core.assistant import Assistant, Question
from sidelight.core.budget import Limits
from sidelight.core.context import Context, target_lines
from sidelight.core.conversations import MemoryConversations
from sidelight.core.ports import Check, Conversation, HistoryError, Model, Request, Turn, Window
from sidelight.core.stopping import Stop
from sidelight.core.tasks import TASKS
from sidelight.messages import plain
from support.conversations import talk, turn


@dataclass
class Speaker:
    """A provider that says what it is given, and nothing while it is given nothing."""

    name: str = "speaker"
    model: str = ""
    remembers: bool = False
    tells_truncation: bool = True
    place: str = "here:1"
    requests: list[Request] = field(default_factory=list)
    says: queue.SimpleQueue[AnswerEvent] = field(default_factory=queue.SimpleQueue)

    def window(self, _model: str | None, _stop: Stop) -> Window | None:
        return None

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:
        del text, model, stop
        return None

    def stream(self, request: Request, _stop: Stop) -> Iterator[AnswerEvent]:
        self.requests.append(request)
        while not isinstance(event := self.says.get(timeout=20), Finished):
            yield event
        yield event

    def models(self) -> list[Model]:
        return []

    def checks(self) -> Iterator[Check]:
        yield from ()


@dataclass
class Talk:
    """An assistant with its conversations and the provider that it asks."""

    conversations: MemoryConversations = field(default_factory=MemoryConversations)
    speaker: Speaker = field(default_factory=Speaker)

    def assistant(self, limits: Limits | None = None) -> Assistant:
        return Assistant(lambda: self.speaker, lambda: self.conversations, lambda: limits or Limits(8000))

    def question(self, id_: str = "mine", **more: object) -> Question:
        return self.assistant().question(TASKS["ask"], Context(instruction="Why?"), id_, **more)  # type: ignore[arg-type]

    def ask(self, question: Question, *says: AnswerEvent) -> list[AnswerEvent]:
        for event in says or (Text("Because."), Finished("complete")):
            self.speaker.says.put(event)
        return list(self.assistant().answer(question, Stop()))

    def kept(self, id_: str = "mine") -> list[Turn]:
        return self.conversations.turns(id_)


@pytest.fixture
def here() -> Talk:
    return Talk()


def eventually_kept(here: Talk, answer: str) -> None:
    deadline = time.monotonic() + 10
    while [it.answer for it in here.kept()] != [answer]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ours() -> list[threading.Thread]:
    return [it for it in threading.enumerate() if it.name.startswith(("keep-", "answer-"))]


# Kept while it comes


def test_what_came_before_a_silence_is_kept_while_the_silence_lasts(
    here: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "_KEEP_EVERY_S", 0.05)
    asking = here.assistant().start(here.question(), Stop(), lambda _event: None)
    for text in ("one ", "two ", "three"):
        here.speaker.says.put(Text(text))
    eventually_kept(here, "one two three")
    assert here.kept()[0].finish == ""
    here.speaker.says.put(Finished("complete"))
    asking.join(10)
    assert [(it.answer, it.finish) for it in here.kept()] == [("one two three", "complete")]


def test_nothing_is_kept_after_the_end_and_no_thread_stays(here: Talk) -> None:
    here.ask(here.question(), Text("one "), Text("two"), Finished("complete"))
    deadline = time.monotonic() + 2
    while ours():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [(it.answer, it.finish) for it in here.kept()] == [("one two", "complete")]


# What an answer says of itself


def test_an_answer_says_first_which_turn_it_is(here: Talk) -> None:
    talk(here.conversations, "one", "two", id_="mine")
    events = here.ask(here.question())
    assert events[0] == Begun(3, "mine")
    assert [isinstance(event, Begun) for event in events].count(True) == 1
    answer = Answer()
    for event in events:
        answer.add(event)
    assert (answer.conversation, answer.turn) == ("mine", here.kept()[-1].number) == ("mine", 3)


def test_two_answers_at_once_each_know_their_turn(here: Talk) -> None:
    first = here.assistant().answer(here.question(), Stop())
    second = here.assistant().answer(here.question(), Stop())
    assert (next(first), next(second)) == (Begun(1, "mine"), Begun(2, "mine"))


def test_an_answer_that_fails_before_it_is_asked_has_a_turn(here: Talk) -> None:
    stop = Stop()
    stop.set()
    assert list(here.assistant().answer(here.question(), stop)) == [Begun(1, "mine"), Finished("stopped")]
    assert [(it.number, it.finish) for it in here.kept()] == [(1, "stopped")]


@pytest.mark.parametrize("error", [HistoryError(plain("no room")), RuntimeError("odd")])
def test_where_conversations_cannot_be_had_the_answer_ends(here: Talk, error: Exception) -> None:
    question = here.question()

    def broken() -> MemoryConversations:
        raise error

    assistant = Assistant(lambda: here.speaker, broken, lambda: Limits(8000))
    [finished] = assistant.answer(question, Stop())
    assert isinstance(finished, Finished)
    assert (finished.finish, finished.error is not None) == ("cut_off", True)


def test_a_warning_is_said_once(here: Talk) -> None:
    lines = ["x = 1\n"] * 5000
    context = Context("a.py", "python", tuple(lines), target=target_lines(lines, None))
    here.speaker.says.put(Finished("complete"))
    assistant = here.assistant(Limits(1000))
    events = list(assistant.answer(assistant.question(TASKS["explain"], context), Stop()))
    assert [event.is_warning for event in events if isinstance(event, Note)] == [True]
    assert not [event for event in events if isinstance(event, Status)]


# Earlier turns


def test_a_turn_that_is_still_running_is_not_sent(here: Talk) -> None:
    conversation = talk(here.conversations, "one", id_="mine")
    [one] = here.kept()
    here.conversations.keep(conversation, replace(one, sent="one"))
    here.conversations.keep(conversation, turn(2, "two", "half an ans", finish="", sent="two"))
    here.ask(here.question())
    assert [it.user for it in here.speaker.requests[0].prompt.earlier] == ["one"]


def test_a_provider_with_a_memory_of_its_own_is_said_not_to_know_what_others_answered(here: Talk) -> None:
    conversation = here.conversations.open("mine")
    for number, provider in enumerate(["openai", "speaker", "ollama"], 1):
        here.conversations.keep(conversation, turn(number, "?", "!", sent="?", provider=provider))
    here.conversations.keep(conversation, turn(4, "?", "", sent="?", provider="openai"))  # nothing was answered
    here.speaker.remembers = True
    notes = [str(event.message) for event in here.ask(here.question()) if isinstance(event, Note)]
    assert notes == ["speaker does not know 2 earlier turns of this conversation: another provider answered them."]
    assert notes[0] in here.kept()[-1].notes
    here.speaker.remembers = False
    assert not [event for event in here.ask(here.question()) if isinstance(event, Note)]


def test_earlier_turns_are_read_once() -> None:
    class Counting(MemoryConversations):
        def __init__(self) -> None:
            super().__init__()
            self.reads: list[float | None] = []

        def turns(self, conversation_id: str, patience_s: float | None = None) -> list[Turn]:
            self.reads.append(patience_s)
            return super().turns(conversation_id, patience_s)

        def begin(self, conversation: Conversation, after: int | None = None) -> int:
            assert after is not None  # else it would have to read
            return super().begin(conversation, after)

    counting = Counting()
    here = Talk(counting)
    here.ask(here.question())
    [patience_s] = counting.reads
    assert patience_s is not None
    assert patience_s <= 1


# The model that was named for a conversation


def test_a_named_model_stays_while_the_same_provider_answers(here: Talk) -> None:
    other = Speaker("other")
    assert here.question(model="alpha", provider=here.speaker).model == "alpha"
    assert here.question(provider=here.speaker).model == "alpha"
    assert here.question(provider=other).model is None
    assert here.question(provider=here.speaker).model == "alpha"
    assert here.question(model="beta", provider=other).model == "beta"
    assert here.question(provider=here.speaker).model is None


def test_a_model_named_for_whoever_answers_belongs_to_who_did(here: Talk) -> None:
    here.ask(here.question(model="alpha"))
    assert here.speaker.requests[0].model == "alpha"
    assert here.question(provider=here.speaker).model == "alpha"
    assert here.question(provider=Speaker("other")).model is None
    here.speaker.name = "another"
    here.ask(here.question())
    assert here.speaker.requests[1].model is None
