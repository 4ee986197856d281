"""Which name means what: the scopes of a program, what each binds, and what nothing binds.

Python's own ``symtable`` says the same without positions, and with other scopes for comprehensions from 3.12 on;
the tests hold this reading to it.
"""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Any

KNOWN = frozenset(dir(builtins)) | {
    *("__file__", "__path__", "__module__", "__qualname__", "__class__", "__annotations__"),
    # Later Pythons, other platforms, type checkers, gettext and notebooks have these.
    *("ExceptionGroup", "BaseExceptionGroup", "EncodingWarning", "PythonFinalizationError", "aiter", "anext"),
    *("WindowsError", "reveal_type", "_", "display", "get_ipython"),
}

TYPE_PARAMETERS = ("TypeVar", "ParamSpec", "TypeVarTuple")  # Python 3.12


class Scope:
    """What one module, class, function or comprehension binds, and the names that it reads."""

    def __init__(self, node: ast.AST, parent: Scope | None = None) -> None:
        self.node, self.parent = node, parent
        self.bound: defaultdict[str, list[ast.AST]] = defaultdict(list)
        self.reads: list[ast.Name] = []
        self.declared: dict[str, Scope | None] = {}  # the module for `global`, None for `nonlocal`

    def find(self, name: str) -> Scope | None:
        """Return the scope in which a name that is read here is bound."""
        if module := self.declared.get(name):
            return module if name in module.bound else None
        return next((scope for scope in self.around() if name in scope.bound), None)

    def around(self) -> Iterator[Scope]:
        """Yield the scopes whose names can be read here, from the inside out."""
        yield self
        inner: Scope = self
        while scope := inner.parent:
            # A class shows its names to what stands right in it: its own code, and the type parameters there.
            if not isinstance(scope.node, ast.ClassDef) or type(inner.node).__name__ in TYPE_PARAMETERS:
                yield scope
            inner = scope

    def is_within(self, other: Scope) -> bool:
        """Tell whether this is ``other`` or lies in it."""
        return self is other or (self.parent is not None and self.parent.is_within(other))


class Names:
    """The scopes of a whole tree, the outermost first; ``has_star``: an import may bind any name."""

    def __init__(self, tree: ast.Module) -> None:
        reader = _Reader(tree)
        self.scopes, self.has_star = reader.scopes, reader.has_star

    def of(self, node: ast.AST) -> Scope:
        """Return the scope that a definition or the module opens."""
        return next(scope for scope in self.scopes if scope.node is node)

    @cached_property
    def read(self) -> set[tuple[Scope, str]]:
        """Every name that something reads, with the scope that binds it."""
        found = ((scope.find(name.id), name.id) for scope in self.scopes for name in scope.reads)
        return {(scope, name) for scope, name in found if scope}

    def undefined(self) -> Iterator[tuple[Scope, ast.Name]]:
        """Yield the reads of names that nothing binds, each with the scope that it stands in."""
        for scope in self.scopes:
            for name in scope.reads:
                if name.id not in KNOWN and scope.find(name.id) is None:
                    yield scope, name


class _Reader(ast.NodeVisitor):
    """Walks a tree and notes in the scope of the moment what is bound and what is read."""

    def __init__(self, tree: ast.Module) -> None:
        self.scopes = [Scope(tree)]
        self.has_star = False
        self._scope = self.scopes[0]
        self.generic_visit(tree)

    def _bind(self, name: str, node: ast.AST) -> None:
        if scope := self._scope.declared.get(name, self._scope):  # what is nonlocal is bound further out
            scope.bound[name].append(node)

    def _visit_inside(self, node: ast.AST, *parts: Any) -> None:
        outer, self._scope = self._scope, Scope(node, self._scope)
        self.scopes.append(self._scope)
        self._visit_each(*parts)
        self._scope = outer

    def _visit_definition(self, node: Any, around: list[Any], inside: list[Any]) -> None:
        """Visit what stands around the body, then the body; ``def f[T](x: T)`` has a scope of its own for both."""
        if parameters := getattr(node, "type_params", ()):  # Python 3.12
            outer, self._scope = self._scope, Scope(parameters[0], self._scope)
            self.scopes.append(self._scope)
            self._visit_each(*parameters)
        self._visit_each(*around)
        self._visit_inside(node, *inside)
        if parameters:
            self._scope = outer

    def _visit_each(self, *parts: Any) -> None:
        for part in parts:
            if part is not None:
                self.visit(part)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id, node)
        else:
            self._scope.reads.append(node)

    def visit_FunctionDef(self, node: Any) -> None:
        self._bind(node.name, node)
        arguments = _arguments(node.args)
        self._visit_each(*node.decorator_list, *node.args.defaults, *node.args.kw_defaults)
        annotations = [*(argument.annotation for argument in arguments), node.returns]
        self._visit_definition(node, annotations, [*arguments, *node.body])

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # ast's own words

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_each(*node.args.defaults, *node.args.kw_defaults)
        self._visit_inside(node, *_arguments(node.args), node.body)

    def visit_arg(self, node: ast.arg) -> None:
        self._bind(node.arg, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, node)
        self._visit_each(*node.decorator_list)
        self._visit_definition(node, [*node.bases, *node.keywords], node.body)

    def visit_ListComp(self, node: Any) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._visit_inside(node, first.target, *first.ifs, *others, *results)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        inner = self._scope
        while isinstance(self._scope.node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            self._scope = self._scope.parent or self._scope
        self._bind(node.target.id, node.target)
        self._scope = inner

    def visit_alias(self, node: ast.alias) -> None:
        self.has_star |= node.name == "*"
        self._bind(node.asname or node.name.partition(".")[0], node)

    def visit_Global(self, node: ast.Global) -> None:
        self._scope.declared.update(dict.fromkeys(node.names, self.scopes[0]))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._scope.declared.update(dict.fromkeys(node.names))

    def generic_visit(self, node: ast.AST) -> None:
        match node:  # the nodes that bind a name which they hold as text
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self._bind(name, node)
            case ast.MatchMapping(rest=str(name)):
                self._bind(name, node)
            case _ if type(node).__name__ in TYPE_PARAMETERS:
                self._bind(node.name, node)  # type: ignore[attr-defined]  # Python 3.12
        super().generic_visit(node)


def _arguments(given: ast.arguments) -> list[ast.arg]:
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [argument for argument in every if argument]
