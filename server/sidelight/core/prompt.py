"""From a task and its context to a prompt, within a token budget.

Tokens are estimated, and the estimate errs high. Diagnostics, instruction and what is to be edited are always whole,
or the task fails with a message; of the rest of the document, the lines nearest to the target are shown while they fit.
"""

from __future__ import annotations

from dataclasses import replace

from sidelight.core.context import Context
from sidelight.core.ports import Prompt
from sidelight.core.tasks import Task
from sidelight.editing.text import Place, Range
from sidelight.errors import UsageError
from sidelight.messages import Message, msg

# Code runs at three to four characters a token with the common tokenizers; other scripts at one or more tokens each.
_CHARACTERS_A_TOKEN = 3
# For the task's question, the headings and the fences.
_ROOM_FOR_WORDS = 150
_LANGUAGE_NAMES = {"zh": "Simplified Chinese", "de": "German", "fr": "French", "ja": "Japanese", "es": "Spanish"}


def estimate_tokens(text: str) -> int:
    """Return about how many tokens the text has, erring high."""
    if text.isascii():
        return len(text) // _CHARACTERS_A_TOKEN + 1
    others = sum(character > "\x7f" for character in text)
    return (len(text) - others) // _CHARACTERS_A_TOKEN + 2 * others + 1


def build_prompt(task: Task, context: Context, budget_tokens: int) -> Prompt:
    """Return the prompt. Raises ``UsageError`` when what must be said alone exceeds the budget.

    A target that is only to be read is cut to its beginning where it is too long, and ``notes`` say so.
    """
    system = "\n".join(part for part in (task.orders, _answer_language(context)) if part)
    must = "\n\n".join(
        part for part in (context.instruction and f"Request: {context.instruction}", _diagnostics(context)) if part
    )
    left = budget_tokens - estimate_tokens(system) - estimate_tokens(must) - _ROOM_FOR_WORDS
    notes: tuple[Message, ...] = ()
    if not task.edits and left > 0 and estimate_tokens(context.target_text) > left:
        context, notes = _cut_target(context, left)
    target = f"{_where(context)}\n{_fenced(context.target_text, context)}" if context.lines else ""
    left -= estimate_tokens(target)
    if left < 0:
        raise _too_long(context, budget_tokens)
    parts = [target, "" if notes else _around(context, left), must, task.question(context)]
    return Prompt(system, "\n\n".join(part for part in parts if part), notes)


def _cut_target(context: Context, budget_tokens: int) -> tuple[Context, tuple[Message, ...]]:
    """Return the context with as many of the target's first lines as fit, and what to tell the user."""
    first = end = context.target.start.line
    left = budget_tokens - _ROOM_FOR_WORDS
    while end < context.target_end and (left := left - estimate_tokens(context.lines[end])) > 0:
        end += 1
    shown = Range(Place(first, 0), Place(end, 0))
    note = msg(
        "Only lines {first} to {last} of {name} fit into the prompt; SIDELIGHT_PROMPT_TOKENS sets its size.",
        first=first + 1, last=end, name=context.name,
    )  # fmt: skip
    return replace(context, target=shown), (note,)


def _too_long(context: Context, budget_tokens: int) -> UsageError:
    hint = msg("Choose a smaller part, or raise SIDELIGHT_PROMPT_TOKENS if the model takes more.")
    if estimate_tokens(context.instruction) > budget_tokens // 2:
        return UsageError(
            msg("The instruction is too long: about {tokens} tokens, and a prompt may have {budget}.",
                tokens=estimate_tokens(context.instruction), budget=budget_tokens),
            hint,
        )  # fmt: skip
    return UsageError(
        msg("The selected part is too long: about {tokens} tokens, and a prompt may have {budget}.",
            tokens=estimate_tokens(context.target_text), budget=budget_tokens),
        hint,
    )  # fmt: skip


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
    fence = "```"
    while fence in text:
        fence += "`"
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


def _around(context: Context, budget_tokens: int) -> str:
    """Show the lines before and after the target, nearest first, as many as fit."""
    first, last = context.target.start.line, context.target_end
    before, after = first, last
    left = budget_tokens
    while left > 0 and (before > 0 or after < len(context.lines)):
        if before > 0:
            left -= estimate_tokens(context.lines[before - 1])
            before -= left > 0
        if after < len(context.lines) and left > 0:
            left -= estimate_tokens(context.lines[after])
            after += left > 0
    parts = [("before it", context.lines[before:first]), ("after it", context.lines[last:after])]
    return "\n\n".join(
        f"For reference, what stands {where}:\n{_fenced(text, context)}"
        for where, lines in parts
        if (text := "".join(lines)).strip()
    )
