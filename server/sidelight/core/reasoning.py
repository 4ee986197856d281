"""Thinking aloud that comes inside the text: ``<think>…</think>`` at the beginning of an answer.

Only a tag before any other text counts, so that an answer may speak about such tags. Fed with any cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from sidelight.core.answers import Reasoning, Text

_OPEN, _CLOSE = "<think>", "</think>"


class ReasoningSplitter:
    """Divides the text of an answer into ``Reasoning`` and ``Text``."""

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    def feed(self, text: str) -> Iterator[Text | Reasoning]:
        """Take a delta; yield what is known by now. A part that may still become a tag is held back."""
        if self._state == "text":
            yield Text(text)
            return
        self._held += text
        if self._state == "start":
            self._look_for_opening()
        if self._state == "reasoning":
            yield from self._reasoning()
        if self._state == "after":
            self._held = self._held.lstrip()
            self._state = "text" if self._held else "after"
        if self._state == "text" and self._held:
            yield Text(self._held)
            self._held = ""

    def finish(self) -> Iterator[Text | Reasoning]:
        """Say that no more comes; yields what was held back."""
        if self._held:
            yield Reasoning(self._held) if self._state == "reasoning" else Text(self._held)
        self._held = ""

    def _look_for_opening(self) -> None:
        content = self._held.lstrip()
        if content.startswith(_OPEN):
            self._held = content[len(_OPEN) :]
            self._state = "reasoning"
        elif not _OPEN.startswith(content):
            self._state = "text"

    def _reasoning(self) -> Iterator[Reasoning]:
        thought, closing, rest = self._held.partition(_CLOSE)
        if closing:
            self._held = rest
            self._state = "after"
        else:
            keep = _overlap(thought, _CLOSE)
            thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
        if thought:
            yield Reasoning(thought)


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of ``text`` could be the beginning of ``tag``."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if tag.startswith(text[-size:])), 0)
