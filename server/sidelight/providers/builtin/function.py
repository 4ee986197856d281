"""What a function takes, gives, calls, reads and changes, as its syntax tree tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from sidelight.messages import msg
from sidelight.providers.builtin.names import Names, Scope
from sidelight.providers.builtin.page import Item, code, listed
from sidelight.providers.builtin.program import DEFINITIONS, Function, Program, own_nodes

ASSIGNMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign)

# Methods of lists, sets, dicts and deques that change them.
CHANGING = frozenset(
    {
        *("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove"),
        *("reverse", "setdefault", "sort", "update"),
    }
)


def describe(program: Program, node: Function) -> Iterator[Item]:
    """Yield what there is to say, an entry for each kind of thing that there is."""
    inside = list(own_nodes(node.body))
    yield from _kind(program, node)
    yield from _takes(program, node)
    yield from _gives(program, node, inside)
    yield from _flow(program, inside)
    yield from _calls(program, node, inside)
    yield from _touches(program, program.names.of(node), inside)


def parameters(node: Function) -> list[tuple[str, ast.arg, ast.expr | None]]:
    """Return each parameter with its stars and its default, in the order of the signature."""
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(positional) - len(given.defaults)), *given.defaults]
    return [
        *(("", argument, default) for argument, default in zip(positional, defaults, strict=True)),
        *([("*", given.vararg, None)] if given.vararg else []),
        *(("", argument, default) for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)),
        *([("**", given.kwarg, None)] if given.kwarg else []),
    ]


def raised(program: Program, node: Function) -> dict[str, ast.Raise]:
    """Return the exceptions that a function raises itself, each with the first place."""
    found: dict[str, ast.Raise] = {}
    for item in own_nodes(node.body):
        if isinstance(item, ast.Raise) and item.exc:
            found.setdefault(program.source(item.exc.func if isinstance(item.exc, ast.Call) else item.exc), item)
    return found


def results(program: Program, node: Function, *kinds: type[ast.AST]) -> list[str]:
    """Return what a function returns or yields, each expression once."""
    values = [getattr(item, "value", None) for item in own_nodes(node.body) if isinstance(item, kinds)]
    return list(dict.fromkeys(program.source(value) if value else "None" for value in values))


def owner(program: Program, node: Function) -> ast.ClassDef | None:
    """Return the class of which a function is a method."""
    classes = (item for item in ast.walk(program.tree) if isinstance(item, ast.ClassDef))
    return next((item for item in classes if node in item.body), None)


def _kind(program: Program, node: Function) -> Iterator[Item]:
    if of := owner(program, node):
        yield Item(msg("It is a method of the class {name}.", name=code(of.name)))
    if isinstance(node, ast.AsyncFunctionDef):
        yield Item(msg("It is asynchronous: callers reach its result with `await` or `async for`."))
    if node.decorator_list:
        yield Item(msg("It is decorated with {names}.", names=listed(map(program.source, node.decorator_list))))


def _takes(program: Program, node: Function) -> Iterator[Item]:
    written = []
    for stars, argument, default in parameters(node):
        equals = " = " if argument.annotation else "="
        written.append(stars + program.source(argument) + (equals + program.source(default) if default else ""))
    if written:
        yield Item(msg("It takes {parameters}.", parameters=listed(written)))
    else:
        yield Item(msg("It takes nothing."))
    if node.args.kwonlyargs:
        yield Item(msg("Given by name alone: {names}.", names=listed(item.arg for item in node.args.kwonlyargs)))


def _gives(program: Program, node: Function, inside: list[ast.AST]) -> Iterator[Item]:
    returned, yielded = results(program, node, ast.Return), results(program, node, ast.Yield, ast.YieldFrom)
    if yielded:
        yield Item(msg("It yields {values}, as its caller asks for more.", values=listed(yielded)))
    if returned:
        yield Item(msg("It returns {values}.", values=listed(returned)))
    elif not yielded:
        yield Item(msg("It returns nothing."))
    if node.returns:
        yield Item(msg("Its result is declared as {annotation}.", annotation=code(program.source(node.returns))))
    if exceptions := raised(program, node):
        yield Item(msg("It raises {names}.", names=listed(exceptions)))
    if caught := [program.source(item.type) for item in inside if isinstance(item, ast.ExceptHandler) and item.type]:
        yield Item(msg("It catches {names}.", names=listed(caught)))


def _flow(program: Program, inside: list[ast.AST]) -> Iterator[Item]:
    """Yield how the body comes to its result: the names that it returns, the loops, the decisions."""
    returned = [item.value.id for item in inside if isinstance(item, ast.Return) and isinstance(item.value, ast.Name)]
    for name in dict.fromkeys(returned):
        if steps := [item for item in inside if isinstance(item, ASSIGNMENTS) and name in _targets(item)]:
            yield Item(
                msg("Its result {name} comes from {steps}.", name=code(name), steps=listed(map(program.source, steps)))
            )
    if loops := [item.iter for item in inside if isinstance(item, (ast.For, ast.AsyncFor, ast.comprehension))]:
        yield Item(msg("It goes through {values}.", values=listed(map(program.source, loops))))
    if tests := [item.test for item in inside if isinstance(item, (ast.If, ast.IfExp, ast.While))]:
        yield Item(msg("It branches on {conditions}.", conditions=listed(map(program.source, tests))))


def _targets(node: Any) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)}


def _calls(program: Program, node: Function, inside: list[ast.AST]) -> Iterator[Item]:
    exceptions = {item.exc for item in inside if isinstance(item, ast.Raise)}
    called = [program.source(item.func) for item in inside if isinstance(item, ast.Call) and item not in exceptions]
    if called:
        yield Item(msg("It calls {names}.", names=listed(called)))
    if node.name in called:
        yield Item(msg("It calls itself."))
    if nested := [item.name for item in inside if isinstance(item, DEFINITIONS)]:
        yield Item(msg("It defines {names} inside.", names=listed(nested)))


def _touches(program: Program, scope: Scope, inside: list[ast.AST]) -> Iterator[Item]:
    local = _local_names(program.names, scope)
    called = {item.func for item in inside if isinstance(item, ast.Call)}
    parts: list[Any] = [item for item in inside if isinstance(item, (ast.Attribute, ast.Subscript))]
    shared = [part for part in parts if _root(part) not in {*local, None}]
    loads = [part for part in shared if isinstance(part.ctx, ast.Load) and part not in called]
    own = [program.source(part) for part in loads if _is_name(getattr(part, "value", None), "self")]
    if read := [*_outer_variables(program.names, scope), *own]:
        yield Item(msg("It reads {names}, which it does not set up itself.", names=listed(read)))
    stored = [program.source(part) for part in shared if not isinstance(part.ctx, ast.Load)]
    if changed := [*(name for name, there in scope.declared.items() if _sets(inside, name)), *stored]:
        yield Item(msg("It changes {names}, which others can see.", names=listed(changed)))
    callers = [part for part in shared if part in called and getattr(part, "attr", "") in CHANGING]
    if callers:
        yield Item(
            msg("It may change what is in {names}.", names=listed(program.source(part.value) for part in callers))
        )


def _local_names(names: Names, scope: Scope) -> set[str]:
    """Return what a function makes itself: what it or something in it binds, but not its untouched parameters."""
    local = set()
    for within in names.scopes:
        if within.is_within(scope):
            for name, places in within.bound.items():
                if within is not scope or not all(isinstance(place, ast.arg) for place in places):
                    local.add(name)
    return local


def _outer_variables(names: Names, scope: Scope) -> Iterator[str]:
    for within in names.scopes:
        for name in within.reads if within.is_within(scope) else ():
            found = within.find(name.id)
            if found and not found.is_within(scope) and isinstance(found.bound[name.id][0], (ast.Name, ast.arg)):
                yield name.id


def _root(node: ast.AST) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_name(node: ast.AST | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _sets(inside: list[ast.AST], name: str) -> bool:
    return any(_is_name(item, name) and not isinstance(getattr(item, "ctx", None), ast.Load) for item in inside)
