"""Generate: write code at a place, as the instruction says."""

from __future__ import annotations

from sidelight.core.context import Context
from sidelight.core.tasks.task import CODE_ANSWER, Task
from sidelight.messages import msg


def _question(context: Context) -> str:
    if not context.target_text.strip():
        return "Write the requested code; it will stand at the place named above."
    return "Write the requested code. The first code block above is the part to change: repeat what should stay in it."


GENERATE = Task(
    name="generate",
    title=msg("Generate"),
    orders=f"You write code that fits its surroundings. {CODE_ANSWER}",
    question=_question,
    edits=True,
    needs_instruction=True,
)
