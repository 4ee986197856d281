"""The `transformers` provider with real torch and a tiny model: what only the real libraries can show."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from models import tools
from sidelight.core.answers import Answer, AnswerEvent, Finished, Note, Status, Text
from sidelight.core.context import Context
from sidelight.core.ports import Exchange, Prompt, Request, Window
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.transformers import Transformers, TransformersConfig

TINY = Path(__file__).parent / "tiny"
CONTEXT = 512
# From the flag to the last computation; the promise is 50 ms after a token, and this allows for a busy machine.
STOP_S = 0.25


@pytest.fixture(scope="module")
def python() -> str:
    """A Python that has torch and transformers."""
    found = os.environ.get("SIDELIGHT_TEST_TRANSFORMERS_PYTHON") or str(tools.TRANSFORMERS.path / "bin" / "python")
    if not Path(found).exists():
        (pytest.fail if tools.REQUIRED else pytest.skip)(tools.TRANSFORMERS.why_missing())
    return found


Start = Callable[..., Transformers]


@pytest.fixture(scope="module")
def start(python: str) -> Iterator[Start]:
    """Makes providers of the tiny model; each has ended when the module has."""
    started: list[Transformers] = []

    def make(model: object = TINY, **config: Any) -> Transformers:
        started.append(Transformers(TransformersConfig(str(model), python, **{"temperature": 0, **config})))
        return started[-1]

    yield make
    for provider in started:
        provider.close()


@pytest.fixture(scope="module")
def tiny(start: Start) -> Transformers:
    """The tiny model, loaded once for the tests that do not harm it."""
    return start()


@pytest.fixture(scope="module")
def endless(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Transformers:
    """A model that does not know the end of its turn, and goes on until there is no more room, which is small."""
    folder = Path(shutil.copytree(TINY, tmp_path_factory.mktemp("models") / "endless"))
    rewrite(folder / "config.json", max_position_embeddings=CONTEXT)
    rewrite(folder / "generation_config.json", eos_token_id=0)
    rewrite(folder / "tokenizer_config.json", eos_token="<|endoftext|>")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_end|>", "<|endoftext|>"))
    return start(folder)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the tiny model, to be changed."""
    return Path(shutil.copytree(TINY, tmp_path / "model"))


def request(user: str = "the quick brown fox", max_tokens: int = 0, **prompt: Any) -> Request:
    return Request("ask", Prompt(prompt.pop("system", ""), user, **prompt), Context(), "c", max_tokens=max_tokens)


def ask(provider: Transformers, asked: Request | None = None) -> tuple[Answer, list[AnswerEvent]]:
    answer, events = Answer(), list(provider.stream(asked or request(max_tokens=20), Stop()))
    for event in events:
        answer.add(event)
    return answer, events


def rewrite(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def rss(pid: int | str = "self") -> int:
    """Return a process's memory in MiB."""
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(row for row in rows if row.startswith("VmRSS")).split()[1]) // 1024


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + 20
    while not is_so():
        assert monotonic() < deadline
        sleep(0.01)


def test_an_answer_is_streamed_a_token_at_a_time(tiny: Transformers) -> None:
    times = []
    answer = Answer()
    for event in tiny.stream(request(max_tokens=60), Stop()):
        answer.add(event)
        if isinstance(event, Text):
            times.append(monotonic())
    assert answer.finished == Finished("complete")
    assert answer.usage and answer.usage.completion_tokens
    assert len(times) > answer.usage.completion_tokens / 2
    assert times[-1] > times[0]
    assert "�" not in answer.text


def test_loading_is_told_with_its_progress(start: Start) -> None:
    _, events = ask(start())
    said = [str(event.message) for event in events if isinstance(event, Status)]
    assert said[0] == "loading tiny"
    assert any(words.endswith(" %") for words in said)
    assert said[-1] == "asking tiny"


def test_the_same_question_greedily_has_the_same_answer(tiny: Transformers) -> None:
    assert ask(tiny)[0].text == ask(tiny)[0].text


def test_a_temperature_makes_answers_differ(start: Start) -> None:
    warm = start(temperature=50)
    assert len({ask(warm)[0].text for _ in range(4)}) > 1


def test_earlier_turns_are_in_the_prompt(tiny: Transformers) -> None:
    alone = ask(tiny)[0].usage
    more = ask(tiny, request(max_tokens=20, earlier=(Exchange("hello there", "hi"),), system="be brief"))[0].usage
    assert alone and more
    assert alone.prompt_tokens is not None
    assert more.prompt_tokens is not None
    assert more.prompt_tokens > alone.prompt_tokens + 5


def test_the_window_is_the_models_own(endless: Transformers) -> None:
    assert endless.window(None, Stop()) == Window(CONTEXT, "server")


def test_tokens_are_counted_by_the_models_tokenizer(tiny: Transformers) -> None:
    ask(tiny)
    once, twice = (tiny.count_tokens("the quick brown fox\n" * times, None, Stop()) for times in (1, 2))
    assert once
    assert twice == 2 * once


def test_an_answer_stops_within_a_token(endless: Transformers) -> None:
    took = []
    for after in range(3, 13):
        stop, began, seen = Stop(), 0.0, 0
        with pytest.raises(Stopped):
            for event in endless.stream(request(), stop):
                seen += isinstance(event, Text)
                if seen >= after and not began:
                    began = monotonic()
                    stop.set()
        worker = endless._worker
        assert worker
        while worker.is_busy:
            assert monotonic() - began < 5
            sleep(0.0002)
        took.append(monotonic() - began)
    print(f"stopped within {min(took) * 1000:.1f} to {max(took) * 1000:.1f} ms")
    assert sorted(took)[len(took) // 2] < STOP_S


def test_a_prompt_over_the_context_is_an_error_before_anything_is_computed(endless: Transformers) -> None:
    answer, _ = ask(endless, request("the quick brown fox " * CONTEXT))
    assert answer.text == ""
    assert answer.finished and isinstance(answer.finished.error, ProviderError)
    assert answer.finished.error.kind == "too_long"
    assert str(CONTEXT) in str(answer.finished.error)


def test_an_answer_ends_where_the_context_does(endless: Transformers) -> None:
    answer, _ = ask(endless, request())
    assert answer.finished and answer.finished.finish == "length"
    assert answer.usage and answer.usage.prompt_tokens and answer.usage.completion_tokens
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens == CONTEXT


def test_a_second_question_waits_for_the_first(tiny: Transformers) -> None:
    first = tiny.stream(request(), Stop())
    next(event for event in first if isinstance(event, Text))
    waited, answer = threading.Event(), Answer()

    def second() -> None:
        for event in tiny.stream(request(max_tokens=20), Stop()):
            answer.add(event)
            if isinstance(event, Status) and str(event.message) == "waiting for the model":
                waited.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert waited.wait(10)
    assert answer.text == ""
    list(first)
    thread.join(30)
    assert answer.finished and answer.finished.finish == "length"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_language_servers_own_memory_stays_as_it_was(start: Start) -> None:
    provider = start()
    ask(provider, request(max_tokens=5))
    provider.close()
    before = rss()
    ask(provider, request())
    assert provider._worker
    print(f"ours grew by {rss() - before} MiB, the worker has {rss(provider._worker.pid)} MiB")
    assert rss(provider._worker.pid) > 150
    assert rss() - before < 10
    assert not {"torch", "transformers"} & set(sys.modules)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a Unix's")
def test_a_worker_killed_in_mid_answer_is_an_error_and_the_next_question_works(endless: Transformers) -> None:
    provider, answer = endless, Answer()
    for event in provider.stream(request(), Stop()):
        answer.add(event)
        if isinstance(event, Text) and answer.finished is None and provider._worker:
            os.kill(provider._worker.pid, signal.SIGKILL)
    assert answer.text
    assert answer.finished and answer.finished.finish == "cut_off"
    assert "SIGKILL" in str(answer.finished.error)
    assert ask(provider)[0].text


def test_an_idle_model_is_unloaded_and_loaded_again(start: Start) -> None:
    provider = start(idle_s=0.5)
    ask(provider)
    assert provider._worker
    pid = provider._worker.pid
    eventually(lambda: is_gone(pid))
    assert ask(provider)[0].text


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a Unix's")
@pytest.mark.parametrize("moment", ["loading", "answering"])
def test_the_worker_ends_when_its_stdin_does(start: Start, moment: str) -> None:
    provider = start()
    for event in provider.stream(request(), Stop()):
        if isinstance(event, Text) or (moment == "loading" and isinstance(event, Status)):
            break
    worker = provider._worker
    assert worker
    began = monotonic()
    worker._shared.orders.put(None)  # closes its stdin
    eventually(lambda: is_gone(worker.pid))
    print(f"ended {monotonic() - began:.2f} s after its stdin closed")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_device_and_numbers_are_as_configured(start: Start, dtype: str) -> None:
    provider = start(device="cpu", dtype=dtype)
    assert ask(provider)[0].text
    assert provider._worker and provider._worker.facts
    assert (provider._worker.facts.device, provider._worker.facts.dtype) == ("cpu", dtype)


def test_a_device_that_is_not_here_is_named(start: Start) -> None:
    for device in ("cuda:17", "toaster"):
        with pytest.raises(ConfigurationError, match="SIDELIGHT_TRANSFORMERS_DEVICE"):
            ask(start(device=device))


# Models that are none


def test_a_folder_that_is_no_model_is_an_error(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(ConfigurationError, match="SIDELIGHT_TRANSFORMERS_MODEL"):
            ask(start(folder))


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_broken_file_is_an_error(start: Start, model: Path, file: str) -> None:
    (model / file).write_bytes(b"\x00garbage")
    with pytest.raises(ConfigurationError, match="is not a model that can be used"):
        ask(start(model))


def test_a_model_for_other_things_is_an_error(start: Start, model: Path) -> None:
    rewrite(model / "config.json", model_type="t5", architectures=["T5Model"])
    with pytest.raises(ConfigurationError, match="is not a model that can be used"):
        ask(start(model))


@pytest.mark.skipif(sys.platform != "linux", reason="a file with a hole in it")
def test_a_model_larger_than_the_memory_is_an_error_before_it_is_read(start: Start, model: Path) -> None:
    os.truncate(model / "model.safetensors", 1 << 43)
    began = monotonic()
    with pytest.raises(ProviderError, match="not enough memory"):
        ask(start(model))
    assert monotonic() - began < 30


def test_code_that_comes_with_a_model_is_not_run(start: Start, model: Path, tmp_path: Path) -> None:
    code = f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: pass\nclass Model: pass\n"
    (model / "modeling_own.py").write_text(code)
    classes = {"AutoConfig": "modeling_own.Config", "AutoModelForCausalLM": "modeling_own.Model"}
    rewrite(model / "config.json", model_type="own", auto_map=classes)
    with pytest.raises(ConfigurationError, match="never runs"):
        ask(start(model))
    assert not (tmp_path / "ran").exists()


def test_a_model_without_a_chat_template_answers_with_a_warning(start: Start, model: Path) -> None:
    (model / "chat_template.jinja").unlink()
    answer, _ = ask(start(model))
    assert answer.text
    assert [note for note in answer.notes if isinstance(note, Note) and note.is_warning]


def test_a_template_that_begins_the_reasoning_sets_it_apart(start: Start, model: Path) -> None:
    template = model / "chat_template.jinja"
    begun = template.read_text().replace("assistant\\n' }}", "assistant\\n<think>\\n' }}")
    assert "<think>" in begun
    template.write_text(begun)
    answer, _ = ask(start(model))
    assert answer.text == ""
    assert answer.reasoning.strip()


# The hub

NAME = "owner/tiny"


class Hub:
    """A hub on loopback with one model, as much of it as downloading takes."""

    def __init__(self, folder: Path) -> None:
        hub = self
        self.paths: list[str] = []
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.paths.append(self.path)
                self._reply(*hub.reply(self.path))

            do_HEAD = do_GET

            def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def reply(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Return what the hub answers."""
        path = path.partition("?")[0]
        commit = "c" * 40
        if path.startswith(f"/api/models/{NAME}/tree/"):
            files = [
                {"type": "file", "path": name, "oid": "0" * 40, "size": len(it)} for name, it in self.files.items()
            ]
            return 200, json.dumps(files).encode(), {"Content-Type": "application/json"}
        if path.startswith(f"/api/models/{NAME}"):
            siblings = [{"rfilename": name, "size": len(it)} for name, it in self.files.items()]
            info = {"id": NAME, "modelId": NAME, "sha": commit, "private": False, "siblings": siblings, "tags": []}
            return 200, json.dumps(info).encode(), {"Content-Type": "application/json"}
        name = path.rpartition("/")[2]
        if path.startswith(f"/{NAME}/resolve/") and name in self.files:
            return 200, self.files[name], {"ETag": f'"{name}"', "X-Repo-Commit": commit}
        return 404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"}

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub, and an empty cache for what comes from it."""
    (model / "unwanted.gguf").write_bytes(b"large")
    (model / "pytorch_model.bin").write_bytes(b"unsafe")
    made = Hub(model)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    yield made
    made.close()


def test_nothing_is_asked_of_the_hub_without_a_yes(start: Start, hub: Hub) -> None:
    with pytest.raises(ProviderError, match="SIDELIGHT_TRANSFORMERS_DOWNLOAD=1"):
        ask(start(NAME))
    assert hub.paths == []


def test_offline_mode_forbids_even_what_was_allowed(start: Start, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ProviderError, match="HF_HUB_OFFLINE"):
        ask(start(NAME, download=True))
    assert hub.paths == []


def test_a_model_is_downloaded_once_and_then_needs_no_hub(start: Start, hub: Hub) -> None:
    provider = start(NAME, download=True)
    answer, events = ask(provider)
    assert answer.text
    assert any(str(event.message).startswith("downloading") for event in events if isinstance(event, Status))
    fetched = {path.rpartition("/")[2] for path in hub.paths}
    assert "model.safetensors" in fetched
    assert not fetched & {"unwanted.gguf", "pytorch_model.bin"}
    asked = len(hub.paths)
    assert [it.id for it in provider.models()] == [NAME]
    assert ask(start(NAME))[0].text == answer.text
    assert len(hub.paths) == asked


def test_a_model_that_the_hub_does_not_have_is_named(start: Start, hub: Hub) -> None:
    with pytest.raises(ProviderError, match="owner/other") as raised:
        ask(start("owner/other", download=True))
    assert raised.value.kind == "not_found"


def test_a_hub_that_cannot_be_reached_is_a_network_error(start: Start, hub: Hub) -> None:
    hub.close()
    with pytest.raises(ProviderError) as raised:
        ask(start(NAME, download=True))
    assert raised.value.kind == "network"


def test_the_doctor_finds_everything_in_order(start: Start) -> None:
    checks = list(start().checks())
    assert {check.state for check in checks} == {"ok"}
    assert "cpu" in " ".join(str(check.message) for check in checks)
