"""Documents of a knowledge base in a terminal: brought there, kept up to date, looked at, removed.

What stands or was done goes to stdout, a line for each document: a mark, a tab, the name (and why). Progress and notes
go to stderr. The marks: ``+`` new, ``~`` changed or not all there, ``-`` gone, ``=`` in step, ``x`` left out, ``!``
failed.
"""

from __future__ import annotations

import queue
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidelight.core.stopping import Stop, Stopped
from sidelight.messages import Message, msg
from sidelight.syncing.run import Act, Syncing, Wish, wishes_of
from sidelight.syncing.telling import outcome_of, summary_of
from sidelight.syncing.values import Refused, Report, Step, Tell
from sidelight.terminal import DONE, FAILED, STOPPED, Terminal, printable

_BAR = 20
# On Windows, nothing wakes a wait without an end when Ctrl-C is pressed.
_LOOK_EVERY_S = 0.2
_STOPPING_S = 10.0
# More than these are counted; `knowledge status` lists them all.
_MOST_NAMED = 20


def run(
    act: Act | Literal["status"],
    files: Iterable[str],
    make: Callable[[Path], Syncing],
    terminal: Terminal,
    *,
    dry_run: bool = False,
) -> int:
    """Do it for each root that the files lie in (none named: that of this folder); returns the exit code.

    ``act`` is that of a ``Wish``, or ``status``.
    """
    codes = []
    for root, wish in wishes_of("sync" if act == "status" else act, map(Path, files), [Path.cwd()]):
        syncing = make(root)
        if act == "status" or dry_run:
            report = _with_progress(lambda _, stop: syncing.look(wish, stop), terminal)  # noqa: B023, called at once
            _print_rows(_looked_at(report, all_of_it=act == "status"), terminal)
            _note_look(report, terminal, dry_run=dry_run)
        else:
            report = _with_progress(lambda tell, stop: syncing.perform(wish, tell, stop), terminal)  # noqa: B023
            _print_rows(_done(report), terminal)
            _note_outcome(report, wish, terminal)
        codes.append(_code(report, wish))
    return max(codes, default=DONE)


def _code(report: Report, wish: Wish) -> int:
    if report.is_stopped:
        return STOPPED
    is_refused = any(it.name in wish.names or it.why == "unreadable" for it in report.refused)
    return FAILED if report.error or report.failed or is_refused else DONE


def _with_progress(work: Callable[[Tell, Stop], Report], terminal: Terminal) -> Report:
    """Do the work on a thread of its own, so that Ctrl-C reaches us; show how far it has come."""
    stop, steps = Stop(), queue.SimpleQueue[Step | Report | BaseException]()

    def work_and_tell() -> None:
        try:
            steps.put(work(steps.put, stop))
        except BaseException as error:  # noqa: BLE001, the rim of a thread: raised again below
            steps.put(error)

    thread = threading.Thread(target=work_and_tell, name="knowledge", daemon=True)
    thread.start()
    progress = _Progress(terminal)
    try:
        while isinstance(step := _next(steps), Step):
            progress.show(step)
    except KeyboardInterrupt:
        stop.set()
        step = _outcome(steps)
    finally:
        progress.end()
        stop.set()
    if isinstance(step, Stopped):
        raise KeyboardInterrupt
    if isinstance(step, BaseException):
        raise step
    assert isinstance(step, Report)
    return step


def _next(steps: queue.SimpleQueue[Step | Report | BaseException]) -> Step | Report | BaseException:
    while True:
        try:
            return steps.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            continue


def _outcome(steps: queue.SimpleQueue[Step | Report | BaseException]) -> Report | BaseException:
    """Return what the work ended with, after it was stopped; it may hang in a name look-up."""
    try:
        while isinstance(step := steps.get(timeout=_STOPPING_S), Step):
            pass
    except queue.Empty:
        return KeyboardInterrupt()
    return step


@dataclass(slots=True)
class _Progress:
    """A bar that moves in a terminal, and counted lines elsewhere."""

    terminal: Terminal
    _width: int = 0

    def show(self, step: Step) -> None:
        """Show how far it has come."""
        is_embedding = step.act == "embed"
        told = self.terminal.translate(msg("taking it in …")) if is_embedding else step.name
        counted = " ".join(f"{step.number}/{step.count} {told}".split())
        if not sys.stderr.isatty():
            print(printable(counted, sys.stderr), file=sys.stderr, flush=True)
            return
        full = _BAR * step.number // max(step.count, 1)
        line = f"[{'#' * full}{'.' * (_BAR - full)}] {printable(counted, sys.stderr)}"
        line = line[: shutil.get_terminal_size().columns - 1]
        print(f"\r{line.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def end(self) -> None:
        """Take the bar away."""
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)


Row = tuple[str, str, Message | None]


def _print_rows(rows: Iterable[Row], terminal: Terminal) -> None:
    for mark, name, why in rows:
        columns = [mark, name, *([terminal.translate(why)] if why else [])]
        # A file's name may hold any character; here it is one column of one line.
        print(printable("\t".join(" ".join(it.split()) for it in columns), sys.stdout), flush=True)


def _looked_at(report: Report, *, all_of_it: bool) -> Iterator[Row]:
    plan = report.plan
    for mark, names in (("=", plan.in_step if all_of_it else []), ("+", plan.new), ("-", plan.gone)):
        yield from ((mark, name, None) for name in sorted(names))
    reasons = [
        (msg("changed"), plan.changed),
        (msg("missing in the workspace"), plan.missing),
        (msg("not finished"), plan.unfinished),
    ]
    for reason, names in reasons:
        yield from (("~", name, reason) for name in sorted(names))
    yield from (("x", it.name, it.message) for it in report.refused)


def _done(report: Report) -> Iterator[Row]:
    marks = {**dict.fromkeys(report.plan.new, "+"), **dict.fromkeys(report.plan.gone, "-")}
    yield from ((marks.get(name, "~"), name, None) for name in report.done)
    yield from (("!", name, error.message) for name, error in report.failed)


def _note_look(report: Report, terminal: Terminal, *, dry_run: bool) -> None:
    plan = report.plan
    if report.is_empty and not dry_run:
        terminal.note(msg("Nothing was added in {root} yet: `sidelight knowledge add FILES`.", root=report.root))
        return
    terminal.note(summary_of(report))
    if not plan.is_done and not dry_run:
        terminal.note(msg("`sidelight knowledge sync` brings it up to date."))


def _note_outcome(report: Report, wish: Wish, terminal: Terminal) -> None:
    if report.is_empty and wish.act == "sync":
        terminal.note(msg("Nothing was added in {root} yet: `sidelight knowledge add FILES`.", root=report.root))
        return
    _note_refused(report.refused, terminal, all_of_them=wish.act == "add")
    for name, error in report.failed[:_MOST_NAMED]:
        terminal.note(msg("{name} was not brought up to date:", name=name))
        terminal.error(error)
    terminal.note(outcome_of(report))
    if report.error is not None:
        terminal.error(report.error)
    if report.is_stopped:
        terminal.note(msg("Stopped."))
    if report.error or report.failed or report.is_stopped:
        terminal.note(msg("What is done stays done; `sidelight knowledge sync` goes on."))


def _note_refused(refused: list[Refused], terminal: Terminal, *, all_of_them: bool) -> None:
    """Name what is kept back for its secrets, or cannot be read; of the rest, as many as anybody reads."""
    told = [it for it in refused if it.why in ("secret", "unreadable")]
    rest = [it for it in refused if it.why not in ("secret", "unreadable") and all_of_them]
    for it in [*told, *rest[:_MOST_NAMED]]:
        terminal.note(msg("{name} is left out: {reason}.", name=it.name, reason=it.message))
    if len(rest) > _MOST_NAMED:
        terminal.note(msg("{count} more files are left out.", count=len(rest) - _MOST_NAMED))
