"""What has changed in a repository: files, how many lines of each, and the patch of those that are worth reading.

Plain values; ``git.py`` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from sidelight.core.secrets import is_secret_file

State = Literal["added", "changed", "deleted", "renamed", "copied", "unmerged"]

# What a program writes down for itself: everybody knows what changed in it, and it fills any prompt.
_LOCK_FILES = (
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock",
    "Cargo.lock", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "composer.lock", "Gemfile.lock", "go.sum",
    "go.work.sum", "mix.lock", "pubspec.lock", "Podfile.lock", "Package.resolved", "packages.lock.json", "flake.lock",
    "gradle.lockfile", "conan.lock", "pixi.lock", "Manifest.toml",
)  # fmt: skip
NAMED_ONLY = (*_LOCK_FILES, "*.min.js", "*.min.css", "*.map")
"""Patterns of file names whose patches are not read."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file. ``path`` is from the repository's root, with slashes; ``before`` what a renamed one was called.

    ``added`` and ``removed`` count lines, None where it is no text. ``patch`` is its part of the diff, from ``diff
    --git`` on, empty where it is only named.
    """

    path: str
    state: State
    added: int | None
    removed: int | None
    patch: str = ""
    before: str = ""

    @property
    def is_secret(self) -> bool:
        """Whether it is, or was, a file for keys or passwords by its name."""
        return is_secret_file(self.path) or is_secret_file(self.before)


@dataclass(frozen=True, slots=True)
class Changes:
    """All changed files, in git's order. ``is_cut``: together they are too large, so some patches are missing."""

    files: tuple[ChangedFile, ...]
    is_cut: bool = False


def new_file(path: str, text: str) -> ChangedFile:
    """Return a file that git does not know yet as a diff would show it once it is added: all its lines are new."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    name = path.replace("\n", "\\n")  # like git's own: a name is no line of a patch
    head = f"diff --git a/{name} b/{name}\n@@ -0,0 +1,{len(lines)} @@\n"
    patch = head + "".join(f"+{line}\n" for line in lines) if lines else ""
    return ChangedFile(path, "added", len(lines), 0, patch)


def is_named_only(path: str) -> bool:
    """Whether only the name of a changed file is told: lock files, and what a build has made."""
    name = PurePosixPath(path)
    return any(name.match(pattern) for pattern in NAMED_ONLY)
