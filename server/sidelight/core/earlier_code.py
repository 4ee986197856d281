"""The code of earlier questions, for a provider that remembers messages but not what was attached to them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from sidelight.core.context import Context, Piece
from sidelight.core.ports import Turn
from sidelight.messages import msg

_MOST = 3
# A message begins with its target, as ``prompt_parts.target_text`` writes it; nothing inside is as long as its fence.
_TARGET = re.compile(
    r"[^\n]*:\n(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)(?<=[\r\n])(?P=fence)(?:\n|\Z)", re.DOTALL
)


def with_earlier_code(context: Context, turns: Iterable[Turn], provider: str) -> Context:
    """Return the context with what was attached to a provider's earlier questions: the last three different ones.

    What is asked about now is not shown twice.
    """
    now = context.mask.hide(context.target_text)  # as it was sent: earlier code is kept masked
    pieces: dict[str, Piece] = {}
    for turn in reversed(list(turns)):
        piece = _attached_target(turn) if turn.provider == provider else None
        if piece is not None and piece.text.strip() and piece.text.strip() not in now:
            pieces.setdefault(piece.text, piece)
    return replace(context, pieces=(*list(pieces.values())[:_MOST], *context.pieces))


def _attached_target(turn: Turn) -> Piece | None:
    target = next((part for part in turn.parts if part.kind == "target" and part.where == "attachment"), None)
    shown = _TARGET.match(turn.sent) if target is not None else None
    if target is None or shown is None:
        return None
    name, _, line = target.name.rpartition(":")
    first_line = int(line) - 1 if line.isdecimal() else None
    why = msg("what an earlier question of this conversation was about")
    return Piece("earlier_code", name, shown["text"], why, shown["language"], first_line)
