"""Requests that look at connections: trying one that is not configured yet, and the doctor. Nothing is kept.

Everything blocks on other machines, so it happens on threads of its own, which end when the request is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sidelight.core.ports import Check, Trial, Wishes
from sidelight.core.stopping import Stop
from sidelight.logs import masked_meanwhile, shareable_text
from sidelight.lsp.models import offer_value
from sidelight.lsp.protocol import InvalidParams
from sidelight.lsp.session import Session
from sidelight.lsp.start import Wiring
from sidelight.messages import Message

_PROVIDERS = ("anythingllm", "openai", "ollama", "dashscope")
# A shorter key would mask half of every sentence.
_SHORTEST_MASKED = 4

# They wait for other machines; a dead one keeps its thread for as long as a trial may last.
_THREADS = 16

_Result = TypeVar("_Result")


class Examinations:
    """Answers the requests; ``session`` is looked up at each, since it is made after the table."""

    def __init__(self, wiring: Wiring, session: Callable[[], Session]) -> None:
        self._wiring = wiring
        self._session = session
        self._threads = ThreadPoolExecutor(_THREADS, "examinations")

    def handlers(self) -> dict[str, Callable[[Any], Awaitable[dict[str, Any]]]]:
        """Return the table: method -> what answers it."""
        return {"sidelight/connect": self._connect, "sidelight/doctor": self._doctor}

    async def _connect(self, params: Any) -> dict[str, Any]:
        trial = _trial(params)
        with masked_meanwhile([trial.key]):
            settings = await self._session().settings()
            tried = await self._off_the_loop(lambda stop: self._wiring.connect(settings, trial, stop))
            return {
                "isConnected": tried.is_connected,
                "checks": [self._value(check, trial.key) for check in tried.checks],
                "models": [offer_value(offer) for offer in tried.offers],
            }

    async def _doctor(self, params: Any) -> dict[str, Any]:
        session = self._session()
        wishes = _wishes(params, session.locale)
        settings = await session.settings()
        examined = await self._off_the_loop(lambda stop: self._wiring.examine(settings, wishes, stop))
        return {
            "state": examined.state,
            "summary": self._text(examined.summary),
            "checks": [self._value(check) for check in examined.checks],
        }

    async def _off_the_loop(self, work: Callable[[Stop], _Result]) -> _Result:
        stop = Stop()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, stop)
        finally:
            stop.set()  # cancelled: whoever waits for a server there, waits no longer

    def _value(self, check: Check, key: str = "") -> dict[str, Any]:
        value: dict[str, Any] = {"state": check.state, "message": self._text(check.message, key)}
        if check.hint:
            value["hint"] = self._text(check.hint, key)
        if check.details:
            value["details"] = [self._text(line, key) for line in check.details]
        return value

    def _text(self, message: Message, key: str = "") -> str:
        """Return a message as it may be shown, also where a server has repeated the key."""
        text = shareable_text(self._session().client.write(message))
        return text.replace(key, "***") if len(key) >= _SHORTEST_MASKED else text


def _trial(params: Any) -> Trial:
    """Read the parameters. Raises ``InvalidParams``, which repeats none of them."""
    if not isinstance(params, dict) or params.get("provider") not in _PROVIDERS:
        raise InvalidParams(f"provider must be one of {', '.join(_PROVIDERS)}.")
    texts = {name: params.get(name) for name in ("address", "key", "model")}
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise InvalidParams(f"{name} must be a string.")
    return Trial(params["provider"], **{name: (text or "").strip() for name, text in texts.items()})


def _wishes(params: Any, language: str) -> Wishes:
    params = {} if params is None else params
    remote, asks = (params.get("remote"), params.get("asks", True)) if isinstance(params, dict) else (0, True)
    if not (remote is None or isinstance(remote, str)) or not isinstance(asks, bool):
        raise InvalidParams("remote must be a string, and asks a boolean.")
    return Wishes(remote, asks, language)
