"""How ``sidelight lsp`` starts: ``initialize`` is answered first, and everything heavy is loaded after that.

Nearly all of a start is importing LSP's types (hundreds of generated classes). The client need not wait for it: the
answer to ``initialize`` is plain JSON, and what the client sends next is kept until the server is there.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sidelight.choices import Choices
from sidelight.core.budget import Limits
from sidelight.core.ports import (
    Choice,
    Conversations,
    Examined,
    Knowledge,
    Offers,
    RestorePoints,
    Trial,
    Tried,
    Wishes,
)
from sidelight.core.stopping import Stop
from sidelight.lsp import handshake
from sidelight.lsp.framing import Received, encode_message
from sidelight.lsp.stdio import Connection, exit_now, take_over_standard_streams
from sidelight.settings import Settings, SettingsSource

if TYPE_CHECKING:
    from sidelight.syncing.run import Syncing


class Choosing(Protocol):
    """What chooses providers. ``choose`` and ``offers`` may block, and raise ``SidelightError``."""

    def choose(self, settings: Settings) -> Choice:
        """Return the provider that the settings ask for."""
        ...

    def known(self, settings: Settings) -> Choice | None:
        """Return it where nobody need be asked for it; never blocks."""
        ...

    def offers(self, settings: Settings) -> Offers:
        """Return the models of every provider that can be reached."""
        ...

    def knowledge(self, settings: Settings) -> Knowledge | None:
        """Return where questions are looked up before they are asked; never blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the composition root gives to the language server. ``connect`` and ``examine`` block, until stopped."""

    settings: SettingsSource
    choosing: Choosing
    choices: Choices
    restore_points: Callable[[Settings], RestorePoints]
    conversations: Callable[[Settings], Conversations]
    limits: Callable[[Settings], Limits]
    connect: Callable[[Settings, Trial, Stop], Tried]
    examine: Callable[[Settings, Wishes, Stop], Examined]
    syncing: Callable[[Settings, Path], Syncing]
    pages_folder: Path
    set_log_level: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, and the parameters of its ``initialize`` where that has been answered already."""

    connection: Connection
    initialized: dict[str, Any] | None


def open_connection(limit_bytes: int) -> Opened:
    """Take over stdin and stdout, wait for the first message, and answer it if it is ``initialize``."""
    connection = Connection(*take_over_standard_streams(), limit_bytes)
    message = connection.first()
    if not isinstance(message, Received) or not _is_initialize(message.value):
        return Opened(connection, None)
    connection.take_first()
    params = message.value["params"]
    connection.watch(params.get("processId"))
    answer = {"jsonrpc": "2.0", "id": message.value["id"], "result": handshake.result_of(params)}
    connection.writer.write(encode_message(answer))
    return Opened(connection, params)


def _is_initialize(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("jsonrpc") == "2.0"
        and value.get("method") == "initialize"
        and isinstance(value.get("id"), (str, int))
        and handshake.are_valid(value.get("params"))
    )


def serve(opened: Opened, wiring: Wiring) -> None:
    """Load the server and serve until the client leaves; ends the process."""
    # Imports make little garbage, so that collecting seldom saves time; attrs leaves some, so that never costs memory.
    usual = gc.get_threshold()
    gc.set_threshold(5000, 50, 1000)
    from sidelight.lsp.server import Server

    gc.set_threshold(*usual)
    gc.freeze()

    async def run() -> None:
        server = Server(wiring, opened.connection)
        if opened.initialized is not None:
            server.begin(opened.initialized)
        # Not after the loop has closed: that would wait for threads which hang in a provider.
        exit_now(await server.serve(), opened.connection.writer)

    asyncio.run(run())
