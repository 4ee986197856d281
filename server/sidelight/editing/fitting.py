"""Code made to fit the place it goes to: the document's indentation, line ends, final newline and byte order mark.

A model's relative indentation is content and is kept; the whole block moves to the indentation of what it replaces.
``fit`` has the whole code, ``Fitter`` is fed with its lines while they arrive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from math import gcd
from typing import Literal

from sidelight.editing.docstrings import OpenString
from sidelight.editing.languages import is_markup
from sidelight.editing.text import split_lines, without_line_end

_INDENT = re.compile(r"[ \t]*")
_BOM = "\ufeff"
# The widths in use; a step of any other width is an alignment and tells nothing about levels.
_UNITS = (2, 3, 4, 8)
_DEFAULT_UNIT = 4
# After these the next line may stand anywhere.
_CONTINUES = ("(", "[", ",", "\\", "=", "+", "-", "*", "|", "&", "?")
_OPENS_BLOCK = (":", "{", "then", "do")
# In these a line says at its end whether the next may be indented, save for the ones that follow.
_SAYS_WHETHER_OPEN = {
    *("python", "go", "makefile", "rust", "java", "csharp", "kotlin", "swift", "dart", "c", "cpp", "php"),
    *("javascript", "javascriptreact", "typescript", "typescriptreact"),
}
_OPENS_OTHERWISE = re.compile(
    r"\s*(?:\}\s*)?(?:if|for|while|else|do|switch|case|return|template)\b[^;]*$|\s*[^\s#=:][^=:]*::?(?!=)|.*[.<>%/]$"
)
_GOES_ON = tuple(".)]}+-*/|&?:<>=,")
_HEAD = re.compile(r"[^(=:{<\[]+|.?")  # of a definition, up to what may be different in a new version of it
_RULE = re.compile(r"[^\s#=:][^=:]*::?(?!=)")

Style = Literal["tabs", "spaces"]


class Target:
    """The old lines that code goes in place of, and what they tell about indentation.

    ``above`` and ``below`` are the document's lines around them, which show its style where these do not. ``indent`` is
    that of the first line that is not blank; where all are, that of the body which the line above opens, or None.
    ``style`` is None where there is none or a mixture of both, and then indentation is taken as it comes.
    """

    def __init__(
        self, replaced: Sequence[str], language: str = "", above: Sequence[str] = (), below: Sequence[str] = ()
    ) -> None:
        self.language = language
        self.lines = _contents(replaced)
        self.stripped = {line.strip() for line in self.lines}
        self.whole = set(self.lines)
        self.significant = [line.rstrip() for line in self.lines if line.strip()]
        self.significant_stripped: dict[str, list[int]] = {}
        for n, line in enumerate(self.significant):
            self.significant_stripped.setdefault(line.strip(), []).append(n)
        self.indent = _first_indent(self.lines)
        indents = _indents(self.lines)
        if not indents and not is_markup(language):
            indents = _indents(above) | _indents(below)
        self.style = _style(indents, language)
        self.unit = "\t" if self.style == "tabs" else " " * _width(indents)
        if self.indent is None:
            self.indent = self._indent_below(above)
        self.starts_blank = not self.lines or not self.lines[0].strip()
        self.ends_blank = bool(self.lines) and not self.lines[-1].strip()

    def _indent_below(self, above: Sequence[str]) -> str | None:
        """Return the indentation of an empty place as far as the line above decides it: in a body that it opens."""
        line = next((without_line_end(line) for line in reversed(above) if line.strip()), "")
        opening = ("{", ":") if self.language == "python" else ("{",)
        return _indent(line) + self.unit if line.rstrip().endswith(opening) else None

    def is_akin(self, line: str) -> bool:
        """Whether the line is one of the old ones, or begins as the first of them does."""
        said = line.strip()
        if not any(map(str.isalnum, said)):
            return False
        first = self.significant[0].strip() if self.significant else ""
        return said in self.stripped or _head(said) == _head(first)

    def conflicts(self, line: str) -> bool:
        """Whether the line is indented in the other style than the document."""
        if self.style == "spaces":
            return "\t" in _indent(line)
        return self.style == "tabs" and _style_indent(line).startswith(" ")


def _head(said: str) -> str:
    return _HEAD.match(said).group().rstrip()  # type: ignore[union-attr]


def _indents(lines: Sequence[str]) -> set[str]:
    return {_style_indent(line) for line in lines if line.strip()} - {""}


def _contents(replaced: Sequence[str]) -> list[str]:
    lines = list(replaced)
    if len(lines) > 1 and not lines[-1] and lines[-2].endswith(("\n", "\r")):
        lines.pop()  # the empty rest after the last line end, as ``split_lines`` has it
    return [without_line_end(line.removeprefix(_BOM) if not n else line) for n, line in enumerate(lines)]


def _style(indents: set[str], language: str) -> Style | None:
    if all(not indent.strip("\t") for indent in indents):
        return "tabs" if indents or language == "makefile" else None
    # In a makefile spaces are no other style of the same thing: recipes have tabs, whatever else has spaces.
    return "spaces" if language != "makefile" and all(not indent.strip(" ") for indent in indents) else None


def _width(indents: set[str]) -> int:
    """Return how many spaces make a level; one deep indentation alone does not tell."""
    width = gcd(*map(len, indents))
    return width if width in _UNITS and (width < 8 or len(indents) > 1) else _DEFAULT_UNIT


def _indent(line: str) -> str:
    return _INDENT.match(line).group()  # type: ignore[union-attr]


def _style_indent(line: str) -> str:
    """Return the indentation without the one space before the star of a block comment."""
    indent = _indent(line)
    return indent.removesuffix(" ") if line.startswith("*", len(indent)) else indent


class Fitter:
    """Moves lines to the indentation of the target while they arrive.

    The first line that is not blank decides how far. It is held until the next one where it has no indentation and the
    target has: models drop the indentation of the first line alone. From the first line on that is indented by tabs in
    a document of spaces, or the other way round, all are held to the end, since only all of them show what a level is.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._have: str | None = None
        self._add = self._cut = ""
        self._held: list[str] = []
        self._is_converting = False
        self._has_target_style = False
        self._raw = OpenString(target.language, is_raw=True)
        self._held_raw: set[int] = set()  # which of the held lines begin inside a raw string
        self._is_second_known = False  # the line after the held first one
        self._is_below_rule = False

    def feed(self, line: str) -> list[str]:
        """Take a line; return the lines that are known by now. Blank lines stay as they are."""
        is_raw = self._raw.is_open
        self._raw.feed(line)
        is_blank = not line.strip()
        if self._is_converting or (is_blank and self._held):
            if is_raw:
                self._held_raw.add(len(self._held))
            self._held.append(line)
            return []
        if is_blank:
            return [line]
        if not is_raw and (self._target.conflicts(line) or self._is_recipe_without_tab(line)):
            self._start_converting(line)
            return []
        return self._significant(line)

    def finish(self) -> list[str] | None:
        """Return the lines that were held; None where their indentation cannot be brought into the document's style."""
        held, self._held = self._held, []
        if self._is_converting:
            return self._converted(held)
        return self._all_moved(held, is_absolute=self._is_second_known)

    def _is_recipe_without_tab(self, line: str) -> bool:
        """Whether a line with spaces stands where make wants a tab, in a makefile that has both."""
        if self._target.language != "makefile" or self._target.style is not None:
            return False
        if line[0] not in " \t":
            self._is_below_rule = _RULE.match(line) is not None
        return line[0] == " " and self._is_below_rule and not line.lstrip().startswith("#")

    def _significant(self, line: str) -> list[str]:
        if self._have is None:
            self._decide(line)
            if not self._have and self._target.indent:
                self._held.append(line)
                return []
        elif self._held:
            return self._released(line)
        self._has_target_style |= bool(_style_indent(line))
        return [self._moved(line)]

    def _decide(self, line: str) -> None:
        have, want = _indent(line), self._target.indent
        self._have = have
        if want is None or have == want:
            return
        if want.endswith(have):
            self._add = want.removesuffix(have)
        elif have.endswith(want):
            self._cut = have.removesuffix(want)

    def _released(self, line: str) -> list[str]:
        """Return the first line, which was held, and those after it; nothing while they may mean either."""
        self._has_target_style |= bool(_style_indent(line))
        self._held.append(line)
        if self._is_second_known:
            is_absolute = self._is_absolute_by(line)
        else:
            is_absolute = self._stands_absolutely(self._held[0], line)
            if is_absolute and self._may_be_wider(line):
                self._is_second_known, is_absolute = True, None
        if is_absolute is None:
            return []
        held, self._held = self._held, []
        return self._all_moved(held, is_absolute=is_absolute)

    def _all_moved(self, held: Sequence[str], *, is_absolute: bool) -> list[str]:
        first = [self._moved(line) for line in held[:1]]
        if is_absolute:
            self._add = ""
        return [*first, *(self._moved(line) for line in held[1:])]

    def _may_be_wider(self, second: str) -> bool:
        """Whether the code may have levels of four spaces in a document with levels of two."""
        return self._target.indent == "  " and len(_indent(second)) == 4 and self._held[0].rstrip().endswith("{")

    def _is_absolute_by(self, line: str) -> bool | None:
        """Judge by a later line: what stands left of the target moves with it, and a level of four has no halves."""
        indent = len(_indent(line))
        if indent < len(self._target.indent or ""):
            return False
        return True if indent % 4 else None

    def _stands_absolutely(self, first: str, second: str) -> bool | None:
        """Whether the second line has the document's indentation already, so that only the first line lost its own."""
        want, indent, target = self._target.indent or "", _indent(second), self._target
        if not indent or (first.rstrip().endswith(_OPENS_BLOCK) and len(indent) <= len(want)):
            return False
        if second in target.whole:
            return want + second not in target.whole
        if first.rstrip().endswith(_CONTINUES):
            return False
        is_deep = len(indent) > len(target.unit) and indent.startswith(want)
        return is_deep or (indent == want and self._must_be_absolute(first, second))

    def _must_be_absolute(self, first: str, second: str) -> bool:
        """Whether the second line could not be deeper than the first one, in a language whose lines tell."""
        if self._target.language not in _SAYS_WHETHER_OPEN or second.lstrip().startswith(_GOES_ON):
            return False
        is_whole = all(first.count(a) <= first.count(b) for a, b in ("()", "[]", "{}")) and "/*" not in first
        is_string = first.count("`") % 2 or first.count('"""') % 2 or first.count("'''") % 2
        return is_whole and not is_string and _OPENS_OTHERWISE.match(first.rstrip()) is None

    def _moved(self, line: str) -> str:
        if not line.strip():
            return line
        if self._add:
            return self._add + line
        return line[_common(line, self._cut) :] if self._cut else line

    def _start_converting(self, line: str) -> None:
        self._is_converting = True
        if self._have is None:
            self._have = _indent(line)
        self._held.append(line)

    def _converted(self, held: list[str]) -> list[str] | None:
        other = " " if self._target.style == "tabs" else "\t"
        indents = [_style_indent(line) for n, line in enumerate(held) if line.strip() and n not in self._held_raw]
        base = len(self._have or "")
        if self._target.style is None or self._has_target_style or any(indent.strip(other) for indent in indents):
            return None
        width = gcd(*(len(indent) - base for indent in indents)) if other == " " else 1
        if width not in (*_UNITS, 1 if other == "\t" else 0):
            return None
        return [line if n in self._held_raw else self._at_level(line, base, width or 1) for n, line in enumerate(held)]

    def _at_level(self, line: str, base: int, width: int) -> str:
        if not line.strip():
            return line
        want, unit, indent = self._target.indent or "", self._target.unit, _style_indent(line)
        level = (len(indent) - base) // width
        moved = want + unit * level if level >= 0 else want[: max(0, len(want) + level * len(unit))]
        return moved + line[len(indent) :]


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def fit(code: str, replaced: str, line_end: str) -> str:
    """Return ``code`` with the indentation and final newline of ``replaced`` and with the document's line ends.

    Lines that ``replaced`` has too keep their own line ends, and a byte order mark stays at the start.
    """
    mark = _BOM if replaced.startswith(_BOM) else ""
    replaced = replaced.removeprefix(_BOM)
    lines = [without_line_end(line) for line in split_lines(code.removeprefix(_BOM))]
    if lines and not lines[-1]:
        lines.pop()
    old = split_lines(replaced)
    lines = _moved(lines, _first_indent(lines), _first_indent(old))
    ends = _line_ends(lines, old, line_end)
    if lines and replaced and old[-1]:
        ends[-1:] = [""]
    return mark + "".join(line + end for line, end in zip(lines, ends, strict=True))


def _line_ends(lines: list[str], old: list[str], line_end: str) -> list[str]:
    """Return each line's end: that of the same line in ``old``, else the document's."""
    ends = [line_end] * len(lines)
    contents = [without_line_end(line) for line in old]
    old_ends = [line[len(content) :] or line_end for line, content in zip(old, contents, strict=True)]
    if set(old_ends) != {line_end}:
        for first, to, count in SequenceMatcher(None, contents, lines, autojunk=False).get_matching_blocks():
            ends[to : to + count] = old_ends[first : first + count]
    return ends


def _first_indent(lines: Sequence[str]) -> str | None:
    """Return the indentation of the first line that is not blank."""
    return next((_INDENT.match(line).group() for line in lines if line.strip()), None)  # type: ignore[union-attr]


def _moved(lines: list[str], have: str | None, want: str | None) -> list[str]:
    if have is None or want is None or have == want:
        return lines
    if want.endswith(have):
        more = want.removesuffix(have)
        return [more + line if line.strip() else line for line in lines]
    if have.endswith(want) and all(line.startswith(have) for line in lines if line.strip()):
        return [line.removeprefix(have.removesuffix(want)) for line in lines]
    return lines
