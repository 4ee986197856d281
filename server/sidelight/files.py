"""Files as tasks see them: text in UTF-8, and a language by their name."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sidelight.errors import UsageError
from sidelight.messages import msg

LARGEST_BYTES = 50 << 20

_LANGUAGES = {
    ".py": "python", ".pyi": "python", ".md": "markdown", ".js": "javascript", ".ts": "typescript",
    ".sh": "shellscript", ".rs": "rust", ".rb": "ruby", ".cs": "csharp", ".yml": "yaml",
}  # fmt: skip


def read_text(path: Path) -> str:
    """Return a file's text, its line ends and BOM as they are. Raises ``UsageError``."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UsageError(msg("{path} is too large to read.", path=str(path)), msg("Choose a smaller file."))
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            msg("{path} cannot be read: {reason}", path=str(path), reason=reason),
            msg("Check that the file exists and that you may read it."),
        ) from error
    if "\0" in text:
        raise UsageError(
            msg("{path} is not text in UTF-8.", path=str(path)), msg("Save it as UTF-8, or choose another file.")
        )
    return text


def replace_private(path: Path, text: str) -> None:
    """Write a file of ours whole or not at all; nobody else may read it, from its first byte on. Raises ``OSError``."""
    import tempfile

    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def language_of(path: Path) -> str:
    """Return LSP's id of the language that a file's name speaks of."""
    return _LANGUAGES.get(path.suffix.lower(), path.suffix.lower().removeprefix("."))
