"""The command line: what can be written there, and what it begins."""

from __future__ import annotations

import os
import sys

from sidelight.composition import folder_of, lsp_wiring, settings_source
from sidelight.errors import ConfigurationError, SidelightError, UsageError
from sidelight.messages import environment_language, translator


def main(arguments: list[str] | None = None) -> int:
    """Run ``sidelight``; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["lsp"]:  # started by editors, many times a day: without what only the terminal needs
        return _lsp(given[1:])
    _speak_utf8()
    from sidelight.arguments import make_parser
    from sidelight.terminal import WRONG_USE, Terminal

    options = make_parser().parse_args(given)
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


def _lsp(arguments: list[str]) -> int:
    # --clientProcessId is what LSP calls the parent's process id on a command line; initialize says it too.
    wrong = [it for it in arguments if it != "--stdio" and not it.startswith("--clientProcessId=")]
    if wrong:
        print(f"sidelight lsp: unknown argument {wrong[0]}; it takes --stdio, and nothing else.", file=sys.stderr)
        return 2
    from sidelight.lsp.start import open_connection, serve

    settings = settings_source()
    try:
        opened = open_connection(settings.read().integer("message_limit_mib") << 20)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"sidelight lsp: standard input or output cannot be used: {error}", file=sys.stderr)
        return 2
    from sidelight.logs import set_level, start_logging

    start_logging(folder_of("log"))
    serve(opened, lsp_wiring(settings, set_level))
    return 0


def _speak_utf8() -> None:
    """Write UTF-8 wherever a terminal or pipe would choke on a character."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
