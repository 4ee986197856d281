"""A question is looked up in a knowledge base, so that a model without one can rest its answer on what is found."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from sidelight.core.answers import AnswerEvent, Note, Source, Status
from sidelight.core.context import Context, Piece
from sidelight.core.ports import Knowledge, Prompt, SentPart
from sidelight.core.query import retrieval_query
from sidelight.core.stopping import Stop
from sidelight.core.tasks import Task
from sidelight.core.tokens import estimate_tokens
from sidelight.errors import SidelightError
from sidelight.messages import msg

# So much of a passage tells it from the others.
_TELLING_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The context with what was found as pieces, the best first, and what was sent to find it."""

    context: Context
    found: tuple[Source, ...] = ()
    sent: tuple[SentPart, ...] = field(default=())

    def sources_in(self, prompt: Prompt) -> tuple[Source, ...]:
        """Return those that had room in the prompt: the answer cannot rest on others."""
        texts = [part.text for part in prompt.parts if part.kind == "knowledge"]
        hide = self.context.mask.hide
        return tuple(it for it in self.found if any(hide(it.text)[:_TELLING_CHARACTERS] in text for text in texts))


def look_up(knowledge: Knowledge, task: Task, context: Context, stop: Stop) -> Generator[AnswerEvent, None, LookedUp]:
    """Search for what fits the question; yields what to tell the user. A failure is told, and the question goes on."""
    query = retrieval_query(task, context)
    yield Status(msg("looking it up at {place}", place=knowledge.place))
    try:
        found = tuple(dict.fromkeys(it for it in knowledge.search(query, stop) if it.text.strip()))
    except SidelightError as error:
        yield Note(msg("Answered without the knowledge base: {reason}", reason=error.message), is_warning=True)
        return LookedUp(context)
    if not found:
        yield Note(msg("No source in the knowledge base supports this answer."), is_warning=True)
    why = msg("what was looked up at {place}", place=knowledge.place)
    sent = SentPart("query", "", why, estimate_tokens(query), "search")
    return LookedUp(replace(context, pieces=(*context.pieces, *_pieces(found))), found, (sent,))


def _pieces(found: tuple[Source, ...]) -> list[Piece]:
    numbers: dict[tuple[str, str], int] = {}
    pieces = []
    for source in found:
        number = numbers.setdefault((source.title, source.uri), len(numbers) + 1)
        why = msg("fits the question, by the knowledge base")
        pieces.append(Piece("knowledge", f"[{number}] {source.title}", source.text, why, "text"))
    return pieces
