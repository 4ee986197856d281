"""A model's words on their way from a vendor's frames to answer events: characters made whole, reasoning set apart."""

from __future__ import annotations

from collections.abc import Iterable

from sidelight.core.answers import AnswerEvent, Reasoning, Replace, Text
from sidelight.core.reasoning import ReasoningSplitter, SplitEvent
from sidelight.core.wire.surrogates import SurrogateJoiner


class AnswerText:
    """Turns deltas into events, and knows what has been said so far.

    Reasoning comes as a field of its own (``reason``) or as tags inside the text (``feed``), by server and model.
    """

    def __init__(self) -> None:
        self._joiner = SurrogateJoiner()
        self._reasoning_joiner = SurrogateJoiner()
        self._splitter = ReasoningSplitter()
        self.has_text = False
        self.has_reasoning = False

    def feed(self, delta: object) -> list[AnswerEvent]:
        """Take a piece of the answer; what is no text is nothing."""
        if not isinstance(delta, str) or not delta:
            return []
        return self._split(self._joiner.feed(delta))

    def reason(self, delta: object) -> list[AnswerEvent]:
        """Take a piece of what the server itself calls reasoning."""
        if not isinstance(delta, str) or not delta:
            return []
        self.has_reasoning = True
        text = self._reasoning_joiner.feed(delta)
        return [Reasoning(text)] if text else []

    def finish(self) -> list[AnswerEvent]:
        """Say that no more comes; returns what was held back."""
        events: list[AnswerEvent] = []
        if rest := self._reasoning_joiner.finish():
            events.append(Reasoning(rest))
        if rest := self._joiner.finish():
            events += self._split(rest)
        return events + self._noted(list(self._splitter.finish()))

    def _split(self, text: str) -> list[AnswerEvent]:
        return self._noted(self._splitter.feed(text)) if text else []

    def _noted(self, events: Iterable[SplitEvent]) -> list[AnswerEvent]:
        noted: list[AnswerEvent] = []
        for event in events:
            match event:
                case Reasoning():
                    self.has_reasoning = True
                case Text(text):
                    self.has_text = self.has_text or bool(text.strip())
                case Replace(text):
                    self.has_text = bool(text.strip())
            noted.append(event)
        return noted
