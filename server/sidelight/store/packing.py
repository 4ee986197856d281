"""Texts as the database holds them: long ones compressed and to the letter, short ones as SQLite's text."""

from __future__ import annotations

import zlib


def pack(text: str) -> bytes:
    """Return a text compressed, with lone surrogates and NULs as they are."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def unpack(packed: bytes) -> str:
    """Return the text again; raises ``ValueError`` where it is damaged."""
    try:
        return zlib.decompress(packed).decode("utf-8", "surrogatepass")
    except zlib.error as error:
        raise ValueError(str(error)) from error


def storable(text: str) -> str:
    """Return the text without lone surrogates, which SQLite's text cannot hold: they become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
