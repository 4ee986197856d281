"""What has changed in a repository, with the files that it changed as they are now, for a review.

Runs git and reads files, so not for the event loop.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sidelight.core.changed_code import ChangedCode, show_changes
from sidelight.core.changes import ChangedFile, Changes
from sidelight.core.git_output import patches_of
from sidelight.errors import SidelightError, UsageError
from sidelight.files import read_text
from sidelight.git import repository_root, working_diff
from sidelight.messages import msg


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """What is shown to a model, and where its files are, in the same order."""

    code: ChangedCode
    paths: tuple[Path, ...]


def changed_files(folder: Path, opened: Sequence[Path], instruction: str, language: str) -> ChangedFiles:
    """Return what has changed around a folder since the last commit. Raises ``UsageError``, also where nothing has.

    ``opened`` are the folders from which no program is taken.
    """
    changes = working_diff(folder, opened)
    root = repository_root(folder) or folder
    if not changes.files:
        raise UsageError(msg("Nothing has changed since the last commit."))
    return _shown(changes, root, root.name, instruction, language)


def files_of_diff(text: str, folder: Path, instruction: str, language: str) -> ChangedFiles | None:
    """Return what a diff of git's says has changed; None for any other text. Its paths are from the repository's root.

    Raises ``UsageError`` where nothing of it can be read.
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
        raise UsageError(msg("Nothing that can be read has changed since the last commit."))
    return ChangedFiles(code, tuple(root / file.name for file in code.files))


def _is_within(folder: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
