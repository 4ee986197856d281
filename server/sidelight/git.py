"""Asking git what has changed, without letting the repository run anything.

A repository's own configuration can name programs (differs, filters, monitors, hooks, signers, transports): all of them
are switched off for each call. git itself is taken from the PATH, but never from an opened folder or the repository.
Everything here blocks: not for the event loop. The values are in ``core/changes.py``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidelight.core.changes import NAMED_ONLY, Changes
from sidelight.core.context import Context
from sidelight.core.git_output import patches_of, read_files
from sidelight.core.stopping import Stop
from sidelight.core.tasks.commit import staged_context
from sidelight.errors import UsageError
from sidelight.messages import Message, msg

MOST_BYTES = 1 << 20
"""So much of all patches together is read."""

_TIMEOUT_S = 30.0
_REASON_CHARACTERS = 200
_OFF = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.quotePath=false",
    "log.showSignature=false",
    "diff.external=",
    "diff.suppressBlankEmpty=false",
)
_DIFF = (
    "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty", "--submodule=short",
    "--find-renames", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
# These change what our arguments mean, or which repository is asked: git sets the latter for the editor it starts.
_UNWANTED = ("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_LITERAL_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
             "GIT_ICASE_PATHSPECS", "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
             "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX")  # fmt: skip
_ASK = ("rev-parse", "--git-dir")
_FILTER_KEYS = ("clean", "smudge", "process")


def staged_diff(folder: Path, opened: Sequence[Path] = (), stop: Stop | None = None) -> Changes:
    """Return what is staged in the repository around ``folder``. Raises ``UsageError`` or ``Stopped``.

    ``opened`` are the folders from which no program is taken.
    """
    return _Repository.around(folder, opened, stop).changes(("--cached",))


def working_diff(folder: Path, opened: Sequence[Path] = (), stop: Stop | None = None) -> Changes:
    """Return how the files of the repository around ``folder`` differ from its last commit, staged or not.

    Files that git does not know yet are not among them. Raises ``UsageError`` or ``Stopped``.
    """
    repository = _Repository.around(folder, opened, stop)
    return repository.changes((repository.last_commit(),), repository.filters_off())


def unknown_files(folder: Path, opened: Sequence[Path] = (), stop: Stop | None = None) -> list[str]:
    """Return the files that git neither knows nor ignores, from the repository's root, with slashes.

    Those of repositories inside of it are not among them. Raises ``UsageError`` or ``Stopped``.
    """
    arguments = ("ls-files", "--others", "--exclude-standard", "-z")
    listed, _ = _Repository.around(folder, opened, stop).read(arguments, most_bytes=MOST_BYTES)
    *names, _ = listed.split("\0")  # behind the last NUL is nothing, or a name that was cut
    return [name for name in names if not name.endswith("/")]


def last_subjects(folder: Path, opened: Sequence[Path] = (), stop: Stop | None = None, count: int = 10) -> list[str]:
    """Return the first lines of the last commits' messages, newest first; none where there is no commit."""
    repository = _Repository.around(folder, opened, stop)
    arguments = ("log", "--no-show-signature", "--no-color", "--no-merges", f"-{count}", "--format=%s")
    try:
        text = repository.run(arguments)
    except UsageError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def read_staged(folder: Path, opened: Sequence[Path], instruction: str, language: str) -> Context:
    """Return what is staged as the context of a commit message. Raises ``UsageError``, also where nothing is."""
    changes = staged_diff(folder, opened)
    if not changes.files:
        raise UsageError(msg("Nothing is staged."), msg("Stage what belongs into the commit: `git add`."))
    return staged_context(changes, last_subjects(folder, opened), instruction, language)


def repository_root(folder: Path) -> Path | None:
    """Return the top folder of the repository around ``folder``, by where its ``.git`` is; None where there is none."""
    folder = Path(os.path.abspath(folder))
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)


def find_git(outside: Sequence[Path]) -> Path:
    """Return git, from a folder of the PATH that is not inside ``outside``. Raises ``UsageError``."""
    forbidden = [_real(folder) for folder in outside]
    name = "git.exe" if sys.platform == "win32" else "git"
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(entry) / name
        # A relative entry means another folder wherever one stands.
        if not Path(entry).is_absolute() or not path.is_file() or not os.access(path, os.X_OK):
            continue
        if not any(place.is_relative_to(each) for each in forbidden for place in (path.absolute(), _real(path))):
            return path
    raise UsageError(msg("git was not found."), msg("Install git, and see that it is on the PATH."))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


@dataclass(frozen=True, slots=True)
class _Repository:
    git: Path
    root: Path
    stop: Stop

    @classmethod
    def around(cls, folder: Path, opened: Sequence[Path], stop: Stop | None) -> _Repository:
        root = repository_root(folder)
        if root is None:
            raise UsageError(
                msg("{path} is not in a git repository.", path=str(folder)),
                msg("Open a folder of a repository, or run `git init` there."),
            )
        return cls(find_git([*opened, root]), root, stop or Stop())

    def changes(self, what: Sequence[str], options: Sequence[str] = ()) -> Changes:
        """Return what a diff says; first the list of files, which is always whole, then as much of it as is read."""
        listed = self.run((*_DIFF, "--raw", "--numstat", "-z", *what, "--"), options)
        files = read_files(listed)
        if not files:
            return Changes(())
        without = (f":(top,exclude,glob)**/{pattern}" for pattern in NAMED_ONLY)
        text, is_whole = self.read((*_DIFF, "-p", "-U3", *what, "--", ":(top)", *without), options, MOST_BYTES)
        patches = patches_of(text)
        told = (one if one.added is None else replace(one, patch=patches.get(one.path, "")) for one in files)
        return Changes(tuple(told), is_cut=not is_whole)

    def last_commit(self) -> str:
        """Return what the working tree is compared with: the last commit, or nothing at all."""
        if found := self.run(("rev-parse", "-q", "--verify", "HEAD^{commit}"), may_find_nothing=True).strip():
            return found
        return self.run(("hash-object", "-t", "tree", "--stdin")).strip()

    def filters_off(self) -> list[str]:
        """Return options that switch off the programs through which git reads files of the working tree."""
        # Not --get-regexp: in most locales its dot passes over bytes that are no UTF-8.
        listed = self.run(("config", "--includes", "--list", "--name-only", "-z")).split("\0")
        keys = [key for key in listed if re.match(r"filter\..*\.", key, re.DOTALL)]
        names = {key.partition(".")[2].rpartition(".")[0] for key in keys}
        # U+FFFD: bytes that are no UTF-8, which we could not write back as they are.
        if odd := [name for name in names if any(sign in name for sign in "=\n\ufffd")]:
            raise UsageError(
                msg("The repository has a filter with a name that cannot be switched off: {name}", name=odd[0]),
                msg("Remove it from the repository's configuration."),
            )
        programs = (f"filter.{name}.{key}=" for name in sorted(names) for key in _FILTER_KEYS)
        return [*_as_options(programs), *_as_options(f"filter.{name}.required=false" for name in sorted(names))]

    def run(self, arguments: Sequence[str], options: Sequence[str] = (), *, may_find_nothing: bool = False) -> str:
        """Return what git writes. ``may_find_nothing``: exit code 1 says that there is none, and is no failure."""
        return self.read(arguments, options, may_find_nothing=may_find_nothing)[0]

    def read(
        self,
        arguments: Sequence[str],
        options: Sequence[str] = (),
        most_bytes: int | None = None,
        *,
        may_find_nothing: bool = False,
    ) -> tuple[str, bool]:
        """Return what git writes, at most ``most_bytes`` of it, and whether that is all."""
        self.stop.raise_if_set()
        command = [str(self.git), "--no-pager", *_as_options(_OFF), *options, *arguments]
        with tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    command, cwd=self.root, env=_environment(self.root), stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=errors,
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows
                )  # fmt: skip
            except OSError as error:
                raise _failed(error.strerror or str(error)) from error
            output, is_whole = self._read(process, most_bytes)
            self.stop.raise_if_set()
            if not process.returncode or not is_whole:
                return output.decode("utf-8", "replace"), is_whole
            if may_find_nothing and process.returncode == 1:
                return "", True
            if arguments != _ASK:
                self.run(_ASK)  # where git refuses the repository, only this says why
            errors.seek(0)
            raise _failed(_told(errors.read()) or str(process.returncode))

    def _read(self, process: subprocess.Popen[bytes], most_bytes: int | None) -> tuple[bytes, bool]:
        """Read to the end, or as much as is wanted; however it ends, the process has ended after it."""
        assert process.stdout is not None
        forget = self.stop.on_stop(process.kill)
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(_TIMEOUT_S, expire)
        timer.start()
        try:
            output = process.stdout.read() if most_bytes is None else process.stdout.read(most_bytes)
            is_whole = most_bytes is None or len(output) < most_bytes
            if not is_whole:
                process.kill()
            elif expired.is_set():
                raise _failed(msg("no answer came within {seconds} s", seconds=round(_TIMEOUT_S)))
            return output, is_whole
        finally:
            process.stdout.close()
            process.wait()
            timer.cancel()
            forget()


def _as_options(settings: Iterator[str] | Sequence[str]) -> list[str]:
    return [part for setting in settings for part in ("-c", setting)]


def _environment(root: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    # A commit that is just being made has an index of its own; another repository's is nobody's question here.
    if "GIT_INDEX_FILE" in kept and not _real(root / kept["GIT_INDEX_FILE"]).is_relative_to(_git_folder(root)):
        del kept["GIT_INDEX_FILE"]
    return {
        **kept,
        # Where its command runs, whatever core.worktree says: a repository is not asked about others' folders.
        "GIT_WORK_TREE": ".",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        # What a partial clone lacks is not fetched: fetching runs what the repository names.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def _git_folder(root: Path) -> Path:
    """Return where git's own files of a work tree are; in a linked one, a file says where."""
    place = root / ".git"
    try:
        told = place.read_text("utf-8").removeprefix("gitdir:").strip() if place.is_file() else ".git"
    except (OSError, ValueError):
        told = ".git"
    return _real(root / told)


def _failed(reason: str | Message) -> UsageError:
    return UsageError(
        msg("git could not say what has changed: {reason}", reason=reason), msg("Run `git status` there to see more.")
    )


def _told(said: bytes) -> str:
    """Return the line that says what is wrong: advice may follow it."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("fatal:")]
    return (fatal or lines or [""])[-1][:_REASON_CHARACTERS]
