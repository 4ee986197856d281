"""The parts of a prompt as the model reads them: text in fences, headings, and who is told what every time."""

from __future__ import annotations

import re
from collections.abc import Callable

from sidelight.core.context import Context, Piece
from sidelight.core.ports import Part
from sidelight.core.ports.providers import PartKind
from sidelight.core.tasks import Task
from sidelight.messages import Message, msg

_LANGUAGE_NAMES = {"zh": "Simplified Chinese", "de": "German", "fr": "French", "ja": "Japanese", "es": "Spanish"}

_CITE = (
    "Pieces of a knowledge base are among the references, numbered like [1]. Where you rest on one, write its number "
    "in brackets behind the sentence. Where none of them supports an answer, say so."
)


def orders_parts(task: Task, context: Context, own: str, weigh: Callable[[str], int]) -> list[Part]:
    """Return what the model is told before every question: the task's orders, the language, and the user's ``own``."""
    told = [
        (task.orders, msg("what the model is told for this task")),
        (answer_language(context), msg("the language of the answer")),
        (_CITE if _has_knowledge(context) else "", msg("how to name what the knowledge base says")),
        (own, msg("your own orders, from SIDELIGHT_SYSTEM_PROMPT")),
    ]
    return [Part("orders", "", text, why, weigh(text)) for text, why in told if text]


def _has_knowledge(context: Context) -> bool:
    return any(piece.kind == "knowledge" for piece in context.pieces)


def said_parts(task: Task, context: Context, weigh: Callable[[str], int]) -> list[Part]:
    """Return what is asked: the user's words, the problems, and the task's question."""
    hide = context.mask.hide
    instruction = context.instruction and f"Request: {hide(context.instruction)}"
    said: list[tuple[PartKind, str, Message]] = [
        ("instruction", instruction, msg("what you wrote")),
        ("problems", hide(problems(context)), msg("what was reported there")),
        ("question", task.question(context), msg("what this task asks")),
    ]
    return [Part(kind, "", text, why, weigh(text)) for kind, text, why in said if text]


def target_text(context: Context, text: str) -> str:
    """Return the target as the model reads it."""
    return f"{_where(context)}\n{_fenced(context.mask.hide(text), context.language_id)}"


def beside_text(context: Context, where: str, text: str) -> str:
    """Return lines right before or after the target; ``where`` says which."""
    return f"For reference, what stands {where}:\n{_fenced(context.mask.hide(text), context.language_id)}"


def excerpt_text(context: Context, first: int, end: int) -> str:
    """Return lines of the document that stand elsewhere, ``first`` up to and without ``end``."""
    text = context.mask.hide("".join(context.lines[first:end]))
    return f"For reference, {_numbered(first + 1, end)} of {context.name}:\n{_fenced(text, context.language_id)}"


def piece_text(context: Context, piece: Piece, text: str) -> str:
    """Return a piece from elsewhere, or as much of its ``text`` as is shown."""
    first = piece.first_line
    place = "" if first is None else ", " + _numbered(first + 1, first + text.count("\n") + (not text.endswith("\n")))
    match piece.kind:
        case "instructions":
            heading = f"Instructions of this project, from {piece.name}:"
        case "knowledge":
            heading = f"From the knowledge base, {piece.name}{place}:"
        case _:
            heading = f"For reference, {piece.name}{place}:"
    return f"{heading}\n{_fenced(context.mask.hide(text), piece.language_id)}"


def answer_language(context: Context) -> str:
    """Return what the model is told about the language of its answer; nothing where that is English."""
    language = context.answer_language.lower().partition(".")[0]
    if language in ("", "c", "posix") or language.startswith("en"):
        return ""
    name = _LANGUAGE_NAMES.get(language[:2], f"the language of the locale {language}")
    return f"Write prose in {name}. Leave code, names and comments in the language they are in."


def problems(context: Context) -> str:
    """Return the diagnostics as a list; nothing where there are none."""
    if not context.diagnostics:
        return ""
    lines = [
        f"- line {diagnostic.range.start.line + 1}: {diagnostic.message}"
        + (f" ({diagnostic.source} {diagnostic.code})".replace(" )", ")") if diagnostic.source else "")
        for diagnostic in context.diagnostics
    ]
    return "Problems reported there:\n" + "\n".join(lines)


def _where(context: Context) -> str:
    first = context.target.start.line + 1
    return f"{context.name}, {_numbered(first, max(context.target_end, first))}:"


def _numbered(first: int, last: int) -> str:
    return f"line {first}" if first >= last else f"lines {first} to {last}"


def _fenced(text: str, language_id: str) -> str:
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if text.endswith(("\n", "\r")) or not text else "\n"
    return f"{fence}{language_id}\n{text}{end}{fence}"
