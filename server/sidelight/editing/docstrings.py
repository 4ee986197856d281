"""Strings of several lines, followed line by line: what looks like a fence inside one is its content."""

from __future__ import annotations

import re

from sidelight.editing.languages import language_of

# Strings of one line and comments are skipped; either may be open at the line's end, so that no line costs more than
# its length. Only Python's and TOML's single quotes are strings: elsewhere they are characters, symbols or transposes.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"?'
_SINGLE = r"'[^'\\]*(?:\\.[^'\\]*)*'?"
_HASH = re.compile(rf"(?P<open>\"\"\"|''')|#.*|{_STRING}|{_SINGLE}")
_HASH_DOUBLE = re.compile(rf'(?P<open>""")|#.*|{_STRING}')
_SLASHES = re.compile(rf'(?P<open>"""|/\*)|//.*|{_STRING}')
_BOTH_SLASHES = re.compile(rf"(?P<open>\"\"\"|'''|/\*)|//.*|{_STRING}|{_SINGLE}")
_LANGUAGES = {
    **dict.fromkeys(("python", "toml", "starlark"), _HASH),
    **dict.fromkeys(("julia", "elixir"), _HASH_DOUBLE),
    **dict.fromkeys(("java", "kotlin", "scala", "swift", "csharp"), _SLASHES),
    **dict.fromkeys(("groovy", "dart"), _BOTH_SLASHES),
}
# Strings whose lines are text to the last blank: their indentation is none of the code's.
_RAW = re.compile(rf"(?P<open>`)|//.*|/\*.*?\*/|{_STRING}|'[^'\\]*(?:\\.[^'\\]*)*'")
_RAW_LANGUAGES = dict.fromkeys(("go", "javascript", "javascriptreact", "typescript", "typescriptreact"), _RAW)
_RAW_OF_GO = re.compile(r"(?P<close>`)")
_CLOSINGS = {
    "`": re.compile(r"\\.|(?P<close>`)"),
    '"""': re.compile(r'\\.|(?P<close>""")'),
    "'''": re.compile(r"\\.|(?P<close>''')"),
    "/*": re.compile(r"(?P<close>\*/)"),
}


class OpenString:
    """Whether a string (or block comment) of several lines is open after the lines fed so far.

    With ``is_raw`` only such whose lines have no indentation of their own: between backticks.
    """

    def __init__(self, language: str, *, is_raw: bool = False) -> None:
        self._tokens = (_RAW_LANGUAGES if is_raw else _LANGUAGES).get(language_of(language))
        self._has_escapes = language_of(language) != "go"
        self._closing: re.Pattern[str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the next line begins inside a string."""
        return self._closing is not None

    def feed(self, line: str) -> None:
        """Take the next line, without its line end."""
        place: int | None = 0
        while self._tokens is not None and place is not None:
            place = self._open(line, place) if self._closing is None else self._close(line, place)

    def would_be_open(self, line: str) -> bool:
        """Whether the next line would begin inside a string, were this the line before it."""
        closing = self._closing
        self.feed(line)
        is_open, self._closing = self.is_open, closing
        return is_open

    def _open(self, line: str, place: int) -> int | None:
        assert self._tokens is not None
        for token in self._tokens.finditer(line, place):
            if opening := token["open"]:
                self._closing = _CLOSINGS[opening] if self._has_escapes else _RAW_OF_GO
                return token.end()
        return None

    def _close(self, line: str, place: int) -> int | None:
        assert self._closing is not None
        for token in self._closing.finditer(line, place):
            if token["close"]:
                self._closing = None
                return token.end()
        return None
