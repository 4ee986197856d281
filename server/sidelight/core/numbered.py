"""A document with its lines numbered, for a model that is to name lines: models cannot count."""

from __future__ import annotations

from dataclasses import replace

from sidelight.core.context import Context
from sidelight.editing.text import split_lines


def numbered(context: Context) -> Context:
    """Return the context with a number from 1 before each line, and its secrets hidden.

    They are hidden here, because a private key is not known as one any more when numbers stand in it.
    """
    if not context.lines:
        return context
    lines = split_lines(context.mask.hide("".join(context.lines)))
    width = len(str(len(lines)))
    end = len(lines) - (not lines[-1])  # after the last line end comes no line
    shown = [f"{number:{width}}| {line}" for number, line in enumerate(lines[:end], 1)]
    return replace(context, lines=(*shown, *lines[end:]))
