"""What git leaves out of a folder, and so do we: ``.gitignore`` on every level and ``.git/info/exclude``.

Nothing of git's is run: its own configuration (``core.excludesFile``) is not read.
"""

from __future__ import annotations

import re
from pathlib import Path

# Nobody's own text, also where no .gitignore says so.
VERSION_CONTROL = frozenset((".git", ".hg", ".svn"))
_NEVER = VERSION_CONTROL | {"node_modules", "__pycache__", ".venv"}
_LARGEST_BYTES = 1 << 20
_MARK = "\x01"
_TRAILING_SPACE = re.compile(r"(?<![\\ ]) +$")
_EVERYTHING = re.compile(r"(?:^!?|/)\*\*$")


class Ignored:
    """Tells what is ignored below a root. Reads each folder's ``.gitignore`` once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, _Patterns] = {}
        self._exclude = _Patterns(_git_folder(root) / "info" / "exclude")

    def has(self, name: str, *, is_folder: bool = False) -> bool:
        """Whether a path below the root is ignored, by itself or with a folder that it lies in."""
        parts = name.split("/")
        return any(
            self.has_itself("/".join(parts[: depth + 1]), is_folder=is_folder or depth + 1 < len(parts))
            for depth in range(len(parts))
        )

    def has_itself(self, name: str, *, is_folder: bool) -> bool:
        """Whether a path is ignored that lies in no ignored folder."""
        parts = name.split("/")
        if is_folder and parts[-1] in _NEVER:
            return True
        for depth in reversed(range(len(parts))):  # the nearest file that says anything has the last word
            patterns = self._patterns_of("/".join(parts[:depth]))
            said = patterns.say("/".join(parts[depth:]), is_folder=is_folder)
            if said is not None:
                return said
        return self._exclude.say(name, is_folder=is_folder) or False

    def _patterns_of(self, folder: str) -> _Patterns:
        if folder not in self._read:
            self._read[folder] = _Patterns(self._root / folder / ".gitignore")
        return self._read[folder]


class _Patterns:
    """One file of patterns; one that is not there, or cannot be read, has none.

    For pathspec, a pattern that matches a folder matches what is in it, so that ``!docs/`` would bring everything in
    there back, as it does not in git. Patterns and paths get a mark at their ends here, so that only the path itself
    matches; what lies in an ignored folder is nobody's question.
    """

    def __init__(self, path: Path) -> None:
        from pathspec import GitIgnoreSpec

        patterns = [pattern for pattern in map(_marked, _lines(path)) if pattern is not None]
        self._of_files = GitIgnoreSpec.from_lines(line for line, is_for_folders in patterns if not is_for_folders)
        self._of_folders = GitIgnoreSpec.from_lines(line for line, _ in patterns)

    def say(self, name: str, *, is_folder: bool) -> bool | None:
        """Return whether a path is ignored; None where nothing is said of it."""
        return (self._of_folders if is_folder else self._of_files).check_file(name + _MARK).include


def _lines(path: Path) -> list[str]:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
            return []  # git follows no links here either
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return []
    return [line.removesuffix("\r") for line in text.split("\n")]


def _marked(line: str) -> tuple[str, bool] | None:
    """Return a pattern with our mark at its end, and whether it is for folders only; None for a line without one."""
    from pathspec import GitIgnoreSpec

    pattern = _TRAILING_SPACE.sub("", line)
    is_for_folders = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    if pattern in ("", "!") or pattern.startswith("#"):
        return None
    if _EVERYTHING.search(pattern):  # two stars mean something only as a whole part of a path
        pattern += "/*"
    try:
        GitIgnoreSpec.from_lines([pattern + _MARK])
    except ValueError:
        return None
    return pattern + _MARK, is_for_folders


def _git_folder(root: Path) -> Path:
    """Return the folder of git's own files, shared by all work trees (``gitrepository-layout``)."""
    place = root / ".git"
    try:
        if not place.is_file():
            return place
        told = place.read_text("utf-8").strip()
        own = root / told.removeprefix("gitdir:").strip()
        common = own / "commondir"
        return own / common.read_text("utf-8").strip() if common.is_file() else own
    except (OSError, ValueError):
        return place
