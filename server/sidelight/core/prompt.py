"""From a task, its context and the turns before it to a prompt, within a token budget.

Tokens are estimated, and the estimate errs high. Diagnostics, instruction and what is to be edited are always whole,
or the task fails with a message; then come earlier turns, newest first, and the lines nearest to the target, while they
fit. Whatever is left out is told. ``budget.py`` decides how large a budget is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from sidelight.core.answers import Note
from sidelight.core.context import Context
from sidelight.core.ports import Exchange, Prompt
from sidelight.core.tasks import Task
from sidelight.core.tokens import estimate_tokens, tokens_up_to
from sidelight.editing.text import Place, Range
from sidelight.errors import UsageError
from sidelight.messages import Message, msg

# What a chat template adds.
_TEMPLATE_TOKENS = 30
# What is written around the lines before and after the target.
_HEADINGS = "For reference, what stands before it:\n```\n```\n\n" * 2
# A fence is longer than the longest one in the text.
_FENCES_TOKENS = 10
# Of what an edit or a question needs not, earlier turns may take this part; the code around gets the rest.
_EARLIER_PART = 0.5
_LANGUAGE_NAMES = {"zh": "Simplified Chinese", "de": "German", "fr": "French", "ja": "Japanese", "es": "Spanish"}


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
    system = "\n".join(part for part in (task.orders, _answer_language(context), budget.orders) if part)
    must = "\n\n".join(
        part for part in (context.instruction and f"Request: {context.instruction}", _diagnostics(context)) if part
    )
    question = task.question(context)
    left = budget.tokens - sum(map(weigh, (system, must, question))) - _TEMPLATE_TOKENS
    notes: list[Note] = []
    target, is_cut = "", False
    if context.lines:
        first, end = context.target.start.line, context.target_end
        room = left - weigh(f"{_where(context)}\n{_fenced('', context)}") - _FENCES_TOKENS
        text = ""
        if room >= 0 and target_tokens(context, room, weigh) <= room:
            text = context.target_text
        elif not task.edits and room > 0:
            context, text, note = _cut_target(context, room, weigh)
            notes.append(note)
            is_cut = True
        if not text and (first < end or room < 0):
            raise _too_long(task, context, budget)
        target = f"{_where(context)}\n{_fenced(text, context)}"
    left -= weigh(target)
    if left < 0:
        raise _too_long(task, context, budget)
    exchanges = _newest(earlier, round(left * _EARLIER_PART), weigh)
    if len(exchanges) < len(earlier):
        notes.append(_turns_left_out(len(earlier) - len(exchanges), len(earlier)))
    left -= sum(_weight(exchange, weigh) for exchange in exchanges)
    around = "" if is_cut else _around(context, left - weigh(_HEADINGS), weigh, notes)
    user = "\n\n".join(part for part in (target, around, must, question) if part)
    tokens = sum(_weight(exchange, weigh) for exchange in exchanges) + weigh(system) + weigh(user)
    return Prompt(system, user, tuple(notes), tuple(exchanges), tokens)


def target_tokens(context: Context, most: int, weigh: Callable[[str], int] = estimate_tokens) -> int:
    """Return how many tokens the target has; where it has more than ``most``, some number above that."""
    lines = (context.lines[at] for at in range(context.target.start.line, context.target_end))
    return tokens_up_to(most, lines, weigh)


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


def _cut_target(context: Context, budget_tokens: int, weigh: Callable[[str], int]) -> tuple[Context, str, Note]:
    """Return the context with as many of the target's first lines as fit, their text, and what to tell the user.

    A line is cut where more than half of the room would be empty without its beginning, as in code that a program has
    put on one line. The text is empty where nothing fits.
    """
    first = end = context.target.start.line
    left = budget_tokens
    while end < context.target_end and (weight := weigh(context.lines[end])) <= left:
        left -= weight
        end += 1
    text = "".join(context.lines[first:end])
    note = msg(
        "Only lines {first} to {last} of {name} fit into the prompt.",
        first=first + 1, last=end, name=context.name,
    )  # fmt: skip
    if end < context.target_end and left > budget_tokens // 2:
        beginning = _beginning(context.lines[end], left, weigh)
        text, end = text + beginning, end + 1
        note = msg(
            "Of {name}, only the beginning of the part fits into the prompt: to character {count} of line {line}.",
            count=len(beginning), line=end, name=context.name,
        )  # fmt: skip
    shown = Range(Place(first, 0), Place(end, 0))
    return replace(context, target=shown), text, Note(note, is_warning=True)


def _beginning(line: str, budget_tokens: int, weigh: Callable[[str], int]) -> str:
    """Return as much of a line as fits; what it costs grows with what fits."""
    fits, exceeds = 0, 1
    while exceeds < len(line) and weigh(line[:exceeds]) <= budget_tokens:
        fits, exceeds = exceeds, exceeds * 2
    exceeds = min(exceeds, len(line))
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        if weigh(line[:middle]) <= budget_tokens:
            fits = middle
        else:
            exceeds = middle
    return line[:fits]


def _too_long(task: Task, context: Context, budget: Budget) -> UsageError:
    """Return the error that names the largest of the parts that are never cut."""
    weigh, limit = budget.weigh, budget.tokens
    fixed = weigh(task.orders) + weigh(_answer_language(context)) + weigh(task.question(context)) + _TEMPLATE_TOKENS
    tokens, what = max(
        (fixed, "words"),
        (weigh(context.instruction), "instruction"),
        (weigh(_diagnostics(context)), "problems"),
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


def _answer_language(context: Context) -> str:
    language = context.answer_language.lower().partition(".")[0]
    if language in ("", "c", "posix") or language.startswith("en"):
        return ""
    name = _LANGUAGE_NAMES.get(language[:2], f"the language of the locale {language}")
    return f"Write prose in {name}. Leave code, names and comments in the language they are in."


def _where(context: Context) -> str:
    first, last = context.target.start.line + 1, max(context.target_end, context.target.start.line + 1)
    place = f"line {first}" if first == last else f"lines {first} to {last}"
    return f"{context.name}, {place}:"


def _fenced(text: str, context: Context) -> str:
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if text.endswith(("\n", "\r")) or not text else "\n"
    return f"{fence}{context.language_id}\n{text}{end}{fence}"


def _diagnostics(context: Context) -> str:
    if not context.diagnostics:
        return ""
    lines = [
        f"- line {diagnostic.range.start.line + 1}: {diagnostic.message}"
        + (f" ({diagnostic.source} {diagnostic.code})".replace(" )", ")") if diagnostic.source else "")
        for diagnostic in context.diagnostics
    ]
    return "Problems reported there:\n" + "\n".join(lines)


def _around(context: Context, budget_tokens: int, weigh: Callable[[str], int], notes: list[Note]) -> str:
    """Show the lines before and after the target, nearest first, as many as fit; notes say which did not."""
    first, last = context.target.start.line, context.target_end
    before, after = first, last
    left = budget_tokens
    while left > 0 and (before > 0 or after < len(context.lines)):
        if before > 0:
            left -= weigh(context.lines[before - 1])
            before -= left > 0
        if after < len(context.lines) and left > 0:
            left -= weigh(context.lines[after])
            after += left > 0
    _tell_unseen(context, before, after, notes)
    parts = [("before it", context.lines[before:first]), ("after it", context.lines[last:after])]
    return "\n\n".join(
        f"For reference, what stands {where}:\n{_fenced(text, context)}"
        for where, lines in parts
        if (text := "".join(lines)).strip()
    )


def _tell_unseen(context: Context, before: int, after: int, notes: list[Note]) -> None:
    """Name the lines before ``before`` and from ``after`` on, which the model is not shown."""
    count = len(context.lines) - bool(context.lines and not context.lines[-1])  # after a line end comes no line
    unseen = [(1, before), (after + 1, count)]
    ranges = ", ".join(f"{first}–{last}" for first, last in unseen if last >= first)
    lines = context.lines
    if any(lines[at].strip() for at in chain(range(before), range(after, len(lines)))):
        notes.append(Note(msg("The model was not shown lines {ranges} of {name}: they did not fit.",
                              ranges=ranges, name=context.name)))  # fmt: skip
