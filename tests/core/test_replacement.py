"""What of an answer may go into the document, and why the rest may not."""

from __future__ import annotations

import pytest

from sidelight.core.answers import Answer, Finished, Text
from sidelight.core.context import Context, target_lines
from sidelight.core.replacement import NotApplied, replacement
from sidelight.editing.text import split_lines

OLD = "x = 1\ny = 2\n"


def replaced(answer: str, old: str = OLD, language: str = "python") -> str:
    lines = split_lines(old)
    context = Context(name="a", language_id=language, lines=tuple(lines), target=target_lines(lines, None))
    received = Answer()
    received.add(Text(answer))
    received.add(Finished("complete"))
    return replacement(received, context)


def refused(answer: str, old: str = OLD, language: str = "python") -> str:
    with pytest.raises(NotApplied) as caught:
        replaced(answer, old, language)
    return str(caught.value.reason)


def block(code: str, tag: str = "python") -> str:
    return f"```{tag}\n{code}```\n"


@pytest.mark.parametrize("code", ["", "\n", "  \n\t\n"])
@pytest.mark.parametrize("old", [OLD, "\n"])
def test_an_empty_block_never_deletes_the_target(code: str, old: str) -> None:
    assert "is empty" in refused(block(code), old)


def test_code_that_is_left_out_is_not_deleted() -> None:
    reason = refused(block("x = 3\n# ... rest of the code unchanged\n"))
    assert reason == "The answer leaves a part of the code out: # ... rest of the code unchanged"


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


def test_one_of_several_blocks_is_not_guessed() -> None:
    assert "several code blocks" in refused(block("x = 3\n") + "or\n" + block("x = 4\n"))


def test_an_open_block_is_not_applied() -> None:
    assert "cut off" in refused("```python\nx = 3\n")


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
    assert "not clear" in refused(answer, "# Old\n\ntext\n", "markdown")


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
