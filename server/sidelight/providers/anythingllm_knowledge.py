"""AnythingLLM as the knowledge base of another provider: passages are looked up there, answers come from elsewhere.

A port of its own, ``Knowledge``: AnythingLLM's model is not asked, and no code goes there, only a short question. How
many passages come, and how near they must be, is as the workspace is set.
"""

from __future__ import annotations

from typing import Any

from sidelight.core.answers import Source
from sidelight.core.stopping import Stop
from sidelight.errors import ProviderError
from sidelight.providers.anythingllm_answer import sources_of
from sidelight.providers.anythingllm_api import AnythingLLMConfig, Api, workspace_path
from sidelight.providers.anythingllm_errors import search_failed
from sidelight.providers.http import Http, host_of
from sidelight.providers.http_reply import Reply


class AnythingLLMKnowledge:
    """The knowledge base in one workspace."""

    def __init__(self, config: AnythingLLMConfig, http: Http) -> None:
        self._api = Api(config, http)

    @property
    def place(self) -> str:
        """The server's host and port."""
        return host_of(self._api.config.api)

    def search(self, query: str, stop: Stop) -> tuple[Source, ...]:
        """Return the passages that fit, nearest first as the server has them; its scores are not to be relied on.

        Blocks for a few seconds at most. Raises ``ProviderError``, ``ConfigurationError`` or ``Stopped``.
        """
        if not query.strip():
            return ()
        path = f"{workspace_path(self._api.workspace(stop))}/vector-search"
        reply = self._api.send("POST", path, {"query": query}, stop)
        body = reply.json()
        results = body.get("results") if isinstance(body, dict) else None
        if reply.status != 200 or not isinstance(results, list):
            raise self._error(reply)
        return tuple(sources_of([_flat(result) for result in results]))

    def _error(self, reply: Reply) -> ProviderError:
        # What fails inside the search, the embedder mostly, is a 500 without a word.
        return search_failed(f"status {reply.status}") if reply.status == 500 else self._api.error_of(reply)


def _flat(result: Any) -> Any:
    """Return a result in the shape of a source: here the metadata stands apart."""
    if not isinstance(result, dict) or not isinstance(result.get("metadata"), dict):
        return result
    return {**result["metadata"], "id": result.get("id"), "text": result.get("text")}
