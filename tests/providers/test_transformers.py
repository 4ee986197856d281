from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Finished, Note, Status, Text
from sidelight.core.context import Context
from sidelight.core.ports import Exchange, Prompt, Request, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers import transformers_worker as worker_file
from sidelight.providers.transformers import Transformers, TransformersConfig, TransformersDecoder
from sidelight.providers.transformers_errors import load_error

MODEL = "owner/name"
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="signals are a Unix's")

# Speaks the worker's protocol without a model; a test writes what it does when it loads and answers.
STAND_IN = """
import json, os, queue, signal, sys, threading, time

FACTS = {"context_tokens": 2048, "device": "cpu", "dtype": "float32", "has_template": True}
orders, stopped, kept = queue.Queue(), set(), open(__file__ + ".orders", "a")

def say(kind, **fields):
    print(json.dumps({"is": kind, **fields}), flush=True)

def words(order, *texts):
    say("started", id=order["id"], prompt_tokens=7)
    for text in texts:
        say("piece", id=order["id"], text=text)

def finish(order, how="stop"):
    say("finished", id=order["id"], finish=how, prompt_tokens=7, completion_tokens=3)

def until_stopped(order):
    while order["id"] not in stopped:
        time.sleep(0.002)
    finish(order, "stopped")

def load(order):
    say("progress", what="import", percent=None)
    say("progress", what="read", percent=40)
    say("loaded", **FACTS)

def generate(order):
    words(order, "one ", "two")
    finish(order)

def check():
    say("check", python="3.11.0", torch="2.0", transformers="5.0", devices=["cpu"], problem="")
"""
STAND_IN_MAIN = """
def count(order):
    say("tokens", id=order["id"], tokens=len(order["text"].split()))

def read():
    for line in sys.stdin:
        order = json.loads(line)
        kept.write(line)
        kept.flush()
        stopped.add(order["id"]) if order["do"] == "stop" else orders.put(order)
    os._exit(0)

if "--check" in sys.argv:
    check()
else:
    threading.Thread(target=read, daemon=True).start()
    while True:
        order = orders.get()
        globals()[order["do"]](order)
"""


class StandIn:
    """Providers whose worker is a script of the test's; none outlives its test."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "worker.py"
        self._providers: list[Transformers] = []

    def __call__(self, code: str = "", **config: Any) -> Transformers:
        self._file.write_text(STAND_IN + textwrap.dedent(code) + STAND_IN_MAIN, "utf-8")
        self._providers.append(Transformers(TransformersConfig(**{"model": MODEL, **config}), self._file))
        return self._providers[-1]

    @property
    def orders(self) -> list[dict[str, Any]]:
        """What the workers were told, in all."""
        return [json.loads(line) for line in Path(f"{self._file}.orders").read_text("utf-8").splitlines()]

    def close(self) -> None:
        for provider in self._providers:
            provider.close()


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    made = StandIn(tmp_path)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub's cache of the test's own."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


def request(user: str = "hi", model: str | None = None, **fields: Any) -> Request:
    return Request("ask", Prompt("", user), Context(), "conversation-1", model, **fields)


def ask(provider: Transformers, asked: Request | None = None) -> tuple[Answer, list[AnswerEvent]]:
    answer, events = Answer(), list(provider.stream(asked or request(), Stop()))
    for event in events:
        answer.add(event)
    return answer, events


def statuses(events: list[AnswerEvent]) -> list[str]:
    return [str(event.message) for event in events if isinstance(event, Status)]


def error_of(answer: Answer) -> ProviderError:
    assert answer.finished and isinstance(answer.finished.error, ProviderError)
    return answer.finished.error


def pid_of(provider: Transformers) -> int:
    assert provider._worker
    return provider._worker.pid


def eventually(is_so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = monotonic() + seconds
    while not is_so():
        assert monotonic() < deadline
        sleep(0.005)


def runs(pid: int) -> bool:
    """Whether there is such a process, not counting one that nobody has buried."""
    if not Path("/proc").exists():
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Answers


def test_an_answer_comes_piece_by_piece_after_loading_was_told(stand_in: StandIn) -> None:
    answer, events = ask(stand_in())
    assert answer.text == "one two"
    assert answer.finished == Finished("complete")
    assert answer.usage and (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)
    assert statuses(events) == [
        "loading owner/name", "loading owner/name", "loading owner/name: 40 %", "asking owner/name",
    ]  # fmt: skip


def test_orders_say_what_was_asked_and_configured(stand_in: StandIn) -> None:
    provider = stand_in(device="cpu", dtype="bfloat16", download=True, temperature=0.5, context_tokens=999)
    prompt = Prompt("be brief", "hi \ud800", earlier=(Exchange("a", "b"),))
    ask(provider, Request("ask", prompt, Context(), "c", max_tokens=55))
    load, generate = stand_in.orders
    assert load == {
        "do": "load", "id": 0, "model": MODEL, "device": "cpu", "dtype": "bfloat16", "download": True,
        "context_tokens": 999,
    }  # fmt: skip
    said = [(it["role"], it["content"]) for it in generate["messages"]]
    assert said == [("system", "be brief"), ("user", "a"), ("assistant", "b"), ("user", "hi \ufffd")]
    assert (generate["max_new_tokens"], generate["temperature"]) == (55, 0.5)


def test_one_worker_serves_many_questions(stand_in: StandIn) -> None:
    provider = stand_in()
    pids = {(ask(provider)[0].text, pid_of(provider)) for _ in range(3)}
    assert len(pids) == 1
    assert [order["do"] for order in stand_in.orders] == ["load", "generate", "generate", "generate"]


def test_another_model_replaces_the_one_that_is_loaded(stand_in: StandIn) -> None:
    provider = stand_in()
    ask(provider)
    first = pid_of(provider)
    ask(provider, request(model="other/model"))
    assert not runs(first)
    assert [order["model"] for order in stand_in.orders if order["do"] == "load"] == [MODEL, "other/model"]


def test_reaching_the_greatest_length_is_told(stand_in: StandIn) -> None:
    answer, _ = ask(stand_in("def generate(order): words(order, 'cut'); finish(order, 'length')"))
    assert answer.finished and answer.finished.finish == "length"


def test_reasoning_is_set_apart(stand_in: StandIn) -> None:
    answer, _ = ask(stand_in("def generate(order): words(order, '<th', 'ink>so', ' so</think>', '42'); finish(order)"))
    assert (answer.reasoning, answer.text) == ("so so", "42")


def test_a_model_that_only_reasons_gives_no_answer(stand_in: StandIn) -> None:
    answer, _ = ask(stand_in("def generate(order): words(order, '<think>hm'); finish(order)"))
    assert answer.finished and answer.finished.finish == "refused"
    assert "only thought" in str(error_of(answer))


def test_a_model_without_a_chat_template_is_warned_about(stand_in: StandIn) -> None:
    answer, _ = ask(stand_in("FACTS['has_template'] = False"))
    assert answer.notes == [note for note in answer.notes if isinstance(note, Note) and note.is_warning] != []


def test_pieces_that_come_together_are_one_event() -> None:
    decoder = TransformersDecoder(4, "m")
    events = decoder.feed([{"is": "piece", "id": 4, "text": "a"}, {"is": "piece", "id": 4, "text": "b"}])
    assert events == [Text("ab")]


def test_replies_to_an_earlier_question_are_passed_over() -> None:
    decoder = TransformersDecoder(4, "m")
    assert decoder.feed([{"is": "piece", "id": 3, "text": "a"}, {"is": "finished", "id": 3, "finish": "stopped"}]) == []
    assert not decoder.is_complete


def test_noise_on_stdout_and_stderr_harms_nothing(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    code = """
        def generate(order):
            print("not json", "x" * 3_000_000, "[1]", '{"is": 4}', '"text"', sep="\\n", flush=True)
            sys.stderr.write("y" * 5_000_000 + "\\n" + "z\\n" * 5000)
            words(order, "fine")
            finish(order)
        """
    caplog.set_level("INFO")
    answer, _ = ask(stand_in(code))
    assert answer.text == "fine"
    assert sum(len(record.getMessage()) for record in caplog.records) < 100_000


# Ends of the worker


@needs_signals
def test_a_worker_killed_in_mid_answer_leaves_its_text_and_says_so(stand_in: StandIn) -> None:
    code = """
        def generate(order):
            words(order, "half")
            if not os.path.exists(__file__ + ".killed"):
                open(__file__ + ".killed", "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
            finish(order)
        """
    provider = stand_in(code)
    answer, _ = ask(provider)
    assert answer.text == "half"
    assert answer.finished and answer.finished.finish == "cut_off"
    assert "SIGKILL" in str(error_of(answer))
    assert "memory" in str(error_of(answer))
    again, _ = ask(provider)
    assert again.finished == Finished("complete")


def test_a_worker_that_exits_in_mid_answer_is_quoted(stand_in: StandIn) -> None:
    code = """
        def generate(order):
            words(order, "half")
            sys.stderr.write("first\\nwhy it was\\n")
            sys.stderr.flush()
            os._exit(7)
        """
    answer, _ = ask(stand_in(code))
    assert answer.text == "half"
    assert "(7)" in str(error_of(answer))
    assert "why it was" in str(error_of(answer))


def test_a_worker_that_dies_while_loading_is_an_error(stand_in: StandIn) -> None:
    with pytest.raises(ProviderError, match=r"ended by itself \(9\)"):
        ask(stand_in("def load(order): os._exit(9)"))


def test_a_worker_that_died_unnoticed_is_replaced(stand_in: StandIn) -> None:
    provider = stand_in()
    ask(provider)
    first = pid_of(provider)
    assert provider._worker
    provider._worker._process.kill()
    answer, _ = ask(provider)
    assert answer.finished == Finished("complete")
    assert pid_of(provider) != first


def test_an_idle_model_is_unloaded(stand_in: StandIn) -> None:
    provider = stand_in(idle_s=0.2)
    ask(provider)
    pid = pid_of(provider)
    eventually(lambda: not runs(pid))
    assert ask(provider)[0].text == "one two"


def test_a_model_in_use_is_not_idle(stand_in: StandIn) -> None:
    provider = stand_in("def generate(order): words(order, 'a'); time.sleep(0.4); finish(order)", idle_s=0.1)
    ask(provider)
    pid = pid_of(provider)
    assert ask(provider)[0].finished == Finished("complete")
    assert pid_of(provider) == pid or not runs(pid)


def test_closing_ends_the_worker(stand_in: StandIn) -> None:
    provider = stand_in()
    ask(provider)
    pid = pid_of(provider)
    provider.close()
    assert not runs(pid)


def test_a_provider_that_nobody_holds_takes_its_worker_along(stand_in: StandIn) -> None:
    provider = stand_in()
    ask(provider)
    pid = pid_of(provider)
    stand_in._providers.clear()
    del provider
    gc.collect()
    eventually(lambda: not runs(pid))


@pytest.mark.parametrize(
    "end", ["pass", pytest.param("os.kill(os.getpid(), signal.SIGKILL)", marks=needs_signals)], ids=["exit", "kill"]
)
def test_no_worker_outlives_the_server(stand_in: StandIn, end: str) -> None:
    stand_in()
    code = f"""
import os, pathlib, signal, sys
sys.path.insert(0, {str(Path(worker_file.__file__).parents[2])!r})
from sidelight.core.context import Context
from sidelight.core.ports import Prompt, Request
from sidelight.core.stopping import Stop
from sidelight.providers.transformers import Transformers, TransformersConfig
provider = Transformers(TransformersConfig("owner/name"), pathlib.Path({str(stand_in._file)!r}))
list(provider.stream(Request("ask", Prompt("", "hi"), Context(), "c"), Stop()))
print(provider._worker.pid, flush=True)
{end}
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert ran.stdout, ran.stderr
    eventually(lambda: not runs(int(ran.stdout)))


# Stopping and waiting


def test_a_stopped_answer_ends_at_once_and_the_worker_is_kept(stand_in: StandIn) -> None:
    provider, stop, began = stand_in("def generate(order): words(order, 'a'); until_stopped(order)"), Stop(), 0.0
    with pytest.raises(Stopped):
        for event in provider.stream(request(), stop):
            if isinstance(event, Text):
                began = monotonic()
                stop.set()
    assert monotonic() - began < 3
    worker = provider._worker
    assert worker
    eventually(lambda: not worker.is_busy)
    assert worker.is_alive


def test_an_answer_that_nobody_reads_on_is_stopped(stand_in: StandIn) -> None:
    provider = stand_in("def generate(order): words(order, 'a'); until_stopped(order)")
    events = provider.stream(request(), Stop())
    next(event for event in events if isinstance(event, Text))
    events.close()  # type: ignore[attr-defined]
    eventually(lambda: stand_in.orders[-1]["do"] == "stop")


def test_stopping_while_the_model_loads_ends_a_worker_that_hangs(stand_in: StandIn) -> None:
    provider, stop, began = (
        stand_in("def load(order): say('progress', what='read', percent=1); time.sleep(99)"),
        Stop(),
        0.0,
    )
    with pytest.raises(Stopped):
        for event in provider.stream(request(), stop):
            if "1 %" in "".join(statuses([event])):
                began = monotonic()
                stop.set()
    assert monotonic() - began < 3
    pid = pid_of(provider)
    eventually(lambda: not runs(pid))


def test_a_model_that_is_soon_loaded_outlives_the_stopped_question(stand_in: StandIn) -> None:
    provider, stop = (
        stand_in("def load(order): say('progress', percent=1); time.sleep(0.3); say('loaded', **FACTS)"),
        Stop(),
    )
    with pytest.raises(Stopped):
        for event in provider.stream(request(), stop):
            if "1 %" in "".join(statuses([event])):
                stop.set()
    pid = pid_of(provider)
    assert ask(provider)[0].text == "one two"
    assert pid_of(provider) == pid


def test_a_question_already_stopped_starts_nothing(stand_in: StandIn) -> None:
    provider, stop = stand_in(), Stop()
    stop.set()
    with pytest.raises(Stopped):
        list(provider.stream(request(), stop))
    assert provider._worker is None


GATED = """
    def generate(order):
        words(order, order["messages"][-1]["content"])
        while not os.path.exists(__file__ + ".go"):
            time.sleep(0.002)
        finish(order)
    """


def test_a_second_question_waits_its_turn(stand_in: StandIn) -> None:
    provider = stand_in(GATED)
    first = provider.stream(request("first"), Stop())
    next(event for event in first if isinstance(event, Text))
    waiting, answers = threading.Event(), Answer()

    def second() -> None:
        for event in provider.stream(request("second"), Stop()):
            answers.add(event)
            if isinstance(event, Status) and str(event.message) == "waiting for the model":
                waiting.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert waiting.wait(10)
    assert answers.text == ""
    Path(f"{stand_in._file}.go").touch()
    assert list(first)[-1] == Finished("complete")
    thread.join(10)
    assert answers.text == "second"


def test_a_question_can_be_stopped_while_it_waits(stand_in: StandIn) -> None:
    provider, stop = stand_in(GATED), Stop()
    first = provider.stream(request("first"), Stop())
    next(event for event in first if isinstance(event, Text))
    second = provider.stream(request("second"), stop)
    assert str(next(second).message) == "waiting for the model"  # type: ignore[union-attr]
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Stopped):
        next(second)
    Path(f"{stand_in._file}.go").touch()
    assert list(first)[-1] == Finished("complete")


# Errors

LOAD_ERRORS = {
    "no_torch": ("configuration", "-m pip install torch transformers"),
    "no_transformers": ("configuration", "-m pip install torch transformers"),
    "not_a_model": ("configuration", "SIDELIGHT_TRANSFORMERS_MODEL"),
    "own_code": ("configuration", "never runs"),
    "not_downloaded": ("not_found", "SIDELIGHT_TRANSFORMERS_DOWNLOAD=1"),
    "offline": ("not_found", "HF_HUB_OFFLINE"),
    "no_such_model": ("not_found", "HF_TOKEN"),
    "gated": ("auth", "HF_TOKEN"),
    "network": ("network", "HF_ENDPOINT"),
    "out_of_memory": ("other", "smaller model"),
    "device": ("configuration", "SIDELIGHT_TRANSFORMERS_DEVICE"),
    "other": ("other", "log"),
}


@pytest.mark.parametrize("code", LOAD_ERRORS)
def test_a_model_that_cannot_be_loaded_says_what_to_do(stand_in: StandIn, code: str) -> None:
    provider = stand_in(f"def load(order): say('error', id=0, code={code!r}, text='the reason')")
    with pytest.raises((ProviderError, ConfigurationError)) as raised:
        ask(provider)
    kind, words = LOAD_ERRORS[code]
    assert raised.value.kind == kind
    assert words in str(raised.value)
    assert provider._worker is None


def test_the_pip_line_can_be_pasted_where_the_path_has_spaces() -> None:
    error = load_error({"code": "no_torch"}, MODEL, "/my python/bin/python")
    assert '"/my python/bin/python" -m pip install torch transformers' in str(error)


def test_a_gguf_file_is_sent_to_who_can_read_it() -> None:
    assert "llama.cpp" in str(load_error({"code": "not_a_model"}, "/models/a.gguf", "python"))


def test_a_prompt_over_the_context_is_an_error_with_both_numbers(stand_in: StandIn) -> None:
    code = "def generate(order): say('error', id=order['id'], code='too_long', text='', tokens=900, limit=512)"
    error = error_of(ask(stand_in(code))[0])
    assert error.kind == "too_long"
    assert "900" in str(error)
    assert "512" in str(error)


def test_too_little_memory_in_mid_answer_keeps_the_text(stand_in: StandIn) -> None:
    code = "def generate(order): words(order, 'a'); say('error', id=order['id'], code='out_of_memory', text='x')"
    answer, _ = ask(stand_in(code))
    assert answer.text == "a"
    assert "memory" in str(error_of(answer))


@pytest.mark.parametrize("model", ["", "./folder", "a/b/c", "..", "C:relative", "a b"])
def test_a_name_that_is_neither_path_nor_hub_name_is_refused(stand_in: StandIn, model: str) -> None:
    with pytest.raises(ConfigurationError, match="SIDELIGHT_TRANSFORMERS_MODEL"):
        ask(stand_in(model=model))


def test_a_missing_interpreter_is_named(stand_in: StandIn, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SIDELIGHT_TRANSFORMERS_PYTHON"):
        ask(stand_in(python=str(tmp_path / "none")))


@needs_signals
def test_an_interpreter_that_is_no_program_is_named(stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ConfigurationError, match="SIDELIGHT_TRANSFORMERS_PYTHON"):
        ask(stand_in(python=str(tmp_path / "text")))


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="this Python is in no virtual environment")
def test_the_folder_of_a_virtual_environment_will_do_as_interpreter(stand_in: StandIn) -> None:
    assert ask(stand_in(python=sys.prefix))[0].text == "one two"


# What is known of models


def model_folder(folder: Path, **config: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": ["Qwen2ForCausalLM"], **config}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def cached(tmp_path: Path, name: str, **config: Any) -> None:
    folder = tmp_path / "hf" / "hub" / f"models--{name.replace('/', '--')}"
    model_folder(folder / "snapshots" / "abc", **config)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"max_position_embeddings": 32768}, 32768),
        ({"n_positions": 1024}, 1024),
        ({"text_config": {"max_position_embeddings": 8192}}, 8192),
    ],
)
def test_the_window_is_read_from_a_models_files_before_it_is_loaded(
    stand_in: StandIn, tmp_path: Path, config: dict[str, Any], tokens: int
) -> None:
    folder = model_folder(tmp_path / "model", **config)
    assert stand_in(model=str(folder)).window(None, Stop()) == Window(tokens, "server")
    cached(tmp_path, "a/b", **config)
    assert stand_in().window("a/b", Stop()) == Window(tokens, "server")


def test_the_window_is_the_loaded_models_own(stand_in: StandIn) -> None:
    provider = stand_in()
    assert provider.window(None, Stop()) == Window(4096, "assumed")
    ask(provider)
    assert provider.window(None, Stop()) == Window(2048, "server")


def test_the_configured_window_counts_first(stand_in: StandIn) -> None:
    assert stand_in(context_tokens=77).window(None, Stop()) == Window(77, "configured")


def test_only_a_loaded_model_counts_tokens(stand_in: StandIn) -> None:
    provider = stand_in()
    assert provider.count_tokens("a b c", None, Stop()) is None
    ask(provider)
    assert provider.count_tokens("a b c", None, Stop()) == 3
    assert provider.count_tokens("a b c", "other/model", Stop()) is None
    assert ask(provider)[0].text == "one two"


def test_a_model_that_answers_counts_nothing_meanwhile(stand_in: StandIn) -> None:
    provider = stand_in(GATED)
    first = provider.stream(request("first"), Stop())
    next(event for event in first if isinstance(event, Text))
    assert provider.count_tokens("a b c", None, Stop()) is None
    Path(f"{stand_in._file}.go").touch()
    list(first)


def test_models_are_the_configured_one_and_cached_ones_that_write_text(stand_in: StandIn, tmp_path: Path) -> None:
    cached(tmp_path, "a/coder", max_position_embeddings=4096)
    cached(tmp_path, "a/embedder", architectures=["BertModel"])
    (tmp_path / "hf" / "hub" / "models--broken").mkdir()
    models = stand_in().models()
    assert [(model.id, model.context_tokens) for model in models] == [(MODEL, None), ("a/coder", 4096)]
    assert [model.id for model in stand_in(model="a/coder").models()] == ["a/coder"]
    assert [model.id for model in stand_in(model="").models()] == ["a/coder"]


# The doctor


def test_the_doctor_names_python_packages_device_and_model(stand_in: StandIn, tmp_path: Path) -> None:
    checks = list(stand_in(model=str(model_folder(tmp_path / "model"))).checks())
    said = " ".join(str(check.message) for check in checks)
    assert all(check.state == "ok" for check in checks)
    assert all(words in said for words in (sys.executable, "3.11.0", "torch 2.0", "Transformers 5.0", "cpu", "model"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def check(): say('check', python='3', torch=None)", "pip install torch transformers"),
        ("def check(): say('check', python='3', torch='2', transformers=None)", "has no transformers"),
        ("def check(): say('check', torch='2', transformers='5', problem='libc10.so')", "libc10.so"),
        ("def check(): os._exit(5)", "(5)"),
        ("", "SIDELIGHT_TRANSFORMERS_DOWNLOAD=1"),
    ],
)
def test_the_doctor_says_what_is_missing(stand_in: StandIn, code: str, words: str) -> None:
    with pytest.raises((ConfigurationError, ProviderError)) as raised:
        list(stand_in(code).checks())
    assert words in str(raised.value)


# The worker itself

no_torch = pytest.mark.skipif(find_spec("torch") is not None, reason="this Python has torch")


@no_torch
def test_a_python_without_torch_gives_the_line_that_installs_it() -> None:
    provider = Transformers(TransformersConfig(MODEL))
    with pytest.raises(ConfigurationError) as raised:
        ask(provider)
    assert f"{sys.executable} -m pip install torch transformers" in str(raised.value)
    with pytest.raises(ConfigurationError, match="pip install torch transformers"):
        list(provider.checks())


def run_worker(orders: bytes, **options: Any) -> list[dict[str, Any]]:
    """Give the real worker orders, wait a reply for each, and close its stdin."""
    with subprocess.Popen(
        [sys.executable, "-E", worker_file.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(orders)
        process.stdin.flush()
        replies = [json.loads(process.stdout.readline()) for _ in orders.splitlines()]
        process.stdin.close()
        assert process.wait(10) == 0
    return replies


def test_the_worker_answers_orders_that_make_no_sense_and_ends_with_its_stdin() -> None:
    orders = [b"nonsense", b"[1]", b'{"do": "load"}', b'{"do": "generate", "id": 1}', b'{"do": "dance", "id": 2}']
    replies = run_worker(b"\n".join(orders) + b"\n")
    assert [reply["is"] for reply in replies] == ["error"] * 5
    assert [reply["code"] for reply in replies] == ["other"] * 5


@no_torch
def test_the_worker_imports_nothing_from_the_opened_folder(tmp_path: Path) -> None:
    for name in ("torch", "json", "transformers", "huggingface_hub", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    order = {"do": "load", "model": MODEL, "device": "auto", "dtype": "auto"}
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    replies = run_worker(json.dumps(order).encode() + b"\n", cwd=tmp_path, env=environment)
    assert [reply["code"] for reply in replies] == ["no_torch"]
    assert not (tmp_path / "ran").exists()


def test_our_keys_and_the_opened_folder_do_not_reach_the_worker(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("HF_TOKEN", "hub")
    monkeypatch.chdir(tmp_path)
    code = """
        def generate(order):
            words(order, json.dumps([os.environ.get("OPENAI_API_KEY"), os.environ.get("HF_TOKEN"), os.getcwd()]))
            finish(order)
        """
    key, token, folder = json.loads(ask(stand_in(code))[0].text)
    assert (key, token) == (None, "hub")
    assert Path(folder).samefile(Path(sys.executable).parent)


def byte_tokens(text: str, rng: random.Random) -> list[bytes]:
    """Cut a text into tokens of one to three bytes, characters in their middle too."""
    data, tokens = text.encode(), []
    while data:
        size = rng.randint(1, 3)
        tokens.append(data[:size])
        data = data[size:]
    return tokens


def decoder(tokens: list[bytes], *, part_by_part: bool) -> Callable[[list[int]], str]:
    """Return what decodes tokens by their numbers; half a character is one sign, or one for each byte."""

    def decode(numbers: list[int]) -> str:
        data = b"".join(tokens[number] for number in numbers)
        if not part_by_part:
            return data.decode("utf-8", "replace")
        return data.decode("utf-8", "surrogateescape").translate({0xDC00 + byte: "\ufffd" for byte in range(256)})

    return decode


@pytest.mark.parametrize("part_by_part", [False, True])
def test_pieces_never_hold_half_a_character(part_by_part: bool) -> None:
    text = "héllo 你好，世界。 😀🚀 \u2028 \u0085 x = 'é'\n" * 5
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(200):
        tokens = byte_tokens(text, rng)
        pieces = worker_file.Pieces(decoder(tokens, part_by_part=part_by_part))
        said = [pieces.add(number) for number in range(len(tokens))]
        assert "".join(said) == text
        assert not any("\ufffd" in piece for piece in said)
        assert pieces.finish() == ""


def test_pieces_come_with_the_token_that_ends_them() -> None:
    tokens = [b"a", b" b\xe4", b"\xbd\xa0\xe5", b"\xa5", b"\xbd", b"."]
    pieces = worker_file.Pieces(decoder(tokens, part_by_part=False))
    assert [pieces.add(number) for number in range(len(tokens))] == ["a", " b", "你", "", "好", "."]


def test_bytes_that_never_become_a_character_are_not_held_for_ever() -> None:
    pieces = worker_file.Pieces(lambda ids: bytes(ids).decode("utf-8", "replace"))
    said = [pieces.add(0xF0) for _ in range(200)]
    assert len("".join(said)) > 190
    assert "".join(said) + pieces.finish() == "\ufffd" * 200


def test_a_character_that_is_itself_the_replacement_comes_at_the_end() -> None:
    pieces = worker_file.Pieces(lambda ids: "".join("a\ufffd"[it] for it in ids))
    assert [pieces.add(0), pieces.add(1), pieces.finish(), pieces.finish()] == ["a", "", "\ufffd", ""]


def test_a_space_that_depends_on_the_token_before_is_kept() -> None:
    # sentencepiece: a word's space is part of its token, and left out at the beginning of what is decoded
    words = ["▁def", "▁f", "(", "▁x"]
    pieces = worker_file.Pieces(lambda ids: "".join(words[it] for it in ids).replace("▁", " ").removeprefix(" "))
    assert "".join(pieces.add(number) for number in range(4)) == "def f( x"


def test_the_answer_gets_the_room_that_the_prompt_leaves() -> None:
    assert worker_file.answer_length(100, 512, 0) == 412
    assert worker_file.answer_length(100, 512, 50) == 50
    assert worker_file.answer_length(500, 512, 50) == 12
    assert worker_file.answer_length(100, None, 50) == 50
    with pytest.raises(worker_file.Refused) as raised:
        worker_file.answer_length(512, 512, 1)
    assert (raised.value.code, raised.value.more) == ("too_long", {"tokens": 512, "limit": 512})


class Tokenizer:
    """As much of a tokenizer as making a prompt takes."""

    def __init__(self, template: str = "", refused: str = "") -> None:
        self.chat_template = template
        self._refused = refused

    def apply_chat_template(self, messages: list[dict[str, str]], **_options: Any) -> str:
        if any(message["role"] == self._refused for message in messages):
            raise ValueError(f"{self._refused} role not supported")
        return "|".join(message["content"] for message in messages)


MESSAGES = [{"role": "system", "content": "be"}, {"role": "user", "content": "hi"}]


def test_prompts_follow_the_models_template_and_live_without_one() -> None:
    assert worker_file.prompt_of(Tokenizer("t"), MESSAGES) == ("be|hi", True)
    assert worker_file.prompt_of(Tokenizer("t", refused="system"), MESSAGES) == ("be\n\nhi", True)
    assert worker_file.prompt_of(Tokenizer(), MESSAGES) == ("be\n\nUser: hi\n\nAssistant:", False)
    with pytest.raises(worker_file.Refused, match="user role not supported"):
        worker_file.prompt_of(Tokenizer("t", refused="user"), MESSAGES)


def test_weights_are_whole_and_of_the_safe_kind_or_not_there(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert worker_file.weights_in(folder) == []
    (tmp_path / "pytorch_model.bin").touch()
    assert worker_file.weights_in(folder) == [str(tmp_path / "pytorch_model.bin")]
    shards = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(shards))
    (tmp_path / "model-1.safetensors").touch()
    assert worker_file.weights_in(folder) == [str(tmp_path / "pytorch_model.bin")]
    (tmp_path / "model-2.safetensors").touch()
    assert len(worker_file.weights_in(folder)) == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), "device"),
        (KeyError("x"), "other"),
    ],
)
def test_errors_of_torch_have_codes(error: Exception, code: str) -> None:
    assert worker_file.refused_by(error).code == code


def test_a_processor_computes_with_whole_numbers_while_memory_allows() -> None:
    own = worker_file.Weights(size=1000, dtype="bfloat16", is_quantized=False)
    assert worker_file.choose_dtype(None, "cpu", own, free=10_000) == "float32"
    assert worker_file.choose_dtype(None, "cpu", own, free=2_500) == "bfloat16"
    assert worker_file.choose_dtype(None, "mps", own, free=10_000) == "bfloat16"
    assert worker_file.choose_dtype(None, "cpu", own._replace(dtype="float32"), free=10) == "float32"
    assert worker_file.choose_dtype(None, "cpu", own._replace(is_quantized=True), free=10_000) == "auto"


def test_only_the_same_numbers_take_the_room_that_they_take_on_the_disk() -> None:
    own = worker_file.Weights(size=1000, dtype="bfloat16", is_quantized=False)
    assert [own.needed(dtype) for dtype in ("float32", "float16", "auto")] == [2000, 1000, 1000]
    assert own._replace(is_quantized=True).needed("float32") == 1000
