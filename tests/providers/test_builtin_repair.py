"""What the built-in provider repairs: what is certain, in the target alone."""

from __future__ import annotations

import os
import re
import stat
import sys
import threading
from pathlib import Path

import pytest

from sidelight.core.answers import Text
from sidelight.core.context import Context, Diagnostic
from sidelight.core.ports import Prompt, Request
from sidelight.core.stopping import Stop, Stopped
from sidelight.editing.text import Place, Range, split_lines
from sidelight.providers.builtin import BuiltinProvider
from sidelight.providers.builtin.program import Program
from sidelight.providers.builtin.ruff import find_ruff, ruff_faults

PRICES = """\"\"\"Prices of an order.\"\"\"


def total(prices, discounts=[]):
    \"\"\"Return the sum of the prices after the discounts.\"\"\"
    result = 0
    for price in prices:
        result += price
    for discount in discounts:
        result -= discuont
    return result
"""

FIXED = """def total(prices, discounts=None):
    \"\"\"Return the sum of the prices after the discounts.\"\"\"
    if discounts is None:
        discounts = []
    result = 0
    for price in prices:
        result += price
    for discount in discounts:
        result -= discount
    return result
"""


def lines(first: int, last: int) -> Range:
    """The lines from ``first`` to ``last``, counted from 1."""
    return Range(Place(first - 1, 0), Place(last, 0))


def fix(text: str, target: Range | None = None, diagnostics: tuple[Diagnostic, ...] = ()) -> str:
    document = tuple(split_lines(text))
    target = target or lines(1, len(document) - 1)
    context = Context("a.py", "python", document, target, target, diagnostics)
    events = BuiltinProvider().stream(Request("fix", Prompt("", ""), context, "conversation"), Stop())
    return "".join(event.text for event in events if isinstance(event, Text))


def block(text: str) -> str | None:
    """The code of the one fenced block of an answer, or None when it has none."""
    found = re.findall(r"^(```+)python\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    assert len(found) <= 1
    assert bool(found) == ("```" in text)
    return found[0][1] if found else None


def repaired(text: str, target: Range | None = None) -> str | None:
    return block(fix(text, target))


def test_the_demo_is_fixed_with_reasons() -> None:
    said = fix(PRICES, lines(4, 11), diagnostics=(Diagnostic(lines(10, 10), "undefined name 'discuont'"),))
    assert block(said) == FIXED
    assert (
        "Line 10: `discuont` is not defined; `discount` was probably meant. It now reads `result -= discount`." in said
    )
    assert "left for you" not in said


def test_the_whole_file_as_target_keeps_the_rest() -> None:
    assert repaired(PRICES) == '"""Prices of an order."""\n\n\n' + FIXED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(x)\n    return x\n", "def f(x):\n    return x\n"),
        ("def f(x:\n    return x\n", "def f(x):\n    return x\n"),
        ("x = 1\nif x = 2:\n    x = 3\n", "x = 1\nif x == 2:\n    x = 3\n"),
        ("x = [\n    1,\n    2,\n\ny = 3\n", "x = [\n    1,\n    2,\n]\n\ny = 3\n"),
        ("x = (1, 2]\n", "x = (1, 2)\n"),
        ("print([1, 2)\n", "print([1, 2])\n"),
        ("print('a)\n", "print('a')\n"),
        ("def f(x):\n    retrun x\n", "def f(x):\n    return x\n"),
        ("def f(x)\n    retrun x\n", "def f(x):\n    return x\n"),
        ("x = 1\nif x == None and not x != None: pass\n", "x = 1\nif x is None and not x is not None: pass\n"),
        ("x = 1\nif x is 'a': pass\n", "x = 1\nif x == 'a': pass\n"),
        ("x = 1\nif x is not 3: pass\n", "x = 1\nif x != 3: pass\n"),
        ("try: pass\nexcept: pass\n", "try: pass\nexcept Exception: pass\n"),
        ("assert (print, 'a')\n", "assert print, 'a'\n"),
        ("é = 'ü'; pritn('\U0001f600', é)\n", "é = 'ü'; print('\U0001f600', é)\n"),
        ('"""Doc."""\nx = json.dumps(1)\n', '"""Doc."""\n\nimport json\nx = json.dumps(1)\n'),
        ("import sys\n\nprint(sys, os.sep)\n", "import os\nimport sys\n\nprint(sys, os.sep)\n"),
        (
            "class A:\n\tasync def f(self, x: list[int] = []):\n\t\t# why\n\t\treturn x\n",
            (
                "class A:\n\tasync def f(self, x: list[int] | None = None):\n"
                "\t\tif x is None:\n\t\t\tx = []\n\t\t# why\n\t\treturn x\n"
            ),
        ),
    ],
)
def test_a_clear_fault_is_repaired(before: str, after: str) -> None:
    assert repaired(before) == after
    assert repaired(before.replace("\n", "\r\n")) == after


@pytest.mark.parametrize(
    "text",
    [
        "q = lambda T: T\nq(q.x == None)\n",  # a query may mean it
        "def f(x=[]): return x\n",  # no lines of its own to put the value into
        "def f(x=[]): ...\n",
        "def f(x, memo={}):\n    return memo[x]\n",
        "abc = abd = 1\nprint(abe)\n",  # as near to one as to the other is not near enough
        "x = = (\n",
    ],
)
def test_what_is_not_certain_is_not_touched(text: str) -> None:
    said = fix(text)
    assert block(said) is None
    assert "No model is connected" in said


def test_nothing_outside_of_the_target_changes() -> None:
    text = "def f(x=[]):\n    return x\n\n\ndef g(x=[]):\n    return x\n"
    assert repaired(text, lines(5, 6)) == "def g(x=None):\n    if x is None:\n        x = []\n    return x\n"


def test_an_import_that_belongs_above_the_target_is_told() -> None:
    said = fix("x = 1\n\n\ndef f():\n    return json.dumps(x)\n", lines(4, 5))
    assert block(said) is None
    assert "the file needs `import json`" in said


def test_an_error_outside_of_the_target_is_told() -> None:
    said = fix("def f(x)\n    return x\n\n\ny = 1\n", lines(5, 5))
    assert block(said) is None
    assert "In line 1" in said


def test_a_diagnostic_that_it_cannot_answer_is_listed() -> None:
    found = Diagnostic(lines(2, 2), "type of x is partially unknown", "Pyright")
    said = fix("def f(x=[]):\n    return x\n", diagnostics=(found,))
    assert "Line 2: type of x is partially unknown (Pyright)" in said


# Ruff


def fake_ruff(folder: Path, script: str) -> Path:
    path = folder / "ruff"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for ruff is a shell script")


@pytest.mark.skipif(not find_ruff(), reason="ruff is not installed")
def test_ruff_fixes_what_is_safe_to_fix() -> None:
    said = fix("import os\nx = 1\nif not x in [1]:\n    print(f'é')\n")
    assert block(said) == "x = 1\nif x not in [1]:\n    print('é')\n"
    assert "Ruff says: `os` imported but unused (F401)." in said


@posix
def test_a_stop_ends_ruff(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    ruff = fake_ruff(tmp_path, f"echo > '{started}'\nexec sleep 60")
    stop = Stop()

    def stop_it() -> None:
        started.read_text()  # until the stand-in has begun
        stop.set()

    thread = threading.Thread(target=stop_it)
    thread.start()
    with pytest.raises(Stopped):
        ruff_faults(ruff, Program("x = 1\n"), stop)
    thread.join()


@posix
@pytest.mark.parametrize("script", ["exit 2", "echo nonsense", "cat"])
def test_a_ruff_that_fails_finds_nothing(tmp_path: Path, script: str) -> None:
    assert ruff_faults(fake_ruff(tmp_path, script), Program("x = 1\n"), Stop()) == []


@posix
def test_ruff_gets_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYTHINGLLM_API_KEY", "secret")
    ruff = fake_ruff(tmp_path, f"env > '{tmp_path}/env'")
    ruff_faults(ruff, Program("x = 1\n"), Stop())
    assert "secret" not in (tmp_path / "env").read_text()


@posix
def test_a_ruff_inside_the_opened_folder_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project" / "bin").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    ruff = fake_ruff(tmp_path / "project" / "bin", "exit 0")
    monkeypatch.setenv("PATH", str(ruff.parent), prepend=os.pathsep)
    assert find_ruff(beside=tmp_path / "empty") == ruff
    assert find_ruff([tmp_path / "project"], beside=tmp_path / "empty") is None
    monkeypatch.chdir(tmp_path / "project")
    assert find_ruff(beside=tmp_path / "empty") is None
    assert find_ruff(beside=ruff.parent) == ruff, sys.executable
