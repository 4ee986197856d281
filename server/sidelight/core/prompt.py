"""From a task, its context and the turns before it to a prompt, within a token budget.

Tokens are estimated, and the estimate errs high. Diagnostics, instruction and what is to be edited are always whole,
or the task fails with a message. Then come, while they fit: earlier turns, newest first; what the user mentioned; code
that the target needs to be understood; other pieces; and the lines nearest to the target. Whatever is left out is told.
``budget.py`` decides how large a budget is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidelight.core.answers import Note
from sidelight.core.context import Context
from sidelight.core.masking import masked
from sidelight.core.numbered import numbered
from sidelight.core.ports import Exchange, Part, Prompt
from sidelight.core.prompt_beside import beside
from sidelight.core.prompt_parts import answer_language, orders_parts, problems, said_parts, target_text
from sidelight.core.prompt_room import FENCES_TOKENS, Room
from sidelight.core.prompt_target import cut_target, target_tokens
from sidelight.core.query import retrieval_query
from sidelight.core.tasks import Task
from sidelight.core.tokens import estimate_tokens
from sidelight.errors import UsageError
from sidelight.messages import Message, msg

# What a chat template adds.
_TEMPLATE_TOKENS = 30
# Of what an edit or a question needs not, earlier turns may take this part; what else is worth showing gets the rest.
_EARLIER_PART = 0.5


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tokens a prompt may have, and what to do where that is too few.

    ``orders`` is what the user wants said to the model every time; ``weigh`` says how many tokens a text has.
    """

    tokens: int
    hint: Message
    orders: str = ""
    weigh: Callable[[str], int] = estimate_tokens


def build_prompt(task: Task, context: Context, budget: Budget, earlier: Sequence[Exchange] = ()) -> Prompt:
    """Return the prompt. Raises ``UsageError`` when what must be said alone exceeds the budget.

    A target that is only to be read is cut to its beginning where it is too long. ``notes`` say what was left out.
    """
    weigh = budget.weigh
    context = masked(context)
    query = retrieval_query(task, context)
    if task.numbers_lines:
        context = numbered(context)
    notes = [Note(message, is_warning=True) for message in context.notes]
    orders, said = orders_parts(task, context, budget.orders, weigh), said_parts(task, context, weigh)
    left = budget.tokens - _TEMPLATE_TOKENS - sum(part.tokens for part in (*orders, *said))
    target, is_cut = _target(task, context, budget, left, notes)
    left -= sum(part.tokens for part in target)
    if left < 0:
        raise _too_long(task, context, budget)
    exchanges = _newest(earlier, round(left * _EARLIER_PART), weigh)
    if len(exchanges) < len(earlier):
        notes.append(_turns_left_out(len(earlier) - len(exchanges), len(earlier)))
    room = Room(left - sum(_weight(exchange, weigh) for exchange in exchanges), weigh, notes)
    pieces = [part for piece in context.pieces for part in room.piece(context, piece)]
    near = [] if is_cut else beside(context, room)
    message = [*target, *near, *pieces, *said]
    system, user = "\n".join(part.text for part in orders), "\n\n".join(part.text for part in message)
    _tell_masked(context, user, notes)
    tokens = sum(_weight(exchange, weigh) for exchange in exchanges) + weigh(system) + weigh(user)
    return Prompt(system, user, tuple(notes), tuple(exchanges), tokens, (*orders, *message), query)


def _target(task: Task, context: Context, budget: Budget, left: int, notes: list[Note]) -> tuple[list[Part], bool]:
    """Return the part for the target, none where there is no document, and whether it was cut."""
    if not context.lines:
        return [], False
    weigh = budget.weigh
    first, end = context.target.start.line, context.target_end
    room = left - weigh(target_text(context, "")) - FENCES_TOKENS
    text, is_cut = "", False
    if room >= 0 and target_tokens(context, room, weigh) <= room:
        text = context.target_text
    elif not task.edits and room > 0:
        context, text, note = cut_target(context, room, weigh)
        notes.append(note)
        is_cut = True
    if not text and (first < end or room < 0):
        raise _too_long(task, context, budget)
    shown = target_text(context, text)
    why = msg("the part to change") if task.edits else msg("what is asked about")
    return [Part("target", f"{context.name}:{first + 1}", shown, why, weigh(shown))], is_cut


def _newest(earlier: Sequence[Exchange], budget_tokens: int, weigh: Callable[[str], int]) -> list[Exchange]:
    """Return the last exchanges, as many as fit."""
    first = len(earlier)
    while first and (budget_tokens := budget_tokens - _weight(earlier[first - 1], weigh)) >= 0:
        first -= 1
    return list(earlier[first:])


def _weight(exchange: Exchange, weigh: Callable[[str], int]) -> int:
    return weigh(exchange.user) + weigh(exchange.assistant)


def _turns_left_out(count: int, all_: int) -> Note:
    return Note(msg("The model was not told of the first {count} of {all} earlier turns: they did not fit.",
                    count=count, all=all_))  # fmt: skip


def _too_long(task: Task, context: Context, budget: Budget) -> UsageError:
    """Return the error that names the largest of the parts that are never cut."""
    weigh, limit = budget.weigh, budget.tokens
    fixed = weigh(task.orders) + weigh(answer_language(context)) + weigh(task.question(context)) + _TEMPLATE_TOKENS
    tokens, what = max(
        (fixed, "words"),
        (weigh(context.instruction), "instruction"),
        (weigh(problems(context)), "problems"),
        (weigh(budget.orders), "orders"),
        (weigh(context.target_text) if task.edits else 0, "target"),
    )
    hint = budget.hint
    match what:
        case "instruction":
            message = msg("The instruction is too long: about {tokens} tokens, and a prompt may have {budget}.",
                          tokens=tokens, budget=limit)  # fmt: skip
        case "problems":
            message = msg("The reported problems are too long: about {tokens} tokens, and a prompt may have {budget}.",
                          tokens=tokens, budget=limit)  # fmt: skip
        case "orders":
            message = msg("SIDELIGHT_SYSTEM_PROMPT is too long: about {tokens} tokens, and a prompt may have {budget}.",
                          tokens=tokens, budget=limit)  # fmt: skip
            hint = msg("Shorten it.")
        case "target":
            message = msg("The selected part is too long: about {tokens} tokens, and a prompt may have {budget}.",
                          tokens=tokens, budget=limit)  # fmt: skip
        case _:
            message = msg("A prompt may have only {budget} tokens, which is too few for any question.", budget=limit)
    return UsageError(message, hint)


def _tell_masked(context: Context, sent: str, notes: list[Note]) -> None:
    if count := context.mask.count_in(sent):
        notes.append(
            Note(msg("Keys and passwords in the text that were masked before it was sent: {count}.", count=count))
        )
