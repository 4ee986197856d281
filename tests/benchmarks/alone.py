"""What has no rival to be compared with: searching what is kept, and Transformers in a process of its own."""

from __future__ import annotations

from collections.abc import Callable

import history
import transformers_overhead
from client import Client
from table import Row, at_most, difference

_TURNS = 10_000
_LOADING_S = 120.0
_MIB = 1 << 20


def searching() -> list[Row]:
    """Measure a full-text search over many turns, by what is searched for."""
    taken = history.search_ms(_TURNS)
    return [at_most(f"search over {_TURNS:,} turns, {what}, ms", ms, 20) for what, ms in taken.items()]


def transformers() -> list[Row]:
    """Measure what our process adds to ``generate``, and how soon it stops."""
    found = transformers_overhead.measure(transformers_overhead.python())
    slowest = f" (max {found.slowest_stop_ms:.1f})"
    return [
        difference("a token of Transformers, ms", found.ours_ms, found.plain_ms, "generate with a streamer", 0.2),
        at_most("stop until Transformers computes no more, ms", found.stop_ms, 50, slowest),
    ]


def memory(start: Callable[[dict[str, str]], Client], openai: dict[str, str]) -> list[Row]:
    """Measure the language server's memory when Transformers answers, against when an OpenAI-compatible server does.

    ``start`` starts the language server with an environment, and ``openai`` is that in which a server answers.
    """
    transformers = {
        "SIDELIGHT_PROVIDER": "transformers",
        "SIDELIGHT_TRANSFORMERS_MODEL": str(transformers_overhead.MODEL),
        "SIDELIGHT_TRANSFORMERS_PYTHON": transformers_overhead.python(),
        "SIDELIGHT_MAX_TOKENS": "100",
    }
    before, after = _resident_mib(start(openai))
    ours_before, ours_after = _resident_mib(start(transformers))
    what = "memory of the server, Transformers"
    return [
        difference(f"{what} configured, MiB", ours_before, before, "openai", 2),
        difference(f"{what} has answered, MiB", ours_after, after, "openai", 2),
    ]


def _resident_mib(client: Client) -> tuple[float, float]:
    """Return the memory before and after an answer, each when nothing is going on any more; ends the server."""
    client.initialize()
    client.first_request()
    client.rest(3)
    before = client.resident_bytes()
    question = {"task": "ask", "instruction": "What does it do?", "partialResultToken": "answer"}
    answer = client.ask("sidelight/run", question, _LOADING_S)
    if answer.get("result", {}).get("finish") not in ("complete", "length"):
        raise SystemExit(f"the answer is none: {answer}")
    client.rest(1)
    after = client.resident_bytes()
    client.end()
    return before / _MIB, after / _MIB
