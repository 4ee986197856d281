"""What we show as diagnostics: one list for each document, whoever of us has something to show in it.

A ``publishDiagnostics`` replaces all that was published for a document before, so everybody publishes here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types

from sidelight.lsp.documents import Document, document_key

OUR_SOURCE = "sidelight"
# Tells the lines that an edit changed from what a review found; clients may show them otherwise than problems.
MARK_CODE = "changed"

Owner = Callable[[str], list[dict[str, Any]]]
"""Returns what somebody has to show now in the document of a URI, open or not."""


class Diagnostics:
    """Publishes; ``tell`` sends a notification."""

    def __init__(self, tell: Callable[[str, Any], None]) -> None:
        self._tell = tell
        self._owners: list[Owner] = []
        self._shown: set[str] = set()

    def add(self, owner: Owner) -> None:
        """Let somebody show diagnostics from now on."""
        self._owners.append(owner)

    def show(self, uri: str, document: Document | None) -> bool:
        """Publish what there is for a document; tells whether that was needed. ``document`` is None where not open."""
        found = [each for owner in self._owners for each in owner(uri)]
        key = document_key(uri)
        if not found and key not in self._shown:
            return False
        (self._shown.add if found else self._shown.discard)(key)
        is_versioned = document is not None and document.is_open and document.version is not None
        version = {"version": document.version} if document is not None and is_versioned else {}
        params = {"uri": uri, **version, "diagnostics": found}
        self._tell(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
        return True


def is_mark(item: types.Diagnostic) -> bool:
    """Whether a diagnostic is ours, and marks lines that an edit has changed."""
    return item.source == OUR_SOURCE and item.code == MARK_CODE
