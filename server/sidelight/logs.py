"""Logging: warnings to stderr, more to one file a process in the platform's log folder.

Every line carries the id of the job that it belongs to. At info and above there is no code and no key; secrets that
are known are masked at every level.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import queue
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from time import monotonic, sleep, strftime
from typing import Any

from sidelight.processes import is_running
from sidelight.setting_values import may_hold_password

_FORMAT = "%(asctime)s %(levelname)s [%(job)s] %(name)s: %(message)s"
_BYTES_A_FILE = 1 << 20
_KEPT_FILES = 10
_MOST_WAITING = 10_000
_SECRET_NAME = re.compile(r"(?:key|password|secret|authorization|headers)$", re.IGNORECASE)
_ADDRESS_NAME = re.compile(r"(?:address|url|host|proxy)$", re.IGNORECASE)
# Deeper than any message that means something; Python ends at about ten times as deep.
_DEEPEST = 100
_SHORTEST_MASKED = 6
_waiting: queue.Queue[logging.LogRecord] = queue.Queue(_MOST_WAITING)

_masking = threading.Lock()
_kept: set[str] = set()
_kept_meanwhile: Counter[str] = Counter()
# What both have, longest first, so that no part of a longer one stays: read on any thread, and never changed.
_masked: tuple[str, ...] = ()
_tried: ContextVar[frozenset[str]] = ContextVar("_tried", default=frozenset())

current_job: ContextVar[str] = ContextVar("current_job", default="-")
"""The id of the job that this code runs for."""


def start_logging(folder: Path | None) -> None:
    """Log to stderr (warnings) and, where ``folder`` can be written, to a new file in it.

    Lines are written on a thread of their own; when nobody takes them (a client that does not read stderr), they are
    dropped rather than waited for.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setLevel(logging.WARNING)
    if folder is not None:
        try:
            handlers.append(_file_handler(folder))
        except OSError as error:
            sys.stderr.write(f"sidelight: no log file: {error}\n")
    for handler in handlers:
        handler.setFormatter(_Formatter(_FORMAT))
    logging.handlers.QueueListener(_waiting, *handlers, respect_handler_level=True).start()
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(_QueueHandler(_waiting))
    for chatty in ("pygls", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def flush(timeout_s: float) -> None:
    """Wait until what is waiting has been written, or until the time is over."""
    deadline = monotonic() + timeout_s
    while not _waiting.empty() and monotonic() < deadline:
        sleep(0.005)
    sleep(0.005)  # the last line has left the queue, and is being written


def set_level(level: str) -> None:
    """Set what the file receives: debug, info, warning or error."""
    logging.getLogger("sidelight").setLevel(level.upper())


def mask(secrets: Iterable[str]) -> None:
    """Never write these; short ones are left alone, since they would mask half the log.

    What is ``masked_meanwhile`` around the call stays a matter of that.
    """
    with _masking:
        _kept.update(_long(secrets) - _tried.get())
        _see_masked()


@contextlib.contextmanager
def masked_meanwhile(secrets: Iterable[str]) -> Iterator[None]:
    """Never write these until the end of the block: they may be wrong, and a word like any other."""
    meanwhile = _long(secrets)
    token = _tried.set(_tried.get() | meanwhile)
    with _masking:
        _kept_meanwhile.update(meanwhile)
        _see_masked()
    try:
        yield
    finally:
        _tried.reset(token)
        with _masking:
            _kept_meanwhile.subtract(meanwhile)
            _see_masked()


def _long(secrets: Iterable[str]) -> frozenset[str]:
    return frozenset(secret for secret in secrets if len(secret) >= _SHORTEST_MASKED)


def _see_masked() -> None:
    global _masked  # noqa: PLW0603 - exchanged as a whole, so that no reader sees it change
    _masked = tuple(sorted(_kept | set(+_kept_meanwhile), key=len, reverse=True))


def masked_text(text: str) -> str:
    """Return the text with every known secret masked."""
    for secret in _masked:
        text = text.replace(secret, "***")
    return text


def shareable_text(text: str) -> str:
    """Return the text as it may be shown to anybody: without keys, and with the home folder written as ``~``."""
    with contextlib.suppress(RuntimeError):  # a user without a home
        home = str(Path.home())
        text = text.replace(home, "~") if home != os.sep else text
    return masked_text(text)


def without_secrets(value: Any) -> Any:
    """Return a JSON value with everything masked that is called a key, a password or headers, or may hold one."""
    return _without_secrets(value, "", 0)


def _without_secrets(value: Any, name: str, depth: int) -> Any:
    if value and _SECRET_NAME.search(name):
        return "***"
    if isinstance(value, str):
        return "***" if may_hold_password(value) and _ADDRESS_NAME.search(name) else value
    if not isinstance(value, (dict, list)):
        return value
    if depth == _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {inner: _without_secrets(it, str(inner), depth + 1) for inner, it in value.items()}
    return [_without_secrets(it, name, depth + 1) for it in value]


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked_text(super().format(record))


class _QueueHandler(logging.handlers.QueueHandler):
    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Write the line out here: what is masked now may not be when the other thread comes to it."""
        record.job = current_job.get()
        record.msg, record.args = masked_text(record.getMessage()), None
        if record.exc_info:
            record.exc_text, record.exc_info = masked_text(_Formatter().formatException(record.exc_info)), None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(record)


def _file_handler(folder: Path) -> logging.Handler:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _prune(folder)
    path = folder / f"sidelight-{strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    return logging.handlers.RotatingFileHandler(path, maxBytes=_BYTES_A_FILE, backupCount=1, encoding="utf-8")


def _prune(folder: Path) -> None:
    """Keep the newest files only, and those of processes that still run."""
    files = sorted(folder.glob("sidelight-*.log*"), key=lambda file: file.name)
    for old in files[: -(_KEPT_FILES - 1)]:
        if not _is_written(old):
            with contextlib.suppress(OSError):  # another process prunes as well
                old.unlink()


def _is_written(file: Path) -> bool:
    """Whether the process that a file is named after is known to live."""
    process = file.name.partition(".")[0].rpartition("-")[2]
    return process.isdigit() and is_running(int(process)) is True
