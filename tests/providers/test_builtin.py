"""The built-in provider: what it answers without a model, and what it never does."""

from __future__ import annotations

import ast
import random
import re
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Finished, Text
from sidelight.core.context import Context, Diagnostic
from sidelight.core.ports import Prompt, Provider, Request
from sidelight.core.stopping import Stop, Stopped
from sidelight.editing.text import Place, Range, split_lines
from sidelight.providers.builtin import BuiltinProvider

PRICES = '''"""Prices of an order."""


def total(prices, discounts=[]):
    """Return the sum of the prices after the discounts."""
    result = 0
    for price in prices:
        result += price
    for discount in discounts:
        result -= discuont
    return result
'''


def lines(first: int, last: int) -> Range:
    """The lines from ``first`` to ``last``, counted from 1."""
    return Range(Place(first - 1, 0), Place(last, 0))


def context(text: str, place: Range | None = None, name: str = "a.py", **more: object) -> Context:
    document = tuple(split_lines(text))
    place = place or lines(1, len(document) - 1)
    values = {"selection": place, "target": place, "language_id": "python", **more}
    return Context(name=name, lines=document, **values)  # type: ignore[arg-type]


def request(task: str, about: Context) -> Request:
    return Request(task, Prompt("", ""), about, "conversation")


def events(task: str, about: Context) -> list[AnswerEvent]:
    return list(BuiltinProvider().stream(request(task, about), Stop()))


def answer(task: str, text: str, place: Range | None = None, **more: object) -> str:
    answer = Answer()
    for event in events(task, context(text, place, **more)):  # type: ignore[arg-type]
        answer.add(event)
    assert answer.finished == Finished("complete")
    return answer.text


def block(text: str) -> str | None:
    """The code of the one fenced block of an answer, or None when it has none."""
    found = re.findall(r"^(```+)python\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    assert len(found) <= 1
    return found[0][1] if found else None


def repaired(text: str, place: Range | None = None, **more: object) -> str | None:
    return block(answer("fix", text, place, **more))


# The provider


def test_it_is_a_provider_that_needs_nothing() -> None:
    provider: Provider = BuiltinProvider()
    assert (provider.name, provider.model, provider.models()) == ("builtin", "", [])
    assert [check.state for check in provider.checks()] == ["ok", "note"]


def test_an_answer_comes_in_pieces_and_ends_once() -> None:
    *pieces, end = events("explain", context(PRICES))
    assert len(pieces) > 5
    assert all(isinstance(piece, Text) for piece in pieces)
    assert end == Finished("complete")


def test_a_stop_between_two_pieces_ends_the_answer() -> None:
    stop = Stop()
    stream = BuiltinProvider().stream(request("explain", context(PRICES)), stop)
    next(stream)
    stop.set()
    with pytest.raises(Stopped):
        next(stream)


def test_importing_the_provider_does_not_import_the_parser() -> None:
    program = (
        "import sys, sidelight.providers.builtin as b; print([m for m in sys.modules if m.startswith(b.__name__)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_environment()
    )
    assert done.stdout.strip() == "['sidelight.providers.builtin']"


def _environment() -> dict[str, str]:
    import sidelight.messages

    return {"PYTHONPATH": str(Path(sidelight.messages.__file__).parents[1])}


@pytest.mark.parametrize("task", ["explain", "fix", "generate", "ask", "document"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "a\0b\n",
        "x = '\ud800'\n",
        "x" + ".y" * 100_000 + "\n",
        "-" * 100_000 + "1\n",
        "(" * 1000 + "\n",
        "x = [" + "1, " * 200_000 + "]\n",
        "\ufeffdef é(ü=[]):\r\n\treturn '\U0001f600' + ü == None\r\n",
        "def f(a, a): pass\n",
        "return\n",
        "\\",
        ")",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_odd_input_is_answered(task: str, text: str) -> None:
    assert answer(task, text, lines(1, 1))


def test_a_task_of_which_it_knows_nothing_is_said_to_need_a_model() -> None:
    for text in (PRICES, "not Python"):
        [finished] = events("shorten", context(text))
        assert isinstance(finished, Finished) and finished.error
        assert "`shorten` needs a model" in str(finished.error)


def test_a_huge_file_is_read_around_the_place_only() -> None:
    text = "def f(a, b=[]):\n    b.append(a)\n    return b\n\n\n" * 30_000 + PRICES
    first = 30_000 * 5 + 4
    assert "`total`" in answer("explain", text, lines(first, first + 7))
    assert "discounts=None" in str(repaired(text, lines(first, first + 7)))


# Explain


def test_the_demo_is_explained_with_its_two_faults() -> None:
    said = answer("explain", PRICES, lines(9, 9))
    assert "function `total`, lines 4 to 11" in said
    assert "It takes `prices`, `discounts=[]`." in said
    assert "It returns `result`." in said
    assert "Line 4: All calls share the one `[]`" in said
    assert "Line 10: `discuont` is not defined; `discount` was probably meant." in said


def test_what_a_method_reads_and_changes_is_told() -> None:
    text = """LIMIT = 3
class Box:
    def put(self, things, /, *more, key=None, **rest):
        global count
        count = self.size
        for thing in things:
            if thing > LIMIT:
                raise ValueError("too big")
            self.things.append(thing)
        self.full = rest["x"] = True
        things.sort()
"""
    said = answer("explain", text, lines(5, 5))
    assert "method of the class `Box`" in said
    assert "It takes `self`, `things`, `*more`, `key=None`, `**rest`." in said
    assert "by name alone: `key`" in said
    assert "It raises `ValueError`." in said
    assert "It reads `LIMIT`, `self.size`" in said
    assert 'It changes `count`, `self.full`, `rest["x"]`' in said
    assert "It may change what is in `self.things`, `things`." in said
    assert "It returns nothing." in said


def test_a_class_and_a_file_are_outlined() -> None:
    text = 'import os\nclass A(dict):\n    """A thing. More."""\n    x = os\n    def f(self, a): self.y = a\n'
    for place in (lines(2, 2), lines(1, 1)):
        assert "Line 5: `f(self, a)`" in answer("explain", text, place)
    assert "`x`, `y`" in answer("explain", text, lines(2, 2))
    assert "Line 2: `A` – A thing." in answer("explain", text, lines(1, 1))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def f(x):\n    return x\n    print(x)\n", "Line 3: This is never reached"),
        ("def f(x):\n    if x:\n        return 1\n", "returns a value in some cases"),
        ("def f():\n    a = 1\n", "`a` is set here and never read"),
        ("import os\n", "`os` is imported and never used"),
        ("x = f'a'\n", "has no placeholder"),
        ("assert (1, 'a')\n", "never fails"),
        ("x = 1\nx is 1\n", "`1` needs `==`"),
        ("for a in []:\n    for a in []: pass\n", "This loop sets `a` anew"),
        ("try: pass\nexcept: pass\n", "bare `except:`"),
        ("print(x)\n", "`x` is not defined"),
    ],
)
def test_what_looks_wrong_is_told(text: str, fault: str) -> None:
    assert fault in answer("explain", text)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    while True:\n        if x:\n            return 1\n",
        "def f(x):\n    match x:\n        case 1: return 2\n        case _: raise x\n",
        "def f():\n    return\n    yield\n",
        "def f(x) -> int | None:\n    if x:\n        return 1\n",
        "def f(x, _cache={}):\n    return _cache[x]\n",
        "x = f'{1:>10}'\n",
        "try:\n    print(unicode)\nexcept NameError:\n    pass\n",
        "from os import *\nprint(path)\n",
        "class A:\n    x = 1\n    y = [z for z in range(x)]\n",
        "def f():\n    def g():\n        nonlocal a\n        a += 1\n    a = 0\n    g()\n    return a\n",
    ],
)
def test_what_is_right_is_left_alone(text: str) -> None:
    assert "Nothing in it looks wrong." in answer("explain", text)


def test_a_syntax_error_is_shown_with_its_line_and_what_was_meant() -> None:
    said = answer("explain", "def f(x)\n    return x\n")
    assert "In line 1 it says: expected ':'" in said
    assert "def f(x)\n        ^" in said
    assert "It can be read as `def f(x):`." in said


def test_other_languages_are_said_to_be_unread_and_their_diagnostics_listed() -> None:
    found = Diagnostic(lines(1, 1), "bad brace")
    said = answer("explain", "{\n", name="a.js", language_id="javascript", diagnostics=(found,))
    assert "reads Python only" in said
    assert "Line 1: bad brace" in said
    assert "No model is connected" in said


# Ask and generate


def test_the_document_answers_where_a_name_is_used() -> None:
    said = answer("ask", PRICES, instruction="Where is `result` used?")
    assert "Line 11: `return result`" in said


def test_the_document_answers_what_it_defines() -> None:
    assert "`total(prices, discounts)`" in answer("ask", PRICES, instruction="Which functions are here?")


def test_a_free_question_gets_the_way_to_connect_a_model() -> None:
    said = answer("ask", "", name="", language_id="", instruction="What is the meaning of life?")
    assert "cannot be answered without a model" in said
    assert "ANYTHINGLLM_BASE_URL" in said


def test_a_docstring_is_written_from_the_signature() -> None:
    text = "def load_file(path: str, *, retries=3) -> bytes:\n    if not path:\n        raise ValueError\n"
    text += "    return path\n"
    made = block(answer("generate", text))
    assert made is not None
    assert ast.get_docstring(ast.parse(made).body[0]) == (  # type: ignore[arg-type]
        "Load file.\n\nArgs:\n    path (str): The path.\n    retries: The retries; `3` when not given.\n\n"
        "Returns:\n    bytes: The value of `path`.\n\nRaises:\n    ValueError: When `not path`."
    )
    assert made.replace(made[made.index("    " + '"' * 3) : made.rindex('"""\n') + 4], "") == text


def test_a_signature_without_a_body_gets_a_docstring() -> None:
    made = block(answer("generate", "class A:\n    def f(self, a):", lines(2, 2)))
    assert made is not None
    ast.parse("class A:\n" + made)


def test_an_instruction_it_cannot_follow_changes_nothing() -> None:
    said = answer("generate", PRICES, instruction="add a cache")
    assert block(said) is None
    assert "cannot follow an instruction" in said


# Real code


def test_real_code_is_explained_and_fixed_and_still_parses() -> None:
    seed = random.randrange(10_000)
    print("seed", seed)
    chance = random.Random(seed)
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    for path in chance.sample(files, 8):
        text = path.read_text("utf-8")
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        for node in chance.sample(nodes, min(len(nodes), 3)):
            place = lines(node.lineno, node.end_lineno or 0)
            for task in ("explain", "fix", "generate"):
                new = block(answer(task, text, place, name=path.name))
                if new is not None:
                    document = split_lines(text)
                    ast.parse("".join([*document[: node.lineno - 1], new, *document[node.end_lineno :]]))


def test_two_threads_read_at_once() -> None:
    said: list[str] = []
    threads = [threading.Thread(target=lambda: said.append(answer("explain", "x = '\\d'\n"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(said)) == 1
