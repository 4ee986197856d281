"""What a keystroke in a document of 100,000 lines costs, in CPU time: Sidelight's text store and pygls'."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import process_time_ns
from typing import Any

_LINES = 100_000
_LINE = "    value_{} = compute(value_{}, 'text')  # {}\n"


def _text() -> str:
    return "".join(_LINE.format(n, n, "数值" if n % 10 == 0 else "note") for n in range(_LINES))


def _keys(count: int, seed: int) -> list[Any]:
    """Return single characters at random places, and Enter now and then."""
    from lsprotocol import types

    chance = random.Random(seed)
    changes = []
    for n in range(count):
        at = types.Position(chance.randrange(_LINES), chance.randrange(40))
        changes.append(types.TextDocumentContentChangePartial(types.Range(at, at), "\n" if n % 20 == 19 else "x"))
    return changes


def _milliseconds(change: Callable[[Any], None], keys: list[Any]) -> float:
    begin = process_time_ns()
    for key in keys:
        change(key)
    return (process_time_ns() - begin) / len(keys) / 1e6


def measure(rounds: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds a keystroke of each round: ours, and pygls'."""
    from pygls.workspace import TextDocument

    from sidelight.lsp.documents import Document

    text, ours, theirs = _text(), [], []
    document = Document("file:///a.py", "python", 1, text, "utf-16")
    plain = TextDocument("file:///a.py", text)
    for seed in range(rounds):
        ours.append(_milliseconds(document.change, _keys(2000, seed)))
        theirs.append(_milliseconds(plain.apply_change, _keys(8, seed)))
    return ours, theirs
