"""What differs between two texts, by lines."""

from __future__ import annotations

from dataclasses import dataclass

from sidelight.editing.text import split_lines


@dataclass(frozen=True, slots=True)
class LineChange:
    """Replace the lines ``first`` up to and without ``end`` of the old text by ``text``.

    An ``end`` past the last line means the end of the text.
    """

    first: int
    end: int
    text: str


def line_change(old: str, new: str) -> LineChange | None:
    """Return the smallest run of lines that turns ``old`` into ``new``; None when they are equal."""
    if old == new:
        return None
    old_lines, new_lines = split_lines(old), split_lines(new)
    most = min(len(old_lines), len(new_lines))
    head = next((i for i in range(most) if old_lines[i] != new_lines[i]), most)
    tail = next((i for i in range(most - head) if old_lines[-1 - i] != new_lines[-1 - i]), most - head)
    return LineChange(head, len(old_lines) - tail, "".join(new_lines[head : len(new_lines) - tail]))
