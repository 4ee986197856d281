"""The block of code around a line, by indentation: good enough in any language, also while it does not parse."""

from __future__ import annotations

import re
from collections.abc import Sequence

DEFINITION = re.compile(
    r"\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|inline|pub(?:\([^)]*\))?|"
    r"override|unsafe|extern|const|virtual)\s+)*"
    r"(?:def|class|function\*?|func|fn|fun|interface|struct|enum|trait|impl|module|namespace|sub|proc|object)\b"
)
_CLOSING = re.compile(r"\s*(?:[)\]}]+[;,)]*|end\b.*)\s*$")
_COMMENT = re.compile(r"\s*(?:#|//|/\*)")
_SIGNATURE_END = re.compile(r"\s*[)\]].*[:{]\s*$")

# Lines on either side; data and generated text go on for ever without a blank line.
_LONGEST_PARAGRAPH = 40


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
    return with_decorators(lines, header), block_end(lines, header)


def _header(lines: Sequence[str], line: int) -> int | None:
    """Return the nearest definition at or above ``line`` whose body reaches down to it."""
    depth = _depth_at(lines, line)
    for number in range(line, -1, -1):
        text = lines[number]
        if not text.strip():
            continue
        indent = _indent(text)
        if DEFINITION.match(text) and (number == line or indent < depth) and line < block_end(lines, number):
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


def block_end(lines: Sequence[str], header: int) -> int:
    """Return the line after the block that begins at ``header``."""
    indent, last, begun = _indent(lines[header]), header, False
    for number in range(header + 1, len(lines)):
        text = lines[number]
        if not text.strip():
            continue
        if _indent(text) > indent or (_indent(text) == indent and _SIGNATURE_END.match(text)):
            last = number
        elif begun and _COMMENT.match(text):
            continue  # left of the body it stands in, if a deeper line follows; preprocessors' lines too
        elif _indent(text) < indent and _is_closed(lines[header]):
            break  # it closes what the block is in
        elif _CLOSING.match(text) or (not begun and text.strip()[0] in "{)]"):
            last = number  # the closing bracket of the block, or a bracket that opens it on its own line
            if text.strip()[0] not in "{)]" or text.rstrip().endswith(("}", "};", "end")):
                break
        else:
            break
        begun = True
    return last + 1


def _is_closed(header: str) -> bool:
    """Whether the whole block stands on the line of its header: ``void close() {}``."""
    return header.rstrip("\r\n\t ;,").endswith("}") and header.count("{") == header.count("}")


def _paragraph(lines: Sequence[str], line: int) -> tuple[int, int]:
    if not lines[line].strip():
        return line, line
    first, end = line, line + 1
    while first > max(0, line - _LONGEST_PARAGRAPH) and lines[first - 1].strip():
        first -= 1
    while end < min(len(lines), line + _LONGEST_PARAGRAPH) and lines[end].strip():
        end += 1
    return first, end


def with_decorators(lines: Sequence[str], header: int) -> int:
    """Return the first line of the decorators above a header; the header itself where it has none."""
    indent = _indent(lines[header])
    while header > 0 and lines[header - 1].lstrip().startswith("@") and _indent(lines[header - 1]) == indent:
        header -= 1
    return header


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
