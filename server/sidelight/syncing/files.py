"""Which files of a folder go into a knowledge base: text that is in nobody's way.

Left out are what git ignores (unless the file itself was named), files for secrets and files with secrets in them,
what is no UTF-8 text, empty and huge files, and links that lead out of the root. Reads files; changes none.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sidelight.core.secret_patterns import find_secrets
from sidelight.core.secrets import is_secret_file
from sidelight.core.stopping import Stop
from sidelight.messages import Message, msg
from sidelight.syncing.ignoring import VERSION_CONTROL, Ignored
from sidelight.syncing.names import is_under, is_within, real, source_of
from sidelight.syncing.values import Document, Refused, Why

LARGEST_BYTES = 5_000_000


@dataclass(slots=True)
class Selection:
    """The digests of the files that are chosen, by name, and those that are left out."""

    digests: dict[str, str] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def select(root: Path, tops: Iterable[str], without: Iterable[str], stop: Stop) -> Selection:
    """Choose among the files and folders ``tops`` (names below the root; empty: all), except ``without``.

    Raises ``Stopped``. One that is not there chooses nothing.
    """
    selection = Selection()
    without, ignored = tuple(without), Ignored(root)
    names = dict.fromkeys(name for top in sorted(tops) for name in _names(root, top, ignored, selection))
    for name in names:
        stop.raise_if_set()
        if is_under(name, without):
            continue
        read = read_document(root, name)
        if isinstance(read, Refused):
            selection.refused.append(read)
        else:
            selection.digests[name] = read.digest
    return selection


def read_document(root: Path, name: str) -> Document | Refused:
    """Read a file, or say why it is left out."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "replace").decode()
        return Refused(shown, "name", msg("its name is not Unicode"))
    path = root / name
    target = real(path)
    if not is_within(root, target):
        return _refused(name, "link", msg("it is a link that leads out of the folder"))
    if VERSION_CONTROL.intersection(target.relative_to(root).parts):
        return _refused(name, "ignored", msg("it is part of version control"))
    if is_secret_file(name) or is_secret_file(target.name):
        return _refused(name, "secret", msg("it is a file for secrets"))
    try:
        content = _content(target)
    except OSError as error:
        return _unreadable(name, error)
    return _document(root, name, content) if isinstance(content, bytes) else _refused(name, *content)


def _content(path: Path) -> bytes | tuple[Why, Message]:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # opening a device or a pipe may hang
        return "binary", msg("it is not a regular file")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        return "large", msg("it has more than {size} MB", size=LARGEST_BYTES // 1_000_000)
    return content


def _document(root: Path, name: str, content: bytes) -> Document | Refused:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _refused(name, "binary", msg("it is not text in UTF-8"))
    if "\0" in text:
        return _refused(name, "binary", msg("it is not text in UTF-8"))
    if not text.strip():
        return _refused(name, "empty", msg("it is empty"))
    if spans := find_secrets(text):
        line = text.count("\n", 0, spans[0].start) + 1
        return _refused(name, "secret", msg("line {line} looks like a key or token", line=line))
    return Document(name, source_of(root, name), text, hashlib.sha256(text.encode()).hexdigest())


def _refused(name: str, why: Why, message: Message) -> Refused:
    return Refused(name, why, message)


def _unreadable(name: str, error: OSError) -> Refused:
    return _refused(name, "unreadable", msg("it cannot be read: {reason}", reason=error.strerror or str(error)))


def _names(root: Path, top: str, ignored: Ignored, selection: Selection) -> Iterator[str]:
    """Yield the files of a top: itself, if it is one, or what is in it and not ignored."""
    path = root / top
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_folder = False
    except OSError as error:  # what cannot be looked at is not gone
        selection.refused.append(_unreadable(top, error))
        return
    if not is_folder:
        if os.path.lexists(path):
            yield top
    elif path.is_symlink() and not is_within(root, real(path)):
        selection.refused.append(_refused(top, "link", msg("it is a link that leads out of the folder")))
    elif top and ignored.has(top, is_folder=True):
        told = msg("git ignores this folder; name files in it themselves")
        selection.refused.append(_refused(top, "ignored", told))
    else:
        yield from _walk(root, top, ignored, selection)


def _walk(root: Path, folder: str, ignored: Ignored, selection: Selection) -> Iterator[str]:
    """Yield what is in a folder. Linked folders are not followed: within the root, they are met by their own name."""
    try:
        with os.scandir(root / folder) as entries:
            there = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        selection.refused.append(_unreadable(folder, error))
        return
    for entry in there:
        name = f"{folder}/{entry.name}" if folder else entry.name
        try:
            is_link = _is_link(entry)
            is_folder = entry.is_dir(follow_symlinks=False) and not is_link
            is_passed_over = is_link and (entry.is_dir() or _is_ignored(root, real(root / name), ignored))
        except OSError as error:  # links in a circle, or to where nobody may look
            selection.refused.append(_unreadable(name, error))
            continue
        if is_passed_over or ignored.has_itself(name, is_folder=is_folder):
            continue
        if is_folder:
            yield from _walk(root, name, ignored, selection)
        else:
            yield name


def _is_link(entry: os.DirEntry[str]) -> bool:
    """Whether it is a link; on Windows, a junction is one, too."""
    if entry.is_symlink() or sys.platform != "win32":
        return entry.is_symlink()
    return entry.stat(follow_symlinks=False).st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT


def _is_ignored(root: Path, target: Path, ignored: Ignored) -> bool:
    """Whether git ignores a file that a link leads to: what is kept back there does not go out under another name."""
    return target != root and is_within(root, target) and ignored.has(target.relative_to(root).as_posix())
