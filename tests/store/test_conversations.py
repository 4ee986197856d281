"""What the port promises of conversations, in memory, in a file, and read back by a fresh process's eyes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidelight.core.answers import Source
from sidelight.core.conversations import MemoryConversations
from sidelight.core.ports import Conversations, SentPart, Turn
from sidelight.core.words import excerpt, indexed, phrases, words
from sidelight.messages import msg
from sidelight.store.conversations import StoredConversations
from sidelight.store.word_index import WordIndex
from support.conversations import BEGAN, MIB, Clock, talk, turn

ODD = ["", "lf\ncrlf\r\ncr\r\x0c\x85\u2028", "\ud800 and \udfff", "\0nul\0", "汉字 🙂 ﬀ é", "x" * 3_000_000]
ONE_WORD = st.sampled_from(["alpha", "alp", "beta", "数", "据", "数据", "据数", "user_name", "name", "é", "E", "1"])


class Reopened:
    """A store that forgets everything but the file before each look: what a process of tomorrow sees."""

    def __init__(self, make: Callable[[], StoredConversations]) -> None:
        self._make = make
        self._store = make()

    def __getattr__(self, name: str) -> object:
        if name not in ("keep", "open", "begin", "close"):
            self._store.close()
            self._store = self._make()
        return getattr(self._store, name)


@pytest.fixture(params=["memory", "file", "reopened", "without full-text search"])
def conversations(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Conversations]:
    clock = Clock()

    def stored(index: WordIndex | None = None) -> StoredConversations:
        return StoredConversations(tmp_path / "data", days=90, budget_bytes=200 * MIB, now=clock, index=index)

    made: dict[str, Callable[[], Conversations]] = {
        "memory": lambda: MemoryConversations(now=clock),
        "file": stored,
        "reopened": lambda: Reopened(stored),  # type: ignore[dict-item]
        "without full-text search": lambda: stored(WordIndex("fts_of_nobody")),
    }
    kept = made[request.param]()
    yield kept
    kept.close()


# Turns


def test_every_value_of_a_turn_comes_back(conversations: Conversations) -> None:
    conversation = conversations.open(None, "file:///folder")
    whole = Turn(
        number=conversations.begin(conversation), task="fix", instruction="mend it", began_at=BEGAN, place="a.py:12",
        sent="user: mend it", answer="```\nmended\n```", reasoning="hm", sources=(Source("t", "file:///t", "cited"),
        Source("only a title")), notes=("half was shown", "b.py was left out"), warnings=("half was shown",),
        finish="cut_off", error="The line broke.",
        provider="anythingllm", model="docs", first_text_ms=12, duration_ms=3456, prompt_tokens=78, completion_tokens=9,
        sent_to="localhost:3001", about="0" * 32,
        parts=(SentPart("target", "a.py", msg("the lines {lines}", lines=msg("{a} to {b}", a=1, b=2)), 7, "message"),
               SentPart("orders", "", msg("the task"), 5, "orders")),
    )  # fmt: skip
    conversations.keep(conversation, whole)
    assert conversations.turns(conversation.id) == [whole]


def test_the_newest_whole_explanation_of_a_text_is_found(conversations: Conversations) -> None:
    def explained(answer: str, minutes: int, about: str = "d1", **more: Any) -> None:
        at = BEGAN + timedelta(minutes=minutes)
        kept = turn(1, "", answer, task="explain", about=about, began_at=at, sources=(Source("t"),), **more)
        conversations.keep(conversations.open(f"c{minutes}"), kept)

    assert conversations.explanation("d1") is None
    explained("old", 1)
    explained("new", 3)
    explained("middle", 2)
    explained("half", 4, finish="cut_off")
    explained("coming", 5, finish="")
    explained("other", 6, "d2")
    explained("of no text", 7, "")
    conversations.keep(
        conversations.open("asked"), turn(1, "", "asked", about="d1", began_at=BEGAN + timedelta(days=1))
    )
    found = conversations.explanation("d1")
    assert found is not None
    assert (found.answer, found.sources) == ("new", (Source("t"),))
    assert conversations.explanation("d3") is conversations.explanation("") is None
    assert conversations.delete("c3")
    found = conversations.explanation("d1")
    assert found is not None
    assert found.answer == "middle"
    conversations.clear()
    assert conversations.explanation("d1") is None


@pytest.mark.parametrize("text", ODD)
def test_texts_come_back_to_the_letter(conversations: Conversations, text: str) -> None:
    conversation = conversations.open(None)
    kept = turn(1, text, text, sent=text, reasoning=text, notes=(text,), sources=(Source("t", "", text),))
    conversations.keep(conversation, kept)
    assert conversations.turns(conversation.id) == [kept]
    assert conversations.latest(search="nowhere") == []


def test_what_becomes_of_a_turn_replaces_it(conversations: Conversations) -> None:
    conversation = conversations.open(None)
    begun = turn(conversations.begin(conversation), answer="", finish="")
    conversations.keep(conversation, begun)
    conversations.keep(conversation, replace(begun, answer="So far"))
    assert [it.answer for it in conversations.turns(conversation.id)] == ["So far"]
    ended = replace(begun, answer="So far, so good", finish="complete", sources=(Source("one"),))
    conversations.keep(conversation, ended)
    conversations.keep(conversation, ended)
    assert conversations.turns(conversation.id) == [ended]
    assert conversations.latest()[0].turns == 1
    assert conversations.latest(search="good")
    assert not conversations.latest(search="nothing")


def test_turns_are_numbered_and_ordered(conversations: Conversations) -> None:
    conversation = talk(conversations, "one", "two", "three")
    assert [(it.number, it.instruction) for it in conversations.turns(conversation.id)] == [
        (1, "one"), (2, "two"), (3, "three")
    ]  # fmt: skip
    assert conversations.begin(conversation) == 4
    assert conversations.begin(conversation) == 5


def test_a_number_that_is_taken_gives_way(conversations: Conversations) -> None:
    conversation = talk(conversations, "one", "two")
    late = turn(2, "late")
    conversations.keep(conversation, late)
    conversations.keep(conversation, replace(late, instruction="later"))
    found = [(it.number, it.instruction) for it in conversations.turns(conversation.id)]
    assert found == [(1, "one"), (2, "two"), (3, "later")]


def test_turns_that_begin_side_by_side_get_numbers_of_their_own(conversations: Conversations) -> None:
    conversation = talk(conversations, "one")
    begun: list[int] = []
    threads = [threading.Thread(target=lambda: begun.append(conversations.begin(conversation))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begun) == list(range(2, 10))


def test_an_id_that_is_given_is_kept(conversations: Conversations) -> None:
    for id_ in ("mine", "汉字", "\ud800half", "quote'\"%_", "x" * 10_000):
        talk(conversations, "one", id_=id_)
        assert [it.instruction for it in conversations.turns(id_)] == ["one"]
        assert conversations.delete(id_)


def test_an_unknown_conversation_has_no_turns_and_no_summary(conversations: Conversations) -> None:
    opened = conversations.open(None)
    assert opened.id.startswith("sidelight-")
    assert conversations.open(None).id != opened.id
    assert conversations.turns(opened.id) == conversations.turns("nobody") == []
    assert conversations.get(opened.id) is None
    assert conversations.latest() == []


# Lists


def test_the_one_last_changed_comes_first(conversations: Conversations) -> None:
    ids = [talk(conversations, text).id for text in ("one", "two", "three")]
    talk(conversations, "again", id_=ids[0])
    listed = conversations.latest()
    assert [it.id for it in listed] == [ids[0], ids[2], ids[1]]
    assert [it.turns for it in listed] == [2, 1, 1]
    assert [it.id for it in conversations.latest(limit=2)] == [ids[0], ids[2]]
    assert conversations.latest(limit=0) == conversations.latest(limit=-1) == []
    assert listed[0].began_at == BEGAN
    assert listed[0].changed_at > listed[1].changed_at > BEGAN


def test_folders_have_conversations_of_their_own(conversations: Conversations) -> None:
    here, there = talk(conversations, "one", folder="file:///here"), talk(conversations, "one", folder="file:///there")
    nowhere = talk(conversations, "one")
    assert [it.id for it in conversations.latest("file:///here")] == [here.id]
    assert [it.id for it in conversations.latest("file:///there", search="one")] == [there.id]
    assert [it.id for it in conversations.latest("")] == [nowhere.id]
    talk(conversations, "two", folder="file:///there", id_=here.id)
    summary = conversations.get(here.id)
    assert summary is not None
    assert (summary.folder, summary.turns) == ("file:///here", 2)
    assert conversations.clear("file:///here") == 1
    assert len(conversations.latest()) == 2


@pytest.mark.parametrize(
    ("instruction", "title"),
    [
        ("  What is\tthis?\n\nsecond", "What is this?"),
        ("\n\x1b[2Jred\u202e", "[2Jred"),
        ("word " * 40, ("word " * 40)[:79].rstrip() + "…"),
        ("", "ask area.py:12"),
        ("\ud800", "ask area.py:12"),
    ],
)
def test_the_title_is_made_of_the_first_question(conversations: Conversations, instruction: str, title: str) -> None:
    conversation = conversations.open(None)
    conversations.keep(conversation, turn(1, instruction, place="area.py:12"))
    conversations.keep(conversation, turn(2, "another"))
    assert conversations.latest()[0].title == title


def test_a_title_can_be_given_and_taken_back(conversations: Conversations) -> None:
    conversation = talk(conversations, "first question", "second")
    assert conversations.rename(conversation.id, " My \n title\x00 ")
    assert conversations.latest()[0].title == "My title"
    talk(conversations, "third", id_=conversation.id)
    assert conversations.latest(search="title")[0].title == "My title"
    assert conversations.rename(conversation.id, " ")
    assert conversations.latest()[0].title == "first question"
    assert conversations.latest(search="title") == []
    assert not conversations.rename("nobody", "x")


def test_a_conversation_is_found_by_the_beginning_of_its_id(conversations: Conversations) -> None:
    for id_ in ("abc", "abd", "abcd", "a%", "a_c"):
        talk(conversations, id_=id_)
    assert {it.id for it in conversations.find("ab")} == {"abc", "abd", "abcd"}
    assert [it.id for it in conversations.find("abc")] == ["abc"]
    assert [it.id for it in conversations.find("abcd")] == ["abcd"]
    assert [it.id for it in conversations.find("a%")] == ["a%"]
    assert conversations.find("b") == []
    assert len(conversations.find("a", limit=2)) == 2


# Removing


def test_what_is_deleted_is_gone(conversations: Conversations) -> None:
    gone, stays = talk(conversations, "one"), talk(conversations, "one")
    assert conversations.delete(gone.id)
    assert not conversations.delete(gone.id)
    assert conversations.turns(gone.id) == []
    assert [it.id for it in conversations.latest(search="one")] == [stays.id]


def test_clearing_counts_and_leaves_nothing(conversations: Conversations) -> None:
    assert conversations.clear() == 0
    for _ in range(3):
        talk(conversations, "one")
    assert conversations.clear() == 3
    assert conversations.latest() == conversations.latest(search="one") == []


def test_an_answer_that_still_comes_does_not_bring_a_deleted_conversation_back(conversations: Conversations) -> None:
    conversation = talk(conversations, "one")
    coming = turn(conversations.begin(conversation), "two", "", finish="")
    conversations.keep(conversation, coming)
    if isinstance(conversations, Reopened):
        pytest.skip("nothing still comes in a process that has ended")
    conversations.delete(conversation.id)
    conversations.keep(conversation, replace(coming, answer="more"))
    conversations.keep(conversation, replace(coming, answer="more and more", finish="complete"))
    assert conversations.latest() == []
    conversations.keep(conversation, turn(conversations.begin(conversation), "three"))
    assert [it.instruction for it in conversations.turns(conversation.id)] == ["three"]


# Searching


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ("negative", True), ("NEGATIVE", True), ("neg", True), ("egative", False), ("negative radius", True),
        ("radius negative", True), ("radius nowhere", False), ("user_name", True), ("name", True), ("username", False),
        ("resume", True), ("RÉSUMÉ", True), ("area.py", True), ("area.py:12", True), ("py.area", False),
        ("数据库", True), ("据库", True), ("库数", False), ("错误 数据", True), ("データ", True), ("ﾃﾞｰﾀ", True),
        ("베이스", True), ("strasse", True), ("title", True), ("title negative", True), ("???", False), ("🙂", False),
        ('"', False), ("*", False), ("negative*", True), ("AND", False), ("negative OR nowhere", False),
        ("NEAR(negative radius)", False), ("-negative", True), ("answer:negative", False), ("neg\0ative", False),
        ("(", False), ("negative)", True), ("\ud800", False), ("^negative", True), ("{negative}", True),
        ("' OR 1=1 --", False), ("x" * 100_000, False), ("negative " * 5000, True), ("汉" * 5000, False),
    ],
)  # fmt: skip
def test_words_are_found_and_signs_are_harmless(conversations: Conversations, search: str, is_found: bool) -> None:
    conversation = conversations.open(None)
    conversations.keep(
        conversation,
        turn(
            1,
            "Why is the Radius negative? user_name",
            "Résumé: 数据库错误。データ 데이터베이스 Straße",
            place="area.py:12",
        ),
    )
    conversations.rename(conversation.id, "A fine title")
    assert [it.id for it in conversations.latest(search=search)] == ([conversation.id] if is_found else [])


def test_a_blank_search_is_none(conversations: Conversations) -> None:
    talk(conversations, "one")
    assert len(conversations.latest(search="")) == len(conversations.latest(search=" \n")) == 1


def test_the_words_of_a_search_may_stand_in_different_turns(conversations: Conversations) -> None:
    talk(conversations, "alpha", "beta")
    talk(conversations, "alpha", "gamma")
    assert [it.turns for it in conversations.latest(search="beta alpha")] == [2]


def test_a_search_shows_the_piece_that_it_met(conversations: Conversations) -> None:
    conversation = conversations.open(None)
    answer = "lead in\n" + "filler " * 30 + "the needle\tin\x1b hay " + "after " * 50
    conversations.keep(conversation, turn(1, "question", answer))
    [summary] = conversations.latest(search="NEED")
    assert "the needle in� hay after" in summary.found
    assert summary.found.startswith("…")
    assert summary.found.endswith("…")
    assert len(summary.found) < 160
    assert conversations.latest()[0].found == ""


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_search_finds_what_reading_everything_would(conversations: Conversations, data: st.DataObject) -> None:
    with suppress(AttributeError):
        conversations.clear()
    texts = st.lists(ONE_WORD, max_size=4).map(" ".join)
    said = data.draw(st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=4))
    ids = [talk(conversations, *questions).id for questions in said]
    for search in data.draw(st.lists(st.lists(ONE_WORD, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=4)):
        found = {it.id for it in conversations.latest(search=search)}
        meant = {id_ for id_, questions in zip(ids, said, strict=True) if _by_reading(questions, search)}
        assert found == meant, search


def _by_reading(questions: list[str], search: str) -> bool:
    """Search as simply as it can be said; the words of these texts are known."""
    plain = [text.lower().replace("é", "e").replace("_", " ") for text in questions]
    title = plain[0] if questions[0] else "ask"
    texts = [title, *plain, *(f"answer: {text}" for text in plain)]
    return all(any(_is_in(text, word) for text in texts) for word in search.lower().replace("é", "e").split())


def _is_in(text: str, word: str) -> bool:
    if word[0] in "数据":
        return word in "".join(it if it[0] in "数据" else f" {it} " for it in text.split())
    return f" {word.replace('_', ' ')}" in f" {text}"


def test_words_and_what_is_shown_of_them_agree() -> None:
    chance = random.Random(7)
    for _ in range(500):
        text = "".join(chance.choices(["ab", "cd", "数", "据", " ", "_", ".", "é", "ß", "\n", "1"], k=12))
        for phrase in phrases("".join(chance.choices(["ab", "cd", "数", "é", ".", "s"], k=3))):
            is_in = f" {' '.join(phrase)}" in f" {indexed(text)}"
            assert bool(excerpt([text], [phrase])) == is_in, (text, phrase)
    assert words("Größe 12µm ２") == ["grosse", "12μm", "2"]


# Age and size (what is written alone)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_what_was_not_continued_for_long_goes(data: Path, clock: Clock) -> None:
    kept = StoredConversations(data, days=90, budget_bytes=MIB, now=clock)
    old, continued = talk(kept, "old words"), talk(kept, "one")
    clock.time += timedelta(days=80)
    talk(kept, "two", id_=continued.id)
    clock.time += timedelta(days=20)
    talk(kept, "new")
    assert [it.turns for it in kept.latest()] == [1, 2]
    assert kept.get(old.id) is None
    assert kept.latest(search="old") == []
    kept.close()


def test_the_oldest_go_when_there_is_no_room_and_never_the_one_that_goes_on(data: Path, clock: Clock) -> None:
    kept = StoredConversations(data, days=90, budget_bytes=600_000, now=clock)
    noise = [random.Random(seed).randbytes(40_000).hex() for seed in range(6)]
    ids = [talk(kept, text).id for text in noise[:3]]
    assert [it.id for it in kept.latest()] == [ids[2]]
    small = talk(kept, "x").id
    assert [it.id for it in kept.latest()] == [small, ids[2]]
    for number, text in enumerate(noise, 2):
        kept.keep(kept.open(ids[2]), turn(number, "y", text))
    assert [(it.id, it.turns) for it in kept.latest()] == [(ids[2], 7)]
    kept.close()


def test_limits_without_measure_are_no_mistake(data: Path) -> None:
    kept = StoredConversations(data, days=10**12, budget_bytes=10**30)
    conversation = kept.open(None)
    kept.keep(conversation, turn(10**30, prompt_tokens=10**30, completion_tokens=-(10**30), duration_ms=2**63))
    kept.close()
    [left] = kept.turns(conversation.id)
    assert (left.number, left.answer) == (1, "An area.")
    assert kept.problem() is None
    kept.close()


def test_memory_keeps_the_conversations_used_last() -> None:
    kept = MemoryConversations(kept=3)
    ids = [talk(kept, "one").id for _ in range(3)]
    kept.open(ids[0])
    talk(kept, "new")
    assert {it.id for it in kept.latest()} >= {ids[0], ids[2]}
    assert kept.get(ids[1]) is None
