"""What Python itself says about the scopes of a text: what ``editing/structure.py`` is checked against."""

from __future__ import annotations

import ast
import random
import symtable
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sidelight.editing.text import split_lines

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_Defining = (*_Function, ast.ClassDef)


@dataclass(frozen=True)
class Spot:
    """A function of a real text, and a line of code in it; lines count from 0.

    ``around`` are the header lines of the definitions around ``line``, the innermost first; ``used`` what the
    function uses of what its module defines or assigns: each name with the lines on which that is done.
    """

    path: Path
    line: int
    first: int
    end: int
    around: tuple[int, ...]
    used: dict[str, set[int]]


def read(path: Path) -> tuple[str, ...]:
    """Return the lines of a text, with their line ends."""
    return tuple(split_lines(path.read_bytes().decode("utf-8").replace("\r\n", "\n")))


def spots(path: Path, chance: random.Random, count: int) -> Iterator[Spot]:
    """Return seeded functions and lines of a module; fewer where it has fewer functions."""
    text = "".join(read(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
        table = symtable.symtable(text, str(path), "exec")
    functions = [node for node in ast.walk(tree) if isinstance(node, _Function)]
    defined: dict[str, set[int]] = {}
    for name, line in _outermost(tree):
        defined.setdefault(name, set()).add(line)
    for function in chance.sample(functions, min(count, len(functions))):
        statement = chance.choice([node for node in ast.walk(function) if isinstance(node, ast.stmt)])
        line = statement.lineno - 1
        holding = [node for node in ast.walk(tree) if isinstance(node, _Defining) and _first(node) <= line < _end(node)]
        around = sorted((node.lineno - 1 for node in holding), reverse=True)
        used = {name: defined[name] for name in _globals(table, function) if name in defined}
        yield Spot(path, line, _first(function), _end(function), tuple(around), used)


def _outermost(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _Defining):
            yield node.name, node.lineno - 1
        elif isinstance(node, ast.Assign):
            yield from ((name.id, node.lineno - 1) for name in node.targets if isinstance(name, ast.Name))
        else:
            yield from _outermost(node)


def _first(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1


def _end(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno


def _globals(table: symtable.SymbolTable, function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the names that a function takes from its module."""
    if table.get_type() == "function" and (table.get_name(), table.get_lineno()) in {
        (function.name, function.lineno),
        (function.name, _first(function) + 1),
    }:
        return set(_taken(table))
    return {name for child in table.get_children() for name in _globals(child, function)}


def _taken(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _taken(child)
