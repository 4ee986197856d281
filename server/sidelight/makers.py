"""How each provider is made from the settings: one function each.

Keys and headers come from ``Settings.bound``, which gives them to their own address alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sidelight.choices import MODEL_SETTING
from sidelight.core.ports import Provider
from sidelight.core.stopping import Stop
from sidelight.settings import Settings

if TYPE_CHECKING:
    from sidelight.abilities import Abilities

# What a provider is made from, by which it is known again, and how it is made.
Made = tuple[Any, Callable[[Stop | None], Provider]]


def maker(name: str, settings: Settings, abilities: Abilities | None = None) -> Made:
    """Return how the provider of that name is made. Raises ``ConfigurationError``."""
    return anythingllm(settings, abilities) if name == "anythingllm" else _MAKERS[name](settings)


def model_of(name: str, settings: Settings) -> str:
    """Return the model that is set for a provider: its own setting, else the one for all.

    A folder's word on the latter does not count for Transformers, which would load whatever lies there.
    """
    for_all = settings.values["model"]
    return settings.text(MODEL_SETTING[name]) or str(for_all.users_own if name == "transformers" else for_all.value)


def _builtin(settings: Settings) -> Made:
    from sidelight.providers.builtin import BuiltinProvider

    return settings.folders, lambda _: BuiltinProvider(settings.folders)


def anythingllm(settings: Settings, abilities: Abilities | None = None) -> Made:
    """Return how AnythingLLM is made; ``abilities`` keeps what is found out about its server.

    It is made from its configuration and the options of HTTP.
    """
    from sidelight.providers.anythingllm import DEFAULT_ADDRESS, AnythingLLM, AnythingLLMConfig

    address, key = "anythingllm.base_url", "anythingllm.api_key"
    attachments = settings.text("anythingllm.attachments")
    config = AnythingLLMConfig(
        address=settings.text(address) or DEFAULT_ADDRESS,
        key=settings.bound(key, address),
        workspace=settings.text("anythingllm.workspace"),
        mode=settings.text("anythingllm.mode"),
        key_withheld=settings.is_withheld(key, address),
        attaches=attachments == "on",
        may_attach=attachments != "off",
        context_tokens=settings.integer("context_tokens"),
    )
    if abilities is None:
        return _over_http(config, settings, address, AnythingLLM)
    if attachments == "auto":
        config = replace(config, attaches=bool(abilities.takes_documents(config.api)))
    learn = partial(abilities.learn_documents, config.api)
    return _over_http(config, settings, address, lambda config, http: AnythingLLM(config, http, learn))


def _openai(settings: Settings) -> Made:
    from sidelight.providers.openai import DEFAULT_ADDRESS, OpenAI, OpenAIConfig

    address, key = "openai.base_url", "openai.api_key"
    config = OpenAIConfig(
        address=settings.text(address) or DEFAULT_ADDRESS,
        key=settings.bound(key, address),
        model=model_of("openai", settings),
        body=settings.values["openai.body"].value,
        temperature=settings.optional_number("temperature"),
        context_tokens=settings.integer("context_tokens"),
        key_withheld=settings.is_withheld(key, address),
    )
    return _over_http(config, settings, address, OpenAI)


def _ollama(settings: Settings) -> Made:
    from sidelight.providers.ollama import DEFAULT_ADDRESS, Ollama, OllamaConfig

    config = OllamaConfig(
        address=settings.text("ollama.host") or DEFAULT_ADDRESS,
        model=model_of("ollama", settings),
        temperature=settings.optional_number("temperature"),
        context_tokens=settings.integer("context_tokens"),
        keep_alive=settings.text("ollama.keep_alive"),
    )
    return _over_http(config, settings, "ollama.host", Ollama)


def _dashscope(settings: Settings) -> Made:
    from sidelight.providers.dashscope import DEFAULT_ADDRESS, DashScope, DashScopeConfig

    address, key = "dashscope.base_url", "dashscope.api_key"
    config = DashScopeConfig(
        address=settings.text(address) or DEFAULT_ADDRESS,
        key=settings.bound(key, address),
        model=model_of("dashscope", settings),
        temperature=settings.optional_number("temperature"),
        context_tokens=settings.integer("context_tokens"),
        key_withheld=settings.is_withheld(key, address),
    )
    return _over_http(config, settings, address, DashScope)


def _transformers(settings: Settings) -> Made:
    from sidelight.providers.transformers import Transformers, TransformersConfig

    config = TransformersConfig(
        model=model_of("transformers", settings),
        python=settings.text("transformers.python"),
        download=settings.flag("transformers.download"),
        device=settings.text("transformers.device"),
        dtype=settings.text("transformers.dtype"),
        idle_s=settings.number("transformers.idle_minutes") * 60,
        temperature=settings.optional_number("temperature"),
        context_tokens=settings.integer("context_tokens"),
    )
    return config, lambda _: Transformers(config)


def _over_http(config: Any, settings: Settings, address: str, provider: Callable[[Any, Any], Provider]) -> Made:
    from sidelight.logs import mask
    from sidelight.providers.http import Http, HttpOptions

    headers = settings.bound("headers", address)
    mask([getattr(config, "key", ""), *headers.values()])
    options = HttpOptions(
        connect_s=settings.number("connect_timeout_s"),
        silence_s=settings.number("silence_timeout_s"),
        retries=settings.integer("retries"),
        ca_file=settings.text("ca_file"),
        headers=headers,
    )
    return (config, options), lambda stop: provider(config, Http(options, stop))


_MAKERS: dict[str, Callable[[Settings], Made]] = {
    "openai": _openai,
    "ollama": _ollama,
    "dashscope": _dashscope,
    "transformers": _transformers,
    "builtin": _builtin,
}
