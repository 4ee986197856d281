"""What an edit task's answer puts in the place of its target."""

from __future__ import annotations

from collections.abc import Sequence

from sidelight.core.answers import Answer
from sidelight.core.context import Context
from sidelight.editing.answer_code import CodeBlock, blocks_in, code_blocks, fit, left_out, may_hold_fences
from sidelight.editing.text import Text
from sidelight.messages import Message, msg

_SHOWN_CHARACTERS = 80


class NotApplied(Exception):
    """An answer may not go into the document; ``reason`` is for the user. The answer itself is not lost by it."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def replacement(answer: Answer, context: Context) -> str:
    """Return the new text of the target's lines, as it would stand in the document.

    Raises ``NotApplied`` for an answer that is incomplete, holds no code or leaves open which code is meant: nothing
    that was cut off, leaves code out or belongs elsewhere is applied.
    """
    finished = answer.finished
    if finished is None or finished.finish != "complete":
        raise NotApplied(msg("The answer is incomplete."))
    blocks = list(code_blocks(answer.text))
    candidates = blocks_in(context.language_id, blocks)
    if not candidates:
        raise NotApplied(
            msg("The answer's code is in another language than the document.")
            if blocks
            else msg("The answer holds no code to apply.")
        )
    chosen = _chosen(candidates, context)
    _check(chosen, blocks, context)
    return _fitted(chosen, context)


def _chosen(candidates: Sequence[CodeBlock], context: Context) -> CodeBlock:
    """Return the one block that is meant: a block that only repeats the target is not."""
    by_text = {_fitted(block, context): block for block in candidates}
    if len(by_text) > 1:
        by_text.pop(context.target_text, None)
    if len(by_text) > 1:
        raise NotApplied(msg("The answer holds several code blocks, and it is not clear which to apply."))
    return next(iter(by_text.values()))


def _check(chosen: CodeBlock, blocks: Sequence[CodeBlock], context: Context) -> None:
    """Raise ``NotApplied`` for a block that is not the whole of the target's new text."""
    if not chosen.is_closed:
        raise NotApplied(msg("The answer's code was cut off."))
    if not chosen.text.strip():
        raise NotApplied(msg("The answer's code block is empty."))
    later = [block for block in blocks if block.first_line > chosen.end_line]
    holds_fences = may_hold_fences(context.language_id) or may_hold_fences(chosen.language)
    if holds_fences and any(not block.language or not block.is_closed for block in later):
        raise NotApplied(msg("The answer has code blocks inside its code block, and it is not clear where that ends."))
    if line := left_out(chosen.text, context.target_text):
        raise NotApplied(msg("The answer leaves a part of the code out: {line}", line=line[:_SHOWN_CHARACTERS]))


def _fitted(block: CodeBlock, context: Context) -> str:
    return fit(block.text, context.target_text, Text("".join(context.lines[:1])).line_end)
