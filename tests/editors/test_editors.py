"""Real Neovim and real Emacs, with nothing but standard LSP. `make e2e` runs them where they are installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.editor import SERVER

HERE = Path(__file__).parent
CODE = "def greet(name):\n    print('hallo ' + nmae)\n"
FIXED = "def greet(name):\n    print('hallo ' + name)\n"
PROGRAMS = {
    "neovim": ["nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {HERE / 'neovim.lua'}"],
    "emacs": ["emacs", "--batch", "-l", str(HERE / "eglot.el")],
}
Drive = Callable[..., dict[str, Any]]


@pytest.fixture(params=PROGRAMS)
def drive(request: pytest.FixtureRequest, environment: dict[str, str], folder: Path, tmp_path: Path) -> Drive:
    command = PROGRAMS[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    (folder / "a.py").write_text(CODE)

    def run(action: str, line: int = 2) -> dict[str, Any]:
        out = tmp_path / "report.json"
        about = {"FILE": str(folder / "a.py"), "LINE": str(line), "ACTION": action, "OUT": str(out)}
        server = {"PYTHON": sys.executable, "SERVER": str(SERVER)}
        done = subprocess.run(
            command, env={**environment, **about, **server}, cwd=folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert out.exists(), done.stdout + done.stderr
        report: dict[str, Any] = json.loads(out.read_text())
        assert not report.get("error"), report
        return report

    return run


def test_a_fix_lands_in_the_buffer(drive: Drive) -> None:
    report = drive("Fix with Sidelight")
    assert "\n".join(report["buffer"]).strip("\n") == FIXED.strip("\n"), report


def test_an_explanation_is_in_a_file_that_is_named(drive: Drive) -> None:
    report = drive("Explain with Sidelight")
    (message,) = [text for text in report["messages"] if text.startswith("The answer is in ")]
    assert "`nmae` is not defined" in Path(message.removeprefix("The answer is in ")).read_text()
