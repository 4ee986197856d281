"""A context without secrets, made before any of it is cut or weighed: what is left of a cut secret looks like none."""

from __future__ import annotations

from dataclasses import replace

from sidelight.core.context import Context
from sidelight.editing.text import split_lines

LARGEST_MASKED = 2_000_000
"""So many characters take about a tenth of a second; a longer document is masked part by part, as it is shown."""


def masked(context: Context) -> Context:
    """Return the context with placeholders for the secrets in its document and its pieces; lines stay lines."""
    hide, text = context.mask.hide, "".join(context.lines)
    lines = context.lines
    if len(text) <= LARGEST_MASKED and (hidden := hide(text)) != text:
        lines = tuple(split_lines(hidden)[: len(lines)])
    pieces = tuple(replace(piece, text=hide(piece.text)) for piece in context.pieces)
    return replace(context, lines=lines, pieces=pieces)
