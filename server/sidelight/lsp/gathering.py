"""What else goes into a question, gathered before it is asked.

Code around its place, what its instruction mentions, and the project's own instructions. Files are read on the
answer's thread. What a mention did not find is told in the notes of the context; nothing here fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

from lsprotocol import types

from sidelight.core.context import Context, Diagnostic
from sidelight.core.mentions import find_mentions
from sidelight.core.secrets import is_secret_file
from sidelight.lsp.diagnostics import is_mark
from sidelight.lsp.documents import Document, file_path
from sidelight.lsp.structures import OpenText, Structures
from sidelight.lsp.subject import Subject, diagnostic_of
from sidelight.messages import msg
from sidelight.project import Opened, Project, find_symbol, with_surroundings

# Diagnostics are never cut from a prompt, so there must not be any number of them.
_MOST_PROBLEMS = 50


@dataclass(slots=True)
class _Problems:
    """The diagnostics that the client has sent with its requests, of one version of a document."""

    version: int | None
    found: dict[Diagnostic, None] = field(default_factory=dict)


class Gathering:
    """Gathers for the questions of one session."""

    def __init__(
        self, structures: Structures, folders: Callable[[], Sequence[Path]], is_trusted: Callable[[], bool]
    ) -> None:
        self._structures = structures
        self._folders = folders
        self._is_trusted = is_trusted
        self._problems: WeakKeyDictionary[Document, _Problems] = WeakKeyDictionary()

    def note_problems(self, document: Document, diagnostics: Iterable[types.Diagnostic]) -> None:
        """Remember what the client reports of a document, for ``#problems``, as long as the text stays the same."""
        known = self._problems.get(document)
        if known is None or known.version != document.version:
            known = self._problems[document] = _Problems(document.version)
        found = (diagnostic_of(document, item) for item in diagnostics if not is_mark(item))
        known.found.update(dict.fromkeys(found))

    def gatherer(self, subject: Subject) -> Callable[[Context], Context]:
        """Return what adds to the subject's context all that is worth showing; it is for another thread.

        What is open is taken as it is now, so that nothing has to wait between this and the answer.
        """
        document = subject.document
        others = [one for one in self._structures.others(document) if not is_secret_file(one.name)]
        own = None
        if document is not None:
            lines, structure = subject.context.lines, self._structures.of(document)
            own = OpenText(document.uri, document.name, document.language_id, lines, structure)
        project = Project(
            tuple(self._folders()),
            self._is_trusted(),
            [Opened(one.name, file_path(one.uri), one.language_id, one.lines) for one in (own, *others) if one],
            partial(find_symbol, own, others),
        )
        path = file_path(document.uri) if document is not None else None
        problems = self._reported(document)

        def gather(context: Context) -> Context:
            return project.add_to(with_surroundings(_with_problems(context, problems), own, others), path)

        return gather

    def _reported(self, document: Document | None) -> list[Diagnostic]:
        """Return what is known to be reported of a document as it is now."""
        known = self._problems.get(document) if document is not None else None
        return list(known.found) if known and document and known.version == document.version else []


def _with_problems(context: Context, reported: Sequence[Diagnostic]) -> Context:
    """Return the context with all diagnostics of its document, where its instruction mentions them."""
    if not find_mentions(context.instruction).problems:
        return context
    ordered = sorted(dict.fromkeys([*context.diagnostics, *reported]), key=lambda one: one.range.start)
    notes = list(context.notes)
    if not context.lines:
        notes.append(msg("#problems are those of a document, and the question is about none."))
    elif not ordered:
        notes.append(msg("No problems of {name} are known: the editor tells them when the caret stands on them.",
                         name=context.name))  # fmt: skip
    elif len(ordered) > _MOST_PROBLEMS:
        notes.append(msg("Of the {count} problems of {name}, only the first {most} are sent.",
                         count=len(ordered), name=context.name, most=_MOST_PROBLEMS))  # fmt: skip
    return replace(context, diagnostics=tuple(ordered[:_MOST_PROBLEMS]), notes=tuple(notes))
