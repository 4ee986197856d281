"""Where the tests of a file are in its project, and what they look like. Reads files, so not for the event loop.

Names alone decide (``core/test_files.py``); nothing of the project is run, and nothing is read that leads out of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidelight.core.context import Piece
from sidelight.core.secrets import is_secret_file
from sidelight.core.tasks.test import framework_of, style_piece
from sidelight.core.test_files import TestFile, find_test_file
from sidelight.editing.text import split_lines
from sidelight.errors import UsageError
from sidelight.files import read_text
from sidelight.messages import msg

# A project with more is looked at in part: whoever waits for tests does not wait for this.
_MOST_FILES = 50_000
_PASSED_OVER = frozenset({
    ".git", ".hg", ".svn", ".jj", "node_modules", "bower_components", "__pycache__", ".venv", "venv", "site-packages",
    ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".gradle", ".idea", ".cache", "dist", "target",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of a source file: the file for them, its path, and its text as it is (empty for a new one).

    ``pieces`` show a model what they look like; ``framework`` is what they are written with, empty where unknown.
    """

    __test__ = False  # it is no test of ours

    file: TestFile
    path: Path
    text: str
    pieces: tuple[Piece, ...]
    framework: str


def find_tests(
    source: Path, folder: Path, language: str, text_of: Callable[[Path], str | None] = lambda _path: None
) -> Tests:
    """Return the tests of ``source`` in the project ``folder``. Raises ``UsageError``.

    ``text_of`` returns the text of a file that is open in an editor, None for any other.
    """
    paths = set(_names(folder))
    file = find_test_file(source.relative_to(folder).as_posix(), paths, language)
    if file is None:
        raise UsageError(
            msg("Sidelight does not know where tests of {name} go.", name=source.name),
            msg("Ask for tests instead, and put them where you want them."),
        )
    path = folder / file.path
    _check(folder, path, exists=file.exists)
    text = _text(path, text_of) if file.exists else ""
    pieces = []
    like = "" if file.is_source else file.path if file.exists else file.like
    if like and not is_secret_file(like) and _is_within(folder, folder / like):
        shown = text if like == file.path else _text(folder / like, text_of)
        pieces.append(style_piece(like, split_lines(shown), language, is_same=like == file.path))
    said = pieces[0].text if pieces else text
    return Tests(file, path, text, tuple(pieces), framework_of(said, paths, language))


def project_folder(source: Path, folders: Sequence[Path]) -> Path:
    """Return the innermost of the folders that a file lies in, else the file's own."""
    holding = [folder for folder in folders if source.is_relative_to(folder)]
    return max(holding, key=lambda folder: len(folder.parts), default=source.parent)


def _text(path: Path, text_of: Callable[[Path], str | None]) -> str:
    text = text_of(path)
    return read_text(path) if text is None else text


def _names(folder: Path) -> Iterator[str]:
    """Yield the project's files, relative and with slashes."""
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _PASSED_OVER)
        for name in names:
            yield Path(place, name).relative_to(folder).as_posix()
        count += len(names)
        if count > _MOST_FILES:
            return


def _check(folder: Path, path: Path, *, exists: bool) -> None:
    """Raise ``UsageError`` where the tests would be outside of the project, or over something else."""
    if not _is_within(folder, path):
        raise UsageError(msg("{path} leads out of the folder, so nothing is written there.", path=str(path)))
    if not exists and os.path.lexists(path):
        raise UsageError(msg("{path} is there already, and is no file with tests.", path=str(path)))


def _is_within(folder: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
