"""One search for the place of code: the document and the code, with what they define, and what a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import dedent

from sidelight.editing.definitions import Definition, definitions
from sidelight.editing.fitting import Fitter, Target
from sidelight.messages import Message, msg

_SHOWN, _SHOWN_CHARACTERS = 3, 60


@dataclass(slots=True)
class Unclear(Exception):
    """The code is not to be applied, for this reason."""

    reason: Message = field(default_factory=lambda: msg("It is not clear which lines this code stands for."))


def would_remove(lost: Sequence[str]) -> Unclear:
    """Return the refusal of code that would take away these names or lines."""
    shown = [line[:_SHOWN_CHARACTERS] for line in lost[:_SHOWN]] + (["…"] if len(lost) > _SHOWN else [])
    return Unclear(msg("The code would remove {names}, of which it says nothing.", names=", ".join(shown)))


@dataclass(frozen=True, slots=True)
class Change:
    """The document's lines ``first`` up to ``end`` become ``lines``."""

    first: int
    end: int
    lines: Sequence[str]


class Search:
    """The document's lines and the code's, without line ends, and their definitions.

    ``new`` is the code without the indentation that all its lines share. ``around`` are the definitions around the
    place, the outermost first. ``keys`` are those of the document's functions whose bodies may change.
    """

    def __init__(self, old: list[str], new: list[str], place: tuple[int, int] | None, language: str) -> None:
        self.old, self.language = old, language
        self.is_indented = new[0][:1] in (" ", "\t")
        self.given = new
        self.new = dedent("\n".join(new)).split("\n")
        self.there = definitions(old, language)
        self.all_said = definitions(self.new, language)
        self.said = [one for one in self.all_said if not one.container]
        self.place = place
        self.around = [one for one in self.there if self._is_around(one)]
        self.keys: set[object] = set()

    def _is_around(self, one: Definition) -> bool:
        if self.place is None:
            return False
        first, end = self.place
        while end > first and not self.old[end - 1].strip():
            end -= 1
        return one.first <= first < one.end and end <= one.end

    def fitted(self, code: Sequence[str], old: Sequence[str]) -> list[str]:
        """Return lines of the code with the indentation of old lines. Raises ``Unclear`` where tabs and spaces mix."""
        fitter = Fitter(Target(old, self.language, above=self.old))
        lines = [fitted for line in code for fitted in fitter.feed(line)]
        rest = fitter.finish()
        if rest is None:
            raise Unclear
        return [*lines, *rest]
