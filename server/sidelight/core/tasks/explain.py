"""Explain: what the code at a place does, and what is wrong with it."""

from __future__ import annotations

from sidelight.core.context import Context
from sidelight.core.tasks.task import Task
from sidelight.messages import msg


def _question(context: Context) -> str:
    if context.diagnostics:
        return "Explain what the reported problems mean here, why they arise, and how to solve them."
    return "Explain what this code does, how, and what is surprising or wrong about it."


EXPLAIN = Task(
    name="explain",
    title=msg("Explain"),
    orders="You explain code to its developer. Be exact and brief, use Markdown, name lines where it helps.",
    question=_question,
)
