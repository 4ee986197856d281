"""How a file documents its code: seen by simple rules, and told to the model, so that what it writes fits in.

Also where the documentation of a definition stands in a language, since comments above it belong to it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sidelight.editing.languages import language_of
from sidelight.editing.text import Place, Range

_SECTION = r"(?:Args|Arguments|Parameters|Returns?|Yields?|Raises|Attributes|Examples?|Notes?)"
_GOOGLE = re.compile(rf"^\s+{_SECTION}:\s*$")
_RULE = re.compile(r"^\s*-{3,}\s*$")
_NUMPY = re.compile(rf"^\s*{_SECTION}\s*$")
_REST = re.compile(r"^\s*:(?:param|type|returns?|rtype|raises?|arg|keyword|var|ivar|cvar)\b[^:]*:")
_EPYTEXT = re.compile(r"^\s*@(?:param|type|return|rtype|raise)\b[^:]*:")
_DOUBLE, _SINGLE = re.compile(r'^\s*[rRuU]?"""'), re.compile(r"^\s*[rRuU]?'''")
_TAG = re.compile(r"^\s*\*?\s*@(?:param|returns?|throws|type|template)\b")
_TYPED = re.compile(r"@(?:param|returns?)\s*\{")
_LINE = re.compile(r"^\s*///")

_PYTHON = {
    "google": "Google style (sections such as `Args:` and `Returns:`)",
    "numpy": "NumPy style (sections underlined with dashes)",
    "rest": "reStructuredText style (`:param name:`, `:returns:`)",
    "epytext": "Epytext style (`@param name:`)",
    "plain": "plain sentences without sections, as in the file's other docstrings",
}
_USUAL = {
    "go": "a Go doc comment: `//` lines right above the declaration, the first of them beginning with its name",
    "rust": "rustdoc: `///` lines right above the item, in Markdown",
    "java": "Javadoc: a `/** … */` comment right above the declaration, with `@param`, `@return` and `@throws`",
    "kotlin": "KDoc: a `/** … */` comment right above the declaration",
    "scala": "Scaladoc: a `/** … */` comment right above the declaration",
    "php": "PHPDoc: a `/** … */` comment right above the declaration",
    "javascript": "JSDoc: a `/** … */` comment right above the declaration, with types in `@param` and `@returns`",
    "typescript": "TSDoc: a `/** … */` comment right above the declaration; types stay in the code, not in the comment",
    "csharp": "XML documentation comments: `/// <summary>` lines right above the declaration",
    "swift": "Swift documentation comments: `///` lines right above the declaration",
    "dart": "Dart documentation comments: `///` lines right above the declaration",
    "c": "Doxygen: a `/** … */` comment right above the declaration, with `@param` and `@return`",
    "cpp": "Doxygen: a `/** … */` comment right above the declaration, with `@param` and `@return`",
    "ruby": "YARD: `#` lines right above the definition",
    "elixir": "`@doc` and `@moduledoc` attributes right above the definition",
    "julia": "a docstring in triple quotes right above the definition",
    "r": "roxygen2: `#'` lines right above the function",
    "lua": "LDoc: `---` lines right above the function",
    "shellscript": "`#` lines right above the function",
}
_KIN = {"javascriptreact": "javascript", "typescriptreact": "typescript"}


def doc_style(lines: Sequence[str], language: str) -> str:
    """Return, for the model, how code is documented in this file: as most of its comments are, else as is usual."""
    language = language_of(language)
    language = _KIN.get(language, language)
    if language == "python":
        return _python_style(lines)
    if language in ("javascript", "c", "cpp"):
        return _tagged_style(lines, language)
    return _USUAL.get(language, "documentation comments as is usual in this language, as those that the file has")


def _python_style(lines: Sequence[str]) -> str:
    found: Counter[str] = Counter()
    for number, line in enumerate(lines):
        found["google"] += bool(_GOOGLE.match(line))
        found["numpy"] += bool(_RULE.match(line) and number and _NUMPY.match(lines[number - 1]))
        found["rest"] += bool(_REST.match(line))
        found["epytext"] += bool(_EPYTEXT.match(line))
    doubles, singles = (sum(bool(quote.match(line)) for line in lines) for quote in (_DOUBLE, _SINGLE))
    quotes = "'''" if singles > doubles else '"""'
    style, count = found.most_common(1)[0] if found else ("", 0)
    if not count and not doubles + singles:
        first = f"docstrings in {quotes}, with a full sentence in the first line"
        return f"{first}; where there is more to say, {_PYTHON['google']}"
    return f"docstrings in {quotes}, in {_PYTHON[style if count else 'plain']}"


def _tagged_style(lines: Sequence[str], language: str) -> str:
    slashes = sum(bool(_LINE.match(line)) for line in lines)
    if language != "javascript":
        stars = sum(line.lstrip().startswith("/**") for line in lines)
        return "Doxygen: `///` lines right above the declaration" if slashes > stars else _USUAL[language]
    tags = [line for line in lines if _TAG.match(line)]
    if tags and not any(map(_TYPED.search, tags)):
        return "JSDoc: a `/** … */` comment right above the declaration, without types, as in the file's other comments"
    return _USUAL[language]


_ABOVE = re.compile(r"\s*(?://|/\*|\*|#(?!\s*(?:include|define|if|else|endif|pragma)\b)|--)")
_ATTRIBUTE = re.compile(r"\s*(?:#!?\[.*\]|@\w[\w.]*(?:\(.*\))?|\[\w.*\])\s*$")


def with_comments_above(lines: Sequence[str], target: Range, language: str) -> Range:
    """Return a target with the comments and attributes right above it, which document it.

    Python has its documentation inside.
    """
    first = target.start.line
    while language_of(language) != "python" and first > 0 and _is_lead(lines[first - 1]):
        first -= 1
    return Range(min(Place(first, 0), target.start), target.end)


def _is_lead(line: str) -> bool:
    return bool(_ABOVE.match(line) or _ATTRIBUTE.match(line))
