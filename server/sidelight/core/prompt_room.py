"""The room in a prompt for what need not be in it, and what takes how much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sidelight.core.answers import Note
from sidelight.core.context import Context, Piece
from sidelight.core.ports import Part
from sidelight.core.prompt_parts import piece_text
from sidelight.core.prompt_target import beginning_of
from sidelight.messages import msg

# A fence is longer than the longest one in the text.
FENCES_TOKENS = 10
# All pieces of a kind together may take this part of the room.
_PIECES_PART = {
    "mention": 0.8, "earlier_code": 0.5, "knowledge": 0.4, "reference": 0.4, "definition": 0.25, "instructions": 0.2,
}  # fmt: skip
# The beginning of these is worth something, too, where the whole does not fit.
_MAY_BE_CUT = ("mention", "earlier_code", "knowledge", "reference", "instructions")


@dataclass(slots=True)
class Room:
    """The tokens that are left for what need not be in the prompt, and who has taken how many of them."""

    left: int
    weigh: Callable[[str], int]
    notes: list[Note]
    whole: int = 0
    taken: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.whole = self.left

    def take(self, tokens: int, kind: str, part: float) -> bool:
        """Take tokens for a kind of which all together may have this part of the room; tells whether there are any."""
        if tokens > min(self.left, self.most(kind, part)):
            return False
        self.left -= tokens
        self.taken[kind] = self.taken.get(kind, 0) + tokens
        return True

    def most(self, kind: str, part: float) -> int:
        """Return how many tokens a kind may still take."""
        return round(self.whole * part) - self.taken.get(kind, 0)

    def piece(self, context: Context, piece: Piece) -> Iterator[Part]:
        """Yield the part for a piece where it fits, or as much of it as does; what the user named is told otherwise."""
        share = _PIECES_PART.get(piece.kind, 0.2)
        shown = piece_text(context, piece, piece.text)
        tokens = self.weigh(shown)
        if not self.take(tokens, piece.kind, share):
            text = self._beginning(context, piece, share) if piece.kind in _MAY_BE_CUT else ""
            self._tell_cut(piece, text)
            shown = piece_text(context, piece, text)
            tokens = self.weigh(shown)
            if not text or not self.take(tokens, piece.kind, share):
                return
        yield Part(piece.kind, piece.name, shown, piece.why, tokens)

    def _beginning(self, context: Context, piece: Piece, share: float) -> str:
        room = min(self.left, self.most(piece.kind, share)) - self.weigh(piece_text(context, piece, ""))
        text = beginning_of(piece.text, room - FENCES_TOKENS, self.weigh) if room > FENCES_TOKENS else ""
        return text[: text.rfind("\n") + 1]

    def _tell_cut(self, piece: Piece, text: str) -> None:
        if not text and piece.is_wanted:
            message = msg("The model was not shown {name}: it did not fit.", name=piece.name)
            self.notes.append(Note(message, is_warning=True))
        elif text:
            message = msg("The model was shown only the first {count} lines of {name}: the rest did not fit.",
                          count=text.count("\n"), name=piece.name)  # fmt: skip
            self.notes.append(Note(message, is_warning=piece.is_wanted))
