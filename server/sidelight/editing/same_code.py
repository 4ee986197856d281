"""Is this still the same code? For edits that may only touch documentation: docstrings, comments and blank lines.

Pure; a large document takes tens of milliseconds, so call it off the event loop.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections import Counter

from sidelight.editing.languages import language_of

_DOUBLE, _LETTER, _TEMPLATE = r'"(?:[^"\\\n]|\\.)*"', r"'(?:[^'\\\n]|\\[^\n]+?)'", r"`(?:[^`\\]|\\.)*`"
_SINGLE = r"'(?:[^'\\\n]|\\.)*'"
_SLASHES, _HASH = r"//[^\n]*|/\*.*?\*/", r"#[^\n]*"
# A comment that is never closed is none, as in a regular expression; it is looked for once.
_UNCLOSED = r"/\*.*"
_TRIPLE = r'"""(?:[^\\]|\\.)*?"""' + "|" + r"'''(?:[^\\]|\\.)*?'''"


def _tokens(comments: str, *strings: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<comment>{comments})|(?P<string>{'|'.join(strings)})|(?P<blank>\s+)", re.DOTALL)


_C = _tokens(_SLASHES, _DOUBLE, _LETTER, _UNCLOSED)
_SCRIPT = _tokens(_SLASHES, _DOUBLE, _SINGLE, _TEMPLATE, _UNCLOSED)
_LANGUAGES = {
    **dict.fromkeys(("c", "cpp", "csharp", "java", "kotlin", "scala", "swift", "objective-c"), _C),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact", "dart"), _SCRIPT),
    "go": _tokens(_SLASHES, _DOUBLE, _LETTER, r"`[^`]*`", _UNCLOSED),
    "rust": _tokens(_SLASHES, r'r#*".*?"#*', r'"(?:[^"\\]|\\.)*"', _LETTER, _UNCLOSED),
    "php": _tokens(rf"{_SLASHES}|#(?!\[)[^\n]*", _DOUBLE, _SINGLE, _UNCLOSED),
    "ruby": _tokens(r"#(?!\{)[^\n]*", _DOUBLE, _SINGLE),
    # Only where it does not parse: docstrings are told by their quotes alone then.
    "python": _tokens(f"{_TRIPLE}|{_HASH}", _DOUBLE, _SINGLE),
}


def changes_code(before: str, after: str, language: str) -> bool:
    """Whether more than documentation differs; false for languages that nobody here can read.

    In Python, comments that are gone count as well: what they say is not in the docstrings.
    """
    language = language_of(language)
    if language == "python" and (old := _parsed(before)) is not None:
        return old != _parsed(after) or bool(_comments(before) - _comments(after))
    tokens = _LANGUAGES.get(language)
    return tokens is not None and _without_comments(before, tokens) != _without_comments(after, tokens)


def _without_comments(text: str, tokens: re.Pattern[str]) -> str:
    return tokens.sub(lambda found: found["string"] or "", text)


def _parsed(text: str) -> str | None:
    """Return the program without its docstrings; None where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the user's escapes, say, which are nobody's business here
            tree = ast.parse(text.removeprefix("\ufeff"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                node.body = _without_docstring(node.body)
        return ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a body without its docstring, and without what only stands for an empty one."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        body = body[1:]
    if len(body) == 1 and _is_empty(body[0]):
        return []
    return body


def _is_empty(statement: ast.stmt) -> bool:
    is_dots = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (is_dots and getattr(statement, "value").value is Ellipsis)  # noqa: B009


def _comments(text: str) -> Counter[str]:
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text.removeprefix("\ufeff")).readline)
        return Counter(token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT)
    except (tokenize.TokenError, SyntaxError):
        return Counter()
