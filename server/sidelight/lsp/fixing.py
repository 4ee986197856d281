"""What users do with findings: take the suggested lines, ask for a fix, dismiss them, read the whole review.

The suggested lines go the way of every edit: with a restore point, judged, fitted, reviewed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lsprotocol import types

from sidelight.core.tasks import TASKS
from sidelight.editing.code_place import CodePlace
from sidelight.lsp.apply_code import APPLY, apply_at
from sidelight.lsp.documents import Document
from sidelight.lsp.findings import Shown
from sidelight.lsp.jobs import Job
from sidelight.lsp.page_delivery import incomplete_note
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.session import Session
from sidelight.lsp.subject import Asked
from sidelight.messages import msg

# What tells a fix task whose finding it is: what comes from "sidelight" itself would be taken for marks of edits.
_SOURCE = "review"


class Fixing:
    """The commands; ``session`` is looked up at each, since it is made after the table."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    def commands(self) -> dict[str, Callable[[Any], dict[str, bool]]]:
        """Return the table: command -> what does it."""
        return {
            "sidelight.fixFinding": self._fix,
            "sidelight.dismissFinding": self._dismiss,
            "sidelight.showReview": self._show_review,
        }

    def _fix(self, argument: Any) -> dict[str, bool]:
        session, found = self._session(), self._found(argument)
        document = session.documents.opened(found[0].file.uri) if found else None
        if not found or document is None:
            return self._nothing_here()
        ready = [] if argument.get("ask") is True else [shown for shown in found if shown.new_lines is not None]
        if ready:
            session.do(self._apply_all(session, document, ready))
        else:
            self._ask(session, document, found)
        return {"accepted": True}

    def _dismiss(self, argument: Any) -> dict[str, bool]:
        found = self._found(argument)
        if not found:
            return self._nothing_here()
        self._session().findings.dismiss(found)
        return {"accepted": True}

    def _show_review(self, argument: Any) -> dict[str, bool]:
        found = self._found(argument)
        if not found:
            return self._nothing_here()
        session, review = self._session(), found[-1].review
        page = session.pages.new(review.title, session.findings.subject_now(review), review.answer)
        page.foot = incomplete_note(review.answer, session.client) if review.answer.finished else ""
        session.do(session.pages.show(page))
        return {"accepted": True}

    def _found(self, argument: Any) -> list[Shown]:
        uri, id_ = (argument or {}).get("uri"), (argument or {}).get("finding")
        if not isinstance(uri, str) or not (id_ is None or isinstance(id_, str)):
            raise InvalidParams("uri must be a string, and finding, where there is one, too.")
        return self._session().findings.by_id(uri, id_)

    def _nothing_here(self) -> dict[str, bool]:
        self._session().client.show(types.MessageType.Info, msg("There is no finding here any more."))
        return {"accepted": False}

    async def _apply_all(self, session: Session, document: Document, found: Sequence[Shown]) -> None:
        """Put the suggested lines in, from the last place to the first, so that none moves another one."""
        for shown in reversed(found):
            lines = shown.new_lines  # what was put in before may have changed the lines of this one
            if lines is None or shown.fix is None:
                continue
            place = shown.fix.range
            code = CodePlace(place.start.line, place.end.line + 1, lines)
            job = Job(APPLY.name, session.client)
            session.begin(job, apply_at(session, job, document, code, Asked(document.uri, None, shown.message)))
            await job.ended()

    def _ask(self, session: Session, document: Document, found: Sequence[Shown]) -> None:
        diagnostics = tuple(_diagnostic(document, shown) for shown in found)
        session.running.start(TASKS["fix"], Asked(document.uri, diagnostics=diagnostics))


def _diagnostic(document: Document, shown: Shown) -> types.Diagnostic:
    place = document.lsp_range(shown.place.range)
    start, end = (types.Position(**place[name]) for name in ("start", "end"))
    code = shown.finding.code or None
    return types.Diagnostic(types.Range(start, end), shown.message, source=_SOURCE, code=code)
