"""Instructions where the editor has no input box: from the argument, the code, a choice of presets, or an ask page."""

from __future__ import annotations

import logging

from sidelight.core.instructions import find_instruction
from sidelight.core.tasks import Task
from sidelight.lsp.client import Client
from sidelight.lsp.pages import Pages
from sidelight.lsp.protocol import ClientError
from sidelight.lsp.subject import Subject
from sidelight.messages import Message, msg

log = logging.getLogger(__name__)

PRESETS: dict[str, tuple[Message, ...]] = {
    "ask": (
        msg("What does this do, step by step?"),
        msg("What could go wrong here?"),
        msg("How could this be simpler?"),
    ),
    "generate": (
        msg("Write a docstring"),
        msg("Complete the code"),
        msg("Handle errors and edge cases"),
    ),
}


async def find_or_ask(
    task: Task, subject: Subject, client: Client, pages: Pages, conversation: str | None
) -> Subject | None:
    """Return the subject with the user's words; None when the user declined, or now writes on an ask page."""
    context = subject.context
    if context.instruction or not task.needs_instruction:
        return subject
    if context.lines:
        found = find_instruction(context.lines, context.selection, signatures=task.edits)
        if found:
            return subject.with_instruction(found)
    elsewhere = client.write(msg("Write it on a page…"))
    presets = [client.write(preset) for preset in PRESETS.get(task.name, ())] if context.lines else []
    try:
        chosen = await client.choose(msg("What should Sidelight do?"), [*presets, elsewhere]) if presets else elsewhere
    except ClientError as error:
        log.info("no choice could be shown: %s", error)
        chosen = elsewhere
    if chosen == elsewhere:
        await pages.new_ask(task, subject, conversation)
        return None
    return subject.with_instruction(chosen) if chosen else None
