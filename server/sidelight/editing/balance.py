"""How many brackets and quotes of a text have no partner, in the languages whose strings and comments are known here.

A comment or string that is never closed is none, and what stands in it counts. That one is not is found out once, not
at each of its beginnings: texts with thousands of them take no longer than others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PARTNER = {")": "(", "]": "[", "}": "{"}
_BRACKETS_AND_QUOTES = '()[]{}"`'
# A slash begins a regular expression where no value can stand before it.
_BEFORE_REGEX = "(,=:[!&|?{};+-*%~^<>\n"


@dataclass(frozen=True, slots=True)
class _Skipped:
    """Something that brackets mean nothing in.

    ``most`` is all of it but the closing part, and takes what it can get, so that it never tries the same text twice.
    Its group, if it has one, belongs to the closing part, too. ``is_anywhere``: the closing part may stand anywhere
    after ``most``, else it follows at once.
    """

    first: str
    most: re.Pattern[str]
    closing: str = ""
    is_anywhere: bool = False
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class _Grammar:
    """What is skipped, by its first character and in the order in which it is tried; ``firsts`` finds where to look."""

    skipped: dict[str, tuple[_Skipped, ...]]
    firsts: re.Pattern[str]


def _grammar(*skipped: _Skipped) -> _Grammar:
    by_first = {first: tuple(it for it in skipped if it.first == first) for first in {it.first for it in skipped}}
    firsts = "".join(map(re.escape, sorted({*by_first, *_BRACKETS_AND_QUOTES})))
    return _Grammar(by_first, re.compile(f"[{firsts}]"))


def _run(first: str, most: str) -> _Skipped:
    """Return what ends by itself."""
    return _Skipped(first, re.compile(most, re.DOTALL))


def _between(opening: str, closing: str) -> _Skipped:
    return _Skipped(opening[0], re.compile(re.escape(opening)), closing, is_anywhere=True)


def _quoted(quote: str, *, in_line: bool = True) -> _Skipped:
    plain = f"[^{quote}\\\\\n]*" if in_line else f"[^{quote}\\\\]*"
    return _Skipped(quote, re.compile(f"{quote}{plain}(?:\\\\.{plain})*", re.DOTALL), quote)


_COMMENT, _COMMENTS = _run("/", r"//[^\n]*"), _between("/*", "*/")
_HASHED = _run("#", r"#[^\n]*")
_STRING, _LETTER = _quoted('"'), _quoted("'")
_CHARACTER = _Skipped("'", re.compile(r"'(?:[^'\\\n]|\\[^\n][^\n']*)"), "'")
_REGEX_MOST = re.compile(r"/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\]?)+", re.DOTALL)
_REGEX = _Skipped("/", _REGEX_MOST, "/", is_regex=True)
_RAW = _Skipped("r", re.compile(r'r(#*)"'), '"', is_anywhere=True)

_C = _grammar(_COMMENT, _COMMENTS, _STRING, _CHARACTER)
_SCRIPT = _grammar(_COMMENT, _COMMENTS, _STRING, _LETTER, _quoted("`", in_line=False), _REGEX)
_STYLE = _grammar(_COMMENT, _COMMENTS, _STRING, _LETTER)
_HASH = _grammar(_HASHED, _STRING, _LETTER)
_LONG = (_quoted('"', in_line=False), _quoted("'", in_line=False))
_GRAMMARS = {
    **dict.fromkeys(("c", "cpp", "csharp", "java", "objective-c", "objective-cpp"), _C),
    **dict.fromkeys(("kotlin", "scala", "dart", "swift"), _C),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _SCRIPT),
    **dict.fromkeys(("css", "scss", "less", "jsonc", "json5"), _STYLE),
    "go": _grammar(_COMMENT, _COMMENTS, _STRING, _CHARACTER, _between("`", "`")),
    "rust": _grammar(_COMMENT, _COMMENTS, _RAW, _LONG[0], _CHARACTER),
    "php": _grammar(_COMMENT, _COMMENTS, _run("#", r"#(?!\[)[^\n]*"), *_LONG),
    "ruby": _grammar(_run("#", r"#[^\n{]*"), *_LONG),
    "toml": _grammar(_HASHED, _between('"""', '"""'), _between("'''", "'''"), _STRING, _LETTER),
    "terraform": _HASH,
    "r": _HASH,
    "julia": _grammar(_HASHED, _between('"""', '"""'), _STRING, _CHARACTER),
    "lua": _grammar(_between("--[[", "]]"), _run("-", r"--[^\n]*"), _between("[[", "]]"), _STRING, _LETTER),
    "makefile": _grammar(_HASHED, _run("\\", r"\\."), _STRING, _LETTER),
}  # fmt: skip


def imbalance(text: str, language: str) -> int | None:
    """Return how many brackets and quotes have no partner; None for languages that are not known here."""
    grammar = _GRAMMARS.get(language)
    if grammar is None:
        return None
    stack: list[str] = []
    lonely = 0
    for sign in _signs(text, grammar):
        if sign in '"`':
            lonely += 1
        elif sign in "([{":
            stack.append(sign)
        elif stack and stack[-1] == _PARTNER[sign]:
            stack.pop()
        else:
            lonely += 1
    return lonely + len(stack)


def _signs(text: str, grammar: _Grammar) -> Iterator[str]:
    """Yield the brackets, and the quotes that begin nothing."""
    unclosed: dict[tuple[str, str], int] = {}
    at = 0
    while found := grammar.firsts.search(text, at):
        start, sign = found.start(), found[0]
        at = start + 1
        for skipped in grammar.skipped.get(sign, ()):
            if end := _end(text, start, skipped, unclosed):
                at = end
                break
        else:
            if sign in _BRACKETS_AND_QUOTES:
                yield sign


def _end(text: str, start: int, skipped: _Skipped, unclosed: dict[tuple[str, str], int]) -> int:
    """Return where it ends that begins at ``start``; 0 where nothing does.

    ``unclosed`` says for each kind up to where it is known that what begins there is not closed.
    """
    if start < unclosed.get((skipped.first, skipped.closing), 0):
        return 0
    if skipped.is_regex and not _may_begin_regex(text, start):
        return 0
    most = skipped.most.match(text, start)
    if most is None:
        return 0
    if not skipped.closing:
        return most.end()
    closing = skipped.closing + "".join(most.groups())
    if start < unclosed.get((skipped.first, closing), 0):
        return 0
    end = text.find(closing, most.end()) if skipped.is_anywhere else most.end()
    if end >= 0 and text.startswith(closing, end):
        return end + len(closing)
    unclosed[skipped.first, closing] = len(text) if end < 0 else end
    return 0


def _may_begin_regex(text: str, start: int) -> bool:
    """Whether no value stands before a slash, in its line."""
    before = start - 1
    while before >= 0 and text[before] != "\n" and text[before].isspace():
        before -= 1
    return before >= 0 and text[before] in _BEFORE_REGEX
