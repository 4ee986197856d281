"""What an edit task's answer does to its target: step by step while it arrives, and with a judgement when it has ended.

Nothing that was cut off counts as a deletion: lines which the answer never reached stay. What is not surely meant is
not applied, and the reason is for the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sidelight.core.answers import Answer, AnswerEvent, Finished, Replace, Text
from sidelight.core.context import Context
from sidelight.editing import gate
from sidelight.editing.answer_choice import CodeEvent, Lines, Restart
from sidelight.editing.answer_code import CodeStream
from sidelight.editing.fences import code_blocks
from sidelight.editing.fitting import fit
from sidelight.editing.languages import blocks_in
from sidelight.editing.line_diff import Delete, Insert, Keep, LineDiff, Step
from sidelight.editing.live_region import LiveRegion
from sidelight.editing.same_code import changes_code
from sidelight.editing.text import Text as DocumentText
from sidelight.editing.text import lines_of, without_line_end
from sidelight.messages import Message, msg

BOM = "\ufeff"
_SHOWN_CHARACTERS = 80

Kind = Literal["whole", "partial", "nothing", "same"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended as an edit.

    ``whole``: the last steps complete it. ``partial``: what came is safe, ``reason`` says why the rest of the old text
    stays. ``nothing``: what was written is to be taken back, for ``reason``. ``same``: the code is what stood there.
    ``lines`` instead of steps: the provider took its answer back midway, and this is all of the target now.
    """

    kind: Kind
    steps: Sequence[Step] = ()
    reason: Message | None = None
    lines: tuple[str, ...] | None = None
    can_continue: bool = False
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """More steps; with ``is_rewound`` they begin at the first line again, and nothing has been changed before."""

    steps: list[Step] = field(default_factory=list)
    is_rewound: bool = False


class Rewrite:
    """The steps from the target's old lines to those of an answer, fed with its events.

    ``asked`` is what was asked for in words, beside the context's instruction.
    """

    def __init__(self, task: str, context: Context, *, tells_truncation: bool, asked: str = "") -> None:
        self._task = task
        self._asked = asked
        self._context = context
        self._tells_truncation = tells_truncation
        self._old = [without_line_end(line) for line in lines_of(context.target_text.removeprefix(BOM))]
        above, below = context.lines[: context.target.start.line], context.lines[context.target_end :]
        self._code = CodeStream(context.language_id, self._old, above=above, below=below)
        self._diff = LineDiff(self._old)
        self._new: list[str] = []
        self._steps: list[Step] = []
        self._has_changed = False
        self._is_taken_back = False
        self._is_elsewhere = False
        self._opening: list[str] | None = []

    def feed(self, event: AnswerEvent) -> Progress:
        """Take the next event; returns what it adds."""
        if isinstance(event, Text):
            return self._progress(self._code.feed(event.text))
        if isinstance(event, Replace):
            return self._progress(self._code.replace(event.text))
        return Progress()

    def _progress(self, events: Sequence[CodeEvent]) -> Progress:
        steps: list[Step] = []
        is_rewound = False
        for event in events:
            if isinstance(event, Restart):
                self._new.clear()
                self._steps.clear()
                self._diff, self._opening, self._is_elsewhere = LineDiff(self._old), [], False
                self._is_taken_back = self._is_taken_back or self._has_changed  # steps of this call nobody has seen yet
                is_rewound = not self._is_taken_back
                steps.clear()
            elif isinstance(event, Lines):
                lines = [self._context.mask.restore(line) for line in event.lines]
                self._new += lines
                if not self._is_taken_back and not self._is_elsewhere:
                    steps += self._diff.feed(self._opened(lines))
        self._note(steps)
        return Progress(steps, is_rewound)

    def _note(self, steps: Sequence[Step]) -> None:
        self._has_changed = self._has_changed or _changes(steps)
        self._steps += steps

    def _opened(self, lines: Sequence[str]) -> Sequence[str]:
        """Hold the first lines until it is known that they are not what stands above the target."""
        if self._opening is None:
            return lines
        self._opening += lines
        telling = [line.strip() for line in self._opening if line.strip()][:2]
        if len(telling) < 2:
            return ()
        self._is_elsewhere = self._begins_above(*telling)
        held, self._opening = self._opening, None
        return () if self._is_elsewhere else held

    def _begins_above(self, first: str, second: str) -> bool:
        """Whether the code begins with lines from above the target, and so is more than was asked for."""
        old = {line.strip() for line in self._old}
        above = {line.strip() for line in self._context.lines[: self._context.target.start.line]}
        return first in above - old and second in above | old and not first.startswith("@")

    def finish(self, finished: Finished) -> tuple[Progress, Outcome]:
        """Say how the answer ended; returns what was still held, and the judgement.

        Takes tens of milliseconds for a large document: not for the event loop.
        """
        last = self._progress(self._code.finish(is_cut=finished.finish != "complete"))
        if self._opening and not self._is_taken_back:
            last.steps.extend(self._diff.feed(self._opening))
            self._note(last.steps)
        return last, self._outcome(finished)

    def _outcome(self, finished: Finished) -> Outcome:
        if not any(line.strip() for line in self._new):
            return self._end("nothing", self._why_no_code(finished))
        if self._is_elsewhere or gate.repeats_below(self._old, self._new, self._below()):
            return self._end("nothing", msg("The answer's code is more than the part that was to be changed."))
        reason, can_continue = self._why_incomplete(finished)
        if reason is None and self._new == self._old:
            return self._end("same")
        doubt = self._doubt() if reason is None else None
        if doubt in ("syntax", "unrelated", "code"):
            return self._end("nothing", self._said_of(doubt))
        reason = self._said_of(doubt) if doubt else reason
        if reason is None:
            if self._is_taken_back:
                return self._end("whole", lines=tuple(self._new))
            return self._end("whole", steps=self._diff.finish())
        if self._is_taken_back:
            self._steps = self._diff.feed(self._new)
        steps = self._diff.flush()
        taken = [*self._steps, *steps]
        is_cut = can_continue or finished.finish != "complete"  # may break the syntax: something is known to be missing
        after = self._after(taken)
        is_safe = (is_cut or not self._breaks(after)) and not self._changes_code(after)
        if not is_safe or not _changes(taken) or (doubt and not _loses_nothing(taken)):
            return self._end("nothing", reason)
        if self._is_taken_back:
            lines = tuple(self._after(taken))
            return self._end("partial", reason, lines=lines, can_continue=can_continue)
        return self._end("partial", reason, steps=steps, can_continue=can_continue)

    def _after(self, steps: Sequence[Step]) -> list[str]:
        """Return the target's lines after all steps of an answer."""
        region = LiveRegion([line + "\n" for line in self._old], "\n")
        region.queue(steps)
        return [without_line_end(line) for line in _done(region)]

    def _breaks(self, new: Sequence[str]) -> bool:
        return gate.is_syntax_worse("".join(self._context.lines), self._with(new), self._context.language_id)

    def _changes_code(self, new: Sequence[str]) -> bool:
        """Whether code would be changed by a task that may only document it."""
        before, language = "".join(self._context.lines), self._context.language_id
        return self._task == "document" and changes_code(before, self._with(new), language)

    def _with(self, new: Sequence[str]) -> str:
        """Return the document with new lines in place of the target."""
        context = self._context
        first, end = context.target.start.line, context.target_end
        return "".join([*context.lines[:first], *(line + "\n" for line in new), *context.lines[end:]])

    def _said_of(self, doubt: gate.Doubt) -> Message:
        if doubt == "shrunk":
            return msg("More than half of the code would be lost.")
        if doubt == "syntax":
            return msg("The answer's code breaks the syntax of {name}.", name=self._context.name)
        if doubt == "code":
            return msg("The answer changes code, and was only to document it.")
        return msg("The answer's code has nothing to do with the code that it would replace.")

    def _below(self) -> Sequence[str]:
        return self._context.lines[self._context.target_end :]

    def _end(
        self,
        kind: Kind,
        reason: Message | None = None,
        *,
        steps: Sequence[Step] = (),
        lines: tuple[str, ...] | None = None,
        can_continue: bool = False,
    ) -> Outcome:
        return Outcome(kind, steps, reason, lines, can_continue, self._code.has_more)

    def _why_no_code(self, finished: Finished) -> Message:
        if finished.finish == "stopped":
            return msg("It was stopped.")
        if finished.finish != "complete":
            return msg("The answer is incomplete.")
        if self._code.left_out:
            return _left_out(self._code.left_out)
        return _NO_CODE.get(self._code.problem or "", msg("The answer holds no code to apply."))

    def _why_incomplete(self, finished: Finished) -> tuple[Message | None, bool]:
        """Return why the code is not whole, and whether the model could go on with it."""
        code = self._code
        if finished.finish == "stopped":
            return msg("It was stopped."), True
        if finished.finish != "complete":
            return msg("The answer is incomplete."), finished.finish != "refused"
        if code.left_out:
            return _left_out(code.left_out), False
        if code.problem is not None:
            return _NO_CODE.get(code.problem, msg("The answer holds no code to apply.")), False
        if code.is_open and not self._tells_truncation:
            return msg("The answer's code was cut off."), True
        return None, False

    def _doubt(self) -> gate.Doubt | None:
        context = self._context
        if self._task == "fix" and gate.is_unrelated(self._old, self._new):
            return "unrelated"
        if self._breaks(self._new):
            return "syntax"
        if self._changes_code(self._new):
            return "code"
        problems = (diagnostic.message for diagnostic in context.diagnostics)
        asked = " ".join([self._asked, context.instruction, *problems])
        return "shrunk" if gate.is_shrunk(self._old, self._new) and not gate.asks_to_shrink(asked) else None

    @property
    def has_code(self) -> bool:
        """Whether there is code that could be applied whatever speaks against it."""
        return any(line.strip() for line in self._new) and self._code.problem not in ("too_large", "binary")

    def anyway(self, answer: Answer) -> list[str] | None:
        """Return the target's lines as the answer has them, whatever speaks against it; None where it holds no code."""
        blocks = blocks_in(self._context.language_id, code_blocks(self._context.mask.restore(answer.text)))
        if blocks:
            text = fit(blocks[0].text, "\n".join(self._old), "\n")
            return [without_line_end(line) for line in lines_of(text)]
        return list(self._new) or None


_NO_CODE = {
    "none": msg("The answer holds no code to apply."),
    "other_language": msg("The answer's code is in another language than the document."),
    "empty": msg("The answer's code block is empty."),
    "ambiguous": msg("The answer has code blocks inside its code block, and it is not clear where that ends."),
    "tabs": msg("The answer mixes tabs and spaces in a way that cannot be brought into line with the document."),
    "too_large": msg("The answer's code is too large."),
    "binary": msg("The answer's code holds characters that no text has."),
}


def _loses_nothing(steps: Sequence[Step]) -> bool:
    """Whether old lines were kept, and only as many have gone as have come."""
    inserted = sum(len(step.lines) for step in steps if isinstance(step, Insert))
    deleted = sum(step.count for step in steps if isinstance(step, Delete))
    return deleted <= inserted and any(isinstance(step, Keep) for step in steps)


def _left_out(line: str) -> Message:
    return msg("The answer leaves a part of the code out: {line}", line=line.strip()[:_SHOWN_CHARACTERS])


def _changes(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, (Insert, Delete)) for step in steps)


def rewritten(
    task: str, answer: Answer, context: Context, *, tells_truncation: bool, asked: str = ""
) -> tuple[str, Outcome]:
    """Return the target's new text by a whole answer, and the judgement on it; where it says no, the old text."""
    rewrite = Rewrite(task, context, tells_truncation=tells_truncation, asked=asked)
    old = context.target_text
    region = LiveRegion(lines_of(old.removeprefix(BOM)), line_end_of(context))
    region.queue(rewrite.feed(Text(answer.text)).steps)
    last, outcome = rewrite.finish(answer.finished or Finished("cut_off"))
    if last.is_rewound:
        region.rewind()
    region.queue(last.steps)
    if outcome.kind in ("nothing", "same"):
        return old, outcome
    (region.queue_final if outcome.kind == "whole" else region.queue)(outcome.steps)
    mark = BOM if old.startswith(BOM) else ""
    return mark + "".join(_done(region)), outcome


def _done(region: LiveRegion) -> list[str]:
    """Return a region's lines after all its steps."""
    while (plan := region.plan()).splices:
        region.send(plan)
        region.believe()
    return plan.lines


def line_end_of(context: Context) -> str:
    """Return the line end that new lines take: that of the document's first line."""
    return DocumentText("".join(context.lines[:1])).line_end
