"""The command line, and the composition root: the only file that knows every room and joins them."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sidelight import __version__
from sidelight.choices import Choices, choice_of
from sidelight.core.ports import Conversations, RestorePoints
from sidelight.errors import ConfigurationError, SidelightError, UsageError
from sidelight.messages import environment_language, msg, translator
from sidelight.setting_table import PROVIDERS
from sidelight.settings import Settings, SettingsSource

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from sidelight.choosing import Chooser
    from sidelight.core.ports import Examined, Trial, Tried, Wishes
    from sidelight.core.stopping import Stop
    from sidelight.lsp.start import Wiring
    from sidelight.providers.discovery import Found
    from sidelight.store.conversations import StoredConversations
    from sidelight.store.restore_points import StoredRestorePoints
    from sidelight.terminal import Terminal


def main(arguments: list[str] | None = None) -> int:
    """Run ``sidelight``; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["lsp"]:  # started by editors, many times a day: without what only the terminal needs
        return _lsp(given[1:])
    _speak_utf8()
    options = _parser().parse_args(given)
    from sidelight.terminal import WRONG_USE, Terminal

    terminal = Terminal(translator(environment_language()))
    try:
        code: int = options.run(options, terminal)
        return code
    except SidelightError as error:
        terminal.error(error)
        return WRONG_USE if isinstance(error, (UsageError, ConfigurationError)) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def make_restore_points(settings: Settings) -> RestorePoints:
    """Return where the settings want the text from before each edit to be kept. Nothing is opened yet."""
    if settings.flag("restore_points"):
        return _stored_restore_points(settings)
    from sidelight.store.restore_points import NoRestorePoints

    return NoRestorePoints()


def make_conversations(settings: Settings) -> Conversations:
    """Return where the settings want conversations to be kept. Nothing is opened yet."""
    if settings.flag("history"):
        return _stored_conversations(settings)
    from sidelight.core.conversations import MemoryConversations

    return MemoryConversations()


def _stored_conversations(settings: Settings) -> StoredConversations:
    from sidelight.store.conversations import StoredConversations

    return StoredConversations(
        _folder("data"), days=settings.integer("history_days"), budget_bytes=settings.integer("history_mib") << 20
    )


def _stored_restore_points(settings: Settings) -> StoredRestorePoints:
    from sidelight.store.restore_points import StoredRestorePoints

    return StoredRestorePoints(
        _folder("data"), days=settings.integer("restore_days"), budget_bytes=settings.integer("restore_mib") << 20
    )


def _lsp(arguments: list[str]) -> int:
    # --clientProcessId is what LSP calls the parent's process id on a command line; initialize says it too.
    wrong = [it for it in arguments if it != "--stdio" and not it.startswith("--clientProcessId=")]
    if wrong:
        print(f"sidelight lsp: unknown argument {wrong[0]}; it takes --stdio, and nothing else.", file=sys.stderr)
        return 2
    from sidelight.lsp.start import open_connection, serve

    settings = _settings_source()
    try:
        opened = open_connection(settings.read().integer("message_limit_mib") << 20)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"sidelight lsp: standard input or output cannot be used: {error}", file=sys.stderr)
        return 2
    from sidelight.logs import set_level, start_logging

    start_logging(_folder("log"))
    serve(opened, _wiring(settings, set_level))
    return 0


def _wiring(settings: SettingsSource, set_level: Callable[[str], None]) -> Wiring:
    from sidelight.choosing import limits_of
    from sidelight.lsp.start import Wiring

    chooser = _chooser()

    def connect(settings: Settings, trial: Trial, stop: Stop) -> Tried:
        from sidelight.connecting import try_connection

        return try_connection(settings, trial, chooser.make_once, stop)

    def examine(settings: Settings, wishes: Wishes, stop: Stop) -> Examined:
        from sidelight.doctor import examined

        return examined(settings, wishes, chooser.choose, _folder("log"), stop)

    return Wiring(
        settings, chooser, _choices(), make_restore_points, make_conversations, limits_of, connect, examine,
        _folder("cache") / "answers", set_level,
    )  # fmt: skip


def _settings_source(folder: Path | None = None, *, trusted: bool = False) -> SettingsSource:
    return SettingsSource(
        user_file=_folder("config") / ".env", folders=(folder,) if folder else (), trusted=trusted,
        chosen=_choices().layers,
    )  # fmt: skip


def _chooser() -> Chooser:
    from sidelight.choosing import Chooser

    return Chooser(_find)


def _find(known: Sequence[Found]) -> list[Found]:
    from sidelight.providers.discovery import PORTS, discover

    ports = os.environ.get("SIDELIGHT_TEST_PORTS")  # tests must not meet what runs on their machine
    return discover(known, PORTS if ports is None else [int(port) for port in ports.split(",") if port])


def _choices() -> Choices:
    return Choices(_folder("data") / "choices.json")


def _folder(kind: str) -> Path:
    """Return our folder for ``config``, ``cache``, ``data`` or ``log`` by the platform's custom."""
    import platformdirs

    find = {
        "config": platformdirs.user_config_path,
        "cache": platformdirs.user_cache_path,
        "data": platformdirs.user_data_path,
        "log": platformdirs.user_log_path,
    }[kind]
    try:
        return find("sidelight", appauthor=False)
    except RuntimeError:  # a user without a home, as in containers: nothing is configured, and nothing is kept
        import tempfile

        return Path(os.devnull) / kind if kind == "config" else Path(tempfile.mkdtemp(prefix="sidelight-"))


def _speak_utf8() -> None:
    """Write UTF-8 wherever a terminal or pipe would choke on a character."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


# The terminal's commands


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(
        prog="sidelight", description="Answers from your own knowledge base or your own model, in your editor."
    )
    parser.add_argument("--version", action="version", version=f"sidelight {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    commands.add_parser("lsp", help="the language server on stdin and stdout, for editors")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--trust", action="store_true", help="let the .env of this folder count")
    place = "FILE, FILE:10 or FILE:10-40"
    ask = _task(commands, "ask", "ask a question, about a file or a pipe", common)
    ask.add_argument("question", help="what you want to know")
    ask.add_argument("place", nargs="?", metavar="PLACE", help=place)
    explain = _task(commands, "explain", "explain code", common)
    explain.add_argument("place", metavar="PLACE", help=place)
    explain.set_defaults(question="")
    fix = _task(commands, "fix", "fix code; prints a diff", common)
    fix.add_argument("place", metavar="PLACE", help=place)
    fix.add_argument("question", nargs="?", default="", metavar="INSTRUCTION", help="what to mind")
    generate = _task(commands, "generate", "write code at a place; prints a diff", common)
    generate.add_argument("question", metavar="INSTRUCTION", help="what to write")
    generate.add_argument("place", metavar="PLACE", help=place)
    for edits in (fix, generate):
        edits.add_argument("--apply", action="store_true", help="write the file")
    models = commands.add_parser("models", help="list what can be asked, and choose for this folder", parents=[common])
    models.set_defaults(run=_models)
    models.add_argument("--use", metavar="NAME", help="ask this model from now on, in this folder")
    models.add_argument("--provider", choices=PROVIDERS, dest="only", help="with --use: the provider whose model it is")
    models.add_argument("--forget", action="store_true", help="ask again what is configured")
    for name, run, text in (
        ("doctor", _doctor, "check configuration and connection; safe to paste"),
        ("demo", _demo, "see the whole in this terminal"),
    ):
        commands.add_parser(name, help=text, parents=[common]).set_defaults(run=run)
    _add_history(commands)
    return parser


def _add_history(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    history = commands.add_parser("history", help="conversations, and texts from before each edit: list, read, restore")
    history.set_defaults(run=_history)
    acts = history.add_subparsers(dest="act", title="commands", required=True, metavar="COMMAND")
    list_ = acts.add_parser("list", help="list conversations, the one last changed first")
    list_.add_argument("--search", default="", metavar="WORDS", help="only those that have all these words")
    list_.add_argument("--folder", metavar="PATH", help="only those of this workspace folder")
    read = acts.add_parser("read", help="print a conversation")
    read.set_defaults(format="markdown")
    export = acts.add_parser("export", help="print a conversation to keep it elsewhere")
    export.add_argument("--format", choices=("markdown", "json"), default="markdown", help="json has everything")
    rename = acts.add_parser("rename", help="give a conversation a title")
    delete = acts.add_parser("delete", help="delete a conversation")
    for one in (read, export, rename, delete):
        one.add_argument("id", metavar="ID", help="what a line of the list begins with, or its beginning")
    rename.add_argument("title", metavar="TITLE", help="'' makes it from the first question again")
    edits = acts.add_parser("edits", help="list the edits that can be taken back, newest first")
    edits.add_argument("file", nargs="?", metavar="FILE", help="only those of this file")
    for one in (list_, edits):
        one.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (50)")
    show = acts.add_parser("show", help="print a file's text from before an edit")
    restore = acts.add_parser("restore", help="take an edit back, keeping what was typed since; prints a diff")
    for one in (show, restore):
        one.add_argument("id", type=int, metavar="ID", help="the number that the list begins with")
    restore.add_argument("--apply", action="store_true", help="write the file")
    clear = acts.add_parser("clear", help="remove the texts from before edits (edits), conversations, or all")
    clear.add_argument("what", nargs="?", choices=("edits", "conversations", "all"), default="edits")


def _task(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, parents=[common])
    parser.set_defaults(run=_run_task, task=name)
    parser.add_argument("--provider", choices=PROVIDERS, help="who answers, this time")
    parser.add_argument(
        "--model",
        "--workspace",
        metavar="NAME",
        dest="model",
        help="the model (AnythingLLM: workspace) to ask, this time",
    )
    parser.add_argument("--conversation", metavar="ID", help="go on with a conversation of `sidelight history`")
    return parser


def _read_settings(options: argparse.Namespace, terminal: Terminal) -> Settings:
    from sidelight.logs import set_level, start_logging

    start_logging(_folder("log"))
    settings = _source(options).read()
    set_level(settings.text("log_level"))
    for problem in settings.problems:
        terminal.note(problem)
    return settings


def _source(options: argparse.Namespace) -> SettingsSource:
    source = _settings_source(Path.cwd(), trusted=options.trust)
    provider = getattr(options, "provider", None)
    choice = _choices().get(source.folders)
    if provider and (choice is None or choice.provider != provider):
        source.client = {"provider": provider}  # a choice of another provider does not hold then
    return source


def _run_task(options: argparse.Namespace, terminal: Terminal) -> int:
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
    provider = _chooser().choose(settings).provider
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


def _models(options: argparse.Namespace, terminal: Terminal) -> int:
    from sidelight.choosing import find_offer
    from sidelight.terminal import show_offers

    settings = _read_settings(options, terminal)
    chooser = _chooser()
    offers = chooser.offers(settings)
    if options.use:
        offer = find_offer(offers, options.use, options.only)
        chosen = choice_of(settings, offer.provider, offer.model.id, offer.address)
        _choices().set(settings.folders, chosen)
    elif options.forget:
        _choices().set(settings.folders, None)
    if options.use or options.forget:
        settings = _source(options).read()
        offers = chooser.offers(settings)
    show_offers(offers, terminal)
    choice = chooser.choose(settings)
    name = " ".join(part for part in (choice.provider.name, choice.provider.model) if part)
    terminal.note(msg("Answers come from {name}: {why}.", name=name, why=choice.why))
    return 1 if offers.unreachable and not offers.offers else 0


def _doctor(options: argparse.Namespace, terminal: Terminal) -> int:
    from sidelight.doctor import examine

    return examine(_source(options).read(), _chooser().choose, _folder("log"), terminal.translate)


def _history(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show and restore what is kept, also when nothing new is kept any more."""
    from sidelight.logs import flush, start_logging

    start_logging(_folder("log"))
    settings = _settings_source().read()
    try:
        if options.act in ("edits", "show", "restore") or (options.act == "clear" and options.what == "edits"):
            return _edits(options, settings, terminal)
        code = _conversations(options, settings, terminal)
        return _edits(options, settings, terminal) if options.act == "clear" and options.what == "all" else code
    finally:
        flush(1)  # a broken database is told about there


def _edits(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> int:
    from sidelight import history

    with closing(_stored_restore_points(settings)) as points:
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

    with closing(_stored_conversations(settings)) as kept:
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


def _demo(options: argparse.Namespace, terminal: Terminal) -> int:
    from sidelight.demo import show

    return show(terminal.translate, trusted=options.trust)
