"""What each command of the terminal does."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sidelight.choices import choice_of
from sidelight.composition import (
    folder_of,
    kept_choices,
    make_chooser,
    make_conversations,
    make_restore_points,
    settings_source,
    stored_conversations,
    stored_restore_points,
)
from sidelight.messages import environment_language, msg
from sidelight.settings import Settings, SettingsSource

if TYPE_CHECKING:
    import argparse

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
    from sidelight import terminal as shown
    from sidelight.choosing import limits_of
    from sidelight.conversations import chosen
    from sidelight.core.assistant import Assistant
    from sidelight.core.rewrite import rewritten
    from sidelight.core.tasks import TASKS

    settings = _read_settings(options, terminal)
    language = settings.text("answer_language") or environment_language()
    task = TASKS[options.task]
    source = None
    if options.place:
        source, place = shown.read_place(options.place)
        context = shown.file_context(source, place, options.question, language)
    else:
        piped = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
        context = shown.piped_context(piped, options.question, language)
    provider = make_chooser().choose(settings).provider
    with closing(make_conversations(settings)) as conversations:
        assistant = Assistant(lambda: provider, lambda: conversations, lambda: limits_of(settings))
        going_on = chosen(conversations, options.conversation).id if options.conversation else None
        question = assistant.question(task, context, going_on, options.model, folder=shown.key_of(Path.cwd()))
        answer = shown.show_answer(assistant, question, terminal)
        if problem := conversations.problem():
            terminal.error(problem)
    code = shown.finish(answer, terminal)
    if task.edits and source is not None and code == shown.DONE:
        with closing(make_restore_points(settings)) as restore_points:
            writer = shown.Writer(restore_points, task.name) if options.apply else None
            edit = rewritten(task.name, answer, context, tells_truncation=provider.tells_truncation)
            return shown.show_edit(edit, source, context, writer, terminal)
    return code


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

    return examine(_source(options).read(), make_chooser().choose, folder_of("log"), terminal.translate)


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
            case "rename":
                return conversations.rename(kept, options.id, options.title, terminal)
            case "delete":
                return conversations.delete(kept, options.id, terminal)
            case _:
                return conversations.clear(kept, terminal)


def demo(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show the whole on a small example."""
    from sidelight.demo import show

    return show(terminal.translate, trusted=options.trust)
