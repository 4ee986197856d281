"""Logging: warnings to stderr, more to one file a process in the platform's log folder.

Every line carries the id of the job that it belongs to. At info and above there is no code and no key; secrets that
are known are masked at every level.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from time import strftime

_FORMAT = "%(asctime)s %(levelname)s [%(job)s] %(name)s: %(message)s"
_BYTES_A_FILE = 1 << 20
_KEPT_FILES = 10
_masked: set[str] = set()

current_job: ContextVar[str] = ContextVar("current_job", default="-")
"""The id of the job that this code runs for."""


def start_logging(folder: Path | None) -> None:
    """Log to stderr (warnings) and, where ``folder`` can be written, to a new file in it."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setLevel(logging.WARNING)
    if folder is not None:
        try:
            handlers.append(_file_handler(folder))
        except OSError as error:
            sys.stderr.write(f"sidelight: no log file: {error}\n")
    for handler in handlers:
        handler.setFormatter(_Formatter(_FORMAT))
        handler.addFilter(_with_job)
        root.addHandler(handler)
    for chatty in ("pygls", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """Set what the file receives: debug, info, warning or error."""
    logging.getLogger("sidelight").setLevel(level.upper())


def mask(secrets: Iterable[str]) -> None:
    """Never write these; short ones are left alone, since they would mask half the log."""
    _masked.update(secret for secret in secrets if len(secret) >= 6)


def masked_text(text: str) -> str:
    """Return the text with every known secret masked."""
    for secret in _masked:
        text = text.replace(secret, "***")
    return text


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked_text(super().format(record))


def _with_job(record: logging.LogRecord) -> bool:
    record.job = current_job.get()
    return True


def _file_handler(folder: Path) -> logging.Handler:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _prune(folder)
    path = folder / f"sidelight-{strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    return logging.handlers.RotatingFileHandler(path, maxBytes=_BYTES_A_FILE, backupCount=1, encoding="utf-8")


def _prune(folder: Path) -> None:
    """Keep the newest files only; one that another process still writes to is recent, and so is kept."""
    files = sorted(folder.glob("sidelight-*.log*"), key=lambda file: file.stat().st_mtime)
    for old in files[: -(_KEPT_FILES - 1)]:
        old.unlink(missing_ok=True)
