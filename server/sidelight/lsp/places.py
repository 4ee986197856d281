"""Where the latest runs were about: their places follow the documents, so that code of an answer finds back there."""

from __future__ import annotations

from collections import OrderedDict

from sidelight.editing.text import Range
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.subject import Subject

_KEPT = 50


class Places:
    """The subjects of the latest runs, by conversation and turn, while their documents stay open."""

    def __init__(self, documents: Documents) -> None:
        self._subjects: OrderedDict[tuple[str, int], Subject] = OrderedDict()
        documents.listen(self._look)

    def keep(self, conversation: str, turn: int, subject: Subject) -> None:
        """Follow the place of a turn from now on; the oldest one is let go."""
        if subject.target is None or subject.document is None or not subject.document.is_open:
            return
        self._let_go((conversation, turn))
        self._subjects[conversation, turn] = subject
        while len(self._subjects) > _KEPT:
            self._let_go(next(iter(self._subjects)))

    def has(self, subject: Subject) -> bool:
        """Whether a subject's place is followed here."""
        return any(kept is subject for kept in self._subjects.values())

    def find(self, conversation: str, turn: int, document: Document) -> Range | None:
        """Return where a turn's place is now; None where it is not known, or in another document."""
        subject = self._subjects.get((conversation, turn))
        if subject is None or subject.document is not document or subject.target is None:
            return None
        return subject.target.range

    def _look(self, document: Document) -> None:
        if not document.is_open:
            for key in [key for key, subject in self._subjects.items() if subject.document is document]:
                self._let_go(key)

    def _let_go(self, key: tuple[str, int]) -> None:
        if subject := self._subjects.pop(key, None):
            subject.release()
