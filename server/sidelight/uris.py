"""URIs of documents as editors write them, and the files that they name.

One document has one key, however a client spells its URI: ``file:///c%3A/x`` and ``file:///C:/x`` are the same.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

_DRIVE = re.compile(r"/?([A-Za-z])[:|](?=/|$)")


def document_key(uri: str) -> str:
    """Return the one spelling of a URI. Anything that is not a URI is its own key."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    if not parts.scheme:
        return uri
    path = quote(_with_small_drive(unquote(parts.path)), safe="/:@!$&'()*+,;=~")
    rest = (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
    authority = "" if parts.netloc.lower() == "localhost" and parts.scheme == "file" else unquote(parts.netloc).lower()
    # sidelight:/x and sidelight:///x are one; untitled:x has no path to normalise
    return f"{parts.scheme.lower()}://{authority}{path}{rest}" if path.startswith("/") else uri


def _with_small_drive(path: str) -> str:
    drive = _DRIVE.match(path)
    return f"/{drive[1].lower()}:{path[drive.end() :]}" if drive else path


def file_path(uri: str) -> Path | None:
    """Return the path of a ``file:`` URI on this machine (UNC shares too), or None."""
    try:
        parts = urlsplit(document_key(uri))
    except ValueError:
        return None
    if parts.scheme != "file":
        return None
    path = unquote(parts.path)
    if os.name == "nt":
        return Path(f"//{unquote(parts.netloc)}{path}" if parts.netloc else path.removeprefix("/"))
    return Path(path) if not parts.netloc else None


def file_uri(path: Path) -> str:
    """Return the URI of a file."""
    return path.absolute().as_uri()


def name_of(uri: str) -> str:
    """Return the last part of a URI's path, for titles and prompts; of a notebook's cell, the notebook's."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    path = parts.path if parts.scheme else uri
    if parts.scheme == "file":  # some clients write the ? and # of a file's name as they are
        path = uri.partition(":")[2]
    elif len(parts.scheme) == 1:  # a path of Windows
        path = uri.replace("\\", "/")
    return unquote(path).rstrip("/").rpartition("/")[2] or uri
