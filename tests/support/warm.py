"""Language servers forked from a process that has imported everything: a start takes a tenth of the time.

On Linux alone; elsewhere, and in tests/lsp/test_stdio.py, each server is a process of its own from the beginning. What
is forked runs ``sidelight lsp`` from its first line, with the environment, folder and streams that it was given.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

IS_POSSIBLE = sys.platform == "linux" and hasattr(os, "pidfd_open")
_SERVER = Path(__file__).resolve().parents[2] / "server"
_MOST_BYTES = 1 << 20


class Forked:
    """A forked server: as much of ``subprocess.Popen`` as tests use."""

    def __init__(self, pid: int, status: int, pipes: list[IO[bytes]]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = pipes
        self._status = status

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises ``subprocess.TimeoutExpired``."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("sidelight lsp", timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(os.read(self._status, 4), "little"))
            os.close(self._status)
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def start(environment: dict[str, str], folder: Path) -> Forked:
    """Return a running ``sidelight lsp``."""
    pipes = [os.pipe() for _ in range(4)]  # stdin, stdout, stderr, and the exit status
    given = [pipes[0][0], pipes[1][1], pipes[2][1], pipes[3][1]]
    kept = [pipes[0][1], pipes[1][0], pipes[2][0]]
    nursery = _nursery()
    order = json.dumps({"environment": environment, "folder": str(folder)}).encode()
    socket.send_fds(nursery, [order], given)
    for fd in given:
        os.close(fd)
    pid = int.from_bytes(nursery.recv(8), "little")
    assert pid, "the process that forks servers has ended"
    return Forked(pid, pipes[3][0], [os.fdopen(fd, mode) for fd, mode in zip(kept, ("wb", "rb", "rb"), strict=True)])


@functools.cache
def _nursery() -> socket.socket:
    """Return the connection to the process that forks; it ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-I", str(Path(__file__).resolve()), str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait(10)

    atexit.register(end)
    return ours


# In the process that forks


def _serve(orders: socket.socket) -> None:
    """Fork a server for each order, and say how each ended."""
    _import_all()
    running = selectors.DefaultSelector()
    running.register(orders, selectors.EVENT_READ)
    while True:
        for key, _ in running.select():
            if key.data is None:
                data, fds, _, _ = socket.recv_fds(orders, _MOST_BYTES, 4)
                if not data:
                    return
                pid = os.fork()
                if not pid:
                    _run(json.loads(data), fds, [orders, running])
                for fd in fds[:3]:
                    os.close(fd)
                running.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, fds[3]))
                orders.send(pid.to_bytes(8, "little"))
            else:
                pid, told = key.data
                running.unregister(key.fd)
                os.close(key.fd)
                os.write(told, os.waitpid(pid, 0)[1].to_bytes(4, "little"))
                os.close(told)


def _import_all() -> None:
    sys.path.insert(0, str(_SERVER))
    import requests  # noqa: F401
    import sqlalchemy  # noqa: F401

    import sidelight.choosing
    import sidelight.cli
    import sidelight.connecting
    import sidelight.doctor
    import sidelight.lsp.server
    import sidelight.providers.anythingllm
    import sidelight.store.conversations
    import sidelight.store.restore_points  # noqa: F401


def _run(order: dict[str, Any], fds: list[int], inherited: list[Any]) -> None:
    """Be the server."""
    for each in inherited:
        each.close()
    for fd, standard in zip(fds[:3], (0, 1, 2), strict=True):
        os.dup2(fd, standard)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.stdin, sys.stdout = os.fdopen(0, "r", closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    main: Callable[[list[str]], int] = sys.modules["sidelight.cli"].main
    code = 1
    try:
        code = main(["lsp"])
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
