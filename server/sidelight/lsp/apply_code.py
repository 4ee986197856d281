"""``sidelight.applyCode``: a code block that the user saw in an answer becomes an edit, with all that edits have.

Where it goes is decided in ``editing/code_place.py``; from there on it is the answer of an edit task, whose text
happens to be known already.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sidelight.core.answers import AnswerEvent, Finished, Text
from sidelight.core.context import Context, target_lines
from sidelight.core.secrets import Mask
from sidelight.core.stopping import Stop
from sidelight.core.tasks import Task
from sidelight.editing.code_place import CodePlace, find_place
from sidelight.editing.text import Place, Range
from sidelight.errors import UsageError
from sidelight.lsp.documents import Document
from sidelight.lsp.jobs import Job
from sidelight.lsp.page_delivery import PageDelivery
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.session import Session
from sidelight.lsp.subject import Asked, Subject
from sidelight.messages import msg

APPLY = Task(name="apply", title=msg("Apply"), orders="", question=lambda _context: "", edits=True)
# A document that is typed in all the while is looked through so often, and no more.
_SEARCHES = 3


@dataclass(frozen=True, slots=True)
class Given:
    """A code block, and the place where the user wants it."""

    code: str
    asked: Asked
    conversation: str | None
    turn: int | None


def parse_given(argument: dict[str, Any], asked: Asked) -> Given:
    """Read the command's argument. Raises ``InvalidParams``."""
    code, turn = argument.get("code"), argument.get("turn")
    if not isinstance(code, str) or asked.uri is None:
        raise InvalidParams("code and uri are needed.")
    if turn is not None and (isinstance(turn, bool) or not isinstance(turn, int)):
        raise InvalidParams("turn must be a number.")
    return Given(code, asked, asked.conversation, turn)


def apply_code(session: Session, given: Given) -> Job:
    """Begin to put the code into its document. Raises ``UsageError`` where there is none, or no code."""
    document = session.documents.opened(str(given.asked.uri))
    if document is None:
        raise UsageError(msg("{uri} is not open in the editor.", uri=given.asked.uri), msg("Open it, then try again."))
    if not given.code.strip():
        raise UsageError(msg("The answer's code block is empty."), msg("Choose another block."))
    job = Job(APPLY.name, session.client)
    session.begin(job, _perform(session, job, given, document))
    return job


async def _find(session: Session, given: Given, document: Document) -> CodePlace:
    """Return where the code goes in the document as it is now. A large one is looked through on a thread."""
    for _ in range(_SEARCHES):
        version, lines = document.version, tuple(document.text.lines)
        place = _place(session, given, document)
        found = await asyncio.to_thread(find_place, lines, given.code, place, document.language_id)
        if not document.is_open:
            raise UsageError(msg("{name} was closed meanwhile.", name=document.name), msg("Open it, then try again."))
        if document.version == version:
            return found
    raise UsageError(msg("{name} was changed all the while.", name=document.name), msg("Try again."))


def _place(session: Session, given: Given, document: Document) -> tuple[int, int] | None:
    """Return the lines that the code is about: those of the turn, else of the range; the block around a caret."""
    lines, place = document.text.lines, None
    if given.conversation is not None and given.turn is not None:
        place = session.places.find(given.conversation, given.turn, document)
    if place is None and given.asked.range is not None:
        place = document.range(given.asked.range)
    if place is None:
        return None
    target = target_lines(lines, place)
    return target.start.line, target.end.line + (1 if target.end.column else 0)


def _subject(document: Document, found: CodePlace, language: str) -> Subject:
    lines = document.text.lines
    end = Place(found.end, 0) if found.end < len(lines) else document.text.end
    start = min(Place(found.first, 0), document.text.end)
    target = Range(start, max(start, end))
    context = Context(
        document.name, document.language_id, tuple(lines), selection=target, target=target, answer_language=language
    )
    return Subject(context, document, document.track(target))


def _with_secrets(code: str, text: str) -> str:
    """Return the code with the document's own secrets, where an answer to a masked prompt has placeholders for them."""
    mask = Mask()
    mask.learn(text)
    return mask.restore(code)


async def _perform(session: Session, job: Job, given: Given, document: Document) -> None:
    given = replace(given, code=await asyncio.to_thread(_with_secrets, given.code, str(document.text)))
    await apply_at(session, job, document, await _find(session, given, document), given.asked)


async def apply_at(session: Session, job: Job, document: Document, found: CodePlace, asked: Asked) -> None:
    """Put code into its place as an edit, whose job has begun. ``asked`` says why: that tells what may be removed."""
    subject = _subject(document, found, session.answer_language()).with_instruction(asked.instruction)
    answer = fenced("\n".join(found.lines), subject.context.language_id)

    def say(_stop: Stop, put: Callable[[AnswerEvent], None]) -> None:
        put(Text(answer))
        put(Finished("complete"))

    title, mode = session.running.title(APPLY, subject), session.edit_mode()
    try:
        if mode == "page":
            await job.run(say, PageDelivery(session.pages, subject, title), title, is_edit=False)
            return
        delivery = session.edits.delivery(
            job.id, APPLY, asked, subject, title, mode="preview" if mode == "preview" else "once",
            tells_truncation=True, obstacle=found.obstacle,
        )  # fmt: skip
        await job.run(say, delivery, title, is_edit=True)
    finally:
        session.pages.release(subject)


def fenced(code: str, language: str) -> str:
    """Return the code as an answer has it, in a fence that nothing in it can close."""
    longest = max((len(found) for found in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code}\n{fence}\n"
