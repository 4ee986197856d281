"""What each command of the terminal does."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sidelight.choices import choice_of
from sidelight.composition import (
    folder_of,
    kept_choices,
    make_chooser,
    make_conversations,
    make_restore_points,
    make_syncing,
    settings_source,
    stored_conversations,
    stored_restore_points,
)
from sidelight.errors import UsageError
from sidelight.messages import environment_language, msg
from sidelight.settings import Settings, SettingsSource

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from sidelight.core.answers import Answer, AnswerEvent
    from sidelight.core.context import Context
    from sidelight.core.tasks import Task
    from sidelight.own_tasks import TaskFolders
    from sidelight.terminal import Terminal


def _read_settings(options: argparse.Namespace, terminal: Terminal) -> Settings:
    from sidelight.logs import set_level, start_logging

    start_logging(folder_of("log"))
    settings = _source(options).read()
    set_level(settings.text("log_level"))
    for problem in settings.problems:
        terminal.note(problem)
    return settings


def _source(options: argparse.Namespace) -> SettingsSource:
    source = settings_source(Path.cwd(), trusted=options.trust)
    provider = getattr(options, "provider", None)
    choice = kept_choices().get(source.folders)
    if provider and (choice is None or choice.provider != provider):
        source.client = {"provider": provider}  # a choice of another provider does not hold then
    return source


def run_task(options: argparse.Namespace, terminal: Terminal) -> int:
    """Ask, explain, fix, generate; returns the exit code, as all of these do."""
    from sidelight.core.tasks import TASKS

    return _do(TASKS[options.task], options, _read_settings(options, terminal), terminal)


def own_task(options: argparse.Namespace, terminal: Terminal) -> int:
    """Do a task of the user's own."""
    settings = _read_settings(options, terminal)
    own = _task_folders(options, settings).read()
    for problem in own.problems:
        terminal.note(problem.told)
    found = own.tasks.get(options.name)
    if found is None:
        raise _no_such_task(options.name, list(own.tasks), is_trusted=_is_trusted(options, settings))
    if found.task.needs_instruction and not options.question:
        raise UsageError(msg("This task needs an instruction."), msg("Say in a few words what you want."))
    return _do(found.task, options, settings, terminal)


def _no_such_task(name: str, own: list[str], *, is_trusted: bool) -> UsageError:
    from sidelight.core.tasks import TASKS

    names, more = ", ".join(own), msg("With --trust, the tasks in .sidelight/tasks of this folder count, too.")
    if name in TASKS:
        hint = msg("That one is a command of its own: sidelight {name}", name=name)
    elif own:
        hint = (
            msg("There are: {names}", names=names)
            if is_trusted
            else msg("There are: {names}. {more}", names=names, more=more)
        )
    else:
        hint = msg("You have none yet: each is a Markdown file in .sidelight/tasks.") if is_trusted else more
    return UsageError(msg("There is no task {name}.", name=name), hint)


def _is_trusted(options: argparse.Namespace, settings: Settings) -> bool:
    return bool(options.trust) or settings.flag("trust_workspace")


def _task_folders(options: argparse.Namespace, settings: Settings) -> TaskFolders:
    from sidelight.own_tasks import TaskFolders

    return TaskFolders(folder_of("config") / "tasks", settings.folders, _is_trusted(options, settings))


def _do(task: Task, options: argparse.Namespace, settings: Settings, terminal: Terminal) -> int:
    from sidelight import terminal as shown
    from sidelight.core.doc_style import with_comments_above
    from sidelight.core.own_tasks import require_place
    from sidelight.core.rewrite import rewritten
    from sidelight.project import with_project

    language = _language(settings)
    source = None
    if options.place:
        source, place = shown.read_place(options.place)
        context = shown.file_context(source, place, options.question, language)
        if task.name == "document":
            target = with_comments_above(context.lines, context.target, context.language_id)
            context = replace(context, target=target)
    else:
        piped = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
        context = shown.piped_context(piped, options.question, language)
    require_place(task, context)
    path, is_trusted = source.path if source else None, _is_trusted(options, settings)
    context = with_project(context, path, Path.cwd(), is_trusted=is_trusted)
    answer, code, tells_truncation = _ask(options, settings, terminal, task, context)
    if task.edits and source is not None and code == shown.DONE:
        with closing(make_restore_points(settings)) as restore_points:
            writer = shown.Writer(restore_points, task.name) if options.apply else None
            edit = rewritten(task.name, answer, context, tells_truncation=tells_truncation, asked=task.asked)
            return shown.show_edit(edit, source, context, writer, terminal)
    return code


def _language(settings: Settings) -> str:
    return settings.text("answer_language") or environment_language()


def _ask(
    options: argparse.Namespace,
    settings: Settings,
    terminal: Terminal,
    task: Task,
    context: Context,
    *,
    take: Callable[[AnswerEvent], bool] | None = None,
) -> tuple[Answer, int, bool]:
    """Ask, and show the answer; returns it, the exit code, and whether who was asked tells when it was cut off."""
    from sidelight import terminal as shown
    from sidelight.choosing import limits_of
    from sidelight.conversations import chosen
    from sidelight.core.assistant import Assistant

    chooser = make_chooser()
    provider = chooser.choose(settings).provider
    with closing(make_conversations(settings)) as conversations:
        assistant = Assistant(
            lambda: provider, lambda: conversations, lambda: limits_of(settings), lambda: chooser.knowledge(settings)
        )
        going_on = chosen(conversations, options.conversation).id if options.conversation else None
        question = assistant.question(task, context, going_on, options.model, folder=shown.key_of(Path.cwd()))
        answer = shown.show_answer(assistant, question, terminal, take)
        if problem := conversations.problem():
            terminal.error(problem)
    return answer, shown.finish(answer, terminal), provider.tells_truncation


def review(options: argparse.Namespace, terminal: Terminal) -> int:
    """Review a place, what has changed, or a diff that comes through a pipe; prints the findings."""
    from sidelight.changed_files import NothingToReviewError

    try:
        return _review(options, terminal)
    except NothingToReviewError as nothing:  # as after a commit, in a script
        terminal.note(nothing.message)
        return 0


def _review(options: argparse.Namespace, terminal: Terminal) -> int:
    from sidelight import terminal as shown
    from sidelight.changed_files import changed_files, files_of_diff
    from sidelight.core.finding_places import Reviewed
    from sidelight.core.tasks.review import REVIEW, REVIEW_CHANGES
    from sidelight.project import with_project
    from sidelight.reviewing import FindingPrinter, name_from_here

    settings = _read_settings(options, terminal)
    language, question = _language(settings), options.question
    piped = "" if options.place or options.changes or sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    changed = files_of_diff(piped, Path.cwd(), question, language) if piped else None
    if options.changes:
        folder = Path(options.place or ".").absolute()
        changed = changed_files(folder if folder.is_dir() else folder.parent, (), question, language)
    if changed is not None:
        task, context, files = REVIEW_CHANGES, changed.code.context, changed.code.files
        names = [name_from_here(path) for path in changed.paths]
    elif options.place:
        source, place = shown.read_place(options.place)
        context = shown.file_context(source, place, question, language)
        context = with_project(context, source.path, Path.cwd(), is_trusted=_is_trusted(options, settings))
        task, names = REVIEW, [str(source.path)]
        files = (Reviewed(context.name, context.lines, context.target.start.line, context.target_end),)
    elif piped.strip():
        task, context, names = REVIEW, shown.piped_context(piped, question, language), ["stdin"]
        files = (Reviewed(context.name, context.lines, 0, context.target_end),)
    else:
        raise UsageError(msg("There is nothing to review."), msg("Name a file, say --changes, or pipe a diff."))
    printer = FindingPrinter(context, files, names)
    answer, exit_code, _ = _ask(options, settings, terminal, task, context, take=printer.take)
    printer.finish(terminal, answer.text)
    return exit_code


def write_tests(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write tests for the code at a place, into the file for them."""
    from sidelight import terminal as shown
    from sidelight.core.tasks.test import code_of, test_task
    from sidelight.editing.test_place import with_tests
    from sidelight.git import repository_root
    from sidelight.testing import find_tests, project_folder

    settings = _read_settings(options, terminal)
    source, place = shown.read_place(options.place)
    path = Path(os.path.abspath(source.path))
    context = shown.file_context(source, place, options.question, _language(settings))
    folders = [folder for folder in (Path.cwd(), repository_root(path.parent)) if folder]
    tests = find_tests(path, project_folder(path, folders), context.language_id)
    context = replace(context, pieces=tests.pieces)
    answer, code, _ = _ask(options, settings, terminal, test_task(tests.file, tests.framework), context)
    if code != shown.DONE:
        return code
    written, reason = code_of(answer, context)
    new, reason = with_tests(tests.text, written, context.language_id) if reason is None else ("", reason)
    if reason is not None:
        terminal.note(msg("Not applied: {reason}", reason=reason))
        return shown.FAILED
    if not tests.file.exists:
        return shown.show_new_file(tests.path, new, terminal, writes=options.apply)
    with closing(make_restore_points(settings)) as restore_points:
        writer = shown.Writer(restore_points, "test") if options.apply else None
        return shown.show_change(shown.Source(tests.path, tests.text), new, writer, terminal)


def commit(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print a message for what is staged."""
    from sidelight.core.tasks import TASKS
    from sidelight.git import read_staged

    settings = _read_settings(options, terminal)
    context = read_staged(Path.cwd(), (), options.question, _language(settings))
    return _ask(options, settings, terminal, TASKS["commit"], context)[1]


def models(options: argparse.Namespace, terminal: Terminal) -> int:
    """List what can be asked, and choose."""
    from sidelight.choosing import find_offer
    from sidelight.terminal import show_offers

    settings = _read_settings(options, terminal)
    chooser = make_chooser()
    offers = chooser.offers(settings)
    if options.use:
        offer = find_offer(offers, options.use, options.only)
        chosen = choice_of(settings, offer.provider, offer.model.id, offer.address)
        kept_choices().set(settings.folders, chosen)
    elif options.forget:
        kept_choices().set(settings.folders, None)
    if options.use or options.forget:
        settings = _source(options).read()
        offers = chooser.offers(settings)
    show_offers(offers, terminal)
    choice = chooser.choose(settings)
    name = " ".join(part for part in (choice.provider.name, choice.provider.model) if part)
    terminal.note(msg("Answers come from {name}: {why}.", name=name, why=choice.why))
    return 1 if offers.unreachable and not offers.offers else 0


def doctor(options: argparse.Namespace, terminal: Terminal) -> int:
    """Examine configuration and connection."""
    from sidelight.doctor import examine

    settings = _source(options).read()
    tasks = _task_folders(options, settings)
    chooser = make_chooser()
    return examine(
        settings, chooser.choose, folder_of("log"), terminal.translate, tasks=tasks, knowledge=chooser.knowledge
    )  # fmt: skip


def history(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show and restore what is kept, also when nothing new is kept any more."""
    from sidelight.logs import flush, start_logging

    start_logging(folder_of("log"))
    settings = settings_source().read()
    try:
        if options.act in ("edits", "show", "restore") or (options.act == "clear" and options.what == "edits"):
            return _edits(options, settings, terminal)
        code = _conversations(options, settings, terminal)
        return _edits(options, settings, terminal) if options.act == "clear" and options.what == "all" else code
    finally:
        flush(1)  # a broken database is told about there


def _edits(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> int:
    from sidelight import history

    with closing(stored_restore_points(settings)) as points:
        match options.act:
            case "edits":
                return history.show_edits(points, options.file, options.limit, terminal)
            case "show":
                return history.show_text(points, options.id)
            case "restore":
                return history.restore(points, options.id, terminal, apply=options.apply)
            case _:
                return history.clear(points, terminal)


def _conversations(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> int:
    from sidelight import conversations

    with closing(stored_conversations(settings)) as kept:
        match options.act:
            case "list":
                return conversations.show_list(kept, options.search, options.folder, options.limit, terminal)
            case "read" | "export":
                return conversations.export(kept, options.id, options.format)
            case "sent":
                return conversations.show_sent(kept, options.id, options.turn, terminal)
            case "rename":
                return conversations.rename(kept, options.id, options.title, terminal)
            case "delete":
                return conversations.delete(kept, options.id, terminal)
            case _:
                return conversations.clear(kept, terminal)


def knowledge(options: argparse.Namespace, terminal: Terminal) -> int:
    """Bring documents into the knowledge base, and keep them up to date."""
    from sidelight.knowledge import run

    settings = _read_settings(options, terminal)
    return run(
        options.act, options.files, lambda root: make_syncing(settings, root, options.workspace or ""), terminal,
        dry_run=options.dry_run,
    )  # fmt: skip


def demo(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show the whole on a small example."""
    from sidelight.demo import show

    return show(terminal.translate, trusted=options.trust)
