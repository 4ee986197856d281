"""What every task says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidelight.core.context import Context
from sidelight.messages import Message


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that can be asked.

    ``orders`` are the model's standing orders, ``question`` what is asked of it at this place. ``edits``: the answer
    holds code that replaces the context's target; otherwise it is text to read. ``needs_instruction``: there is nothing
    to do without words of the user. ``numbers_lines``: the answer is to name lines, so that the model is shown their
    numbers.
    ``clean`` makes of a whole answer what it is for; until its end, nothing of such an answer is shown. ``has_place``:
    it is about a place in a document. ``topic`` is what to look up in a knowledge base where the user has said nothing;
    without one, the question is. ``asked`` are words of the user's that the question is made of.
    """

    name: str
    title: Message
    orders: str
    question: Callable[[Context], str]
    edits: bool = False
    needs_instruction: bool = False
    numbers_lines: bool = False
    clean: Callable[[str], str] | None = None
    has_place: bool = True
    topic: str = ""
    asked: str = ""


CODE_ANSWER = (
    "Answer with the complete replacement for exactly the lines shown as the part to change, in one fenced code "
    "block, with their indentation. Change nothing that need not change. Never leave lines out and never write "
    "placeholders such as 'rest unchanged'. Before the block, say in one or two sentences what you changed and why."
)
