"""Instructions found in the code itself, for editors that have no input box.

In this order: a comment that begins with ``sidelight:``, a TODO or FIXME, a comment with nothing under it, and for
generate a signature with nothing under it. Looked for in the selection, else at the caret and just above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sidelight.editing.text import Range

_LOOK_ABOVE = 3
# A longer selection is not looked through: this runs whenever the light bulb is drawn.
_LOOK_THROUGH = 200
_COMMENT = re.compile(r"^\s*(?:#+|//+|--+|;+|%+|/\*+|\*(?!/)|<!--|\(\*)\s?(?P<text>.*?)\s*(?:\*/|-->|\*\))?\s*$")
_ADDRESSED = re.compile(
    r"(?:^|(?:#|//|--|;|%|/\*|<!--)\s*)sidelight:\s*(?P<text>.+?)\s*(?:\*/|-->)?\s*$", re.IGNORECASE
)
_TODO = re.compile(r"(?:#|//|--|;|%|/\*|\*|<!--)\s*(?:TODO|FIXME)\b[:\s]*(?P<text>.+?)\s*(?:\*/|-->)?\s*$")
_SIGNATURE = re.compile(r"^\s*(?:async\s+)?(?:def|class|func|fn|function)\b.*[:{]\s*$")


def find_instruction(lines: Sequence[str], selection: Range, *, signatures: bool) -> str:
    """Return the instruction that stands in the code at the selection; empty when there is none."""
    numbers = list(_places(lines, selection))
    for pattern in (_ADDRESSED, _TODO):
        for number in numbers:
            if found := pattern.search(lines[number].rstrip("\r\n")):
                return " ".join([found["text"], *_continued(lines, number)])
    for number in numbers:
        if text := _alone(lines, number, signatures=signatures):
            return text
    return ""


def _places(lines: Sequence[str], selection: Range) -> Iterable[int]:
    if not selection.is_empty:
        first = selection.start.line
        return range(first, min(selection.end_line, len(lines), first + _LOOK_THROUGH))
    caret = min(selection.start.line, len(lines) - 1)
    return range(caret, max(caret - _LOOK_ABOVE, -1), -1)


def _continued(lines: Sequence[str], number: int) -> list[str]:
    """Return the comment lines that go on with the one at ``number``, where that one is a line of its own."""
    more: list[str] = []
    if not _COMMENT.match(lines[number]):
        return more
    for line in lines[number + 1 : number + 1 + _LOOK_THROUGH]:
        comment = _COMMENT.match(line.rstrip("\r\n"))
        if comment is None or not comment["text"] or _TODO.search(line) or _ADDRESSED.search(line):
            break
        more.append(comment["text"])
    return more


def _alone(lines: Sequence[str], number: int, *, signatures: bool) -> str:
    """Return a comment or signature that has nothing under it."""
    line = lines[number].rstrip("\r\n")
    below = next((text for text in lines[number + 1 : number + 1 + _LOOK_THROUGH] if text.strip()), "")
    indent = len(line) - len(line.lstrip())
    deeper = len(below) - len(below.lstrip()) > indent
    if signatures and _SIGNATURE.match(line) and not deeper:
        return f"Write the body of `{line.strip()}`"
    comment = _COMMENT.match(line)
    next_is_blank = number + 1 >= len(lines) or not lines[number + 1].strip()
    if comment and comment["text"] and next_is_blank and not line.lstrip().startswith(("#!", "*")):
        return comment["text"]
    return ""
