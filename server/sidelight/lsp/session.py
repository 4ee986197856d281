"""One editor's session with the server: what it has, its settings, its status and its jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

from lsprotocol import types

from sidelight.core.answers import Answer
from sidelight.core.assistant import Assistant
from sidelight.core.ports import Conversations, HistoryError, RestorePoints
from sidelight.errors import SidelightError
from sidelight.lsp.client import Client
from sidelight.lsp.conversations import folder_key
from sidelight.lsp.documents import Documents, document_key, file_path
from sidelight.lsp.edits import Edits
from sidelight.lsp.findings import Findings
from sidelight.lsp.gathering import Gathering
from sidelight.lsp.handshake import EditMode
from sidelight.lsp.hover import Hovers
from sidelight.lsp.jobs import Job, Jobs
from sidelight.lsp.live_edit import Mode
from sidelight.lsp.models import Models
from sidelight.lsp.opening import Opening
from sidelight.lsp.page_blocks import PageBlocks
from sidelight.lsp.pages import Pages
from sidelight.lsp.places import Places
from sidelight.lsp.protocol import Protocol
from sidelight.lsp.restoring import Restoring
from sidelight.lsp.running import Running
from sidelight.lsp.sent import SentRequests
from sidelight.lsp.start import Wiring
from sidelight.lsp.stdio import Writer
from sidelight.lsp.structures import Structures
from sidelight.lsp.task_list import TaskList
from sidelight.messages import Message, msg, translator
from sidelight.own_tasks import TaskFolders, user_tasks
from sidelight.settings import Settings

log = logging.getLogger(__name__)

_HISTORY_SETTINGS = ("history", "history_days", "history_mib")
# What a job that was stopped at the end takes to say so, and what is then waited for at most until it is on disk.
_LAST_WORDS_S = 0.03
_FLUSH_S = 1.8


class Session:
    """Everything that lives as long as the connection to one editor."""

    def __init__(self, wiring: Wiring, protocol: Protocol, writer: Writer) -> None:
        self._wiring = wiring
        self.protocol = protocol
        self.client = Client(protocol)
        self.documents = Documents()
        self.jobs = Jobs(self._tell_status)
        self.pages = Pages(self.client, self.documents, wiring.pages_folder)
        self.places = Places(self.documents)
        self.opening = Opening(
            self.pages, self.conversations, lambda: self.folders, lambda: self._settings.values["sources.map"].value
        )
        self.hovers = Hovers(self.client, self.documents, self.conversations)
        self.sent = SentRequests(self.pages, self.conversations, lambda: self._latest)
        self._latest: tuple[str, int] | None = None
        self.locale = "en"
        self.sends_status = True
        self._folders: list[str] = []
        self.structures = Structures(self.documents)
        self.gathering = Gathering(self.structures, lambda: self.folders, lambda: self.is_trusted)
        self.findings = Findings(self.client, self.documents)
        self.tasks = TaskList(self, self._task_folders)
        self.restoring = Restoring(self.client, self.documents, self.restore_points)
        self._settings = wiring.settings.read()
        self.models = Models(wiring, self.client, lambda: self._settings, self.reload)
        self._restore_points: RestorePoints | None = None
        self._conversations: Conversations | None = None
        self._warned: set[str] = set()
        self.cancelled: deque[str | int] = deque(maxlen=50)  # tokens of runs that are only beginning
        self._doing: set[asyncio.Task[None]] = set()  # the loop itself holds tasks only weakly
        self._status: dict[str, Any] = {}
        self._warning: Message | None = None
        self._configured = asyncio.Event()
        assistant = Assistant(
            self.models.provider, self.conversations, lambda: wiring.limits(self._settings),
            lambda: wiring.choosing.knowledge(self._settings),
        )  # fmt: skip
        self.running = Running(self, assistant, writer)
        self.blocks = PageBlocks(self.client, self.documents, self.pages, self.restoring)
        self.edits = Edits(self.client, self.documents, self.restoring, self.running.start, self.running.show_unapplied)

    # Settings

    def set_locale(self, locale: str | None) -> None:
        """Use the client's language from now on."""
        self.locale = locale or "en"
        self.protocol.translate = translator(self.locale)

    def set_folders(self, added: list[str], removed: list[str]) -> None:
        """Take note of the workspace folders (URIs) that came and went."""
        gone = {_folder_key(uri) for uri in removed}
        self._folders = [uri for uri in self._folders if _folder_key(uri) not in gone] + added
        paths = (file_path(uri) for uri in self._folders)
        self._wiring.settings.folders = tuple(path for path in paths if path is not None)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The workspace folders on this machine."""
        return self._wiring.settings.folders

    @property
    def folder_key(self) -> str:
        """The key of the first workspace folder, with which conversations are kept; empty without one."""
        return folder_key(self._folders[0]) if self._folders else ""

    @property
    def is_trusted(self) -> bool:
        """Whether the workspace is trusted."""
        return self._wiring.settings.trusted or self._settings.flag("trust_workspace")

    def set_trusted(self, *, trusted: bool) -> None:
        """Take the client's word on whether the workspace is trusted."""
        self._wiring.settings.trusted = trusted

    def _task_folders(self) -> TaskFolders:
        return TaskFolders(user_tasks(self._wiring.settings.user_file), self.folders, self.is_trusted)

    def set_client_settings(self, settings: Any) -> None:
        """Take the client's ``sidelight`` section."""
        if isinstance(settings, dict):
            self._wiring.settings.client = settings

    async def settings(self) -> Settings:
        """Return the settings of this moment, once the client has said its own."""
        await self._configured.wait()
        return self._settings

    def set_configured(self) -> None:
        """Say that the client's first word about its settings is in: tasks wait for it."""
        self._configured.set()

    def read_settings(self) -> None:
        """Read the settings anew; running jobs keep what they began with."""
        before, self._settings = self._settings, self._wiring.settings.read()
        self._restore_points = None
        self.models.forget()
        self.tasks.forget()
        is_kept = before.flag("history") or self._settings.flag("history")
        if is_kept and any(before.values[it].value != self._settings.values[it].value for it in _HISTORY_SETTINGS):
            kept, self._conversations = self._conversations, None
            if kept is not None:
                self.do(asyncio.to_thread(kept.close))

    def reload(self) -> None:
        """Read the settings anew, and tell the client what came of it."""
        self.read_settings()
        self._wiring.set_log_level(self._settings.text("log_level"))
        for problem in self._settings.problems:
            if str(problem) not in self._warned:
                self._warned.add(str(problem))
                log.warning("%s", problem)
                self.client.show(types.MessageType.Warning, problem)
        self._tell_status()
        if self._configured.is_set():
            self.do(self.prepare())

    def is_settings_file(self, uri: str) -> bool:
        """Whether a saved document is a ``.env`` that counts, or would."""
        path = file_path(uri)
        source = self._wiring.settings
        return path is not None and path in {source.user_file, *(folder / ".env" for folder in source.folders)}

    def restore_points(self) -> RestorePoints:
        """Return where restore points are kept. Called on threads."""
        if self._restore_points is None:
            self._restore_points = self._wiring.restore_points(self._settings)
        return self._restore_points

    def conversations(self) -> Conversations:
        """Return where conversations are kept: one for the whole session, since it holds those that go on."""
        if self._conversations is None:
            self._conversations = self._wiring.conversations(self._settings)
        return self._conversations

    @property
    def message_limit_bytes(self) -> int:
        """The largest message that is taken from the client."""
        return self._settings.integer("message_limit_mib") << 20

    async def end(self) -> None:
        """Stop all jobs, so that connections to providers close, and let what was kept reach the disk."""
        had_jobs = bool(self.jobs)
        self.jobs.stop_all()
        self.structures.end()
        if self._conversations is not None:
            await asyncio.sleep(_LAST_WORDS_S if had_jobs else 0)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(self._conversations.close), _FLUSH_S)

    async def prepare(self) -> None:
        """Load what the first question will need, and find out who answers it, while nobody waits."""
        await self.models.ready()
        self._tell_status()
        provider = self.models.current
        if provider is not None and provider.name not in ("builtin", "transformers"):
            await asyncio.to_thread(__import__, "requests")
        with contextlib.suppress(HistoryError):
            await asyncio.to_thread(self.conversations().prepare)
        self._tell_history_problem()
        await self.tasks.own()

    # Status

    def _tell_status(self) -> None:
        if not self.sends_status:
            return
        state, message = "ready", ""
        if self.jobs:
            state, message = "busy", ", ".join(job.id for job in self.jobs)
        elif self._warning is not None:
            state, message = "warning", self.client.write(self._warning)
        who = self.models.status()
        if who is None and state == "ready":
            return  # who answers is just being found out, and is told then
        unknown = {"provider": self._settings.text("provider"), "model": "", "why": ""}
        status = {"state": state, "message": message, **(who or unknown)}
        if status != self._status:
            self._status = status
            self.protocol.tell("sidelight/status", status)

    def remember_outcome(self, answer: Answer) -> None:
        """Take note of how a job ended: for the status, and as the latest answer."""
        if answer.turn:
            self._latest = answer.conversation, answer.turn
            self.hovers.forget()
        error = answer.finished.error if answer.finished else None
        self._warning = error.message if error else None
        self._tell_history_problem()

    def _tell_history_problem(self) -> None:
        """Say once that conversations cannot be kept; answers go on."""
        problem = self.conversations().problem()
        if problem is not None:
            self._warn_once(problem.message, problem.hint)

    # Jobs

    def begin(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        """Let a job do its work."""
        self.jobs.add(job)

        def ended() -> None:
            work.close()  # a job that was stopped before its first step has never begun it
            self.remember_outcome(job.answer)
            self.jobs.remove(job)

        job.begin(self._guarded(work), ended)

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do what a command asked for, after the command was answered."""
        doing = asyncio.get_running_loop().create_task(self._guarded(work))
        self._doing.add(doing)
        doing.add_done_callback(self._doing.discard)

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do work; whatever goes wrong, the user is told."""
        try:
            await work
        except SidelightError as error:
            self.client.show_error(error)
        except Exception as error:  # the rim of a task: nobody else would hear of it
            log.exception("a job failed in a way that it should not")
            name = type(error).__name__
            self.client.show(types.MessageType.Error, msg("Sidelight made a mistake ({name}).", name=name))

    def edit_mode(self) -> Mode | Literal["page"]:
        """Return how edits reach this client: as the user set it, else by the table of known clients."""
        chosen = self._settings.text("edits")
        mode: EditMode = self.client.can.edits if chosen == "auto" else chosen  # type: ignore[assignment]
        if mode == "page" or self._settings.text("review") == "inline":
            return mode
        if self.client.can.previews:
            return "preview"
        told = msg("This editor cannot show an edit before it is made, so the answer is shown as a page.")
        self._warn_once(told, msg("Set SIDELIGHT_REVIEW=inline to have edits written into the document."))
        return "page"

    def _warn_once(self, message: Message, hint: Message | None = None) -> None:
        if str(message) not in self._warned:
            self._warned.add(str(message))
            self.client.show(types.MessageType.Warning, message, hint)

    def answer_language(self) -> str:
        """Return the language that answers are wanted in."""
        return self._settings.text("answer_language") or self.locale


def _folder_key(uri: str) -> str:
    return document_key(uri).rstrip("/")
