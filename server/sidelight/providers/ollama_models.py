"""The models of an Ollama server: which there are, which is asked where none is named, and the context of one.

What runs is asked each time; what a model could do is remembered for a while.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from sidelight.core.answers import Note
from sidelight.core.ports import Model
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.default_model import LOADED, try_default
from sidelight.providers.http import QUICK_S, Call, Http, host_of, is_loopback
from sidelight.providers.ollama_errors import error_of_reply, missing_model, no_model_chosen, not_ollama

# What Ollama gives a model on a machine with little video memory, when nobody asks for more.
DEFAULT_NUM_CTX = 4096
_KNOWN_S = 60.0
# A question asks for the model twice, for its context and for itself.
_CHOSEN_S = 2.0


@dataclass(frozen=True, slots=True)
class Running:
    """What Ollama says of a model: the context it could have, the one it has now, and the one that its file asks for.

    0 where Ollama does not say, or where the model is not loaded.
    """

    limit_tokens: int = 0
    running_tokens: int = 0
    usual_tokens: int = 0


class OllamaModels:
    """The models of the server at ``address``. Every method raises ``ProviderError``, where nothing else is said."""

    def __init__(self, address: str, http: Http) -> None:
        self._address = address
        self._http = http
        self._known: dict[str, tuple[float, Running]] = {}
        self._default: tuple[float, str, tuple[Note, ...]] = (0.0, "", ())

    def default(self, stop: Stop | None) -> tuple[str, tuple[Note, ...]]:
        """Return the model to ask where none is named, and what to tell of it.

        Raises ``ConfigurationError``, too: where the user has to choose.
        """
        until, name, notes = self._default
        if monotonic() > until:
            name, notes = self._ask_for_default(stop)
            self._default = monotonic() + _CHOSEN_S, name, notes
        return name, notes

    def _ask_for_default(self, stop: Stop | None) -> tuple[str, tuple[Note, ...]]:
        running = {str(it.get("name")) for it in self._list("/api/ps", stop)}
        models = [
            replace(it, abilities=(*it.abilities, LOADED)) if it.id in running else it for it in self.listed(stop)
        ]
        if default := try_default(models, is_local=is_loopback(self._address)):
            return default[0].id, default[1]
        raise no_model_chosen(host_of(self._address), [it.id for it in models])

    def listed(self, stop: Stop | None = None) -> list[Model]:
        """Return the models that are on that machine."""
        return [_model_of(item) for item in self._list("/api/tags", stop) if item.get("name")]

    def about(self, model: str, stop: Stop) -> Running:
        """Return what Ollama says of a model; nothing where it says nothing. What runs is asked each time."""
        running = 0
        try:
            for item in self._list("/api/ps", stop):
                if _same(str(item.get("name") or ""), model):
                    running = _tokens(item.get("context_length")) or DEFAULT_NUM_CTX
            until, known = self._known.get(model, (0.0, Running()))
            if monotonic() > until:
                known = _shown(self._get("/api/show", stop, {"model": model}))
                self._known[model] = monotonic() + _KNOWN_S, known
        except (ProviderError, ConfigurationError):
            return Running(0, running)
        return replace(known, running_tokens=running)

    def version(self) -> str:
        """Return Ollama's version; empty where it does not say."""
        return str(self._get("/api/version").get("version") or "")

    def missing(self, model: str, stop: Stop | None) -> ProviderError:
        """Return, not raise, the error that says that a model is not there."""
        try:
            names = [it.id for it in self.listed(stop)]
        except (ProviderError, ConfigurationError):
            names = []
        return missing_model(model, names)

    def _list(self, path: str, stop: Stop | None) -> list[dict[str, Any]]:
        found = self._get(path, stop).get("models")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def _get(self, path: str, stop: Stop | None = None, body: Any = None) -> dict[str, Any]:
        call = Call("GET" if body is None else "POST", self._address + path, body=body, silence_s=QUICK_S)
        reply = self._http.fetch(call, stop)
        answer = reply.json()
        if reply.status != 200 or not isinstance(answer, dict):
            raise error_of_reply(reply, self._address) or not_ollama(self._address)
        return answer


def _same(name: str, model: str) -> bool:
    return name in (model, f"{model}:latest")


def _tokens(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _shown(answer: dict[str, Any]) -> Running:
    """Read ``/api/show``: the context that the model was trained for, under a name that begins with its family's."""
    info, parameters = answer.get("model_info"), answer.get("parameters")
    info = info if isinstance(info, dict) else {}
    lengths = [_tokens(length) for name, length in info.items() if name.endswith(".context_length")]
    usual = re.search(r"^num_ctx\s+(\d{1,9})\s*$", str(parameters), re.MULTILINE)
    return Running(lengths[0] if lengths else 0, 0, int(usual[1]) if usual else 0)


def _model_of(item: dict[str, Any]) -> Model:
    details = item.get("details")
    details = details if isinstance(details, dict) else {}
    words = [str(details[name]) for name in ("parameter_size", "quantization_level") if details.get(name)]
    abilities = item.get("capabilities")
    listed = tuple(str(it) for it in abilities) if isinstance(abilities, list) else ()
    if not listed and "bert" in str(details.get("family")):  # every older model that makes vectors is one
        listed = ("embedding",)
    tokens = _tokens(details.get("context_length")) or None
    return Model(str(item["name"]), detail=" ".join(words), context_tokens=tokens, abilities=listed)
