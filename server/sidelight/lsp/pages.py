"""Answer pages and ask pages: Markdown documents for clients that show no stream.

An answer page is a ``sidelight:`` document that the client reads again while it grows, or a file in the cache folder
that is written when the answer ends, or at least a message that names the file. An ask page is always a file, since
the user writes on it. Model text is shown as it is; nothing on a page is a link that does something.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types

from sidelight.core.answers import Answer
from sidelight.core.sources import Cited, cited
from sidelight.core.tasks import Task
from sidelight.core.transcripts import source_line
from sidelight.editing.fences import CodeBlock, code_blocks, fence_in
from sidelight.editing.text import split_lines, without_line_end
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Documents, document_key, file_path, file_uri
from sidelight.lsp.handshake import PAGE_SCHEME
from sidelight.lsp.subject import Subject
from sidelight.messages import Translator, msg, plain

log = logging.getLogger(__name__)

# A rule in Markdown that nobody types by chance.
WRITE_BELOW = "- - - - - - - - - - - - - - - -"

_KEPT_PAGES = 100
_KEPT_FILES = 200
# A blank line, the heading, and another blank line.
_ABOVE_THE_LIST = 3


@dataclass(slots=True)
class Page:
    """One answer page: where the client finds it, what it says, and the document that it is about."""

    id: str
    uri: str
    title: str
    subject: Subject
    answer: Answer
    write: Translator
    notice: str = ""
    is_shown: bool = False
    foot: str = ""

    @property
    def markdown(self) -> str:
        """The page's text now."""
        below = [sources_text(self.answer, self.write), notes_text(self.answer, self.write), self.foot]
        return _paragraphs(self._above_sources, *below) + "\n"

    @property
    def _above_sources(self) -> str:
        return _paragraphs(f"# {self.title}", self.notice and f"> {self.notice}", closed(self.answer.text))

    def source_at(self, line: int) -> Cited | None:
        """Return the document that a line of the list of sources names."""
        first = len(split_lines(self._above_sources)) + _ABOVE_THE_LIST
        return next((it for it in cited(self.answer.sources) if first + it.number - 1 == line), None)

    def block_at(self, line: int) -> tuple[int, CodeBlock] | None:
        """Return the code block round a line of the page, and its number."""
        for number, block in enumerate(code_blocks(self.markdown)):
            if block.first_line - 1 <= line <= block.end_line:
                return number, block
        return None

    def block(self, number: int) -> CodeBlock | None:
        """Return a code block by its number."""
        return next((block for n, block in enumerate(code_blocks(self.markdown)) if n == number), None)


@dataclass(slots=True)
class TextPage:
    """A page that does not change: what was sent, or what a source says."""

    id: str
    uri: str
    title: str
    markdown: str
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class AskPage:
    """A page to write on: what is written below its last rule goes to ``task`` in ``conversation``."""

    uri: str
    task: Task
    subject: Subject
    conversation: str | None


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part.strip("\n") for part in parts if part)


def sources_text(answer: Answer, write: Translator) -> str:
    """Return the list of an answer's sources; empty where it has none."""
    lines = "\n".join(map(source_line, cited(answer.sources)))
    return f"**{write(msg('Sources'))}**\n\n{lines}" if lines else ""


def closed(text: str) -> str:
    """Return an answer with its last code block closed, so that what follows is none of it."""
    last = next(reversed(list(code_blocks(text))), None)
    if last is None or last.is_closed:
        return text
    opening = fence_in(without_line_end(split_lines(text)[last.first_line - 1]))
    return f"{text.rstrip()}\n{opening.mark}\n" if opening else text


def notes_text(answer: Answer, write: Translator) -> str:
    """Return the notes of an answer, one a line."""
    return "\n".join(f"> {one_line(write(note.message))}" for note in answer.notes)


def one_line(text: str) -> str:
    """Return the text in one line."""
    return " ".join(text.split())


@dataclass(slots=True)
class Pages:
    """All pages of this session."""

    client: Client
    documents: Documents
    folder: Path
    _pages: OrderedDict[str, Page] = field(default_factory=OrderedDict)
    _texts: OrderedDict[str, TextPage] = field(default_factory=OrderedDict)
    _asks: OrderedDict[str, AskPage] = field(default_factory=OrderedDict)

    @property
    def has_content(self) -> bool:
        """Whether the client reads ``sidelight:`` documents, and shows them."""
        return self.client.can.shows_pages

    def new(self, title: str, subject: Subject, answer: Answer) -> Page:
        """Make a page for an answer."""
        id_, uri = self._new_uri(title)
        page = Page(id_, uri, title, subject.followed(), answer, self.client.write)
        self._pages[document_key(uri)] = page
        while len(self._pages) > _KEPT_PAGES:
            _, old = self._pages.popitem(last=False)
            self.release(old.subject)
        return page

    def new_text(self, title: str, markdown: str) -> TextPage:
        """Make a page of a text."""
        page = TextPage(*self._new_uri(title), title, markdown)
        self._texts[document_key(page.uri)] = page
        while len(self._texts) > _KEPT_PAGES:
            self._texts.popitem(last=False)
        return page

    def _new_uri(self, title: str) -> tuple[str, str]:
        id_ = os.urandom(4).hex()
        name = f"{_slug(title)}-{id_}.md"
        return id_, f"{PAGE_SCHEME}:/answers/{name}" if self.has_content else file_uri(self.folder / name)

    def release(self, subject: Subject) -> None:
        """Let a subject's range go, unless a page still needs it."""
        needed = [page.subject for page in self._pages.values()] + [page.subject for page in self._asks.values()]
        if not any(subject.target is other.target for other in needed):
            subject.release()

    def find(self, uri: str) -> Page | None:
        """Return the page with that URI."""
        return self._pages.get(document_key(uri))

    def by_id(self, id_: str) -> Page | None:
        """Return the page with that id."""
        return next((page for page in self._pages.values() if page.id == id_), None)

    def content(self, uri: str) -> str:
        """Return the text of a ``sidelight:`` document, for ``workspace/textDocumentContent``."""
        page = self.find(uri) or self._texts.get(document_key(uri))
        return page.markdown if page else self.client.write(msg("This answer is no longer kept.")) + "\n"

    def refresh(self, page: Page | TextPage) -> None:
        """Let the client read the page again. Its answer is of no interest; it is asked for, as it is a request."""
        asking = self.client.protocol.ask("workspace/textDocumentContent/refresh", {"uri": page.uri}, 10)
        task = asyncio.ensure_future(asking)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def show(self, page: Page | TextPage) -> None:
        """Bring a finished page before the user, by the best way that the client has."""
        if self.has_content:
            self.refresh(page)
            if page.is_shown or await self.client.show_document(page.uri):
                page.is_shown = True
                return
            page.uri = file_uri(self.folder / f"{_slug(page.title)}-{page.id}.md")
            if isinstance(page, Page):
                self._pages[document_key(page.uri)] = page
        path = await self._write(page.uri, page.markdown)
        if path is not None and not await self.client.show_document(page.uri):
            told = msg("The answer is in {path}", path=str(path))
            if isinstance(page, TextPage):
                told = msg("“{title}” is in {path}", title=page.title, path=str(path))
            self.client.show(types.MessageType.Info, told)

    async def new_ask(self, task: Task, subject: Subject, conversation: str | None) -> None:
        """Make an ask page and bring it before the user."""
        uri = file_uri(self.folder / f"ask-{os.urandom(4).hex()}.md")
        self._asks[document_key(uri)] = AskPage(uri, task, subject, conversation)
        place = subject.context.name or "-"
        lines = [
            "# Sidelight",
            self.client.write(msg("About: {place}", place=place)),
            self.client.write(msg("Write below the line, then choose the code action “Send”.")),
            WRITE_BELOW,
        ]
        path = await self._write(uri, "\n\n".join(lines) + "\n\n")
        if path is not None and not await self.client.show_document(uri):
            self.client.show(
                types.MessageType.Info,
                msg("Open {path}, write there, and choose the code action “Send”.", path=str(path)),
            )

    def ask_page(self, uri: str) -> AskPage | None:
        """Return the ask page with that URI."""
        return self._asks.get(document_key(uri))

    def continue_ask(self, page: AskPage, conversation: str) -> None:
        """Let what is written next on an ask page go into the conversation that it began."""
        self._asks[document_key(page.uri)] = AskPage(page.uri, page.task, page.subject, conversation)

    async def _write(self, uri: str, text: str) -> Path | None:
        """Write a page's file on a thread; an error is shown, together with the text that could not be written."""
        path = file_path(uri)
        assert path is not None
        try:
            await asyncio.to_thread(_write_file, path, text)
        except OSError as error:
            log.warning("a page was not written: %s", error)
            reason = msg("{path} cannot be written: {reason}", path=str(path), reason=error.strerror or str(error))
            self.client.show(types.MessageType.Error, reason, plain(text))
            return None
        return path


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    files = sorted(path.parent.glob("*.md"), key=lambda file: file.stat().st_mtime)
    for old in files[:-_KEPT_FILES]:
        old.unlink(missing_ok=True)


def _slug(title: str) -> str:
    return re.sub(r"[^\w.-]+", "-", title).strip("-.")[:60] or "answer"


def written_instruction(text: str) -> str:
    """Return what the user wrote on an ask page: everything below our last rule."""
    return text.rpartition(WRITE_BELOW)[2].strip()


def page_actions(pages: Pages, uri: str, line: int) -> Iterator[dict[str, Any]]:
    """Yield the code actions of a page at a line: put this block into the document, or send what is written."""
    write = pages.client.write
    if pages.ask_page(uri):
        yield _action(write(msg("Send")), "sidelight.send", {"uri": uri})
    page = pages.find(uri)
    source = page.source_at(line) if page else None
    if page is not None and source is not None and page.answer.turn:
        title = write(msg("Open source {number}: {name}", number=source.number, name=source.name))
        which = {"conversation": page.answer.conversation, "turn": page.answer.turn, "number": source.number}
        yield _action(title, "sidelight.openSource", which)
    found = page.block_at(line) if page else None
    if page is None or found is None or page.subject.document is None:
        return
    name, target = page.subject.context.name, page.subject.document.uri
    argument = {"page": page.id, "block": found[0], "uri": target}
    yield _action(write(msg("Insert into {name}", name=name)), "sidelight.insertBlock", {**argument, "replace": False})
    yield _action(
        write(msg("Replace the selection in {name}", name=name)), "sidelight.insertBlock", {**argument, "replace": True}
    )


def _action(title: str, command: str, argument: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "kind": "refactor",
        "command": {"title": title, "command": command, "arguments": [argument]},
    }
