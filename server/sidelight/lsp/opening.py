"""Sources that open: as the file of the workspace that a source is, at its passage, else as a page with what it says.

Which file that is, ``source_files.py`` finds, on threads: nothing here waits for a disk on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types

from sidelight.core.answers import Source
from sidelight.core.ports import Conversations
from sidelight.core.sources import Cited, cited, source_values
from sidelight.core.transcripts import fence_for, inline
from sidelight.editing.text import Text
from sidelight.errors import UsageError
from sidelight.lsp.client import Client
from sidelight.lsp.conversations import kept_turn
from sidelight.lsp.documents import Documents, file_uri
from sidelight.lsp.pages import Pages
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.source_files import SourceFiles, passage_in
from sidelight.messages import Message, Translator, msg

log = logging.getLogger(__name__)

_TOP = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
# An answer does not wait longer for the files of its sources.
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Located:
    """A cited document and where it is: without a ``uri`` only its text is known, without a ``range`` not the place.

    ``is_older``: the file has text, and not the cited one any more.
    """

    document: Cited
    uri: str = ""
    range: dict[str, Any] | None = None
    is_older: bool = False

    @property
    def notice(self) -> Message | None:
        """What the user should know of the place."""
        if not self.is_older:
            return None
        name = self.document.name
        return msg("The source is older than {name}: the file no longer has the cited passage.", name=name)


class Opening:
    """Answers ``sidelight/source`` and the command; ``folders`` and ``mapped`` (``sources.map``) are of this moment."""

    def __init__(
        self,
        pages: Pages,
        conversations: Callable[[], Conversations],
        folders: Callable[[], Sequence[Path]],
        mapped: Callable[[], Mapping[str, object]],
    ) -> None:
        self._client: Client = pages.client
        self._documents: Documents = pages.documents
        self._pages = pages
        self._conversations = conversations
        self._folders = folders
        self._mapped = mapped
        self._files = SourceFiles()

    async def values(self, sources: Sequence[Source]) -> list[dict[str, Any]]:
        """Return sources as results and progress have them, with their files where these are found soon."""
        documents = cited(sources)
        values = source_values(documents)
        if not documents:
            return []
        finding = asyncio.ensure_future(
            asyncio.to_thread(lambda files: [files.find(it) for it in documents], self._now())
        )
        try:
            found = await asyncio.wait_for(asyncio.shield(finding), _PATIENCE_S)
        except asyncio.TimeoutError:
            log.info("the files of the sources take long to find")
            return values
        except OSError as error:
            log.warning("the files of the sources were not found: %s", error)
            return values
        uris = {it.number: file_uri(path) for it, path in zip(documents, found, strict=True) if path is not None}
        return [value | ({"file": uris[value["number"]]} if value["number"] in uris else {}) for value in values]

    async def request(self, params: Any) -> dict[str, Any]:
        """Answer ``sidelight/source``."""
        located = await self._located(*_which(params))
        value: dict[str, Any] = {"title": located.document.name, "text": located.document.text}
        value |= {"uri": located.uri} if located.uri else {}
        value |= {"range": located.range} if located.range else {}
        return value | ({"notice": self._client.write(located.notice)} if located.notice else {})

    def opened(self, argument: Any) -> Any:
        """Return the work of ``sidelight.openSource``. Raises ``InvalidParams``."""
        return self._open(*_which(argument))

    async def _open(self, conversation: str, turn: int, number: int) -> None:
        located = await self._located(conversation, turn, number)
        if located.uri and await self._client.show_document(located.uri, located.range or _TOP):
            if located.notice is not None:
                self._client.show(types.MessageType.Info, located.notice)
            return
        document = located.document
        page = self._pages.new_text(document.name, source_page(document, self._client.write))
        await self._pages.show(page)

    async def _located(self, conversation: str, turn: int, number: int) -> Located:
        kept = await asyncio.to_thread(kept_turn, self._conversations(), conversation, turn)
        document = next((it for it in cited(kept.sources) if it.number == number), None)
        if document is None:
            raise UsageError(msg("The answer has no source {number}.", number=number))
        path = await asyncio.to_thread(self._now().find, document)
        return Located(document) if path is None else await self._at_passage(document, path)

    async def _at_passage(self, document: Cited, path: Path) -> Located:
        uri = file_uri(path)
        file = self._documents.opened(uri)
        if file is None:
            try:
                file = await asyncio.to_thread(self._documents.read, uri)
            except UsageError:  # not text: an editor may show it all the same
                return Located(document, uri)
        text = str(file.text)
        place = await asyncio.to_thread(lambda: passage_in(Text(text), document.passages))
        if place is None:
            return Located(document, file.uri, is_older=bool(document.passages))
        start, end = file.text.clamp(place.start), file.text.clamp(place.end)
        return Located(document, file.uri, file.lsp_range(type(place)(start, end)))

    def _now(self) -> SourceFiles:
        self._files.folders, self._files.mapped = self._folders(), self._mapped()
        return self._files


def source_page(document: Cited, write: Translator) -> str:
    """Return the page of a source that is no file here: its title, where it came from, and what was cited of it."""
    parts = [f"# {inline(document.name or 'untitled')}"]
    if document.address and document.address != document.name:
        parts.append(write(msg("From: {address}", address=_code(document.address))))
    if not document.passages:
        parts.append(write(msg("The knowledge base gave no text of this source.")))
    for passage in document.passages:
        fence = fence_for(passage)
        parts.append(f"{fence}text\n{passage}\n{fence}")
    return "\n\n".join(parts) + "\n"


def _code(address: str) -> str:
    """Return an address in which nothing is markup; one that is none of the web is no link either."""
    if address.lower().startswith(("http://", "https://")):
        return inline(address)
    mark = "`" if "`" not in address else fence_for(address) + "`"
    return f"{mark} {address} {mark}" if "`" in address else f"{mark}{address}{mark}"


def _which(params: Any) -> tuple[str, int, int]:
    match params:
        case {"conversation": str(conversation), "turn": int(turn), "number": int(number)}:
            return conversation, turn, number
    raise InvalidParams("conversation, turn and number are needed.")
