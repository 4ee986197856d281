"""Test: tests for the code at a place. Its answer is code for another file: the one that has the tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sidelight.core.answers import Answer
from sidelight.core.context import Context, Piece
from sidelight.core.tasks.task import Task
from sidelight.core.test_files import TestFile
from sidelight.editing.fences import code_blocks
from sidelight.editing.languages import blocks_in, language_of
from sidelight.messages import Message, msg

_SHOWN_LINES = 120
_SCRIPT = ("javascript", "javascriptreact", "typescript", "typescriptreact")
# What a test file says of its framework, the more telling first.
_TOLD: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {
    ("python",): ((r"\bpytest\b", "pytest"), (r"\bunittest\b", "unittest"), (r"^def test_", "pytest")),
    _SCRIPT: (
        (r"['\"]vitest['\"]", "Vitest"), (r"['\"]@jest/globals['\"]|\bjest\.", "Jest"),
        (r"['\"]node:test['\"]", "node:test"), (r"['\"]bun:test['\"]", "bun:test"),
        (r"['\"]@playwright/test['\"]", "Playwright"), (r"['\"](?:mocha|chai)['\"]", "Mocha"),
        (r"\bjasmine\b", "Jasmine"),
    ),
    ("java", "kotlin", "groovy"): (
        (r"org\.junit\.jupiter", "JUnit 5"), (r"org\.junit\.", "JUnit 4"), (r"org\.testng", "TestNG"),
        (r"\bspock\b", "Spock"),
    ),
    ("csharp",): ((r"using Xunit", "xUnit"), (r"NUnit", "NUnit"), (r"VisualStudio\.TestTools", "MSTest")),
    ("go",): ((r"stretchr/testify", "testing with testify"), (r"\"testing\"", "testing")),
    ("ruby",): ((r"\bRSpec\b|^\s*describe\b", "RSpec"), (r"Minitest|ActiveSupport::TestCase", "Minitest")),
    ("php",): ((r"PHPUnit", "PHPUnit"), (r"^(?:it|test)\(", "Pest")),
    ("c", "cpp"): ((r"gtest", "GoogleTest"), (r"catch", "Catch2"), (r"doctest", "doctest"), (r"unity\.h", "Unity")),
    ("swift",): ((r"import Testing", "Swift Testing"), (r"XCTest", "XCTest")),
}  # fmt: skip
_FILES = (
    (("conftest.py", "pytest.ini"), ("python",), "pytest"),
    (("vitest.config.ts", "vitest.config.js", "vitest.config.mts", "vitest.config.mjs"), _SCRIPT, "Vitest"),
    (("jest.config.js", "jest.config.ts", "jest.config.mjs", "jest.config.cjs", "jest.config.json"), _SCRIPT, "Jest"),
    ((".mocharc.js", ".mocharc.cjs", ".mocharc.json", ".mocharc.yml"), _SCRIPT, "Mocha"),
    ((".rspec",), ("ruby",), "RSpec"),
)  # fmt: skip


def _question(_context: Context) -> str:
    return "Write tests for what the first code block above does: usual cases, edges and errors."


TEST = Task(
    name="test",
    title=msg("Write tests"),
    orders=(
        "You write tests that can fail: each proves one fact, and none repeats what the code says. Answer with one "
        "fenced code block that holds only what is to be added to the test file: imports that it lacks, and new tests, "
        "in the style of those it has. Never repeat tests that are there, never leave lines out and never write "
        "placeholders. Before the block, say in one or two sentences what is tested."
    ),
    question=_question,
    topic="How tests are written",
)


def test_task(file: TestFile, framework: str) -> Task:
    """Return the task for tests in ``file``, with the project's ``framework`` where it is known."""

    def question(context: Context) -> str:
        where = f"They will be added to {file.path}, which is shown above as far as it matters."
        if file.is_source:
            where = f"They will be added to {file.path} itself, in its part for tests."
        elif not file.exists:
            where = f"They will be the new file {file.path}: write the whole of it."
        # The name above the code has no folder, and imports are made of it.
        source = "" if file.is_source else f"The code that they test is in {file.source}."
        uses = f"The tests use {framework}." if framework else ""
        return " ".join(part for part in (_question(context), where, source, uses) if part)

    return replace(TEST, question=question)


test_task.__test__ = False  # type: ignore[attr-defined]  # it is no test of ours


def code_of(answer: Answer, context: Context) -> tuple[str, Message | None]:
    """Return the tests that an answer holds; or why they are not to be used."""
    finish = answer.finished.finish if answer.finished else "stopped"
    if finish != "complete":
        return "", msg("It was stopped.") if finish == "stopped" else msg("The answer is incomplete.")
    blocks = blocks_in(context.language_id, code_blocks(answer.text))
    code = context.mask.restore(blocks[0].text) if blocks else ""
    return code, None if code.strip() else msg("The answer holds no code to apply.")


def framework_of(text: str, paths: Iterable[str], language: str) -> str:
    """Return what the project's tests are written with, by a test file of it and the names of its files; or empty."""
    language = language_of(language)
    for languages, told in _TOLD.items():
        if language in languages:
            for pattern, name in told:
                if re.search(pattern, text, re.MULTILINE):
                    return name
    names = {path.rpartition("/")[2] for path in paths}
    return next((name for files, of, name in _FILES if language in of and names.intersection(files)), "")


def style_piece(path: str, lines: Sequence[str], language: str, *, is_same: bool) -> Piece:
    """Return the beginning of a test file as a piece: its imports and its style; ``is_same``: the tests go there."""
    text = "".join(lines[:_SHOWN_LINES])
    if len(lines) > _SHOWN_LINES and is_same:
        names = re.findall(
            r"^\s*(?:async\s+)?(?:def|func|fn|class)\s+(\w+)", "".join(lines[_SHOWN_LINES:]), re.MULTILINE
        )
        text += f"… {len(lines) - _SHOWN_LINES} more lines" + (f", with {', '.join(names)}\n" if names else "\n")
    why = msg("the file that the tests go into") if is_same else msg("a test file of this project, for its style")
    return Piece("reference", path, text, why, language, first_line=0)
