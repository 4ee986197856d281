"""What else goes into a prompt, beside the target: what is chosen, what it may cost, and what is said of it."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from time import thread_time

import pytest

from sidelight.core.context import Context, Excerpt, Piece, PieceKind, target_lines
from sidelight.core.ports import Prompt
from sidelight.core.prompt import Budget, build_prompt
from sidelight.core.tasks import TASKS
from sidelight.core.tokens import estimate_tokens
from sidelight.editing.text import Place, Range, split_lines
from sidelight.errors import UsageError
from sidelight.messages import msg, plain

KINDS: tuple[PieceKind, ...] = ("mention", "knowledge", "definition", "instructions", "reference")
LONG = "".join(f"line_{number} = {number}\n" for number in range(1000))


def context_of(text: str, first: int, end: int, **more: object) -> Context:
    lines = split_lines(text)
    place = Range(Place(first, 0), Place(end, 0))
    target = target_lines(lines, place)
    return Context("a.py", "python", tuple(lines), place, target, **more)  # type: ignore[arg-type]


def excerpt(first: int, end: int, kind: PieceKind = "definition") -> Excerpt:
    return Excerpt(kind, first, end, plain("used here"))


def piece(name: str, text: str, kind: PieceKind = "mention", *, is_wanted: bool = False) -> Piece:
    return Piece(kind, name, text, plain("mentioned"), "python", 0, is_wanted)


def built(context: Context, tokens: int = 2000, task: str = "explain") -> Prompt:
    return build_prompt(TASKS[task], context, Budget(tokens, plain("choose less")))


def kinds(prompt: Prompt) -> list[str]:
    return [part.kind for part in prompt.parts]


def test_the_parts_are_the_prompt_in_order() -> None:
    context = context_of("a = 1\nb = a\nc = b\n", 1, 2, instruction="Why?", pieces=(piece("b.py", "x = 1\n"),))
    prompt = built(context)
    assert prompt.system == "\n".join(part.text for part in prompt.parts if part.kind == "orders")
    assert prompt.user == "\n\n".join(part.text for part in prompt.parts if part.kind != "orders")
    assert kinds(prompt) == ["orders", "target", "around", "around", "mention", "instruction", "question"]
    assert [part.kind for part in prompt.parts if not part.is_material] == ["orders", "instruction", "question"]
    assert (
        sum(part.tokens for part in prompt.parts) >= estimate_tokens(prompt.system) + estimate_tokens(prompt.user) - 9
    )


def test_an_excerpt_from_far_away_is_shown_with_its_lines() -> None:
    prompt = built(context_of(LONG, 900, 901, excerpts=(excerpt(3, 5),)), 900)
    assert "For reference, lines 4 to 5 of a.py:\n```python\nline_3 = 3\nline_4 = 4\n```" in prompt.user
    assert "line_2 " not in prompt.user
    [note] = prompt.notes
    assert str(note.message).startswith("The model was not shown lines 1–3, 6–")


def test_an_excerpt_among_the_lines_around_is_not_shown_twice() -> None:
    prompt = built(context_of("".join(f"n{n} = 1\n" for n in range(20)), 10, 11, excerpts=(excerpt(3, 5),)))
    assert prompt.user.count("n4 = 1") == 1
    assert kinds(prompt).count("around") == 2
    assert "definition" not in kinds(prompt)


def test_excerpts_that_overlap_each_other_and_the_target_are_shown_once() -> None:
    excerpts = (excerpt(0, 4), excerpt(2, 6), excerpt(899, 902), excerpt(-3, 2000))
    prompt = built(context_of(LONG, 900, 901, excerpts=excerpts), 900)
    for number in (0, 3, 5, 899, 900, 901):
        assert prompt.user.count(f"line_{number} = ") == 1, number


def test_what_is_too_long_for_its_share_leaves_room_for_the_next() -> None:
    prompt = built(context_of(LONG, 500, 501, excerpts=(excerpt(0, 400), excerpt(700, 702))), 900)
    assert "line_701 " in prompt.user
    assert "line_3 " not in prompt.user


def test_a_piece_that_was_asked_for_is_cut_at_a_line_with_a_warning() -> None:
    prompt = built(context_of("x = 1\n", 0, 1, pieces=(piece("b.py", LONG, is_wanted=True),)), 1200)
    [note] = prompt.notes
    assert note.is_warning
    count = int(str(note.message).split("first ")[1].split()[0])
    assert f"line_{count - 1} = {count - 1}\n```" in prompt.user
    assert f"line_{count} = " not in prompt.user
    assert count > 20


def test_a_piece_that_was_asked_for_and_has_no_room_is_told() -> None:
    prompt = built(context_of("x = 1\n", 0, 1, pieces=(piece("b.py", "y" * 9000, is_wanted=True),)), 500)
    [note] = prompt.notes
    assert note.is_warning
    assert str(note.message) == "The model was not shown b.py: it did not fit."


def test_a_definition_that_has_no_room_is_left_out_whole_and_silently() -> None:
    prompt = built(context_of("x = 1\n", 0, 1, pieces=(piece("b.py", LONG, "definition"),)), 1200)
    assert not prompt.notes
    assert "line_0" not in prompt.user


def test_the_projects_instructions_cannot_push_out_the_code() -> None:
    pieces = (piece("AGENTS.md", "Be kind.\n" * 3000, "instructions"),)
    prompt = built(context_of(LONG, 500, 501, pieces=pieces), 3000)
    assert "Instructions of this project, from AGENTS.md:" in prompt.user
    assert "line_490 " in prompt.user
    assert "Be kind." in prompt.user


def test_knowledge_is_numbered_and_the_model_is_told_how_to_name_it() -> None:
    prompt = built(context_of("x = 1\n", 0, 1, pieces=(piece("[1] area.md", "It is so.", "knowledge"),)))
    assert "From the knowledge base, [1] area.md, line 1:" in prompt.user
    assert "number in brackets" in prompt.system
    assert "number in brackets" not in built(context_of("x = 1\n", 0, 1)).system


def test_what_is_to_be_told_about_pieces_is_a_warning() -> None:
    prompt = built(context_of("x = 1\n", 0, 1, notes=(msg("There is no {name}.", name="b.py"),)))
    assert [(str(note.message), note.is_warning) for note in prompt.notes] == [("There is no b.py.", True)]


@pytest.mark.parametrize("task", ["explain", "fix"])
def test_no_choice_of_pieces_exceeds_the_budget(task: str) -> None:
    seed = 20
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(60):
        text = "".join(dice.choice((f"def f{n}(x):\n", "    y = g(x)  # ärger 蓝\n", "\n")) for n in range(400))
        first = dice.randrange(390)
        spans = [(at := dice.randrange(400), at + dice.randrange(1, 60)) for _ in range(8)]
        context = context_of(
            text, first, first + dice.randrange(1, 9),
            excerpts=tuple(excerpt(*span) for span in spans),
            pieces=tuple(piece(f"{n}.py", "x = 1\n" * dice.randrange(1, 200), dice.choice(KINDS)) for n in range(6)),
        )  # fmt: skip
        budget = dice.choice((700, 1500, 4000))
        prompt = built(context, budget, task)
        assert estimate_tokens(prompt.system) + estimate_tokens(prompt.user) <= budget
        assert len(prompt.user) > budget  # tokens have more than one character: the room is used


def test_the_query_is_the_users_words_and_what_the_code_is_called_without_code() -> None:
    text = "def area(w, h):\n    '''The area of a room.'''\n    return w * h\n"
    context = context_of(text, 0, 3, instruction="Is this\nright?")
    assert built(context).query == "Is this right? (area; The area of a room.; a.py python)"
    assert built(replace(context, instruction="")).query.startswith("Explain what this code does")
    assert "w * h" not in built(context).query
    assert len(built(replace(context, instruction="why " * 500)).query) <= 400


def test_placeholders_that_are_longer_than_their_secrets_are_within_the_budget() -> None:
    rng = random.Random(3)
    text = "".join(f'password_{n} = "{"".join(rng.choices("abcdefGHIJKL0123456789_!", k=14))}"\n' for n in range(300))
    for tokens in (1500, 6000):
        for first, end in ((100, 105), (0, 300)):
            prompt = built(context_of(text, first, end, instruction="hm"), tokens)
            assert 0.8 * tokens < prompt.tokens <= tokens, (first, end)


def test_a_secret_is_masked_before_its_line_is_cut() -> None:
    text = f'x = {{"a": "{"b" * 1500}", "password": "aB3$kZ9!qW7x"}}\n'
    shown = set()
    for tokens in range(340, 480, 2):
        with contextlib.suppress(UsageError):
            user = built(context_of(text, 0, 1), tokens).user
            assert "aB3$k" not in user, tokens
            shown.add("bbb" in user and "password" in user)
    assert shown == {False, True}


def test_only_the_secrets_that_are_sent_are_counted() -> None:
    text = LONG + 'password = "aB3$kZ9!qW7x"\n'
    assert not any("masked" in str(note.message) for note in built(context_of(text, 0, 2), 500).notes)


def test_a_query_holds_no_part_of_a_secret_and_no_long_question() -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 4
    context = context_of("def area(w, h):\n    return w * h\n", 0, 2)
    query = built(replace(context, instruction="y " * 170 + secret)).query
    assert "ghp_" not in query and "y y" in query
    for task in ("document", "test", "commit"):
        assert len(built(context, task=task).query) < 80


def test_a_comment_full_of_blanks_costs_no_time() -> None:
    before = thread_time()
    built(context_of(("# a" + " " * 280 + "x y\n") * 40, 0, 40))
    assert thread_time() - before < 1
