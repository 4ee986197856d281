"""The structure of open documents: read on a thread once a document is opened, and when its changes have settled.

One is read at a time. Whoever asks gets an answer at once: the structure of the text as it is now where that is at
hand, else one that looks only at the neighbourhood of the place. Nothing here waits, and nothing here blocks the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sidelight.editing.structure import Structure
from sidelight.editing.structure_near import NearStructure
from sidelight.lsp.documents import Document, Documents

_log = logging.getLogger(__name__)

_SETTLED_S = 0.3
# Data and generated code: longer ones are never read whole.
_MOST_CHARACTERS = 2_000_000


@dataclass(slots=True, eq=False)
class _Read:
    """What is known of one document: ``changes`` counts them, ``known`` is the structure after ``known_changes``."""

    changes: int = 0
    known_changes: int = -1
    known: Structure | None = None
    timer: asyncio.TimerHandle | None = None

    def settle(self, timer: asyncio.TimerHandle | None) -> None:
        """Let another timer, or none, take the place of the one that runs."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer


@dataclass(frozen=True, slots=True)
class OpenText:
    """An open document as ``core/surroundings.py`` looks at others; ``uri`` is the client's spelling."""

    uri: str
    name: str
    language_id: str
    lines: tuple[str, ...]
    structure: Structure


class Structures:
    """The structures of all open documents."""

    def __init__(self, documents: Documents) -> None:
        self._reads: dict[Document, _Read] = {}
        self._due: list[Document] = []
        self._reading: asyncio.Task[None] | None = None
        self._has_ended = False
        documents.listen(self._look)
        documents.listen_to_openings(self._look)

    def of(self, document: Document) -> Structure:
        """Return the structure of the document as it is now; of its neighbourhood only, where no more is at hand."""
        return self._of(document, tuple(document.text.lines))

    def others(self, document: Document | None) -> tuple[OpenText, ...]:
        """Return all open documents but this one, the last changed or opened first."""
        others = [(other, tuple(other.text.lines)) for other in reversed(self._reads) if other is not document]
        return tuple(
            OpenText(other.uri, other.name, other.language_id, lines, self._of(other, lines)) for other, lines in others
        )

    def end(self) -> None:
        """Read nothing more, and give up what is being read."""
        self._has_ended = True
        self._due.clear()
        for read in self._reads.values():
            read.settle(None)

    def _of(self, document: Document, lines: tuple[str, ...]) -> Structure:
        read = self._reads.get(document)
        if read is not None and read.known is not None and read.known_changes == read.changes:
            return read.known
        return NearStructure(lines, document.language_id)

    def _look(self, document: Document) -> None:
        """Take note of a document that was opened, changed or closed."""
        read = self._reads.pop(document, None) or _Read()
        read.changes += 1  # what is being read now is of an older text
        read.settle(None)
        if not document.is_open:
            return
        self._reads[document] = read
        if not document.is_changing and not self._has_ended:
            read.settle(asyncio.get_running_loop().call_later(_SETTLED_S, self._wish, document))

    def _wish(self, document: Document) -> None:
        if document not in self._due:
            self._due.append(document)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())

    async def _read_all(self) -> None:
        try:
            while self._due:
                document = self._due.pop()
                if (read := self._reads.get(document)) is not None:
                    await self._read(document, read)
        finally:
            self._reading = None

    async def _read(self, document: Document, read: _Read) -> None:
        changes, lines = read.changes, tuple(document.text.lines)

        def is_wanted() -> bool:
            return read.changes == changes and not self._has_ended

        known = await asyncio.to_thread(_structure, lines, document.language_id, is_wanted)
        if known is not None and is_wanted():
            read.known, read.known_changes = known, changes


def _structure(lines: tuple[str, ...], language: str, is_wanted: Callable[[], bool]) -> Structure | None:
    if sum(map(len, lines)) > _MOST_CHARACTERS:
        return None
    try:
        return Structure.of(lines, language, is_wanted)
    except Exception:  # noqa: BLE001 - the rim of a thread: nobody asked for it, and nobody is worse off than before it was read
        _log.exception("The structure of a document could not be read")
        return None
