"""The composition root: the only file that knows every room and joins them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sidelight.choices import Choices
from sidelight.core.ports import Conversations, RestorePoints
from sidelight.settings import Settings, SettingsSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sidelight.choosing import Chooser
    from sidelight.core.ports import Examined, Trial, Tried, Wishes
    from sidelight.core.stopping import Stop
    from sidelight.lsp.start import Wiring
    from sidelight.providers.discovery import Found
    from sidelight.store.conversations import StoredConversations
    from sidelight.store.restore_points import StoredRestorePoints
    from sidelight.syncing.run import Syncing


def make_restore_points(settings: Settings) -> RestorePoints:
    """Return where the settings want the text from before each edit to be kept. Nothing is opened yet."""
    if settings.flag("restore_points"):
        return stored_restore_points(settings)
    from sidelight.store.restore_points import NoRestorePoints

    return NoRestorePoints()


def make_conversations(settings: Settings) -> Conversations:
    """Return where the settings want conversations to be kept. Nothing is opened yet."""
    if settings.flag("history"):
        return stored_conversations(settings)
    from sidelight.core.conversations import MemoryConversations

    return MemoryConversations()


def stored_conversations(settings: Settings) -> StoredConversations:
    """Return the conversations on disk, also where the settings want no new ones kept."""
    from sidelight.store.conversations import StoredConversations

    return StoredConversations(
        folder_of("data"), days=settings.integer("history_days"), budget_bytes=settings.integer("history_mib") << 20
    )


def stored_restore_points(settings: Settings) -> StoredRestorePoints:
    """Return the restore points on disk, also where the settings want no new ones kept."""
    from sidelight.store.restore_points import StoredRestorePoints

    return StoredRestorePoints(
        folder_of("data"), days=settings.integer("restore_days"), budget_bytes=settings.integer("restore_mib") << 20
    )


def lsp_wiring(settings: SettingsSource, set_level: Callable[[str], None]) -> Wiring:
    """Return what the language server is made of."""
    from sidelight.choosing import limits_of
    from sidelight.lsp.start import Wiring

    chooser, source = make_chooser(), settings

    def connect(settings: Settings, trial: Trial, stop: Stop) -> Tried:
        from sidelight.connecting import try_connection

        return try_connection(settings, trial, chooser.make_once, stop)

    def examine(settings: Settings, wishes: Wishes, stop: Stop) -> Examined:
        from sidelight.doctor import examined
        from sidelight.own_tasks import TaskFolders, user_tasks

        is_trusted = source.trusted or settings.flag("trust_workspace")
        tasks = TaskFolders(user_tasks(source.user_file), source.folders, is_trusted)
        return examined(
            settings, wishes, chooser.choose, folder_of("log"), stop, tasks=tasks, knowledge=chooser.knowledge
        )  # fmt: skip

    return Wiring(
        settings, chooser, kept_choices(), make_restore_points, make_conversations, limits_of, connect, examine,
        make_syncing, folder_of("cache") / "answers", set_level,
    )  # fmt: skip


def make_syncing(settings: Settings, root: Path, workspace: str = "") -> Syncing:
    """Return what keeps a root's documents in step with a workspace. Raises ``ConfigurationError``."""
    from sidelight.choosing import documents_of
    from sidelight.syncing.run import Syncing

    return Syncing(root, documents_of(settings, workspace), folder_of("data") / "knowledge")


def settings_source(folder: Path | None = None, *, trusted: bool = False) -> SettingsSource:
    """Return where settings are read from, for a folder that is opened, or none."""
    return SettingsSource(
        user_file=folder_of("config") / ".env", folders=(folder,) if folder else (), trusted=trusted,
        chosen=kept_choices().layers,
    )  # fmt: skip


def make_chooser() -> Chooser:
    """Return what chooses providers."""
    from sidelight.abilities import Abilities
    from sidelight.choosing import Chooser

    return Chooser(_find, Abilities(folder_of("data") / "abilities.json"))


def _find(known: Sequence[Found]) -> list[Found]:
    from sidelight.providers.discovery import PORTS, discover

    ports = os.environ.get("SIDELIGHT_TEST_PORTS")  # tests must not meet what runs on their machine
    return discover(known, PORTS if ports is None else [int(port) for port in ports.split(",") if port])


def kept_choices() -> Choices:
    """Return which models were chosen, by folder."""
    return Choices(folder_of("data") / "choices.json")


def folder_of(kind: str) -> Path:
    """Return our folder for ``config``, ``cache``, ``data`` or ``log`` by the platform's custom."""
    import platformdirs

    find = {
        "config": platformdirs.user_config_path,
        "cache": platformdirs.user_cache_path,
        "data": platformdirs.user_data_path,
        "log": platformdirs.user_log_path,
    }[kind]
    try:
        return find("sidelight", appauthor=False)
    except RuntimeError:  # a user without a home, as in containers: nothing is configured, and nothing is kept
        import tempfile

        return Path(os.devnull) / kind if kind == "config" else Path(tempfile.mkdtemp(prefix="sidelight-"))
