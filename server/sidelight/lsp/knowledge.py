"""The command ``sidelight.knowledge``: files of the workspace in a knowledge base, added and kept up to date.

Each call is a job like any other: answered at once, with progress, ended by whatever stops a job. What goes there, and
what does not, ``sidelight/syncing/`` decides; nothing goes that the user has not asked for by this command.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from lsprotocol import types

from sidelight.core.answers import Answer, AnswerEvent, Finished, Status
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import SidelightError, UsageError
from sidelight.lsp.client import Client
from sidelight.lsp.documents import file_path
from sidelight.lsp.jobs import Job
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.session import Session
from sidelight.lsp.start import Wiring
from sidelight.messages import Message, msg, plain
from sidelight.syncing.run import wishes_of
from sidelight.syncing.telling import outcome_of, summary_of
from sidelight.syncing.values import Report, Step

log = logging.getLogger(__name__)

Act = Literal["add", "sync", "remove", "status"]

Put = Callable[[AnswerEvent], None]

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command asks for; without paths, it is about the workspace folders."""

    act: Act
    paths: tuple[Path, ...]


class Knowledge:
    """Does the command; ``session`` is looked up at each, since it is made after the table."""

    def __init__(self, wiring: Wiring, session: Callable[[], Session]) -> None:
        self._wiring = wiring
        self._session = session

    def command(self, argument: Any) -> dict[str, str]:
        """Begin the job."""
        wanted = _wanted(argument or {})
        session = self._session()
        job = Job("knowledge", session.client)
        session.begin(job, self._perform(job, wanted))
        return {"job": job.id}

    async def _perform(self, job: Job, wanted: Wanted) -> None:
        session = self._session()
        settings = await session.settings()
        folders = self._wiring.settings.folders
        if not (wanted.paths or folders):
            raise UsageError(msg("No folder is open."), msg("Open the folder whose files you mean."))
        outcome = _Outcome(session.client, wanted.act)

        def do(put: Put, stop: Stop) -> None:
            act = "sync" if wanted.act == "status" else wanted.act
            for root, wish in wishes_of(act, wanted.paths, folders):
                syncing = self._wiring.syncing(settings, root)
                put(Status(plain(root.name)))
                if outcome.is_look:
                    outcome.reports.append(syncing.look(wish, stop))
                else:
                    outcome.reports.append(syncing.perform(wish, lambda step: put(Status(_told(step))), stop))

        def begin(stop: Stop, put: Put) -> None:
            threading.Thread(target=_ended, args=(do, put, stop, outcome), name="knowledge", daemon=True).start()

        title = session.client.write(msg("Sidelight: documents in the knowledge base"))
        await job.run(begin, outcome, title, is_edit=False)


def _ended(do: Callable[[Put, Stop], None], put: Put, stop: Stop, outcome: _Outcome) -> None:
    """Do the work, and say how it ended, whatever happens."""
    try:
        do(put, stop)
    except Stopped:
        put(Finished("stopped"))
    except SidelightError as failed:
        put(Finished("cut_off", failed))
    except Exception as mistake:  # the rim of a thread: nobody else would hear of it
        log.exception("bringing documents failed in a way that it should not")
        name = type(mistake).__name__
        put(Finished("cut_off", SidelightError(msg("Sidelight made a mistake ({name}).", name=name))))
    else:
        error = next((it.error for it in outcome.reports if it.error is not None), None)
        put(Finished("cut_off" if error else "complete", error))


def _told(step: Step) -> Message:
    name = msg("taking it in …") if step.act == "embed" else plain(step.name)
    return msg("{number} of {count}: {name}", number=step.number, count=step.count, name=name)


@dataclass(slots=True)
class _Outcome:
    """Tells at the end what came of it: nothing of it shows in the editor."""

    client: Client
    act: Act
    reports: list[Report] = field(default_factory=list)

    @property
    def is_look(self) -> bool:
        """Whether nothing was to be done."""
        return self.act == "status"

    def receive(self, event: AnswerEvent) -> None:
        """Take an event: the job itself shows how it goes on."""

    async def finish(self, answer: Answer) -> Message | None:
        """Show the outcome; returns it in short for the progress."""
        finished = answer.finished
        if finished is not None and finished.finish == "stopped":
            told = msg("Stopped. What is done stays done; another sync goes on.")
            self.client.show(types.MessageType.Info, told)
            return msg("stopped")
        for report in self.reports:
            self._show(report)
        if finished is not None and finished.error is not None:
            self.client.show_error(finished.error)
            return finished.error.message
        return summary_of(self.reports[-1]) if self.is_look else outcome_of(self.reports[-1])

    def _show(self, report: Report) -> None:
        if report.is_empty and self.act in ("status", "sync"):
            told = msg("Nothing of {root} was added to the knowledge base yet.", root=report.root)
            self.client.show(types.MessageType.Info, told)
            return
        if not report.error:
            is_whole = not report.failed
            kind = types.MessageType.Info if is_whole else types.MessageType.Warning
            self.client.show(kind, summary_of(report) if self.is_look else outcome_of(report))
        problems = [(name, error.message) for name, error in report.failed]
        problems += [(it.name, it.message) for it in report.refused if it.why in ("secret", "unreadable")]
        for name, reason in problems[:_MOST_NAMED]:
            told = msg("{name} is not in the knowledge base as it is here: {reason}", name=name, reason=reason)
            self.client.show(types.MessageType.Warning, told)
        if len(problems) > _MOST_NAMED:
            told = msg("{count} more files have such problems.", count=len(problems) - _MOST_NAMED)
            self.client.show(types.MessageType.Warning, told, msg("`sidelight knowledge status` lists all of them."))


def _wanted(argument: Any) -> Wanted:
    """Read ``{act, uris?}``. Raises ``InvalidParams``."""
    act, uris = argument.get("act"), argument.get("uris", [])
    if act not in get_args(Act):
        raise InvalidParams(f"act must be one of {', '.join(get_args(Act))}.")
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise InvalidParams("uris must be a list of strings.")
    paths = [file_path(uri) for uri in uris]
    if any(path is None for path in paths):
        raise UsageError(msg("Only files on this machine can be added."), msg("Save the document as a file first."))
    return Wanted(act, tuple(path for path in paths if path is not None))
