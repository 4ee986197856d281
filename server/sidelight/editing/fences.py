"""Fenced code blocks in Markdown: what a fence is, and the blocks of a whole answer.

``CodeStream`` in ``answer_code`` reads them while they arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sidelight.editing.text import split_lines, without_line_end

_FENCE = re.compile(
    r"(?P<lead>(?P<indent>[ \t]*)(?P<item>(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})(?P<info>[^`\r\n]*)$"
)
_MOST_INDENT = 3  # CommonMark: one more is indented code


@dataclass(frozen=True, slots=True)
class Fence:
    """A line that may open or close a block. ``column`` is where it stands, behind the marker of a list item if any."""

    column: int
    mark: str
    info: str

    def is_same_kind(self, opening: Fence) -> bool:
        """Whether this fence could close what ``opening`` opened, were it bare."""
        return self.mark[0] == opening.mark[0] and len(self.mark) >= len(opening.mark)


def fence_in(line: str, column: int = 0, *, in_list: bool = False) -> Fence | None:
    """Return the fence that the line (without its line end) is.

    ``column`` is that of the opening fence: as CommonMark has it, up to three spaces more are nothing. ``in_list``
    says that a list item may stand around it, whose indentation or marker is no part of it.
    """
    if "```" not in line and "~~~" not in line:
        return None
    found = _FENCE.match(line)
    if found is None or (not in_list and (found["item"] or len(found["indent"]) > column + _MOST_INDENT)):
        return None
    return Fence(len(found["lead"]), found["mark"], found["info"].strip(" \t"))


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One fenced block: its info string's first word, its text, and the lines of the answer it fills.

    ``first_line`` is the line after the opening fence, ``end_line`` that of the closing one (or of the answer's end,
    when ``is_closed`` is false).
    """

    language: str
    text: str
    first_line: int
    end_line: int
    is_closed: bool


def code_blocks(answer: str) -> Iterator[CodeBlock]:
    """Yield the fenced blocks of an answer in order, an unclosed last one too.

    Inside a block, a fence with an info string opens a nested one, as in a Markdown document that is being edited.
    """
    lines = split_lines(answer)
    opening: Fence | None = None
    first = depth = 0
    for number, line in enumerate(lines):
        fence = fence_in(without_line_end(line))
        if fence is None:
            continue
        if opening is None:
            opening, first, depth = fence, number + 1, 0
        elif not fence.is_same_kind(opening):
            continue
        elif fence.info:
            depth += 1
        elif depth:
            depth -= 1
        else:
            yield _block(opening, lines, first, number, is_closed=True)
            opening = None
    if opening is not None:
        yield _block(opening, lines, first, len(lines), is_closed=False)


def _block(opening: Fence, lines: list[str], first: int, end: int, *, is_closed: bool) -> CodeBlock:
    language = opening.info.partition(" ")[0].lower()
    return CodeBlock(language, "".join(lines[first:end]), first, end, is_closed)
