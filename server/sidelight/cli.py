"""The command line, and the composition root: the only file that knows every room and joins them."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sidelight import __version__
from sidelight.core.ports import Provider, RestorePoints
from sidelight.errors import ConfigurationError, SidelightError, UsageError
from sidelight.messages import environment_language, msg, plain, translator
from sidelight.settings import Settings, SettingsSource

if TYPE_CHECKING:
    import argparse

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


def make_provider(settings: Settings) -> Provider:
    """Return the provider that the settings ask for.

    ``auto`` takes AnythingLLM when its address is configured, else the built-in provider. A key alone configures
    nothing: code goes to another machine only when its address, or the provider by name, was chosen.
    """
    chosen = settings.text("provider")
    if chosen == "auto":
        chosen = "anythingllm" if settings.text("anythingllm.base_url") else "builtin"
    if chosen == "builtin":
        from sidelight.providers.builtin import BuiltinProvider

        return BuiltinProvider(settings.folders)
    from sidelight.logs import mask
    from sidelight.providers.anythingllm import DEFAULT_ADDRESS, AnythingLLM, AnythingLLMConfig
    from sidelight.providers.http import Http, HttpOptions

    address, key = "anythingllm.base_url", "anythingllm.api_key"
    headers = settings.bound("headers", address)
    config = AnythingLLMConfig(
        address=settings.text(address) or DEFAULT_ADDRESS,
        key=settings.bound(key, address),
        workspace=settings.text("anythingllm.workspace"),
        mode=settings.text("anythingllm.mode"),
        key_withheld=settings.is_withheld(key, address),
    )
    mask([config.key, *headers.values()])
    options = HttpOptions(
        connect_s=settings.number("connect_timeout_s"),
        silence_s=settings.number("silence_timeout_s"),
        retries=settings.integer("retries"),
        ca_file=settings.text("ca_file"),
        headers=headers,
    )
    return AnythingLLM(config, Http(options))


def make_restore_points(settings: Settings) -> RestorePoints:
    """Return where the settings want the text from before each edit to be kept. Nothing is opened yet."""
    if settings.flag("restore_points"):
        return _stored_restore_points(settings)
    from sidelight.store.restore_points import NoRestorePoints

    return NoRestorePoints()


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
    from sidelight.lsp.start import Wiring, open_connection, serve

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
    serve(opened, Wiring(settings, make_provider, make_restore_points, _folder("cache") / "answers", set_level))
    return 0


def _settings_source(folder: Path | None = None, *, trusted: bool = False) -> SettingsSource:
    return SettingsSource(
        user_file=_folder("config") / ".env", folders=(folder,) if folder else (), trusted=trusted
    )  # fmt: skip


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
    common.add_argument("--workspace", metavar="SLUG", help="the AnythingLLM workspace to ask")
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
    for name, run, text in (
        ("models", _models, "list what can be asked: models, or AnythingLLM's workspaces"),
        ("doctor", _doctor, "check configuration and connection; safe to paste"),
        ("demo", _demo, "see the whole in this terminal"),
    ):
        commands.add_parser(name, help=text, parents=[common]).set_defaults(run=run)
    _add_history(commands)
    return parser


def _add_history(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    history = commands.add_parser("history", help="texts from before each edit: list, show, restore or clear them")
    history.set_defaults(run=_history)
    acts = history.add_subparsers(dest="act", title="commands", required=True, metavar="COMMAND")
    edits = acts.add_parser("edits", help="list the edits that can be taken back, newest first")
    edits.add_argument("file", nargs="?", metavar="FILE", help="only those of this file")
    edits.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (50)")
    show = acts.add_parser("show", help="print a file's text from before an edit")
    restore = acts.add_parser("restore", help="take an edit back, keeping what was typed since; prints a diff")
    for one in (show, restore):
        one.add_argument("id", type=int, metavar="ID", help="the number that the list begins with")
    restore.add_argument("--apply", action="store_true", help="write the file")
    acts.add_parser("clear", help="remove all of them")


def _task(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, parents=[common])
    parser.set_defaults(run=_run_task, task=name)
    return parser


def _read_settings(options: argparse.Namespace, terminal: Terminal) -> Settings:
    from sidelight.logs import set_level, start_logging

    start_logging(_folder("log"))
    settings = _settings_source(Path.cwd(), trusted=options.trust).read()
    set_level(settings.text("log_level"))
    for problem in settings.problems:
        terminal.note(problem)
    return settings


def _run_task(options: argparse.Namespace, terminal: Terminal) -> int:
    from sidelight import terminal as shown
    from sidelight.core.assistant import Assistant
    from sidelight.core.conversations import MemoryConversations
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
    provider = make_provider(settings)
    assistant = Assistant(lambda: provider, MemoryConversations(), lambda: settings.integer("prompt_tokens"))
    answer = shown.show_answer(assistant, task, context, options.workspace, terminal)
    code = shown.finish(answer, terminal)
    if task.edits and source is not None and code == shown.DONE:
        with closing(make_restore_points(settings)) as restore_points:
            writer = shown.Writer(restore_points, task.name) if options.apply else None
            edit = rewritten(task.name, answer, context, tells_truncation=provider.tells_truncation)
            return shown.show_edit(edit, source, context, writer, terminal)
    return code


def _models(options: argparse.Namespace, terminal: Terminal) -> int:

    provider = make_provider(_read_settings(options, terminal))
    models = provider.models()
    for model in models:
        print("\t".join(part for part in (model.id, model.name, model.detail) if part))
    if not models:
        terminal.note(msg("The provider {name} has no models to choose from.", name=plain(provider.name)))
    return 0


def _doctor(options: argparse.Namespace, terminal: Terminal) -> int:
    from sidelight.doctor import examine

    settings = _settings_source(Path.cwd(), trusted=options.trust).read()
    return examine(settings, make_provider, _folder("log"), terminal.translate)


def _history(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show and restore what is kept, also when nothing new is kept any more."""
    from sidelight import history
    from sidelight.logs import flush, start_logging

    start_logging(_folder("log"))
    try:
        with closing(_stored_restore_points(_settings_source().read())) as points:
            match options.act:
                case "edits":
                    return history.show_edits(points, options.file, options.limit, terminal)
                case "show":
                    return history.show_text(points, options.id)
                case "restore":
                    return history.restore(points, options.id, terminal, apply=options.apply)
                case _:
                    return history.clear(points, terminal)
    finally:
        flush(1)  # a broken database is told about there


def _demo(options: argparse.Namespace, terminal: Terminal) -> int:
    from sidelight.demo import show

    return show(terminal.translate, trusted=options.trust)
