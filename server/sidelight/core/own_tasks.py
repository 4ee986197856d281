"""The user's own tasks: a Markdown file each, its front matter says what it is, the rest is what the model is asked.

::

    ---
    title: Explain for a newcomer
    answer: text
    languages: [python, go]
    ---
    Explain {selection} of {file} to somebody who has never seen {language}.

Such a file is text for a model, and can set nothing else. Every wrong thing is named with its line; a file with one of
them does not count. ``own_tasks.py`` at the top reads the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from sidelight.core.context import Context
from sidelight.core.tasks import TASKS, Task
from sidelight.core.tasks.task import CODE_ANSWER
from sidelight.editing.text import split_lines, without_line_end
from sidelight.errors import UsageError
from sidelight.messages import Message, msg, plain

KEYS = ("name", "title", "description", "answer", "needs", "languages")
PLACES = ("instruction", "selection", "file", "language")

_NAME = re.compile(r"[^\W_][\w-]{0,39}$")
_KEY = re.compile(r"(?P<key>[A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(?P<value>.*))?$")
_FENCE = "---"
_LONGEST_TITLE = 80
_LONGEST_DESCRIPTION = 300
_IN_BODY = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
_TEXT_ORDERS = "You help a developer with code. Do what is asked. Be exact and brief, use Markdown."
_EDIT_ORDERS = f"You change code as you are asked to. {CODE_ANSWER}"


@dataclass(frozen=True, slots=True)
class TaskProblem:
    """What is wrong in a file of a task, and in which line (from 1)."""

    file: str
    line: int
    message: Message

    @property
    def told(self) -> Message:
        """The problem with its place, for people."""
        return msg("{file}:{line}: {message}", file=self.file, line=self.line, message=self.message)


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task of the user's own, and the file it stands in; ``languages``: LSP's ids, none for all."""

    task: Task
    file: str
    description: str = ""
    languages: tuple[str, ...] = ()

    def is_for(self, language_id: str) -> bool:
        """Whether the task is offered in documents of a language."""
        return not self.languages or language_id.lower() in self.languages


@dataclass(slots=True)
class _Reading:
    file: str
    values: dict[str, tuple[int, str]] = field(default_factory=dict)
    problems: list[TaskProblem] = field(default_factory=list)

    def wrong(self, line: int, message: Message) -> None:
        self.problems.append(TaskProblem(self.file, line, message))

    def text(self, key: str) -> str:
        return self.values.get(key, (0, ""))[1]

    def line(self, key: str) -> int:
        return self.values.get(key, (1, ""))[0]


def parse_own_task(text: str, file: str, stem: str) -> tuple[OwnTask | None, list[TaskProblem]]:
    """Read a task's file; ``stem`` is the file's name without ``.md``, and the task's where it says none.

    Returns the task, or None and everything that is wrong.
    """
    reading = _Reading(file)
    lines = [without_line_end(line) for line in split_lines(text.removeprefix("\ufeff"))]
    first = _read_front_matter(lines, reading)
    body = "\n".join(lines[first:]).strip()
    if not body and not reading.problems:
        reading.wrong(min(first + 1, len(lines)), msg("There is nothing below the front matter to ask a model."))
    name = _name(reading, stem)
    title = _short(reading, "title", _LONGEST_TITLE) or name
    description = _short(reading, "description", _LONGEST_DESCRIPTION)
    edits = _choice(reading, "answer", ("text", "edit")) == "edit"
    needs_instruction = _choice(reading, "needs", ("nothing", "instruction")) == "instruction"
    languages = _languages(reading)
    if reading.problems:
        return None, sorted(reading.problems, key=lambda problem: problem.line)
    task = Task(
        name, plain(title), _EDIT_ORDERS if edits else _TEXT_ORDERS, _question(body, edits=edits), edits=edits,
        needs_instruction=needs_instruction, topic=f"{title}. {description}".strip(" ."), asked=body,
    )  # fmt: skip
    return OwnTask(task, file, description, languages), []


def _read_front_matter(lines: list[str], reading: _Reading) -> int:
    """Read ``key: value`` lines between two ``---``; returns the line below them, 0 where there are none."""
    if lines[0].rstrip() != _FENCE:
        return 0
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() == _FENCE), None)
    if end is None:
        reading.wrong(1, msg("The front matter is not closed: a line of --- is missing."))
        return len(lines)
    for number, line in enumerate(lines[1:end], 2):
        if line.strip() and not line.lstrip().startswith("#"):
            _read_line(line, number, reading)
    return end + 1


def _read_line(line: str, number: int, reading: _Reading) -> None:
    found = _KEY.match(line)
    if found is None:
        hint = msg("A list is written on one line: [python, go].") if line.lstrip().startswith("- ") else None
        reading.wrong(number, hint or msg("This is no line of the form “key: value”."))
        return
    key, value = found["key"].lower(), (found["value"] or "").strip()
    if key not in KEYS:
        near = get_close_matches(key, KEYS, 1)
        unknown = msg("There is no key {key}. Did you mean {near}?", key=key, near=near[0]) if near else None
        known = ", ".join(KEYS)
        reading.wrong(number, unknown or msg("There is no key {key}; there are {known}.", key=key, known=known))
    elif key in reading.values:
        reading.wrong(number, msg("{key} is said twice.", key=key))
    else:
        reading.values[key] = (number, _unquoted(value))


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1].strip() if is_quoted else value


def _name(reading: _Reading, stem: str) -> str:
    name, line = reading.text("name") or stem, reading.line("name")
    if not _NAME.match(name):
        reading.wrong(line, msg("{name} cannot be a name: letters, digits, - and _ can, up to 40 of them.", name=name))
    elif name.lower() in TASKS:
        reading.wrong(line, msg("{name} is the name of a task that Sidelight has already.", name=name))
    return name


def _short(reading: _Reading, key: str, most: int) -> str:
    text = " ".join(reading.text(key).split())
    if len(text) > most:
        reading.wrong(reading.line(key), msg("{key} is longer than {most} characters.", key=key, most=most))
    return text


def _choice(reading: _Reading, key: str, values: tuple[str, str]) -> str:
    value = reading.text(key).lower() or values[0]
    if value not in values:
        told = msg("{key} is {value}; it must be {one} or {other}.",
                   key=key, value=value, one=values[0], other=values[1])  # fmt: skip
        reading.wrong(reading.line(key), told)
    return value


def _languages(reading: _Reading) -> tuple[str, ...]:
    text = reading.text("languages")
    if not text:
        return ()
    if not (text.startswith("[") and text.endswith("]")):
        reading.wrong(reading.line("languages"), msg("languages must be a list: [python, go]."))
        return ()
    found = [_unquoted(each.strip()).lower() for each in text[1:-1].split(",")]
    return tuple(each for each in found if each)


def _question(body: str, *, edits: bool) -> Callable[[Context], str]:
    """Return what is asked at a place: the body with its places filled. Braces around anything else are just braces."""

    def ask(context: Context) -> str:
        hide = context.mask.hide
        values = {
            "instruction": lambda: hide(context.instruction),
            "selection": lambda: _selection(context),
            "file": lambda: context.name,
            "language": lambda: context.language_id,
        }
        asked = _IN_BODY.sub(lambda found: values[found[1]](), body)
        return f"{asked}\n\nThe part to change is the first code block above." if edits else asked

    return ask


def require_place(task: Task, context: Context) -> None:
    """Raise ``UsageError`` where a task of the user's own speaks of a file or of code that it is not given."""
    spoken_of = [place for place in ("file", "selection") if f"{{{place}}}" in task.asked]
    if spoken_of and not context.name:
        place = f"{{{spoken_of[0]}}}"
        raise UsageError(
            msg("The task {task} speaks of {place}, and no file is given.", task=task.name, place=place),
            msg("Open a file and select the code, or name a place on the command line: FILE, FILE:10 or FILE:10-40."),
        )
    if "selection" in spoken_of and not context.target_text.strip():
        raise UsageError(
            msg("The task {task} speaks of {place}, and there is no code at this place.",
                task=task.name, place="{selection}"),
            msg("Select the code, or put the caret in it."),
        )  # fmt: skip


def _selection(context: Context) -> str:
    """Return the target's text, its secrets hidden; they are known by the whole document."""
    first, end = context.target.start.line, context.target_end
    return "".join(split_lines(context.mask.hide("".join(context.lines)))[first:end]).rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class OwnTasks:
    """All tasks of the user's own, by name, and what is wrong with the others."""

    tasks: dict[str, OwnTask] = field(default_factory=dict)
    problems: tuple[TaskProblem, ...] = ()

    def for_language(self, language_id: str) -> list[OwnTask]:
        """Return the tasks that are offered in documents of a language."""
        return [own for own in self.tasks.values() if own.is_for(language_id)]


def joined(read: Iterable[tuple[OwnTask | None, list[TaskProblem]]]) -> OwnTasks:
    """Put what was read from files together; of two tasks with one name, the first counts."""
    tasks: dict[str, OwnTask] = {}
    problems: list[TaskProblem] = []
    for own, wrong in read:
        problems += wrong
        if own is None:
            continue
        first = next((each for name, each in tasks.items() if name.lower() == own.task.name.lower()), None)
        if first is not None:
            told = msg("{name} is the name of a task already, in {file}.", name=own.task.name, file=first.file)
            problems.append(TaskProblem(own.file, 1, told))
        else:
            tasks[own.task.name] = own
    return OwnTasks(tasks, tuple(problems))
