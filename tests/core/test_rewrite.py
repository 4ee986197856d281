"""What of an answer may go into the document, and why the rest may not."""

from __future__ import annotations

import pytest

from sidelight.core.answers import Answer, Finished, Replace, Text
from sidelight.core.context import Context, Diagnostic, target_lines
from sidelight.core.rewrite import Outcome, Rewrite, rewritten
from sidelight.editing.live_region import LiveRegion
from sidelight.editing.text import Place, Range, lines_of, split_lines

OLD = "x = 1\ny = 2\n"
LONGER = "".join(f"line_{number} = {number}\n" for number in range(9))


def context_of(old: str, language: str = "python", instruction: str = "") -> Context:
    lines = split_lines(old)
    return Context("a", language, tuple(lines), target=target_lines(lines, None), instruction=instruction)


def outcome_of(
    answer: str,
    old: str = OLD,
    language: str = "python",
    *,
    finish: str = "complete",
    tells: bool = False,
    task: str = "fix",
    instruction: str = "",
) -> tuple[str, Outcome]:
    received = Answer()
    received.add(Text(answer))
    received.add(Finished(finish))  # type: ignore[arg-type]
    return rewritten(task, received, context_of(old, language, instruction), tells_truncation=tells)


def replaced(answer: str, old: str = OLD, language: str = "python") -> str:
    new, outcome = outcome_of(answer, old, language)
    assert outcome.reason is None, outcome.reason
    return new


def refused(answer: str, old: str = OLD, language: str = "python") -> str:
    new, outcome = outcome_of(answer, old, language)
    assert outcome.kind == "nothing"
    assert new == old
    return str(outcome.reason)


def block(code: str, tag: str = "python") -> str:
    return f"```{tag}\n{code}```\n"


@pytest.mark.parametrize("code", ["", "\n", "  \n\t\n"])
@pytest.mark.parametrize("old", [OLD, "\n"])
def test_an_empty_block_never_deletes_the_target(code: str, old: str) -> None:
    assert "is empty" in refused(block(code), old)


def test_code_that_is_left_out_is_not_deleted() -> None:
    new, outcome = outcome_of(block("x = 3\n# ... rest of the code unchanged\n"))
    assert (outcome.kind, new) == ("partial", "x = 3\n" + OLD)
    assert str(outcome.reason) == "The answer leaves a part of the code out: # ... rest of the code unchanged"


def test_a_placeholder_of_the_users_own_is_kept() -> None:
    old = "x = 1\n# rest unchanged\n"
    assert replaced(block("x = 2\n# rest unchanged\n"), old) == "x = 2\n# rest unchanged\n"


@pytest.mark.parametrize("tag", ["python", "py", "Python3", ""])
def test_the_block_in_the_documents_language_is_taken(tag: str) -> None:
    assert replaced(block("pip install x\n", "bash") + block("x = 3\n", tag)) == "x = 3\n"


def test_a_block_in_another_language_is_never_applied() -> None:
    assert "another language" in refused(block("rm -rf x\n", "bash"))


def test_the_block_that_repeats_the_target_is_not_the_answer() -> None:
    assert replaced("Was:\n" + block(OLD) + "Now:\n" + block("x = 3\n")) == "x = 3\n"
    assert replaced("Now:\n" + block("x = 3\n") + "Was:\n" + block(OLD, "py")) == "x = 3\n"


def test_the_same_block_twice_is_one_answer() -> None:
    assert replaced(block("x = 3\n") + "Again:\n" + block("x = 3\n")) == "x = 3\n"
    assert replaced(block(OLD) + block(OLD)) == OLD


def test_the_first_of_several_blocks_is_the_answer_and_the_others_are_told() -> None:
    new, outcome = outcome_of(block("x = 3\n") + "or\n" + block("x = 4\n"))
    assert (new, outcome.kind, outcome.has_more) == ("x = 3\n", "whole", True)


def test_an_open_block_of_a_provider_that_never_tells_truncation_is_cut_off() -> None:
    new, outcome = outcome_of("```python\nx = 3\n")
    assert (new, outcome.kind, outcome.can_continue) == ("x = 3\n" + OLD, "partial", True)
    assert "cut off" in str(outcome.reason)
    assert outcome_of("```python\nx = 3\n", tells=True)[0] == "x = 3\n"


@pytest.mark.parametrize("finish", ["cut_off", "length", "refused", "stopped"])
def test_what_was_cut_off_deletes_nothing(finish: str) -> None:
    code = LONGER.replace("line_1 = 1", "line_1 = 100")
    new, outcome = outcome_of(f"```python\n{''.join(lines_of(code)[:3])}", LONGER, finish=finish)
    assert (new, outcome.kind) == (code, "partial")
    assert outcome.can_continue is (finish != "refused")


def test_code_that_loses_more_than_half_is_not_applied_as_a_deletion() -> None:
    short = "".join(lines_of(LONGER)[:4])
    new, outcome = outcome_of(block(short), LONGER)
    assert (new, outcome.kind) == (LONGER, "nothing")
    assert "More than half" in str(outcome.reason)
    assert outcome_of(block(short), LONGER, instruction="Remove the last lines")[0] == short
    assert outcome_of(block(short), LONGER, instruction="\u5220\u9664\u540e\u9762\u7684\u884c")[0] == short


def test_a_diagnostic_may_ask_for_fewer_lines() -> None:
    short = "".join(lines_of(LONGER)[:4])
    lines = tuple(split_lines(LONGER))
    context = Context(
        "a", "python", lines, target=target_lines(lines, None),
        diagnostics=(Diagnostic(Range.EMPTY, "unreachable code"),),
    )  # fmt: skip
    answer = Answer()
    answer.add(Text(block(short)))
    answer.add(Finished("complete"))
    assert rewritten("fix", answer, context, tells_truncation=False)[0] == short


def test_code_that_breaks_the_syntax_is_not_applied() -> None:
    assert "breaks the syntax" in refused(block("x = (3\ny = 2\n"))
    assert replaced(block("x = (3\ny = 2\n"), "x = (1\ny = 2\n") == "x = (3\ny = 2\n", "it was broken before"


def test_an_answer_to_another_question_is_not_applied() -> None:
    other = "".join(f"colour_{name} = None\n" for name in "abcdefghi")
    assert "nothing to do with" in refused(block(other), LONGER)
    assert outcome_of(block(other), LONGER, task="generate")[0] == other


def test_the_same_code_again_is_no_edit() -> None:
    assert outcome_of(block(OLD))[1].kind == "same"


def test_an_answer_that_is_replaced_by_a_longer_one_goes_on() -> None:
    rewrite = Rewrite("fix", context_of(LONGER), tells_truncation=False)
    code = LONGER.replace("line_3 = 3", "line_3 = 300")
    first = "".join(lines_of(code)[:6])
    steps = [*rewrite.feed(Text(f"```python\n{first}")).steps, *rewrite.feed(Replace(block(code))).steps]
    last, outcome = rewrite.finish(Finished("complete"))
    region = LiveRegion(lines_of(LONGER), "\n")
    region.queue([*steps, *last.steps])
    region.queue_final(outcome.steps)
    assert "".join(region.plan().lines) == code
    assert outcome.lines is None


def test_an_answer_that_is_taken_back_is_compared_anew_at_its_end() -> None:
    rewrite = Rewrite("fix", context_of(LONGER), tells_truncation=False)
    rewrite.feed(Text("```python\nline_0 = 'other'\nline_1 = 1\nline_2 = 2\n"))
    code = LONGER.replace("line_3 = 3", "line_3 = 300")
    assert rewrite.feed(Replace(block(code))).steps == []
    _, outcome = rewrite.finish(Finished("complete"))
    assert outcome.lines is not None
    assert "\n".join(outcome.lines) + "\n" == code


def test_the_whole_code_can_be_had_whatever_speaks_against_it() -> None:
    text = block("x = 3\n# ... rest unchanged\n")
    rewrite = Rewrite("fix", context_of(OLD), tells_truncation=False)
    rewrite.feed(Text(text))
    rewrite.finish(Finished("complete"))
    answer = Answer()
    answer.add(Text(text))
    assert rewrite.anyway(answer) == ["x = 3", "# ... rest unchanged"]


@pytest.mark.parametrize(
    "answer",
    [
        "```markdown\n# T\n```\ncode\n```\nend\n```\n",
        "```md\n# T\n```\ncode\n```\n",
        "```markdown\n# T\n```py\n1\n```\nmid\n```\nout\n```\nend\n```\n",
        "```\n# T\n```\ncode\n```\nend\n```\n",
    ],
)
def test_a_markdown_document_is_not_truncated_at_a_fence_of_its_own(answer: str) -> None:
    new, outcome = outcome_of(answer, "# Old\n\ntext\n", "markdown")
    assert outcome.kind in ("partial", "nothing")
    assert new.endswith("# Old\n\ntext\n")
    assert "not clear" in str(outcome.reason)


@pytest.mark.parametrize(
    ("answer", "new"),
    [
        ("````markdown\n# T\n```\ncode\n```\n````\n", "# T\n```\ncode\n```\n"),
        ("```markdown\n# T\n```py\n1\n```\nend\n```\n", "# T\n```py\n1\n```\nend\n"),
        ("```markdown\n# T\n```\nThen:\n```bash\nmake\n```\n", "# T\n"),
    ],
)
def test_a_markdown_document_whose_end_is_clear_is_applied(answer: str, new: str) -> None:
    assert replaced(answer, "# Old\n\ntext\n", "markdown") == new


def test_output_below_code_is_no_part_of_it() -> None:
    assert replaced(block("x = 3\n") + "It prints:\n" + block("3\n", "")) == "x = 3\n"


def test_a_byte_order_mark_and_mixed_line_ends_stay() -> None:
    old = "\ufeffa = 1\r\nb = 2\nc = 3\r\n"
    assert replaced(block("a = 1\nb = 2\nc = 4\n"), old) == "\ufeffa = 1\r\nb = 2\nc = 4\r\n"


IN_CLASS = """\
class A:
    def total(self, prices):
        result = 0
        for price in prices:
            result -= price
        return result

    def other(self, prices):
        return len(prices)
"""


def outcome_at(answer: str, first: int, end: int) -> Outcome:
    lines = tuple(split_lines(IN_CLASS))
    target = Range(Place(first, 0), Place(end, 0))
    received = Answer()
    received.add(Text(answer))
    received.add(Finished("complete"))
    return rewritten("fix", received, Context("a", "python", lines, target=target), tells_truncation=False)[1]


def test_code_that_begins_above_the_place_is_not_put_into_it() -> None:
    whole = "".join(lines_of(IN_CLASS)[1:6]).replace("-=", "+=")
    assert "more than the part" in str(outcome_at(block(whole), 3, 5).reason)
    assert outcome_at(block(whole), 1, 6).kind == "whole"


def test_code_that_goes_on_below_the_place_is_not_put_into_it() -> None:
    more = "".join(lines_of(IN_CLASS)[1:]).replace("-=", "+=")
    assert "more than the part" in str(outcome_at(block(more), 1, 6).reason)
