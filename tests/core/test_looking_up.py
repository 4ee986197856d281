"""A question that is looked up in a knowledge base before a model without one is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Asked, Finished, Source, Text
from sidelight.core.assistant import Assistant
from sidelight.core.budget import Limits
from sidelight.core.context import Context
from sidelight.core.conversations import MemoryConversations
from sidelight.core.ports import Request, Turn, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.core.tasks import TASKS
from sidelight.errors import ProviderError
from sidelight.messages import msg

AREA = Source("area.md", "file:///docs/area.md", "The area is width times height.")
COST = Source("cost.md", "file:///docs/cost.md", "A square metre costs 3.")


@dataclass
class Model:
    """A provider that answers in one word, and keeps what it was asked."""

    name: str = "model"
    model: str = "m"
    remembers: bool = False
    tells_truncation: bool = True
    place: str = "localhost:11434"
    attaches: bool = False
    has_orders: bool = False
    asked: list[Request] = field(default_factory=list)

    def window(self, _model: str | None, _stop: Stop) -> Window | None:
        return None

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:
        del text, model, stop
        return None

    def stream(self, request: Request, _stop: Stop) -> Iterator[AnswerEvent]:
        self.asked.append(request)
        yield Asked("m", self.attaches, self.has_orders)
        yield Text("So it is [1].")
        yield Finished("complete")


@dataclass
class Base:
    """A knowledge base that finds what it is given."""

    found: tuple[Source, ...] | Exception = (AREA, COST)
    place: str = "localhost:3001"
    queries: list[str] = field(default_factory=list)

    def search(self, query: str, _stop: Stop) -> tuple[Source, ...]:
        self.queries.append(query)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def asked(base: Base | None, model: Model, tokens: int = 4000, instruction: str = "Why?") -> tuple[Answer, Turn]:
    kept = MemoryConversations()
    assistant = Assistant(lambda: model, lambda: kept, lambda: Limits(tokens), lambda: base)  # type: ignore[arg-type, return-value]
    question = assistant.question(TASKS["ask"], Context(instruction=instruction))
    answer = Answer()
    for event in assistant.answer(question, Stop()):
        answer.add(event)
    [turn] = kept.turns(question.conversation.id)
    return answer, turn


def test_what_is_found_is_shown_to_the_model_numbered_and_is_the_answers_sources() -> None:
    base, model = Base(), Model()
    answer, turn = asked(base, model)
    assert base.queries == ["Why?"]
    prompt = model.asked[0].prompt
    assert "From the knowledge base, [1] area.md:\n```text\nThe area is width times height.\n```" in prompt.user
    assert "[2] cost.md" in prompt.user
    assert answer.sources == turn.sources == (AREA, COST)
    assert answer.finished == Finished("complete")


def test_passages_of_one_document_have_one_number() -> None:
    model = Model()
    more = Source(AREA.title, AREA.uri, "Height is measured in metres.")
    asked(Base((AREA, COST, more, AREA)), model)
    assert model.asked[0].prompt.user.count("[1] area.md") == 2
    assert "[3]" not in model.asked[0].prompt.user


def test_what_had_no_room_is_no_source_of_the_answer() -> None:
    long = Source("long.md", "", "many words\n" * 4000)
    model = Model()
    answer, _ = asked(Base((AREA, COST, long, Source("last.md", "", "z" * 9000))), model, 1500)
    assert {source.title for source in answer.sources} <= {"area.md", "cost.md", "long.md"}
    assert AREA in answer.sources
    assert all(source.title in model.asked[0].prompt.user for source in answer.sources)


def test_a_search_that_fails_is_told_and_the_question_goes_on() -> None:
    answer, _ = asked(Base(ProviderError("other", msg("It is down."))), Model())
    assert answer.text == "So it is [1]."
    [note] = answer.notes
    assert note.is_warning
    assert str(note.message) == "Answered without the knowledge base: It is down."
    assert not answer.sources


def test_nothing_found_is_told() -> None:
    answer, _ = asked(Base(()), Model())
    assert [str(note.message) for note in answer.notes] == ["No source in the knowledge base supports this answer."]


def test_a_stop_while_it_is_searched_ends_the_answer() -> None:
    model = Model()
    answer, _ = asked(Base(Stopped()), model)
    assert answer.finished == Finished("stopped")
    assert not model.asked


@pytest.mark.parametrize("base", [None, Base(place="localhost:11434")])
def test_a_provider_that_is_the_knowledge_base_itself_is_not_helped(base: Base | None) -> None:
    answer, turn = asked(base, Model())
    assert not answer.sources
    assert base is None or not base.queries
    assert [part.kind for part in turn.parts] == ["orders", "instruction"]


def test_what_was_sent_is_kept_with_why_and_where() -> None:
    _, turn = asked(Base((AREA,)), Model())
    assert [(part.kind, part.name, part.where) for part in turn.parts] == [
        ("query", "", "search"), ("orders", "", "orders"), ("orders", "", "orders"),
        ("knowledge", "[1] area.md", "message"), ("instruction", "", "message"),
    ]  # fmt: skip
    assert turn.sent_to == "localhost:11434"
    assert all(part.tokens > 0 and str(part.why) for part in turn.parts)


def test_material_that_is_attached_is_kept_as_that() -> None:
    _, turn = asked(Base((AREA,)), Model(attaches=True))
    assert {part.kind: part.where for part in turn.parts} == {
        "query": "search", "orders": "orders", "knowledge": "attachment", "instruction": "message",
    }  # fmt: skip


def test_orders_that_the_message_says_are_kept_as_a_part_of_it() -> None:
    _, turn = asked(Base((AREA,)), Model(attaches=True, has_orders=True))
    assert {part.kind: part.where for part in turn.parts} == {
        "query": "search", "orders": "message", "knowledge": "attachment", "instruction": "message",
    }  # fmt: skip
