"""The models of an OpenAI-compatible server: its list, which of them is asked, and how much each of them reads.

A list holds for a while. What it does not say of llama.cpp, llama.cpp is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import Any

from sidelight.core.answers import Note
from sidelight.core.ports import Model
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.default_model import LOADED, try_default
from sidelight.providers.http import QUICK_S, Call, Http, is_loopback
from sidelight.providers.http_reply import Reply
from sidelight.providers.openai_config import OpenAIConfig, headers_of
from sidelight.providers.openai_errors import error_of_reply, no_model_chosen

# How long a list of models holds. On this machine it costs nothing, and models come, go and change their context.
_LISTED_S = 300.0
_LISTED_HERE_S = 2.0
_NOT_LISTED_S = 30.0


class OpenAIModels:
    """The models of one server. ``is_llama_cpp`` is known once they were listed."""

    def __init__(self, config: OpenAIConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._listed: list[Model] = []
        self._listed_until = 0.0
        self.is_llama_cpp = False

    def chosen(self, model: str | None, stop: Stop | None) -> tuple[str, tuple[Note, ...]]:
        """Return the model to ask, and what to tell of it; an empty name where the server lists none, or not yet.

        Raises ``ConfigurationError`` where the user has to choose, and ``ProviderError``.
        """
        if name := model or self._config.model:
            return name, ()
        try:
            listed = self.listed(stop)
        except ProviderError as error:
            if error.kind not in ("not_found", "overloaded"):
                raise
            listed = []
        if not listed:
            return "", ()
        if default := try_default(listed, is_local=is_loopback(self._config.address)):
            return default[0].id, default[1]
        raise no_model_chosen(self._config.host, [it.id for it in listed[:20]])

    def try_find(self, name: str, stop: Stop) -> Model | None:
        """Return what is known of a model, or of the one that is asked without a name."""
        listed = self.try_list(stop)
        if not name:
            default = try_default(listed, is_local=is_loopback(self._config.address))
            return default[0] if default else None
        return next((it for it in listed if it.id == name), listed[0] if len(listed) == 1 else None)

    def try_list(self, stop: Stop) -> list[Model]:
        """Return the models, none where they cannot be asked; a server that is not there yet is asked again soon."""
        try:
            return self.listed(stop)
        except (ProviderError, ConfigurationError) as error:
            if error.kind not in ("network", "overloaded"):
                self._listed, self._listed_until = [], monotonic() + _NOT_LISTED_S
            return []

    def listed(self, stop: Stop | None) -> list[Model]:
        """Return the models, as they were listed a while ago. Raises ``ProviderError``."""
        if monotonic() > self._listed_until:
            self._listed = self._ask(stop)
            holds_s = _LISTED_HERE_S if is_loopback(self._config.address) else _LISTED_S
            self._listed_until = monotonic() + holds_s
        return self._listed

    def list_anew(self) -> list[Model]:
        """Return the models as they are now. Raises ``ProviderError``."""
        self._listed_until = 0.0
        return self.listed(None)

    def try_names(self, stop: Stop) -> list[str]:
        """Return the names of the models as they are now, none where they cannot be asked."""
        try:
            return [it.id for it in self._ask(stop)]
        except (ProviderError, ConfigurationError):
            return []

    def _ask(self, stop: Stop | None) -> list[Model]:
        reply = self._get(f"{self._config.address}/models", stop)
        body = reply.json()
        found = body.get("data") if isinstance(body, dict) else body
        if reply.status != 200 or not isinstance(found, list):
            raise error_of_reply(reply, self._config)
        items = [item for item in found if isinstance(item, dict) and item.get("id")]
        models = [_model_of(item) for item in items]
        self.is_llama_cpp = any(item.get("owned_by") == "llamacpp" for item in items)
        if self.is_llama_cpp and len(models) == 1 and not models[0].context_tokens:
            models = [replace(models[0], context_tokens=self._running_tokens(stop))]
        return models

    def _running_tokens(self, stop: Stop | None) -> int | None:
        """Ask an older llama.cpp, whose list tells only what the model was trained for, what it runs with."""
        reply = self._get(f"{self._config.root}/props", stop)
        body = reply.json() if reply.status == 200 else None
        running = body.get("default_generation_settings") if isinstance(body, dict) else None
        tokens = running.get("n_ctx") if isinstance(running, dict) else None
        return tokens if isinstance(tokens, int) and tokens > 0 else None

    def _get(self, url: str, stop: Stop | None) -> Reply:
        return self._http.fetch(Call("GET", url, headers_of(self._config), silence_s=QUICK_S), stop)


def _model_of(item: Mapping[str, Any]) -> Model:
    """Read one model of a list. The context length has a name of its own with every server."""
    meta = item.get("meta") if isinstance(item.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    lengths = (meta.get("n_ctx"), item.get("loaded_context_length"), item.get("max_model_len"),
               item.get("context_length"), item.get("context_window"), item.get("max_context_length"))  # fmt: skip
    tokens = next((length for length in lengths if isinstance(length, int) and length > 0), None)
    abilities = item.get("capabilities")
    listed = tuple(str(it) for it in abilities) if isinstance(abilities, list) else ()
    state = item.get("state") or item.get("status")  # LM Studio; llama.cpp with several models
    state = state.get("value") if isinstance(state, dict) else state
    loaded = (LOADED,) if state == LOADED else ()
    name = item.get("name")
    return Model(str(item["id"]), str(name) if isinstance(name, str) else "", context_tokens=tokens,
                 abilities=(*listed, *loaded))  # fmt: skip
