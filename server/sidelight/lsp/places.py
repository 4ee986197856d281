"""Where the latest runs were about: their places follow the documents, so that code of an answer finds back there."""

from __future__ import annotations

from collections import OrderedDict

from sidelight.editing.text import Range
from sidelight.editing.tracked import TrackedRange
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.subject import Subject

_KEPT = 50


class Places:
    """The places of the latest runs, by conversation and turn, while their documents stay open.

    Only the place is kept: a subject has all lines of its document.
    """

    def __init__(self, documents: Documents) -> None:
        self._kept: OrderedDict[tuple[str, int], tuple[Document, TrackedRange]] = OrderedDict()
        documents.listen(self._look)

    def keep(self, conversation: str, turn: int, subject: Subject) -> None:
        """Follow the place of a turn from now on; the oldest one is let go."""
        if subject.target is None or subject.document is None or not subject.document.is_open:
            return
        self._let_go((conversation, turn))
        self._kept[conversation, turn] = subject.document, subject.target
        while len(self._kept) > _KEPT:
            self._let_go(next(iter(self._kept)))

    def has(self, subject: Subject) -> bool:
        """Whether a subject's place is followed here."""
        return any(tracked is subject.target for _, tracked in self._kept.values())

    def find(self, conversation: str, turn: int, document: Document) -> Range | None:
        """Return where a turn's place is now; None where it is not known, or in another document."""
        of, tracked = self._kept.get((conversation, turn), (None, None))
        return tracked.range if tracked is not None and of is document else None

    def _look(self, document: Document) -> None:
        if not document.is_open:
            for key in [key for key, (of, _) in self._kept.items() if of is document]:
                self._let_go(key)

    def _let_go(self, key: tuple[str, int]) -> None:
        if kept := self._kept.pop(key, None):
            document, tracked = kept
            document.untrack(tracked)
