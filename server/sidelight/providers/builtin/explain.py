"""The explain task: what a piece of Python is and does, and what looks wrong in it.

Everything said is read off the syntax tree, so it is true of the code as it stands; what the code is for is only
said in the words of its own docstrings. Next: ``function.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from sidelight.core.context import Context
from sidelight.messages import msg
from sidelight.providers.builtin.faults import find_faults
from sidelight.providers.builtin.function import describe, parameters
from sidelight.providers.builtin.page import Block, Heading, Item, code, how_to_connect, listed
from sidelight.providers.builtin.program import (
    DEFINITIONS,
    Definition,
    Fault,
    Program,
    first_line,
    last_line,
    own_nodes,
    read,
)
from sidelight.providers.builtin.syntax import explain_error

SHOWN_DEFINITIONS, SHOWN_FAULTS, EXPLAINED = 40, 20, 5


def explain(context: Context) -> Iterator[Block]:
    """Yield the explanation of the definitions around or in the selection, or of the whole module."""
    program = read(context, context.selection)
    nodes = program.definitions(context.selection.start.line + 1, context.selection.end_line)
    if program.error:
        yield from explain_error(program)
    elif nodes:
        faults = find_faults(program)
        for node in nodes[:EXPLAINED]:
            yield from explain_definition(program, node, faults)
    else:
        yield from _explain_module(program)
    yield from reported(context)
    yield msg("All this was read off the structure of the code; nothing was run and no model was asked.")
    yield how_to_connect()


def explain_other(context: Context) -> Iterator[Block]:
    """Yield the little that can be said about a document that is not Python."""
    first, last = context.selection.start.line + 1, context.selection.end_line
    lines = context.lines[: -1 if context.lines and not context.lines[-1] else None]
    if context.lines:
        yield msg(
            "Without a model, Sidelight reads Python only. {name} has {count} lines, {blank} of them blank; "
            "lines {first} to {last} are selected.",
            name=code(context.name),
            count=len(lines),
            blank=sum(not line.strip() for line in lines),
            first=first,
            last=last,
        )
    else:
        yield msg("Without a model, Sidelight reads Python only, and there is no document here.")
    yield from reported(context)
    yield how_to_connect()


def explain_definition(program: Program, node: Definition, faults: list[Fault]) -> Iterator[Block]:
    """Yield what one function or class is and does, and which of the faults are in it."""
    name, first, last = code(node.name), first_line(node), last_line(node)
    if isinstance(node, ast.ClassDef):
        yield Heading(msg("The class {name}, lines {first} to {last}", name=name, first=first, last=last))
        yield from _docstring(node)
        yield from _describe_class(program, node)
    else:
        yield Heading(msg("The function {name}, lines {first} to {last}", name=name, first=first, last=last))
        yield from _docstring(node)
        yield from describe(program, node)
    yield from wrong([fault for fault in faults if first <= fault.line <= last])


def reported(context: Context) -> Iterator[Block]:
    """Yield the diagnostics that the request brought."""
    if context.diagnostics:
        yield Heading(msg("What other tools report"))
    for found in context.diagnostics[:SHOWN_FAULTS]:
        text = " ".join(found.message.split())
        yield Item(msg("Line {line}: {fault}", line=found.range.start.line + 1, fault=text))


def outline(body: Iterable[ast.stmt], depth: int = 0) -> Iterator[Item]:
    """Yield the functions and classes of a body, each with its line and the first sentence of its docstring."""
    for node in body:
        if isinstance(node, DEFINITIONS):
            name, about = node.name, summary(node)
            if not isinstance(node, ast.ClassDef):
                name += "(" + ", ".join(stars + argument.arg for stars, argument, _ in parameters(node)) + ")"
            if about:
                text = msg("Line {line}: {fault}", line=node.lineno, fault=f"{code(name)} – {about}")
            else:
                text = msg("Line {line}: {fault}", line=node.lineno, fault=code(name))
            yield Item(text, depth)
            if isinstance(node, ast.ClassDef):
                yield from outline(node.body, depth + 1)


def summary(node: Definition | ast.Module) -> str:
    """Return the first sentence of a docstring, or an empty string."""
    paragraph = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s", paragraph)[0][:200]


def _explain_module(program: Program) -> Iterator[Block]:
    body = program.tree.body
    yield Heading(msg("The file {name}", name=code(program.name)) if program.name else msg("This code"))
    yield from _docstring(program.tree)
    if not body:
        yield msg("There is no code in it.")
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = (getattr(node, "module", None) or alias.name for node in imports for alias in node.names)
    if imports:
        yield Item(msg("It imports from {names}.", names=listed(modules)))
    values = [node.id for node in own_nodes(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    if values:
        yield Item(msg("It sets {names}.", names=listed(values)))
    if any(isinstance(node, ast.If) and "__name__" in program.source(node.test) for node in body):
        yield Item(msg("It can be run as a program."))
    yield from _defines(body)
    yield from wrong(find_faults(program))


def _describe_class(program: Program, node: ast.ClassDef) -> Iterator[Block]:
    if node.bases:
        yield Item(msg("It builds on {names}.", names=listed(map(program.source, node.bases))))
    if node.decorator_list:
        yield Item(msg("It is decorated with {names}.", names=listed(map(program.source, node.decorator_list))))
    if names := attributes(node):
        yield Item(msg("Its attributes are {names}.", names=listed(names)))
    yield from _defines(node.body)


def attributes(node: ast.ClassDef) -> list[str]:
    """Return the names that a class sets in its body, and on ``self`` in its methods."""
    own = [item.id for item in own_nodes(node.body) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)]
    for item in ast.walk(node):
        match item:
            case ast.Attribute(ast.Name("self"), name, ast.Store()):
                own.append(name)
    return list(dict.fromkeys(own))


def _defines(body: list[ast.stmt]) -> Iterator[Block]:
    entries = list(outline(body))
    if entries:
        yield Heading(msg("What it defines"))
    yield from entries[:SHOWN_DEFINITIONS]
    if more := len(entries[SHOWN_DEFINITIONS:]):
        yield msg("There is more than is listed here: {count}.", count=more)


def _docstring(node: Definition | ast.Module) -> Iterator[Block]:
    if about := summary(node):
        yield msg("Its docstring says: {about}", about=about)


def wrong(faults: list[Fault]) -> Iterator[Block]:
    """Yield what looks wrong, or that nothing does."""
    if not faults:
        yield msg("Nothing in it looks wrong.")
        return
    yield Heading(msg("What looks wrong"))
    for fault in faults[:SHOWN_FAULTS]:
        yield Item(msg("Line {line}: {fault}", line=fault.line, fault=fault.message))
    if more := len(faults[SHOWN_FAULTS:]):
        yield msg("There is more than is listed here: {count}.", count=more)
