"""The folder in which git is asked for the editor: trusted, around the document or the first that is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sidelight.errors import UsageError
from sidelight.lsp.documents import file_path
from sidelight.lsp.subject import Asked
from sidelight.messages import msg

if TYPE_CHECKING:
    from sidelight.lsp.session import Session


def repository_folder(session: Session, asked: Asked) -> Path:
    """Return the folder. Raises ``UsageError`` where none is opened, and where git must not run."""
    if not session.is_trusted:
        raise UsageError(
            msg("git is run only where you trust the folder, and this one is not trusted."),
            msg("Trust the workspace in the editor, or set SIDELIGHT_TRUST_WORKSPACE=1."),
        )
    path = file_path(asked.uri) if asked.uri else None
    if path is not None:
        return path if path.is_dir() else path.parent
    if not session.folders:
        raise UsageError(msg("No folder is opened."), msg("Open a folder of a repository."))
    return session.folders[0]
