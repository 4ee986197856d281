"""Code blocks of a page: put into a document, below the place that the page is about or in its place."""

from __future__ import annotations

from lsprotocol import types

from sidelight.editing.fitting import fit
from sidelight.editing.text import Place, Range, lines_of, without_line_end
from sidelight.lsp.buffer import BufferWriter, UnwrittenError
from sidelight.lsp.client import Client, new_label
from sidelight.lsp.delivery import not_applied
from sidelight.lsp.documents import Document, Documents, name_of
from sidelight.lsp.pages import Page, Pages
from sidelight.lsp.restoring import Restoring
from sidelight.messages import msg


class PageBlocks:
    """What puts them there, with a restore point before."""

    def __init__(self, client: Client, documents: Documents, pages: Pages, restoring: Restoring) -> None:
        self._client = client
        self._documents = documents
        self._pages = pages
        self._restoring = restoring

    async def insert(self, page_id: str, number: int, uri: str, *, replace: bool) -> bool:
        """Put a code block of a page into a document: below the place that the page is about, or in its place."""
        page, document = self._pages.by_id(page_id), self._documents.opened(uri)
        block = page.block(number) if page else None
        if page is None or block is None or document is None:
            self._client.show(
                types.MessageType.Warning,
                msg("The code block cannot be put into {name} any more.", name=name_of(uri)),
                msg("Open the document, or copy the block by hand."),
            )
            return False
        point = await self._restoring.before_edit(document, "insert", page.id)
        place = self._place_for(page, document, replace=replace)
        if place is None:
            self._client.show(
                types.MessageType.Warning,
                msg("{name} was changed at that place meanwhile.", name=document.name),
                msg("Insert the block instead, or copy it by hand."),
            )
            return False
        context = page.subject.context
        code = fit(context.mask.restore(block.text), context.target_text, document.text.line_end)
        is_written = await self._write(page, document, place, code)
        await self._restoring.after_edit(document, point)
        return is_written

    async def _write(self, page: Page, document: Document, place: Range, code: str) -> bool:
        lines = [without_line_end(line) for line in lines_of(code)]
        if place.is_empty and place.start.column:  # below a last line that has no line end
            lines.insert(0, document.text.lines[place.start.line])
            place = Range(Place(place.start.line, 0), place.end)
        writer = BufferWriter(self._client, self._documents, document, place, new_label(page.title, "insert"))
        try:
            await writer.write(lambda: writer.region.plan_lines(writer.region.with_target(lines)))
        except UnwrittenError as error:
            self._client.show(types.MessageType.Warning, not_applied(error.reason, in_part=False))
            return False
        finally:
            writer.close()
        return True

    def _place_for(self, page: Page, document: Document, *, replace: bool) -> Range | None:
        """Return where a page's block goes; None where what it would replace is no longer what the page is about."""
        tracked = page.subject.target if page.subject.document is document else None
        if replace:
            return tracked.range if tracked is not None and not tracked.is_touched else None
        end = tracked.range.end if tracked is not None else page.subject.context.target.end
        end = document.text.clamp(end)
        return Range(end, end)
