"""A program in a pseudo-terminal: what is typed reaches it as keys, what it draws is read and dropped."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

_KEPT_BYTES = 4000
# Makes the terminal on its stdin the controlling one, which Emacs opens by name.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A program with a terminal of its own; ``screen`` is the end of what it drew, with its control sequences."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.screen = b""
        self._fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _TAKE_TERMINAL, *command], env={**environment, "TERM": "xterm"}, cwd=folder,
            stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # the program has ended
                return
            self.screen = (self.screen + data)[-_KEPT_BYTES:]

    def type(self, keys: str) -> None:
        """Type keys, control characters included."""
        os.write(self._fd, keys.encode())

    def close(self) -> None:
        """End the program."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._reader.join(5)
        os.close(self._fd)
