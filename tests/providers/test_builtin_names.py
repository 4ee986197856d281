"""Names mean what Python's own symbol table says."""

from __future__ import annotations

import ast
import symtable
import sysconfig
from pathlib import Path

import pytest

from sidelight.providers.builtin.names import Names
from sidelight.providers.builtin.spelling import nearest

MODULES = ("argparse", "ast", "contextlib", "dataclasses", "enum", "functools", "inspect", "logging/__init__", "typing")


def global_reads(table: symtable.SymbolTable) -> set[str]:
    is_module = table.get_type() == "module"
    own = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or is_module)
    }
    return own.union(*map(global_reads, table.get_children()))


@pytest.mark.parametrize("module", MODULES)
def test_the_names_read_from_the_module_are_those_of_the_symbol_table(module: str) -> None:
    text = Path(sysconfig.get_paths()["stdlib"], f"{module}.py").read_text("utf-8")
    names = Names(ast.parse(text))
    outermost = names.scopes[0]
    found = {name.id for scope in names.scopes for name in scope.reads if scope.find(name.id) in (None, outermost)}
    # From Python 3.12 on the table counts the variables of a comprehension to the scope around it.
    loose = {"__class__", ".0"}.union(*(scope.bound for scope in names.scopes if hasattr(scope.node, "generators")))
    assert found - loose == global_reads(symtable.symtable(text, module, "exec")) - loose


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("discuont", {"discount", "discounts", "price"}, "discount"),
        ("lenght", {"length"}, "length"),
        ("pice", {"price", "piece"}, None),
        ("ab", {"abc"}, None),
        ("total", {"result"}, None),
    ],
)
def test_a_misspelt_word_has_one_nearest_word_or_none(word: str, known: set[str], meant: str | None) -> None:
    assert nearest(word, known) == meant
