"""What can be asked: one file a task, and the table that names them all.

A task says what goes to the model and what its answer is for. To add one, write its file and put it into ``TASKS``.
"""

from __future__ import annotations

from sidelight.core.tasks.ask import ASK
from sidelight.core.tasks.commit import COMMIT
from sidelight.core.tasks.document import DOCUMENT
from sidelight.core.tasks.explain import EXPLAIN
from sidelight.core.tasks.fix import FIX
from sidelight.core.tasks.generate import GENERATE
from sidelight.core.tasks.review import REVIEW
from sidelight.core.tasks.task import Task
from sidelight.core.tasks.test import TEST

TASKS: dict[str, Task] = {task.name: task for task in (EXPLAIN, FIX, GENERATE, ASK, DOCUMENT, TEST, REVIEW, COMMIT)}

__all__ = ["TASKS", "Task"]
