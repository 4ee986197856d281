"""Commit: a message for what is staged, in the style of the repository's last messages.

All files are always named; their patches share the room, small ones first, so that only the largest are cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sidelight.core.changes import ChangedFile, Changes
from sidelight.core.context import Context
from sidelight.core.secrets import Mask
from sidelight.core.tasks.task import Task
from sidelight.editing.fences import code_blocks
from sidelight.editing.text import Place, Range, split_lines
from sidelight.messages import Message, msg

# Far more than a message can speak of, and what most prompts have room for.
_MOST_CHARACTERS = 60_000
_LONGEST_LINE = 400
_MOST_NAMED = 5


def _question(_context: Context) -> str:
    return (
        "Write the commit message for these staged changes: a subject of at most 72 characters that says what the "
        "change does, and, only where it needs one, a blank line and a short body that says why."
    )


def clean_message(text: str) -> str:
    """Return a message without the fence or the sentence that a model puts around it."""
    text = text.strip()
    lines = text.split("\n")
    filled = [n for n, line in enumerate(lines) if line.strip()]
    introduced = len(filled) > 1 and lines[filled[0]].rstrip().endswith(":")
    begins = lines[filled[1] if introduced else filled[0]] if filled else ""
    blocks = list(code_blocks(text)) if begins.lstrip().startswith(("```", "~~~")) else []
    if blocks:
        text = blocks[0].text.strip()
    lines = [line.rstrip() for line in text.split("\n")]
    for mark in ("`", '"', "**"):
        if len(lines[0]) > 2 * len(mark) and lines[0].startswith(mark) and lines[0].endswith(mark):
            lines[0] = lines[0][len(mark) : -len(mark)]
    return "\n".join(lines)


COMMIT = Task(
    name="commit",
    title=msg("Commit message"),
    orders=(
        "You write commit messages. Answer with the message alone, as plain text: no fence, no quotes, nothing before "
        "or after it. Say only what the changes show."
    ),
    question=_question,
    clean=clean_message,
    has_place=False,
    topic="Conventions for commit messages",
)


def staged_context(changes: Changes, subjects: Sequence[str], instruction: str, language: str) -> Context:
    """Return the context that shows what is staged; ``subjects`` are those of the last commits, newest first."""
    mask = Mask()
    hidden = [file.path for file in changes.files if file.is_secret]
    shown = [file for file in changes.files if file.patch and file.path not in hidden]
    # What is left of a secret that was cut would not look like one.
    patches, is_cut = _shared([replace(file, patch=mask.hide(file.patch)) for file in shown], _MOST_CHARACTERS)
    listed = [_listed(file, is_shown=file in shown) for file in changes.files]
    style = ["The last commits' subjects, for their style and language:", *(f"  {one}" for one in subjects), ""]
    lines = [*(style if subjects else []), "Staged files:", *listed, "", *patches]
    text = split_lines("\n".join(lines) + "\n")
    return Context(
        name="staged changes",
        language_id="diff",
        lines=tuple(text),
        target=Range(Place(0, 0), Place(len(text) - 1, 0)),
        instruction=instruction,
        answer_language=language if not subjects else "en",  # their language is in the subjects
        notes=tuple(_notes(hidden, is_cut=is_cut or changes.is_cut)),
        mask=mask,
    )


def _listed(file: ChangedFile, *, is_shown: bool) -> str:
    counts = f"+{file.added} -{file.removed}" if file.added is not None else "binary"
    before = f"{file.before} -> " if file.before else ""
    return f"  {file.state}: {before}{file.path} ({counts}{'' if is_shown else ', not shown'})"


def _shared(files: Sequence[ChangedFile], most: int) -> tuple[list[str], bool]:
    """Return the lines of the patches, the smallest first, in so many characters; and whether any is not whole."""
    left, lines, is_cut = most, list[str](), False
    by_size = sorted(files, key=lambda file: len(file.patch))
    for number, file in enumerate(by_size):
        share = left // (len(by_size) - number)
        taken = 0
        patch = [line[:_LONGEST_LINE] for line in file.patch.rstrip("\n").split("\n")]
        while taken < len(patch) and len(patch[taken]) < share:
            share -= len(patch[taken]) + 1
            left -= len(patch[taken]) + 1
            taken += 1
        lines += patch[:taken]
        if taken < len(patch):
            is_cut = True
            lines.append(f"[{len(patch) - taken} more lines of this file]")
    return lines, is_cut


def _notes(hidden: Sequence[str], *, is_cut: bool) -> list[Message]:
    notes = []
    if hidden:
        names = ", ".join(hidden[:_MOST_NAMED])
        notes.append(msg("These files are for secrets, and are not sent: {names}", names=names))
    if is_cut:
        notes.append(msg("The changes are too large to be shown whole to the model."))
    return notes
