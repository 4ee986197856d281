"""Model servers on this machine, found at their usual ports and recognised by what they answer.

Loopback only, nothing but GET, and each port has a blink of time; a port where nobody listens costs nothing.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import SidelightError
from sidelight.providers.http import Call, Http, HttpOptions

PROBE_S = 0.15
HOST = "127.0.0.1"
# Where AnythingLLM, Ollama, LM Studio, llama.cpp and vLLM listen unless told otherwise; others use these ports, too.
PORTS = (3001, 11434, 1234, 8080, 8000)


@dataclass(frozen=True, slots=True)
class Found:
    """A model server: the provider that speaks to it, and its address as that provider's setting takes it."""

    provider: Literal["anythingllm", "ollama", "openai"]
    address: str


def discover(known: Sequence[Found] = (), ports: Sequence[int] = PORTS) -> list[Found]:
    """Return the servers that listen on these ports of this machine, in the order of the ports. Blocks a blink.

    A server that was ``known`` and still listens, but is too busy to answer in time, is still there.
    """
    listening = [port for port in ports if _listens(port)]
    if not listening:
        return []
    import requests  # noqa: F401  # loading it takes as long as they have for their answers

    http = Http(HttpOptions(connect_s=PROBE_S, silence_s=PROBE_S, retries=0))
    stop = Stop()
    with ThreadPoolExecutor(len(listening) * len(_SIGNS), "discovery") as threads:
        answers = {
            (port, path): threads.submit(_get, http, f"http://{HOST}:{port}{path}", stop)
            for port in listening for path in _SIGNS
        }  # fmt: skip
        wait(answers.values(), 2 * PROBE_S)  # a limit for each read is none for a server that sends byte by byte
        stop.set()
    found = []
    for port in listening:
        before = next((it for it in known if urlsplit(it.address).port == port), None)
        now = _recognised(port, {path: answers[port, path].result() for path in _SIGNS}) or before
        found += [now] if now is not None else []
    return found


def _listens(port: int) -> bool:
    """Whether anybody listens; answered at once by this machine's own network, whatever the program does."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), PROBE_S):
        return True
    return False


def _get(http: Http, url: str, stop: Stop) -> Any:
    try:
        reply = http.fetch(Call("GET", url), stop)
    except (SidelightError, Stopped):
        return None
    return reply.json() if reply.status == 200 else None


def _recognised(port: int, answers: dict[str, Any]) -> Found | None:
    """Return what a server is; Ollama speaks OpenAI's language too, so its own comes first."""
    for path, (is_it, provider, ending) in _SIGNS.items():
        if is_it(answers[path]):
            return Found(provider, f"http://{HOST}:{port}{ending}")
    return None


def _is_list_of(name: str) -> Callable[[Any], bool]:
    return lambda answer: isinstance(answer, dict) and isinstance(answer.get(name), list)


_SIGNS: dict[str, tuple[Callable[[Any], bool], Literal["anythingllm", "ollama", "openai"], str]] = {
    "/api/ping": (lambda answer: answer == {"online": True}, "anythingllm", ""),
    "/api/tags": (_is_list_of("models"), "ollama", ""),
    "/v1/models": (_is_list_of("data"), "openai", "/v1"),
}
