"""The ask task: the few questions that a document itself can answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from sidelight.core.context import Context
from sidelight.messages import Message, msg
from sidelight.providers.builtin.explain import explain_definition, outline, reported, wrong
from sidelight.providers.builtin.faults import find_faults
from sidelight.providers.builtin.page import Block, Heading, Item, code, how_to_connect
from sidelight.providers.builtin.program import DEFINITIONS, Program, is_python, read
from sidelight.providers.builtin.syntax import explain_error

DEFINES = re.compile(r"\b(functions?|class(es)?|methods?|outline|defines?)\b|函数|类|方法|大纲", re.IGNORECASE)
WRONG = re.compile(r"\b(wrong|problems?|errors?|bugs?|diagnostics?|issues?)\b|错误|问题|诊断", re.IGNORECASE)
WHERE = re.compile(r"\b(where|used|uses?|lines?)\b|哪里|在哪|使用", re.IGNORECASE)

SHOWN_PLACES = 20


def answer(context: Context) -> Iterator[Block]:
    """Yield the answer, or that there is none without a model."""
    question = context.instruction
    program = read(context, context.selection) if is_python(context) else Program("")
    name = _name_in(question, program)
    named = [node for node in ast.walk(program.tree) if isinstance(node, DEFINITIONS) and node.name == name]
    if program.error:
        yield from explain_error(program)
    elif named and not WHERE.search(question):
        yield from explain_definition(program, named[0], find_faults(program))
    elif name:
        yield from _places(program, name)
    elif program.tree.body and WRONG.search(question):
        yield from reported(context)
        yield from wrong(find_faults(program))
    elif program.tree.body and DEFINES.search(question):
        yield Heading(msg("What it defines"))
        yield from outline(program.tree.body)
    else:
        yield msg("Free questions cannot be answered without a model.")
        yield msg(
            "A Python file itself can tell what it defines, where a name is set and used, and what looks wrong in it."
        )
    yield how_to_connect()


def _name_in(question: str, program: Program) -> str | None:
    """Return the name of the program that a question is about: one in backticks, else the last one known."""
    quoted = re.findall(r"`([^`]+)`", question)
    words = quoted or re.findall(r"[A-Za-z_][A-Za-z0-9_]+", question)
    known = {_name_of(node) for node in ast.walk(program.tree)}
    return next((word for word in reversed(words) if word in known), None)


def _name_of(node: Any) -> str | None:
    match node:
        case ast.Name(name) | ast.Attribute(_, name) | ast.arg(name):
            return name
        case ast.alias(name, other):
            return other or name.partition(".")[0]
    return node.name if isinstance(node, DEFINITIONS) else None


def _places(program: Program, name: str) -> Iterator[Block]:
    """Yield where a name is set, and where it is read, with the lines."""
    nodes: list[Any] = [node for node in ast.walk(program.tree) if _name_of(node) == name]
    read = sorted({node.lineno for node in nodes if isinstance(getattr(node, "ctx", None), ast.Load)})
    bound = sorted({node.lineno for node in nodes if not isinstance(getattr(node, "ctx", None), ast.Load)})
    yield from _listed(program, bound, msg("{name} is set here:", name=code(name)))
    yield from _listed(program, read, msg("{name} is used here:", name=code(name)))


def _listed(program: Program, lines: list[int], title: Message) -> Iterator[Block]:
    if lines:
        yield title
    for line in lines[:SHOWN_PLACES]:
        yield Item(msg("Line {line}: {code}", line=line, code=code(program.line(line))))
    if more := len(lines[SHOWN_PLACES:]):
        yield msg("There is more than is listed here: {count}.", count=more)
