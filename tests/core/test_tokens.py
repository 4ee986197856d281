"""The estimate against counts that four tokenizers gave for the texts beside this file."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from sidelight.core.tokens import estimate_tokens

COUNTED = json.loads((Path(__file__).parent / "token_counts.json").read_text("utf-8"))
RATIOS = [estimate_tokens(it["text"]) / max(count for name, count in it.items() if name != "text") for it in COUNTED]


def test_the_estimate_errs_high_with_every_tokenizer() -> None:
    assert min(RATIOS) >= 1.0


def test_it_errs_by_less_than_a_quarter_on_half_of_the_texts_and_never_by_much_more_than_double() -> None:
    assert statistics.median(RATIOS) < 1.25
    assert max(RATIOS) < 2.1


@pytest.mark.parametrize("text", ["", "\ud83d", "\0", "a" * 100_000])
def test_any_text_can_be_estimated(text: str) -> None:
    assert estimate_tokens(text) >= 1


def test_the_parts_of_a_text_are_never_estimated_lower_than_the_whole() -> None:
    for it in COUNTED:
        assert sum(map(estimate_tokens, it["text"].splitlines(keepends=True))) >= estimate_tokens(it["text"]) - 1
