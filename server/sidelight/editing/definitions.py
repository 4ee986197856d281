"""What a text defines, and where: functions, methods, classes, each with what it stands in.

Python is parsed where it can be; else headers and indentation tell. A header that is not surely one is not taken: who
reads this must not lose what has no definition here.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import dedent

from sidelight.editing.blocks import DEFINITION, block_end, with_decorators
from sidelight.editing.languages import is_markup

_NAME = re.compile(r"\s*(?:\([^)]*\)\s*)?(?P<name>[^\W\d][\w$]*)")  # in Go, after the receiver
_NAMED = re.compile(
    r"\s*(?:export\s+)?(?:const|let|var)\s+(?P<name>[^\W\d][\w$]*)\s*=\s*(?:async\s*)?(?:function\b|\(|\w+\s*=>)"
)
_TYPE = re.compile(r"\s*type\s+(?P<name>[^\W\d]\w*)[^=(]*\b(?:struct|interface)\s*\{")
_IMPL = re.compile(r"\s*(?:unsafe\s+)?impl\b\s*(?P<name>[^{]+?)\s*(?:\{.*)?$")
_CONTAINERS = {
    *("class", "interface", "struct", "enum", "trait", "impl", "module", "namespace", "object", "type"),
}
_GO_RECEIVER = re.compile(r"\s*func\s*\(\s*(?:\w+\s+)?\*?\s*(\w+)")
_SELF = re.compile(r"[^(]*\(\s*(?:&\s*(?:'\w+\s+)?)?(?:mut\s+)?(?:self|cls)\b")
_ACCESSOR = re.compile(r"\s*@(?:[\w.]+\.(setter|getter|deleter)\b|(?:\w+\.)?(overload)\b)")
_GETS_OR_SETS = re.compile(r"\s*(?:(?:public|private|protected|static)\s+)*(get|set)\s+[\w#]")

# Where a name, brackets and an opening brace are a method; in Kotlin, say, they may be a call.
_HAVE_METHODS = {"c", "cpp", "java", "csharp", "dart", "javascript", "javascriptreact", "typescript", "typescriptreact"}
_METHOD_HEAD = re.compile(r"[\w$#<>\[\],.?*&:~@\s]+")
_WORD = re.compile(r"[\w$#~]+")
_NO_METHODS = {
    *("if", "for", "while", "switch", "catch", "with", "return", "else", "new", "throw", "await", "case", "do", "try"),
    *("function", "synchronized", "foreach", "using", "lock", "fixed", "sizeof", "yield", "delete", "typeof", "goto"),
}
_MOST_HEADER = 300
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition and its lines; ``first`` is above ``header`` where it has decorators.

    ``kind`` is the keyword of what holds members, else empty. ``receiver`` tells apart what may have one name: a
    method from a function, the methods of Go's types, a property from its setter. ``container`` says what it is in.
    """

    name: str
    kind: str
    receiver: str
    first: int
    header: int
    end: int
    container: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same definition in another text."""
        return self.container, self.kind, self.receiver, self.name

    @property
    def inside(self) -> tuple[str, ...]:
        """The container of its members."""
        return (*self.container, f"{self.kind} {self.name}")

    def encloses(self, other: Definition) -> bool:
        """Whether the other one is a part of this."""
        return self.header < other.header < self.end


def definitions(lines: Sequence[str], language: str) -> list[Definition]:
    """Return all definitions with a name, at any depth, in the order in which they begin; ``lines`` have no ends."""
    if is_markup(language):
        return []
    found = _parsed(lines) if language == "python" else None
    return in_containers(by_headers(lines, language) if found is None else found)


def in_containers(found: Iterable[Definition]) -> list[Definition]:
    """Say of each definition what it is in; ``found`` is in order of headers."""
    placed: list[Definition] = []
    around: list[Definition] = []
    for one in found:
        while around and around[-1].end <= one.header:
            around.pop()
        placed.append(replace(one, container=around[-1].inside if around else ()))
        around.append(placed[-1])
    return placed


def _parsed(lines: Sequence[str]) -> list[Definition] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(dedent("\n".join(lines)).removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found, rest = [], list[ast.AST](tree.body)
    while rest:
        node = rest.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
            kind = "class" if isinstance(node, ast.ClassDef) else ""
            receiver = receiver_of(lines, first, node.lineno - 1, kind)
            end = with_last_comments(lines, node.lineno - 1, node.end_lineno or node.lineno)
            found.append(Definition(node.name, kind, receiver, first, node.lineno - 1, end))
        for part in _BODIES:
            below = getattr(node, part, [])
            rest += below if isinstance(below, list) else []
    return sorted(found, key=lambda one: one.header)


def with_last_comments(lines: Sequence[str], header: int, end: int) -> int:
    """Return the end of a body with the comments after its last statement, which the parser does not see."""
    indent = len(lines[header]) - len(lines[header].lstrip())
    for number in range(end, len(lines)):
        said = lines[number].lstrip()
        if said and (not said.startswith("#") or len(lines[number]) - len(said) <= indent):
            break
        end = number + 1 if said else end
    return end


def by_headers(lines: Sequence[str], language: str) -> Iterator[Definition]:
    """Return the definitions that look like some, whether or not the text parses; without containers."""
    for number, line in enumerate(lines):
        if len(line) > _MOST_HEADER:
            continue
        name, kind = named_in(lines, number, language)
        if name:
            first, end = with_decorators(lines, number), block_end(lines, number)
            yield Definition(name, kind, receiver_of(lines, first, number, kind), first, number, end)


def named_in(lines: Sequence[str], number: int, language: str) -> tuple[str, str]:
    """Return the name that a line defines and the keyword of a container; empty ones where it defines nothing."""
    line = lines[number]
    if found := _IMPL.match(line):
        return " ".join(found["name"].split()), "impl"
    if found := _TYPE.match(line):
        return found["name"], "type"
    keyword = DEFINITION.match(line)
    returns = keyword is not None and language in _HAVE_METHODS and keyword.group().endswith(("struct", "enum"))
    if keyword and not (returns and "(" in line):  # `struct point *near(…)` defines near
        kind = keyword.group().split()[-1]
        found = _NAME.match(line, keyword.end())
        return (found["name"], kind if kind in _CONTAINERS else "") if found else ("", "")
    if found := _NAMED.match(line):
        return found["name"], ""
    return (_method_name(lines, number) if language in _HAVE_METHODS else ""), ""


def _method_name(lines: Sequence[str], number: int) -> str:
    """Return the name of a function without a keyword: a name, closed brackets, and a body in braces."""
    head, bracket, rest = lines[number].partition("(")
    words = _WORD.findall(head)
    if not bracket or not words or words[0] in _NO_METHODS or words[-1] in _NO_METHODS:
        return ""
    closing = _closing_bracket(rest)
    if closing is None or not _METHOD_HEAD.fullmatch(head) or not head.rstrip().endswith(words[-1]):
        return ""
    between, brace, _ = rest[closing + 1 :].partition("{")
    if any(sign in between for sign in ";=()"):
        return ""
    below = next((line for line in lines[number + 1 : number + 3] if line.strip()), "")
    return str(words[-1]) if brace or below.strip() == "{" else ""


def _closing_bracket(text: str) -> int | None:
    depth = 1
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return at
    return None


def receiver_of(lines: Sequence[str], first: int, header: int, kind: str) -> str:
    """Return what tells a definition apart from others of its name, see ``Definition``."""
    if kind:
        return ""
    text = lines[header]
    if go := _GO_RECEIVER.match(text):
        return go[1]
    if either := _GETS_OR_SETS.match(text):
        return either[1]
    accessors = [found[1] or found[2] for line in lines[first:header] if (found := _ACCESSOR.match(line))]
    is_method = _SELF.match(" ".join(lines[header : header + 2]))
    return ".".join([*(["self"] if is_method else []), *accessors])
