"""How prompts are made to fit: the window of the model, the user's limits, earlier turns, and counting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest

from sidelight.core.answers import AnswerEvent, Finished
from sidelight.core.budget import AskedModel, Fitted, Limits, fit_prompt
from sidelight.core.context import Context, target_lines
from sidelight.core.ports import Check, Exchange, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.core.tasks import TASKS
from sidelight.core.tokens import estimate_tokens
from sidelight.editing.text import Place, Range, split_lines
from sidelight.errors import UsageError


@dataclass
class Fake:
    """A provider that is never asked for an answer: its window, and its tokenizer."""

    tokens: int | None = None
    count: Callable[[str], int | None] = lambda _text: None
    name = "fake"
    model = ""
    tells_truncation = True
    place = "here:1"
    remembers = False

    def window(self, _model: str | None, _stop: Stop) -> Window | None:
        return None if self.tokens is None else Window(self.tokens, "server")

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:
        return self.count(text)

    def stream(self, _request: Request, _stop: Stop) -> Iterator[AnswerEvent]:
        yield Finished("complete")

    def models(self) -> list[Model]:
        return []

    def checks(self) -> Iterator[Check]:
        yield from ()


LINES = tuple(split_lines("".join(f"value_{number} = compute({number})\n" for number in range(4000))))


def context(first: int, end: int, instruction: str = "") -> Context:
    place = Range(Place(first, 0), Place(end, 0))
    return Context("a.py", "python", LINES, place, target_lines(LINES, place), instruction=instruction)


def fit(
    provider: Fake,
    about: Context,
    task: str = "explain",
    limits: Limits | None = None,
    earlier: Sequence[Exchange] = (),
) -> Fitted:
    limits = limits or Limits(8000)
    return fit_prompt(TASKS[task], about, earlier, limits, AskedModel(provider), stop=Stop())


def notes(fitted: Fitted) -> str:
    return " ".join(str(note.message) for note in fitted.prompt.notes)


def test_without_a_window_the_users_limit_alone_counts() -> None:
    fitted = fit(Fake(None), context(2000, 2003))
    assert 6000 < estimate_tokens(fitted.prompt.user) <= 8000
    assert fitted.answer_tokens == 0


@pytest.mark.parametrize("window", [1024, 2048, 4096, 8192, 16384])
@pytest.mark.parametrize("task", ["explain", "fix"])
def test_prompt_and_answer_fit_the_window_together(window: int, task: str) -> None:
    fitted = fit(Fake(window), context(2000, 2010), task, Limits(100_000))
    prompt = fitted.prompt
    assert estimate_tokens(prompt.system) + estimate_tokens(prompt.user) + fitted.answer_tokens <= window
    assert fitted.answer_tokens >= window // 4 or fitted.answer_tokens == 4096


def test_an_edit_leaves_room_to_rewrite_what_it_edits() -> None:
    about = context(100, 400)
    assert fit(Fake(16384), about, "fix").answer_tokens > estimate_tokens(about.target_text)


def test_the_users_longest_answer_is_the_room() -> None:
    assert fit(Fake(8192), context(1, 2), limits=Limits(8000, 300)).answer_tokens == 300


def test_what_was_left_out_is_named() -> None:
    assert "lines 1–" in notes(fit(Fake(2048), context(2000, 2003)))
    assert "–4000 of a.py" in notes(fit(Fake(2048), context(2000, 2003)))


def test_nothing_is_named_where_everything_fits() -> None:
    assert fit(Fake(200_000), context(2000, 2003), limits=Limits(200_000)).prompt.notes == ()


def test_a_target_that_is_only_read_is_cut_with_a_warning() -> None:
    fitted = fit(Fake(2048), context(0, 4000))
    assert any(note.is_warning and "Only lines 1 to" in str(note.message) for note in fitted.prompt.notes)


def test_a_window_too_small_even_for_the_question_is_told_with_the_windows_size() -> None:
    with pytest.raises(UsageError, match=r"This one reads and writes 256 tokens together"):
        fit(Fake(256), Context(instruction="why? " * 100), "ask")


def test_a_part_to_edit_that_is_too_long_is_refused_and_never_cut() -> None:
    with pytest.raises(UsageError, match="too long"):
        fit(Fake(4096), context(0, 4000), "fix")


def test_the_users_orders_are_in_every_prompt() -> None:
    assert "Say please." in fit(Fake(None), context(1, 2), limits=Limits(8000, 0, "Say please.")).prompt.system


def exchanges(count: int, words: int = 40) -> list[Exchange]:
    return [Exchange(f"question {number}", f"answer {number} " + "word " * words) for number in range(count)]


def test_earlier_turns_are_sent_oldest_first() -> None:
    earlier = exchanges(3)
    assert list(fit(Fake(8192), Context(instruction="on"), "ask", earlier=earlier).prompt.earlier) == earlier


def test_the_oldest_turns_are_dropped_first_and_named() -> None:
    earlier = exchanges(50)
    fitted = fit(Fake(2048), Context(instruction="on"), "ask", earlier=earlier)
    kept = list(fitted.prompt.earlier)
    assert 0 < len(kept) < 50
    assert kept == earlier[-len(kept) :]
    assert f"the first {50 - len(kept)} of 50 earlier turns" in notes(fitted)


def test_a_tokenizer_lets_more_in_than_the_estimate() -> None:
    def exactly(text: str) -> int:
        return max(len(text) // 6, 1)  # a generous tokenizer: the estimate is far too high for it

    counted, estimated = fit(Fake(4096, exactly), context(2000, 2003)), fit(Fake(4096), context(2000, 2003))
    assert len(counted.prompt.user) > len(estimated.prompt.user) * 1.3
    assert exactly(counted.prompt.system + "\n" + counted.prompt.user) + counted.answer_tokens <= 4096


def test_a_tokenizer_that_counts_more_than_the_estimate_keeps_the_prompt_within_the_window() -> None:
    fitted = fit(Fake(4096, len), context(2000, 2003))
    assert len(fitted.prompt.system + fitted.prompt.user) + fitted.answer_tokens <= 4096


def test_a_part_that_only_the_estimate_calls_too_long_is_edited_all_the_same() -> None:
    about = context(0, 200)
    with pytest.raises(UsageError):
        fit(Fake(4096), about, "fix")
    assert fit(Fake(4096, lambda text: len(text) // 8), about, "fix").prompt.user


def test_a_tokenizer_that_cannot_be_asked_changes_nothing() -> None:
    assert fit(Fake(4096, lambda _text: None), context(9, 12)).prompt == fit(Fake(4096), context(9, 12)).prompt


def test_the_tokenizer_is_not_asked_where_there_is_room() -> None:
    def never(_text: str) -> int:
        raise AssertionError

    fit(Fake(32768, never), Context(instruction="short"), "ask")


@pytest.mark.parametrize("count", [lambda _text: 0, lambda text: len(text) // 4])
def test_a_tokenizer_that_counts_nothing_ends_nothing(count: Callable[[str], int]) -> None:
    empty = Context("a.py", "python", ("",), target=target_lines([""], None))
    for window in (256, 300, 512, 1024):
        with suppress(UsageError):
            fit(Fake(window, count), empty)
        with suppress(UsageError):
            fit(Fake(window, count), context(0, 4000), "fix")


def test_the_longest_answer_that_is_asked_for_fits_beside_the_prompt() -> None:
    fitted = fit(Fake(8192), context(1500, 1503), limits=Limits(8000, 6000))
    assert fitted.answer_tokens <= fitted.max_tokens <= 8192 - fitted.prompt.tokens
    assert fit(Fake(8192), context(1, 2), limits=Limits(8000, 300)).max_tokens == 300
    assert fit(Fake(8192), context(1, 2)).max_tokens == 0
    assert fit(Fake(None), context(1, 2), limits=Limits(8000, 6000)).max_tokens == 6000


def test_what_is_too_long_to_count_is_not_sent_to_the_tokenizer_whole() -> None:
    asked = []

    def count(text: str) -> int:
        asked.append(len(text))
        return len(text) // 3

    with pytest.raises(UsageError):
        fit(Fake(4096, count), context(0, 4000), "fix")
    assert max(asked) < 60_000


def test_a_small_prompt_is_not_refused_for_words_that_are_not_in_it() -> None:
    assert fit(Fake(220), context(0, 3)).prompt.user
    assert fit(Fake(180, lambda text: len(text) // 6), context(0, 3)).prompt.user
