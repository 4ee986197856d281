"""Fix: repair the problems at a place."""

from __future__ import annotations

from sidelight.core.context import Context
from sidelight.core.tasks.task import CODE_ANSWER, Task
from sidelight.messages import msg


def _question(context: Context) -> str:
    what = "the reported problems" if context.diagnostics else "what is wrong"
    return f"Fix {what} in the first code block above, which is the part to change."


FIX = Task(
    name="fix",
    title=msg("Fix"),
    orders=f"You repair code. {CODE_ANSWER}",
    question=_question,
    edits=True,
)
