"""Characters that a provider tore apart: JSON escapes can split one emoji over two deltas, as two lone surrogates."""

from __future__ import annotations


class SurrogateJoiner:
    """Joins surrogate pairs over the borders of deltas; what stays alone becomes U+FFFD and can be encoded."""

    def __init__(self) -> None:
        self._high = ""

    def feed(self, text: str) -> str:
        """Take a delta; return what is whole by now (a trailing high surrogate waits for its other half)."""
        if text.isascii() and not self._high:
            return text
        text = self._high + text
        self._high = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        return whole(text)

    def finish(self) -> str:
        """Say that no more comes; returns U+FFFD for a half that was waiting."""
        waiting, self._high = self._high, ""
        return "\ufffd" if waiting else ""


def whole(text: str) -> str:
    """Join surrogate pairs inside ``text``; replace lone ones by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
