"""What the worker process and the provider add to Transformers' own `generate`, a token, and how soon an answer stops.

The rival is `generate` with a `TextIteratorStreamer` in a process of its own, with the same model, prompt and length;
the two take turns. SIDELIGHT_TEST_TRANSFORMERS_PYTHON names a Python that has torch and transformers, else it is the
one that `make e2e` makes; without either there is nothing to measure. Nothing here fails for being slow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

_HERE = Path(__file__).resolve()
sys.path[:0] = [str(_HERE.parents[2] / "server"), str(_HERE.parents[1])]

from models.tools import TRANSFORMERS  # noqa: E402, beside this folder
from sidelight.core.answers import Text  # noqa: E402, as in a checkout that is not installed
from sidelight.core.context import Context  # noqa: E402
from sidelight.core.ports import Prompt, Request  # noqa: E402
from sidelight.core.stopping import Stop, Stopped  # noqa: E402
from sidelight.providers.transformers import Transformers, TransformersConfig  # noqa: E402

MODEL = _HERE.parents[1] / "models" / "tiny"
QUESTION = "the quick brown fox"
TOKENS = 300
ROUNDS = 11
STOPS = 20

PLAIN = """
import os, sys, threading, time
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer
folder, question, length = sys.argv[1], sys.argv[2], int(sys.argv[3])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder).eval()
messages = [{"role": "user", "content": question}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
for _ in sys.stdin:
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    options = dict(inputs, streamer=streamer, max_new_tokens=length, min_new_tokens=length, do_sample=False)
    threading.Thread(target=model.generate, kwargs=options).start()
    times = [time.perf_counter() for _ in streamer]
    print((times[-1] - times[0]) / (len(times) - 1) * 1000, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds: a token of `generate` alone, a token of ours, their difference, and of stopping the slowest."""

    plain_ms: float
    ours_ms: float
    added_ms: float
    stop_ms: float
    slowest_stop_ms: float


def python() -> str:
    """Return the Python that has torch and transformers; empty where there is none."""
    made = TRANSFORMERS.path / "bin" / "python"
    return os.environ.get("SIDELIGHT_TEST_TRANSFORMERS_PYTHON") or (str(made) if made.exists() else "")


def why_not() -> str:
    """Say why there is none."""
    return f"transformers: not measured, {TRANSFORMERS.why_missing()}"


class Plain:
    """`generate` with a streamer, in a process of its own."""

    def __init__(self, python: str, model: Path) -> None:
        self._process = subprocess.Popen(
            [python, "-c", PLAIN, str(model), QUESTION, str(TOKENS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def token_ms(self) -> float:
        """Generate once; return the time a token took."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def token_ms(provider: Transformers) -> float:
    """Ask once; return the time a token took, as the language server sees it."""
    times, tokens = [], 0
    for event in provider.stream(_request(TOKENS), Stop()):
        if isinstance(event, Text):
            times.append(perf_counter())
        tokens = getattr(event, "completion_tokens", None) or tokens
    return (times[-1] - times[0]) / (tokens - 1) * 1000


def stop_ms(provider: Transformers, after: int) -> float:
    """Stop an answer in its middle; return the time until the model computes no more."""
    stop, seen, began = Stop(), 0, 0.0
    try:
        for event in provider.stream(_request(0), stop):
            seen += isinstance(event, Text)
            if seen >= after and not began:
                began = perf_counter()
                stop.set()
    except Stopped:
        pass
    worker = provider._worker
    assert worker
    if worker.is_busy:
        with closing(worker.listen(Stop(), 10)) as replies:
            next(bunch for bunch in replies if any(reply["is"] == "finished" for reply in bunch))
    return (perf_counter() - began) * 1000


def _request(length: int) -> Request:
    return Request("ask", Prompt("", QUESTION), Context(), "benchmark", max_tokens=length)


def measure(python: str, model: Path = MODEL) -> Overhead:
    """Measure both in turns; figures are medians over the rounds."""
    with tempfile.TemporaryDirectory() as scratch:
        return _measure(python, _endless(model, Path(scratch) / "model"))


def _endless(model: Path, copy: Path) -> Path:
    """Return a copy of the tiny model that does not know the end of its turn."""
    shutil.copytree(model, copy)
    for name in ("generation_config.json", "tokenizer_config.json", "chat_template.jinja"):
        text = (copy / name).read_text("utf-8").replace('"eos_token_id": 2', '"eos_token_id": 0')
        (copy / name).write_text(text.replace("<|im_end|>", "<|endoftext|>"), "utf-8")
    return copy


def _measure(python: str, model: Path) -> Overhead:
    plain, provider = Plain(python, model), Transformers(TransformersConfig(str(model), python, temperature=0))
    try:
        for _ in range(2):  # warm
            plain.token_ms()
            token_ms(provider)
        pairs = [(plain.token_ms(), token_ms(provider)) for _ in range(ROUNDS)]
        stops = [stop_ms(provider, 5 + number) for number in range(STOPS)]
    finally:
        plain.end()
        provider.close()
    added = median(ours - theirs for theirs, ours in pairs)
    theirs, ours = (median(column) for column in zip(*pairs, strict=True))
    return Overhead(theirs, ours, added, median(stops), max(stops))


def main() -> int:
    """Print what was measured."""
    if not python():
        print(why_not())
        return 0
    found = measure(python())
    print(f"generate with a streamer, a token: {found.plain_ms:.3f} ms")
    print(f"through worker and provider:       {found.ours_ms:.3f} ms")
    print(f"added, median of {ROUNDS} pairs:        {found.added_ms:+.3f} ms (should reach 0.2)")
    print(f"stopping, until nothing computes:  {found.stop_ms:.1f} ms, slowest {found.slowest_stop_ms:.1f} ms (50)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
