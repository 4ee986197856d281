"""The fix task: repairs what is certain in the target, and says what it changed and what remains.

Only the text of the target changes, and only into something that Python reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sidelight.core.context import Context
from sidelight.core.stopping import Stop
from sidelight.messages import Message, msg
from sidelight.providers.builtin.faults import find_faults
from sidelight.providers.builtin.page import Block, Item, Listing, code, how_to_connect
from sidelight.providers.builtin.program import Edit, Fault, Program, read
from sidelight.providers.builtin.ruff import ruff_faults
from sidelight.providers.builtin.syntax import error_sentence, mend

AT_ONCE = 50  # repairs that one answer makes, so that a reader can follow it


def fix(context: Context, ruff: Path | None, stop: Stop) -> Iterator[Block]:
    """Yield what was changed and why, what was not, and last the whole target, when anything was changed.

    ``ruff`` is the program that finds more, where there is one.
    """
    program = read(context, context.target)
    start, tail = program.edges(context.target)
    readable, mended = mend(program, start, len(program.text) - tail)
    if readable.error:
        yield error_sentence(program)
        yield from _cannot()
        return
    faults = [fault for fault in find_faults(readable) if _is_inside(readable, fault, start, tail)]
    repaired, fixed = _apply(readable, faults, start, tail)
    stop.raise_if_set()
    final, by_ruff = _apply(repaired, ruff_faults(ruff, repaired, stop), start, tail)
    changes = [
        *_changes(mended, readable),
        *_changes(fixed, readable, fixed),
        *(Item(fault.message) for fault in by_ruff),
    ]
    by_ruff_too = {fault.line for fault in by_ruff}
    left = [
        *_left([fault for fault in faults if fault.line not in by_ruff_too], fixed),
        *_unanswered(context, {fault.line for fault in [*mended, *faults]}),
    ]
    yield from _report(changes, left)
    if changes:
        yield Listing(final.text[start : len(final.text) - tail])


def _report(changes: list[Item], left: list[Item]) -> Iterator[Block]:
    yield msg("This was put right:") if changes else msg("There is nothing here that can be put right without a model.")
    yield from changes
    if left:
        yield msg("This is left for you or for a model:")
        yield from left[:AT_ONCE]
    if not changes:
        yield from _cannot()


def _cannot() -> Iterator[Block]:
    yield msg(
        "Without a model, Sidelight puts right only what is certain: misspelt names and keywords, missing colons, "
        "brackets and quotes, `=` for `==`, shared default values, comparisons with `None` or by `is`, a bare "
        "`except:`, missing imports, and what ruff fixes safely where it is installed."
    )
    yield how_to_connect()


def _is_inside(program: Program, fault: Fault, start: int, tail: int) -> bool:
    return start <= program.start(fault.line) < max(len(program.text) - tail, start + 1)


def _apply(program: Program, faults: Iterable[Fault], start: int, tail: int) -> tuple[Program, list[Fault]]:
    """Return the program after the edits of those faults whose edits lie in the target and apart, and those faults."""
    end, taken, chosen = len(program.text) - tail, list[Edit](), list[Fault]()
    for fault in faults:
        inside = all(start <= edit.start and edit.end <= end for edit in fault.edits)
        if (
            len(chosen) < AT_ONCE
            and fault.edits
            and inside
            and not any(_collide(edit, other) for edit in fault.edits for other in taken)
        ):
            chosen.append(fault)
            taken += fault.edits
    while chosen:
        after = program.edited(edit for fault in chosen for edit in fault.edits)
        if after.error is None:
            return after, chosen
        chosen = chosen[: len(chosen) // 2]
    return program, []


def _collide(edit: Edit, other: Edit) -> bool:
    return (edit.start < other.end and other.start < edit.end) or edit == other


def _changes(faults: list[Fault], program: Program, applied: Iterable[Fault] = ()) -> Iterator[Item]:
    """Yield an entry for each fault, with its line as it stands in the program once ``applied`` are applied."""
    edits = [edit for fault in applied for edit in fault.edits if not re.search(r"[\r\n]", edit.new)]
    for fault in faults:
        start, line = program.start(fault.line), program.line(fault.line)
        for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
            if start <= edit.start and edit.end <= start + len(line):
                line = line[: edit.start - start] + edit.new + line[edit.end - start :]
        yield Item(
            msg(
                "Line {line}: {fault} It now reads {code}.",
                line=fault.line,
                fault=fault.message,
                code=code(line.strip("\ufeff \t\f\r\n")),
            )
        )


def _left(faults: list[Fault], fixed: list[Fault]) -> Iterator[Item]:
    for fault in faults:
        if fault not in fixed:
            yield Item(msg("Line {line}: {fault}", line=fault.line, fault=fault.message))


def _unanswered(context: Context, seen: set[int]) -> Iterator[Item]:
    """Yield the diagnostics of the target in whose lines nothing was found."""
    for diagnostic in context.diagnostics:
        line = diagnostic.range.start.line
        if context.target.start.line <= line < context.target.end_line and line + 1 not in seen:
            yield Item(msg("Line {line}: {fault}", line=line + 1, fault=_said(diagnostic.message, diagnostic.source)))


def _said(message: str, source: str) -> Message:
    return msg("{message} ({source})", message=message, source=source) if source else msg("{message}", message=message)
