"""A reply: what a server says at once, and how the body of a response is read, in pieces or to its end.

Nothing here opens a connection. Foreign exceptions are for the caller to translate (``http_errors.py``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from sidelight.errors import ProviderError
from sidelight.messages import msg
from sidelight.providers.http_errors import silence

if TYPE_CHECKING:
    import requests

_READ_BYTES = 65536
_BODY_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: status, content type without parameters, body, and where a redirect points."""

    status: int
    content_type: str
    body: bytes
    location: str = ""

    def json(self) -> Any:
        """Return the body as JSON, or None when it is something else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def redirect_error(reply: Reply, setting: str) -> ProviderError:
    """Say where a redirect pointed; ``setting`` is the address to change."""
    return ProviderError(
        "other",
        msg("The server sends us on to {location}.", location=reply.location or "?"),
        msg("Redirects are not followed, so that keys and code stay where you sent them. Set {setting} to the "
            "address itself.", setting=setting),
    )  # fmt: skip


def read_some(response: requests.Response) -> bytes:
    """Return the next bytes of a body as soon as there are any; empty at its end."""
    raw = response.raw
    while True:
        chunk: bytes = raw.read1(_READ_BYTES, decode_content=True)
        if chunk or raw.closed:
            return chunk


def whole_reply(response: requests.Response, seconds: float) -> Reply:
    """Read the body to its end, or as much as any answer has; one that drips for longer than ``seconds`` is given up.

    Raises ``ProviderError`` (network) then, and what ``requests`` raises.
    """
    parts, size, began = [], 0, monotonic()
    while size < _BODY_BYTES and (chunk := read_some(response)):
        parts.append(chunk)
        size += len(chunk)
        if monotonic() - began > seconds:
            raise silence(response.url)
    return Reply(response.status_code, _content_type(response), b"".join(parts), response.headers.get("Location", ""))


def is_event_stream(response: requests.Response) -> bool:
    """Whether the body may be a stream: some servers and proxies leave the content type out, or make it plain text."""
    streams = ("text/event-stream", "application/x-ndjson", "text/plain", "")
    return response.status_code == 200 and _content_type(response) in streams


def _content_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
