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
    common.add_argument("--trust", action="store_true", help="let the .env and the tasks of this folder count")
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
    document = _task(commands, "document", "write docstrings or documentation comments; prints a diff", common)
    test = _task(commands, "test", "write tests into the file for them; prints a diff", common)
    test.set_defaults(run=does.write_tests)
    for one in (document, test):
        one.add_argument("place", metavar="PLACE", help=place)
        one.add_argument("question", nargs="?", default="", metavar="INSTRUCTION", help="what to mind")
    commit = _task(commands, "commit", "print a commit message for what is staged", common)
    commit.add_argument("question", nargs="?", default="", metavar="INSTRUCTION", help="what to mind")
    commit.set_defaults(run=does.commit)
    review = _task(commands, "review", "review code, or what has changed; prints file:line: severity: message", common)
    review.set_defaults(run=does.review)
    review.add_argument("place", nargs="?", metavar="PLACE", help=f"{place}; a diff can be piped, too")
    review.add_argument("question", nargs="?", default="", metavar="INSTRUCTION", help="what to mind")
    review.add_argument("--changes", action="store_true", help="what has changed since the last commit")
    own = _task(commands, "task", "do a task of your own, from tasks/ or .sidelight/tasks/", common)
    own.set_defaults(run=does.own_task)
    own.add_argument("name", metavar="NAME", help="the task's name")
    own.add_argument("place", nargs="?", metavar="PLACE", help=place)
    own.add_argument("question", nargs="?", default="", metavar="INSTRUCTION", help="what to mind")
    for edits in (fix, generate, document, test, own):
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
    _add_knowledge(commands, common)
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
    sent = acts.add_parser("sent", help="show what was sent for an answer, why, and where it went")
    rename = acts.add_parser("rename", help="give a conversation a title")
    delete = acts.add_parser("delete", help="delete a conversation")
    for one in (read, export, sent, rename, delete):
        one.add_argument("id", metavar="ID", help="what a line of the list begins with, or its beginning")
    sent.add_argument("turn", nargs="?", type=int, metavar="TURN", help="the answer's number; the last one if not said")
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


def _add_knowledge(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:  # fmt: skip
    knowledge = commands.add_parser("knowledge", help="your files in AnythingLLM: add, bring up to date, remove")
    knowledge.set_defaults(run=does.knowledge, dry_run=False)
    acts = knowledge.add_subparsers(dest="act", title="commands", required=True, metavar="COMMAND")
    add = acts.add_parser("add", help="bring files and folders there, and keep them in mind", parents=[common])
    sync = acts.add_parser("sync", help="bring up to date what was added: new, changed and gone", parents=[common])
    status = acts.add_parser("status", help="list what is in step and what is not", parents=[common])
    remove = acts.add_parser("remove", help="remove files and folders there; here they stay", parents=[common])
    for one in (add, remove):
        one.add_argument("files", nargs="+", metavar="FILES", help="files or folders")
    for one in (sync, status):
        one.add_argument("files", nargs="*", metavar="FOLDER", help="of which project; this one if not said")
    for one in (add, sync, status, remove):
        one.add_argument("--workspace", metavar="SLUG", help="the workspace, this time")
    for one in (add, sync, remove):
        one.add_argument("--dry-run", action="store_true", help="only say what would be done")


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
