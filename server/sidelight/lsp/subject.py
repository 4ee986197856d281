"""What a command or a run is about: its arguments, and the place in a document that they mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from cattrs import Converter
from lsprotocol import types

from sidelight.core.context import Context, Diagnostic, target_lines
from sidelight.core.tasks import Task
from sidelight.editing.text import Place, Range
from sidelight.editing.tracked import TrackedRange
from sidelight.errors import UsageError
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.protocol import InvalidParams
from sidelight.messages import msg

OUR_SOURCE = "sidelight"


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a command or a run, checked. ``is_exact``: the range is the target as it is."""

    uri: str | None = None
    range: types.Range | None = None
    instruction: str = ""
    diagnostics: tuple[types.Diagnostic, ...] = ()
    conversation: str | None = None
    workspace: str | None = None
    is_exact: bool = False


def parse_asked(arguments: Any, converter: Converter) -> Asked:
    """Read the argument object. Raises ``InvalidParams`` that names what is wrong."""
    if not isinstance(arguments, dict):
        raise InvalidParams("The argument must be one object.")
    texts = {name: _text(arguments, name) for name in ("uri", "instruction", "conversation", "workspace")}
    range_ = _structured(arguments, "range", types.Range, converter)
    found = arguments.get("diagnostics")
    if found is not None and not isinstance(found, list):
        raise InvalidParams("diagnostics must be a list.")
    diagnostics = tuple(
        _structured({"diagnostics": item}, "diagnostics", types.Diagnostic, converter) for item in found or ()
    )
    return Asked(
        texts["uri"], range_, texts["instruction"] or "", diagnostics, texts["conversation"], texts["workspace"]
    )  # fmt: skip


def _text(arguments: dict[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidParams(f"{name} must be a string.")
    return value or None


def _structured(arguments: dict[str, Any], name: str, kind: type[Any], converter: Converter) -> Any:
    value = arguments.get(name)
    if value is None:
        return None
    try:
        return converter.structure(value, kind)
    except Exception as error:  # cattrs raises whatever the conversion of a part raised
        raise InvalidParams(f"{name} is not a {kind.__name__}.") from error


@dataclass(slots=True)
class Subject:
    """The place that a job is about: the document (None for a free question), and its context.

    ``target`` follows the part that an edit may replace while the user types; ``None`` where the document is not open.
    """

    context: Context
    document: Document | None = None
    target: TrackedRange | None = field(default=None)

    def with_instruction(self, instruction: str) -> Subject:
        """Return the same subject with the user's words."""
        return Subject(replace(self.context, instruction=instruction), self.document, self.target)

    def as_now(self) -> Subject:
        """Return the subject as its document is now: its user may have typed since it was chosen.

        The document must be the one that is open; whole lines stay whole lines.
        """
        document, tracked, context = self.document, self.target, self.context
        if document is None or tracked is None or not document.is_open:
            return self
        start, end = tracked.range.start, tracked.range.end
        if end.column or (end == start and start.column):
            end = Place(end.line + 1, 0) if end.line + 1 < len(document.text.lines) else document.text.end
        tracked.range, tracked.is_touched = Range(Place(start.line, 0), end), False
        by = start.line - context.target.start.line
        context = replace(
            context,
            lines=tuple(document.text.lines),
            target=tracked.range,
            selection=_moved(context.selection, by, document),
            diagnostics=tuple(replace(one, range=_moved(one.range, by, document)) for one in context.diagnostics),
        )
        return Subject(context, document, tracked)

    def release(self) -> None:
        """Stop following the target."""
        if self.document is not None and self.target is not None:
            self.document.untrack(self.target)
            self.target = None


def _moved(range_: Range, by: int, document: Document) -> Range:
    start, end = (Place(place.line + by, place.column) for place in (range_.start, range_.end))
    return Range(document.text.clamp(start), document.text.clamp(end))


def find_subject(asked: Asked, task: Task, documents: Documents, language: str) -> Subject:
    """Return what ``asked`` is about. Raises ``UsageError`` for a place that does not exist."""
    if asked.uri is None:
        if task.edits:
            raise UsageError(msg("There is no document to change."), msg("Open a file and put the caret in it."))
        return Subject(Context(instruction=asked.instruction, answer_language=language))
    document = documents.read(asked.uri)
    diagnostics = tuple(_diagnostic(document, item) for item in asked.diagnostics if item.source != OUR_SOURCE)
    place = _place(document, asked.range)
    target = place if asked.is_exact and place else target_lines(document.text.lines, place, diagnostics)
    context = Context(
        name=document.name,
        language_id=document.language_id,
        lines=tuple(document.text.lines),
        selection=place or target,
        target=target,
        diagnostics=diagnostics,
        instruction=asked.instruction,
        answer_language=language,
    )
    if task.name == "fix" and not context.target_text.strip():
        raise UsageError(msg("There is nothing to fix at this place."), msg("Select the code, or put the caret in it."))
    return Subject(context, document, document.track(target) if document.is_open else None)


def _place(document: Document, range_: types.Range | None) -> Range | None:
    if range_ is None:
        return None
    count = len(document.text.lines)
    if range_.start.line >= count:
        raise UsageError(
            msg("Line {line} does not exist: {name} has {count} lines.",
                line=range_.start.line + 1, name=document.name, count=count),
            msg("Select the place again."),
        )  # fmt: skip
    return document.range(range_)


def _diagnostic(document: Document, item: types.Diagnostic) -> Diagnostic:
    code = "" if item.code is None else str(item.code)
    message = item.message if isinstance(item.message, str) else item.message.value
    return Diagnostic(document.range(item.range), message, item.source or "", code)
