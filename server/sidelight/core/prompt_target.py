"""How much of a target goes into a prompt: all of it, or its beginning where it is only to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sidelight.core.answers import Note
from sidelight.core.context import Context
from sidelight.core.tokens import estimate_tokens, tokens_up_to
from sidelight.editing.text import Place, Range
from sidelight.messages import msg


def target_tokens(context: Context, most: int, weigh: Callable[[str], int] = estimate_tokens) -> int:
    """Return how many tokens the target has; where it has more than ``most``, some number above that."""
    lines = (context.lines[at] for at in range(context.target.start.line, context.target_end))
    return tokens_up_to(most, lines, weigh)


def cut_target(context: Context, budget_tokens: int, weigh: Callable[[str], int]) -> tuple[Context, str, Note]:
    """Return the context with as many of the target's first lines as fit, their text, and what to tell the user.

    A line is cut where more than half of the room would be empty without its beginning, as in code that a program has
    put on one line. The text is empty where nothing fits.
    """
    first = end = context.target.start.line
    left = budget_tokens
    while end < context.target_end and (weight := weigh(context.lines[end])) <= left:
        left -= weight
        end += 1
    text = "".join(context.lines[first:end])
    note = msg(
        "Only lines {first} to {last} of {name} fit into the prompt.",
        first=first + 1, last=end, name=context.name,
    )  # fmt: skip
    if end < context.target_end and left > budget_tokens // 2:
        beginning = beginning_of(context.lines[end], left, weigh)
        text, end = text + beginning, end + 1
        note = msg(
            "Of {name}, only the beginning of the part fits into the prompt: to character {count} of line {line}.",
            count=len(beginning), line=end, name=context.name,
        )  # fmt: skip
    shown = Range(Place(first, 0), Place(end, 0))
    return replace(context, target=shown), text, Note(note, is_warning=True)


def beginning_of(line: str, budget_tokens: int, weigh: Callable[[str], int]) -> str:
    """Return as much of a line as fits; what it costs grows with what fits."""
    fits, exceeds = 0, 1
    while exceeds < len(line) and weigh(line[:exceeds]) <= budget_tokens:
        fits, exceeds = exceeds, exceeds * 2
    exceeds = min(exceeds, len(line))
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        if weigh(line[:middle]) <= budget_tokens:
            fits = middle
        else:
            exceeds = middle
    return line[:fits]
