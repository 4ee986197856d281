"""Is this edit safe to apply? Judged on the whole code, once the answer has ended.

``left_out.py`` judges line by line while it arrives. Everything here is pure; a large document takes tens of
milliseconds, so call it off the event loop.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Sequence
from typing import Literal

Doubt = Literal["shrunk", "syntax", "unrelated", "code"]

# Fewer old lines than this may become anything: a two-line rewrite of a three-line function is no loss.
_LINES_TO_JUDGE = 4
_TELLING_CHARACTERS = 6

_ASKED_TO_SHRINK = re.compile(
    r"\b(?:remov|delet|drop|simplif|short|clean|dedup|duplicat|unused|unreachable|dead|redundan|inline|compact|condens|"
    r"strip|trim|reduc|extract|replac|collaps|minif|refactor|concise|eliminat|get rid|only keep|keep only)",
    re.IGNORECASE,
)
_ASKED_TO_SHRINK_ZH = re.compile(
    r"删|刪|移除|去掉|去除|精简|精簡|简化|簡化|缩短|縮短|清理|未使用|重复|重複|冗余|提取|重构|替换|合并"
)


def is_shrunk(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether more than half of the lines that are not blank would be lost."""
    before, after = (sum(not line.isspace() and line != "" for line in lines) for lines in (old, new))
    return before >= _LINES_TO_JUDGE and 2 * after < before


def asks_to_shrink(asked: str) -> bool:
    """Whether the words ask for something that makes code shorter."""
    return bool(_ASKED_TO_SHRINK.search(asked) or _ASKED_TO_SHRINK_ZH.search(asked))


def is_unrelated(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether the new lines have next to nothing to do with the old: the answer to another question."""
    if sum(bool(line.strip()) for line in old) < _LINES_TO_JUDGE:
        return False
    before, after = _words(old), _words(new)
    return bool(before) and len(before & after) < 0.1 * len(before)


def repeats_below(old: Sequence[str], new: Sequence[str], below: Sequence[str]) -> bool:
    """Whether the new lines end with what stands below the old ones, which would stand there twice."""
    following = [line.strip() for line in below if line.strip()][:2]
    before, after = ([line.strip() for line in lines if line.strip()] for lines in (old, new))
    if len(following) < 2 or not all(_is_telling(line) for line in following):
        return False
    return _holds(after, following) and not _holds(before, following)


def _is_telling(line: str) -> bool:
    return sum(character.isalnum() for character in line) >= _TELLING_CHARACTERS


def _holds(lines: Sequence[str], pair: Sequence[str]) -> bool:
    return any(list(lines[n : n + len(pair)]) == list(pair) for n in range(len(lines) - len(pair) + 1))


_WORD = re.compile(r"[^\W\d]\w{2,}")
# Words of the languages themselves.
_COMMON = frozenset({
    "and", "assert", "async", "await", "bool", "break", "case", "catch", "char", "class", "const", "continue",
    "def", "default", "elif", "else", "end", "enum", "except", "false", "finally", "float", "for", "foreach",
    "from", "func", "function", "global", "if", "import", "int", "in", "interface", "is", "lambda", "let", "new",
    "nil", "none", "not", "null", "or", "package", "pass", "private", "public", "raise", "return", "self", "static",
    "str", "string", "struct", "super", "switch", "the", "this", "throw", "true", "try", "type", "undefined",
    "union", "until", "using", "var", "void", "while", "with", "yield", "print", "main",
})  # fmt: skip


def _words(lines: Sequence[str]) -> set[str]:
    return {word.lower() for line in lines for word in _WORD.findall(line)} - _COMMON


# Syntax


def is_syntax_worse(before: str, after: str, language: str) -> bool:
    """Whether ``after`` is broken in a way that ``before`` is not."""
    if language == "python":
        return _python_fault(before) is None and _python_fault(after) is not None
    if language == "json":
        return _is_json(before) and not _is_json(after)
    grammar = _GRAMMARS.get(language)
    return grammar is not None and _imbalance(after, grammar) > _imbalance(before, grammar)


def _python_fault(text: str) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the user's escapes, say, which are nobody's business here
            # Compiled, never run: the parser alone takes a `return` outside of a function.
            compile(text.removeprefix("\ufeff"), "<edit>", "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):  # NUL in it, or too deep to know
        return None
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return False
    return True


_OPENING = {")": "(", "]": "[", "}": "{"}
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_LETTER = r"'(?:[^'\\\n]|\\.)*'"
_SLASHES = r"//[^\n]*|/\*.*?\*/"
# A slash begins a regular expression where no value can stand before it.
_REGEX = r"(?<=[(,=:\[!&|?{};+\-*%~^<>\n])\s*/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/"


def _grammar(*skipped: str) -> re.Pattern[str]:
    """Return an expression that finds brackets, and skips what brackets mean nothing in."""
    return re.compile(f'(?:{"|".join(skipped)})|(?P<bracket>[()\\[\\]{{}}])|(?P<quote>["`])', re.DOTALL)


_C = _grammar(_SLASHES, _STRING, r"'(?:[^'\\\n]|\\[^\n]+?)'")
_SCRIPT = _grammar(_SLASHES, _STRING, _LETTER, r"`(?:[^`\\]|\\.)*`", _REGEX)
_HASH = _grammar(r"#[^\n]*", _STRING, _LETTER)
_GRAMMARS = {
    **dict.fromkeys(("c", "cpp", "csharp", "java", "objective-c", "objective-cpp"), _C),
    **dict.fromkeys(("kotlin", "scala", "dart", "swift"), _C),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _SCRIPT),
    **dict.fromkeys(("css", "scss", "less"), _grammar(_SLASHES, _STRING, _LETTER)),
    **dict.fromkeys(("jsonc", "json5"), _grammar(_SLASHES, _STRING, _LETTER)),
    "go": _grammar(_SLASHES, _STRING, r"'(?:[^'\\\n]|\\[^\n]+?)'", r"`[^`]*`"),
    "rust": _grammar(_SLASHES, r'r(#*)".*?"\1', r'"(?:[^"\\]|\\.)*"', r"'(?:[^'\\\n]|\\[^\n]+?)'"),
    "php": _grammar(_SLASHES, r"#(?!\[)[^\n]*", r'"(?:[^"\\]|\\.)*"', r"'(?:[^'\\]|\\.)*'"),
    "ruby": _grammar(r"#[^\n{]*", r'"(?:[^"\\]|\\.)*"', r"'(?:[^'\\]|\\.)*'"),
    "toml": _grammar(r"#[^\n]*", r'""".*?"""', r"'''.*?'''", _STRING, _LETTER),
    "terraform": _HASH,
    "r": _HASH,
    "julia": _grammar(r"#[^\n]*", r'""".*?"""', _STRING, r"'(?:[^'\\\n]|\\[^\n]+?)'"),
    "lua": _grammar(r"--\[\[.*?\]\]", r"--[^\n]*", r"\[\[.*?\]\]", _STRING, _LETTER),
    "makefile": _grammar(r"#[^\n]*", r"\\.", _STRING, _LETTER),
}


def _imbalance(text: str, grammar: re.Pattern[str]) -> int:
    """Return how many brackets and quotes have no partner."""
    stack: list[str] = []
    lonely = 0
    for found in grammar.finditer(text):
        if found["quote"]:
            lonely += 1
        elif (bracket := found["bracket"]) is None:
            continue
        elif bracket in "([{":
            stack.append(bracket)
        elif stack and stack[-1] == _OPENING[bracket]:
            stack.pop()
        else:
            lonely += 1
    return lonely + len(stack)
