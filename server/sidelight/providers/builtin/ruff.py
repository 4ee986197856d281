"""Ruff, where it is installed: one more finder of faults, and the only program that this provider starts.

Code from an opened folder never runs: ruff comes from beside our own interpreter or from PATH, never from an opened
folder or below the working directory, and reads the text from stdin in a folder that is nobody's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from sidelight.core.stopping import Stop
from sidelight.messages import msg
from sidelight.providers.builtin.program import Edit, Fault, Program

TIMEOUT_S = 10
RULES = "F,E7"  # faults; how code should look is the user's own ruff's to say


def find_ruff(opened: Sequence[Path] = (), beside: Path | None = None) -> Path | None:
    """Return the ruff that may be run while the folders ``opened`` are.

    ``beside`` is the folder that is looked into first; where nothing is said, that of our own interpreter.
    """
    own = (beside or Path(sys.executable).parent) / ("ruff.exe" if os.name == "nt" else "ruff")
    if own.is_file():
        return own
    on_path = shutil.which("ruff")
    if not on_path:
        return None
    found = Path(os.path.abspath(on_path))  # resolve() alone would hide a link that lies in a folder
    unsafe = any(
        path.is_relative_to(folder.resolve()) for path in (found, found.resolve()) for folder in (Path.cwd(), *opened)
    )
    return None if unsafe else found


def ruff_faults(ruff: Path | None, program: Program, stop: Stop) -> list[Fault]:
    """Return what ruff would safely fix; nothing where it is missing, fails or takes too long. Raises ``Stopped``."""
    if not ruff or not program.whole:
        return []
    findings = _run(ruff, program, stop)
    stop.raise_if_set()
    return [_fault(finding, program) for finding in findings if (finding["fix"] or {}).get("applicability") == "safe"]


def _run(ruff: Path, program: Program, stop: Stop) -> list[dict[str, Any]]:
    name = PurePath(program.name).name if program.name.endswith((".py", ".pyi")) else "document.py"
    options = ["--isolated", "--no-cache", "--quiet", f"--select={RULES}", "--output-format=json"]
    try:
        process = subprocess.Popen(
            [ruff, "check", *options, f"--stdin-filename={name}", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
            creationflags=0x08000000 if sys.platform == "win32" else 0,  # CREATE_NO_WINDOW
            env={key: os.environ[key] for key in ("PATH", "SYSTEMROOT", "TEMP") if key in os.environ},  # not our keys
        )
    except OSError:
        return []
    with process:
        forget = stop.on_stop(process.kill)
        try:
            output, _ = process.communicate(program.text.encode(), timeout=TIMEOUT_S)
            found: list[dict[str, Any]] = json.loads(output)
        except (subprocess.TimeoutExpired, ValueError):
            return []
        finally:
            forget()
            process.kill()
    return found


def _fault(finding: dict[str, Any], program: Program) -> Fault:
    def place(location: dict[str, int]) -> int:
        return program.start(location["row"]) + location["column"] - 1

    edits = (
        Edit(place(edit["location"]), place(edit["end_location"]), edit["content"]) for edit in finding["fix"]["edits"]
    )
    text = msg("Ruff says: {message} ({code}).", message=finding["message"], code=finding["code"])
    return Fault(finding["location"]["row"], text, tuple(edits))
