"""What a task is about: a place in a document, what is wrong there, and what the user wrote.

Lines and columns count from 0, columns in code points; a range's end is exclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from sidelight.core.secrets import Mask
from sidelight.editing.blocks import enclosing_block
from sidelight.editing.text import Place, Range
from sidelight.messages import Message

PieceKind = Literal[
    "instructions", "mention", "enclosing", "imports", "definition", "around", "knowledge", "reference", "earlier_code"
]
"""What a piece is: the project's instructions, what the user mentioned, code around the target, what it uses."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding of some tool at a place in the document."""

    range: Range
    message: str
    source: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of the document itself, beside the target, that are worth showing: ``first`` up to and without ``end``."""

    kind: PieceKind
    first: int
    end: int
    why: Message


@dataclass(frozen=True, slots=True)
class Piece:
    """Text from elsewhere that is worth showing; ``name`` is for people and the model (``area.py``, ``AGENTS.md``).

    ``first_line`` is where it stands in its document, None for one that has no lines. ``is_wanted``: the user asked for
    it by name, so it is a warning where it does not fit.
    """

    kind: PieceKind
    name: str
    text: str
    why: Message
    language_id: str = ""
    first_line: int | None = None
    is_wanted: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The document and the place in it that a task is about.

    ``lines`` are the document's lines with their line ends, as they were when the task began.
    ``selection`` is what the user marked (empty: the caret); ``target`` is the range of whole lines that an edit task
    may replace. A task without a document has no lines and an empty name. ``excerpts`` and ``pieces`` are what else a
    prompt may hold, the most valuable first. ``notes`` are what the user must be told about these; ``mask`` hides
    secrets in all that is sent.
    """

    name: str = ""
    language_id: str = ""
    lines: tuple[str, ...] = ()
    selection: Range = Range.EMPTY
    target: Range = Range.EMPTY
    diagnostics: tuple[Diagnostic, ...] = ()
    instruction: str = ""
    answer_language: str = "en"
    excerpts: tuple[Excerpt, ...] = ()
    pieces: tuple[Piece, ...] = ()
    notes: tuple[Message, ...] = ()
    mask: Mask = field(default_factory=Mask, compare=False)

    @property
    def target_text(self) -> str:
        """The lines of ``target``, as they stand in the document."""
        return "".join(self.lines[self.target.start.line : self.target_end])

    @property
    def digest(self) -> str:
        """What tells the text of ``target`` from any other; empty for none."""
        text = self.target_text
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] if text else ""

    @property
    def target_end(self) -> int:
        """The line after the last one of ``target``; its first line when it is empty."""
        return self.target.end.line + (1 if self.target.end.column else 0)


def target_lines(lines: Sequence[str], place: Range | None, diagnostics: Sequence[Diagnostic] = ()) -> Range:
    """Return the whole lines that a task at ``place`` is about.

    With diagnostics, the definition around the first of them, and all of them; else the selection; else the definition
    at the caret; without any place, the document.
    """
    if diagnostics:
        first, end = enclosing_block(lines, diagnostics[0].range.start.line)
        ranges = [item.range for item in diagnostics] + ([place] if place else [])
        first = min([first, *(range_.start.line for range_ in ranges)])
        end = max([end, *(range_.end_line for range_ in ranges)])
    elif place is None:
        first, end = 0, len(lines)
    elif place.is_empty:
        first, end = enclosing_block(lines, place.start.line)
    else:
        first, end = place.start.line, place.end_line
    last = len(lines) - 1
    return Range(Place(first, 0), Place(end, 0) if end <= last else Place(last, len(lines[last])))
