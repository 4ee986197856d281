"""Conversations in a terminal: which there are, one to read or to take away, its title, and its end.

Results go to stdout, notes to stderr. An id may be shortened to any beginning that only one conversation has.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from sidelight.core.ports import Conversations, ConversationSummary
from sidelight.core.sent_page import sent_page
from sidelight.core.transcripts import TranscriptFormat, transcript
from sidelight.errors import UsageError
from sidelight.messages import msg
from sidelight.terminal import DONE, Terminal, key_of, printable

# Ids of ours as `list` shows them: enough of the random part to tell any two of them apart.
_OURS = "sidelight-"
_SHOWN = re.compile(rf"{_OURS}([0-9a-f]{{8}}-[0-9a-f]{{4}})-[0-9a-f-]{{22}}")


def show_list(
    conversations: Conversations, search: str, folder: str | None, limit: int, terminal: Terminal
) -> int:  # fmt: skip
    """List conversations, last changed first: id, local time, turns, title, and what a search found."""
    found = _of_folder(conversations, folder, search, limit)
    for summary in found:
        print(printable("\t".join(_row(summary)), sys.stdout))
    if not found:
        terminal.note(
            msg("There are no such conversations.") if search or folder else msg("There are no conversations.")
        )
    return DONE


def export(conversations: Conversations, id_: str, format_: TranscriptFormat) -> int:
    """Print a conversation in one of the formats of ``core/transcripts.py``."""
    summary = chosen(conversations, id_)
    return _print(transcript(summary, conversations.turns(summary.id), format_))


def show_sent(conversations: Conversations, id_: str, number: int | None, terminal: Terminal) -> int:
    """Print what was sent for a turn of a conversation, by default its last one."""
    summary = chosen(conversations, id_)
    turns = conversations.turns(summary.id)
    turn = next((it for it in reversed(turns) if number in (None, it.number)), None)
    if turn is None:
        raise UsageError(
            msg("The conversation has no turn {number}.", number=number),
            msg("sidelight history read {id} shows those it has.", id=id_),
        )
    return _print(sent_page(turn, terminal.translate))


def _print(text: str) -> int:
    if sys.stdout.isatty():
        print(printable(text, sys.stdout), end="", flush=True)
    else:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    return DONE


def rename(conversations: Conversations, id_: str, title: str, terminal: Terminal) -> int:
    """Give a conversation a title; an empty one makes it anew from the first question."""
    summary = chosen(conversations, id_)
    conversations.rename(summary.id, title)
    renamed = conversations.get(summary.id)
    terminal.note(msg("The conversation is called: {title}", title=(renamed or summary).title))
    return DONE


def delete(conversations: Conversations, id_: str, terminal: Terminal) -> int:
    """Remove one conversation."""
    summary = chosen(conversations, id_)
    conversations.delete(summary.id)
    terminal.note(msg("Deleted: {title}", title=summary.title))
    return DONE


def clear(conversations: Conversations, terminal: Terminal) -> int:
    """Remove all conversations."""
    terminal.note(msg("Conversations removed: {count}", count=conversations.clear()))
    return DONE


def _of_folder(
    conversations: Conversations, folder: str | None, search: str, limit: int
) -> list[ConversationSummary]:  # fmt: skip
    """Find by the folder's path as it was written, else by where it leads to: editors name a folder either way."""
    if folder is None:
        return conversations.latest(None, search, limit)
    return conversations.latest(_folder_key(folder), search, limit) or conversations.latest(
        _folder_key(os.path.realpath(folder)), search, limit
    )


def _folder_key(folder: str) -> str:
    return key_of(Path(folder)).rstrip("/")


def chosen(conversations: Conversations, id_: str) -> ConversationSummary:
    """Return the conversation that an id, or its beginning, names; raises ``UsageError`` where that is not just one."""
    found = (conversations.find(id_) or conversations.find(_OURS + id_)) if id_ else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            msg("There is no conversation {id}.", id=id_), msg("sidelight history list shows those there are.")
        )
    raise UsageError(
        msg("More than one conversation begins with {id}.", id=id_),
        msg("Write more of the id: {ids}", ids=", ".join(summary.id for summary in found)),
    )


def _row(summary: ConversationSummary) -> list[str]:
    ours = _SHOWN.fullmatch(summary.id)
    at = summary.changed_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    id_ = ours[1] if ours else "".join(it if it.isprintable() else "\N{REPLACEMENT CHARACTER}" for it in summary.id)
    return [id_, at, str(summary.turns), summary.title, *([summary.found] if summary.found else [])]
