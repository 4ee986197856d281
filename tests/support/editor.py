"""An editor, as far as a language server can tell: real stdio, one or more documents, and edits that it applies.

Tests drive it; ``handle`` lets a test answer requests of the server otherwise than a well-behaved editor would.
"""

from __future__ import annotations

import itertools
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from sidelight.editing.text import Place, Range, Text
from sidelight.lsp.framing import MessageDecoder, Received, encode_message
from support.warm import Forked

SERVER = Path(__file__).resolve().parents[2] / "server"
CAPABILITIES: dict[str, Any] = {
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}, "configuration": True},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
}
WAIT_S = 20.0


class Editor:
    """One editor with its own server process, which is started here unless it is given."""

    def __init__(
        self,
        environment: dict[str, str],
        folder: Path,
        arguments: tuple[str, ...] = ("lsp",),
        command: tuple[str, ...] = (sys.executable, "-I", str(SERVER)),
        process: Forked | None = None,
    ) -> None:
        self.process = process or subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
        )
        self.folder = folder
        self.log: list[dict[str, Any]] = []
        self.handle: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.configuration: dict[str, Any] = {}
        self.documents: dict[str, Text] = {}
        self.versions: dict[str, int] = {}
        self._ids = itertools.count(1)
        self._incoming: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stderr: list[bytes] = []
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    # Life

    def initialize(self, **more: Any) -> dict[str, Any]:
        """Begin the session; returns the result of ``initialize``."""
        folder = {"uri": self.folder.as_uri(), "name": self.folder.name}
        params = {"processId": os.getpid(), "rootUri": folder["uri"], "workspaceFolders": [folder], "locale": "en"}
        result = self.request("initialize", {**params, "capabilities": CAPABILITIES, **more})
        self.notify("initialized", {})
        self.wait_for("sidelight/status")
        return result

    def close(self) -> None:
        """End the process, whatever state it is in."""
        for pipe in (self.process.stdin,):
            try:
                pipe and pipe.close()
            except OSError:
                pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            thread.join(5)
        assert self.process.stdout and self.process.stderr
        self.process.stdout.close()
        self.process.stderr.close()

    def exit_code(self, timeout_s: float = WAIT_S) -> int:
        """Wait for the process to end."""
        return self.process.wait(timeout_s)

    @property
    def stderr(self) -> str:
        """What the server has written to stderr so far."""
        return b"".join(self._stderr).decode("utf-8", "replace")

    # Messages

    def send_raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self.send_raw(encode_message({"jsonrpc": "2.0", **message}))

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send({"method": method, "params": params})

    def begin(self, method: str, params: Any) -> int:
        """Send a request; returns its id."""
        id_ = next(self._ids)
        self.send({"id": id_, "method": method, "params": params})
        return id_

    def answer_to(self, id_: int | str | None, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """Return the whole answer to a request; everything else that comes meanwhile is handled and logged."""
        return self.wait_until(lambda message: message.get("id") == id_ and "method" not in message, timeout_s)

    def request(self, method: str, params: Any) -> Any:
        """Send a request and return its result; an error fails the test."""
        answer = self.answer_to(self.begin(method, params))
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method: str, params: Any) -> dict[str, Any]:
        """Send a request and return its error; a result fails the test."""
        answer = self.answer_to(self.begin(method, params))
        assert "error" in answer, answer
        return answer["error"]

    def wait_for(self, method: str, *, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Return the params of the next message of that method for which ``where`` holds."""
        found = self.wait_until(lambda message: message.get("method") == method and where(message.get("params") or {}))
        return found["params"]

    def wait_until(self, is_it: Callable[[dict[str, Any]], bool], timeout_s: float = WAIT_S) -> dict[str, Any]:
        """Return the next message for which ``is_it`` holds."""
        deadline = monotonic() + timeout_s
        while True:
            try:
                message = self._incoming.get(timeout=max(0.01, deadline - monotonic()))
            except queue.Empty:
                raise AssertionError(f"it did not come; came: {self.log[-12:]}\nstderr: {self.stderr}") from None
            if message is None:
                raise AssertionError(f"the server has gone; stderr: {self.stderr}")
            self.log.append(message)
            if "method" in message and "id" in message:
                self._respond(message)
            if is_it(message):
                return message

    def settle(self, seconds: float = 0.2) -> list[dict[str, Any]]:
        """Handle what comes within this time; returns it."""
        before = len(self.log)
        try:
            self.wait_until(lambda _: False, seconds)
        except AssertionError:
            return self.log[before:]

    def seen(self, method: str) -> list[dict[str, Any]]:
        """Return the params of all messages of that method so far."""
        return [message.get("params") or {} for message in self.log if message.get("method") == method]

    def _respond(self, message: dict[str, Any]) -> None:
        method, params = message["method"], message.get("params") or {}
        usual: dict[str, Callable[[dict[str, Any]], Any]] = {
            "workspace/applyEdit": self._apply_edit,
            "workspace/configuration": lambda _: [self.configuration],
            "window/showDocument": lambda _: {"success": True},
        }
        respond = self.handle.get(method) or usual.get(method) or (lambda _: None)
        result = respond(params)
        if isinstance(result, Refusal):
            self.send({"id": message["id"], "error": {"code": -32603, "message": result.message}})
        elif result is not SILENCE:
            self.send({"id": message["id"], "result": result})

    # Documents

    def open(self, name: str, text: str, language: str = "python") -> str:
        """Open a document; returns its URI."""
        uri = (self.folder / name).as_uri()
        self.documents[uri], self.versions[uri] = Text(text), 1
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def type(self, uri: str, line: int, column: int, text: str, *, end: tuple[int, int] | None = None) -> None:
        """Change a document as a user does; columns in UTF-16, so keep to the BMP."""
        start = Place(line, column)
        self._change(uri, Range(start, Place(*end) if end else start), text)

    def _apply(self, uri: str, edits: list[dict[str, Any]]) -> None:
        """Apply edits that all speak of the document as it is, and tell of them in one didChange."""
        changes = []
        for edit in reversed(edits):
            start, end = edit["range"]["start"], edit["range"]["end"]
            places = (Place(start["line"], start["character"]), Place(end["line"], end["character"]))
            self.documents[uri].replace(Range(*places), edit["newText"])
            changes.append({"range": edit["range"], "text": edit["newText"]})
        self.versions[uri] += 1
        identifier = {"uri": uri, "version": self.versions[uri]}
        self.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": changes})

    def _change(self, uri: str, range_: Range, text: str) -> None:
        self.documents[uri].replace(range_, text)
        self.versions[uri] += 1
        ends = [{"line": place.line, "character": place.column} for place in (range_.start, range_.end)]
        change = {"range": {"start": ends[0], "end": ends[1]}, "text": text}
        identifier = {"uri": uri, "version": self.versions[uri]}
        self.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [change]})

    def _apply_edit(self, params: dict[str, Any]) -> dict[str, Any]:
        for change in params["edit"]["documentChanges"]:
            uri = change["textDocument"]["uri"]
            if change["textDocument"]["version"] not in (None, self.versions.get(uri)):
                return {"applied": False}
            if uri in self.documents:
                self._apply(uri, change["edits"])
        return {"applied": True}

    # Reading

    def _read(self) -> None:
        assert self.process.stdout
        decoder = MessageDecoder(1 << 30)
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            for incoming in decoder.feed(data):
                assert isinstance(incoming, Received), incoming
                self._incoming.put(incoming.value)
        self._incoming.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr
        while data := os.read(self.process.stderr.fileno(), 1 << 16):
            self._stderr.append(data)


class Refusal:
    """An editor's error answer."""

    def __init__(self, message: str) -> None:
        self.message = message


SILENCE = object()
"""No answer at all."""
