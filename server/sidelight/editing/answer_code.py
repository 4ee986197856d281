"""The code in a model's answer: found between its fences, and made to fit the document (``line_diff`` compares it).

A model's relative indentation is content and is kept; the whole block moves to the indentation of what it replaces.
Line ends and the final newline are the document's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidelight.editing.text import split_lines, without_line_end

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\r\n]*?)[ \t]*$")
_INDENT = re.compile(r"[ \t]*")


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
    opening: re.Match[str] | None = None
    first = depth = 0
    for number, line in enumerate(lines):
        fence = _FENCE.match(without_line_end(line))
        if fence is None:
            continue
        if opening is None:
            opening, first, depth = fence, number + 1, 0
        elif not _may_close(fence, opening):
            depth += _is_same_kind(fence, opening) and bool(fence["info"])
        elif depth:
            depth -= 1
        else:
            yield _block(opening, lines, first, number, is_closed=True)
            opening = None
    if opening is not None:
        yield _block(opening, lines, first, len(lines), is_closed=False)


def _is_same_kind(fence: re.Match[str], opening: re.Match[str]) -> bool:
    return fence["fence"][0] == opening["fence"][0] and len(fence["fence"]) >= len(opening["fence"])


def _may_close(fence: re.Match[str], opening: re.Match[str]) -> bool:
    return _is_same_kind(fence, opening) and not fence["info"]


def _block(opening: re.Match[str], lines: list[str], first: int, end: int, *, is_closed: bool) -> CodeBlock:
    language = opening["info"].partition(" ")[0].lower()
    return CodeBlock(language, "".join(lines[first:end]), first, end, is_closed)


def fit(code: str, replaced: str, line_end: str) -> str:
    """Return ``code`` with the indentation and final newline of ``replaced`` and with the document's line ends."""
    lines = [without_line_end(line) for line in split_lines(code)]
    if lines and not lines[-1]:
        lines.pop()
    lines = _moved(lines, _first_indent(lines), _first_indent(split_lines(replaced)))
    ends_open = bool(replaced) and not replaced.endswith(("\n", "\r"))
    return line_end.join(lines) + ("" if ends_open or not lines else line_end)


def _first_indent(lines: Sequence[str]) -> str | None:
    """Return the indentation of the first line that is not blank."""
    return next((_INDENT.match(line).group() for line in lines if line.strip()), None)  # type: ignore[union-attr]


def _moved(lines: list[str], have: str | None, want: str | None) -> list[str]:
    if have is None or want is None or have == want:
        return lines
    if want.endswith(have):
        more = want.removesuffix(have)
        return [more + line if line.strip() else line for line in lines]
    if have.endswith(want) and all(line.startswith(have) for line in lines if line.strip()):
        return [line.removeprefix(have.removesuffix(want)) for line in lines]
    return lines
