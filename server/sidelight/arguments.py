"""What can be written on the command line."""

from __future__ import annotations

import argparse

from sidelight import __version__
from sidelight import commands as does
from sidelight.setting_table import PROVIDERS


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; what it returns has in ``run`` what does the command."""
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
    models.set_defaults(run=does.models)
    models.add_argument("--use", metavar="NAME", help="ask this model from now on, in this folder")
    models.add_argument("--provider", choices=PROVIDERS, dest="only", help="with --use: the provider whose model it is")
    models.add_argument("--forget", action="store_true", help="ask again what is configured")
    for name, run, text in (
        ("doctor", does.doctor, "check configuration and connection; safe to paste"),
        ("demo", does.demo, "see the whole in this terminal"),
    ):
        commands.add_parser(name, help=text, parents=[common]).set_defaults(run=run)
    _add_history(commands)
    return parser


def _add_history(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    history = commands.add_parser("history", help="conversations, and texts from before each edit: list, read, restore")
    history.set_defaults(run=does.history)
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
    parser.set_defaults(run=does.run_task, task=name)
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
