"""``sidelight demo``: starts the real server over stdio, as an editor would, and shows four tasks in the terminal."""

from __future__ import annotations

import difflib
import itertools
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from sidelight.editing.text import Place, Range, Text, split_lines
from sidelight.errors import SidelightError
from sidelight.lsp.framing import MessageDecoder, Received, encode_message
from sidelight.messages import Message, Translator, environment_language, msg, plain
from sidelight.terminal import printable

_SAMPLE = '''\
"""Prices of an order."""


def total(prices, discounts=[]):
    """Return the sum of the prices after the discounts."""
    result = 0
    for price in prices:
        result += price
    for discount in discounts:
        result -= discuont
    return result


def average(prices, digits=2):
    if not prices:
        raise ValueError("no prices")
    return round(total(prices) / len(prices), digits)
'''
_WRONG_NAME = {"start": {"line": 9, "character": 18}, "end": {"line": 9, "character": 26}}
_ANSWER_S = 600
_EXIT_S = 5


@dataclass(frozen=True, slots=True)
class _Step:
    title: Message
    params: dict[str, Any]


_STEPS = (
    _Step(msg("Explain the function `total`"), {"task": "explain", "range": _WRONG_NAME}),
    _Step(
        msg("Fix the diagnostic “undefined name 'discuont'”"),
        {
            "task": "fix",
            "range": _WRONG_NAME,
            "diagnostics": [{"range": _WRONG_NAME, "message": "undefined name 'discuont'", "source": "pyflakes"}],
        },
    ),
    _Step(
        msg("Generate a docstring for `average`"),
        {"task": "generate", "instruction": "Write a docstring", "find": "def average"},
    ),
    _Step(msg("Ask “Which functions are here?”"), {"task": "ask", "instruction": "Which functions are here?"}),
)


def show(write: Translator, *, trusted: bool) -> int:
    """Show everything; returns 0 when every answer was complete, else 1."""
    with tempfile.TemporaryDirectory(prefix="sidelight-demo-") as folder:
        path = Path(folder) / "prices.py"
        path.write_text(_SAMPLE, "utf-8")
        with _Editor(path, trusted=trusted) as editor:
            return _Show(editor, write).run()


class _Show:
    def __init__(self, editor: _Editor, write: Translator) -> None:
        self._editor = editor
        self._write = write
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._times: list[tuple[Message, float, float]] = []

    def run(self) -> int:
        began = monotonic()
        provider = self._editor.initialize(environment_language())
        started_s = monotonic() - began
        self._line(msg("The server was ready after {seconds} s.", seconds=f"{started_s:.2f}"))
        self._say_provider(provider)
        results = [self._step(step) for step in _STEPS]
        self._heading(msg("Times"))
        for title, first_s, all_s in self._times:
            self._line(
                msg("first piece {first} s, in all {whole} s: {title}",
                    first=f"{first_s:.3f}", whole=f"{all_s:.3f}", title=title)
            )  # fmt: skip
        return 0 if all(results) else 1

    def _say_provider(self, provider: dict[str, Any]) -> None:
        if provider.get("provider") == "builtin":
            self._line(
                msg("No model is connected, so the built-in provider answers. To connect AnythingLLM, either copy "
                    ".env.example to .env and fill in its first three lines, or export ANYTHINGLLM_BASE_URL, "
                    "ANYTHINGLLM_API_KEY and ANYTHINGLLM_WORKSPACE_SLUG.")
            )  # fmt: skip
        else:
            name = " ".join(part for part in (provider.get("provider"), provider.get("model")) if part)
            self._line(msg("Answers come from {provider}.", provider=name))

    def _step(self, step: _Step) -> bool:
        self._heading(step.title)
        before = str(self._editor.text)
        began, first_s = monotonic(), 0.0
        result: dict[str, Any] = {}
        for kind, value in self._editor.run(step.params):
            if kind == "result":
                result = value
            elif kind == "error":
                return self._failed(value.get("message", ""), (value.get("data") or {}).get("hint"))
            elif kind in ("text", "replace"):
                first_s = first_s or monotonic() - began
                self._out(("\n" if kind == "replace" else "") + value["text"])
            elif kind in ("reasoning", "status"):
                self._out(value["text"] + ("\n" if kind == "status" else ""), dim=True)
        self._out("\n")
        self._times.append((step.title, first_s, monotonic() - began))
        if "edit" in result:
            self._editor.apply(result["edit"])
            self._diff(before, str(self._editor.text))
        for note in (result.get("notice"), *(source.get("title") for source in result.get("sources") or ())):
            if note:
                self._line(plain(note))
        error = result.get("error")
        return self._failed(error["message"], error.get("hint")) if error else True

    def _failed(self, message: str, hint: str | None) -> bool:
        self._line(msg("✗ {message}", message=plain(f"{message} {hint or ''}".strip())))
        return False

    def _diff(self, before: str, after: str) -> None:
        self._line(msg("What landed in the document:"))
        for line in difflib.unified_diff(split_lines(before), split_lines(after), "prices.py", "prices.py", n=1):
            colour = {"+": "32", "-": "31"}.get(line[0], "2")
            self._out(line if line.endswith("\n") else line + "\n", colour=colour)

    def _heading(self, message: Message) -> None:
        text = self._write(message)
        self._out(f"\n── {text} {'─' * max(3, 70 - len(text))}\n", colour="1")

    def _line(self, message: Message) -> None:
        self._out(self._write(message) + "\n")

    def _out(self, text: str, *, dim: bool = False, colour: str = "") -> None:
        text = printable(text, sys.stdout)
        code = "2" if dim else colour
        print(f"\x1b[{code}m{text}\x1b[0m" if code and self._colours else text, end="", flush=True)


@dataclass(slots=True)
class _Editor:
    """The least of an LSP client: one document, and requests that are answered in turn."""

    path: Path
    trusted: bool
    text: Text = field(default_factory=lambda: Text(_SAMPLE))
    _version: int = 1
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _incoming: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)
    _server: subprocess.Popen[bytes] | None = None
    _status: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> _Editor:
        environment = {**os.environ, "SIDELIGHT_HISTORY": "0"}  # nobody wants to find the demo among conversations
        self._server = subprocess.Popen(
            _server_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._server.stdin is not None
        self._server.stdin.close()  # the server ends when nobody speaks to it any more
        try:
            self._server.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            self._server.kill()

    def initialize(self, locale: str) -> dict[str, Any]:
        """Start the session and open the document; returns the server's status."""
        folder = {"uri": Path.cwd().as_uri(), "name": Path.cwd().name or "/"}
        options = {"trusted": self.trusted}
        params = {
            "processId": os.getpid(),
            "rootUri": folder["uri"],
            "workspaceFolders": [folder],
            "locale": locale,
            "initializationOptions": options,
            "capabilities": {},
        }
        for kind, value in self._request("initialize", params):
            if kind == "error":
                raise SidelightError(plain(str(value.get("message"))))
        self._send({"method": "initialized", "params": {}})
        document = {"uri": self.path.as_uri(), "languageId": "python", "version": 1, "text": str(self.text)}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while not self._status:
            self._take_notification(self._next())
        return self._status

    def run(self, params: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Run a task about the document; yields its partial results, then ``result`` or ``error``."""
        wanted = params.get("find")
        if wanted is not None:
            lines = self.text.lines
            line = next((number for number, text in enumerate(lines) if wanted in text), 0)
            place = {"line": line, "character": 0}
            params = {**params, "range": {"start": place, "end": place}}
        request = {**params, "uri": self.path.as_uri(), "partialResultToken": "demo"}
        yield from self._request("sidelight/run", request)

    def apply(self, edit: dict[str, Any]) -> None:
        """Apply an edit to the document, and tell the server, as an editor does."""
        for change in reversed(edit["documentChanges"][0]["edits"]):  # all speak of the text as it is
            start, end = change["range"]["start"], change["range"]["end"]
            range_ = Range(Place(start["line"], start["character"]), Place(end["line"], end["character"]))
            self.text.replace(range_, change["newText"])
        self._version += 1
        identifier = {"uri": self.path.as_uri(), "version": self._version}
        params = {"textDocument": identifier, "contentChanges": [{"text": str(self.text)}]}
        self._send({"method": "textDocument/didChange", "params": params})

    def _request(self, method: str, params: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        id_ = next(self._ids)
        self._send({"id": id_, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == id_ and "method" not in message:
                kind = "error" if "error" in message else "result"
                yield kind, message[kind]
                return
            if message.get("method") == "$/progress":
                value = message["params"]["value"]
                yield value["kind"], value
            self._take_notification(message)

    def _take_notification(self, message: dict[str, Any]) -> None:
        if message.get("method") == "sidelight/status":
            self._status = message["params"]
        elif message.get("method") == "window/showMessage":
            print(message["params"]["message"], file=sys.stderr)

    def _next(self) -> dict[str, Any]:
        try:
            message = self._incoming.get(timeout=_ANSWER_S)
        except queue.Empty:
            message = {}
        if not message:
            raise SidelightError(msg("The server has gone."), msg("Run `sidelight doctor`; its log has more."))
        return message

    def _send(self, message: dict[str, Any]) -> None:
        assert self._server is not None
        assert self._server.stdin is not None
        self._server.stdin.write(encode_message({"jsonrpc": "2.0", **message}))
        self._server.stdin.flush()

    def _read(self) -> None:
        assert self._server is not None
        assert self._server.stdout is not None
        decoder = MessageDecoder(1 << 30)
        while chunk := os.read(self._server.stdout.fileno(), 1 << 16):
            for incoming in decoder.feed(chunk):
                if isinstance(incoming, Received):
                    self._incoming.put(incoming.value)
        self._incoming.put({})


def _server_command() -> list[str]:
    """Return how to start this very Sidelight: out of its checkout or bundle, else as it is installed."""
    shim = Path(__file__).resolve().parents[1] / "__main__.py"
    start = [str(shim)] if shim.exists() else ["-m", "sidelight"]
    return [sys.executable, "-I", *start, "lsp"]
