"""Neovim and Emacs as a user has them: the documented configuration, real keys, the stock client.

Both offer the same few verbs, so that a test is written once. What they draw is not looked at; the buffer, the hints
and the messages are read out of the editor itself.
"""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from editors.terminal import Terminal
from support.editor import SERVER

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs" / "editors"
_WAIT_S = 10.0
_KEY_EVERY_S = 0.03
_LOG_LINES = 40
_WIRE_LINE = 800
# A fresh home has nothing compiled yet, and compiling in the background takes the time that tests measure.
_NO_COMPILING = "(setq native-comp-deferred-compilation nil)"


def snippet(page: str, heading: str, language: str) -> str:
    """Return the first code block of that language below a heading of a page in docs/editors."""
    text = (PAGES / page).read_text("utf-8")
    _, _, section = text.partition(f"\n## {heading}\n")
    _, found, block = section.partition("\n## ")[0].partition(f"```{language}\n")
    assert found, f"{page} has no {language} under “{heading}”"
    return block.partition("```")[0]


class RealEditor(ABC):
    """One editor with one file open in it, and Sidelight attached."""

    def __init__(self, environment: dict[str, str], file: Path, scratch: Path) -> None:
        self.file = file
        self.home = Path(environment["HOME"])
        self.scratch = scratch
        self._errors = scratch / "server.err"
        program = scratch / "bin" / "sidelight"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{SERVER}" "$@" 2>>"{self._errors}"\n')
        program.chmod(0o755)
        self.environment = {
            **environment, "PATH": f"{program.parent}:{environment['PATH']}", "FILE": str(file), "DRIVE": str(scratch)
        }  # fmt: skip

    def begin(self) -> None:
        """Start the editor, and see that Sidelight is there."""
        self.start()
        self.until(lambda state: state["status"] == "ready", "Sidelight is not ready")

    @abstractmethod
    def start(self) -> None:
        """Start the editor."""

    @abstractmethod
    def keys(self, keys: str) -> None:
        """Type keys."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what can be seen now: buffer, hints, messages, status."""

    @abstractmethod
    def append(self, line: str, text: str, every_s: float = _KEY_EVERY_S) -> None:
        """Type a text at the end of the line that holds ``line``, key by key."""

    @abstractmethod
    def act(self, line: str, title: str) -> None:
        """Choose a code action at the line that holds ``line``, by its title or what stands there before a colon."""

    @abstractmethod
    def fix(self, line: str) -> None:
        """Fix the definition round the line that holds ``line``, as a user of this editor does."""

    @abstractmethod
    def ask(self, question: str) -> None:
        """Ask at the documented prompt."""

    @abstractmethod
    def stop(self) -> None:
        """Stop by the documented key."""

    @abstractmethod
    def undo(self) -> None:
        """Use the editor's own undo, once."""

    @abstractmethod
    def wire(self) -> str:
        """Return the editor's own record of what travelled."""

    @abstractmethod
    def close(self) -> None:
        """End the editor, whatever it is doing."""

    @property
    def text(self) -> str:
        """The buffer now."""
        return str(self.state()["buffer"])

    def until(self, is_so: Callable[[dict[str, Any]], bool], otherwise: str) -> dict[str, Any]:
        """Wait until the state is as wanted; return it."""
        deadline = monotonic() + _WAIT_S
        while not is_so(state := self.state()):
            if monotonic() > deadline:
                raise AssertionError(f"{otherwise}\n{json.dumps({**state, 'buffer': ''})}\n{state['buffer']}")
            sleep(0.03)
        return state

    def until_text(self, text: str) -> None:
        """Wait until the buffer is exactly this."""

        def differs(state: dict[str, Any]) -> str:
            lines = text.splitlines(), str(state["buffer"]).splitlines()
            return "\n".join(difflib.unified_diff(*lines, "expected", "buffer", lineterm=""))

        try:
            self.until(lambda state: state["buffer"] == text, "the buffer is not as expected")
        except AssertionError:
            state = self.state()
            raise AssertionError(f"{differs(state)}\n{json.dumps({**state, 'buffer': ''})}") from None

    def until_idle(self) -> dict[str, Any]:
        """Wait until no job runs."""
        return self.until(lambda state: state["status"] in ("ready", "warning"), "the job did not end")

    def until_busy(self) -> None:
        """Wait until a job runs."""
        self.until(lambda state: state["status"] == "busy", "no job began")

    def until_told(self) -> None:
        """Wait until the editor has told the server of a change."""
        deadline = monotonic() + _WAIT_S
        while 'textDocument/didChange"' not in self.wire():
            assert monotonic() < deadline, "the editor told of no change"
            sleep(0.05)

    def report(self) -> str:
        """Return what helps to understand a failure: the buffer, the server's log, the wire."""
        logs = [
            f"── {path.name}\n{_tail(path.read_text('utf-8', 'replace'))}" for path in self.home.rglob("sidelight*.log")
        ]
        errors = _tail(self._errors.read_text("utf-8", "replace")) if self._errors.exists() else ""
        state = json.dumps(self.state(), indent=1)
        return "\n".join(["── state", state, "── the server's stderr", errors, *logs, "── wire", self.wire()])


def _tail(text: str, lines: int = _LOG_LINES) -> str:
    return "\n".join(text.splitlines()[-lines:])


class Neovim(RealEditor):
    """Neovim without a terminal: its keys come over its own socket."""

    def start(self) -> None:
        self._socket = str(self.scratch / "nvim.sock")
        init = self.scratch / "init.lua"
        init.write_text(f"{(HERE / 'neovim.lua').read_text()}\n{snippet('neovim.md', 'Configure', 'lua')}")
        self._log = (self.scratch / "nvim.out").open("wb")
        command = ["nvim", "--headless", "--listen", self._socket, "-u", str(init), "-i", "NONE", "-n", str(self.file)]
        self._process = subprocess.Popen(
            command, env=self.environment, cwd=self.file.parent, stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = monotonic() + _WAIT_S
        while not Path(self._socket).exists() and monotonic() < deadline:
            sleep(0.02)

    def _remote(self, *what: str) -> str:
        done = subprocess.run(
            ["nvim", "--server", self._socket, *what], env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + (self.scratch / "nvim.out").read_text("utf-8", "replace")
        return done.stdout or done.stderr

    def keys(self, keys: str) -> None:
        self._remote("--remote-send", keys)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._remote("--remote-expr", "luaeval('drive.state()')"))
        return state

    def append(self, line: str, text: str, every_s: float = _KEY_EVERY_S) -> None:
        self._go_to(line)
        self.keys("A")
        for key in text:
            self.keys("<lt>" if key == "<" else key)
            sleep(every_s)
        self.keys("<Esc>")

    def _go_to(self, line: str) -> None:
        self._remote("--remote-expr", f"search('\\V{line}', 'cw')")

    def act(self, line: str, title: str) -> None:
        self._go_to(line)
        self._remote("--remote-expr", f"luaeval('rawset(drive, \"pick\", _A)', '{title}')")
        self.keys("<Bslash>sm")

    def fix(self, line: str) -> None:
        self.act(line, "Fix with Sidelight")

    def ask(self, question: str) -> None:
        self.keys(f"<Bslash>sa{question}<CR>")

    def stop(self) -> None:
        self.keys("<Bslash>ss")

    def undo(self) -> None:
        self.keys("u")

    def wire(self) -> str:
        log = next(self.home.rglob("lsp.log"), None)
        lines = log.read_text("utf-8", "replace").splitlines() if log else []
        return _tail("\n".join(" ".join(line.split())[:_WIRE_LINE] for line in lines if '"rpc.' in line))

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._log.close()


class Emacs(RealEditor):
    """Emacs in a terminal, with Eglot: only there do its idle timers run as they do for a user."""

    heading = "Eglot"

    def start(self) -> None:
        init = self.scratch / "init.el"
        init.write_text(";; -*- lexical-binding: t -*-\n" + snippet("emacs.md", self.heading, "elisp"))
        command = ["emacs", "-nw", "-q", "--eval", _NO_COMPILING, "-l", str(init), "-l", str(HERE / "eglot.el")]
        self._terminal = Terminal(command, self.environment, self.file.parent)
        deadline = monotonic() + _WAIT_S
        while not (self.scratch / "emacs").exists() and monotonic() < deadline:
            sleep(0.05)
        self._command("eglot")

    def _command(self, name: str) -> None:
        self.keys(f"\x1bx{name}\r")

    def _eval(self, expression: str) -> str:
        done = subprocess.run(
            ["emacsclient", "-s", str(self.scratch / "emacs"), "--eval", expression], env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        screen = self._terminal.screen.decode("utf-8", "replace")
        assert done.returncode == 0, f"{done.stderr}{done.stdout}\n{screen!r}"
        return done.stdout

    def keys(self, keys: str) -> None:
        self._terminal.type(keys)

    def state(self) -> dict[str, Any]:
        out = self.scratch / "state.json"
        self._eval(f'(drive-state "{out}")')
        state: dict[str, Any] = json.loads(out.read_text("utf-8"))
        return state

    def append(self, line: str, text: str, every_s: float = _KEY_EVERY_S) -> None:
        self._go_to(line)
        self.keys("\x05")
        for key in text:
            self.keys(key)
            sleep(every_s)

    def _go_to(self, line: str) -> None:
        self.keys(f"\x1b<\x13{line}\r")

    def act(self, line: str, title: str) -> None:
        self._go_to(line)
        self.keys("\x03sm")
        self.until(lambda state: state["mode"] == "minibuffer", "no menu of code actions")
        self.keys(f"{title}\r")

    def fix(self, line: str) -> None:
        # Not by a code action: without a region Eglot asks for those at the expression at point, not for the block.
        self._go_to(line)
        self.keys("\x03sf")

    def ask(self, question: str) -> None:
        self.keys(f"\x03sa{question}\r")

    def stop(self) -> None:
        self.keys("\x03ss")

    def undo(self) -> None:
        self.keys("\x1f")

    def wire(self) -> str:
        out = self.scratch / "events.txt"
        self._eval(f'(drive-log "{out}")')
        return _tail(out.read_text("utf-8"), 2000) if out.exists() else ""

    def close(self) -> None:
        self._terminal.close()
