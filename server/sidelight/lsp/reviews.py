"""Edits that the user has not kept or undone yet: what can be done about them, and where they show.

Nothing of this stands in the file. Changed hunks are hint diagnostics, actions are code actions (and CodeLens where the
client has it). Undoing merges three ways with what was typed since, so that nothing of the user's is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types

from sidelight.editing.live_region import Plan
from sidelight.editing.merge import merge
from sidelight.editing.text import Place, Range
from sidelight.editing.tracked import TrackedRange
from sidelight.lsp.buffer import BufferWriter, UnwrittenError
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.subject import OUR_SOURCE
from sidelight.messages import Message, msg

_HINT = 4
_SHOWN_CHARACTERS = 60


@dataclass(slots=True, eq=False)
class Hunk:
    """Lines that an edit wrote (``new``) where ``old`` stood; ``place`` follows them."""

    place: TrackedRange
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Review:
    """One edit under review. ``place`` follows all that it was about; ``rest`` what a cut-off answer did not reach.

    ``whole`` is its target by the answer, whatever spoke against it (lines without line ends), where that was not
    applied.
    """

    id: str
    title: str
    document: Document
    place: TrackedRange
    hunks: list[Hunk]
    reason: Message | None = None
    rest: TrackedRange | None = None
    whole: Sequence[str] | None = None
    again: Callable[[Range, str], None] = field(default=lambda _place, _more: None)
    show_answer: Callable[[], Awaitable[None]] | None = None


class Reviews:
    """All edits under review, the latest last."""

    def __init__(self, client: Client, documents: Documents) -> None:
        self._client = client
        self._documents = documents
        self._reviews: dict[str, Review] = {}
        self._shown: set[str] = set()
        documents.listen(self._look)

    def add(self, review: Review) -> None:
        """Take an edit in."""
        self._reviews[review.id] = review
        self._show(review.document)

    def by_id(self, id_: object) -> Review | None:
        """Return the review of that id."""
        return self._reviews.get(str(id_))

    def of(self, document: Document) -> list[Review]:
        """Return the reviews of a document, the latest first."""
        return [review for review in reversed(self._reviews.values()) if review.document is document]

    @property
    def latest(self) -> Review | None:
        """The latest edit under review."""
        return next(reversed(self._reviews.values()), None)

    # What the user can do

    def keep(self, review: Review, number: int | None = None) -> None:
        """Let an edit, or one hunk of it, be the user's text."""
        for hunk in _chosen(review, number):
            review.hunks.remove(hunk)
            review.document.untrack(hunk.place)
        if not review.hunks:
            self._drop(review)
        self._show(review.document)

    async def undo(self, review: Review, number: int | None = None) -> bool:
        """Take an edit, or one hunk of it, back; what the user has typed in it stays. Tells whether that was done."""
        if not await self.undo_hunks(review, _chosen(review, number)):
            return False
        if not review.hunks:
            self._drop(review)
        self._show(review.document)
        return True

    async def undo_hunks(self, review: Review, chosen: list[Hunk]) -> bool:
        """Take hunks of an edit back, but let the review stand."""
        conflicts = 0

        def plan(writer: BufferWriter) -> Plan:
            nonlocal conflicts
            if writer.region.is_written:  # it has arrived, and the hunks are gone
                return writer.region.plan()
            lines, conflicts = _undone(writer, chosen)
            return writer.region.plan_lines(lines)

        if chosen and not await self._write(review, chosen, plan):
            return False
        if conflicts:
            told = msg("Lines that you have changed were kept, at {count} places.", count=conflicts)
            self._client.show(types.MessageType.Info, told)
        return True

    async def apply_anyway(self, review: Review) -> bool:
        """Put the whole code of an answer in, whatever spoke against it. It can be reviewed like any other edit."""
        whole, chosen = review.whole, list(review.hunks)
        if whole is None or not await self.undo_hunks(review, chosen):
            return False
        found: list[Hunk] = []

        def plan(writer: BufferWriter) -> Plan:
            found[:] = self.hunks_of(writer)
            return writer.region.plan_lines(writer.region.with_target(whole))

        if not await self._write(review, [], plan):
            return False
        review.hunks, review.whole, review.rest, review.reason = found, None, None, None
        self._show(review.document)
        return True

    async def _write(self, review: Review, chosen: list[Hunk], plan: Callable[[BufferWriter], Plan]) -> bool:
        """Write, with the chosen hunks out of the review meanwhile; they come back where it fails."""
        review.hunks = [hunk for hunk in review.hunks if hunk not in chosen]
        writer = BufferWriter(self._client, self._documents, review.document, review.place.range, review.title)
        try:
            await writer.drain(lambda: plan(writer))
        except UnwrittenError as error:
            self._client.show(types.MessageType.Warning, msg("Not applied: {reason}", reason=error.reason))
            review.hunks = sorted([*review.hunks, *chosen], key=lambda hunk: hunk.place.range.start)
            return False
        finally:
            writer.close()
        for hunk in chosen:
            review.document.untrack(hunk.place)
        return True

    # Where they show

    def hunks_of(self, writer: BufferWriter) -> list[Hunk]:
        """Return what a writer has written, as hunks that follow the document from now on."""
        return [
            Hunk(writer.document.track(writer.place_of(item.first, item.end)), item.old, item.new)
            for item in writer.region.written()
        ]

    def _look(self, document: Document) -> None:
        """Forget the edits of a closed document, and the hunks that the user undid with the editor's own undo."""
        if not document.is_open:
            for review in self.of(document):
                self._drop(review)
            self._show(document)
            return
        for review in self.of(document):
            undone = [hunk for hunk in review.hunks if hunk.place.is_touched and _is_undone(document, hunk)]
            for hunk in undone:
                review.hunks.remove(hunk)
                document.untrack(hunk.place)
            if undone and not review.hunks:
                self._drop(review)
            if undone:
                self._show(document)

    def _drop(self, review: Review) -> None:
        self._reviews.pop(review.id, None)
        for place in (review.place, review.rest, *(hunk.place for hunk in review.hunks)):
            if place is not None:
                review.document.untrack(place)
        review.hunks.clear()

    def _show(self, document: Document) -> None:
        """Show the changed hunks as hints; none any more when there is nothing to review."""
        found = [self._diagnostic(review, hunk) for review in self.of(document) for hunk in review.hunks]
        if not found and document.key not in self._shown:
            return
        (self._shown.add if found else self._shown.discard)(document.key)
        params = {"uri": document.uri, "diagnostics": found}
        self._client.protocol.tell(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
        self._client.refresh_lenses()

    def _diagnostic(self, review: Review, hunk: Hunk) -> dict[str, Any]:
        was = next((line.strip() for line in hunk.old if line.strip()), "")[:_SHOWN_CHARACTERS]
        count = len(hunk.new)
        if not hunk.new:
            message = msg("Sidelight removed {count} lines: {was}", count=len(hunk.old), was=was)
        elif was:
            message = msg("Changed by Sidelight ({count} lines), was: {was}", count=count, was=was)
        else:
            message = msg("Written by Sidelight ({count} lines)", count=count)
        return {
            "range": review.document.lsp_range(hunk.place.range),
            "severity": _HINT,
            "source": OUR_SOURCE,
            "message": self._client.write(message),
        }

    def actions(self, document: Document, place: Range) -> Iterator[tuple[Message, str, dict[str, Any]]]:
        """Yield title, command and argument of what can be done at a place, that of the nearest hunk first."""
        for review in self.of(document):
            if not _touch(review.place.range, place):
                continue
            argument = {"edit": review.id}
            for number, hunk in enumerate(review.hunks):
                if _touch(hunk.place.range, place) and len(review.hunks) > 1:
                    yield msg("Undo this hunk"), "undo", {**argument, "hunk": number}
                    yield msg("Keep this hunk"), "keep", {**argument, "hunk": number}
            if review.hunks:
                yield msg("Keep"), "keep", argument
                yield msg("Undo this edit"), "undo", argument
            if review.rest is not None:
                yield msg("Continue"), "continue", argument
            if review.whole is not None:
                yield msg("Apply anyway"), "applyAnyway", argument
            yield msg("Retry"), "retry", argument
            yield msg("Refine…"), "refine", argument
            if review.hunks:
                yield msg("Next change"), "nextChange", argument
            yield msg("Show the whole answer"), "showAnswer", argument
            if not review.hunks:
                yield msg("Dismiss"), "keep", argument

    def lenses(self, document: Document) -> Iterator[tuple[Place, Message, str, dict[str, Any]]]:
        """Yield place, title, command and argument of what shows above an edit and its hunks."""
        for review in self.of(document):
            if not review.hunks:
                continue
            first, argument = review.hunks[0].place.range.start, {"edit": review.id}
            for title, command in ((msg("Keep"), "keep"), (msg("Undo this edit"), "undo"), (msg("Retry"), "retry")):
                yield first, title, command, argument
            if len(review.hunks) > 1:
                for number, hunk in enumerate(review.hunks):
                    yield hunk.place.range.start, msg("Undo this hunk"), "undo", {**argument, "hunk": number}

    def next_change(self, review: Review, after: Place | None) -> Range | None:
        """Return where the next hunk is, after a place; after the last one, the first."""
        places = sorted((hunk.place.range for hunk in review.hunks), key=lambda range_: range_.start)
        later = (place for place in places if after is None or place.start > after)
        return next(later, places[0] if places else None)


def _chosen(review: Review, number: int | None) -> list[Hunk]:
    if number is None:
        return list(review.hunks)
    return review.hunks[number : number + 1] if number >= 0 else []


def _undone(writer: BufferWriter, hunks: Sequence[Hunk]) -> tuple[list[str], int]:
    """Return the region's lines without what the hunks wrote, and how often the user's lines stood against it."""
    lines, conflicts = list(writer.region.lines), 0
    for hunk in sorted(hunks, key=lambda hunk: hunk.place.range.start, reverse=True):
        place = hunk.place.range
        first = place.start.line - writer.first_line
        end = first if place.is_empty else place.end_line - writer.first_line
        merged = merge(hunk.new, lines[first:end], hunk.old)
        lines[first:end] = merged.lines
        conflicts += merged.conflicts
    return lines, conflicts


def _is_undone(document: Document, hunk: Hunk) -> bool:
    return document.text.between(hunk.place.range) == "".join(hunk.old)


def _touch(one: Range, other: Range) -> bool:
    return one.start.line <= other.end.line and other.start.line <= max(one.end_line - 1, one.start.line)
