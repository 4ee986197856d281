"""Ask: a question of the user's, about code or about what the knowledge base holds."""

from __future__ import annotations

from sidelight.core.context import Context
from sidelight.core.tasks.task import Task
from sidelight.messages import msg


def _question(_context: Context) -> str:
    return ""  # the instruction is the question


ASK = Task(
    name="ask",
    title=msg("Ask"),
    orders="You answer a developer's question. Be exact and brief, use Markdown. Say so when you do not know.",
    question=_question,
    needs_instruction=True,
)
