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

from sidelight.editing.balance import imbalance

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
    lonely_before, lonely_after = imbalance(before, language), imbalance(after, language)
    return lonely_before is not None and lonely_after is not None and lonely_after > lonely_before


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
