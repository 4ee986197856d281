"""Makes a file for the text of an answer: with a restore point, shown, and reviewed like any edit.

What is undone there is the text; the file itself stays, empty, as with every undo of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from sidelight.editing.text import Place, Range, Text
from sidelight.files import language_of
from sidelight.lsp.client import label_of
from sidelight.lsp.delivery import with_confirmation
from sidelight.lsp.documents import Document, file_uri
from sidelight.lsp.reviews import Hunk, Review
from sidelight.messages import msg

if TYPE_CHECKING:
    from sidelight.lsp.session import Session

# How long an editor takes to tell of a document that it was asked to show.
_OPENING_S = 2.0
_LOOK_EVERY_S = 0.05


def edit_that_makes(path: Path, text: str) -> dict[str, Any]:
    """Return LSP's edit that makes the file; it fails where there is one by now."""
    uri, start = file_uri(path), {"line": 0, "character": 0}
    edit = {"range": {"start": start, "end": start}, "newText": text}
    return {
        "documentChanges": [
            {"kind": "create", "uri": uri, "options": {"overwrite": False, "ignoreIfExists": False}},
            {"textDocument": {"uri": uri, "version": None}, "edits": [edit]},
        ]
    }


async def wait_for_document(
    session: Session, uri: str, is_it: Callable[[Document], bool] = lambda _: True
) -> Document | None:
    """Return the document once it is open, and ``is_it`` holds; None where that takes too long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _OPENING_S
    while (document := session.documents.opened(uri)) is None or not is_it(document):
        if loop.time() > until:
            return None
        await asyncio.sleep(_LOOK_EVERY_S)
    return document


@dataclass(slots=True)
class MadeFile:
    """A file that is made for ``text``; ``show_answer`` shows the whole answer."""

    session: Session
    path: Path
    text: str
    task: str
    job: str
    title: str
    show_answer: Callable[[], Awaitable[None]]

    async def make(self) -> bool:
        """Make it and show it; tells whether the editor did."""
        restoring, client = self.session.restoring, self.session.client
        document = Document(file_uri(self.path), language_of(self.path), None, "", self.session.documents.encoding)
        document.is_open = False
        edit = edit_that_makes(self.path, self.text)
        if self.session.edit_mode() == "preview":
            edit = with_confirmation(edit, self.title, str(self.path))
        point = await restoring.before_edit(document, self.task, self.job)
        is_made = False
        try:
            is_made = await client.apply_edit(edit, label_of(self.title, self.job))
        finally:
            if not is_made:
                await asyncio.shield(restoring.no_edit(point))
        if is_made:
            document.text = Text(self.text)
            await restoring.after_edit(document, point)
            await self._show()
        return is_made

    async def _show(self) -> None:
        client, uri = self.session.client, file_uri(self.path)
        if not await client.show_document(uri):
            client.show(types.MessageType.Info, msg("The tests are in {path}.", path=str(self.path)))
            return
        lines = self.text.splitlines()
        document = await wait_for_document(self.session, uri, lambda one: str(one.text).splitlines() == lines)
        if document is not None:
            self._review(document)

    def _review(self, document: Document) -> None:
        whole = Range(Place(0, 0), document.text.end)
        hunk = Hunk(0, document.track(whole), (), tuple(document.text.lines))
        self.session.edits.reviews.add(
            Review(self.job, self.title, document, document.track(whole, grows=True), [hunk],
                   show_answer=self.show_answer, can_retry=False)
        )  # fmt: skip
