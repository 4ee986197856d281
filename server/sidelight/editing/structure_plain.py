"""The index of a text in any language, by headers, brackets and indentation: also of Python that does not parse."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sidelight.editing.definitions import Definition, by_headers, in_containers
from sidelight.editing.docstrings import OpenString
from sidelight.editing.languages import is_markup
from sidelight.editing.python_names import imported
from sidelight.editing.structure_index import Entry, Import, Index

_IMPORT = re.compile(
    r"\s*(?:(?:pub\s+)?(?:import|from|use|using|include|require|require_once|package)\b|#\s*include\b|#import\b|"
    r"(?:const|let|var|local)\s[^=]*=\s*require\b|export\b[^=(]*\bfrom\b)"
)
_VALUE = re.compile(
    r"(?:(?:export|public|pub(?:\([^)]*\))?|static|declare|final|internal)\s+)*"
    r"(?:(?:const|let|var|val|static|type|typedef|define|local|readonly|constexpr)\s+|#\s*define\s+)(?:mut\s+)?"
    r"(?:[\w<>\[\]]+\s+)?(?P<name>[^\W\d][\w$]*)\s*(?:[=:({<]|$|\s\S)"
)
_ASSIGNED = re.compile(r"(?P<name>[^\W\d]\w*)\s*(?::[^=]*)?=(?!=)")
_NAME = r"[^\W\d][\w$]*"
_CHAIN = rf"(?:(?<=[)\]])\.)?{_NAME}(?:(?:\??\.|::|->){_NAME})*"
_STRING = r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'"
_HASH = re.compile(rf"#.*|{_STRING}|(?P<name>{_CHAIN})")
_DASHES = re.compile(rf"--.*|{_STRING}|(?P<name>{_CHAIN})")
_SLASHES = re.compile(rf"//.*|/\*.*?(?:\*/|$)|^\s*\*.*|{_STRING}|(?P<name>{_CHAIN})")
_SEPARATOR = re.compile(r"\?\.|::|->")
_WITH_HASH = {
    *("python", "ruby", "shellscript", "yaml", "toml", "perl", "r", "julia", "elixir", "makefile", "dockerfile"),
    *("powershell", "starlark", "terraform", "coffeescript", "nim", "crystal"),
}
_ASSIGN = {"python", "ruby", "julia", "r", "shellscript", "terraform"}
_WITH_DASHES = {"lua", "sql", "haskell", "ada", "elm", "vhdl"}
_KEYWORDS = {
    *("abstract", "and", "any", "as", "assert", "async", "auto", "await", "begin", "bool"),
    *("boolean", "break", "byte", "case", "catch", "chan", "char", "class", "const", "constexpr"),
    *("continue", "crate", "debugger", "def", "default", "defer", "del", "delete", "do", "done"),
    *("double", "elif", "else", "elsif", "end", "ensure", "enum", "esac", "except", "export"),
    *("extends", "extern", "fallthrough", "false", "False", "fi", "final", "finally", "float", "fn"),
    *("for", "foreach", "from", "func", "function", "global", "go", "goto", "if", "impl"),
    *("implements", "import", "in", "include", "inline", "instanceof", "int", "interface", "internal", "is"),
    *("lambda", "let", "local", "long", "module", "move"),
    *(
        "mut",
        "namespace",
        "new",
        "nil",
        "None",
        "nonlocal",
        "not",
        "null",
    ),
    *("of", "or", "out", "override", "package", "pass", "private", "protected", "pub"),
    *("public", "raise", "readonly", "require", "rescue", "return", "short", "signed"),
    *("sizeof", "static", "str", "struct", "super", "switch", "synchronized", "then"),
    *("throw", "throws", "trait", "true", "True", "try", "type", "typedef", "typename", "typeof"),
    *("undefined", "union", "unless", "unsafe", "unsigned", "until", "use", "using", "val", "var"),
    *("virtual", "void", "volatile", "when", "where", "while", "with", "yield", "i8", "i16"),
    *("i32", "i64", "u8", "u16", "u32", "u64", "usize", "isize", "f32", "f64"),
    *("size_t", "String"),
}
_BUILTINS = {*dir(builtins)}
_ITSELF = {"this", "self", "cls"}
_MOST_LINE = 1000
_MOST_HEAD_LINES = 12
_MOST_IMPORT_LINES = 60


def plain_index(lines: Sequence[str], language: str, first: int = 0, end: int | None = None) -> Index:
    """Return the index of some lines, as if there were no others; what it tells are lines of the whole text."""
    window = [line.rstrip("\r\n") for line in lines[first:end]]
    if is_markup(language):
        return Index((), (), {}, lambda _first, _end: ())
    entries = [entry_of(window, one, language) for one in in_containers(by_headers(window, language))]
    return Index(
        [moved(entry, first) for entry in entries],
        [Import(one.first + first, one.end + first, one.names) for one in _imports(window, language)],
        {name: moved_lines(one, first) for name, one in _values(window, language).items()},
        lambda first, end: plain_uses(lines[first:end], language),
    )


def moved_lines(one: Definition, by: int) -> Definition:
    """Return a definition that stands so many lines further down."""
    return replace(one, first=one.first + by, header=one.header + by, end=one.end + by)


def moved(entry: Entry, by: int) -> Entry:
    """Return an entry that stands so many lines further down."""
    one = moved_lines(entry.definition, by)
    return Entry(one, entry.body + by, entry.doc + by, entry.doc_end + by, entry.values, entry.bases)


def plain_uses(lines: Sequence[str], language: str) -> Iterator[str]:
    """Return the names in lines, in order; strings and comments are left out as far as a line shows them."""
    pattern = _HASH if language in _WITH_HASH else _DASHES if language in _WITH_DASHES else _SLASHES
    left_out = _KEYWORDS | _BUILTINS if language == "python" else _KEYWORDS
    opened = OpenString(language)
    for line in lines:
        was_open = opened.is_open
        opened.feed(line)
        if was_open or len(line) > _MOST_LINE:
            continue
        for found in pattern.finditer(line):
            if name := found["name"]:
                name = _SEPARATOR.sub(".", name)
                if name.partition(".")[0] not in left_out and name not in _ITSELF:
                    yield name


def entry_of(lines: Sequence[str], one: Definition, language: str) -> Entry:
    """Return a definition with its parts: where the brackets of its header close, the body begins."""
    body, depth = one.header, 0
    for body in range(one.header, min(one.end, one.header + _MOST_HEAD_LINES)):
        depth += sum(lines[body].count(sign) for sign in "([") - sum(lines[body].count(sign) for sign in ")]")
        if depth <= 0:
            break
    body += 1
    if body < one.end and lines[body].strip() == "{":
        body += 1
    doc = doc_end = body
    if language == "python" and body < one.end and lines[body].lstrip("rR \t").startswith(('"""', "'''")):
        doc = doc_end = body + 1
        opened = OpenString(language)
        opened.feed(lines[body])
        while opened.is_open and doc_end < one.end:
            opened.feed(lines[doc_end])
            doc_end += 1
    return Entry(one, body, doc, doc_end)


def _imports(lines: Sequence[str], language: str) -> Iterator[Import]:
    at = 0
    while at < len(lines):
        if len(lines[at]) > _MOST_LINE or not _IMPORT.match(lines[at]):
            at += 1
            continue
        first, end = at, _bracket_end(lines, at)
        if language == "python":
            names = _imported("\n".join(lines[first:end]).strip())
        else:
            words = dict.fromkeys(re.findall(_NAME, " ".join(lines[first:end])))
            names = {name: "" for name in words if name not in _KEYWORDS}
        if names:
            yield Import(first, end, names)
        at = end


def _imported(text: str) -> dict[str, str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    only = tree.body[0]
    return imported(only) if isinstance(only, (ast.Import, ast.ImportFrom)) else {}


def _bracket_end(lines: Sequence[str], at: int) -> int:
    """Return the line after the one in which all brackets of a statement are closed; the next line where none is."""
    depth = 0
    for end in range(at, min(len(lines), at + _MOST_IMPORT_LINES)):
        depth += sum(lines[end].count(sign) for sign in "([{") - sum(lines[end].count(sign) for sign in ")]}")
        if depth <= 0:
            return end + 1
    return at + 1


def _values(lines: Sequence[str], language: str) -> dict[str, Definition]:
    values: dict[str, Definition] = {}
    for number in range(len(lines)):
        if one := value_at(lines, number, language):
            values.setdefault(one.name, one)
    return values


def value_at(lines: Sequence[str], number: int, language: str) -> Definition | None:
    """Return what a line names outside of everything, without being a definition with a header; None for nothing."""
    line = lines[number]
    if line[:1].isspace() or len(line) > _MOST_LINE:
        return None
    found = (_ASSIGNED if language in _ASSIGN else _VALUE).match(line)
    return Definition(found["name"], "", "", number, number, _bracket_end(lines, number)) if found else None
