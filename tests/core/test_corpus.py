"""Every reply of the corpus does to its document what a user would want, however the reply is cut."""

from __future__ import annotations

from collections import Counter

import pytest

from support.corpus import SEEDS, Case, Result, paths, read, run

# What is known to be wrong, by the name of the case; the files say what should be.
_FLUSH = "the last lines that came are inserted beside the same old lines, so what follows stands under the wrong head"
KNOWN_WRONG = {
    "markdown/length-after-a-rewritten-section": _FLUSH,
}

CASES = [read(path) for path in paths()]


def shown(case: Case, result: Result) -> str:
    return f"{result.outcome.kind}: {result.outcome.reason}\n{result.document}--- expected\n{case.expected}"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.xfail(strict=True, reason=KNOWN_WRONG[case.name])] if case.name in KNOWN_WRONG else [],
        )
        for case in CASES
    ],
)
def test_a_reply_does_what_it_should_at_any_cut(case: Case) -> None:
    for seed in SEEDS:
        print("seed", seed)
        result = run(case, case.parts_cut(seed))
        assert result.document == case.expected, shown(case, result)
        assert result.is_right(case), shown(case, result)


def test_every_known_wrong_case_exists() -> None:
    assert set(KNOWN_WRONG) <= {case.name for case in CASES}


def test_the_corpus_is_no_smaller_than_it_was() -> None:
    counts = Counter(case.name.partition("/")[0] for case in CASES)
    assert len(CASES) >= 220
    for folder in ("python", "javascript", "go", "yaml", "makefile", "markdown"):
        assert counts[folder] >= 25, folder


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if case.kind == "nothing"])
def test_a_reply_that_is_not_applied_leaves_the_document(case: Case) -> None:
    assert case.expected == case.document
