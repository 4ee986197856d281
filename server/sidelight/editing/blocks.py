"""The block of code around a line, by indentation: good enough in any language, also while it does not parse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DEFINITION = re.compile(
    r"\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|inline|pub(?:\([^)]*\))?|"
    r"override|unsafe|extern|const|virtual)\s+)*"
    r"(?:def|class|function\*?|func|fn|fun|interface|struct|enum|trait|impl|module|namespace|sub|proc|object)\b"
)
# What is defined: after its keyword (in Go, after the receiver), or a function that a name is given to.
_NAME = re.compile(r"\s*(?:\([^)]*\)\s*)?(?P<name>[^\W\d][\w$]*)")
_NAMED = re.compile(
    r"\s*(?:export\s+)?(?:const|let|var)\s+(?P<name>[^\W\d][\w$]*)\s*=\s*(?:async\s*)?(?:function\b|\(|\w+\s*=>)"
)
_CLOSING = re.compile(r"\s*(?:[)\]}]+[;,)]*|end\b.*)\s*$")

# Lines on either side; data and generated text go on for ever without a blank line.
_LONGEST_PARAGRAPH = 40


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition: its name, and its lines; ``first`` is above ``header`` where it has decorators."""

    name: str
    first: int
    header: int
    end: int


def definitions(lines: Sequence[str]) -> list[Definition]:
    """Return all definitions with a name, at any depth, in the order in which they begin."""
    found = []
    for number, line in enumerate(lines):
        keyword = _DEFINITION.match(line)
        named = _NAME.match(line, keyword.end()) if keyword else _NAMED.match(line)
        if named is not None:
            found.append(Definition(named["name"], _with_decorators(lines, number), number, _end(lines, number)))
    return found


def outermost_block(lines: Sequence[str], line: int) -> tuple[int, int]:
    """Return the lines of the definition around ``line`` that no other encloses; the line itself without one."""
    around = [one for one in definitions(lines) if one.first <= line < one.end]
    return (around[0].first, around[0].end) if around else (line, line + 1)


def enclosing_block(lines: Sequence[str], line: int) -> tuple[int, int]:
    """Return the lines (first, end) of the innermost definition around ``line``; else of the paragraph there.

    On a blank line outside every block, the range is empty. ``end`` is exclusive.
    """
    line = min(max(line, 0), len(lines) - 1)
    while lines[line].lstrip().startswith("@") and line + 1 < len(lines):
        line += 1  # a decorator belongs to what it decorates
    header = _header(lines, line)
    if header is None:
        return _paragraph(lines, line)
    return _with_decorators(lines, header), _end(lines, header)


def _header(lines: Sequence[str], line: int) -> int | None:
    """Return the nearest definition at or above ``line`` whose body reaches down to it."""
    depth = _depth_at(lines, line)
    for number in range(line, -1, -1):
        text = lines[number]
        if not text.strip():
            continue
        indent = _indent(text)
        if _DEFINITION.match(text) and (number == line or indent < depth) and line < _end(lines, number):
            return number
        depth = min(depth, indent) if not _CLOSING.match(text) or number == line else depth
    return None


def _depth_at(lines: Sequence[str], line: int) -> int:
    """Return the indentation of a line; a blank or closing one counts as deep as its block's body."""
    text = lines[line]
    if not text.strip():
        above = next((lines[n] for n in range(line, -1, -1) if lines[n].strip()), "")
        below = next((lines[n] for n in range(line, len(lines)) if lines[n].strip()), "")
        return min(_indent(above) + 1, _indent(below) + 1) if above and below else 0
    return _indent(text) + (1 if _CLOSING.match(text) else 0)


def _end(lines: Sequence[str], header: int) -> int:
    """Return the line after the block that begins at ``header``."""
    indent, last, begun = _indent(lines[header]), header, False
    for number in range(header + 1, len(lines)):
        text = lines[number]
        if not text.strip():
            continue
        if _indent(text) > indent:
            last = number
        elif _CLOSING.match(text) or (not begun and text.strip()[0] in "{)]"):
            last = number  # the closing bracket of the block, or a bracket that opens it on its own line
            if text.strip()[0] not in "{)]" or text.rstrip().endswith(("}", "};", "end")):
                break
        else:
            break
        begun = True
    return last + 1


def _paragraph(lines: Sequence[str], line: int) -> tuple[int, int]:
    if not lines[line].strip():
        return line, line
    first, end = line, line + 1
    while first > max(0, line - _LONGEST_PARAGRAPH) and lines[first - 1].strip():
        first -= 1
    while end < min(len(lines), line + _LONGEST_PARAGRAPH) and lines[end].strip():
        end += 1
    return first, end


def _with_decorators(lines: Sequence[str], header: int) -> int:
    indent = _indent(lines[header])
    while header > 0 and lines[header - 1].lstrip().startswith("@") and _indent(lines[header - 1]) == indent:
        header -= 1
    return header


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
