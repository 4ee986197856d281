"""The generate task, as far as it goes without a model: a docstring from what a definition shows of itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sidelight.core.context import Context
from sidelight.messages import Message, Translator, msg
from sidelight.providers.builtin.explain import attributes
from sidelight.providers.builtin.function import owner, parameters, raised, results
from sidelight.providers.builtin.page import Block, Listing, code, how_to_connect, listed
from sidelight.providers.builtin.program import Definition, Edit, Function, Program, own_nodes, read
from sidelight.providers.builtin.syntax import error_sentence

ASKED = re.compile(r"doc|describ|文档|注释|说明", re.IGNORECASE)


def generate(context: Context, say: Translator) -> Iterator[Block]:
    """Yield the target with a docstring in it, or why there is none."""
    program = read(context, context.target)
    start, tail = program.edges(context.target)
    program = _with_body(program)
    node = _definition(program, context)
    if not _is_asked(context, program):
        yield msg("Without a model, Sidelight writes docstrings only; it cannot follow an instruction or a comment.")
        yield how_to_connect()
    elif program.error:
        yield error_sentence(program)
    elif node is None:
        yield msg("There is no function or class here that lacks a docstring and has a body of its own lines.")
        yield how_to_connect()
    else:
        place = program.start(program.header_end(node) + 1)
        after = program.edited([Edit(place, place, _docstring(program, node, say))])
        if after.error or not start <= place <= len(program.text) - tail:
            yield msg(
                "The docstring would stand outside of the lines that may be changed; select all of {name}.",
                name=code(node.name),
            )
            return
        yield msg(
            "The docstring says what the code of {name} shows; what it is for, only you can add.", name=code(node.name)
        )
        yield Listing(after.text[start : len(after.text) - tail])


def _is_asked(context: Context, program: Program) -> bool:
    if context.instruction:
        return bool(ASKED.search(context.instruction))
    return not program.line(context.selection.start.line + 1).lstrip().startswith("#")


def _definition(program: Program, context: Context) -> Definition | None:
    """Return the definition at the place that can take a docstring."""
    nodes = program.definitions(context.selection.start.line + 1, context.selection.end_line)
    return next((node for node in nodes if ast.get_docstring(node) is None and program.header_end(node)), None)


def _with_body(program: Program) -> Program:
    """Return the program with a body under the signature that has none yet, if that is all it lacks."""
    found = re.search(
        r"expected an indented block after (?:function|class) definition on line (\d+)", str(program.error)
    )
    if not found:
        return program
    line = int(found[1]) + program.first - 1
    while not re.search(r":\s*(#.*)?$", program.line(line)) and program.line(line):
        line += 1
    indent = re.sub(r"\S.*", "", program.line(int(found[1]) + program.first - 1).rstrip("\r\n"))
    newline = "" if program.line(line).endswith(("\r", "\n")) else program.newline
    place = program.start(line + 1)
    return program.edited([Edit(place, place, f"{newline}{indent}    ...{program.newline}")])


def _docstring(program: Program, node: Definition, say: Translator) -> str:
    sections = _attributes(node, say) if isinstance(node, ast.ClassDef) else _sections(program, node, say)
    paragraphs = [[f"{_words(node.name).capitalize()}."]]
    paragraphs += [[f"{title}:", *(f"    {entry}" for entry in entries)] for title, entries in sections if entries]
    lines = "\n\n".join("\n".join(paragraph) for paragraph in paragraphs).replace("\\", "\\\\").replace('"""', "'''")
    closing = '"""' if len(paragraphs) == 1 else '\n"""'
    indent = program.indent(node.body[0])
    return "".join(f"{indent}{line}".rstrip() + program.newline for line in f'"""{lines}{closing}'.split("\n"))


def _attributes(node: ast.ClassDef, say: Translator) -> Iterator[tuple[str, list[str]]]:
    yield "Attributes", [f"{name}: {say(_the(name))}" for name in attributes(node) if not name.startswith("_")]


def _sections(program: Program, node: Function, say: Translator) -> Iterator[tuple[str, list[str]]]:
    """Yield the sections of Google's style with their entries."""
    hidden = ("self", "cls") if owner(program, node) else ()
    yield "Args", [_argument(program, *each, say) for each in parameters(node) if each[1].arg not in hidden]
    hint = f"{program.source(node.returns)}: " if node.returns else ""
    for title, kinds in (("Yields", (ast.Yield, ast.YieldFrom)), ("Returns", (ast.Return,))):
        values = [value for value in results(program, node, *kinds) if value != "None" or title == "Yields"]
        yield title, [hint + say(msg("The value of {values}.", values=listed(values)))] if values else []
    yield "Raises", [f"{name}: {_cause(program, node, place, say)}" for name, place in raised(program, node).items()]


def _argument(program: Program, stars: str, argument: ast.arg, default: ast.expr | None, say: Translator) -> str:
    hint = f" ({program.source(argument.annotation)})" if argument.annotation else ""
    text = _the(argument.arg)
    if default:
        text = msg(
            "The {words}; {default} when not given.", words=_words(argument.arg), default=code(program.source(default))
        )
    return f"{stars}{argument.arg}{hint}: {say(text)}"


def _the(name: str) -> Message:
    return msg("The {words}.", words=_words(name))


def _words(name: str) -> str:
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W_a-zA-Z]+", name)).lower() or name


def _cause(program: Program, node: Function, place: ast.Raise, say: Translator) -> str:
    """Return when an exception is raised: what it says itself, or the condition in which it stands."""
    match place.exc:
        case ast.Call(args=[ast.Constant(str(text)), *_]):
            return text
    for item in own_nodes(node.body):
        if isinstance(item, ast.If) and place in item.body:
            return say(msg("When {condition}.", condition=code(program.source(item.test))))
    return say(msg("When it cannot go on."))
