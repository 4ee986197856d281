"""A Python document as its text and its syntax tree; nothing of it is ever run.

Lines count from 1 here, as ``ast`` and the reader count them; offsets count code points of ``Program.text``.
Of a large document only the top-level statements around the place are read. Next: ``names.py``, ``faults.py``.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import PurePath
from typing import Any, Union

from sidelight.core.context import Context
from sidelight.editing.text import Range, split_lines, without_line_end
from sidelight.messages import Message
from sidelight.providers.builtin.names import Names

LARGE = 120_000  # characters, some 3,000 lines; Python 3.11 reads and compiles so many in a third of a second

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
Definition = Union[Function, ast.ClassDef]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)

_filters = threading.Lock()  # warnings.catch_warnings changes what all threads share


class TooLarge(ValueError):
    """There is more code in one piece than is read without a model."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Put ``new`` in the place of the characters from ``start`` up to ``end``."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that looks wrong in a line, and, where it is clear, the edits that put it right."""

    line: int
    message: Message
    edits: tuple[Edit, ...] = ()


class Program:
    """The text, and its tree or the error that stands in the way of one.

    ``first`` is the line at which ``text`` begins in the document; ``whole`` tells whether it is all of it.
    Raises ``ValueError``, ``RecursionError`` or ``MemoryError`` for text of which Python makes nothing at all.
    """

    def __init__(self, text: str, name: str = "", first: int = 1, *, whole: bool = True) -> None:
        self.text, self.name, self.first, self.whole = text, name, first, whole
        self.tree = ast.Module(body=[], type_ignores=[])
        self.error: SyntaxError | None = None
        try:
            tree = _parse(text.removeprefix("\ufeff"))
        except SyntaxError as error:
            self.error = error
        else:
            self.tree = ast.increment_lineno(tree, first - 1)

    @property
    def error_line(self) -> int:
        """The line of ``error``, inside the text whatever Python says."""
        line = (self.error.lineno if self.error else None) or 1
        return min(line, len(self.lines)) + self.first - 1

    @cached_property
    def names(self) -> Names:
        """The scopes of the tree."""
        return Names(self.tree)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text with their line ends."""
        return split_lines(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(map(len, self.lines))]

    @property
    def newline(self) -> str:
        """The line end of the first line."""
        return self.lines[0][len(without_line_end(self.lines[0])) :] or "\n"

    def line(self, number: int) -> str:
        """Return a line of the document; an empty one where there is none."""
        index = number - self.first
        return self.lines[index] if 0 <= index < len(self.lines) else ""

    def start(self, line: int) -> int:
        """Return the offset at which a line begins; a line past the end begins at the end."""
        return self._starts[min(max(line - self.first, 0), len(self._starts) - 1)]

    def span(self, node: Any) -> tuple[int, int]:
        """Return the offsets of a node's first character and of the one after its last."""
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def source(self, node: Any) -> str:
        """Return a node's text as it stands in the document."""
        start, end = self.span(node)
        return self.text[start:end]

    def edges(self, target: Range) -> tuple[int, int]:
        """Return how many characters stand before the lines of a range, and how many after them."""
        return self.start(target.start.line + 1), len(self.text) - self.start(target.end_line + 1)

    def header_end(self, node: Definition) -> int:
        """Return the last line of a definition's header; 0 when its body begins in that line."""
        body = node.body[0]
        line = (first_line(body) if isinstance(body, DEFINITIONS) else body.lineno) - 1
        while line > node.lineno and self.line(line).lstrip()[:1] in ("", "#"):
            line -= 1
        return line if line >= node.lineno and not self.indent(body).strip() else 0

    def indent(self, node: ast.stmt) -> str:
        """Return what stands before a statement in its line: spaces, unless another statement does."""
        return self.text[self.start(node.lineno) : self.span(node)[0]]

    def definitions(self, first: int, last: int) -> list[Definition]:
        """Return the innermost definition around the lines; failing that, the outermost ones that begin in them."""
        every = [node for node in ast.walk(self.tree) if isinstance(node, DEFINITIONS)]
        around = [node for node in every if first_line(node) <= first and last <= last_line(node)]
        if around:
            return [max(around, key=first_line)]
        inside = [node for node in self.tree.body if isinstance(node, DEFINITIONS)]
        return [node for node in inside if first <= node.lineno <= last]

    def edited(self, edits: Iterable[Edit]) -> Program:
        """Return the program after edits that do not overlap."""
        text = self.text
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
            text = text[: edit.start] + edit.new + text[edit.end :]
        return Program(text, self.name, self.first, whole=self.whole)

    def _offset(self, line: int, column: int) -> int:
        text = self.line(line)
        mark = line == 1 and text.startswith("\ufeff")
        if not text.isascii():  # ast counts columns in bytes of UTF-8
            column = len(text[mark:].encode()[:column].decode(errors="ignore")) + mark
        return self.start(line) + column


def is_python(context: Context) -> bool:
    """Tell whether the document is Python, by what the editor says or by its name."""
    return context.language_id == "python" or PurePath(context.name).suffix in (".py", ".pyi")


def read(context: Context, range_: Range) -> Program:
    """Read the document; of a large one, the top-level statements that the range touches. Raises ``TooLarge``."""
    lines = context.lines
    if sum(map(len, lines)) <= LARGE:
        return Program("".join(lines), context.name)
    first, last = min(range_.start.line, len(lines) - 1), min(range_.end_line, len(lines))
    while first > 0 and not _begins_statement(lines, first):
        first -= 1
    while last < len(lines) and not _begins_statement(lines, last):
        last += 1
    text = "".join(lines[first:last])
    if len(text) > LARGE:
        raise TooLarge
    return Program(text, context.name, first + 1, whole=False)


def first_line(node: Definition) -> int:
    """Return the line where a definition begins, its decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def last_line(node: Any) -> int:
    """Return the last line of a node."""
    return int(node.end_lineno or node.lineno)


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes and what lies in them, in order, without the insides of functions and classes among them."""
    for node in nodes:
        yield node
        if not isinstance(node, (*DEFINITIONS, ast.Lambda)):
            yield from own_nodes(ast.iter_child_nodes(node))


def _begins_statement(lines: tuple[str, ...], index: int) -> bool:
    after_decorator = index > 0 and lines[index - 1].startswith("@")
    return lines[index][:1] not in ("", " ", "\t", "\r", "\n", "\f", "#", ")", "]", "}") and not after_decorator


def _parse(text: str) -> ast.Module:
    # A doubtful escape makes Python warn, which is noise here and an error where warnings are errors.
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
        # Compiling finds what the grammar lets pass: `return` outside a function, one name for two parameters.
        compile(tree, "<document>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return tree
