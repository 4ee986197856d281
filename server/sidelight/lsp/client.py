"""The editor as we speak to it: the requests we make of it, and the progress we show in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from sidelight.errors import SidelightError
from sidelight.lsp.diagnostics import Diagnostics
from sidelight.lsp.handshake import Abilities
from sidelight.lsp.protocol import ClientError, ClientSilentError, Protocol, without_commands
from sidelight.messages import Message, msg

log = logging.getLogger(__name__)

_ANSWER_S = 10.0
# A client may ask its user before it applies an edit (Eglot does); a user who chooses may think for a while.
_EDIT_S = 60.0
# Who looks at a preview may be called to lunch.
_PREVIEW_S = 3600.0
_CHOICE_S = 300.0


def label_of(title: str, id_: str) -> str:
    """Return the label of all edits of a job or command: those with the same label belong together."""
    return f"{title} ({id_})"


def new_label(title: str, act: str) -> str:
    """Return the label of the edits of one call of a command."""
    return label_of(title, f"{act}-{os.urandom(4).hex()}")


class Client:
    """The editor, as we speak to it. Every request ends by a time limit; a refusal is an answer, not an exception."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.can = Abilities()
        self.diagnostics = Diagnostics(protocol.tell)

    def write(self, message: Message) -> str:
        """Return a message in the client's language."""
        return self.protocol.translate(message)

    def show(self, kind: types.MessageType, message: Message, hint: Message | None = None) -> None:
        """Show a message to the user."""
        text = " ".join(self.write(part) for part in (message, hint) if part)
        self.protocol.tell(types.WINDOW_SHOW_MESSAGE, {"type": kind.value, "message": without_commands(text)})

    def show_error(self, error: SidelightError) -> None:
        """Show what went wrong, and what to do about it."""
        self.show(types.MessageType.Error, error.message, error.hint)

    async def choose(self, message: Message, titles: Sequence[str]) -> str | None:
        """Let the user choose one of ``titles``; None when the user or the client would not. Raises ``ClientError``."""
        params = {
            "type": types.MessageType.Info.value,
            "message": without_commands(self.write(message)),
            "actions": [{"title": title} for title in titles],
        }
        chosen = await self.protocol.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params, _CHOICE_S)
        return chosen.get("title") if isinstance(chosen, dict) else None

    async def apply_edit(self, edit: dict[str, Any], label: str) -> bool:
        """Ask the client to apply an edit. True is its word only: see whether the text arrives."""
        return await self.try_edit(edit, label) is not False

    async def try_edit(self, edit: dict[str, Any], label: str) -> bool | None:
        """Ask the client to apply an edit; None when it says nothing: its user may still be deciding.

        That a preview failed is told: it is not the user's no.
        """
        if not self.can.apply_edit:
            return False
        is_preview = "changeAnnotations" in edit
        seconds = _PREVIEW_S if is_preview else _EDIT_S
        try:
            result = await self.protocol.ask(types.WORKSPACE_APPLY_EDIT, {"label": label, "edit": edit}, seconds)
        except ClientSilentError:
            return None
        except ClientError as error:
            log.info("an edit was refused: %s", error)
            if is_preview:
                told = msg("The editor did not take the edit.")
                self.show(types.MessageType.Warning, told, msg("“Show the whole answer” has the code."))
            return False
        return isinstance(result, dict) and bool(result.get("applied"))

    async def show_document(
        self, uri: str, selection: dict[str, Any] | None = None, *, takes_focus: bool = True
    ) -> bool:
        """Ask the client to open a document; with a selection (an LSP range), to go there."""
        if not self.can.show_document:
            return False
        focus = {"takeFocus": takes_focus and selection is not None}
        params = {"uri": uri, **focus, **({"selection": selection} if selection else {})}
        try:
            result = await self.protocol.ask(types.WINDOW_SHOW_DOCUMENT, params, _ANSWER_S)
        except ClientError as error:
            log.info("a document was not shown: %s", error)
            return False
        return isinstance(result, dict) and bool(result.get("success"))

    def refresh_lenses(self) -> None:
        """Ask the client to ask for code lenses again. Its answer is of no interest; it is a request all the same."""
        if self.can.refreshes_lenses:
            asking = self.protocol.ask(types.WORKSPACE_CODE_LENS_REFRESH, None, _ANSWER_S)
            asyncio.ensure_future(asking).add_done_callback(lambda done: done.cancelled() or done.exception())

    async def configuration(self) -> Any:
        """Return the client's ``sidelight`` section, or None."""
        params = {"items": [{"section": "sidelight"}]}
        with contextlib.suppress(ClientError):
            result = await self.protocol.ask(types.WORKSPACE_CONFIGURATION, params, _ANSWER_S)
            return result[0] if isinstance(result, list) and result else None
        return None

    async def register(self, method: str, options: dict[str, Any] | None = None) -> None:
        """Register a method that has to be registered dynamically."""
        registration = {"id": method, "method": method} | ({"registerOptions": options} if options else {})
        with contextlib.suppress(ClientError):
            await self.protocol.ask(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [registration]}, _ANSWER_S)


class Progress:
    """A job's work-done progress: begins once, reports, ends exactly once.

    Silent without a token, and where the client has no progress. A token of ours (``is_ours``) is created first; one
    that the client sent along is there already.
    """

    def __init__(self, client: Client, token: str | int | None, *, is_ours: bool) -> None:
        self._client = client
        self.token = token
        self._is_ours = is_ours
        self._is_open = self._is_beginning = False
        self._last = ""
        self._ending: str | None = None

    async def begin(self, title: str) -> None:
        """Show the progress, cancellable."""
        if self.token is None or (self._is_ours and not await self._create()):
            return
        self._is_open = True
        self._tell({"kind": "begin", "title": without_commands(title), "cancellable": True})
        if self._ending is not None:  # the job was quicker than the client
            self.end(self._ending)

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self._is_open

    @property
    def is_beginning(self) -> bool:
        """Whether the client has still to answer that it shows it."""
        return self._is_beginning

    async def _create(self) -> bool:
        if not self._client.can.progress:
            return False
        self._is_beginning = True
        try:
            await self._client.protocol.ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, {"token": self.token}, _ANSWER_S)
        except ClientError as error:
            log.info("no progress: %s", error)
            return False
        finally:
            self._is_beginning = False
        return True

    def report(self, text: str) -> None:
        """Say what is happening now."""
        if self._is_open and text != self._last:
            self._last = text
            self._tell({"kind": "report", "message": without_commands(text), "cancellable": True})

    def end(self, text: str) -> None:
        """Say that it is over, now or once it has begun."""
        self._ending = text
        if self._is_open:
            self._is_open = False
            self._tell({"kind": "end", "message": without_commands(text)})

    def _tell(self, value: dict[str, Any]) -> None:
        self._client.protocol.tell(types.PROGRESS, {"token": self.token, "value": value})
