"""What an instruction mentions, and which paths a name can mean."""

from __future__ import annotations

from time import thread_time

import pytest

from sidelight.core.mentions import Mention, find_mentions, matching


def names(instruction: str) -> list[str]:
    return [mention.name for mention in find_mentions(instruction).names]


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("use @area.py", ["area.py"]),
        ("(see @src/geo/area.py, and @Circle.area().)", ["src/geo/area.py", "Circle.area"]),
        ("explain @area.", ["area"]),
        ("@./a.py and @src\\b.py", ["a.py", "src/b.py"]),
        ('@"my file.py" @.github/ci.yml', ["my file.py", ".github/ci.yml"]),
        ("请看@area.py的代码，和 @设计.md", ["area.py", "设计.md"]),
        ("@area @area @area.py", ["area", "area.py"]),
        ("first\n@area is wrong", ["area"]),
    ],
)
def test_files_and_symbols_are_mentioned_by_an_at(instruction: str, expected: list[str]) -> None:
    assert names(instruction) == expected


@pytest.mark.parametrize(
    "instruction",
    [
        "write to bob@example.com", "git@github.com:a/b.git", "a@b", "@", "@ area", "user@@host",
        "use `@cache` here", "```python\n@property\ndef a(self): ...\n```", "@property\ndef a(self): ...",
        "@app.route('/')\n@login\nasync def page(): ...", "like this:\n    @cached\n    x = 1", "~~~\n@a\n~~~",
        "> @a wrote",
    ],
)  # fmt: skip
def test_addresses_and_quoted_code_mention_nothing(instruction: str) -> None:
    assert names(instruction) == []


def test_text_after_quoted_code_mentions_again() -> None:
    assert names("```\n@no\n```\nnow @yes, not `@no`") == ["yes"]


def test_lines_of_a_file_are_mentioned_by_their_numbers() -> None:
    assert find_mentions("@a.py:10-40 @b.py:7 @c.py:").names == (
        Mention("a.py", (10, 40)), Mention("b.py", (7, 7)), Mention("c.py"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("fix the #problems.", True), ("看#problems。", True), ("## problems", False), ("##problems", False),
        ("#problems-list", False), ("page#problems", False), ("`#problems`", False),
    ],
)  # fmt: skip
def test_problems_are_mentioned_by_their_name(instruction: str, expected: bool) -> None:
    assert find_mentions(instruction).problems is expected


def test_at_most_twenty_are_taken() -> None:
    assert len(names(" ".join(f"@name{number}" for number in range(50)))) == 20


@pytest.mark.parametrize(
    "unit", ["@", "@a", "@a.", "@a....", "@a/", '@"', "@x\n", "`", "@a@", "@的", "@a:1-", "\n", "```\n", "@-"]
)
def test_time_grows_with_a_long_instruction_and_not_with_its_square(unit: str) -> None:
    def takes(size: int) -> float:
        text = "#problems " + unit * (size // len(unit))
        best = 1e9
        for _ in range(2):
            began = thread_time()
            find_mentions(text)
            best = min(best, thread_time() - began)
        return best

    small, large = takes(20_000), takes(160_000)
    assert large < 8 * 4 * max(small, 0.001), (small, large)


PATHS = ["area.py", "src/geo/area.py", "src/geo/Volume.py", "tests/test_area.py", "docs/volume.PY"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("area.py", ["area.py"]),
        ("geo/area.py", ["src/geo/area.py"]),
        ("/src/geo/area.py", ["src/geo/area.py"]),
        ("Volume.py", ["src/geo/Volume.py"]),
        ("volume.py", ["src/geo/Volume.py", "docs/volume.PY"]),
        ("VOLUME.py", ["src/geo/Volume.py", "docs/volume.PY"]),
        ("ea.py", []),
        ("../area.py", []),
        ("", []),
    ],
)
def test_a_name_means_that_path_else_those_that_end_in_it(name: str, expected: list[str]) -> None:
    assert matching(name, PATHS) == expected
