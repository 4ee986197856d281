"""The models of a DashScope region: its list, and how much each of them reads.

https://www.alibabacloud.com/help/en/model-studio/list-models
"""

from __future__ import annotations

from time import monotonic
from typing import Any
from urllib.parse import quote

from sidelight.core.ports import Model, Window
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.chat import count_of
from sidelight.providers.dashscope_config import DashScopeConfig, api_of, authorization
from sidelight.providers.dashscope_errors import error_of_reply, not_the_api
from sidelight.providers.http import QUICK_S, Call, Http

# For where the list of models cannot be asked: the greatest inputs, of several published since 2025 the smallest.
_DOCUMENTED_TOKENS = {"qwen-max": 30720, "qwen-plus": 129024, "qwen-turbo": 98304, "qwen3-max": 258048}
_ASSUMED_TOKENS = 8192
_KNOWN_S = 300.0
_PAGE_MODELS = 100
_MOST_PAGES = 10


class DashScopeModels:
    """The models for text of one region, as its list tells of them."""

    def __init__(self, config: DashScopeConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._known: dict[str, tuple[float, int | None]] = {}

    def window(self, name: str, stop: Stop) -> Window:
        """Return the context length of a model, as the list says, else as the models' pages do."""
        until, tokens = self._known.get(name, (0.0, None))
        if monotonic() > until:
            tokens = self._ask_about(name, stop)
            self._known[name] = monotonic() + _KNOWN_S, tokens
        if tokens:
            return Window(tokens, "server")
        return Window(_DOCUMENTED_TOKENS.get(name.removesuffix("-latest"), _ASSUMED_TOKENS), "assumed")

    def listed(self, stop: Stop | None = None) -> list[Model]:
        """Ask for the list; TG is text generation. Raises ``ProviderError`` and ``ConfigurationError``."""
        found: list[Model] = []
        for number in range(1, _MOST_PAGES + 1):
            listed, total = self._page(f"capabilities=TG&page_no={number}&page_size={_PAGE_MODELS}", stop)
            found += listed
            if not listed or len(found) >= total:
                break
        return found

    def try_names(self, stop: Stop) -> list[str]:
        """Return the names of the models, none where the list cannot be asked."""
        try:
            return [it.id for it in self.listed(stop)]
        except ProviderError:
            return []

    def _ask_about(self, model: str, stop: Stop) -> int | None:
        if not self._config.key:
            return None
        try:
            listed = self._page(f"model={quote(model, safe='')}", stop)[0]
        except (ProviderError, ConfigurationError):
            return None
        return next((it.context_tokens for it in listed if it.id == model), None)

    def _page(self, query: str, stop: Stop | None) -> tuple[list[Model], int]:
        url = f"{api_of(self._config)}/models?{query}"
        reply = self._http.fetch(Call("GET", url, authorization(self._config), silence_s=QUICK_S), stop)
        body = reply.json()
        output = body.get("output") if reply.status == 200 and isinstance(body, dict) else None
        listed = output.get("models") if isinstance(output, dict) else None
        if not isinstance(output, dict) or not isinstance(listed, list):
            model = self._config.model_or(None)
            raise error_of_reply(reply, self._config, model) or not_the_api(self._config)
        models = [_model_of(item) for item in listed if isinstance(item, dict) and item.get("model")]
        return models, count_of(output.get("total")) or 0


def _model_of(item: dict[str, Any]) -> Model:
    """Read one model of the list; of context and greatest input the smaller counts, for both are limits."""
    info = item.get("model_info")
    limits = [info.get(name) for name in ("context_window", "max_input_tokens")] if isinstance(info, dict) else []
    tokens = min((limit for limit in limits if isinstance(limit, int) and limit > 0), default=None)
    features = item.get("features")
    abilities = tuple(str(it) for it in features) if isinstance(features, list) else ()
    return Model(str(item["model"]), str(item.get("name") or ""), context_tokens=tokens, abilities=abilities)
