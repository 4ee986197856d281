"""The user's own tasks: what a file may say, what is wrong in one, and what a model is asked."""

from __future__ import annotations

import pytest

from sidelight.core.answers import Answer, Finished, Text
from sidelight.core.context import Context, target_lines
from sidelight.core.own_tasks import OwnTask, joined, parse_own_task
from sidelight.core.query import retrieval_query
from sidelight.core.rewrite import rewritten
from sidelight.editing.text import Place, Range, split_lines

WHOLE = """---
name: newcomer
title: "For a newcomer"
description: Explains simply.
# a comment
answer: edit
needs: instruction
languages: [Python, 'go']
---
Explain {selection} of {file}, in {language}: {instruction}. {"json": {other}}
"""


def parsed(text: str, stem: str = "mine") -> OwnTask:
    own, problems = parse_own_task(text, "mine.md", stem)
    assert own is not None, problems
    return own


def wrong(text: str, stem: str = "mine") -> list[tuple[int, str]]:
    own, problems = parse_own_task(text, "mine.md", stem)
    assert own is None
    return [(problem.line, str(problem.message)) for problem in problems]


@pytest.mark.parametrize("text", [WHOLE, "\ufeff" + WHOLE, WHOLE.replace("\n", "\r\n")])
def test_everything_that_a_file_may_say(text: str) -> None:
    own = parsed(text)
    assert (own.task.name, str(own.task.title), own.description) == ("newcomer", "For a newcomer", "Explains simply.")
    assert own.task.edits
    assert own.task.needs_instruction
    assert own.languages == ("python", "go")
    assert own.is_for("python")
    assert not own.is_for("rust")


def test_a_file_without_front_matter_is_a_task_of_its_name() -> None:
    own = parsed("Say hello.\n", "hello")
    assert (own.task.name, str(own.task.title), own.task.edits) == ("hello", "hello", False)
    assert own.is_for("anything")


def test_places_are_filled_and_other_braces_are_braces() -> None:
    lines = split_lines("a = 1\nb = 2\n")
    place = Range(Place(1, 0), Place(2, 0))
    context = Context("a.py", "python", tuple(lines), place, target_lines(lines, place), instruction="{file}!")
    asked = parsed(WHOLE).task.question(context)
    assert asked.startswith('Explain b = 2 of a.py, in python: {file}!. {"json": {other}}')


def test_a_selection_is_filled_in_without_its_secrets() -> None:
    key = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z" * 2
    lines = split_lines(f'KEY = "{key}"\n')
    context = Context("a.py", "python", tuple(lines), target=target_lines(lines, None))
    assert key not in parsed("See {selection}").task.question(context)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("---\ntitle: x\n", 1, "not closed"),
        ("---\ntitle\n---\nx", 2, "key: value"),
        ("---\nlanguages:\n  - python\n---\nx", 3, "[python, go]"),
        ("---\n\nanwser: edit\n---\nx", 3, "Did you mean answer?"),
        ("---\ncommand: rm\n---\nx", 2, "There is no key command"),
        ("---\ntitle: a\ntitle: b\n---\nx", 3, "said twice"),
        ("---\nanswer: code\n---\nx", 2, "must be text or edit"),
        ("---\nneeds: all\n---\nx", 2, "must be nothing or instruction"),
        ("---\nlanguages: python\n---\nx", 2, "must be a list"),
        ("---\nname: a b\n---\nx", 2, "cannot be a name"),
        ("---\nname: Fix\n---\nx", 2, "has already"),
        ("---\ntitle: x\n---\n\n", 4, "nothing below"),
        ("---\ntitle: " + "x" * 100 + "\n---\nx", 2, "longer than 80"),
    ],
)
def test_a_wrong_thing_is_named_with_its_line(text: str, line: int, said: str) -> None:
    found = wrong(text)
    assert [number for number, _ in found] == [line]
    assert said in found[0][1]


def test_all_wrong_things_are_named() -> None:
    assert [line for line, _ in wrong("---\nanswer: x\nfoo: 1\nneeds: y\n---\nx")] == [2, 3, 4]


def test_a_file_named_like_one_of_our_tasks_is_wrong() -> None:
    assert "explain is the name of a task" in wrong("Say hello.", "explain")[0][1]


def test_of_two_tasks_with_one_name_the_first_counts() -> None:
    first, second = parse_own_task("One", "user/a.md", "a"), parse_own_task("Two", "folder/A.md", "A")
    own = joined([first, second])
    assert own.tasks["a"].file == "user/a.md"
    assert [problem.file for problem in own.problems] == ["folder/A.md"]


def test_what_is_looked_up_for_a_task_holds_no_code() -> None:
    own = parsed("---\ntitle: For a newcomer\ndescription: Explains simply\n---\nExplain {selection}")
    lines = split_lines("total = w * h\n")
    context = Context("a.py", "python", tuple(lines), target=target_lines(lines, None))
    assert retrieval_query(own.task, context) == "For a newcomer. Explains simply (a.py python)"


@pytest.mark.parametrize(("body", "kind"), [("Shorten this.", "whole"), ("Translate this.", "nothing")])
def test_a_task_that_asks_for_less_code_may_make_it_less(body: str, kind: str) -> None:
    own = parsed(f"---\nanswer: edit\n---\n{body}")
    lines = split_lines("".join(f"value_{n} = compute_{n}()\n" for n in range(8)))
    context = Context("a.py", "python", tuple(lines), target=target_lines(lines, None))
    answer = Answer()
    answer.add(Text("Done.\n\n```python\nvalue_0 = compute_0()\nvalue_1 = compute_1()\n```\n"))
    answer.add(Finished("complete"))
    outcome = rewritten(own.task.name, answer, context, tells_truncation=False, asked=own.task.asked)[1]
    assert outcome.kind == kind
