"""What to look up in a knowledge base: a short question in words, without code.

A vector search compares the whole of what it is given; code in it finds documents that look like code.
"""

from __future__ import annotations

import re

from sidelight.core.context import Context
from sidelight.core.tasks import Task

# Embedders read some hundred tokens; what stands first weighs most.
_MOST_CHARACTERS = 400
_MOST_PROBLEMS = 3
_LOOK_THROUGH = 40
_DEFINES = re.compile(
    r"^\s*(?:[\w()]+\s+)*?(?:def|class|function\*?|func|fn|fun|interface|struct|enum|trait|module|namespace)\s+(\w+)"
)
_PROSE = re.compile(r'\s*(?:#+|//+!?|/\*+|\*|--|;+|[rRuU]?"{3}|\'{3})\s*(?P<text>[^\W\d_].*)')


def retrieval_query(task: Task, context: Context) -> str:
    """Return the user's words, else what is reported, else what the task asks; and what the code there is called.

    Secrets are hidden in it. The task's question may show code (``{selection}``), so a task may have a ``topic``.
    """
    asked = context.instruction or "; ".join(_problems(context)) or task.topic or task.question(context)
    words = " ".join(context.mask.hide(asked).split())
    about = _about(context)
    return f"{words[: max(_MOST_CHARACTERS - len(about), 0)]}{about}".strip()


def _problems(context: Context) -> list[str]:
    return [" ".join(problem.message.split()) for problem in context.diagnostics[:_MOST_PROBLEMS]]


def _about(context: Context) -> str:
    """Return the names that the target defines, its first words of prose, its file and language."""
    if not context.name:
        return ""
    first = context.target.start.line
    lines = context.lines[first : min(context.target_end, first + _LOOK_THROUGH)]
    names = list(dict.fromkeys(found[1] for line in lines if (found := _DEFINES.match(line[:300]))))[:4]
    prose = _unclosed(next((found["text"] for line in lines if (found := _PROSE.match(line[:300]))), ""))
    prose = context.mask.hide(prose)[:120].rstrip()
    parts = [", ".join(names)[:100], prose, " ".join(part for part in (context.name, context.language_id) if part)]
    return " (" + "; ".join(part for part in parts if part) + ")"


def _unclosed(text: str) -> str:
    """Return a comment's text without what ends the comment."""
    text = text.rstrip()
    for end in ("*/", '"""', "'''"):
        text = text.removesuffix(end)
    return text.rstrip()
