"""What a model thinks aloud is told from what it answers, at any cut."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sidelight.core.answers import Answer, Reasoning, Replace, Text
from sidelight.core.reasoning import ReasoningSplitter, SplitEvent


def split(pieces: list[str]) -> list[SplitEvent]:
    splitter = ReasoningSplitter()
    return [*(event for piece in pieces for event in splitter.feed(piece)), *splitter.finish()]


def cuts(text: str) -> Iterator[list[str]]:
    yield [text]
    yield list(text)
    for seed in range(25):
        choose = random.Random(seed)
        borders = sorted(choose.choices(range(len(text) + 1), k=choose.randrange(1, 8)))
        print("seed", seed)
        yield [text[start:end] for start, end in zip([0, *borders], [*borders, len(text)], strict=True)]


def assert_split(whole: str, thought: str, text: str) -> None:
    for pieces in cuts(whole):
        answer = Answer()
        for event in split(pieces):
            answer.add(event)
        assert (answer.reasoning, answer.text) == (thought, text), pieces


@pytest.mark.parametrize(
    ("whole", "thought", "text"),
    [
        ("<think>I ponder.</think>Answer", "I ponder.", "Answer"),
        ("  <think>\nx < y</think>\n\nAnswer </think>", "\nx < y", "Answer </think>"),
        ("<think>never ends", "never ends", ""),
        ("<think>nearly ends</thin", "nearly ends</thin", ""),
        ("<think></think>\n\nAnswer", "", "Answer"),
        ("<think>İ</THINK>Answer", "İ", "Answer"),
        ("<think>a </thinking> b</think>c", "a </thinking> b", "c"),
    ],
)
def test_reasoning_at_the_start_is_no_text(whole: str, thought: str, text: str) -> None:
    assert_split(whole, thought, text)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        *((f"<{name}>", f"</{name}>") for name in ("thinking", "thought", "thoughts", "reasoning", "reflection")),
        ("<THINK>", "</Think>"),
        ('<think budget="5">', "</think>"),
        ("<seed:think>", "</seed:think>"),
        ("[THINK]", "[/THINK]"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("◁think▷", "◁/think▷"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
        ("<|start|>assistant<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>final<|message|>"),
    ],
)
def test_every_models_tags_are_known(opening: str, closing: str) -> None:
    assert_split(f"{opening}a < b [c]{closing}\nAnswer", "a < b [c]", "Answer")


def test_reasoning_may_come_in_several_blocks() -> None:
    assert_split("<think>one</think>\n<thinking>two</thinking>Answer <think>", "onetwo", "Answer <think>")


def test_a_final_channel_without_reasoning_is_the_answer() -> None:
    assert_split("<|channel|>final<|message|>Answer", "", "Answer")


@pytest.mark.parametrize(
    ("whole", "thought", "text"),
    [
        ("I ponder.\n</think>\n\nAnswer", "I ponder.\n", "Answer"),
        ("I ponder.</think>\nAnswer", "I ponder.", "Answer"),
        ("I ponder.</think> Answer", "I ponder.", "Answer"),
        ("I ponder.\n</think>Answer </think>\nx", "I ponder.\n", "Answer </think>\nx"),
        ("See\n```py\nx\n```\nso.\n[/THINK]\nAnswer", "See\n```py\nx\n```\nso.\n", "Answer"),
        ("a\n</think>\n<think>b</think>\nc", "a\nb", "c"),
    ],
)
def test_a_closing_tag_that_nothing_opened_takes_back_what_was_said(whole: str, thought: str, text: str) -> None:
    assert_split(whole, thought, text)


GREETED = "Sure, let me think.\n\n<think>\n```\nx\n```\nNot </think> yet.\n</think>\n\nAnswer"


def test_reasoning_may_begin_below_a_greeting() -> None:
    thought = "\n```\nx\n```\nNot </think> yet.\n"
    assert_split(GREETED, thought, "Sure, let me think.\n\nAnswer")


@pytest.mark.parametrize(
    "whole",
    [
        "Sure.\n<think>\nnever closed",
        "Sure.\n<think>\nclosed in a line</think> and on",
        "Sure: <think>\na\n</think>\nb",
        "`a`\n<think>\na\n</think>\nb",
        "Sure.\n<thin",
        "Sure.\n<thinker>\n</think>\n",
        "word " * 60 + "\n<think>\na\n</think>\nb",
    ],
)
def test_what_else_stands_below_other_text_is_no_reasoning(whole: str) -> None:
    assert_split(whole, "", whole)


def test_what_is_taken_back_was_the_text_so_far() -> None:
    events = split(["I ", "ponder.\n", "</think>", "Answer"])
    assert events == [Text("I "), Text("ponder.\n"), Replace(""), Reasoning("I ponder.\n"), Text("Answer")]


def test_nothing_is_taken_back_before_it_was_said() -> None:
    assert split(["I ponder.\n</think>\nAnswer"]) == [Reasoning("I ponder.\n"), Text("Answer")]


@pytest.mark.parametrize(
    "whole",
    [
        "Answer about <think> tags",
        "Use <think> in the prompt, and close it with\n</think>\nafterwards.",
        "Write `a</think>\nb` there.",
        "Write the </think> tag.",
        "Like this:\n```xml\nthought\n</think>\nanswer\n```\n",
        "First `</think>`, then\n</think>\n",
        "Close it with a</think>",
        "a</think>b",
        "<thing>",
        "<thinker>x",
        "<thi",
        "[1, 2]",
        "<",
        " \n ",
        " \n x",
        "",
    ],
)
def test_an_answer_may_speak_about_tags(whole: str) -> None:
    assert_split(whole, "", whole)


def test_only_what_may_become_a_tag_is_held_back() -> None:
    splitter = ReasoningSplitter()
    assert list(splitter.feed("a <b")) == [Text("a <b")]
    assert list(splitter.feed("c</th")) == [Text("c")]
    assert list(splitter.feed("is>")) == [Text("</this>")]
