"""The VS Code extension from its package: how soon it is of use, and what it takes up. With the tools of `make e2e`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from client import Client
from table import Row, at_most

_ROOT = Path(__file__).resolve().parents[2]
_VSCODE = _ROOT / "tests" / "editors" / "vscode"
_TOOLS = Path(os.environ.get("SIDELIGHT_TEST_TOOLS", Path.home() / ".cache" / "sidelight-test"))
_ROUNDS = 3


def why_not() -> str:
    """Return why this cannot be measured here; empty where it can."""
    programs = [name for name in ("npm", "chromium") if not shutil.which(name)]
    tools = [
        name
        for name in ("node24/node", "code-server/node_modules", "playwright/node_modules")
        if not (_TOOLS / name).exists()
    ]
    if missing := programs + tools + [name for name in ("node_modules",) if not (_ROOT / name).exists()]:
        return f"VS Code was not measured: {', '.join(missing)} not here; `make e2e` brings what it needs."
    return ""


def measure(environment: Mapping[str, str]) -> list[Row]:
    """Measure the packaged server by itself, then the extension in VS Code; ``environment`` is that of the server."""
    with tempfile.TemporaryDirectory() as scratch:
        tools = {
            **os.environ,
            "PYTHON": sys.executable,
            "SIDELIGHT_TEST_TOOLS": str(_TOOLS),
            "CHROMIUM": shutil.which("chromium") or "",
        }
        extension = _output([str(_VSCODE / "install-vsix.sh"), scratch], tools)
        tools["SIDELIGHT_TEST_EXTENSION"] = extension
        rounds = json.loads(_output([str(_TOOLS / "node24/node"), str(_VSCODE / "measure.mjs"), str(_ROUNDS)], tools))
        return _server(Path(extension), Path(scratch), environment) + _extension(rounds)


def _output(command: list[str], environment: Mapping[str, str]) -> str:
    ran = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{command[0]} failed: {ran.stderr}")
    return ran.stdout.strip()


def _server(extension: Path, scratch: Path, environment: Mapping[str, str]) -> list[Row]:
    cold, warm = [], []
    for number in range(_ROUNDS):
        bytecode = scratch / f"bytecode-{number}"
        cold.append(_start_ms(extension, bytecode, environment))
        warm.append(_start_ms(extension, bytecode, environment))
    return [
        at_most("packaged server: start to initialize answered, first time, ms", median(cold), 1000),
        at_most("packaged server: start to initialize answered, after that, ms", median(warm), 200),
    ]


def _start_ms(extension: Path, bytecode: Path, environment: Mapping[str, str]) -> float:
    command = [sys.executable, "-I", "-X", f"pycache_prefix={bytecode}", str(extension / "server"), "lsp"]
    client = Client(command, environment, extension)
    passed_ns = client.initialize()
    client.first_request()  # everything is imported by then, and its bytecode written
    client.end()
    return passed_ns / 1e6


def _extension(rounds: list[list[dict[str, float]]]) -> list[Row]:
    firsts, restarts = zip(*rounds, strict=True)

    def middle(values: tuple[dict[str, float], ...], key: str) -> float:
        return median(one[key] for one in values)

    return [
        at_most("VS Code: activation of the extension, ms", middle(firsts, "activated"), 100),
        at_most("VS Code: activation to server up, first time, ms", middle(firsts, "up"), 3000),
        at_most("VS Code: activation to first code action, first time, ms", middle(firsts, "action"), 5000),
        at_most("VS Code: restart to server up, ms", middle(restarts, "up"), 1000),
        at_most("VS Code: restart to first code action, ms", middle(restarts, "action"), 2000),
        at_most("VS Code: heap of the extension host for us, MiB", middle(firsts, "heapMib"), 20),
        at_most("VS Code: memory of the server after that, MiB", middle(firsts, "serverMib"), 80),
    ]
