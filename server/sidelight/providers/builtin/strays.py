"""Names that lead nowhere: read but never bound, or bound but never read."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from sidelight.messages import msg
from sidelight.providers.builtin.names import KNOWN, Names, Scope
from sidelight.providers.builtin.page import code
from sidelight.providers.builtin.program import FUNCTIONS, Edit, Fault, Program, own_nodes
from sidelight.providers.builtin.spelling import nearest

UNSEEN = re.compile(r"\b(exec|globals|global_enum|_convert_)\b")  # these bind names that no reader sees


def find_strays(program: Program) -> Iterator[Fault]:
    """Yield what the names of a program show; of a document read in part, only what its rest cannot change."""
    names = program.names
    if program.whole and not names.has_star and not UNSEEN.search(program.text):
        yield from _undefined(program, names)
        yield from _unused_imports(program, names)
    for scope in names.scopes:
        if isinstance(scope.node, FUNCTIONS):
            yield from _unused_variables(scope, names)


def _undefined(program: Program, names: Names) -> Iterator[Fault]:
    modules = {node.value for node in ast.walk(program.tree) if isinstance(node, ast.Attribute)}
    guarded = _guarded_names(program.tree)
    imported: set[str] = set()
    for scope, name in names.undefined():
        if name.id in sys.stdlib_module_names and name in modules:
            if name.id not in imported:
                yield _missing_import(program, name)
            imported.add(name.id)
        elif name.id not in guarded:
            yield _misspelt(program, scope, name)


def _misspelt(program: Program, scope: Scope, name: ast.Name) -> Fault:
    visible = {bound for around in scope.around() for bound in around.bound}
    builtin = KNOWN if len(name.id) > 3 else ()
    meant = nearest(name.id, visible) or nearest(name.id, builtin)
    if meant is None:
        return Fault(name.lineno, msg("{name} is not defined.", name=code(name.id)))
    text = msg("{name} is not defined; {meant} was probably meant.", name=code(name.id), meant=code(meant))
    return Fault(name.lineno, text, (Edit(*program.span(name), meant),))


def _missing_import(program: Program, name: ast.Name) -> Fault:
    text = msg(
        "{name} is used and never imported; the file needs {statement}.",
        name=code(name.id),
        statement=code(f"import {name.id}"),
    )
    place, before, after = _import_place(program, name.id)
    return Fault(name.lineno, text, (Edit(place, place, f"{before}import {name.id}{program.newline}{after}"),))


def _import_place(program: Program, name: str) -> tuple[int, str, str]:
    """Return the offset for a new import, and the blank lines that it needs around it."""
    body = program.tree.body
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    later = [node for node in imports if isinstance(node, ast.Import) and node.names[0].name > name]
    froms = [node for node in imports if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
    if imports and (later or froms):
        return program.start(([*later, *froms])[0].lineno), "", ""
    if imports:
        future = isinstance(imports[-1], ast.ImportFrom)
        return program.start((imports[-1].end_lineno or 0) + 1), program.newline * future, ""
    if ast.get_docstring(program.tree, clean=False) is not None:
        return program.start((body[0].end_lineno or 0) + 1), program.newline, ""
    return program.start(1), "", program.newline


def _guarded_names(tree: ast.Module) -> set[str]:
    """Return the names read where a ``NameError`` is expected."""
    tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
    guards = [node for node in tries if any("NameError" in ast.unparse(h.type) for h in node.handlers if h.type)]
    return {name.id for node in guards for part in node.body for name in ast.walk(part) if isinstance(name, ast.Name)}


def _unused_variables(scope: Scope, names: Names) -> Iterator[Fault]:
    if {"locals", "vars", "eval", "exec"} & {read.id for read in scope.reads}:
        return
    assignments = [node for node in own_nodes(scope.node.body) if isinstance(node, ast.Assign)]  # type: ignore[attr-defined]
    plain = {target for node in assignments for target in node.targets}
    for name, places in scope.bound.items():
        if (
            not re.search("^_|dummy|unused|ignore", name)
            and (scope, name) not in names.read
            and plain.issuperset(places)
        ):
            yield Fault(places[0].lineno, msg("{name} is set here and never read.", name=code(name)))  # type: ignore[attr-defined]


def _unused_imports(program: Program, names: Names) -> Iterator[Fault]:
    module = names.scopes[0]
    if program.name.endswith(("__init__.py", ".pyi")):
        return  # what they import is for others
    strings = [
        node.value for node in ast.walk(program.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    quoted = set(re.findall(r"\w+", " ".join(strings)))  # type hints, `__all__`, doctests
    for node in program.tree.body:  # an import under `try` or `if` asks whether the module is there
        if isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "module", "") != "__future__":
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                if (module, name) not in names.read and name not in quoted and alias.asname != alias.name:
                    yield Fault(node.lineno, msg("{name} is imported and never used.", name=code(name)))
