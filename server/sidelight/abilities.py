"""What was found out about servers that do not tell it, kept in a small file: it costs a question to find out again.

``{"version": 1, "servers": {"<address of the API>": {"documents": true}}}``. A hint, no promise: whoever relies on it
notices when it is wrong. So a file that cannot be read is an empty one, and of two processes that write at once, one
wins.
"""

from __future__ import annotations

import json
import logging
import stat
import threading
from pathlib import Path
from typing import Any

from sidelight.files import replace_private

log = logging.getLogger(__name__)

_VERSION = 1
_LARGEST_BYTES = 1 << 20
_MOST_SERVERS = 100
_LONGEST_ADDRESS = 1000


class Abilities:
    """The file of abilities. Safe to use from several threads; nothing raises."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; it need not exist."""
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._servers: dict[str, Any] = {}

    def takes_documents(self, api: str) -> bool | None:
        """Return whether the server at that address takes documents with a message; None where nobody knows."""
        with self._lock:
            found = self._read().get(api)
        known = found.get("documents") if isinstance(found, dict) else None
        return known if isinstance(known, bool) else None

    def learn_documents(self, api: str, takes: bool) -> None:  # noqa: FBT001, the provider's callback
        """Keep whether the server takes documents; the newest servers are kept."""
        if len(api) > _LONGEST_ADDRESS:
            return
        with self._lock:
            servers = {known: value for known, value in self._read().items() if known != api}
            servers[api] = {"documents": takes}
            newest = dict(list(servers.items())[-_MOST_SERVERS:])
            try:
                self._write({"version": _VERSION, "servers": newest})
            except OSError as error:
                log.warning("%s cannot be written: %s", self._path, error)

    def _read(self) -> dict[str, Any]:
        """Return the servers, read again where the file has changed."""
        try:
            found = self._path.stat()
        except (OSError, ValueError):
            found = None
        is_file = found is not None and stat.S_ISREG(found.st_mode)
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino) if found is not None and is_file else None
        if stamp != self._stamp:
            self._stamp, self._servers = stamp, self._loaded() if stamp else {}
        return self._servers if stamp else {}

    def _loaded(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                content = json.loads(file.read(_LARGEST_BYTES))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read: %s", self._path, error)
            return {}
        match content:
            case {"version": int(version), "servers": dict(servers)} if version == _VERSION:
                return servers
        log.warning("%s is not a file of abilities", self._path)
        return {}

    def _write(self, content: dict[str, Any]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_private(self._path, json.dumps(content, ensure_ascii=True, indent=1))
