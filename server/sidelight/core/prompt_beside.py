"""What of the document itself is shown beside a target: excerpts worth it, then the lines nearest to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sidelight.core.answers import Note
from sidelight.core.context import Context, Excerpt
from sidelight.core.ports import Part
from sidelight.core.prompt_parts import beside_text, excerpt_text
from sidelight.core.prompt_room import Room
from sidelight.messages import msg

# All excerpts together may take this part of the room; the lines around the target get what remains.
_EXCERPTS_PART = 0.5
# What is written around the lines before and after the target.
_HEADINGS = "For reference, what stands before it:\n```\n```\n\n" * 2


def beside(context: Context, room: Room) -> list[Part]:
    """Return the parts for what fits; notes of the room say what did not."""
    excerpts = _Excerpts(context)
    for excerpt in context.excerpts:
        lines = excerpts.new_lines(excerpt)
        tokens = sum(room.weigh(excerpt_text(context, *run)) for run in _runs(lines))
        if lines and room.take(tokens, "excerpts", _EXCERPTS_PART):
            excerpts.add(excerpt, lines)
    before, after = _around(context, room, excerpts.shown)
    parts = list(excerpts.parts(before, after, room.weigh))
    first, end = context.target.start.line, context.target_end
    for where, why, start, stop in (
        ("before it", msg("stands right before it"), before, first),
        ("after it", msg("stands right after it"), end, after),
    ):
        if (text := "".join(context.lines[start:stop])).strip():
            shown = beside_text(context, where, text)
            parts.append(Part("around", f"{context.name}:{start + 1}", shown, why, room.weigh(shown)))
    _tell_unseen(context, before, after, excerpts.shown, room.notes)
    return parts


@dataclass(slots=True)
class _Excerpts:
    """The excerpts that are shown, without the target's lines, and no line twice."""

    context: Context
    shown: set[int] = field(default_factory=set)
    _taken: list[tuple[Excerpt, list[int]]] = field(default_factory=list)

    def new_lines(self, excerpt: Excerpt) -> list[int]:
        """Return the numbers of its lines that are not shown yet."""
        target = range(self.context.target.start.line, self.context.target_end)
        numbers = range(max(excerpt.first, 0), min(excerpt.end, len(self.context.lines)))
        return [number for number in numbers if number not in self.shown and number not in target]

    def add(self, excerpt: Excerpt, lines: list[int]) -> None:
        """Show these lines of it."""
        self._taken.append((excerpt, lines))
        self.shown.update(lines)

    def parts(self, before: int, after: int, weigh: Callable[[str], int]) -> Iterator[Part]:
        """Yield what is not among the lines from ``before`` to ``after`` anyway, as it stands in the document."""
        outside = [
            (run, excerpt)
            for excerpt, lines in self._taken
            for run in _runs(number for number in lines if not before <= number < after)
        ]
        for (first, end), excerpt in sorted(outside, key=lambda one: one[0]):
            text = excerpt_text(self.context, first, end)
            yield Part(excerpt.kind, f"{self.context.name}:{first + 1}", text, excerpt.why, weigh(text))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs (first, end) of ascending numbers."""
    first = end = -1
    for number in numbers:
        if number != end:
            if first >= 0:
                yield first, end
            first = number
        end = number + 1
    if first >= 0:
        yield first, end


def _around(context: Context, room: Room, paid: set[int]) -> tuple[int, int]:
    """Return the lines (first, end) around the target that fit, nearest first; ``paid`` lines cost nothing more."""
    before, after = context.target.start.line, context.target_end
    left = room.left - room.weigh(_HEADINGS)
    while left > 0 and (before > 0 or after < len(context.lines)):
        if before > 0:
            left -= 0 if before - 1 in paid else room.weigh(context.lines[before - 1])
            before -= left > 0
        if after < len(context.lines) and left > 0:
            left -= 0 if after in paid else room.weigh(context.lines[after])
            after += left > 0
    room.left = max(left, 0)
    return before, after


def _tell_unseen(context: Context, before: int, after: int, shown: set[int], notes: list[Note]) -> None:
    """Name the lines that the model is not shown."""
    lines = context.lines
    count = len(lines) - bool(lines and not lines[-1])  # after a line end comes no line
    unseen = list(_between([(before, after), *_runs(sorted(shown))], count))
    if any(lines[at].strip() for first, end in unseen for at in range(first, end)):
        ranges = ", ".join(f"{first + 1}–{end}" for first, end in unseen)
        notes.append(Note(msg("The model was not shown lines {ranges} of {name}: they did not fit.",
                              ranges=ranges, name=context.name)))  # fmt: skip


def _between(runs: list[tuple[int, int]], count: int) -> Iterator[tuple[int, int]]:
    """Yield what lies between the runs, from 0 to ``count``."""
    at = 0
    for first, end in [*sorted(runs), (count, count)]:
        if first > at:
            yield at, min(first, count)
        at = max(at, end)
