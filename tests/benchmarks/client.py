"""The two other ends of a measurement: a language client that looks at the clock, and the upstream's process."""

from __future__ import annotations

import itertools
import json
import os
import re
import select
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from time import clock_gettime_ns, monotonic, monotonic_ns
from typing import Any

_HERE = Path(__file__).parent
_PATIENCE_S = 30.0
_STAMP = re.compile(r"@(\d+)")
_LENGTH = re.compile(rb"Content-Length: (\d+)")


class Client:
    """Starts a language server and talks to it. ``latencies`` holds (sent, nanoseconds on the way) by token."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.started_ns = monotonic_ns()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            env=environment, cwd=folder,
        )  # fmt: skip
        self.results: dict[int, dict[str, Any]] = {}
        self.latencies: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.errors = b""
        self._ids = itertools.count(1)
        self._buffer = b""
        self._poll = select.poll()
        self._out, self._err = self.process.stdout.fileno(), self.process.stderr.fileno()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._err, select.POLLIN)

    def tell(self, method: str, params: Any) -> int:
        """Send a notification; returns when."""
        now = monotonic_ns()
        self._send({"method": method, "params": params})
        return now

    def request(self, method: str, params: Any) -> int:
        """Send a request; returns its id."""
        id_ = next(self._ids)
        self._send({"id": id_, "method": method, "params": params})
        return id_

    def ask(self, method: str, params: Any, patience_s: float = _PATIENCE_S) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        id_ = self.request(method, params)
        self.wait(lambda: id_ in self.results, patience_s)
        return self.results[id_]

    def initialize(self) -> int:
        """Shake hands as far as the answer; returns the nanoseconds since the start of the process."""
        self.ask("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": {}})
        return monotonic_ns() - self.started_ns

    def first_request(self) -> int:
        """Ask something that every server refuses; returns the nanoseconds from the start of the process to that."""
        self.tell("initialized", {})
        self.ask("workspace/executeCommand", {"command": "nobody.knows.this"})
        return monotonic_ns() - self.started_ns

    def run(self, slug: str, token: str | None = None) -> int:
        """Begin a run of which the upstream makes what ``slug`` says; returns the request's id. Forgets the last."""
        token = token or slug
        self.latencies.pop(token, None)
        params = {"task": "ask", "instruction": "What does it do?", "workspace": slug}
        return self.request("sidelight/run", params | {"partialResultToken": token, "workDoneToken": f"work-{token}"})

    def run_to_end(self, slug: str) -> list[float]:
        """Run, and return the latencies in milliseconds."""
        id_ = self.run(slug)
        self.wait(lambda: id_ in self.results)
        finish = self.results[id_].get("result", {}).get("finish")
        if finish != "complete":
            raise SystemExit(f"the run {slug} ended wrongly: {self.results[id_]}")
        return [passed / 1e6 for _, passed in self.latencies[slug]]

    def wait(self, is_done: Callable[[], object], patience_s: float = _PATIENCE_S) -> None:
        """Take what the server sends until ``is_done``."""
        give_up = monotonic() + patience_s
        while not is_done():
            ready = self._poll.poll(1000)
            if monotonic() > give_up or (not ready and self.process.poll() is not None):
                raise SystemExit(f"no answer from {self.process.args}:\n{self.errors.decode()}")
            for descriptor, _ in ready:
                self._take(descriptor)

    def rest(self, seconds: float) -> None:
        """Take what the server sends for a while."""
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0:
            for descriptor, _ in self._poll.poll(left * 1000):
                self._take(descriptor)

    def cpu_ns(self) -> int:
        """Return the CPU time of the process and all its threads so far: its clock, by clock_getcpuclockid(3)."""
        return clock_gettime_ns((~self.process.pid << 3) | 2)

    def resident_bytes(self) -> int:
        """Return the resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode("ascii")
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def _take(self, descriptor: int) -> None:
        data = os.read(descriptor, 1 << 18)
        now = monotonic_ns()
        if not data:
            self._poll.unregister(descriptor)
        elif descriptor == self._err:
            self.errors += data
        else:
            self._buffer += data
            self._frames(now)

    def _frames(self, now: int) -> None:
        begin = 0
        while (blank := self._buffer.find(b"\r\n\r\n", begin)) > 0:
            end = blank + 4 + int(_LENGTH.search(self._buffer, begin)[1])
            if len(self._buffer) < end:
                break
            self._message(json.loads(self._buffer[blank + 4 : end]), now)
            begin = end
        self._buffer = self._buffer[begin:]

    def _message(self, message: dict[str, Any], now: int) -> None:
        if "method" not in message:
            self.results[message["id"]] = message
        elif message["method"] == "$/progress" and message["params"]["value"]["kind"] == "text":
            sent = map(int, _STAMP.findall(message["params"]["value"]["text"]))
            self.latencies[message["params"]["token"]].extend((at, now - at) for at in sent)


class Upstream:
    """The process of ``upstream.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, _HERE / "upstream.py"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.expect("port")[0])

    def expect(self, word: str) -> list[str]:
        """Skip to the next line that begins with ``word``; returns its other words."""
        for line in self._process.stdout:
            first, *others = line.split()
            if first == word:
                return others
        raise SystemExit("the upstream has ended")

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
