"""What models, editors and file names call a language, and which languages stand for one another in answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol, TypeVar

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
_MARKUP = {*_HOLD_FENCES, "plaintext", "restructuredtext", "asciidoc", "org"}


def language_of(tag: str) -> str:
    """Return LSP's word for a language, from a fence's info string, an editor's language id or a file's suffix."""
    name = _TAG.match(tag.lower())["name"]  # type: ignore[index]
    return _ALIASES.get(name, name)


def kin_of(language: str) -> set[str]:
    """Return the languages whose code may stand in a document of this one, in LSP's words, itself among them."""
    wanted = language_of(language)
    return {wanted}.union(*(family for family in _KIN if wanted in family))


class _Tagged(Protocol):
    @property
    def language(self) -> str: ...


_Block = TypeVar("_Block", bound=_Tagged)


def blocks_in(language: str, blocks: Iterable[_Block]) -> list[_Block]:
    """Return the blocks that may be code of a document in ``language``: else its kin, else those without a tag.

    A document whose language is not known may hold any.
    """
    tagged = [(language_of(block.language), block) for block in blocks]
    wanted = language_of(language)
    for fitting in ({wanted}, kin_of(wanted), {""}):
        if found := [block for tag, block in tagged if tag in fitting]:
            return found
    return [block for _, block in tagged] if not wanted else []


def is_markup(language: str) -> bool:
    """Whether this is text for people, in which code is an example."""
    return language_of(language) in _MARKUP


def may_hold_fences(language: str) -> bool:
    """Whether a fence in the code of this language is nothing unusual."""
    return language_of(language) in _HOLD_FENCES
