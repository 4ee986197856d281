"""What a command or a run is about: its arguments, and the place in a document that they mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from cattrs import Converter
from lsprotocol import types

from sidelight.core.context import Context, Diagnostic, target_lines
from sidelight.core.doc_style import with_comments_above
from sidelight.core.finding_places import Reviewed
from sidelight.core.own_tasks import require_place
from sidelight.core.secrets import refuse_secret_file
from sidelight.core.tasks import Task
from sidelight.editing.symbols import headers_of
from sidelight.editing.text import Place, Range
from sidelight.editing.tracked import TrackedRange
from sidelight.errors import UsageError
from sidelight.lsp.diagnostics import is_mark
from sidelight.lsp.documents import Document, Documents, name_of
from sidelight.lsp.protocol import InvalidParams
from sidelight.messages import msg


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a command or a run, checked. ``is_exact``: the range is the target as it is.

    ``changes``: it is about what has changed in the folder of ``uri`` since the last commit. ``is_symbol``: the range
    stands on a name, whose definition is meant.
    """

    uri: str | None = None
    range: types.Range | None = None
    instruction: str = ""
    diagnostics: tuple[types.Diagnostic, ...] = ()
    conversation: str | None = None
    workspace: str | None = None
    is_exact: bool = False
    changes: bool = False
    is_symbol: bool = False


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
        texts["uri"], range_, texts["instruction"] or "", diagnostics, texts["conversation"], texts["workspace"],
        changes=_flag(arguments, "changes"), is_symbol=_flag(arguments, "symbol"),
    )  # fmt: skip


def _text(arguments: dict[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidParams(f"{name} must be a string.")
    return value or None


def _flag(arguments: dict[str, Any], name: str) -> bool:
    value = arguments.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidParams(f"{name} must be true or false.")
    return value is True


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
    ``files`` are what a review of changes looks at, with their URIs.
    """

    context: Context
    document: Document | None = None
    target: TrackedRange | None = field(default=None)
    files: tuple[tuple[str, Reviewed], ...] = ()

    def with_instruction(self, instruction: str) -> Subject:
        """Return the same subject with the user's words."""
        return replace(self, context=replace(self.context, instruction=instruction))

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

    def followed(self) -> Subject:
        """Return the subject without a target that is followed no longer: nobody knows where that is by now."""
        is_lost = self.document is not None and self.target is not None and not self.document.follows(self.target)
        return replace(self, target=None) if is_lost else self

    def release(self) -> None:
        """Stop following the target."""
        if self.document is not None and self.target is not None:
            self.document.untrack(self.target)
            self.target = None


def _moved(range_: Range, by: int, document: Document) -> Range:
    start, end = (Place(place.line + by, place.column) for place in (range_.start, range_.end))
    return Range(document.text.clamp(start), document.text.clamp(end))


def find_subject(asked: Asked, task: Task, documents: Documents, language: str) -> Subject:
    """Return what ``asked`` is about. Raises ``UsageError`` for a place that does not exist, and a file for secrets."""
    if asked.uri is None or asked.changes or not task.has_place:
        if task.edits:
            raise UsageError(msg("There is no document to change."), msg("Open a file and put the caret in it."))
        nowhere = Context(instruction=asked.instruction, answer_language=language)
        require_place(task, nowhere)
        return Subject(nowhere)
    refuse_secret_file(name_of(asked.uri))
    document = documents.read(asked.uri)
    diagnostics = tuple(diagnostic_of(document, item) for item in asked.diagnostics if not is_mark(item))
    place = _place(document, asked.range)
    if asked.is_symbol and place is not None:
        place = _definition(document, place.start)
    target = place if asked.is_exact and place else target_lines(document.text.lines, place, diagnostics)
    if task.name == "document" and not asked.is_exact:
        target = with_comments_above(document.text.lines, target, document.language_id)
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
    require_place(task, context)
    if task.name in ("document", "test") and not context.target_text.strip():
        raise UsageError(msg("There is no code at this place."), msg("Select the code, or put the caret in it."))
    if task.name == "fix" and not context.target_text.strip():
        raise UsageError(msg("There is nothing to fix at this place."), msg("Select the code, or put the caret in it."))
    return Subject(context, document, document.track(target) if document.is_open else None)


def _definition(document: Document, place: Place) -> Range:
    """Return the caret in the definition of the name at a place; at the place itself where there is none."""
    header = next(headers_of(document.text.lines, document.language_id, place), place.line)
    return Range(Place(header, 0), Place(header, 0))


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


def diagnostic_of(document: Document, item: types.Diagnostic) -> Diagnostic:
    """Return a diagnostic of the client's, its place in the document as it is now."""
    code = "" if item.code is None else str(item.code)
    message = item.message if isinstance(item.message, str) else item.message.value
    return Diagnostic(document.range(item.range), message, item.source or "", code)
