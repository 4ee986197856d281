"""All tasks that there are here: ours, and the user's own, which are read when they are first needed.

Requests and the command that are about them. What is in the files: ``core/own_tasks.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from sidelight.core.own_tasks import OwnTask, OwnTasks
from sidelight.core.tasks import TASKS, Task
from sidelight.errors import UsageError
from sidelight.lsp.documents import file_path
from sidelight.lsp.jobs import Job
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.subject import Asked
from sidelight.messages import msg
from sidelight.own_tasks import TaskFolders

if TYPE_CHECKING:
    from sidelight.lsp.session import Session


class TaskList:
    """The tasks of a session. ``folders`` says where the user's own are now."""

    def __init__(self, session: Session, folders: Callable[[], TaskFolders]) -> None:
        self._session = session
        self._folders = folders
        self._own: OwnTasks | None = None
        self._reading: asyncio.Future[OwnTasks] | None = None
        self._told: set[str] = set()

    @property
    def known(self) -> OwnTasks:
        """The user's own tasks as far as they have been read: none before the first time."""
        return self._own or OwnTasks()

    def forget(self) -> None:
        """Take note that a file, or what counts, has changed: nothing of what was read holds any more."""
        self._own = self._reading = None

    def is_file(self, uri: str) -> bool:
        """Whether a document is the file of a task."""
        path = file_path(uri)
        return path is not None and self._folders().has(path)

    async def own(self) -> OwnTasks:
        """Return the user's own tasks, read if need be; wrong files are told once."""
        while self._own is None:
            await self._read(self._reading or self._begin())
        return self._own

    async def read_again(self) -> None:
        """Read all files again; what was read before holds until then."""
        await self._read(self._begin())

    def _begin(self) -> asyncio.Future[OwnTasks]:
        self._reading = asyncio.ensure_future(asyncio.to_thread(self._folders().read))
        return self._reading

    async def _read(self, reading: asyncio.Future[OwnTasks]) -> None:
        found = await asyncio.shield(reading)  # others may wait for it, too
        if self._reading is not reading:  # something has changed meanwhile
            return
        self._own = found
        for problem in self._own.problems:
            told = str(problem.told)
            if told not in self._told:
                self._told.add(told)
                self._session.client.show(types.MessageType.Warning, problem.told)

    async def named(self, name: object) -> Task | None:
        """Return the task of that name, ours or the user's own."""
        if ours := TASKS.get(str(name)):
            return ours
        await self._session.settings()  # what is trusted is known by then
        own = (await self.own()).tasks.get(str(name))
        return own.task if own else None

    # Requests and commands

    async def listed(self, _params: Any) -> dict[str, Any]:
        """Answer ``sidelight/tasks``."""
        await self._session.settings()  # what is trusted is known by then
        own = await self.own()
        write = self._session.client.write
        return {
            "tasks": [
                *(self._value(task) for task in TASKS.values()),
                *(self._value(each.task, each) for each in own.tasks.values()),
            ],
            "problems": [
                {"file": problem.file, "line": problem.line, "message": write(problem.message)}
                for problem in own.problems
            ],
        }

    def _value(self, task: Task, own: OwnTask | None = None) -> dict[str, Any]:
        return {
            "name": task.name,
            "title": self._session.client.write(task.title),
            "description": own.description if own else "",
            "edits": task.edits,
            "needsInstruction": task.needs_instruction,
            "isOwn": own is not None,
            "languages": list(own.languages) if own else [],
        }

    def start(self, argument: Any, asked: Asked) -> Job:
        """Begin a task of the user's own. Raises ``InvalidParams``, and ``UsageError`` where there is no such task."""
        name = argument.get("task") if isinstance(argument, dict) else None
        if not isinstance(name, str):
            raise InvalidParams("task must be a string.")
        if self._own is not None:
            return self._session.running.start(self._find(self._own, name), asked)
        # Asked for before they were read: the job waits for that.
        job = Job(name, self._session.client)
        self._session.begin(job, self._start_late(job, name, asked))
        return job

    async def _start_late(self, job: Job, name: str, asked: Asked) -> None:
        await self._session.settings()
        await self._session.running.perform(job, self._find(await self.own(), name), asked)

    def _find(self, own: OwnTasks, name: str) -> Task:
        if found := own.tasks.get(name):
            return found.task
        near = get_close_matches(name, own.tasks, 1)
        hint = msg("Did you mean {near}?", near=near[0]) if near else None
        wrong = next((problem for problem in own.problems if file_stem(problem.file) == name), None)
        raise UsageError(msg("There is no task {name}.", name=name), wrong.told if wrong else hint)


def file_stem(file: str) -> str:
    """Return the name of a task's file without folder and ending."""
    return file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
