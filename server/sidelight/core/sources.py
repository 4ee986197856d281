"""The sources of an answer as its reader counts them: by document, each passage once.

Everything in a source was written by the server that gave it, or in a document: titles, addresses and texts are data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sidelight.core.answers import Source

# AnythingLLM puts a word of its own before the address of a page.
_WRAPPING = re.compile(r"(?:link|web)://(?=https?://)", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
# Addresses that show something, or nothing at all. Others may make an editor do things.
_HARMLESS = ("http", "https", "file", "localfile", "link", "web")
# Where AnythingLLM cuts the text of a document that was given as a whole.
_CONTINUED = re.compile(r"\s*\.\.\.continued on in source document\.\.\.\s*$")


@dataclass(frozen=True, slots=True)
class Cited:
    """A document that an answer cites; ``passages`` may be empty. ``number`` counts from 1."""

    number: int
    title: str
    uri: str
    passages: tuple[str, ...]

    @property
    def text(self) -> str:
        """All cited passages."""
        return "\n\n⋯\n\n".join(self.passages)

    @property
    def name(self) -> str:
        """What the document is called, on one line."""
        return " ".join((self.title or self.address).split())

    @property
    def address(self) -> str:
        """Where the document is, on one line; empty where that is no address to show."""
        return address_of(self.uri)


def cited(sources: Iterable[Source]) -> tuple[Cited, ...]:
    """Return the documents in the order in which they appear, each with its different passages."""
    passages: dict[tuple[str, str], dict[str, str]] = {}
    for source in sources:
        found = passages.setdefault((source.title, source.uri), {})
        text = _CONTINUED.sub("", source.text).strip("\r\n")
        if key := "".join(text.split()):
            found.setdefault(key, text)
    documents = enumerate(passages.items(), 1)
    return tuple(Cited(number, title, uri, tuple(found.values())) for number, ((title, uri), found) in documents)


def source_values(documents: Iterable[Cited]) -> list[dict[str, Any]]:
    """Return the passages as the protocol has them: those of a document together, with its number."""
    return [
        {"title": it.title, "uri": it.address, "text": passage, "number": it.number}
        for it in documents
        for passage in it.passages or ("",)
    ]


def address_of(uri: str) -> str:
    """Return a source's address on one line; empty for one that may be more than an address."""
    printed = "".join(character if character.isprintable() else " " for character in uri)
    shown = _WRAPPING.sub("", " ".join(printed.split()))
    scheme = _SCHEME.match(shown)
    return shown if scheme is None or scheme[1].lower() in _HARMLESS else ""
