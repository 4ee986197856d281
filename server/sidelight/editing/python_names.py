"""Walks a part of a Python syntax tree: what it defines and imports, and which names are used where, scope by scope.

Parts of one text are walked one after another by the same ``Names``: a name is known as a local one, a builtin or a
module's only when all of them have been seen.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sidelight.editing.definitions import Definition, receiver_of, with_last_comments
from sidelight.editing.structure_index import Entry, Import

_BUILTINS = {*dir(builtins), "__file__", "__class__", "__qualname__"}
_OPENINGS = ('"""', "'''")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(slots=True, eq=False)
class Scope:
    """Where names are bound: a module, a class, or a function (a lambda and a comprehension too).

    ``itself`` is what a method calls the object. Locals that are definitions are in ``defined`` as well.
    """

    kind: str
    parent: Scope | None = None
    itself: str = ""
    bound: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    values: dict[str, Definition] = field(default_factory=dict)


_Step = tuple[ast.AST, Scope]


class Names:
    """The names of one text; ``lines`` have no line ends."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.module = Scope("module")
        self.entries: list[tuple[Entry, Scope]] = []
        self.imports: list[Import] = []
        self._lines = lines
        self.used: list[tuple[int, int, str, Scope]] = []
        self._above = 0
        self._last = 0
        self._handlers: dict[type, Callable[[ast.AST, Scope], Iterable[_Step]]] = {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            **dict.fromkeys(_FUNCTIONS, self._function),
            **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), self._comprehension),
            ast.ClassDef: self._class,
            **dict.fromkeys((ast.Import, ast.ImportFrom), self._import),
            **dict.fromkeys((ast.Assign, ast.AnnAssign), self._assignment),
            **dict.fromkeys((ast.Global, ast.Nonlocal), self._elsewhere),
            **dict.fromkeys((ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping), self._binding),
            **dict.fromkeys((ast.Load, ast.Store, ast.Del, ast.Constant, ast.arg), lambda _node, _scope: ()),
        }

    def walk(self, statements: Iterable[ast.AST], scope: Scope, above: int) -> int:
        """Take in statements whose first line is the text's line ``above``; return the line after them."""
        self._above = above
        self._last = 0
        rest = [(node, scope) for node in statements]
        while rest:
            node, inside = rest.pop()
            handler = self._handlers.get(type(node))
            rest += handler(node, inside) if handler else ((each, inside) for each in ast.iter_child_nodes(node))
            self._last = max(self._last, getattr(node, "end_lineno", 0) or 0)
        return self._last + above

    def uses(self) -> dict[int, tuple[str, ...]]:
        """Return the names that each line uses, in order, without builtins and locals."""
        found: dict[int, dict[str, None]] = {}
        for line, _, name, scope in sorted(self.used, key=lambda use: use[:2]):
            if known := self._known(name, scope):
                found.setdefault(line, {})[known] = None
        return {line: tuple(names) for line, names in found.items()}

    def _known(self, name: str, scope: Scope) -> str:
        """Return a name as ``Index.uses`` writes it; empty for one that needs no explanation."""
        root, dot, rest = name.partition(".")
        if not root:
            return name
        around: Scope | None = scope
        while around is not None and around.kind != "module":
            if around.kind == "function" and root in around.bound and root not in around.elsewhere:
                if root in around.defined:
                    return name
                return f"self.{rest}" if dot and root == around.itself else rest and f".{rest.rpartition('.')[2]}"
            around = around.parent
        return "" if root in _BUILTINS and root not in self.module.bound else name

    # One kind of node each: what it binds and uses, and which nodes are to be looked at next.

    def _name(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        assert isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Load):
            self._use(node, node.id, scope)
        else:
            scope.bound.add(node.id)
        return ()

    def _attribute(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        names, below = list[str](), node
        while isinstance(below, ast.Attribute):
            names.append(below.attr)
            below = below.value
        if isinstance(below, ast.Name):
            self._use(below, ".".join([below.id, *reversed(names)]), scope)
            return ()
        for name in names:
            self._use(node, f".{name}", scope)
        return [(below, scope)]

    def _use(self, node: ast.AST, name: str, scope: Scope) -> None:
        assert isinstance(node, ast.expr)
        self.used.append((node.lineno + self._above - 1, node.col_offset, name, scope))

    def _function(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        assert isinstance(node, _FUNCTIONS)
        inner = Scope("function", scope)
        arguments, outside = node.args, list[ast.AST | None]()
        own = [*arguments.posonlyargs, *arguments.args]
        if isinstance(node, ast.Lambda):
            body: list[ast.AST] = [node.body]
        else:
            inner.itself = own[0].arg if own and scope.kind == "class" else ""
            body = [*node.body, *getattr(node, "type_params", ())]
            outside += [*node.decorator_list, node.returns]
            self._define(node, scope, inner, "")
        steps = [(each, inner) for each in body]
        for one in (*own, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if one is not None:
                inner.bound.add(one.arg)
                outside.append(one.annotation)
        outside += [*arguments.defaults, *arguments.kw_defaults]
        for each in outside:
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier():
                self._use(each, each.value, scope)  # a type that is defined further down, in quotes
            elif each is not None:
                steps.append((each, scope))
        return steps

    def _class(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        assert isinstance(node, ast.ClassDef)
        inner = Scope("class", scope)
        self._define(node, scope, inner, "class", tuple(map(_dotted, node.bases)))
        outside = [*node.decorator_list, *node.bases, *node.keywords]
        return chain(((each, inner) for each in node.body), ((each, scope) for each in outside))

    def _define(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
        scope: Scope,
        inner: Scope,
        kind: str,
        bases: tuple[str, ...] = (),
    ) -> None:
        scope.bound.add(node.name)
        scope.defined.add(node.name)
        above, lines = self._above - 1, self._lines
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)]) + above
        header, end = node.lineno + above, (node.end_lineno or node.lineno) + above + 1
        end = with_last_comments(lines, header, end)
        statement = node.body[0]
        begins = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))]) + above
        body = doc = doc_end = max(begins, header + 1)
        if ast.get_docstring(node, clean=False) is not None and begins > header:
            doc_end = (statement.end_lineno or statement.lineno) + above + 1
            has_text = lines[begins].strip().lower() not in {pre + it for it in _OPENINGS for pre in ("", "r")}
            doc = min(begins + (1 if has_text else 2), doc_end)
        one = Definition(node.name, kind, receiver_of(lines, first, header, kind), first, header, end)
        self.entries.append((Entry(one, body, doc, doc_end, bases=bases), inner))

    def _comprehension(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        inner = Scope("function", scope)
        return ((each, inner) for each in ast.iter_child_nodes(node))

    def _import(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        assert isinstance(node, (ast.Import, ast.ImportFrom))
        names = imported(node)
        scope.bound.update(names)
        if scope.kind != "function":
            above = self._above - 1
            self.imports.append(Import(node.lineno + above, (node.end_lineno or node.lineno) + above + 1, names))
        return ()

    def _assignment(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        assert isinstance(node, (ast.Assign, ast.AnnAssign))
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if scope.kind != "function":
            first, end = node.lineno + self._above - 1, (node.end_lineno or node.lineno) + self._above
            for name in chain.from_iterable(map(ast.walk, targets)):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    known = scope.values.get(name.id)
                    if known is None or first < known.first:
                        scope.values[name.id] = Definition(name.id, "", "", first, first, end)
        return ((each, scope) for each in ast.iter_child_nodes(node))

    def _elsewhere(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        assert isinstance(node, (ast.Global, ast.Nonlocal))
        scope.elsewhere.update(node.names)
        return ()

    def _binding(self, node: ast.AST, scope: Scope) -> Iterable[_Step]:
        name = getattr(node, "rest" if isinstance(node, ast.MatchMapping) else "name", None)
        if name:
            scope.bound.add(name)
        return ((each, scope) for each in ast.iter_child_nodes(node))


def imported(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return the names that an import binds, and what each of them is in its module, as in ``Import.names``."""
    origin = "" if isinstance(node, ast.Import) else f"{'.' * node.level}{node.module or ''}"
    names: dict[str, str] = {}
    for alias in node.names:
        whole = f"{origin.rstrip('.') and origin + '.'}{alias.name}"
        bound = alias.asname or (alias.name if origin else alias.name.partition(".")[0])
        names[bound] = whole if alias.asname or origin else bound
    return names


def _dotted(node: ast.AST) -> str:
    while isinstance(node, ast.Subscript):
        node = node.value
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
