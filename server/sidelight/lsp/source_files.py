"""From a source of an answer to the file that it is in the workspace, and the place of its passage there.

A source's title and address were written by a server: they find files inside the workspace's folders and the folders of
the user's own ``sources.map``, and never reach anything outside them. Everything here looks at the disk: call it on a
thread. ``opening.py`` is who does.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic
from urllib.parse import unquote

from sidelight.core.sources import Cited
from sidelight.editing.text import Place, Range, Text
from sidelight.syncing.names import local_file
from sidelight.uris import file_path

_MOST_ENTRIES = 20_000
_LISTED_FOR_S = 10.0
_PASSED_OVER = {
    *(".git", ".hg", ".svn", "node_modules", "bower_components", ".venv", "venv", ".tox", ".nox", "__pycache__"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".gradle", ".idea", ".cache", ".terraform"),
}
_SCHEME = re.compile(r"(?:localfile|file|link|web):(?://)?", re.IGNORECASE)
_WORDS = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of some folders: (folder, parts of the path below it), and by folded stem of their names."""

    files: tuple[tuple[Path, tuple[str, ...]], ...]
    by_stem: Mapping[str, tuple[int, ...]]


@dataclass(slots=True)
class SourceFiles:
    """Finds files. ``folders`` are the workspace's, ``mapped`` is the setting ``sources.map``; both may change."""

    folders: Sequence[Path] = ()
    mapped: Mapping[str, object] = field(default_factory=dict)
    _listings: dict[tuple[Path, ...], tuple[float, Listing]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def find(self, document: Cited) -> Path | None:
        """Return the file that a cited document is: as the user mapped it, by its address, else by its name."""
        folders = tuple(self.folders)
        found = self._mapped(document, folders) or _by_address(document.uri, folders)
        return found or (self._by_name(document, folders) if folders else None)

    def _mapped(self, document: Cited, folders: Sequence[Path]) -> Path | None:
        names = [_slashed(name) for name in (document.uri, document.address, _path_in(document.uri), document.title)]
        for prefix, target in sorted(self.mapped.items(), key=lambda item: -len(item[0])):
            start = _slashed(prefix)
            if not isinstance(target, str) or not target:
                continue  # as the user wrote it
            for name in (it for it in names if it.casefold().startswith(start.casefold())):
                rest = name[len(start) :]
                if start and not start.endswith("/") and rest and not rest.startswith("/"):
                    continue  # docs is no prefix of docs-old
                for root in _mapped_roots(target, folders):
                    if found := _below(root, unquote(rest)) or _below(root, rest):
                        return found
        return None

    def _by_name(self, document: Cited, folders: tuple[Path, ...]) -> Path | None:
        listing = self._listing(folders)
        for said in (document.title, unquote(_path_in(document.uri))):
            parts = [part for part in _slashed(said).split("/") if part]
            if parts and (found := _unique(listing, parts)):
                return found
        return None

    def _listing(self, folders: tuple[Path, ...]) -> Listing:
        with self._lock:
            made_at, listing = self._listings.get(folders, (0.0, None))
            if listing is None or monotonic() - made_at > _LISTED_FOR_S:
                listing = _listed(folders)
                self._listings = {folders: (monotonic(), listing)}
            return listing


def _by_address(uri: str, folders: Sequence[Path]) -> Path | None:
    lowered = uri.lower()
    if lowered.startswith("localfile:"):
        if found := local_file(uri, folders):
            return found
        below = _path_in(uri)  # as others than `sidelight knowledge` may have written it
        return next((found for it in folders if (found := _below(it, unquote(below)) or _below(it, below))), None)
    path = file_path(uri) if lowered.startswith("file:") else None
    paths = [(folder, _below_lexically(folder, path)) for folder in folders]
    return next((found for folder, it in paths if it is not None and (found := _below(folder, it))), None)


def _below_lexically(folder: Path, path: Path | None) -> str | None:
    """Return a path below a folder, told by the letters alone: to ask the disk for a share would already log on."""
    root, given = _slashed(str(folder)).rstrip("/"), _slashed(str(path))
    # AnythingLLM writes addresses in lower case.
    return given[len(root) + 1 :] if given.casefold().startswith(f"{root.casefold()}/") else None


def _mapped_roots(target: str, folders: Sequence[Path]) -> Iterator[Path]:
    path = Path(os.path.expanduser(target))
    if path.is_absolute():
        yield path
    else:
        yield from (folder / path for folder in folders)


def _below(root: Path, path: str) -> Path | None:
    """Return the file of that path in a folder, in the spelling that is there; None for what leads out of it."""
    parts = [part for part in _slashed(path).split("/") if part not in ("", ".")]
    if not parts or any(part == ".." or "\0" in part or (os.name == "nt" and ":" in part) for part in parts):
        return None
    found = root.joinpath(*parts)
    if not _is_file(found):
        spelled = root
        for part in parts:
            if (name := _spelled(spelled, part)) is None:
                return None
            spelled = spelled / name
        found = spelled
    return found if _is_file(found) and _is_inside(found, root) else None


def _spelled(folder: Path, name: str) -> str | None:
    """Return the one entry that has this name, whatever the case."""
    if os.path.lexists(folder / name):
        return name
    try:
        with os.scandir(folder) as entries:
            met = [entry.name for entry in entries if _folded(entry.name) == _folded(name)]
    except OSError:
        return None
    return met[0] if len(met) == 1 else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_inside(path: Path, root: Path) -> bool:
    """Whether a file is in a folder wherever links lead."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


# By name


def _unique(listing: Listing, parts: Sequence[str]) -> Path | None:
    """Return the file with that name where it is the only one, or the only one whose folders are named so too."""
    stem, suffix = _stem_and_suffix(parts[-1])
    numbers = listing.by_stem.get(stem, ()) if stem else ()
    named = [listing.files[it] for it in numbers]
    # AnythingLLM gives every text the suffix .txt.
    same = [it for it in named if _stem_and_suffix(it[1][-1])[1] == suffix] or (named if suffix == ".txt" else [])
    for depth in range(1, len(parts) + 1):
        if len(same) < 2:
            break
        tail = [_folded(part) for part in parts[-depth - 1 : -1]]
        closer = [it for it in same if [_folded(part) for part in it[1][:-1]][-depth:] == tail]
        same = closer or same
    if len(same) != 1:
        return None
    found = same[0][0].joinpath(*same[0][1])
    return found if _is_file(found) and _is_inside(found, same[0][0]) else None


def _stem_and_suffix(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem:
        return _slug(name), ""
    return _slug(stem), f".{suffix.casefold()}"


def _slug(text: str) -> str:
    """Return a name as it is compared: AnythingLLM makes slugs of names."""
    return "-".join(re.findall(r"\w+", _folded(text)))


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in apart if not unicodedata.combining(character))


def _listed(folders: Sequence[Path]) -> Listing:
    files = tuple(_files(folders))
    by_stem: dict[str, list[int]] = {}
    for number, (_, parts) in enumerate(files):
        by_stem.setdefault(_stem_and_suffix(parts[-1])[0], []).append(number)
    return Listing(files, {stem: tuple(numbers) for stem, numbers in by_stem.items()})


def _files(folders: Sequence[Path]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield the files of some folders, those near the top first; a file in two of them once; links are not followed."""
    waiting: list[tuple[Path, tuple[str, ...]]] = [(folder, ()) for folder in folders]
    looked_at, seen = 0, set()
    for root, below in waiting:  # which grows meanwhile
        here = root.joinpath(*below)
        if here in seen:
            continue
        seen.add(here)
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    looked_at += 1
                    if looked_at > _MOST_ENTRIES:
                        return
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in _PASSED_OVER:
                            waiting.append((root, (*below, entry.name)))
                    elif entry.is_file():
                        yield root, (*below, entry.name)
        except OSError:
            continue


def _path_in(uri: str) -> str:
    """Return what comes after the scheme of a source's address; of a page on the web, its path."""
    rest = uri
    while found := _SCHEME.match(rest):
        rest = rest[found.end() :]
    if rest.lower().startswith(("http://", "https://")):
        rest = rest.partition("://")[2].partition("/")[2].partition("?")[0].partition("#")[0]
    return rest


def _slashed(text: str) -> str:
    return text.strip().replace("\\", "/")


# The passage


def passage_in(text: Text, passages: Sequence[str]) -> Range | None:
    """Return where the first of the passages that is in the text stands, whatever its white space; None for none."""
    squeezed = "".join(_WORDS.findall(str(text)))
    for passage in passages:
        wanted = "".join(passage.split())
        at = squeezed.find(wanted) if wanted else -1
        if at >= 0:
            return Range(_place_of(text, at), _place_after(text, at + len(wanted) - 1))
    return None


def _place_of(text: Text, number: int) -> Place:
    """Return the place of a character, counted without white space."""
    passed = 0
    for line_number, line in enumerate(text.lines):
        for word in _WORDS.finditer(line):
            length = len(word[0])
            if passed + length > number:
                return Place(line_number, word.start() + number - passed)
            passed += length
    return text.end


def _place_after(text: Text, number: int) -> Place:
    place = _place_of(text, number)
    return Place(place.line, place.column + 1)
