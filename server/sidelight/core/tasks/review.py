"""Review: what is wrong in some code, or in what was changed, as findings that each name their lines.

The lines are numbered for the model (``numbers_lines``), since models cannot count. ``core/findings.py`` reads the
answer; ``core/changed_code.py`` shows changes.
"""

from __future__ import annotations

from dataclasses import replace

from sidelight.core.context import Context
from sidelight.core.tasks.task import Task
from sidelight.messages import msg

_ORDERS = """You review code. Report real problems only: wrong results, cases that are not handled, errors that are \
lost, races, leaks, security, names and comments that mislead. No praise, no summary, nothing about taste.
{shown}
Write each finding on one line of its own, like this:
12 | warning | What is wrong there, and why, in one sentence.
First {place}, then error, warning, information or hint (these words in English), then the sentence.
If you know the repair, write below that line one fenced code block with the replacement for exactly these lines, \
without line numbers.
If there is nothing to report, write only: NO FINDINGS"""


def _question(_context: Context) -> str:
    return "Review the code in the first block above."


def _question_of_changes(_context: Context) -> str:
    return "Review the changes in the first block above: what do they make wrong, or leave undone?"


REVIEW = Task(
    name="review",
    title=msg("Review"),
    orders=_ORDERS.format(
        shown="The lines are numbered; the numbers are no part of the code.",
        place="the number of the line, or of the first and the last (12-14)",
    ),
    question=_question,
    numbers_lines=True,
)

REVIEW_CHANGES = replace(
    REVIEW,
    orders=_ORDERS.replace("\n12 |", "\nsrc/example.py:12 |").format(
        shown="Lines with + were added, lines with - were removed, the others are for reference. The numbers are those "
        "of the lines as they are now, and no part of the code.",
        place="the file and the number of the line, or of the first and the last (src/example.py:12-14)",
    ),
    question=_question_of_changes,
    numbers_lines=False,
)
