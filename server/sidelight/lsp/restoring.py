"""Restore points in the editor: chosen, and brought back into the buffer without losing what was typed since."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types

from sidelight.core.ports import RestorePoint, RestorePoints, RestorePointSummary
from sidelight.editing.live_plan import Plan
from sidelight.editing.merge import merge_ended
from sidelight.editing.text import Place, Range, lines_of
from sidelight.errors import SidelightError
from sidelight.lsp.buffer import BufferWriter, UnwrittenError
from sidelight.lsp.client import Client, new_label
from sidelight.lsp.delivery import not_applied
from sidelight.lsp.documents import Document, Documents, document_key
from sidelight.lsp.protocol import ClientError
from sidelight.messages import Message, msg

log = logging.getLogger(__name__)

_OFFERED = 6
_NAME = "Sidelight"


@dataclass(slots=True)
class Restoring:
    """The restore points of this session's documents."""

    client: Client
    documents: Documents
    points: Callable[[], RestorePoints]
    edited: set[str] = field(default_factory=set)

    def prepare(self) -> None:
        """Load on a thread, while the model thinks, what the first restore point will need."""
        loading = asyncio.ensure_future(asyncio.to_thread(lambda: self.points().prepare()))
        loading.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def before_edit(self, document: Document, task: str, job: str) -> int:
        """Commit a restore point; 0 where none could be kept: the editor can undo too, so the edit goes on."""
        key, name, text = document.key, document.name, str(document.text)
        self.edited.add(key)
        try:
            return await asyncio.to_thread(lambda: self.points().add(key, name, task, job, text))
        except SidelightError as error:
            self.client.show(types.MessageType.Warning, error.message, error.hint)
            return 0

    async def after_edit(self, document: Document, point: int) -> None:
        """Add to a restore point what became of the text."""
        text = str(document.text)
        try:
            if point:
                await asyncio.to_thread(lambda: self.points().finish(point, text))
        except SidelightError as error:
            log.warning("%s", error.message)

    async def no_edit(self, point: int) -> None:
        """Forget a restore point: nothing was edited after all."""
        try:
            if point:
                await asyncio.to_thread(lambda: self.points().forget(point))
        except SidelightError as error:
            log.warning("%s", error.message)

    async def listed(self, uri: str | None) -> list[dict[str, Any]]:
        """Return the restore points of a document, or all, newest first, as the protocol has them."""
        key = document_key(uri) if uri else None
        found = await asyncio.to_thread(lambda: self.points().latest(key))
        return [
            {
                "id": point.id,
                "uri": point.uri,
                "name": point.name,
                "task": point.task,
                "madeAt": point.made_at.isoformat(),
                "changedLines": point.changed_lines,
                "isRunning": point.is_running,
            }
            for point in found
        ]

    async def restore(self, uri: str, id_: int | None) -> bool:
        """Bring the text from before an edit back, which the user chooses where it is not said."""
        document = self.documents.opened(uri)
        if document is None:
            self.client.show(types.MessageType.Warning, msg("{uri} is not open in the editor.", uri=uri))
            return False
        try:
            id_ = id_ if id_ is not None else await self._choose(document)
            point = await asyncio.to_thread(lambda: self.points().get(id_)) if id_ is not None else None
            if point is None or point.uri != document.key:
                if id_ is not None:
                    self.client.show(types.MessageType.Warning, msg("This text is no longer kept."))
                return False
            return await self._write(document, point)
        except SidelightError as error:
            self.client.show_error(error)
            return False

    async def _choose(self, document: Document) -> int | None:
        found = await asyncio.to_thread(lambda: self.points().latest(document.key, _OFFERED))
        if not found:
            self.client.show(types.MessageType.Info, msg("No text of {name} is kept.", name=document.name))
            return None
        titles = {self.client.write(_title(point)): point.id for point in found}
        try:
            chosen = await self.client.choose(
                msg("Which text of {name} do you want back?", name=document.name), list(titles)
            )
        except ClientError as error:
            log.info("the client cannot let its user choose: %s", error)
            chosen = next(iter(titles))
        return titles.get(chosen) if chosen else None

    async def _write(self, document: Document, point: RestorePoint) -> bool:
        """Write the text; what stood there becomes a restore point itself."""
        kept = await self.before_edit(document, "restore", f"restore-{point.id}")
        whole = Range(Place(0, 0), document.text.end)
        writer = BufferWriter(self.client, self.documents, document, whole, new_label(_NAME, "restore"))
        conflicts = 0

        def plan() -> Plan:
            nonlocal conflicts
            lines, conflicts = _restored(point, writer.region.lines, document.text.line_end)
            return writer.region.plan_lines(lines, is_exact=True)

        try:
            await writer.write(plan)
        except UnwrittenError as error:
            self.client.show(types.MessageType.Warning, not_applied(error.reason, in_part=False))
            return False
        finally:
            writer.close()
        await self.after_edit(document, kept)
        if conflicts:
            told = msg("Lines that you have changed were kept, at {count} places.", count=conflicts)
            self.client.show(types.MessageType.Info, told)
        return True

    async def clear(self) -> None:
        """Remove every restore point, and say how many there were."""
        try:
            count = await asyncio.to_thread(lambda: self.points().clear())
        except SidelightError as error:
            self.client.show_error(error)
        else:
            self.client.show(types.MessageType.Info, msg("{count} kept texts were removed.", count=count))


def _title(point: RestorePointSummary) -> Message:
    at = point.made_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if point.changed_lines is None:
        return msg("{at}, before {task} (unfinished)", at=at, task=point.task)
    return msg("{at}, before {task} ({count} lines)", at=at, task=point.task, count=point.changed_lines)


def _restored(point: RestorePoint, now: Sequence[str], line_end: str) -> tuple[list[str], int]:
    """Return the lines with an edit taken back, and how often what was typed since stood against it."""
    before = lines_of(point.before)
    if point.after is None or lines_of(point.after) == list(now):
        return before, 0
    merged = merge_ended(lines_of(point.after), now, before, line_end)
    lines = list(merged.lines)
    if lines and now and not now[-1].endswith(("\n", "\r")):
        lines[-1] = lines[-1].rstrip("\r\n")
    return lines, merged.conflicts
