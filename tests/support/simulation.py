"""Editors as they really are, in virtual time: when they answer, when they tell of changes, and what they do with an
edit that comes too late.
Measured on VS Code, Neovim, Eglot, lsp-mode; "whole" is Kate, but for its way with edits that come too late.

Nothing waits: the loop's clock jumps to whatever is due next, so a minute of typing takes a few milliseconds.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types

from sidelight.core.answers import Answer, Finished
from sidelight.core.answers import Text as AnswerText
from sidelight.core.context import Context, target_lines
from sidelight.core.rewrite import Outcome, Rewrite
from sidelight.editing.text import Place, Range, Text, split_lines
from sidelight.lsp.buffer import BufferWriter
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Documents
from sidelight.lsp.handshake import Abilities
from sidelight.lsp.live_edit import LiveEdit
from sidelight.lsp.protocol import ClientError, ClientSilentError
from sidelight.messages import Message


class _Selector(selectors.DefaultSelector):
    """Looks, and lets the clock jump instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("everything waits, and nothing is due any more")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only as far as it has to; threads run at once."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Personality:
    """How an editor behaves. Times in seconds, from and to."""

    name: str
    on_stale: str = "refuse"  # "refuse", "error", "drop" (and say yes), "apply"
    answer_s: tuple[float, float] = (0.0, 0.002)
    change_s: tuple[float, float] = (0.001, 0.008)
    # "each" batch, "idle" (what came in a pause), "by itself" (each place), "span" (one range, first to last), "whole"
    tells: str = "each"
    change_first: bool = False
    first_version: int = 1
    version_steps: tuple[int, int] = (1, 1)
    refuses_future: bool = True
    versioned: bool = True
    silent: float = 0.0  # how often an answer never comes, though the edit is applied


PERSONALITIES = (
    Personality("VS Code"),
    Personality("Neovim", on_stale="drop", change_s=(0.15, 0.15), tells="span", first_version=0, version_steps=(1, 5),
                refuses_future=False),
    Personality("Eglot", on_stale="error", change_s=(0.5, 0.5), tells="idle", first_version=0),
    Personality("lsp-mode", change_first=True, first_version=0, refuses_future=False),
    Personality("piecemeal", tells="by itself", first_version=0, refuses_future=False),
    Personality("whole", change_s=(0.5, 0.9), tells="whole", first_version=0, version_steps=(1, 9),
                refuses_future=False),
    Personality("slow", answer_s=(0.0, 0.4), change_s=(0.0, 1.2)),
    Personality("hurried", change_first=True, tells="idle", change_s=(0.05, 0.3), version_steps=(1, 3)),
)  # fmt: skip


@dataclass
class _Told:
    """The client's protocol, as far as edits need it."""

    editor: SimulatedEditor
    shown: list[str] = field(default_factory=list)

    def translate(self, message: Any) -> str:
        return str(message)

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self.shown.append(str(params.get("message", "")))

    async def ask(self, method: str, params: Any, timeout_s: float) -> Any:
        if method != types.WORKSPACE_APPLY_EDIT:
            return None
        return await self.editor.apply(params["edit"])


class SimulatedEditor:
    """One editor with one document, its undo stack, and the server's documents at the other end of the wire."""

    URI = "file:///simulated/a.py"

    def __init__(self, personality: Personality, text: str, rng: random.Random, language: str = "python") -> None:
        self.is_ = personality
        self.rng = rng
        self.text = Text(text)
        self.version = personality.first_version
        self.is_open = True
        self.applied = 0
        self.undo_stack: list[list[tuple[Range, str]]] = []
        self.undone = 0
        self._untold: list[dict[str, Any]] = []
        self._told_text = text
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._loop = asyncio.get_running_loop()
        self.documents = Documents()
        item = types.TextDocumentItem(self.URI, language, self.version, text)
        self.document = self.documents.open(item)
        self.protocol = _Told(self)
        self.client = Client(self.protocol)  # type: ignore[arg-type]
        self.client.can = Abilities(apply_edit=True, document_changes=personality.versioned, edits="live")

    # What the server asks

    async def apply(self, edit: dict[str, Any]) -> Any:
        """Apply an edit, or not, as this editor does; returns its answer."""
        await asyncio.sleep(self.rng.uniform(*self.is_.answer_s) / 2)
        if self.rng.random() < 0.03:
            await asyncio.sleep(0.05)  # busy with something
        edits, version = self._unpacked(edit)
        if not self.is_open:
            return {"applied": False}
        is_stale = version is not None and version < self.version
        if (is_stale and self.is_.on_stale != "apply") or (
            version is not None and version > self.version and self.is_.refuses_future
        ):
            if self.is_.on_stale == "error":
                raise ClientError(f"Edits require version {version}, you have {self.version}")
            return {"applied": self.is_.on_stale == "drop"}
        undo = [
            self.change(_range(one["range"]), one["newText"], undoable=False)
            for one in sorted(edits, key=_start, reverse=True)
        ]
        self.undo_stack.append(undo[::-1])  # one step, as in every editor
        self.applied += 1
        if self.is_.change_first:
            self.flush()
        await asyncio.sleep(self.rng.uniform(*self.is_.answer_s) / 2)
        if self.rng.random() < self.is_.silent:
            raise ClientSilentError("nothing")
        return {"applied": True}

    def _unpacked(self, edit: dict[str, Any]) -> tuple[list[dict[str, Any]], int | None]:
        if "changes" in edit:
            return edit["changes"][self.URI], None
        (one,) = edit["documentChanges"]
        return one["edits"], one["textDocument"]["version"]

    # What the user does

    def change(self, place: Range, text: str, *, undoable: bool = True) -> tuple[Range, str]:
        """Change the buffer, and tell the server when this editor does; returns the change that undoes it."""
        before = self.text.between(place)
        replaced = self.text.replace(place, text)
        inverse = Range(replaced.start, _after(replaced.start, text)), before
        if undoable:
            self.undo_stack.append([inverse])
        self.version += self.rng.randint(*self.is_.version_steps)
        self._untold.append({"range": replaced, "text": text, "version": self.version})
        delay = self.rng.uniform(*self.is_.change_s)
        if self.is_.tells == "idle" and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_later(delay, self.flush)
        return inverse

    def undo(self) -> str:
        """Undo the latest change; returns the text that it takes away."""
        taken = []
        for place, text in self.undo_stack.pop():
            taken.append(self.text.between(place))
            self.change(place, text, undoable=False)
        self.undone += 1
        return "".join(taken)

    def flush(self) -> None:
        """Tell the server what it does not know yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._untold or not self.is_open:
            return
        untold, self._untold = self._untold, []
        before, self._told_text = self._told_text, str(self.text)
        changes: list[Any] = [
            types.TextDocumentContentChangePartial(range=_lsp(one["range"]), text=one["text"]) for one in untold
        ]
        if self.is_.tells == "whole":
            changes = [types.TextDocumentContentChangeWholeDocument(text=self._told_text)]
        elif self.is_.tells == "span":
            changes = [_span(before, self._told_text)]
        if self.is_.tells == "by itself":
            for one, change in zip(untold, changes, strict=True):
                self.documents.change(types.VersionedTextDocumentIdentifier(one["version"], self.URI), [change])
            return
        self.documents.change(types.VersionedTextDocumentIdentifier(self.version, self.URI), changes)

    def close(self) -> None:
        """Close the document."""
        self.flush()
        self.is_open = False
        self.documents.close(self.URI)


def _span(before: str, after: str) -> types.TextDocumentContentChangePartial:
    """Return one change of whole lines from the first that differs to the last, as Neovim sends it."""
    old, new = split_lines(before), split_lines(after)
    least = min(len(old), len(new)) - 1
    head = next((i for i in range(least) if old[i] != new[i]), least)
    tail = next((i for i in range(least - head) if old[-1 - i] != new[-1 - i]), least - head)
    end = len(old) - tail
    last = Place(end, 0) if end < len(old) else Place(len(old) - 1, len(old[-1]))
    text = "".join(new[head : len(new) - tail])
    return types.TextDocumentContentChangePartial(range=_lsp(Range(Place(head, 0), last)), text=text)


def _after(start: Place, text: str) -> Place:
    lines = split_lines(text)
    return Place(start.line + len(lines) - 1, len(lines[-1]) + (start.column if len(lines) == 1 else 0))


def _start(edit: dict[str, Any]) -> tuple[int, int]:
    start = edit["range"]["start"]
    return start["line"], start["character"]


def _range(value: dict[str, Any]) -> Range:
    return Range(*(Place(value[end]["line"], value[end]["character"]) for end in ("start", "end")))


def _lsp(range_: Range) -> types.Range:
    return types.Range(*(types.Position(place.line, place.column) for place in (range_.start, range_.end)))


@dataclass
class Recorder:
    """An aftermath that remembers."""

    pages: list[tuple[str, str]] = field(default_factory=list)
    reviews: list[Outcome] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    editor: Any = None
    later: asyncio.Future[None] | None = None

    async def before_first_edit(self) -> None:
        self.prepared.append(str(self.editor.document.text))

    async def after_last_edit(self) -> None:
        self.finished.append(str(self.editor.document.text))

    async def no_edit(self) -> None:
        self.prepared.pop()

    async def show_page(self, answer: Answer, told: Message) -> None:
        self.pages.append((answer.text, str(told)))

    def review(self, writer: BufferWriter, answer: Answer, outcome: Outcome) -> None:
        self.reviews.append(outcome)

    def keep_answer(self, writer: BufferWriter, answer: Answer) -> None:
        self.kept.append(answer.text)

    def do_later(self, work: Coroutine[None, None, None]) -> None:
        self.later = asyncio.ensure_future(work)


def in_virtual_time(run: Any) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(run, 600))
    finally:
        loop.close()


class Scene:
    """A document, a task at a place in it, and an answer that is on its way."""

    def __init__(self, editor: SimulatedEditor, first: int, end: int, mode: str = "live", *, task: str = "fix") -> None:
        self.editor = editor
        document = editor.document
        lines = tuple(document.text.lines)
        place = Range(Place(first, 0), Place(end, 0))
        target = target_lines(lines, place) if end > first else place
        context = Context(name="a.py", language_id=document.language_id, lines=lines, target=target)
        self.recorder = Recorder(editor=editor)
        self.rewrite = Rewrite(task, context, tells_truncation=False)
        self.writer = BufferWriter(editor.client, editor.documents, document, target, "Sidelight")
        self.delivery = LiveEdit(editor.client, self.writer, self.rewrite, mode, self.recorder)  # type: ignore[arg-type]
        self.answer = Answer()

    def say(self, text: str) -> None:
        event = AnswerText(text)
        self.answer.add(event)
        self.delivery.receive(event)

    async def end(self, finish: str = "complete") -> str:
        self.answer.add(Finished(finish))  # type: ignore[arg-type]
        last = await self.delivery.finish(self.answer)
        return str(last)
