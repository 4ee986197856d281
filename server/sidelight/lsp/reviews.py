"""Edits that the user has not kept or undone yet: what can be done about them, and where they show.

Nothing of this stands in the file. Changed hunks are hint diagnostics, actions are code actions (and CodeLens where the
client has it). Undoing merges three ways with what was typed since, so that nothing of the user's is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types

from sidelight.editing.live_plan import Plan
from sidelight.editing.merge import merge_ended
from sidelight.editing.text import Place, Range
from sidelight.editing.tracked import TrackedRange
from sidelight.lsp.buffer import BufferWriter, UnwrittenError
from sidelight.lsp.client import Client, new_label
from sidelight.lsp.delivery import not_applied
from sidelight.lsp.diagnostics import MARK_CODE, OUR_SOURCE
from sidelight.lsp.documents import Document, Documents
from sidelight.messages import Message, msg

_HINT = 4
_SHOWN_CHARACTERS = 60
# Nobody reviews more of them one by one; each follows every change of the document.
_MOST_HUNKS = 100


@dataclass(slots=True, eq=False)
class Hunk:
    """Lines that an edit wrote (``new``) where ``old`` stood; ``place`` follows them."""

    number: int
    place: TrackedRange
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Review:
    """One edit under review. ``place`` follows all that it was about; ``rest`` what a cut-off answer did not reach.

    ``whole`` returns its target by the answer, whatever spoke against it (lines without line ends), where that was not
    applied; it takes a while for a long answer. ``before`` is the target as the answer knew it. ``can_retry``: a
    model was asked, which can be asked again.
    """

    id: str
    title: str
    document: Document
    place: TrackedRange
    hunks: list[Hunk]
    rest: TrackedRange | None = None
    whole: Callable[[], Sequence[str] | None] | None = None
    before: Sequence[str] = ()
    again: Callable[[Range, str], None] = field(default=lambda _place, _more: None)
    show_answer: Callable[[], Awaitable[None]] | None = None
    can_retry: bool = True
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Reviews:
    """All edits under review, the latest last."""

    def __init__(self, client: Client, documents: Documents) -> None:
        self._client = client
        self._documents = documents
        self._reviews: dict[str, Review] = {}
        documents.listen(self._look)
        client.diagnostics.add(self._diagnostics)

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
        """Let an edit, or one hunk of it, be the user's text, and what an earlier edit wrote in its place, too."""
        chosen = _chosen(review, number)
        for other in self.of(review.document):
            for hunk in list(other.hunks):
                if hunk in chosen or (self._is_earlier(other, review) and _overlap(hunk, chosen)):
                    other.hunks.remove(hunk)
                    review.document.untrack(hunk.place)
            if not other.hunks and (other is review or other.whole is None):
                self._drop(other)
        self._show(review.document)

    def _is_earlier(self, one: Review, other: Review) -> bool:
        order = list(self._reviews.values())
        return one is not other and order.index(one) < order.index(other)

    def _stands_below_another(self, review: Review, chosen: Sequence[Hunk]) -> bool:
        """Whether a later edit has written over these hunks."""
        later = [other for other in self.of(review.document) if self._is_earlier(review, other)]
        return any(_overlap(hunk, chosen) for other in later for hunk in other.hunks)

    async def undo(self, review: Review, number: int | None = None) -> bool:
        """Take an edit, or one hunk of it, back; what the user has typed in it stays. Tells whether that was done."""
        act = "undo" if number is None else "undo-hunk"
        if not await self.undo_hunks(review, _chosen(review, number), new_label(review.title, act)):
            return False
        if not review.hunks:
            self._drop(review)
        self._show(review.document)
        return True

    async def undo_hunks(self, review: Review, chosen: list[Hunk], label: str) -> bool:
        """Take hunks of an edit back, but let the review stand."""
        conflicts = 0
        if self._stands_below_another(review, chosen):
            told = msg("A later edit has changed the same lines: undo or keep that one first.")
            self._client.show(types.MessageType.Info, told)
            return False

        def plan(writer: BufferWriter) -> Plan:
            nonlocal conflicts
            lines, conflicts = _undone(writer, chosen)
            return writer.region.plan_lines(lines)

        if chosen and not await self._write(review, chosen, plan, label):
            return False
        self._tell_conflicts(conflicts)
        return True

    async def apply_anyway(self, review: Review) -> bool:
        """Put the whole code of an answer in, whatever spoke against it. It can be reviewed like any other edit."""
        whole = await asyncio.to_thread(review.whole) if review.whole is not None else None
        label = new_label(review.title, "apply")
        if whole is None or not await self.undo_hunks(review, list(review.hunks), label):
            return False

        conflicts = 0

        def plan(writer: BufferWriter) -> Plan:
            nonlocal conflicts
            region, line_end = writer.region, writer.document.text.line_end
            first, end = region.target
            merged = merge_ended(review.before, region.lines[first:end], [line + line_end for line in whole], line_end)
            conflicts = merged.conflicts
            return region.plan_lines([*region.lines[:first], *merged.lines, *region.lines[end:]])

        def take(writer: BufferWriter) -> None:
            review.hunks.extend(self.hunks_of(writer))

        if not await self._write(review, [], plan, label, then=take):
            return False
        review.whole = None
        if review.rest is not None:
            review.document.untrack(review.rest)
            review.rest = None
        self._tell_conflicts(conflicts)
        self._show(review.document)
        return True

    def _tell_conflicts(self, conflicts: int) -> None:
        if conflicts:
            told = msg("Lines that you have changed were kept, at {count} places.", count=conflicts)
            self._client.show(types.MessageType.Info, told)

    async def _write(
        self,
        review: Review,
        chosen: list[Hunk],
        plan: Callable[[BufferWriter], Plan],
        label: str,
        then: Callable[[BufferWriter], None] = lambda _: None,
    ) -> bool:
        """Write, with the chosen hunks out of the review meanwhile; they come back where it fails."""
        review.hunks = [hunk for hunk in review.hunks if hunk not in chosen]
        writer = BufferWriter(self._client, self._documents, review.document, review.place.range, label)
        try:
            await writer.write(lambda: plan(writer))
            then(writer)
        except UnwrittenError as error:
            self._client.show(types.MessageType.Warning, not_applied(error.reason, in_part=False))
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
            # What comes back where lines were removed belongs to the hunk: the editor's own undo, above all.
            Hunk(
                number,
                writer.document.track(writer.place_of(item.first, item.end), grows=item.first == item.end),
                item.old,
                item.new,
            )
            for number, item in enumerate(writer.region.written(_MOST_HUNKS))
        ]

    def _look(self, document: Document) -> None:
        """Forget the edits of a closed document, and the hunks that the user undid with the editor's own undo."""
        if not document.is_open:
            for review in self.of(document):
                self._drop(review)
            self._show(document)
            return
        if document.is_changing:
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
        if self._client.diagnostics.show(document.uri, document):
            self._client.refresh_lenses()

    def _diagnostics(self, uri: str) -> list[dict[str, Any]]:
        document = self._documents.opened(uri)
        reviews = self.of(document) if document is not None else []
        return [self._diagnostic(review, hunk) for review in reviews for hunk in review.hunks]

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
            "code": MARK_CODE,
            "message": self._client.write(message),
        }

    def actions(self, document: Document, place: Range) -> Iterator[tuple[Message, str, dict[str, Any]]]:
        """Yield title, command and argument of what can be done at a place, that of the nearest hunk first."""
        for review in self.of(document):
            if not any(_touch(each.range, place) for each in (review.place, *(hunk.place for hunk in review.hunks))):
                continue
            argument = {"edit": review.id}
            for hunk in review.hunks:
                if _touch(hunk.place.range, place) and len(review.hunks) > 1:
                    yield msg("Undo this hunk"), "undo", {**argument, "hunk": hunk.number}
                    yield msg("Keep this hunk"), "keep", {**argument, "hunk": hunk.number}
            if review.hunks:
                yield msg("Keep"), "keep", argument
                yield msg("Undo this edit"), "undo", argument
            if review.rest is not None:
                yield msg("Continue"), "continue", argument
            if review.whole is not None:
                yield msg("Apply anyway"), "applyAnyway", argument
            again = [(msg("Retry"), "retry", argument)] if review.can_retry else []
            yield from [*again, (msg("Refine…"), "refine", argument)]
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
            yield first, msg("Keep"), "keep", argument
            yield first, msg("Undo this edit"), "undo", argument
            if review.can_retry:
                yield first, msg("Retry"), "retry", argument
            if len(review.hunks) > 1:
                for hunk in review.hunks:
                    yield hunk.place.range.start, msg("Undo this hunk"), "undo", {**argument, "hunk": hunk.number}

    def next_change(self, review: Review, after: Place | None) -> Range | None:
        """Return where the next hunk is, after a place; after the last one, the first."""
        places = sorted((hunk.place.range for hunk in review.hunks), key=lambda range_: range_.start)
        later = (place for place in places if after is None or place.start > after)
        return next(later, places[0] if places else None)


def _chosen(review: Review, number: int | None) -> list[Hunk]:
    return [hunk for hunk in review.hunks if number is None or hunk.number == number]


def _overlap(hunk: Hunk, others: Sequence[Hunk]) -> bool:
    one = hunk.place.range
    return any(one.start < other.place.range.end and other.place.range.start < one.end for other in others)


def _undone(writer: BufferWriter, hunks: Sequence[Hunk]) -> tuple[list[str], int]:
    """Return the region's lines without what the hunks wrote, and how often the user's lines stood against it."""
    lines, conflicts = list(writer.region.lines), 0
    for hunk in sorted(hunks, key=lambda hunk: hunk.place.range.start, reverse=True):
        place = hunk.place.range
        first = place.start.line - writer.first_line
        end = first if place.is_empty else place.end_line - writer.first_line
        if place.is_empty and place.start.column:  # at the end of a document whose last line has no line end
            first = end = first + 1
        merged = merge_ended(hunk.new, lines[first:end], hunk.old, writer.document.text.line_end)
        lines[first:end] = merged.lines
        conflicts += merged.conflicts
    return lines, conflicts


def _is_undone(document: Document, hunk: Hunk) -> bool:
    return document.text.between(hunk.place.range) == "".join(hunk.old)


def _touch(one: Range, other: Range) -> bool:
    return one.start.line <= other.end.line and other.start.line <= max(one.end_line - 1, one.start.line)
