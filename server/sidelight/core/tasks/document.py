"""Document: docstrings or documentation comments for the code at a place, in the file's own style."""

from __future__ import annotations

from sidelight.core.context import Context
from sidelight.core.doc_style import doc_style
from sidelight.core.tasks.task import CODE_ANSWER, Task
from sidelight.messages import msg


def _question(context: Context) -> str:
    return (
        "Document what the first code block above defines. Where it is documented already, correct what is wrong or "
        f"missing and keep the rest. Write {doc_style(context.lines, context.language_id)}. Change no code, "
        "and remove no comment."
    )


DOCUMENT = Task(
    name="document",
    title=msg("Document"),
    orders=f"You document code. Say what the code itself does not: purpose, units, order, errors. {CODE_ANSWER}",
    question=_question,
    edits=True,
    topic="Conventions for documentation comments",
)
