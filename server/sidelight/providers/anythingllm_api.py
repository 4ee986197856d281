"""AnythingLLM's developer API apart from questions: where it is, the key, its workspaces, and short calls.

https://docs.anythingllm.com/features/api, read at v1.16, August 2026. Who asks it: the provider (``anythingllm.py``)
and the knowledge base for other providers (``anythingllm_knowledge.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sidelight.core.ports import Model
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.anythingllm_errors import Refusals, no_workspace_chosen
from sidelight.providers.http import Call, Http
from sidelight.providers.http_reply import Reply

DEFAULT_ADDRESS = "http://localhost:3001"
# For everything but an answer: a server that is slow here must not hold anybody up for as long as a model may think.
QUICK_S = 15.0


@dataclass(frozen=True, slots=True)
class AnythingLLMConfig:
    """``address`` may be the bare origin or end in /api or /api/v1; ``key_withheld`` says why ``key`` is empty.

    ``attaches``: the server takes documents with a message. ``may_attach``: the user has not forbidden that.
    ``context_tokens`` is the model's window as the user set it, 0 where nobody did.
    """

    address: str = DEFAULT_ADDRESS
    key: str = ""
    workspace: str = ""
    mode: str = "chat"
    key_withheld: bool = False
    attaches: bool = False
    may_attach: bool = True
    context_tokens: int = 0

    @property
    def api(self) -> str:
        """The address of the developer API itself."""
        return api_of(self.address)


def api_of(address: str) -> str:
    """Return the address of the developer API for an address as users write it; empty is the default one."""
    origin = (address or DEFAULT_ADDRESS).rstrip("/").removesuffix("/v1").removesuffix("/api")
    return f"{origin}/api/v1"


def authorization(config: AnythingLLMConfig) -> dict[str, str]:
    """Return the header with the key. Raises ``ConfigurationError`` for what can be no key."""
    if not config.key.isascii():
        raise ConfigurationError(
            msg("ANYTHINGLLM_API_KEY holds a character that no key has."), msg("Copy the key again, without quotes.")
        )
    return {"Authorization": f"Bearer {config.key}"}


class Api:
    """Short calls to one server. Every method raises ``ProviderError`` or ``ConfigurationError``."""

    def __init__(self, config: AnythingLLMConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self.refusals = Refusals(config.api, config.address, config.key, config.key_withheld)

    def get(self, path: str, stop: Stop | None = None) -> Any:
        """Return the JSON that a GET gives."""
        reply = self.send("GET", path, None, stop)
        if reply.status != 200 or reply.json() is None:
            raise self.error_of(reply)
        return reply.json()

    def send(self, method: str, path: str, body: Any, stop: Stop | None = None) -> Reply:
        """Return the reply, whatever it says."""
        call = Call(method, self.config.api + path, authorization(self.config), body, QUICK_S)
        return self._http.fetch(call, stop)

    def error_of(self, reply: Reply) -> ProviderError:
        """Say what a reply means that is not what was asked for."""
        return self.refusals.of(reply) or self.refusals.not_the_api()

    def ping(self) -> Reply:
        """Return what the server says without a key; ``raise_unless_online`` looks at it."""
        return self._http.fetch(Call("GET", self.config.api.removesuffix("/v1") + "/ping"))

    def raise_unless_online(self, ping: Reply) -> None:
        """Make sure that it is AnythingLLM that answered."""
        if ping.json() != {"online": True}:
            raise self.error_of(ping)

    def workspaces(self, stop: Stop | None = None) -> list[Model]:
        """Return the workspaces."""
        reply = self.get("/workspaces", stop)
        found = reply.get("workspaces") if isinstance(reply, dict) else None
        if not isinstance(found, list):
            raise self.refusals.not_the_api()
        return [
            Model(str(item["slug"]), str(item.get("name") or ""), str(item.get("chatModel") or ""))
            for item in found
            if isinstance(item, dict) and item.get("slug")
        ]

    def workspace(self, stop: Stop | None = None) -> str:
        """Return the configured workspace, or the one there is for users who named none."""
        if self.config.workspace:
            return self.config.workspace
        slugs = [model.id for model in self.workspaces(stop)]
        if len(slugs) != 1:
            raise no_workspace_chosen(slugs)
        return slugs[0]


def workspace_path(slug: str) -> str:
    """Return where a workspace is, below the API's address."""
    return f"/workspace/{quote(slug, safe='')}"
