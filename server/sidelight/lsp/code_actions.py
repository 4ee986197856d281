"""What the light bulb offers. Nothing is computed here but titles: every action carries a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lsprotocol import types

from sidelight.core.instructions import find_instruction
from sidelight.core.own_tasks import OwnTask
from sidelight.editing.blocks import enclosing_block
from sidelight.editing.text import Range
from sidelight.lsp.client import Client
from sidelight.lsp.diagnostics import MARK_CODE, OUR_SOURCE
from sidelight.lsp.documents import Document
from sidelight.lsp.findings import Findings
from sidelight.lsp.reviews import Reviews
from sidelight.messages import Message, Translator, msg

_QUICK_FIX, _REWRITE, _REFACTOR, _SOURCE = "quickfix", "refactor.rewrite", "refactor", "source"
_FIX_ALL = "source.fixAll.sidelight"
_LONGEST_MESSAGE = 60


def code_actions(
    params: types.CodeActionParams,
    document: Document,
    write: Translator,
    running: Sequence[str],
    raw_diagnostics: Sequence[dict[str, Any]],
    *,
    can_restore: bool = False,
    own: Sequence[OwnTask] = (),
) -> list[dict[str, Any]]:
    """Return the actions for a place, as LSP has them; ``running`` are the ids of running jobs.

    ``own`` are the user's own tasks for the document's language.
    """
    only = [str(getattr(kind, "value", kind)) for kind in params.context.only or []]
    # A client that does not say why it asks (Neovim 0.7) asks because the user did.
    is_asked = params.context.trigger_kind != types.CodeActionTriggerKind.Automatic
    actions = [
        *_on_diagnostics(params, raw_diagnostics),
        *_on_place(params, document, is_asked=is_asked or _SOURCE in only),
        *_on_own(params, document, own, is_asked=is_asked),
        *_on_document(params, document, raw_diagnostics),
        *_on_file(params, is_asked=_SOURCE in only),
        *_on_history(params, is_asked=_SOURCE in only or (can_restore and is_asked)),
        *(_Offer(_SOURCE, msg("Stop Sidelight ({job})", job=job), "stop", {"job": job}) for job in running),
    ]
    return [action.as_lsp(write) for action in actions if action.is_wanted(only)]


def caret_in(document: Document, range_: types.Range) -> types.Range:
    """Return the caret for a range inside one definition; what reaches beyond it was surely selected."""
    first, end = enclosing_block(document.text.lines, range_.start.line)
    is_inside = first <= range_.start.line and document.range(range_).end_line <= end
    return types.Range(range_.start, range_.start) if is_inside else range_


def review_actions(reviews: Reviews, document: Document, place: Range, client: Client) -> list[dict[str, Any]]:
    """Return what can be done about the edits at a place."""
    return [
        {"title": client.write(title), "kind": _QUICK_FIX, "command": _command(client.write(title), name, argument)}
        for title, name, argument in reviews.actions(document, place)
    ]


def review_lenses(reviews: Reviews, document: Document, client: Client) -> list[dict[str, Any]]:
    """Return what shows above the edits of a document, for clients that have code lenses."""
    return [
        {"range": document.lsp_range(Range(place, place)), "command": _command(client.write(title), name, argument)}
        for place, title, name, argument in reviews.lenses(document)
    ]


def finding_actions(findings: Findings, document: Document, params: types.CodeActionParams) -> list[dict[str, Any]]:
    """Return what can be done about what a review has found at a place."""
    only = [str(getattr(kind, "value", kind)) for kind in params.context.only or []]
    found = list(findings.actions(document, document.range(params.range)))
    return [action for action in found if _is_wanted(_QUICK_FIX, only)]


def _is_wanted(kind: str, only: Sequence[str]) -> bool:
    """Whether the client asked for a kind: kinds are trees, ``refactor`` wants ``refactor.rewrite`` too."""
    return not only or any(not wanted or f"{kind}.".startswith(f"{wanted}.") for wanted in only)


def _command(title: str, name: str, argument: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "command": f"sidelight.{name}", "arguments": [argument]}


class _Offer:
    def __init__(
        self, kind: str, title: Message, task: str, argument: dict[str, Any], diagnostic: dict[str, Any] | None = None
    ) -> None:
        self._kind, self._title, self._task, self._argument, self._diagnostic = kind, title, task, argument, diagnostic

    def is_wanted(self, only: Sequence[str]) -> bool:
        """Whether the client asked for this kind."""
        return _is_wanted(self._kind, only)

    def as_lsp(self, write: Translator) -> dict[str, Any]:
        title = write(self._title)
        action = {"title": title, "kind": self._kind, "command": _command(title, self._task, self._argument)}
        return action | ({"diagnostics": [self._diagnostic]} if self._diagnostic else {})


def _on_diagnostics(params: types.CodeActionParams, raw: Sequence[dict[str, Any]]) -> Iterator[_Offer]:
    for diagnostic in raw:
        if diagnostic.get("source") == OUR_SOURCE:
            continue
        short = _short(diagnostic.get("message"))
        argument = {
            "uri": params.text_document.uri,
            "range": diagnostic["range"],
            "diagnostics": [diagnostic],
        }
        yield _Offer(_QUICK_FIX, msg("Fix with Sidelight: {message}", message=short), "fix", argument, diagnostic)
        yield _Offer(
            _QUICK_FIX, msg("Explain with Sidelight: {message}", message=short), "explain", argument, diagnostic
        )


def _on_place(params: types.CodeActionParams, document: Document, *, is_asked: bool) -> Iterator[_Offer]:
    """Offer what can be done with a selection; at a bare caret only when the user asked for the menu."""
    argument = {"uri": params.text_document.uri, "range": _plain_range(params.range)}
    selection = document.range(params.range)
    instruction = find_instruction(document.text.lines, selection, signatures=True)
    if instruction:
        title = msg("Generate with Sidelight: {instruction}", instruction=_short(instruction))
        yield _Offer(_REWRITE, title, "generate", {**argument, "instruction": instruction})
    if selection.is_empty and not is_asked:
        return
    yield _Offer(_REFACTOR, msg("Explain with Sidelight"), "explain", argument)
    yield _Offer(_REWRITE, msg("Fix with Sidelight"), "fix", argument)
    if not instruction:
        yield _Offer(_REWRITE, msg("Generate with Sidelight…"), "generate", argument)
    yield _Offer(_REWRITE, msg("Document with Sidelight"), "document", argument)
    yield _Offer(_REFACTOR, msg("Write tests with Sidelight"), "test", argument)
    yield _Offer(_REFACTOR, msg("Ask Sidelight…"), "ask", argument)
    yield _Offer(_REFACTOR, msg("Review with Sidelight"), "review", argument)


def _on_own(
    params: types.CodeActionParams, document: Document, own: Sequence[OwnTask], *, is_asked: bool
) -> Iterator[_Offer]:
    """Offer the user's own tasks, where ours are offered."""
    if document.range(params.range).is_empty and not is_asked:
        return
    place = {"uri": params.text_document.uri, "range": _plain_range(params.range)}
    for each in own:
        task = each.task
        title = msg("Sidelight: {title}", title=task.title)
        if task.needs_instruction:
            title = msg("Sidelight: {title}…", title=task.title)
        yield _Offer(_REWRITE if task.edits else _REFACTOR, title, "task", {**place, "task": task.name})


def _on_file(params: types.CodeActionParams, *, is_asked: bool) -> Iterator[_Offer]:
    if is_asked:
        uri = {"uri": params.text_document.uri}
        yield _Offer(_SOURCE, msg("Review this file with Sidelight"), "review", uri)
        yield _Offer(_SOURCE, msg("Review what has changed with Sidelight"), "review", {**uri, "changes": True})


def _on_document(params: types.CodeActionParams, document: Document, raw: Sequence[dict[str, Any]]) -> Iterator[_Offer]:
    """Offer to fix everything, to who asks: never by itself, and so not when a document is saved.

    A client that does not say why it asks may be saving, unless it asks for this very kind, or for all.
    """
    problems = [each for each in raw if (each.get("source"), each.get("code")) != (OUR_SOURCE, MARK_CODE)]
    kind, only = params.context.trigger_kind, [str(getattr(it, "value", it)) for it in params.context.only or []]
    is_asked = kind == types.CodeActionTriggerKind.Invoked or (kind is None and (not only or _FIX_ALL in only))
    if problems and is_asked:
        title = msg("Fix all problems of {name} with Sidelight", name=document.name)
        yield _Offer(_FIX_ALL, title, "fixAll", {"uri": params.text_document.uri, "diagnostics": problems})


def _plain_range(range_: types.Range) -> dict[str, Any]:
    return {
        "start": {"line": range_.start.line, "character": range_.start.character},
        "end": {"line": range_.end.line, "character": range_.end.character},
    }


def _on_history(params: types.CodeActionParams, *, is_asked: bool) -> Iterator[_Offer]:
    if is_asked:
        title = msg("Restore the text from before an edit of Sidelight…")
        yield _Offer(_SOURCE, title, "restore", {"uri": params.text_document.uri})


def _short(message: object) -> str:
    text = message.get("value", "") if isinstance(message, dict) else str(message or "")
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"
