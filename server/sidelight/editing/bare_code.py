"""Code that came without a fence: whether the text is code at all, and where the prose around it ends.

Judged on the whole text, when it is complete; in doubt it is prose.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Sequence

from sidelight.editing.fitting import Target
from sidelight.editing.languages import language_of

# Prose documents, where nothing but the old lines tells the document's text from talk about it.
_PROSE = {"markdown", "plaintext", "mdx", "quarto", "rmd", "latex", "restructuredtext", "asciidoc", "org", "typst", ""}
_KEYWORD = (
    r"(?:def|class|return|import|from|if|else|elif|for|while|try|with|fn|func|function|let|const|var|pub|use|struct"
    r"|enum|package|public|private|protected|static|void|int|end|begin|select|insert|update|local|module|require"
    r"|async|await|raise|throw|new|export|type|interface|impl|match|case|switch|break|continue|pass"
    r"|SELECT|FROM|WHERE|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|JOIN|GROUP|ORDER|SET|VALUES|BEGIN|END)\b"
)
_SENTENCE = re.compile(
    rf"(?!{_KEYWORD})(?:"
    r"(?:\w[\w'’,\-]*,? +){2,}.*[.:!?]$"
    r"|[A-Z][\w'’]*(?: [\w'’]+)+:$"
    r"|(?:[A-Za-z][A-Za-z'’]*,? ){4,}[^=;{}]*$"
    r"|[^\x00-\x7f].*[。：！？]$)"
)
_BULLET = re.compile(r"(?:[-*+]|\d+[.)]) +(?:\S+ +){2,}")
_CODE = re.compile(
    rf"{_KEYWORD}|[#@/<$.}}\])]|[\w.]+\("
    r"|[\w.\[\]\"'*&$@ :<>,]{1,60}(?:=|:=|\+=|-=|<-)(?!=)"
    r"|.*[;{}:)\],\\]$"  # how lines of code end
)
# Larger code need not be parsed to be told from a sentence, nor a longer line be read to its end.
_PARSED_CHARACTERS = 20_000
_JUDGED_CHARACTERS = 1_000


def bare_code(lines: Sequence[str], target: Target, language: str) -> list[str]:
    """Return the lines of the text that are code, without the prose around them; none where it is all prose."""
    kept = _without_prose(lines, target, is_prose=language_of(language) in _PROSE)
    significant = [line.strip() for line in kept if _is_significant(line)]
    if not significant:
        return []
    if _shares(significant, target) or _looks_like_code(kept, language_of(language)):
        return kept
    return []


def _shares(significant: Sequence[str], target: Target) -> bool:
    """Whether the text has the old text's first or last line, or half of its own lines from there."""
    old = [line.strip() for line in target.lines if _is_significant(line)]
    if not old:
        return False
    shared = sum(line in target.stripped for line in significant)
    return significant[0] == old[0] or significant[-1] == old[-1] or 2 * shared >= len(significant)


def _is_significant(line: str) -> bool:
    """Whether a line says something: a lone bracket does not."""
    return any(character.isalnum() for character in line)


def _without_prose(lines: Sequence[str], target: Target, *, is_prose: bool) -> list[str]:
    kept = _trimmed(lines)
    if is_prose:
        if kept and kept[0].rstrip().endswith((":", "：")) and kept[0].strip() not in target.stripped:
            kept = _trimmed(kept[1:])
        return kept
    kept = _without_leading(kept, target)
    return _without_leading(kept[::-1], target)[::-1]


def _trimmed(lines: Sequence[str]) -> list[str]:
    first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    last = next((n for n in range(len(lines), first, -1) if lines[n - 1].strip()), first)
    return list(lines[first:last])


def _without_leading(lines: list[str], target: Target) -> list[str]:
    """Drop the paragraphs of prose at the beginning, and the sentences that stand directly before the code."""
    at = 0
    while at < len(lines):
        end = next((n for n in range(at, len(lines)) if not lines[n].strip()), len(lines))
        if not all(_is_talk(line, target) for line in lines[at:end]):
            break
        at = next((n for n in range(end, len(lines)) if lines[n].strip()), len(lines))
    while at < len(lines) and is_sentence(lines[at]) and _is_talk(lines[at], target):
        at += 1
    return _trimmed(lines[at:])


def _is_talk(line: str, target: Target) -> bool:
    """Whether an old line this is not, nor a line of code; wrapped sentences need not end at the line's end."""
    if line.strip() in target.stripped:
        return False
    if is_sentence(line) or _BULLET.match(line[:_JUDGED_CHARACTERS]):
        return True
    return not _is_code(line)


def is_sentence(line: str) -> bool:
    """Whether the line is prose rather than code."""
    return len(line) <= _JUDGED_CHARACTERS and _SENTENCE.match(line) is not None


def _is_code(line: str) -> bool:
    return line[:1].isspace() or _CODE.match(line[:_JUDGED_CHARACTERS]) is not None


def _looks_like_code(lines: Sequence[str], language: str) -> bool:
    if language in _PROSE:
        return False
    text = textwrap.dedent("\n".join(lines))
    if language == "python" and len(text) < _PARSED_CHARACTERS and (tree := _parsed(text)) is not None:
        return not all(_is_word(statement) for statement in tree.body)
    filled = [line for line in lines if line.strip()]
    code = sum(_is_code(line) and not is_sentence(line) for line in filled)
    return 2 * code > len(filled)


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_word(statement: ast.stmt) -> bool:
    """Whether a statement is what a few words of prose parse as: ``Done``, ``this is fine``, ``Note: this``."""
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None and isinstance(statement.annotation, ast.Name)
    words = (ast.Name, ast.Constant, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Tuple, ast.Attribute, ast.BinOp)
    return isinstance(statement, ast.Expr) and isinstance(statement.value, words)
