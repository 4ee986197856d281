"""Tasks on the command line: the answer goes to stdout and nothing else does; everything else goes to stderr."""

from __future__ import annotations

import difflib
import os
import queue
import re
import select
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TextIO

from sidelight.core.answers import (
    Answer,
    AnswerEvent,
    Finished,
    Note,
    Reasoning,
    Replace,
    Status,
    Text,
    still_waiting,
)
from sidelight.core.assistant import Assistant, Question
from sidelight.core.context import Context, target_lines
from sidelight.core.ports import Offers, RestorePointError, RestorePoints
from sidelight.core.rewrite import Outcome
from sidelight.core.secrets import refuse_secret_file
from sidelight.core.stopping import Stop
from sidelight.editing.text import Place, Range, split_lines
from sidelight.errors import SidelightError, UsageError
from sidelight.files import language_of, read_text
from sidelight.messages import Message, Translator, msg
from sidelight.uris import document_key, file_uri, name_of

DONE, FAILED, WRONG_USE, STOPPED = 0, 1, 2, 130

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?$", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SILENCE_TO_TELL_S = 5.0
_STOPPING_S = 0.5


def printable(text: str, out: TextIO) -> str:
    """Return text as it may go to ``out``: a terminal gets no control characters, by which a model could act."""
    return _CONTROL.sub("", text) if out.isatty() else text


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where answers and notes go, and the language of the notes."""

    translate: Translator

    def note(self, message: Message) -> None:
        """Write a line to stderr."""
        print(printable(self.translate(message), sys.stderr), file=sys.stderr, flush=True)

    def error(self, error: SidelightError) -> None:
        """Write what went wrong, and what to do, to stderr."""
        self.note(msg("✗ {message}", message=error.message))
        if error.hint:
            self.note(msg("  {hint}", hint=error.hint))


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a place was named in."""

    path: Path
    text: str


def read_place(place: str) -> tuple[Source, Range | None]:
    """Read ``FILE``, ``FILE:10`` or ``FILE:10-40`` (lines from 1). Raises ``UsageError``."""
    path, first, last = _parse_place(place)
    source = Source(path, read_text(path))
    if first is None:
        return source, None
    count = len(split_lines(source.text))
    if last is not None and last < first:
        raise UsageError(msg("{first}-{last} is no range of lines: its end is before its beginning.",
                             first=first, last=last), msg("Write FILE:10-40."))  # fmt: skip
    if not 1 <= first <= count:
        raise UsageError(
            msg("Line {line} does not exist: {name} has {count} lines.", line=first, name=path.name, count=count)
        )
    if last is None:
        return source, Range(Place(first - 1, 0), Place(first - 1, 0))
    return source, Range(Place(first - 1, 0), Place(min(last, count), 0))


def _parse_place(place: str) -> tuple[Path, int | None, int | None]:
    match = _PLACE.match(place)
    if match is None or Path(place).exists():
        return Path(place), None, None
    first, last = match["first"], match["last"]
    return Path(match["file"]), int(first) if first else None, int(last) if last else None


def file_context(source: Source, place: Range | None, instruction: str, language: str) -> Context:
    """Return the context of a task about a file. Raises ``UsageError`` for a file for secrets."""
    refuse_secret_file(source.path.name)
    lines = split_lines(source.text)
    target = target_lines(lines, place)
    return Context(
        name=source.path.name,
        language_id=language_of(source.path),
        lines=tuple(lines),
        selection=place or target,
        target=target,
        instruction=instruction,
        answer_language=language,
    )


def piped_context(text: str, instruction: str, language: str) -> Context:
    """Return the context of a question about what came through a pipe; nothing came, where it is empty."""
    if not text:
        return Context(instruction=instruction, answer_language=language)
    lines = split_lines(text)
    return Context(
        name="stdin",
        lines=tuple(lines),
        target=target_lines(lines, None),
        instruction=instruction,
        answer_language=language,
    )


def show_offers(offers: Offers, terminal: Terminal) -> None:
    """List models on stdout, a line each: * for the current one, provider, id, and what is known of it."""
    for offer in offers.offers:
        model = offer.model
        tokens = terminal.translate(msg("{tokens} tokens", tokens=model.context_tokens)) if model.context_tokens else ""
        told = [model.name, model.detail, tokens, " ".join(model.abilities), offer.address]
        mark = "*" if offer.is_current else "-"
        print(printable("\t".join([mark, offer.provider, model.id, *filter(None, told)]), sys.stdout))
    for name, error in offers.unreachable:
        terminal.note(msg("{name} could not be asked for its models: {reason}", name=name, reason=error.message))
        if error.hint:
            terminal.note(msg("  {hint}", hint=error.hint))
    if not offers.offers:
        terminal.note(msg("There are no models to choose from."))


def show_answer(
    assistant: Assistant, question: Question, terminal: Terminal, take: Callable[[AnswerEvent], bool] | None = None
) -> Answer:
    """Ask, and show the answer as it arrives: its text on stdout (where a diff follows, on stderr). Ctrl-C stops it.

    However it ends, also where nobody reads what is printed, what came by then is kept. ``take`` may take an event, so
    that it is not shown here.
    """
    stop = Stop()
    events: queue.SimpleQueue[AnswerEvent] = queue.SimpleQueue()
    asking = assistant.start(question, stop, events.put)
    answer = Answer()
    out = sys.stderr if question.task.edits or question.task.name == "test" else sys.stdout
    silent: Message | None = None
    late: list[Message] = []
    try:
        while answer.finished is None:
            event = _next(events, silent, terminal)
            answer.add(event)
            silent = event.if_silent if isinstance(event, Status) else None
            if take is not None and take(event):
                continue
            if isinstance(event, Note) and answer.text:
                late.append(event.message)  # not in the middle of a line
            else:
                _show(event, out, terminal)
        if answer.text and take is None and not answer.text.endswith("\n"):
            print(file=out, flush=True)
        for message in late:
            terminal.note(message)
    except KeyboardInterrupt:
        answer.add(Finished("stopped"))
        _end_line(answer, out)
    finally:
        stop.set()
        asking.join(_STOPPING_S)
    return answer


def _end_line(answer: Answer, out: TextIO) -> None:
    """End the last line of a stopped answer; let go of an output that nobody reads, or the process never ends."""
    if os.name == "posix" and not select.select([], [out], [], 0)[1]:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    if answer.text and not answer.text.endswith("\n"):
        print(file=out, flush=True)


def _next(events: queue.SimpleQueue[AnswerEvent], silent: Message | None, terminal: Terminal) -> AnswerEvent:
    """Return the next event; while none comes, say so every few seconds, and why where that is known."""
    began = monotonic()
    while True:
        try:
            return events.get(timeout=_SILENCE_TO_TELL_S)
        except queue.Empty:
            terminal.note(still_waiting(silent, monotonic() - began))


def _show(event: AnswerEvent, out: TextIO, terminal: Terminal) -> None:
    match event:
        case Text(text):
            print(printable(text, out), end="", file=out, flush=True)
        case Replace(text):
            terminal.note(msg("(the provider replaced its answer; this is the whole of it)"))
            print(f"\n{printable(text, out)}", end="", file=out, flush=True)
        case Reasoning(text):
            print(printable(text, sys.stderr), end="", file=sys.stderr, flush=True)
        case Status(message) | Note(message):
            terminal.note(message)
        case _:
            pass


def finish(answer: Answer, terminal: Terminal) -> int:
    """Show the sources and how the answer ended; returns the exit code."""
    for number, title in enumerate(dict.fromkeys(source.title for source in answer.sources), 1):
        terminal.note(msg("[{number}] {title}", number=number, title=" ".join(title.split())))
    finished = answer.finished
    if finished is None or finished.finish == "stopped":
        terminal.note(msg("Stopped."))
        return STOPPED
    if finished.error is not None:
        if answer.text:
            terminal.note(msg("The answer is incomplete."))
        terminal.error(finished.error)
        return FAILED if finished.error.kind not in ("configuration", "usage") else WRONG_USE
    return DONE if finished.finish == "complete" else FAILED


def show_edit(
    edit: tuple[str, Outcome], source: Source, context: Context, writer: Writer | None, terminal: Terminal
) -> int:
    """Print what the answer changes as a unified diff on stdout; with a ``writer``, write the file.

    What is not whole is shown as far as it goes, and not written.
    """
    new, outcome = edit
    if outcome.kind == "nothing" and outcome.reason is not None:
        terminal.note(msg("Not applied: {reason}", reason=outcome.reason))
        return FAILED
    first, end = context.target.start.line, context.target_end
    whole = "".join([*context.lines[:first], new, *context.lines[end:]])
    if whole == source.text:
        terminal.note(msg("The answer changes nothing here."))
        return DONE
    print("".join(unified_diff(source.text, whole, name_in_diff(source.path))), end="", flush=True)
    if outcome.reason is not None:
        terminal.note(msg("The answer is not whole, and was not written: {reason}", reason=outcome.reason))
        return FAILED
    if writer:
        writer.write(source, whole, terminal)
    return DONE


def show_change(source: Source, new: str, writer: Writer | None, terminal: Terminal) -> int:
    """Print how a file changes as a unified diff on stdout; with a ``writer``, write it."""
    if new == source.text:
        terminal.note(msg("The answer changes nothing here."))
        return DONE
    print("".join(unified_diff(source.text, new, name_in_diff(source.path))), end="", flush=True)
    if writer:
        writer.write(source, new, terminal)
    return DONE


def show_new_file(path: Path, text: str, terminal: Terminal, *, writes: bool) -> int:
    """Print a new file as a unified diff on stdout; make it, where it ``writes``."""
    lines = difflib.unified_diff([], _written_lines(text), "/dev/null", f"b/{name_in_diff(path)}")
    print("".join(lines), end="", flush=True)
    if writes:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(
                msg("{path} cannot be written: {reason}", path=str(path), reason=error.strerror or str(error))
            ) from error
        terminal.note(msg("{path} is written.", path=str(path)))
    return DONE


def name_in_diff(path: Path) -> str:
    """Return the path as diffs have it: relative to here where it is below, never beginning with a slash."""
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path
    return shown.as_posix().lstrip("/")


def unified_diff(old: str, new: str, name: str) -> list[str]:
    """Return the lines of a unified diff, as ``patch`` and ``git apply`` read it."""
    lines = difflib.unified_diff(_written_lines(old), _written_lines(new), f"a/{name}", f"b/{name}")
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]


def _written_lines(text: str) -> list[str]:
    """Return the lines of a file: after the last line end there is none."""
    lines = split_lines(text)
    return lines if lines[-1] else lines[:-1]


def key_of(path: Path) -> str:
    """Return the one spelling of a file's URI; symbolic links stay, as editors leave them."""
    return document_key(file_uri(Path(os.path.abspath(path))))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes files for a task, with a restore point each: without one, nothing is written."""

    restore_points: RestorePoints
    task: str

    def write(self, source: Source, text: str, terminal: Terminal) -> None:
        """Replace the file in one step, unless it has changed since it was read."""
        content = _encoded(source, text)
        _check(source)
        uri = key_of(source.path)
        point = self.restore_points.add(uri, name_of(uri), self.task, "terminal", source.text)
        _check(source)  # waiting for the database takes some seconds at worst
        _replace(source, content)
        terminal.note(msg("{path} is written.", path=str(source.path)))
        try:
            self.restore_points.finish(point, text)
        except RestorePointError as error:  # the point holds what matters, and the file is written
            terminal.error(error)


def _encoded(source: Source, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            msg("{path} was not written: the text holds characters that no file in UTF-8 can hold.",
                path=str(source.path))
        ) from error  # fmt: skip


def _check(source: Source) -> None:
    if read_text(source.path) != source.text:
        raise UsageError(
            msg("{path} has changed meanwhile; it was not written.", path=str(source.path)), msg("Run it again.")
        )
    if not source.path.stat().st_mode & 0o200:
        raise UsageError(msg("{path} is read-only; it was not written.", path=str(source.path)))


def _replace(source: Source, content: bytes) -> None:
    target = source.path.resolve()
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, target.stat().st_mode)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise UsageError(
            msg("{path} cannot be written: {reason}", path=str(target), reason=error.strerror or str(error))
        ) from error
