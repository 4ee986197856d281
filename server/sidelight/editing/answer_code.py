"""The code in a model's answer: found between its fences, and made to fit the document (``line_diff`` compares it).

A model's relative indentation is content and is kept; the whole block moves to the indentation of what it replaces.
Line ends, the final newline and a byte order mark are the document's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from sidelight.editing.text import split_lines, without_line_end

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\r\n]*?)[ \t]*$")
_INDENT = re.compile(r"[ \t]*")
_BOM = "\ufeff"

# Pandoc writes {.python}, some models python:path or python,ignore.
_TAG = re.compile(r"[{.]*(?P<name>[^\s:,{}]*)")
# What models, editors and file names call a language, and LSP's word for it.
_ALIASES = {
    alias: language
    for language, aliases in {
        "bat": "batch cmd dosbatch",
        "c": "h",
        "clojure": "clj cljs",
        "cpp": "c++ cc cxx hpp hh hxx",
        "csharp": "cs c#",
        "dockerfile": "docker",
        "elixir": "ex exs",
        "fsharp": "fs f#",
        "go": "golang",
        "haskell": "hs",
        "html": "htm",
        "javascript": "js mjs cjs node",
        "javascriptreact": "jsx",
        "julia": "jl",
        "kotlin": "kt kts",
        "latex": "tex",
        "lisp": "elisp emacs-lisp el commonlisp",
        "makefile": "make mk",
        "markdown": "md",
        "objective-c": "objc objectivec",
        "perl": "pl pm",
        "plaintext": "text txt",
        "powershell": "ps1 pwsh",
        "python": "py py3 python3 pyi",
        "ruby": "rb",
        "rust": "rs",
        "shellscript": "sh bash zsh shell ksh",
        "terraform": "tf hcl",
        "typescript": "ts mts cts",
        "typescriptreact": "tsx",
        "yaml": "yml",
    }.items()
    for alias in aliases.split()
}
# Languages that stand for one another in answers: code for a .tsx file often comes as ts.
_KIN = (
    {"typescript", "typescriptreact", "javascript", "javascriptreact"},
    {"c", "cpp", "objective-c", "objective-cpp", "cuda-cpp"},
    {"json", "jsonc", "json5"},
    {"css", "scss", "less"},
    {"html", "vue", "svelte"},
    {"ini", "properties", "dotenv"},
)
_HOLD_FENCES = {"markdown", "mdx", "quarto", "rmd"}

# A line that stands for code left out. Those with an ellipsis first need one word of the first expression; others
# must be made of the known words alone, since "# Sort the remaining items" is an ordinary comment.
_ELLIPSIS = re.compile(r"(?:\.{3,}|…+)")
_COMMENT = re.compile(r"(?:\{?/\*+|//+|#+|<!--+|--+|;+|%+)\s*")
_COMMENT_END = re.compile(r"\s*(?:\*/\}?|--+>)$")
_SPREAD = re.compile(r"\.{3}[\w.$]+(?: as [\w.]+)?[,;]?$")
_LEFT_OUT = re.compile(
    r"\b(?:existing|rest|unchanged|same|remain(?:s|ing|der)?|omitted|previous|other|original|as before|untouched)\b"
    r"|其余|其餘|其他|其它|剩余|剩下|余下|不变|不變|省略|现有|已有|原有|原来|同上|相同|一致|原样|未改|未变|之前",
    re.IGNORECASE,
)
_PART = r"(?:code|file|function|class|method|module|implementation|logic|body|script|component|content)s?"
_STATE = (
    r"(?: (?:is|are|was|remains?|stays?|kept))?(?: exactly)?(?: the)? "
    r"(?:unchanged|untouched|unmodified|omitted|same|as (?:it )?(?:is|was|before)|here|goes here)"
    r"(?: as (?:before|above))?(?: for brevity)?"
)
_PHRASE = re.compile(
    rf"(?:keep |leave )?(?:the |your |all |all the )?(?:"
    rf"(?:rest|remainder) of (?:the |your |this )?{_PART}(?:{_STATE})?"
    rf"|(?:existing|remaining) (?:code|implementation|logic|imports|methods|functions)(?:{_STATE})?"
    rf"|(?:(?:rest|remainder|everything else|code)|(?:other|previous|original|remaining|existing) \w+){_STATE}"
    rf"|unchanged|omitted|unmodified|same as before|no changes?(?: here)?|(?:code )?omitted for brevity)"
)
_PHRASE_ZH = re.compile(
    r"(?:此处|这里)?(?:其余|其餘|其他|其它|剩余|剩下|余下|现有|已有|原有|原来|之前)的?"
    r"(?:代码|程式碼|部分|内容|函数|方法|逻辑|实现)(?:都|均|也)?"
    r"(?:(?:保持|维持)?(?:不变|不變|原样)|已?省略|略|未(?:改动|修改|变)|(?:与|和|同)(?:之前|原来)(?:相同|一致|一样)|同上)?"
    r"|(?:此处|这里)?(?:代码|程式碼|其余|其餘|其他|其它)?(?:保持不变|保持不變|不变|不變|已省略|省略|未改动|未修改)"
)


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One fenced block: its info string's first word, its text, and the lines of the answer it fills.

    ``first_line`` is the line after the opening fence, ``end_line`` that of the closing one (or of the answer's end,
    when ``is_closed`` is false).
    """

    language: str
    text: str
    first_line: int
    end_line: int
    is_closed: bool


def code_blocks(answer: str) -> Iterator[CodeBlock]:
    """Yield the fenced blocks of an answer in order, an unclosed last one too.

    Inside a block, a fence with an info string opens a nested one, as in a Markdown document that is being edited.
    """
    lines = split_lines(answer)
    opening: re.Match[str] | None = None
    first = depth = 0
    for number, line in enumerate(lines):
        fence = _FENCE.match(without_line_end(line))
        if fence is None:
            continue
        if opening is None:
            opening, first, depth = fence, number + 1, 0
        elif not _may_close(fence, opening):
            depth += _is_same_kind(fence, opening) and bool(fence["info"])
        elif depth:
            depth -= 1
        else:
            yield _block(opening, lines, first, number, is_closed=True)
            opening = None
    if opening is not None:
        yield _block(opening, lines, first, len(lines), is_closed=False)


def _is_same_kind(fence: re.Match[str], opening: re.Match[str]) -> bool:
    return fence["fence"][0] == opening["fence"][0] and len(fence["fence"]) >= len(opening["fence"])


def _may_close(fence: re.Match[str], opening: re.Match[str]) -> bool:
    return _is_same_kind(fence, opening) and not fence["info"]


def _block(opening: re.Match[str], lines: list[str], first: int, end: int, *, is_closed: bool) -> CodeBlock:
    language = opening["info"].partition(" ")[0].lower()
    return CodeBlock(language, "".join(lines[first:end]), first, end, is_closed)


def language_of(tag: str) -> str:
    """Return LSP's word for a language, from a fence's info string, an editor's language id or a file's suffix."""
    name = _TAG.match(tag.lower())["name"]  # type: ignore[index]
    return _ALIASES.get(name, name)


def blocks_in(language: str, blocks: Iterable[CodeBlock]) -> list[CodeBlock]:
    """Return the blocks that may be code of a document in ``language``: else its kin, else those without a tag.

    A document whose language is not known may hold any.
    """
    tagged = [(language_of(block.language), block) for block in blocks]
    wanted = language_of(language)
    kin: set[str] = set().union(*(family for family in _KIN if wanted in family))
    for fitting in ({wanted}, kin, {""}):
        if found := [block for tag, block in tagged if tag in fitting]:
            return found
    return [block for _, block in tagged] if not wanted else []


def may_hold_fences(language: str) -> bool:
    """Whether a fence in the code of this language is nothing unusual."""
    return language_of(language) in _HOLD_FENCES


def left_out(code: str, replaced: str) -> str | None:
    """Return the first line of ``code`` that stands for code left out, such as ``# ... rest unchanged``.

    A line that stands in ``replaced`` is the user's own.
    """
    own = {line.strip() for line in split_lines(replaced)}
    lines = (line.strip() for line in split_lines(code))
    return next((line for line in lines if line and line not in own and _stands_for_code(line)), None)


def _stands_for_code(line: str) -> bool:
    comment = _COMMENT.match(line)
    said = _COMMENT_END.sub("", line[comment.end() :] if comment else line).strip("()[]<>（）【】 \t")
    if _ELLIPSIS.match(said) and (comment or not _SPREAD.match(line)):
        return _LEFT_OUT.search(said) is not None
    phrase = _ELLIPSIS.sub("", said).strip(" \t.,:;!。，：").lower()
    return comment is not None and any(known.fullmatch(phrase) for known in (_PHRASE, _PHRASE_ZH))


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
