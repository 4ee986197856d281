"""Notices that nobody is there any more: the parent process has ended, or the client has closed our output.

A thread that sleeps in the kernel where the platform can wake it (pidfd, poll; a process handle on Windows), and looks
once a second elsewhere. A process id that is not alive when we first look is ignored: it may be a container's.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable

_LOOK_EVERY_MS = 1000


def watch(parent: int | None, output: int, ended: Callable[[str], None]) -> None:
    """Call ``ended`` from another thread, with the reason, when the parent or the reader of ``output`` is gone."""
    if sys.platform == "win32":
        target, arguments = _watch_windows, (parent, ended)
    else:
        target, arguments = _watch_posix, (parent, output, ended)
    threading.Thread(target=target, args=arguments, name="watchdog", daemon=True).start()


if sys.platform != "win32":

    def _watch_posix(parent: int | None, output: int, ended: Callable[[str], None]) -> None:
        poll = select.poll()
        poll.register(output, 0)  # reports nothing but errors: that the reading end was closed
        pidfd = _pidfd(parent)
        if pidfd is not None:
            poll.register(pidfd, select.POLLIN)
        looks = parent is not None and pidfd is None and _is_alive(parent)
        while True:
            for descriptor, _ in poll.poll(_LOOK_EVERY_MS if looks else None):
                if descriptor == pidfd:
                    return ended("the editor's process has ended")
                return ended("the client closed standard output")
            if looks and parent is not None and not _is_alive(parent):
                return ended("the editor's process has ended")

    def _pidfd(parent: int | None) -> int | None:
        if parent is None or not hasattr(os, "pidfd_open"):
            return None
        try:
            return os.pidfd_open(parent)
        except (OSError, OverflowError):
            return None

    def _is_alive(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except (PermissionError, OverflowError):
            return True
        return True

else:

    def _watch_windows(parent: int | None, ended: Callable[[str], None]) -> None:
        """Wait on the parent's handle. Signals are no way to look here: on Windows they end the process."""
        import ctypes

        synchronize, infinite = 0x00100000, 0xFFFFFFFF
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronize, False, parent) if parent else None
        if handle:
            kernel.WaitForSingleObject(handle, infinite)
            ended("the editor's process has ended")
