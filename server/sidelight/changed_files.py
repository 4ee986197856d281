"""What has changed in a repository, with the files that it changed as they are now, for a review.

Files that git does not know yet are among them, as wholly new. They are read here and not by git, whose filters and
converters are programs. Runs git and reads files, so not for the event loop.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidelight.core.changed_code import ChangedCode, show_changes
from sidelight.core.changes import ChangedFile, Changes, is_named_only, new_file
from sidelight.core.git_output import patches_of
from sidelight.errors import SidelightError, UsageError
from sidelight.files import read_text
from sidelight.git import MOST_BYTES, repository_root, unknown_files, working_diff
from sidelight.messages import msg

# Who has more of them has forgotten to ignore a folder.
_MOST_NEW = 300
# Where git looks whether a file is text.
_LOOKED_AT_BYTES = 8000


class NothingToReviewError(UsageError):
    """Nothing has changed, or nothing that can be read."""


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """What is shown to a model, and where its files are, in the same order."""

    code: ChangedCode
    paths: tuple[Path, ...]


def changed_files(folder: Path, opened: Sequence[Path], instruction: str, language: str) -> ChangedFiles:
    """Return what has changed around a folder since the last commit, with the files that git does not know yet.

    ``opened`` are the folders from which no program is taken. Raises ``UsageError``, ``NothingToReviewError`` too.
    """
    root = repository_root(folder) or folder
    changes = _with_new_files(working_diff(folder, opened), root, unknown_files(folder, opened))
    if not changes.files:
        raise NothingToReviewError(msg("There is nothing to review: nothing has changed since the last commit."))
    return _shown(changes, root, root.name, instruction, language)


def files_of_diff(text: str, folder: Path, instruction: str, language: str) -> ChangedFiles | None:
    """Return what a diff of git's says has changed; None for any other text. Its paths are from the repository's root.

    Raises ``NothingToReviewError`` where nothing of it can be read.
    """
    patches = patches_of(text)
    changes = Changes(tuple(ChangedFile(path, "changed", 0, 0, patch) for path, patch in patches.items()))
    root = repository_root(folder) or folder
    return _shown(changes, root, "stdin", instruction, language) if patches else None


def _shown(changes: Changes, root: Path, name: str, instruction: str, language: str) -> ChangedFiles:
    def text_of(path: str) -> str | None:
        try:
            return read_text(root / path) if _is_within(root, root / path) else None
        except SidelightError:
            return None

    code = show_changes(changes, text_of, name, instruction, language)
    if not code.files:
        raise NothingToReviewError(msg("There is nothing to review: nothing that can be read has changed."))
    return ChangedFiles(code, tuple(root / file.name for file in code.files))


def _with_new_files(changes: Changes, root: Path, paths: Sequence[str]) -> Changes:
    """Return the changes with files that git does not know, as far as they may be shown and there is room for them."""
    known = {file.path for file in changes.files}  # one that was taken out of the index is there as deleted
    paths = [path for path in paths if path not in known]
    found, is_cut = list(changes.files), changes.is_cut or len(paths) > _MOST_NEW
    room = MOST_BYTES - sum(len(file.patch) for file in found)
    for path in paths[:_MOST_NEW]:
        file = ChangedFile(path, "added", None, None)
        if not file.is_secret and not is_named_only(path):
            text = _new_text(root, root / path, room)
            is_cut = is_cut or text is None
            file = new_file(path, text) if text else file
            room -= len(file.patch)
        found.append(file)
    return replace(changes, files=tuple(found), is_cut=is_cut)


def _new_text(root: Path, path: Path, most_bytes: int) -> str | None:
    """Return a file's text; nothing where it is no file of text in the repository, None where it is too large."""
    try:
        if path.is_symlink() or not path.is_file() or not _is_within(root, path):
            return ""
        with path.open("rb") as file:
            data = file.read(max(most_bytes, 0) + 1)
    except (OSError, ValueError):
        return ""
    if b"\0" in data[:_LOOKED_AT_BYTES]:
        return ""
    return data.decode("utf-8", "replace") if len(data) <= most_bytes else None


def _is_within(folder: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
