"""The corpus of replies in ``tests/corpus``: how a case is written, and how it is run through the real parts.

A case is a text file: ``key: value`` lines, then sections that begin with a line such as ``=== document``.

- ``about`` says what the case proves; ``language`` is LSP's language id.
- ``range`` are the target's lines: ``4-9`` (from 1, both included), ``empty 5`` (nothing, before line 5), or ``all``.
- ``expect`` is the outcome: ``whole``, ``same``, or ``partial`` or ``nothing`` with words of the reason behind it.
- ``task`` (fix), ``instruction``, ``diagnostic`` (of the target's first line), ``finish`` (complete),
  ``tells-truncation`` (no) are what the editor, the user and the provider say.
- ``line-end: crlf``, ``final-newline: no`` and ``bom: yes`` are about the document as it was and as it is expected.
- ``chunks`` names a character of the reply that stands for a border between two chunks.
- ``escapes: yes`` lets ``\\r``, ``\\0``, ``\\t``, ``\\e``, ``\\f``, ``\\u`` (U+2028) and ``\\\\`` be written so,
  in every section.

Sections: ``document``, ``reply`` (without its last line end), ``replace`` after it (the provider gave its whole answer
anew), ``expected`` (where it is missing, the document as it was). A lone ``\\r`` before a line end makes it CRLF.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidelight.core.answers import Answer, AnswerEvent, Finished, Replace
from sidelight.core.context import Context, Diagnostic, target_lines
from sidelight.core.reasoning import ReasoningSplitter
from sidelight.core.rewrite import BOM, Outcome, Rewrite, line_end_of, rewritten
from sidelight.editing.live_plan import Plan
from sidelight.editing.live_region import LiveRegion
from sidelight.editing.text import Place, Range, lines_of, split_lines

FOLDER = Path(__file__).parents[1] / "corpus"
# Whole or where the case says; then between all characters; then at random.
SEEDS = (None, 0, 1, 2, 3, 4, 5)

_SECTION = re.compile(r"^=== (document|reply|replace|expected)\n", re.MULTILINE)
_KEYS = {
    "about", "language", "range", "expect", "task", "instruction", "diagnostic", "finish", "tells-truncation",
    "line-end", "final-newline", "bom", "chunks", "escapes",
}  # fmt: skip
_ESCAPES = {"f": "\f", "u": "\u2028", "r": "\r", "0": "\0", "t": "\t", "e": "\x1b", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Case:
    """One reply, what it is about, and what it should do."""

    name: str
    context: Context
    task: str
    parts: tuple[tuple[str, str], ...]
    """Each a section's name, ``reply`` or ``replace``, and its text with the chunk marks."""
    chunk_mark: str
    finish: str
    tells_truncation: bool
    kind: str
    reason: str
    expected: str

    @property
    def document(self) -> str:
        """The document as it was."""
        return "".join(self.context.lines)

    @property
    def is_gated(self) -> bool:
        """Whether it is right not to apply the whole reply."""
        return self.kind in ("partial", "nothing")

    def parts_cut(self, seed: int | None) -> list[tuple[str, list[str]]]:
        """Return the sections in chunks: where they are marked, or with a seed at random places."""
        found = []
        for section, text in self.parts:
            chunks = text.split(self.chunk_mark) if self.chunk_mark else [text]
            found.append((section, chunks if seed is None else cut("".join(chunks), seed)))
        return found


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the document, and the judgement."""

    document: str
    outcome: Outcome
    has_replace: bool

    def is_right(self, case: Case) -> bool:
        """Whether this is what the case expects."""
        return (
            self.document == case.expected
            and self.outcome.kind == case.kind
            and case.reason.lower() in str(self.outcome.reason or "").lower()
        )


# Reading


def paths() -> list[Path]:
    """Return the files of all cases."""
    return sorted(FOLDER.glob("*/*.txt"))


def read(path: Path) -> Case:
    """Read a case. Raises ``ValueError`` for what is none."""
    head, *pieces = _SECTION.split(path.read_text("utf-8"))
    keys = dict(line.split(": ", 1) for line in head.splitlines() if line)
    if unknown := set(keys) - _KEYS:
        raise ValueError(f"{path}: {unknown}")
    escaped = keys.get("escapes") == "yes"
    sections = [(name, _unescaped(text) if escaped else text) for name, text in zip(*[iter(pieces)] * 2, strict=True)]
    by_name = dict(sections)
    kind, _, reason = keys["expect"].partition(" ")
    document = _document(by_name["document"], keys)
    return Case(
        name=f"{path.parent.name}/{path.stem}",
        context=_context(document, keys),
        task=keys.get("task", "fix"),
        parts=tuple((name, text.removesuffix("\n")) for name, text in sections if name in ("reply", "replace")),
        chunk_mark=keys.get("chunks", ""),
        finish=keys.get("finish", "complete"),
        tells_truncation=keys.get("tells-truncation") == "yes",
        kind=kind,
        reason=reason,
        expected=_document(by_name["expected"], keys) if "expected" in by_name else document,
    )


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], text)


def _document(text: str, keys: dict[str, str]) -> str:
    if keys.get("final-newline") == "no":
        text = text.removesuffix("\n")
    if keys.get("line-end") == "crlf":
        text = text.replace("\n", "\r\n")
    return BOM * (keys.get("bom") == "yes") + text


def _context(document: str, keys: dict[str, str]) -> Context:
    lines = split_lines(document)
    asked = keys["range"]
    if asked == "all":
        target = target_lines(lines, None)
    elif asked.startswith("empty "):
        place = Place(int(asked.removeprefix("empty ")) - 1, 0)
        target = Range(place, place)
    else:
        first, last = map(int, asked.split("-"))
        target = target_lines(lines, Range(Place(first - 1, 0), Place(last, 0)))
    diagnostic = keys.get("diagnostic", "")
    return Context(
        "document", keys["language"], tuple(lines), target=target, instruction=keys.get("instruction", ""),
        diagnostics=(Diagnostic(Range(target.start, target.start), diagnostic),) if diagnostic else (),
    )  # fmt: skip


# Running


def cut(text: str, seed: int) -> list[str]:
    """Cut a text at a few random places; seed 0 cuts between all characters."""
    if not seed:
        return list(text)
    choose = random.Random(seed)
    borders = sorted(choose.choices(range(len(text) + 1), k=choose.randint(1, 12)))
    return [text[start:end] for start, end in zip([0, *borders], [*borders, len(text)], strict=True)]


def events_of(parts: Sequence[tuple[str, Sequence[str]]]) -> Iterator[list[AnswerEvent]]:
    """Yield what a provider says for each chunk: reasoning inside the text is split off."""
    splitter = ReasoningSplitter()
    for section, chunks in parts:
        if section == "replace":
            splitter = ReasoningSplitter()
            pieces = [*splitter.feed("".join(chunks)), *splitter.finish()]
            splitter = ReasoningSplitter()
            answer = Answer()
            for piece in pieces:
                answer.add(piece)
            yield [Replace(answer.text)]
        else:
            for chunk in chunks:
                yield list(splitter.feed(chunk))
    yield list(splitter.finish())


def run(case: Case, parts: Sequence[tuple[str, Sequence[str]]]) -> Result:
    """Stream the reply into the document, as ``lsp/live_edit.py`` does in an editor that applies every edit at once."""
    context = case.context
    region = _region(context)
    rewrite = Rewrite(case.task, context, tells_truncation=case.tells_truncation)
    answer = Answer()
    has_replace = False
    for events in events_of(parts):
        for event in events:
            answer.add(event)
            has_replace = has_replace or isinstance(event, Replace)
            progress = rewrite.feed(event)
            if progress.is_rewound:
                region.rewind()
            region.queue(progress.steps)
        if region.has_changes:
            _write(region, region.plan)
    finished = Finished(case.finish)  # type: ignore[arg-type]
    last, outcome = rewrite.finish(finished)
    if last.is_rewound:
        region.rewind()
    region.queue(last.steps)
    _complete(region, outcome)
    mark = BOM if case.document.startswith(BOM) else ""
    result = Result(mark + "".join(region.lines), outcome, has_replace)
    if not has_replace:
        answer.add(finished)
        _compare_with_batch(case, answer, result)
    return result


def _region(context: Context) -> LiveRegion:
    lines = lines_of("".join(context.lines).removeprefix(BOM))
    first, end = context.target.start.line, context.target_end
    return LiveRegion(lines, line_end_of(context), before=first, after=max(0, len(lines) - end))


def _write(region: LiveRegion, plan: Callable[[], Plan]) -> None:
    """Write until there is nothing left to write; of very many changes, a plan has only the first."""
    while True:
        region.send(next_plan := plan())
        if not next_plan.splices:
            return
        region.believe()


def _complete(region: LiveRegion, outcome: Outcome) -> None:
    lines = outcome.lines
    if outcome.kind == "nothing":
        region.forget_steps()
        _write(region, region.plan_back)
    elif lines is not None:
        _write(region, lambda: region.plan_lines(region.with_target(lines)))
    else:
        (region.queue_final if outcome.kind == "whole" else region.queue)(outcome.steps)
        _write(region, region.plan)


def _compare_with_batch(case: Case, answer: Answer, result: Result) -> None:
    """Hold ``rewritten``, which has the whole answer at once, to what was streamed."""
    context = case.context
    new, outcome = rewritten(case.task, answer, context, tells_truncation=case.tells_truncation)
    before, after = context.lines[: context.target.start.line], context.lines[context.target_end :]
    assert "".join([*before, new, *after]) == result.document
    assert (outcome.kind, str(outcome.reason)) == (result.outcome.kind, str(result.outcome.reason))
