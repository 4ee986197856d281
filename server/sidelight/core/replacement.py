"""What an edit task's answer puts in the place of its target."""

from __future__ import annotations

from sidelight.core.answers import Answer
from sidelight.core.context import Context
from sidelight.editing.answer_code import code_blocks, fit
from sidelight.editing.text import Text
from sidelight.messages import Message, msg


class NotApplied(Exception):
    """An answer may not go into the document; ``reason`` is for the user. The answer itself is not lost by it."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def replacement(answer: Answer, context: Context) -> str:
    """Return the new text of the target's lines, as it would stand in the document.

    Raises ``NotApplied`` for an answer that is incomplete or holds no code: nothing that was cut off is applied.
    """
    finished = answer.finished
    if finished is None or finished.finish != "complete":
        raise NotApplied(msg("The answer is incomplete."))
    blocks = list(code_blocks(answer.text))
    if not blocks:
        raise NotApplied(msg("The answer holds no code to apply."))
    chosen = next((block for block in blocks if block.language == context.language_id), blocks[0])
    if not chosen.is_closed:
        raise NotApplied(msg("The answer's code was cut off."))
    return fit(chosen.text, context.target_text, Text("".join(context.lines[:1])).line_end)
