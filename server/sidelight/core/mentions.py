"""What the user mentions in an instruction: ``@area.py``, ``@src/area.py:10-40``, ``@area``, ``#problems``.

Code that is quoted in it mentions nothing. Who finds what was meant is ``sidelight/project.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

_MOST = 20
# Writing without spaces between words: a name in other letters ends where such a letter follows it.
_UNSPACED = "\u0e00-\u0eff\u3000-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_LETTER = rf"[^\W{_UNSPACED}]"
_MENTION = re.compile(
    rf"""(?<![A-Za-z0-9_@.+/\\-])@(?:
      "(?P<quoted>[^"\r\n]{{1,300}})"
      | (?P<name> [./\\~]{{0,3}} {_LETTER} (?:(?:{_LETTER}|[./\\-])*{_LETTER})? )
      | (?P<other> [{_UNSPACED}] [\w./\\-]* \w )
    ) (?::(?P<first>\d{{1,7}})(?:-(?P<last>\d{{1,7}}))?(?!\w))?""",
    re.VERBOSE,
)
_PROBLEMS = re.compile(r"(?<![A-Za-z0-9_#/&])#problems(?![A-Za-z0-9_-])")
_INLINE = re.compile(r"`[^`\n]*`")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_DECORATED = re.compile(
    r"(?:async\s|def\s|class\s|function\s|fun\s|func\s|public\s|private\s|protected\s|static\s|export\s|abstract\s|final\s)"
)
_PATHLIKE = re.compile(r"[./\\]")


@dataclass(frozen=True, slots=True)
class Mention:
    """What was mentioned by its name: ``name`` with slashes, ``lines`` first and last, from 1."""

    name: str
    lines: tuple[int, int] | None = None

    def __str__(self) -> str:
        return f"@{self.name}"

    @property
    def is_path(self) -> bool:
        """Whether it can only be a file."""
        return "/" in self.name or " " in self.name or self.lines is not None

    @property
    def is_word(self) -> bool:
        """Whether it is more likely a symbol than a file."""
        return not _PATHLIKE.search(self.name)


@dataclass(frozen=True, slots=True)
class Mentions:
    """All that an instruction mentions: names in order, each once, and whether it speaks of the problems."""

    names: tuple[Mention, ...] = ()
    problems: bool = False

    def __bool__(self) -> bool:
        return bool(self.names) or self.problems


def find_mentions(instruction: str) -> Mentions:
    """Return what an instruction mentions, at most 20 names."""
    if "@" not in instruction and "#problems" not in instruction:
        return Mentions()
    text = "\n".join(_prose(instruction))
    names = dict.fromkeys(_mention(found) for found in _MENTION.finditer(text))
    return Mentions(tuple(islice(names, _MOST)), bool(_PROBLEMS.search(text)))


def _mention(found: re.Match[str]) -> Mention:
    name = (found["quoted"] or found["name"] or found["other"]).replace("\\", "/").removeprefix("./").strip()
    first, last = found["first"], found["last"]
    return Mention(name, (int(first), int(last or first)) if first else None)


def _prose(instruction: str) -> Iterator[str]:
    """Yield the lines that are no code: none in fences, indented far, or decorators above what they decorate."""
    fence = ""
    lines = instruction.splitlines()
    decorators = _decorators(lines)
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence):
                fence = ""
        elif mark:
            fence = mark[1]
        elif not line.startswith(("    ", "\t", ">")) and number not in decorators:
            yield _INLINE.sub(" ", line)


def _decorators(lines: list[str]) -> set[int]:
    """Return the numbers of the lines that begin with an ``@`` and stand, with others, right above a definition."""
    decorators: set[int] = set()
    is_above = False
    for number in range(len(lines) - 1, -1, -1):
        is_above = (is_above and lines[number].startswith("@")) or bool(_DECORATED.match(lines[number]))
        if is_above and lines[number].startswith("@"):
            decorators.add(number)
    return decorators


def matching(name: str, paths: Iterable[str]) -> list[str]:
    """Return the paths (with slashes, below a folder) that a name can mean: that path itself, else those ending in it.

    Letters' case counts only where it decides.
    """
    name = name.strip("/")
    if not name or ".." in name.split("/"):
        return []
    folded = name.casefold()
    alike = [path for path in paths if f"/{path}".casefold().endswith(f"/{folded}")]
    if len(alike) < 2:
        return alike
    return (
        [path for path in alike if path == name]
        or [path for path in alike if f"/{path}".endswith(f"/{name}")]
        or alike
    )  # fmt: skip
