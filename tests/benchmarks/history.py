"""How long a full-text search over many kept turns takes: `search_ms()`, or this file as a script."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path
from time import perf_counter

_ROOT = Path(__file__).resolve().parents[2]
_BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)
_ROUNDS = 15


def search_ms(turns: int = 10_000, turns_each: int = 5) -> dict[str, float]:
    """Return the median time of each kind of search over so many turns, in milliseconds."""
    from sidelight.store.conversations import StoredConversations

    with tempfile.TemporaryDirectory() as folder:
        conversations = StoredConversations(Path(folder) / "data", days=10_000, budget_bytes=1 << 40)
        vocabulary = _vocabulary(20_000)
        _fill(conversations, turns, turns_each, vocabulary)
        searches = {
            "a rare word": vocabulary[-1],
            "a common word": vocabulary[0],
            "three words": " ".join(vocabulary[1:4]),
            "the beginning of a word": vocabulary[50][:2],
            "one letter": "t",
            "Chinese": "数据库错误",
            "what is nowhere": "nowhere-at-all",
        }
        taken = {name: _median_ms(lambda s=search: conversations.latest(search=s)) for name, search in searches.items()}
        conversations.close()
    return taken


def _fill(conversations: object, turns: int, turns_each: int, vocabulary: list[str]) -> None:
    """Write the turns in a few transactions, as what many months leave is there when a search begins."""
    from sidelight.core.ports import Conversation, Turn
    from sidelight.store.ledger import Ledger
    from sidelight.store.turn_rows import microseconds
    from sidelight.store.word_index import WordIndex

    ledger, chance = Ledger(WordIndex()), random.Random(1)
    weights = list(accumulate(1 / (place + 5) for place in range(len(vocabulary))))

    def text(count: int) -> str:
        return " ".join(chance.choices(vocabulary, cum_weights=weights, k=count))

    def write(connection: object, first: int) -> None:
        for number in range(first, min(first + 1000, turns)):
            conversation = Conversation(f"sidelight-{number // turns_each}", f"file:///folder-{number // 1000}")
            began_at = _BEGAN + timedelta(minutes=number)
            answer = text(300) + ("\n数据库连接错误，数据库错误" if number % 100 == 0 else "")
            turn = Turn(
                number % turns_each + 1, "ask", text(15), began_at, "area.py:12", text(200), answer, finish="complete"
            )
            ledger.put(connection, conversation, turn, microseconds(began_at))

    for first in range(0, turns, 1000):
        conversations._database.write(lambda connection, first=first: write(connection, first))


def _vocabulary(count: int) -> list[str]:
    chance = random.Random(2)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    weights = [1 / (place + 3) for place in range(26)]
    words = dict.fromkeys("".join(chance.choices(letters, weights, k=chance.randint(2, 10))) for _ in range(2 * count))
    return list(words)[:count]


def _median_ms(search: object) -> float:
    taken = []
    for _ in range(_ROUNDS):
        began = perf_counter()
        search()
        taken.append((perf_counter() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.path.insert(0, str(_ROOT / "server"))
    for what, ms in search_ms().items():
        print(f"{what:24} {ms:6.2f} ms")
