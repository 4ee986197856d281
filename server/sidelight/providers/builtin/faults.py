"""What looks wrong in code that Python can read, and the edits that put it right where they are certain.

A finder looks at one kind of node; the table at the end says which. What names alone tell is in ``strays.py``, what
Python cannot read in ``syntax.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from sidelight.messages import msg
from sidelight.providers.builtin.page import code
from sidelight.providers.builtin.program import (
    DEFINITIONS,
    Edit,
    Fault,
    Function,
    Program,
    last_line,
    own_nodes,
)
from sidelight.providers.builtin.strays import find_strays

LOOPS = (ast.For, ast.AsyncFor, ast.While)
LEAVING = ("sys.exit", "exit", "quit", "os._exit", "os.abort", "assert_never", "typing.assert_never")


def find_faults(program: Program) -> list[Fault]:
    """Return the faults of a program in the order of their lines."""
    faults = list(find_strays(program))
    for node in ast.walk(program.tree):
        for finder in _FINDERS.get(type(node), ()):
            faults += finder(node, program)
        for block in (getattr(node, field, None) for field in ("body", "orelse", "finalbody")):
            faults += _unreachable(block) if isinstance(block, list) else ()
    return sorted(faults, key=lambda fault: fault.line)


def ends(body: list[ast.stmt]) -> bool:
    """Tell whether what follows the statements is never reached: they all return, raise or leave the loop."""
    return any(_ends(statement) for statement in body)


def _ends(node: ast.stmt) -> bool:
    match node:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.If(_, body, orelse):
            return ends(body) and ends(orelse)
        case ast.With(_, body) | ast.AsyncWith(_, body):
            return ends(body)
        case ast.While(ast.Constant(value), body):
            return bool(value) and not _breaks(body)
        case ast.Try(body, handlers, orelse, finalbody):
            handled = all(ends(handler.body) for handler in handlers)
            return ends(finalbody) or (handled and (ends(body) or ends(orelse)))
        case ast.Match(_, cases):
            is_last_open = isinstance(cases[-1].pattern, ast.MatchAs) and not (
                cases[-1].pattern.pattern or cases[-1].guard
            )
            return is_last_open and all(ends(case.body) for case in cases)
        case ast.Expr(ast.Call(ast.Name() | ast.Attribute() as function)):
            return ast.unparse(function) in LEAVING
    return False


def _breaks(body: Iterable[ast.AST]) -> bool:
    """Tell whether a ``break`` in the body of a loop leaves that loop."""
    for node in body:
        inside = node.orelse if isinstance(node, LOOPS) else ast.iter_child_nodes(node)
        if isinstance(node, ast.Break) or (not isinstance(node, DEFINITIONS) and _breaks(inside)):
            return True
    return False


def _unreachable(block: list[ast.stmt]) -> Iterator[Fault]:
    for before, node in pairwise(block):
        if _ends(before):
            # `return` and then `yield` is how one writes a generator that yields nothing; `assert False` marks the end.
            inside = list(own_nodes([node]))
            if not any(isinstance(item, (ast.Yield, ast.YieldFrom)) for item in inside):
                yield Fault(node.lineno, msg("This is never reached: the statement before it always leaves."))
            return


def _shared_defaults(node: Function, program: Program) -> Iterator[Fault]:
    positional = [*node.args.posonlyargs, *node.args.args]
    pairs = [
        *zip(reversed(positional), reversed(node.args.defaults), strict=False),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ]
    for parameter, default in pairs:
        # A shared value is the point of `def f(x, _cache={})`.
        if default and _is_mutable(default) and not re.search("^_|cache|memo", parameter.arg):
            text = msg(
                "All calls share the one {value} that is the default of {name}; with `None` each call makes its own.",
                value=code(program.source(default)),
                name=code(parameter.arg),
            )
            yield Fault(default.lineno, text, _own_default(node, parameter, default, program))


def _is_mutable(default: ast.expr) -> bool:
    match default:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(ast.Name("list" | "dict" | "set"), [], []):
            return True
    return False


def _own_default(node: Function, parameter: ast.arg, default: ast.expr, program: Program) -> tuple[Edit, ...]:
    """Return the edits that make the value in the body instead, where it means the same there."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    value, annotation = program.source(default), parameter.annotation
    hint = program.source(annotation) if annotation else ""
    if (
        not _is_literal(default)
        or re.search(r"[\r\n]", value)
        or re.search("None|Optional|Any|['\"]", hint)
        or _is_stub(body)
    ):
        return ()
    docstring = node.body[0] if len(body) < len(node.body) else None
    place = program.start((last_line(docstring) if docstring else program.header_end(node)) + 1)
    indent, newline = program.indent(body[0]), program.newline
    if indent.strip() or not program.header_end(node):
        return ()
    step = indent[node.col_offset :]
    lines = f"{indent}if {parameter.arg} is None:{newline}{indent}{step}{parameter.arg} = {value}{newline}"
    edits = (Edit(*program.span(default), "None"), Edit(place, place, lines))
    if not annotation:
        return edits
    after = program.span(annotation)[1]
    return (*edits, Edit(after, after, " | None"))


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError):
        return isinstance(value, ast.Call)  # `list()` and its like: the only calls that come here
    return True


def _is_stub(body: list[ast.stmt]) -> bool:
    match body:
        case [] | [ast.Pass() | ast.Raise() | ast.Expr(ast.Constant()), *_]:
            return True
    return False


def _is_constant(node: object, *types: type) -> bool:
    return isinstance(node, ast.Constant) and (not types or type(node.value) in types)


def _missing_return(node: Function, program: Program) -> Iterator[Fault]:
    inside = list(own_nodes(node.body))
    if any(isinstance(item, (ast.Yield, ast.YieldFrom)) for item in inside) or ends(node.body):
        return
    gives = any(
        isinstance(item, ast.Return) and item.value and not _is_constant(item.value, type(None)) for item in inside
    )
    hint = program.source(node.returns) if node.returns else ""
    if gives and not re.search("None|Optional|Any", hint):
        text = msg(
            "{name} returns a value in some cases; in others it may reach its end without `return` and give `None`.",
            name=code(node.name),
        )
        yield Fault(node.lineno, text)


def _bare_except(node: ast.ExceptHandler, program: Program) -> Iterator[Fault]:
    if node.type or any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
        return  # one that raises again hides nothing
    text = msg("A bare `except:` also catches Ctrl+C and `sys.exit`; `except Exception:` lets them through.")
    place = program.span(node)[0] + len("except")
    yield Fault(node.lineno, text, (Edit(place, place, " Exception"),))


def _compared_by_identity(node: ast.Compare, program: Program) -> Iterator[Fault]:
    match node:
        case ast.Compare(left, [ast.Is() | ast.IsNot() as operator], [right]):
            new = "==" if isinstance(operator, ast.Is) else "!="
            for side in (left, right):
                if _is_constant(side, str, bytes, int, float, complex):
                    text = msg(
                        "`is` asks whether two things are the same object; {value} needs {new}.",
                        value=code(program.source(side)),
                        new=code(new),
                    )
                    yield Fault(node.lineno, text, _operator_edit(program, left, right, r"is(?:\s+not)?", new))
                    return


def _compared_with_none(node: Any, program: Program) -> Iterator[Fault]:
    """Look at conditions alone: elsewhere, as in a database query, ``== None`` may well be meant."""
    for part in _conditions(*node.ifs) if isinstance(node, ast.comprehension) else _conditions(node.test):
        match part:
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as operator], [right]):
                if _is_constant(left, type(None)) or _is_constant(right, type(None)):
                    old, new = ("==", "is") if isinstance(operator, ast.Eq) else ("!=", "is not")
                    text = msg(
                        "A class can redefine {old}; there is one `None`, and {new} cannot be misled.",
                        old=code(old),
                        new=code(new),
                    )
                    yield Fault(part.lineno, text, _operator_edit(program, left, right, old, new))


def _conditions(*tests: ast.expr) -> Iterator[ast.expr]:
    for test in tests:
        match test:
            case ast.BoolOp(_, values):
                yield from _conditions(*values)
            case ast.UnaryOp(ast.Not(), operand):
                yield from _conditions(operand)
            case _:
                yield test


def _operator_edit(program: Program, left: ast.expr, right: ast.expr, old: str, new: str) -> tuple[Edit, ...]:
    start, end = program.span(left)[1], program.span(right)[0]
    match = re.fullmatch(rf"[\s)]*({old})[\s(]*", program.text[start:end])
    return (Edit(start + match.start(1), start + match.end(1), new),) if match else ()


def _true_assert(node: ast.Assert, program: Program) -> Iterator[Fault]:
    if isinstance(node.test, ast.Tuple) and node.test.elts:
        text = msg("This `assert` never fails: a tuple with something in it counts as true.")
        start, end = program.span(node.test)
        is_message = len(node.test.elts) == 2 and _is_constant(node.test.elts[1], str) and not node.msg
        on_one_line = node.test.lineno == node.test.end_lineno
        edits = (Edit(start, start + 1, ""), Edit(end - 1, end, "")) if is_message and on_one_line else ()
        yield Fault(node.lineno, text, edits)


def _needless_f(node: ast.JoinedStr, program: Program) -> Iterator[Fault]:
    source = program.source(node)
    # Up to Python 3.11 the `>10` in f"{x:>10}" is a JoinedStr too, at the place of the whole.
    if re.match("(?i)(f|rf|fr)['\"]", source) and "{" not in source.replace("{{", ""):
        yield Fault(node.lineno, msg("The f-string {text} has no placeholder.", text=code(source)))


def _shadowing_loop(node: ast.For, _program: Program) -> Iterator[Fault]:
    targets = _names(node.target)
    if isinstance(node.iter, ast.Name) and node.iter.id in targets:
        yield Fault(
            node.lineno,
            msg("The loop takes {name} for its items and so loses what it goes through.", name=code(node.iter.id)),
        )
    for inner in own_nodes(node.body):
        if isinstance(inner, (ast.For, ast.AsyncFor)):
            for name in sorted(targets & _names(inner.target)):
                text = msg(
                    "This loop sets {name} anew, as the loop around it in line {line} does.",
                    name=code(name),
                    line=node.lineno,
                )
                yield Fault(inner.lineno, text)


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name) and node.id != "_"}


Finder = Callable[[Any, Program], Iterable[Fault]]

_FINDERS: dict[type[ast.AST], tuple[Finder, ...]] = {
    ast.FunctionDef: (_shared_defaults, _missing_return),
    ast.AsyncFunctionDef: (_shared_defaults, _missing_return),
    ast.ExceptHandler: (_bare_except,),
    ast.Compare: (_compared_by_identity,),
    ast.If: (_compared_with_none,),
    ast.IfExp: (_compared_with_none,),
    ast.While: (_compared_with_none,),
    ast.comprehension: (_compared_with_none,),
    ast.Assert: (_compared_with_none, _true_assert),
    ast.JoinedStr: (_needless_f,),
    ast.For: (_shadowing_loop,),
    ast.AsyncFor: (_shadowing_loop,),
}
