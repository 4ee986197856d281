"""Every reply of the corpus does to its document what a user would want, however the reply is cut."""

from __future__ import annotations

from collections import Counter

import pytest

from support.corpus import RANDOM_CUTS, Case, Result, paths, read, run

# Where the code is known to do something else than it should: name and what it does.
KNOWN_WRONG: dict[str, str] = {}

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
    for seed in [None, *range(RANDOM_CUTS + 1)]:
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
