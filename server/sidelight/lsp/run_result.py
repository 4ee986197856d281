"""What ``sidelight/run`` returns: how the answer ended, and the edit that it makes. Nothing is applied here."""

from __future__ import annotations

import asyncio
from typing import Any

from sidelight.core.answers import Answer
from sidelight.core.rewrite import rewritten
from sidelight.core.tasks import Task
from sidelight.lsp.client import Client
from sidelight.lsp.delivery import edit_of, edits_between, not_applied
from sidelight.lsp.documents import Documents
from sidelight.lsp.file_edit import as_it_was
from sidelight.lsp.subject import Subject
from sidelight.messages import msg


def result_of(answer: Answer, client: Client, sources: list[dict[str, Any]], *, is_streamed: bool) -> dict[str, Any]:
    """Return the result of a run but for its conversation and its edit; what was streamed is not in it again."""
    finished = answer.finished
    result: dict[str, Any] = {
        "sources": sources,
        "finish": finished.finish if finished else "cut_off",
    }
    if answer.notes:
        result["notes"] = [client.write(note.message) for note in answer.notes]
    if warnings := [client.write(note.message) for note in answer.notes if note.is_warning]:
        result["warnings"] = warnings
    if not is_streamed:
        result |= {"text": answer.text} | ({"reasoning": answer.reasoning} if answer.reasoning else {})
    if finished and finished.error:
        error = finished.error
        hint = {"hint": client.write(error.hint)} if error.hint else {}
        result["error"] = {"kind": error.kind, "message": client.write(error.message)} | hint
    return result


async def edit_result(
    task: Task, subject: Subject, answer: Answer, documents: Documents, client: Client, *, tells_truncation: bool
) -> dict[str, Any]:
    """Return the edit that an answer makes of its place, and a notice where there is none, or only a part."""
    context, document = subject.context, subject.document
    assert document is not None
    new, outcome = await asyncio.to_thread(rewritten, task.name, answer, context, tells_truncation=tells_truncation)
    place, is_same = context.target, False
    if subject.target is None:
        document = as_it_was(documents, document.uri, context) or document
        is_same = as_it_was(documents, document.uri, context) is not None
    elif document.is_open:
        place = subject.target.range
        is_same = document.text.between(place) == context.target_text
    if not is_same:
        reason = msg("{name} was changed at that place meanwhile.", name=document.name)
        return {"notice": client.write(not_applied(reason, in_part=False))}
    if outcome.kind == "same":
        return {"notice": client.write(msg("The answer changes nothing here."))}
    edits = edits_between(document, place, context.target_text, new)
    result: dict[str, Any] = {"edit": edit_of(document, edits, document_changes=True)} if edits else {}
    if outcome.reason is not None:
        result["notice"] = client.write(not_applied(outcome.reason, in_part=bool(edits)))
    return result
