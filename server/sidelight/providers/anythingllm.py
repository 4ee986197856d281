"""AnythingLLM, through its developer API (https://docs.anythingllm.com/features/api; read at v1.16, August 2026).

Its parts have files of their own: ``anythingllm_message.py`` (what goes out), ``anythingllm_answer.py`` (what comes in,
with all that is peculiar), ``anythingllm_errors.py``, ``anythingllm_api.py`` (who, and short calls) and
``anythingllm_probe.py`` (whether it takes documents). Here they are put on the wire.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from sidelight.core.answers import AnswerEvent, Asked, Finished, Status
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.messages import msg
from sidelight.providers.anythingllm_answer import AnythingLLMDecoder
from sidelight.providers.anythingllm_api import (
    DEFAULT_ADDRESS,
    AnythingLLMConfig,
    Api,
    authorization,
    workspace_path,
)
from sidelight.providers.anythingllm_errors import no_such_workspace
from sidelight.providers.anythingllm_message import Sent, written
from sidelight.providers.anythingllm_probe import probe
from sidelight.providers.http import Call, Http, host_of

__all__ = ["DEFAULT_ADDRESS", "AnythingLLM", "AnythingLLMConfig", "AnythingLLMDecoder", "encode"]

# A message may have this part of the model's window before its middle is cut out
# (server/utils/helpers/chat/index.js, messageArrayCompressor).
_MESSAGE_PART = 0.7


def encode(config: AnythingLLMConfig, sent: Sent, conversation: str, workspace: str) -> Call:
    """Return the call for one question. The mode is always said: its default starts an agent on newer servers."""
    body: dict[str, Any] = {"message": sent.message, "mode": config.mode, "sessionId": conversation}
    if sent.documents:
        body["attachments"] = [document.encoded() for document in sent.documents]
    url = f"{config.api}{workspace_path(workspace)}/stream-chat"
    return Call("POST", url, {**authorization(config), "Accept": "text/event-stream"}, body)


class AnythingLLM:
    """The provider ``anythingllm``. ``learn`` is told whether the server takes documents, when that is found out."""

    name = "anythingllm"

    def __init__(
        self, config: AnythingLLMConfig, http: Http, learn: Callable[[bool], None] = lambda _takes_documents: None
    ) -> None:
        self._config = config
        self._http = http
        self._api = Api(config, http)
        self._learn = learn

    @property
    def place(self) -> str:
        """The server's host and port."""
        return host_of(self._config.api)

    @property
    def tells_truncation(self) -> bool:
        """No: it ends every stream in the same way."""
        return False

    @property
    def remembers(self) -> bool:
        """Yes: each conversation is a session of its own on the server."""
        return True

    @property
    def model(self) -> str:
        """The configured workspace."""
        return self._config.workspace

    def window(self, model: str | None, stop: Stop) -> Window | None:  # noqa: ARG002, the port's signature
        """Return the part of the configured window that a message may have; None where none is configured.

        The server knows its model's window and tells nobody; documents and history it fits by itself.
        """
        tokens = int(self._config.context_tokens * _MESSAGE_PART)
        return Window(tokens, "configured") if tokens else None

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the port's signature
        """Return None: nothing to count with."""
        return None

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Ask the workspace; the conversation is a session of its own, so nobody else's history is touched."""
        workspace = request.model or self._api.workspace(stop)
        stop.raise_if_set()
        # An agent is handed attachments as they are, in base64.
        attaches = self._config.attaches and self._config.mode in ("chat", "query")
        sent = written(request.prompt, attaches=attaches, nonce=secrets.token_hex(4))
        yield Asked(workspace, attaches=bool(sent.documents), has_orders=True)
        yield Status(msg("asking {workspace}", workspace=workspace))
        decoder = AnythingLLMDecoder(self._config.key, sent, self._config.mode)
        call = encode(self._config, sent, request.conversation, workspace)
        for event in self._http.answer(call, decoder, stop, self._api.refusals.of):
            if isinstance(event, Finished) and decoder.unread:
                self._learn(False)
            yield event

    def models(self) -> list[Model]:
        """Return the workspaces."""
        return self._api.workspaces()

    def checks(self) -> Iterator[Check]:
        """Examine address, API, key and workspace."""
        api = self._config.api
        yield from self._http.checks(api)
        ping = self._api.ping()
        yield Check("ok", msg("{host} is reachable.", host=host_of(api)))
        self._api.raise_unless_online(ping)
        yield Check("ok", msg("{url} is AnythingLLM's API.", url=api))
        self._api.get("/auth")
        yield Check("ok", msg("The key is accepted."))
        slugs = [model.id for model in self.models()]
        yield Check("ok", msg("Workspaces: {slugs}", slugs=", ".join(slugs)))
        workspace = self._api.workspace()
        if workspace not in slugs:
            raise no_such_workspace(workspace, slugs)
        yield Check("ok", msg("The workspace {slug} exists.", slug=workspace))

    def probe(self, stop: Stop) -> Iterator[Check]:
        """Find out whether the server takes documents with a message, where the user has not forbidden that."""
        if self._config.may_attach:
            yield probe(self._api, self._http, self._learn, stop)
