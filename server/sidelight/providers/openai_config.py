"""Which OpenAI-compatible server is asked: where it is, its key, and what the user set for its questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sidelight.errors import ConfigurationError
from sidelight.messages import msg
from sidelight.providers.http import host_of

DEFAULT_ADDRESS = "https://api.openai.com/v1"
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


@dataclass(frozen=True, slots=True)
class OpenAIConfig:
    """``address`` ends in /v1; ``body`` is merged into every request's; ``key_withheld`` says why ``key`` is empty."""

    address: str = DEFAULT_ADDRESS
    key: str = ""
    model: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    temperature: float | None = None
    context_tokens: int = 0
    key_withheld: bool = False

    @property
    def host(self) -> str:
        """Host and port, by which users know a server."""
        return host_of(self.address)

    @property
    def root(self) -> str:
        """The server's own address, where llama.cpp keeps what OpenAI has not."""
        return self.address.removesuffix("/v1")

    @property
    def is_azure(self) -> bool:
        """Whether it is one of Azure's."""
        return (urlsplit(self.address).hostname or "").endswith(_AZURE)

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI's own API, by itself or on Azure."""
        return urlsplit(self.address).hostname == "api.openai.com" or self.is_azure


def headers_of(config: OpenAIConfig) -> dict[str, str]:
    """Return the header with the key. Raises ``ConfigurationError`` for what can be no key."""
    if not config.key:
        return {}
    if not config.key.isascii():
        raise ConfigurationError(
            msg("OPENAI_API_KEY holds a character that no key has."), msg("Copy the key again, without quotes.")
        )
    if config.is_azure:
        return {"api-key": config.key}
    return {"Authorization": f"Bearer {config.key}"}
