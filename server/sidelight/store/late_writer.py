"""Writing that nobody waits for: one thread, in order, and of what waits under one key only the newest."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

_Item = TypeVar("_Item")

_PAUSE_S = 0.03


class LateWriter(Generic[_Item]):
    """Hands items to ``write``, each soon after it was put. The thread begins with the first item.

    It is a daemon: a process that ends without ``close`` does not wait for it.
    """

    def __init__(self, write: Callable[[_Item], None], name: str) -> None:
        self._write = write
        self._name = name
        self._changed = Condition()
        self._waiting: OrderedDict[str, _Item] = OrderedDict()
        self._is_writing = False
        self._is_closing = False
        self._waiters = 0
        self._thread: Thread | None = None

    def put(self, key: str, item: _Item) -> None:
        """Let an item be written, in the place of the one that waits under the same key; never blocks."""
        with self._changed:
            self._waiting[key] = item
            self._is_closing = False
            self._changed.notify_all()
            if self._thread is None:
                thread = Thread(target=self._run, name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # too many threads, or the process is ending
                    log.warning("nothing can be kept now: %s", error)
                else:
                    self._thread = thread

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is left to write; tells whether that was so in time."""
        deadline = monotonic() + timeout_s
        with self._changed:
            self._waiters += 1
            self._changed.notify_all()
            try:
                while self._waiting or self._is_writing:
                    if not self._changed.wait(max(0.0, deadline - monotonic())) and monotonic() > deadline:
                        return False
                return True
            finally:
                self._waiters -= 1

    def close(self, timeout_s: float) -> bool:
        """Wait like ``flush``, and end the thread; what is put later begins another."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        return self.flush(timeout_s)

    def _run(self) -> None:
        while (item := self._next()) is not None:
            try:
                self._write(item[0])
            except Exception:  # the rim of a thread: the next item may do better
                log.exception("something could not be kept")

    def _next(self) -> tuple[_Item] | None:
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
            # Many answers that run at once would keep this thread busy, and the others waiting for the interpreter.
            self._changed.wait_for(lambda: self._is_closing or self._waiters, _PAUSE_S)
            while not self._waiting:
                if self._is_closing:
                    self._thread = None
                    return None
                self._changed.wait()
            self._is_writing = True
            return (self._waiting.popitem(last=False)[1],)
