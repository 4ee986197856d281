"""`make bench`: Sidelight against a raw forwarder and a minimal pygls server, measured side by side in one run.

Every figure is the median of several rounds in which the rivals take turns, so that a busy machine is busy for both.
Nothing here fails for being slow: a figure that misses what it should reach is marked. Linux only (``/proc``).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic

from client import Client, Upstream
from table import Row, difference, ratio, show

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_DELTAS = 20_000
_STREAMS = 32
_OURS = [sys.executable, "-I", "server", "lsp"]
# How a vendor's address is set, and what it is besides where the upstream listens.
_ADDRESSES = {
    "anythingllm": ("ANYTHINGLLM_BASE_URL", ""),
    "openai": ("OPENAI_BASE_URL", "/v1"),
    "ollama": ("OLLAMA_HOST", ""),
    "dashscope": ("DASHSCOPE_BASE_URL", "/api/v1"),
}


class Rivals:
    """Ours and the raw forwarder, started and warm, with one upstream between them that speaks like a vendor."""

    def __init__(self, vendor: str, upstream: Upstream, environment: dict[str, str]) -> None:
        self.vendor = vendor
        self.upstream = upstream
        raw = [sys.executable, "-I", str(_HERE / "forwarder.py"), str(upstream.port), vendor]
        self.ours = Client(_OURS, environment | _address(vendor, upstream), _ROOT)
        self.raw = Client(raw, environment, _ROOT)
        for client in self:
            client.initialize()
            client.tell("initialized", {})
            client.run_to_end("flood-2000")
            client.run_to_end("paced-50-20")

    def __iter__(self) -> Iterator[Client]:
        return iter((self.ours, self.raw))

    def end(self) -> None:
        """End both."""
        for client in self:
            client.end()


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile of measured values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


# The rows


def latency(rivals: Rivals, rounds: int) -> list[Row]:
    """Measure how long one delta of a slow stream is on its way."""
    taken: dict[Client, list[list[float]]] = {client: [] for client in rivals}
    for _ in range(rounds):
        for client in rivals:
            taken[client].append(client.run_to_end("paced-50-100"))
    rows = []
    for percent, reach_ms in ((50, 0.3), (99, 3.0)):
        ours, raw = (median(percentile(one, percent) for one in taken[client]) for client in rivals)
        what = f"{rivals.vendor}: latency of a delta at 50/s, p{percent}, ms"
        rows.append(difference(what, ours, raw, "forwarder", reach_ms))
    return rows


def flood(rivals: Rivals, rounds: int) -> list[Row]:
    """Measure the server's CPU time for a delta when they come as fast as they can."""
    taken: dict[Client, list[float]] = {client: [] for client in rivals}
    for _ in range(rounds):
        for client in rivals:
            before = client.cpu_ns()
            client.run_to_end(f"flood-{_DELTAS}")
            taken[client].append((client.cpu_ns() - before) / _DELTAS / 1e3)
    ours, raw = (median(taken[client]) for client in rivals)
    return [ratio(f"{rivals.vendor}: CPU a delta, {_DELTAS:,} at once, us", ours, raw, "forwarder", 6)]


def many_streams(rivals: Rivals, rounds: int) -> list[Row]:
    """Measure the latency while many streams run, from when the last of them has begun."""
    taken: dict[Client, list[float]] = {client: [] for client in rivals}
    for _ in range(rounds):
        for client in rivals:
            taken[client].append(percentile(_side_by_side(client), 99))
    ours, raw = (median(taken[client]) for client in rivals)
    what = f"latency, {_STREAMS} streams at 50/s, p99, ms"
    return [Row(what, f"{ours:.2f}", f"{raw:.2f} forwarder", f"{ours - raw:+.2f}", "<= 5", ours <= 5)]


def _side_by_side(client: Client) -> list[float]:
    tokens = [f"stream-{n}" for n in range(_STREAMS)]
    ids = [client.run("paced-50-150", token) for token in tokens]
    client.wait(lambda: all(id_ in client.results for id_ in ids))
    streams = [client.latencies[token] for token in tokens]
    all_run = max(stream[0][0] for stream in streams)
    return [passed / 1e6 for stream in streams for sent, passed in stream if sent > all_run]


def stopping(rivals: Rivals, rounds: int) -> list[Row]:
    """Measure how soon the upstream sees that a run was stopped."""
    cases = {"streaming": "paced-50-500", "silent mid-stream": "silent-3", "before headers": "mute"}
    taken: dict[tuple[str, bool], list[float]] = {(case, by_id): [] for case in cases for by_id in (False, True)}
    for _ in range(rounds):
        for (case, by_id), values in taken.items():
            values.append(_stop_once(rivals, cases[case], by_id=by_id))
    rows = []
    for (case, by_id), values in taken.items():
        how = "$/cancelRequest" if by_id else "progress/cancel"
        what = f"stop to closed, {how}, {case}, ms"
        rows.append(Row(what, f"{median(values):.2f} (max {max(values):.1f})", "", "", "<= 10", median(values) <= 10))
    return rows


def _stop_once(rivals: Rivals, slug: str, *, by_id: bool) -> float:
    client = rivals.ours
    id_ = client.run(slug)
    while rivals.upstream.expect("request") != [slug]:
        pass
    if slug != "mute":
        client.wait(lambda: len(client.latencies[slug]) >= 3)
    client.rest(0.03)
    sent_ns = client.tell(*_stop_message(slug, id_, by_id=by_id))
    closed_ns = int(rivals.upstream.expect("closed")[0])
    client.wait(lambda: id_ in client.results)
    return (closed_ns - sent_ns) / 1e6


def _stop_message(slug: str, id_: int, *, by_id: bool) -> tuple[str, dict[str, object]]:
    if by_id:
        return "$/cancelRequest", {"id": id_}
    return "window/workDoneProgress/cancel", {"token": f"work-{slug}"}


def starting(environment: dict[str, str], rounds: int) -> list[Row]:
    """Measure the time to the answer to ``initialize`` and to one after it, and the memory then.

    Ours answers ``initialize`` before it has loaded LSP's types, so the time until it has is measured as well.
    """
    commands = {"ours": _OURS, "pygls": [sys.executable, "-I", str(_HERE / "minimal_pygls.py")]}
    times: dict[str, list[float]] = {name: [] for name in commands}
    loaded: dict[str, list[float]] = {name: [] for name in commands}
    sizes: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            client = Client(command, environment, _ROOT)
            passed_ns, loaded_ns = client.initialize(), client.first_request()
            size = client.resident_bytes()
            client.end()
            if number:  # the first round compiles what has no bytecode yet
                times[name].append(passed_ns / 1e6)
                loaded[name].append(loaded_ns / 1e6)
                sizes[name].append(size / (1 << 20))
    time, ready, size = ([median(values[name]) for name in commands] for values in (times, loaded, sizes))
    return [
        ratio("start to initialize answered, ms", *time, "minimal pygls", 1.0),
        ratio("start to first request after that, ms", *ready, "minimal pygls", 1.1),
        ratio("memory after that, MiB", *size, "minimal pygls", 1.1),
        _http_library(environment),
    ]


def _http_library(environment: dict[str, str]) -> Row:
    """See that the HTTP library was not loaded until the first request was answered."""
    client = Client([sys.executable, "-X", "importtime", *_OURS[1:]], environment, _ROOT)
    client.initialize()
    client.first_request()
    client.end()
    imported = {line.rpartition(b"|")[2].strip().partition(b".")[0] for line in client.errors.splitlines()}
    loaded = sorted(name.decode() for name in imported & {b"requests", b"urllib3"})
    assert b"pygls" in imported, "the list of imports is not what it should be"
    return Row("HTTP library loaded by then", ", ".join(loaded) or "no", "", "", "no", not loaded)


def typing(rounds: int) -> list[Row]:
    """Measure a keystroke in a long document."""
    import keystrokes

    ours, pygls = map(median, keystrokes.measure(rounds))
    what = "keystroke in 100,000 lines, CPU, ms"
    return [Row(what, f"{ours:.4f}", f"{pygls:.1f} pygls", f"x {ours / pygls:.5f}", "<= 0.05", ours <= 0.05)]


# The table


@contextmanager
def _upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    try:
        yield upstream
    finally:
        upstream.end()


@contextmanager
def _rivals(vendor: str, upstream: Upstream, environment: dict[str, str]) -> Iterator[Rivals]:
    rivals = Rivals(vendor, upstream, environment)
    try:
        yield rivals
    finally:
        rivals.end()


def _address(vendor: str, upstream: Upstream) -> dict[str, str]:
    name, path = _ADDRESSES[vendor]
    return {"SIDELIGHT_PROVIDER": vendor, name: f"http://127.0.0.1:{upstream.port}{path}"}


def _environment(home: str) -> dict[str, str]:
    """Return the environment of every process that is measured: a home of its own, bytecode and buffers as usual."""
    left_out = ("PYTHON", "ANYTHINGLLM_", "OPENAI_", "OLLAMA_", "DASHSCOPE_", "SIDELIGHT_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    folders = {f"XDG_{kind}_HOME": f"{home}/{kind.lower()}" for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
    keys = {f"{vendor}_API_KEY": "no-key-at-all" for vendor in ("ANYTHINGLLM", "OPENAI", "DASHSCOPE")}
    return {**kept, **folders, **keys, "ANYTHINGLLM_WORKSPACE_SLUG": "test1", "HOME": home}


def measure(environment: dict[str, str], upstream: Upstream) -> list[Row]:
    """Measure everything that has a rival."""
    starts = starting(environment | {"ANYTHINGLLM_BASE_URL": "http://127.0.0.1:9"}, 9)
    rows, more = [], []
    for vendor in _ADDRESSES:
        with _rivals(vendor, upstream, environment) as rivals:
            rows += latency(rivals, 3) + flood(rivals, 5)
            if vendor == "anythingllm":  # what is the same for all
                more = many_streams(rivals, 3) + stopping(rivals, 7)
    return rows + more + starts + typing(5)


def measure_alone(environment: dict[str, str], upstream: Upstream) -> list[Row]:
    """Measure what has no rival."""
    import alone
    import context

    rows = alone.searching() + context.measure()
    if not alone.transformers_overhead.python():
        print(alone.transformers_overhead.why_not())
        return rows
    openai = {**_address("openai", upstream), "OPENAI_MODEL": "flood-100"}
    return rows + alone.transformers() + alone.memory(lambda more: Client(_OURS, environment | more, _ROOT), openai)


def measure_vscode(environment: dict[str, str]) -> list[Row]:
    """Measure the VS Code extension, where VS Code is."""
    import vscode

    if reason := vscode.why_not():
        print(reason)
        return []
    return vscode.measure(environment)


def show_edits() -> None:
    """Print how edits fare."""
    import line_diff
    import live_edits

    import corpus

    print()
    for what, value in [*live_edits.measure(), *line_diff.measure(), *corpus.measure()]:
        print(what.ljust(40), value)


def main() -> int:
    """Measure and print."""
    if not sys.platform.startswith("linux"):
        print("The benchmarks read /proc, which this system does not have.")
        return 0
    sys.path.insert(0, str(_ROOT / "server"))
    begin = monotonic()
    with tempfile.TemporaryDirectory() as home, _upstream() as upstream:
        show(measure(_environment(home), upstream))
        print()
        show(measure_alone(_environment(home), upstream))
        print()
        if rows := measure_vscode(_environment(home)):
            show(rows)
    show_edits()
    print(f"\nMedians of rounds in which the rivals took turns; {monotonic() - begin:.0f} s in all.")
    print("A p99 is the machine's as much as the server's: where it misses, see the forwarder's beside it.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
