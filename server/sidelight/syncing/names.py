"""What a file is called in a knowledge base, and the way back from there to the file.

The source of a document of ours (AnythingLLM's ``chunkSource``, which comes back untouched) is
``localfile://ROOT/docs/a%20page.md``: the last part of the root folder's name, then the path below the root with
slashes, both percent-encoded as UTF-8. The root is the folder with ``.git`` in it that a file lies in, else the folder
that is opened. ``local_file`` is the way back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

SCHEME = "localfile://"


def source_of(root: Path, name: str) -> str:
    """Return the source of a document: ``name`` is its path below the root, with slashes."""
    return f"{SCHEME}{quote(root.name, safe='')}/{quote(name, safe='/')}"


def local_file(source: str, folders: Iterable[Path]) -> Path | None:
    """Return the file that a source of ours means, in one of the opened folders; None where there is no such file.

    A root with the name in the source goes first: two roots may have a ``README.md`` each. A server wrote the source:
    nothing outside these folders is found, also where a root reaches farther.
    """
    if not source.startswith(SCHEME):
        return None
    root_name, _, path = source.removeprefix(SCHEME).partition("/")
    parts = unquote(path).split("/")
    if any(part in ("", ".", "..") or "\0" in part or Path(part).name != part for part in parts):
        return None
    opened = [real(folder) for folder in folders]
    roots = dict.fromkeys(root for folder in opened for root in (root_of(folder), folder))
    for root in sorted(roots, key=lambda root: root.name != unquote(root_name)):
        path_there = root.joinpath(*parts)
        if any(is_within(folder, real(path_there)) for folder in opened) and path_there.is_file():
            return path_there
    return None


def root_of(path: Path, folders: Iterable[Path] = ()) -> Path:
    """Return the root of a file or folder: the nearest folder with ``.git``, else that of ``folders`` it lies in.

    A file elsewhere has the folder that it is in as its root; a folder is its own.
    """
    place = real(path)
    above = (place, *place.parents) if place.is_dir() else tuple(place.parents)
    found = next((it for it in above if (it / ".git").exists()), None)
    return found or next((real(it) for it in folders if is_within(real(it), place)), above[0])


def place_of(path: Path, folders: Iterable[Path] = ()) -> tuple[Path, str]:
    """Return the root of a path, and the path below it with slashes; empty for the root itself.

    A link in a repository or an opened folder is that link, wherever it leads; any other stands for what it leads to.
    """
    opened = [*folders]
    if path.name not in ("", "..") and path.is_symlink() and path.absolute() not in [it.absolute() for it in opened]:
        holder = real(path.parent)
        root = root_of(holder, opened)
        if (root / ".git").exists() or any(is_within(real(it), holder) for it in opened):
            return root, (holder / path.name).relative_to(root).as_posix()
    root, place = root_of(path, opened), real(path)
    return root, "" if place == root else place.relative_to(root).as_posix()


def real(path: Path) -> Path:
    """Return the absolute path without links."""
    return Path(os.path.realpath(path))


def is_within(root: Path, path: Path) -> bool:
    """Whether a path (both without links) is the root, or lies below it."""
    return path == root or root in path.parents


def is_under(name: str, tops: Iterable[str]) -> bool:
    """Whether a name is one of ``tops``, or lies in one of them; the empty name is the root, in which all names lie."""
    return any(not top or name == top or name.startswith(f"{top}/") for top in tops)
