"""What was sent, piece by piece, as it is kept with a turn: why each was there, its tokens, and where it went."""

from __future__ import annotations

from dataclasses import replace

from sidelight.core.answers import Asked
from sidelight.core.ports import Prompt, SentPart
from sidelight.core.tokens import estimate_tokens
from sidelight.messages import msg

_SAID = ("question", "instruction", "problems", "query", "earlier")


def sent_parts(prompt: Prompt) -> tuple[SentPart, ...]:
    """Return the parts of a prompt, with its earlier turns as one."""
    parts = [
        SentPart(part.kind, part.name, part.why, part.tokens, "orders" if part.kind == "orders" else "message")
        for part in prompt.parts
    ]
    if count := len(prompt.earlier):
        tokens = sum(estimate_tokens(it.user) + estimate_tokens(it.assistant) for it in prompt.earlier)
        parts.append(SentPart("earlier", "", msg("{count} earlier turns", count=count), tokens, "earlier"))
    return tuple(parts)


def as_asked(parts: tuple[SentPart, ...], asked: Asked) -> tuple[SentPart, ...]:
    """Return the parts with where they went: the material as documents, the orders in the message."""
    return tuple(_placed(part, asked) for part in parts)


def _placed(part: SentPart, asked: Asked) -> SentPart:
    if part.where == "orders" and asked.has_orders:
        return replace(part, where="message")
    if part.where == "message" and part.kind not in _SAID and asked.attaches:
        return replace(part, where="attachment")
    return part
