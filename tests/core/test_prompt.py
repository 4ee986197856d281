from __future__ import annotations

import re
from dataclasses import replace
from time import perf_counter

import pytest

from sidelight.core.context import Context, Diagnostic, target_lines
from sidelight.core.instructions import find_instruction
from sidelight.core.prompt import Budget, build_prompt
from sidelight.core.tasks import TASKS
from sidelight.core.tokens import estimate_tokens
from sidelight.editing.text import Place, Range, split_lines
from sidelight.errors import UsageError
from sidelight.messages import plain


def context_of(text: str, first: int, end: int, **more: object) -> Context:
    lines = split_lines(text)
    place = Range(Place(first, 0), Place(end, 0))
    return Context(
        name="a.py",
        language_id="python",
        lines=tuple(lines),
        selection=place,
        target=target_lines(lines, place),
        **more,
    )  # type: ignore[arg-type]


def of(tokens: int) -> Budget:
    return Budget(tokens, plain("choose less"))


def test_the_target_the_problems_and_the_request_are_in_the_prompt() -> None:
    problem = Diagnostic(Range(Place(1, 0), Place(1, 3)), "undefined name", "pyflakes", "F821")
    prompt = build_prompt(
        TASKS["fix"], context_of("a\nfoo\nb\n", 1, 2, diagnostics=(problem,), instruction="keep it short"), of(2000)
    )
    assert "a.py, line 2:\n```python\nfoo\n```" in prompt.user
    assert "- line 2: undefined name (pyflakes F821)" in prompt.user
    assert "Request: keep it short" in prompt.user


@pytest.mark.parametrize("budget", [700, 1500, 8000])
def test_a_prompt_about_a_huge_document_stays_within_its_budget(budget: int) -> None:
    text = "".join(f"line_{number} = {number}\n" for number in range(200_000))
    prompt = build_prompt(TASKS["explain"], context_of(text, 100_000, 100_005), of(budget))
    assert estimate_tokens(prompt.system) + estimate_tokens(prompt.user) <= budget
    assert "line_100004" in prompt.user
    assert "line_99999 " in prompt.user


def test_a_fence_is_longer_than_any_in_the_code() -> None:
    prompt = build_prompt(TASKS["explain"], context_of("```\n````\n", 0, 2), of(2000))
    assert "`````python\n" in prompt.user


def test_an_instruction_that_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="instruction is too long"):
        build_prompt(TASKS["ask"], Context(instruction="x" * 100_000), of(8000))


def test_a_selection_that_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="selected part is too long"):
        build_prompt(TASKS["fix"], context_of("x = 1\n" * 10_000, 0, 10_000), of(8000))


@pytest.mark.parametrize(("before", "first"), [(0, 0), (2, 2), (2, 0)])
def test_a_line_that_alone_does_not_fit_is_cut_inside_and_said(before: int, first: int) -> None:
    context = context_of("short\n" * before + "x" * 200_000 + "\nlast\n", first, before + 1)
    prompt = build_prompt(TASKS["explain"], context, of(1000))
    [note] = prompt.notes
    shown = prompt.user.count("x" * 100) * 100
    assert 1000 < shown < 200_000
    assert note.is_warning
    told = re.fullmatch(r"Of a\.py, only the beginning .*: to character (\d+) of line (\d+)\.", str(note.message))
    assert told
    assert shown <= int(told[1]) < shown + 100
    assert int(told[2]) == before + 1
    assert ("short" in prompt.user) == (first < before)
    assert estimate_tokens(prompt.system) + estimate_tokens(prompt.user) <= 1000


def test_a_cut_target_uses_the_room_that_there_is() -> None:
    prompt = build_prompt(TASKS["explain"], context_of("value = other + 1\n" * 3000, 0, 3000), of(1000))
    assert prompt.tokens > 850


@pytest.mark.parametrize(
    ("more", "orders", "told"),
    [
        ({"diagnostics": True}, "", "The reported problems are too long: about"),
        ({}, "orders " * 9000, "SIDELIGHT_SYSTEM_PROMPT is too long: about"),
        ({"instruction": "please " * 9000}, "", "The instruction is too long: about"),
        ({"instruction": "please " * 9000, "target": 2000}, "", "The instruction is too long: about"),
    ],
)
def test_what_is_too_long_is_named(more: dict[str, object], orders: str, told: str) -> None:
    more = dict(more)
    end = more.pop("target", 1)
    if more.get("diagnostics"):
        problem = Diagnostic(Range(Place(1, 0), Place(1, 3)), "a long story " * 900, "pyright")
        more["diagnostics"] = (problem,) * 9
    context = context_of("x = 1\n" * 2000, 0, end, **more)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=told):
        build_prompt(TASKS["explain"], context, replace(of(8000), orders=orders))


def test_a_budget_for_nothing_does_not_blame_what_is_short() -> None:
    with pytest.raises(UsageError, match="too few for any question"):
        build_prompt(TASKS["fix"], context_of("x = 1\n", 0, 1), of(100))


def fastest_s(context: Context) -> float:
    times = []
    for _ in range(7):
        began = perf_counter()
        build_prompt(TASKS["explain"], context, of(6000))
        times.append(perf_counter() - began)
    return min(times)


@pytest.mark.parametrize("share", [(0, 1), (0.5, 0.5)])
def test_lines_that_are_not_shown_cost_nothing(share: tuple[float, float]) -> None:
    def seconds(count: int) -> float:
        text = "    value = compute(other)  # comment\n" * count
        return fastest_s(context_of(text, int(count * share[0]), int(count * share[1]) + (share[0] > 0)))

    assert seconds(100_000) < 2 * seconds(2000) + 0.001


def test_a_fence_about_very_many_backticks_is_made_at_once() -> None:
    began = perf_counter()
    build_prompt(TASKS["explain"], context_of("`" * 200_000, 0, 1), of(1_000_000))
    assert perf_counter() - began < 1


def test_the_answers_language_is_asked_for() -> None:
    assert "Simplified Chinese" in build_prompt(TASKS["ask"], Context(answer_language="zh-cn"), of(1000)).system
    assert "Write prose in" not in build_prompt(TASKS["ask"], Context(answer_language="en_GB.UTF-8"), of(1000)).system


def instruction(code: str, line: int, *, signatures: bool = True) -> str:
    caret = Place(line, 0)
    return find_instruction(split_lines(code), Range(caret, caret), signatures=signatures)


@pytest.mark.parametrize(
    ("code", "line", "found"),
    [
        ("# sidelight: sort by name\nx = 1\n", 1, "sort by name"),
        ("x = 1  # TODO: handle zero\n", 0, "handle zero"),
        ("// FIXME off by one\nint x;\n", 0, "off by one"),
        ("/* sidelight: free it */\n", 0, "free it"),
        ("# sidelight: sort by name,\n# then by age\nx = 1\n", 0, "sort by name, then by age"),
        ("# parse the header\n\n", 0, "parse the header"),
        ("def parse(header):\n\n", 1, "Write the body of `def parse(header):`"),
        ("# explains the next line\nx = 1\n", 0, ""),
        ("def f():\n    return 1\n", 0, ""),
        ("#!/usr/bin/env python\n\n", 0, ""),
        ("x = 1\n", 0, ""),
    ],
)
def test_an_instruction_is_found_in_the_code(code: str, line: int, found: str) -> None:
    assert instruction(code, line) == found


def test_a_signature_is_no_question() -> None:
    assert instruction("def parse(header):\n", 0, signatures=False) == ""


def test_an_addressed_comment_wins_over_a_todo() -> None:
    lines = split_lines("# TODO: later\n# sidelight: now\n")
    assert find_instruction(lines, Range(Place(0, 0), Place(2, 0)), signatures=True) == "now"
