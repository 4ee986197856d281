"""What reviews have found, as diagnostics that follow the text, and what can be done about each.

A finding was made of the text as the model saw it (its snapshot); where the document is another by now, the lines are
found again by what has changed. A finding whose own lines the user changes is over. What commands do: ``fixing.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sidelight.core.answers import Answer
from sidelight.core.finding_lines import Severity
from sidelight.core.finding_places import Reviewed
from sidelight.core.findings import Finding
from sidelight.editing.line_diff import Hunk, hunks
from sidelight.editing.text import Place, Range
from sidelight.editing.tracked import TrackedRange
from sidelight.lsp.client import Client
from sidelight.lsp.diagnostics import OUR_SOURCE
from sidelight.lsp.documents import Document, Documents, document_key, file_path
from sidelight.lsp.subject import Subject
from sidelight.lsp.whole_lines import lines_in, lines_now, stripped, touch, visible, whole_lines
from sidelight.messages import Message, msg, plain

_SEVERITIES: dict[Severity, int] = {"error": 1, "warning": 2, "information": 3, "hint": 4}
_LATER_S = 0.3
_LONGEST_TITLE = 60
# Nobody reads more; each of them is looked at with every change of its document.
_MOST = 500


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedFile:
    """A file of a review: its text as the model saw it, as a document that is not open."""

    uri: str
    reviewed: Reviewed
    snapshot: Document


@dataclass(slots=True, eq=False)
class Review:
    """One review: its answer, and what it is about. ``related`` are LSP's places of its sources, known at its end.

    By the findings' numbers: those that were taken in, those that the user does not want, and those whose lines had
    changed before they came.
    """

    id: str
    title: str
    subject: Subject
    files: Sequence[ReviewedFile]
    answer: Answer = field(default_factory=Answer)
    related: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[int, Finding] = field(default_factory=dict)
    dismissed: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Shown:
    """One finding where it stands now. ``place`` and ``fix`` follow the open document, else they are the snapshot's.

    ``lines`` are what stands there as long as the finding is worth something.
    """

    id: str
    review: Review
    file: ReviewedFile
    finding: Finding
    lines: tuple[str, ...]
    place: TrackedRange
    fix: TrackedRange | None
    fixed: tuple[str, ...]
    document: Document | None
    told: Range | None = None

    @property
    def message(self) -> str:
        """What is wrong there, with the secrets that the model was not shown."""
        return self.review.subject.context.mask.restore(self.finding.message)

    @property
    def new_lines(self) -> list[str] | None:
        """The lines to put in the place of ``fix``; None where the model named none, or the old ones have changed."""
        suggestion, fix = self.finding.suggestion, self.fix
        if suggestion is None or fix is None or self.document is None:
            return None
        if stripped(lines_in(self.document, fix.range)) != self.fixed:
            return None
        return [self.review.subject.context.mask.restore(line) for line in suggestion.lines]


class Findings:
    """All findings that are shown."""

    def __init__(self, client: Client, documents: Documents) -> None:
        self._client = client
        self._documents = documents
        self._shown: dict[str, Shown] = {}
        self._late: set[str] = set()
        self._compared: tuple[ReviewedFile, Document, int | None, list[Hunk]] | None = None
        documents.listen(self._look)
        documents.listen_to_openings(self._follow)
        client.diagnostics.add(self._diagnostics)

    # What is found

    def set(self, review: Review, findings: Sequence[Finding]) -> None:
        """Show these findings of a review, and no others of it; what was taken in before is not looked at again."""
        wanted = {finding.number: finding for finding in findings[:_MOST]}
        uris = set()
        for shown in self._of_review(review):
            if wanted.get(shown.finding.number) != shown.finding:
                uris.add(shown.file.uri)
                self._forget(shown)
        for number, finding in wanted.items():
            if review.taken.get(number) != finding and number not in review.dismissed:
                uris.add(review.files[finding.file].uri)
                self._take(review, finding)
        review.taken = wanted
        for uri in uris:
            self._publish(uri)

    def _take(self, review: Review, finding: Finding) -> None:
        shown = self._placed(review, finding)
        (review.lost.add if shown is None else review.lost.discard)(finding.number)
        if shown is not None:
            self._shown[shown.id] = shown

    def publish(self, review: Review) -> None:
        """Publish all findings of a review again: more is known about it."""
        for uri in {shown.file.uri for shown in self._of_review(review)}:
            self._publish(uri)

    def clear_for(self, review: Review) -> None:
        """Let earlier findings go where a new review looks."""
        gone = []
        for file in review.files:
            part = whole_lines(file.snapshot, file.reviewed.first, file.reviewed.end)
            document = self._documents.opened(file.uri)
            place = part if document is None else lines_now(part, self._changes(file, document), document) or part
            others = (shown for shown in self.of(file.uri) if shown.review is not review)
            gone += [shown for shown in others if touch(shown.place.range, place)]
        self._let_go(gone)

    def _of_review(self, review: Review) -> list[Shown]:
        return [shown for shown in self._shown.values() if shown.review is review]

    def _placed(self, review: Review, finding: Finding) -> Shown | None:
        """Return the finding where it stands now; None where its lines are others by now."""
        file = review.files[finding.file]
        document = self._documents.opened(file.uri)
        target = file.snapshot if document is None else document
        place = whole_lines(file.snapshot, finding.first, finding.end)
        lines = stripped(lines_in(file.snapshot, place))
        suggestion = finding.suggestion
        fix = whole_lines(file.snapshot, suggestion.first, suggestion.end) if suggestion else None
        fixed = stripped(lines_in(file.snapshot, fix)) if fix else ()
        if document is not None:
            changes = self._changes(file, document)
            found = lines_now(place, changes, document)
            if found is None:
                return None
            place, fix = found, lines_now(fix, changes, document) if fix else None
        id_ = f"{review.id}-{finding.number}"
        tracked = None if fix is None else target.track(fix)
        return Shown(id_, review, file, finding, lines, target.track(place), tracked, fixed, document)

    def _changes(self, file: ReviewedFile, document: Document) -> list[Hunk]:
        """Return what has changed in a document since the model saw it; findings come many at a time."""
        if self._compared is None or self._compared[:3] != (file, document, document.version):
            before, now = file.snapshot.text.lines, document.text.lines
            self._compared = file, document, document.version, [] if before == now else hunks(before, now)
        return self._compared[3]

    def subject_now(self, review: Review) -> Subject:
        """Return what a review is about; where that part has not changed, it is followed anew from where it is now."""
        subject = replace(review.subject, target=None)
        document = self._documents.opened(subject.document.uri) if subject.document else None
        if document is None or subject.files:
            return subject
        file = review.files[0]
        part = whole_lines(file.snapshot, file.reviewed.first, file.reviewed.end)
        place = lines_now(part, self._changes(file, document), document)
        if place is None:
            return subject
        end = Place(place.end.line + 1, 0) if place.end.line + 1 < len(document.text.lines) else place.end
        return replace(subject, document=document, target=document.track(Range(place.start, end)))

    # What is shown

    def of(self, uri: str) -> list[Shown]:
        """Return the findings of a document, the first line first."""
        if not self._shown:  # nearly always, with every key that is typed
            return []
        key = document_key(uri)
        found = [shown for shown in self._shown.values() if shown.file.snapshot.key == key]
        return sorted(found, key=lambda shown: shown.place.range.start)

    def by_id(self, uri: str, id_: str | None) -> list[Shown]:
        """Return the finding of that id, or all of the document."""
        return [shown for shown in self.of(uri) if id_ is None or shown.id == id_]

    def dismiss(self, shown: Sequence[Shown]) -> None:
        """Let findings go that the user does not want."""
        for each in shown:
            each.review.dismissed.add(each.finding.number)
        self._let_go(shown)

    def _let_go(self, shown: Sequence[Shown]) -> None:
        for each in shown:
            self._forget(each)
        for uri in {each.file.uri for each in shown}:
            self._publish(uri)

    def _follow(self, document: Document) -> None:
        """Let the findings of a file follow its document from now on, which was opened just now."""
        found = self.of(document.uri)
        for shown in found:
            self._forget(shown)
            moved = self._placed(shown.review, shown.finding)
            if moved is not None:
                self._shown[moved.id] = moved
        if found:
            self._publish(document.uri)

    def _look(self, document: Document) -> None:
        """Forget the findings whose lines the user has changed, and those that nobody can look at any more."""
        if not document.is_open and self._compared is not None and self._compared[1] is document:
            self._compared = None
        if document.is_changing:
            return
        found = [shown for shown in self.of(document.uri) if shown.document is document]
        gone = [shown for shown in found if not (_stands(shown, document) if document.is_open else _stays(shown))]
        self._let_go(gone)
        if not document.is_open and len(gone) < len(found):
            self._publish(document.uri)  # they have no version any more
        elif not gone and any(shown.place.range != shown.told for shown in found):
            self._publish_later(document.uri)

    def _forget(self, shown: Shown) -> None:
        self._shown.pop(shown.id, None)
        target = shown.document or shown.file.snapshot
        for tracked in (shown.place, shown.fix):
            if tracked is not None:
                target.untrack(tracked)

    def _publish(self, uri: str) -> None:
        self._client.diagnostics.show(uri, self._documents.opened(uri))

    def _publish_later(self, uri: str) -> None:
        """Tell where findings have moved to when the typing pauses: editors move what they show by themselves."""
        if uri not in self._late:
            self._late.add(uri)
            asyncio.get_running_loop().call_later(_LATER_S, self._publish_late, uri)

    def _publish_late(self, uri: str) -> None:
        self._late.discard(uri)
        self._publish(uri)

    def _diagnostics(self, uri: str) -> list[dict[str, Any]]:
        return [self.diagnostic(shown) for shown in self.of(uri)]

    def diagnostic(self, shown: Shown) -> dict[str, Any]:
        """Return LSP's diagnostic of a finding as it stands now."""
        target = shown.document or shown.file.snapshot
        shown.told = shown.place.range
        finding, message = shown.finding, plain(shown.message)
        if finding.missing is not None:
            message = msg("{message} (said of line {line}, which does not exist)",
                          message=message, line=finding.missing)  # fmt: skip
        diagnostic: dict[str, Any] = {
            "range": target.lsp_range(visible(target, shown.place.range)),
            "severity": _SEVERITIES[finding.severity],
            "source": OUR_SOURCE,
            "message": self._client.write(message),
            "data": {"finding": shown.id},
        }
        if finding.code:
            diagnostic["code"] = finding.code
        if shown.review.related and self._client.can.related_information:
            diagnostic["relatedInformation"] = shown.review.related
        return diagnostic

    # What can be done

    def actions(self, document: Document, place: Range) -> Iterator[dict[str, Any]]:
        """Yield the quick fixes for the findings at a place."""
        everything = self.of(document.uri)
        here = [shown for shown in everything if touch(shown.place.range, place)]
        for shown in here:
            one = {"uri": document.uri, "finding": shown.id}
            said = _short(shown.message)
            if shown.new_lines is not None:
                yield self._action(msg("Apply the suggested fix: {message}", message=said), "fixFinding", one, shown)
            ask = {**one, "ask": True}
            yield self._action(msg("Fix with Sidelight: {message}", message=said), "fixFinding", ask, shown)
            yield self._action(msg("Dismiss: {message}", message=said), "dismissFinding", one, shown)
        if here:
            one = {"uri": document.uri, "finding": here[0].id}
            if len(everything) > 1:
                all_ = {"uri": document.uri}
                yield self._action(msg("Dismiss all {count} findings", count=len(everything)), "dismissFinding", all_)
            yield self._action(msg("Show the whole review"), "showReview", one)

    def _action(
        self, title: Message, command: str, argument: dict[str, Any], shown: Shown | None = None
    ) -> dict[str, Any]:
        written = self._client.write(title)
        about = {"diagnostics": [self.diagnostic(shown)]} if shown else {}
        does = {"title": written, "command": f"sidelight.{command}", "arguments": [argument]}
        return {"title": written, "kind": "quickfix", **about, "command": does}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 1] + "…"


def _stays(shown: Shown) -> bool:
    """Whether a finding outlasts its document: one among many files does, which users open and close one by one."""
    path = file_path(shown.file.uri) if shown.review.subject.files else None
    return path is not None and path.is_file()


def _stands(shown: Shown, document: Document) -> bool:
    return stripped(lines_in(document, shown.place.range)) == shown.lines
