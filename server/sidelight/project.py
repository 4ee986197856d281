"""What a project's folders hold for a prompt: its own instructions, and the files that the user mentions.

Reads files, so not for the event loop. Nothing is read that leads out of the folders, and no file for secrets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Union

from sidelight.core.context import Context, Excerpt, Piece
from sidelight.core.masking import LARGEST_MASKED
from sidelight.core.mentions import Mention, find_mentions, matching
from sidelight.core.secrets import is_secret_file
from sidelight.core.surroundings import Open, excerpts_of, pieces_from, symbol, unexplained
from sidelight.editing.structure import Structure
from sidelight.editing.structure_near import NearStructure
from sidelight.editing.text import split_lines
from sidelight.errors import UsageError
from sidelight.files import language_of, read_text
from sidelight.messages import Message, msg

INSTRUCTIONS = ("AGENTS.md", ".sidelight/instructions.md")
LARGEST_INSTRUCTIONS_KIB = 16
LARGEST_MENTIONED_KIB = 1024

# 20,000 files take a tenth of a second; who mentions one waits rather for it than for an answer without it.
_LOOKING_S = 1.0
# Some hundred milliseconds.
_MOST_PARSED_LINES = 10_000
_PASSED_OVER = frozenset({
    ".git", ".hg", ".svn", ".jj", "node_modules", "bower_components", "__pycache__", ".venv", "venv", "site-packages",
    ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".gradle", ".idea", ".cache", ".next", ".nuxt",
    "dist", "build", "out", "target",
})  # fmt: skip

Shown = Union[Piece, Excerpt]


@dataclass(frozen=True, slots=True)
class Opened:
    """A document as an editor has it: its file, None where it has none, and its text."""

    name: str
    path: Path | None
    language_id: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Project:
    """The folders that are opened, whether they are trusted, and the documents that are open in them.

    ``symbol`` finds the definition of a name: in the document that is asked about, or in those that are open.
    """

    folders: Sequence[Path] = ()
    is_trusted: bool = False
    opened: Sequence[Opened] = field(default_factory=tuple)
    symbol: Callable[[str], Shown | None] = lambda _name: None

    def add_to(self, context: Context, document: Path | None) -> Context:
        """Return the context with what its instruction mentions and the project's own instructions.

        ``document`` is the file that is asked about. What cannot be had is told in the context's notes.
        """
        excerpts: list[Excerpt] = []
        pieces: list[Piece] = []
        notes: list[Message] = []
        for found in [*self._mentioned(context, document), *self._instructions(document)]:
            if isinstance(found, Excerpt):
                excerpts.append(found)
            elif isinstance(found, Piece):
                pieces.append(found)
            else:
                notes.append(found)
        return replace(
            context,
            excerpts=(*excerpts, *context.excerpts),
            pieces=(*pieces, *context.pieces),
            notes=(*context.notes, *notes),
        )

    def _instructions(self, document: Path | None) -> Iterator[Piece | Message]:
        """Yield what the folder of a document says to models; a document outside of all folders has none."""
        if not self.is_trusted or not self.folders:
            return
        folder = self.folders[0] if document is None else _holding(self.folders, document)
        for name in INSTRUCTIONS if folder else ():
            assert folder is not None
            path = folder / name
            if os.path.isfile(path) and _is_within(folder, path) and not _is_secret(path):
                yield from _instructions_in(path, name)

    def _mentioned(self, context: Context, document: Path | None) -> Iterator[Shown | Message]:
        files = _Files(self.folders, self.opened)
        for mention in find_mentions(context.instruction).names:
            yield self._meant(mention, files, context, document)

    def _meant(self, mention: Mention, files: _Files, context: Context, document: Path | None) -> Shown | Message:
        """Return what a mention means: a file's name comes before a symbol's, a word is a symbol before a file."""
        if mention.is_word and not mention.is_path and (symbol := self.symbol(mention.name)):
            return symbol
        found = files.find(mention.name)
        if not found and not mention.is_path and (symbol := self.symbol(mention.name)):
            return symbol
        if not found:
            return _nothing(mention, is_whole=files.is_whole)
        if len(found) > 1:
            names = ", ".join(sorted(file.name for file in found)[:5])
            return msg("{mention} can mean {count} files ({names}): write more of the path.",
                       mention=str(mention), count=len(found), names=names)  # fmt: skip
        return self._shown(mention, found[0], context, document)

    def _shown(self, mention: Mention, file: Opened, context: Context, document: Path | None) -> Shown | Message:
        """Return a file that was mentioned, or the lines of it that were, or why it is not shown."""
        why = msg("you mentioned it")
        if file.path is not None and file.path == document:
            return Excerpt("mention", *_lines(mention, len(context.lines)), why)
        if is_secret_file(file.name):
            return _secret(mention)
        if not file.lines:
            read = self._read(mention, file)
            if isinstance(read, Message):
                return read
            file = read
        if sum(map(len, file.lines)) <= LARGEST_MASKED:
            context.mask.learn("".join(file.lines))  # some lines of a private key do not look like one
        first, end = _lines(mention, len(file.lines))
        text = "".join(file.lines[first:end])
        return Piece("mention", file.name, text, why, file.language_id, first, is_wanted=True)

    def _read(self, mention: Mention, file: Opened) -> Opened | Message:
        path, name = file.path, str(mention)
        folder = _holding(self.folders, path) if path else None
        if path is None or folder is None or not _is_within(folder, path):
            return msg("{mention} leads out of the folder, so it is not sent.", mention=name)
        if _is_secret(path):
            return _secret(mention)
        try:
            if not path.is_file() or path.stat().st_size > LARGEST_MENTIONED_KIB << 10:
                return msg("{mention} is larger than {size} KiB, or is no file with text in it, so it is not sent.",
                           mention=name, size=LARGEST_MENTIONED_KIB)  # fmt: skip
            lines = split_lines(read_text(path).removeprefix("\ufeff"))
        except (OSError, UsageError) as error:
            reason = error.message if isinstance(error, UsageError) else error.strerror or str(error)
            return msg("{mention} is not sent: {reason}", mention=name, reason=reason)
        return replace(file, lines=lines, language_id=language_of(path))


def find_symbol(own: Open | None, others: Sequence[Open], name: str) -> Piece | Excerpt | None:
    """Return the definition that is mentioned: lines of the document itself, or a piece of another one."""
    if own is not None and (here := symbol(name, [own])) is not None and here.first_line is not None:
        return Excerpt("mention", here.first_line, here.first_line + len(here.text.splitlines()), here.why)
    return symbol(name, others)


def with_surroundings(context: Context, own: Open | None, others: Sequence[Open]) -> Context:
    """Return the context with the code around its place, and with what that uses from other open documents."""
    if sum(map(len, context.lines)) <= LARGEST_MASKED:
        context.mask.learn("".join(context.lines))
    if own is None:
        return context
    names = unexplained(own.structure, context)
    return replace(
        context,
        excerpts=(*context.excerpts, *excerpts_of(own.structure, context)),
        pieces=(*context.pieces, *pieces_from(names, others, context.language_id)),
    )


def with_project(context: Context, path: Path | None, folder: Path, *, is_trusted: bool) -> Context:
    """Return the context of a task about a file, or none, in a terminal, with all that is worth showing beside it."""
    own: _Own | None = None
    if path is not None:
        lines, language = context.lines, context.language_id
        make = Structure.of if len(lines) <= _MOST_PARSED_LINES else NearStructure
        own = _Own(context.name, language, lines, make(lines, language))
        path = Path(os.path.abspath(path))
    project = Project((folder,), is_trusted, symbol=partial(find_symbol, own, ()))
    return project.add_to(with_surroundings(context, own, ()), path)


@dataclass(frozen=True, slots=True)
class _Own:
    """The file that is asked about, as ``core/surroundings.py`` looks at one."""

    name: str
    language_id: str
    lines: Sequence[str]
    structure: Structure


class _Files:
    """Looks for files by name: open documents first, then the path itself, then all files of the folders."""

    def __init__(self, folders: Sequence[Path], opened: Sequence[Opened]) -> None:
        self._folders = folders
        self._opened = {_name_below(folders, one): one for one in opened}
        self._all: dict[str, Opened] | None = None
        self.is_whole = True

    def find(self, name: str) -> list[Opened]:
        """Return the files that a name can mean, none of them read that is not open."""
        if found := matching(name, self._opened):
            return [replace(self._opened[path], name=path) for path in found]
        there = [_unread(folder, name.strip("/")) for folder in self._folders]
        if direct := [file for file in there if file is not None]:
            return direct[:1]
        if self._all is None:
            self._all = dict(self._walk())
        return [self._all[path] for path in matching(name, self._all)]

    def _walk(self) -> Iterator[tuple[str, Opened]]:
        until = monotonic() + _LOOKING_S
        for folder in self._folders:
            for place, folders, names in os.walk(folder):
                folders[:] = sorted(name for name in folders if name not in _PASSED_OVER)
                for name in sorted(names):
                    path = Path(place, name)
                    below = path.relative_to(folder if len(self._folders) == 1 else folder.parent).as_posix()
                    yield below, Opened(below, path, "", ())
                if monotonic() > until:
                    self.is_whole = False
                    return


def _unread(folder: Path, name: str) -> Opened | None:
    path = folder / name
    try:
        is_there = ".." not in name.split("/") and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return None
    return Opened(name, path, "", ()) if is_there else None


def _name_below(folders: Sequence[Path], document: Opened) -> str:
    folder = _holding(folders, document.path) if document.path else None
    return document.path.relative_to(folder).as_posix() if folder and document.path else document.name


def _holding(folders: Sequence[Path], path: Path) -> Path | None:
    """Return the innermost folder that a file lies in."""
    return max(
        (folder for folder in folders if path.is_relative_to(folder)), key=lambda it: len(it.parts), default=None
    )


def _is_within(folder: Path, path: Path) -> bool:
    """Whether a file lies in a folder when all links are followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


def _is_secret(path: Path) -> bool:
    return is_secret_file(path.name) or is_secret_file(path.resolve().name)


def _instructions_in(path: Path, name: str) -> Iterator[Piece | Message]:
    limit = LARGEST_INSTRUCTIONS_KIB << 10
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        yield msg("{path} cannot be read: {reason}", path=str(path), reason=error.strerror or str(error))
        return
    if len(content) > limit:
        content = content[:limit].rpartition(b"\n")[0] + b"\n"
        yield msg("{name} is longer than {size} KiB: the model is shown its beginning.",
                  name=name, size=LARGEST_INSTRUCTIONS_KIB)  # fmt: skip
    text = content.decode("utf-8-sig", "replace")
    if text.strip() and "\0" not in text:
        yield Piece("instructions", name, text, msg("this project's own instructions"), "markdown")


def _secret(mention: Mention) -> Message:
    return msg("{mention} is a file for secrets, so nothing of it is sent.", mention=str(mention))


def _lines(mention: Mention, count: int) -> tuple[int, int]:
    """Return which lines are meant, from 0, the end exclusive; all where the document has none of them."""
    first, last = mention.lines or (1, count)
    return (first - 1, min(last, count)) if 1 <= first <= min(last, count) else (0, count)


def _nothing(mention: Mention, *, is_whole: bool) -> Message:
    if not is_whole:
        return msg("{mention} was not found: there are too many files to look through all of them. Write its path.",
                   mention=str(mention))  # fmt: skip
    return msg("Nothing is called {mention} here, in no file and no open document.", mention=str(mention))
