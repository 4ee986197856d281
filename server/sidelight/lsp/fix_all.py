"""``sidelight.fixAll``: a file's diagnostics become fix jobs, one for each definition that has some, one after another.

Each has its own label, undo and review; they share one progress, and a stop stops the rest. What could not be applied
is told once, at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from lsprotocol import types

from sidelight.core.answers import Answer
from sidelight.core.context import target_lines
from sidelight.core.tasks import TASKS
from sidelight.editing.text import Place, Range
from sidelight.errors import UsageError
from sidelight.lsp.client import Client, Progress
from sidelight.lsp.diagnostics import is_mark
from sidelight.lsp.documents import Document
from sidelight.lsp.edits import Aside
from sidelight.lsp.jobs import Job
from sidelight.lsp.live_edit import Mode
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.running import tells_truncation
from sidelight.lsp.session import Session
from sidelight.lsp.subject import Asked, Subject, find_subject
from sidelight.messages import Message, msg

_FIX = TASKS["fix"]
_MOST_TOLD = 5
# Each is a question of its own, and each is followed while the user types.
_MOST_GROUPS = 100


@dataclass(slots=True)
class _Group:
    """Diagnostics of one definition, and its lines: ``first`` up to ``end``."""

    first: int
    end: int
    diagnostics: list[types.Diagnostic]


class FixAllJob(Job):
    """The job that the client sees. The jobs within it have no progress of their own."""

    def __init__(self, client: Client) -> None:
        super().__init__("fixAll", client)
        self.progress = self._progress
        self.current: Job | None = None
        self.is_stopped = False

    def stop(self) -> None:
        """Stop the job under way, which ends as any that is stopped, and begin no other."""
        self.is_stopped = True
        if self.current is not None and not self.current.is_answered:
            self.current.stop()
        else:
            super().stop()


def fix_all(session: Session, asked: Asked) -> Job:
    """Begin to fix the diagnostics of an open document. Raises ``UsageError`` where that cannot be."""
    if asked.uri is None:
        raise InvalidParams("uri is missing.")
    document = session.documents.opened(asked.uri)
    if document is None:
        raise UsageError(msg("{uri} is not open in the editor.", uri=asked.uri), msg("Open it, then try again."))
    groups = _groups(document, [each for each in asked.diagnostics if not is_mark(each)])
    if not groups:
        raise UsageError(msg("No problems are reported in {name}.", name=document.name))
    if len(groups) > _MOST_GROUPS:
        del groups[_MOST_GROUPS:]
        told = msg("Only the first {most} places in {name} are fixed at once.", most=_MOST_GROUPS, name=document.name)
        session.client.show(types.MessageType.Info, told)
    job = FixAllJob(session.client)
    run = _Run(session, job, document)
    session.begin(job, run.run(run.subjects(groups), len(groups)))
    return job


def _groups(document: Document, diagnostics: Sequence[types.Diagnostic]) -> list[_Group]:
    """Return the diagnostics by the lines that a fix of each would be about; what overlaps is one.

    At most one group more than are fixed: linters report thousands in generated code.
    """
    groups: list[_Group] = []
    placed = ((document.range(each.range), each) for each in diagnostics)
    for place, each in sorted(placed, key=lambda one: one[0].start):
        first, end = place.start.line, max(place.end_line, place.start.line + 1)
        if not groups or end > groups[-1].end:  # else the definition around it is known: finding it takes a while
            if len(groups) > _MOST_GROUPS:
                break
            around = target_lines(document.text.lines, Range(place.start, place.start))
            first, end = min(first, around.start.line), max(end, around.end.line + (1 if around.end.column else 0))
        one = _Group(first, end, [each])
        while groups and one.first < groups[-1].end:
            before = groups.pop()
            one = _Group(min(before.first, one.first), max(before.end, one.end), before.diagnostics + one.diagnostics)
        groups.append(one)
    return groups


def _subject(session: Session, document: Document, group: _Group) -> tuple[Asked, Subject]:
    """Return a group as what a fix is asked about; its place follows the document from now on."""
    end = min(group.end, len(document.text.lines))
    last = Place(end, 0) if end < len(document.text.lines) else document.text.end
    ends = document.lsp_range(Range(Place(group.first, 0), last))
    range_ = types.Range(types.Position(**ends["start"]), types.Position(**ends["end"]))
    asked = Asked(document.uri, range_, diagnostics=tuple(group.diagnostics), is_exact=True)
    return asked, find_subject(asked, _FIX, session.documents, session.answer_language())


class _Quiet(Client):
    """The client as a fix among many has it: what it would tell the user is kept for the end."""

    def __init__(self, client: Client, told: list[Message]) -> None:
        super().__init__(client.protocol)
        self.can = client.can
        self._told = told

    def show(self, kind: types.MessageType, message: Message, hint: Message | None = None) -> None:  # noqa: ARG002
        """Keep it."""
        self._told.append(message)


@dataclass(slots=True)
class _Run:
    session: Session
    job: FixAllJob
    document: Document
    _unapplied: list[tuple[int, Message]] = field(default_factory=list)
    _done: int = 0
    _warned: set[str] = field(default_factory=set)

    def subjects(self, groups: Sequence[_Group]) -> list[tuple[Asked, Subject]]:
        """Return what is asked about each group, now: what the user types next must find the places followed."""
        found = []
        for group in groups:
            try:
                found.append(_subject(self.session, self.document, group))
            except UsageError as error:
                self._unapplied.append((group.first + 1, error.message))
        return found

    async def run(self, groups: Sequence[tuple[Asked, Subject]], count: int) -> None:
        """Fix one group after another, of ``count`` that there were."""
        client, progress, last = self.session.client, self.job.progress, msg("stopped")
        await self.session.settings()
        try:
            mode = self.session.edit_mode()
            if mode == "page":
                raise UsageError(
                    msg("Here edits are shown as pages, so not all problems can be fixed at once."),
                    msg("Fix one after another, or change SIDELIGHT_EDITS."),
                )
            await progress.begin(client.write(msg("Sidelight: fix all of {name}", name=self.document.name)))
            await self.session.models.ready()
            for number, (asked, subject) in enumerate(groups, 1):
                if self.job.is_stopped:
                    break
                line = subject.as_now().context.target.start.line + 1
                progress.report(client.write(
                    msg("{number} of {count}: line {line}", number=number, count=count, line=line)
                ))  # fmt: skip
                if not await self._fix(asked, subject, mode):
                    break
            last = msg("{done} of {count} fixed", done=self._done, count=count)
            self._tell(count)
        finally:
            progress.end(client.write(last))
            for _, subject in groups:
                self.session.pages.release(subject)

    async def _fix(self, asked: Asked, subject: Subject, mode: Mode) -> bool:
        """Fix one group; returns whether to go on: who does not answer now will not answer the next either."""
        session, told = self.session, list[Message]()
        ready = session.running.checked(_FIX, subject)
        question = session.running.question(_FIX, ready, asked)
        title = session.running.title(_FIX, ready)

        async def show_page(_subject: Subject, _title: str, _answer: Answer, why: Message) -> None:
            told.append(why)

        job = Job(_FIX.name, session.client, Progress(session.client, None, is_ours=False))
        delivery = session.edits.delivery(
            job.id, _FIX, asked, ready, title, mode=mode, tells_truncation=tells_truncation(question),
            aside=Aside(_Quiet(session.client, told), show_page),
        )  # fmt: skip
        self.job.current = job
        try:
            answer = await job.run(session.running.ask(question), delivery, title, is_edit=True)
        except asyncio.CancelledError:
            job.stop()
            raise
        finally:
            self.job.current = None
        for note in answer.notes:
            if note.is_warning and str(note.message) not in self._warned:
                self._warned.add(str(note.message))
                session.client.show(types.MessageType.Warning, note.message)
        if told:
            self._unapplied.append((ready.context.target.start.line + 1, told[-1]))
        self._done += not (told or delivery.is_declined or self.job.is_stopped)
        return bool(answer.text) and not self.job.is_stopped

    def _tell(self, count: int) -> None:
        """Say once what was not applied, and why."""
        if not self._unapplied:
            return
        client = self.session.client
        lines = [
            client.write(msg("Line {line}: {reason}", line=line, reason=reason))
            for line, reason in self._unapplied[:_MOST_TOLD]
        ]
        if len(self._unapplied) > _MOST_TOLD:
            lines.append("…")
        told = msg("{done} of {count} places in {name} were fixed. {reasons}",
                   done=self._done, count=count, name=self.document.name, reasons=" ".join(lines))  # fmt: skip
        client.show(types.MessageType.Warning, told, msg("The answers are in the history."))
