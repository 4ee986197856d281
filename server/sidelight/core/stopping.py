"""Stopping: one token per job, passed down to whoever waits.

``Stop`` is set once and never cleared. Code that blocks registers a callback that wakes it (the HTTP wire shuts its
socket down); code that loops looks at ``is_set``. Being stopped is not an error: ``Stopped`` never reaches a user.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Stopped(Exception):
    """Raised by waiting code when the stop that it was given has been set."""


class Stop:
    """A flag that calls back when it is set. Safe to use from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask to stop; every registered callback runs once, in this thread."""
        with self._lock:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_stop(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` when stop is asked for (now, if it already was); returns what unregisters it."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def wait(self, seconds: float) -> bool:
        """Sleep until stopped or until ``seconds`` have passed; tells whether it was stopped."""
        return self._event.wait(seconds)

    def raise_if_set(self) -> None:
        """Raise ``Stopped`` if stop was asked for."""
        if self._event.is_set():
            raise Stopped

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)
