"""The process: what it survives, and when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import SERVER, Editor

posix = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")
Start = Callable[[dict[str, str]], Editor]
HANGING = fake.STREAM_HEAD + fake.text_event("some ")


def run_forever(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    """Begin a run whose answer hangs in the middle."""
    anythingllm.always(lambda: iter([HANGING, fake.Pause(60)]))
    editor.begin("sidelight/run", {"task": "ask", "instruction": "hi", "partialResultToken": "t"})
    editor.wait_for("$/progress", where=lambda params: params["value"]["kind"] == "text")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"Content-Length: 5\r\n\r\n{bad}", -32700),
        (b"Content-Length: 2\r\n\r\n[]", -32600),
        (b"Content-Length: 4\r\n\r\nnull", -32600),
        (b'Content-Length: 17\r\n\r\n{"jsonrpc":"1.0"}', -32600),
        (b'Content-Length: 34\r\n\r\n{"jsonrpc":"2.0","id":[],"method":1', -32700),
        (b"Content-Length: 100000000000000\r\n\r\n", -32600),
    ],
)
def test_a_bad_message_is_answered_and_the_next_one_too(plain_editor: Editor, raw: bytes, code: int) -> None:
    plain_editor.send_raw(raw)
    after = plain_editor.begin("sidelight/nothing", {})
    assert plain_editor.answer_to(None)["error"]["code"] == code
    assert plain_editor.answer_to(after)["error"]["code"] == -32601


def test_bad_framing_is_told_on_stderr(plain_editor: Editor) -> None:
    plain_editor.send_raw(b"GET / HTTP/1.1\r\n\r\n")
    assert plain_editor.error("sidelight/nothing", {})["code"] == -32601
    while "skipped bytes" not in plain_editor.stderr:
        plain_editor.settle(0.02)


@pytest.fixture
def is_warm() -> bool:
    """No: how a server starts is what these tests are about."""
    return False


def test_the_life_cycle_is_kept(start_editor: Start, environment: dict[str, str]) -> None:
    editor = start_editor(environment)
    assert editor.error("textDocument/hover", {})["code"] == -32002
    editor.initialize()
    assert editor.error("initialize", {"capabilities": {}})["code"] == -32600
    assert editor.error("textDocument/codeAction", {"textDocument": 5})["code"] == -32602
    assert editor.error("sidelight/unknown", {})["code"] == -32601
    assert editor.request("shutdown", None) is None
    assert editor.error("sidelight/models", {})["code"] == -32600
    editor.notify("exit", None)
    assert editor.exit_code() == 0


def test_exit_without_shutdown_is_code_1(plain_editor: Editor) -> None:
    plain_editor.notify("exit", None)
    assert plain_editor.exit_code() == 1


def test_errors_carry_no_traceback(plain_editor: Editor) -> None:
    for params in (None, {"task": "explain", "uri": 3}, {"task": "explain", "uri": "file:///nowhere/x.py"}):
        assert "Traceback" not in str(plain_editor.error("sidelight/run", params))


def ends(editor: Editor, anythingllm: AnythingLLMServer) -> float:
    """Return the seconds until the process has ended; the connection to the provider has closed by then too."""
    began = monotonic()
    editor.exit_code(5)
    assert anythingllm.questions[0].closed.wait(2)
    return monotonic() - began


def test_a_closed_stdin_ends_it_within_two_seconds(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    run_forever(editor, anythingllm)
    assert editor.process.stdin
    editor.process.stdin.close()
    assert ends(editor, anythingllm) < 2


@posix
def test_sigterm_ends_it_within_two_seconds(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    run_forever(editor, anythingllm)
    editor.process.send_signal(signal.SIGTERM)
    assert ends(editor, anythingllm) < 2


@posix
def test_a_closed_stdout_ends_it_within_two_seconds(environment: dict[str, str], folder: Path) -> None:
    script = "import sys, time; sys.stdout.close(); time.sleep(30)"
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [sys.executable, "-I", str(SERVER), "lsp"], stdin=subprocess.PIPE, stdout=writing, env=environment, cwd=folder
    )
    os.close(writing)
    assert server.stdin
    server.stdin.write(
        b'Content-Length: 75\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
    )
    server.stdin.flush()
    assert os.read(reading, 20).startswith(b"Content-Length")
    os.close(reading)
    began = monotonic()
    server.wait(5)
    assert monotonic() - began < 2
    server.stdin.close()
    del script


@posix
def test_the_parents_death_ends_it_within_two_seconds(environment: dict[str, str], folder: Path) -> None:
    """A parent starts the server, says that it is the parent, and dies while a pipe of ours stays open."""
    reading, writing = os.pipe()
    stdin_reading, stdin_writing = os.pipe()
    parent = (
        "import os, subprocess, sys\n"
        f"command = [sys.executable, '-I', {str(SERVER)!r}, 'lsp']\n"
        f"server = subprocess.Popen(command, stdin={stdin_reading}, stdout={writing})\n"
        "print(server.pid, os.getpid(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], env=environment, cwd=folder, pass_fds=(stdin_reading, writing),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    server_id, parent_id = map(int, process.stdout.readline().split())
    body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{},"processId":%d}}' % parent_id
    os.write(stdin_writing, b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert os.read(reading, 20).startswith(b"Content-Length")
    process.kill()
    process.wait()
    began = monotonic()
    while _is_running(server_id) and monotonic() - began < 5:
        os.sched_yield()
    assert monotonic() - began < 2
    process.stdout.close()
    assert process.stdin
    process.stdin.close()
    for descriptor in (reading, writing, stdin_reading, stdin_writing):
        os.close(descriptor)


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_process_id_that_does_not_live_is_ignored(start_editor: Start, environment: dict[str, str]) -> None:
    editor = start_editor(environment)
    editor.initialize(processId=2**22 + 12345)
    editor.settle(0.3)
    assert editor.error("sidelight/nothing", {})["code"] == -32601


def test_a_client_that_does_not_read_stalls_nothing_but_its_own_stream(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer, folder: Path
) -> None:
    """8 MB of deltas for a client that reads nothing: the answer is taken in whole, and deltas have merged."""
    deltas, size = 4000, 2000
    whole = fake.answer(*["x" * size] * deltas)
    finished: list[float] = []

    def script() -> fake.Script:
        for start in range(0, len(whole), 65536):
            yield whole[start : start + 65536]
        finished.append(monotonic())

    anythingllm.always(script)
    server = subprocess.Popen(
        [sys.executable, "-I", str(SERVER), "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=connected,
        cwd=folder,
    )  # fmt: skip
    from sidelight.lsp.framing import MessageDecoder, Received, encode_message

    assert server.stdin and server.stdout
    for message in (
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "sidelight/run", "params": {"task": "ask", "instruction": "x", "partialResultToken": 1}},
    ):
        server.stdin.write(encode_message({"jsonrpc": "2.0", **message}))
    server.stdin.flush()
    deadline = monotonic() + 20
    while not finished and monotonic() < deadline:
        pass
    assert finished, "the provider could not deliver while the client did not read"
    decoder, frames, text = MessageDecoder(1 << 30), 0, 0
    while True:
        items = [
            item.value for item in decoder.feed(os.read(server.stdout.fileno(), 65536)) if isinstance(item, Received)
        ]
        values = [item["params"]["value"] for item in items if item.get("method") == "$/progress"]
        frames += len(values)
        text += sum(len(value.get("text", "")) for value in values if value["kind"] == "text")
        if any(item.get("id") == 2 for item in items):
            break
    assert text == deltas * size
    assert frames < deltas / 4
    server.stdin.close()
    server.wait(5)
    server.stdout.close()


def test_a_hostile_module_in_the_folder_is_not_run(
    start_editor: Start, connected: dict[str, str], folder: Path, anythingllm: AnythingLLMServer
) -> None:
    for name in ("requests", "json", "sidelight", "pygls", "dotenv", "sitecustomize", "usercustomize"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'was-run')!r}, 'w').close()\n")
    editor = start_editor({**connected, "PYTHONPATH": str(folder)})
    editor.initialize()
    result = editor.request("sidelight/run", {"task": "ask", "instruction": "hi"})
    assert result["finish"] == "complete"
    assert not (folder / "was-run").exists()


def test_a_missing_dependency_is_named(environment: dict[str, str], folder: Path) -> None:
    bare = subprocess.run(
        [sys.executable, "-I", "-S", str(SERVER), "lsp"], env=environment, cwd=folder, capture_output=True,
        timeout=20, check=False,
    )  # fmt: skip
    assert bare.returncode == 2
    assert b"pip install" in bare.stderr


def test_a_provider_that_hangs_does_not_keep_the_process(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.respond = lambda _: iter([fake.Pause(60)])
    editor.begin("sidelight/models", {})
    while not anythingllm.seen:
        editor.settle(0.02)
    assert editor.process.stdin
    editor.process.stdin.close()
    began = monotonic()
    editor.exit_code(5)
    assert monotonic() - began < 2


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors as Linux shows them")
def test_answers_leave_no_sockets_behind(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    def open_descriptors() -> int:
        return len(list(Path(f"/proc/{editor.process.pid}/fd").iterdir()))

    counts = []
    for _ in range(3):
        for _ in range(10):
            editor.request("sidelight/run", {"task": "ask", "instruction": "hi"})
        counts.append(open_descriptors())
    assert counts[2] - counts[0] < 5, counts


def test_a_client_that_does_not_read_stderr_is_still_answered(environment: dict[str, str], folder: Path) -> None:
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [sys.executable, "-I", str(SERVER), "lsp"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=writing, env=environment, cwd=folder,
    )  # fmt: skip
    from sidelight.lsp.framing import MessageDecoder, Received, encode_message

    assert server.stdin and server.stdout
    server.stdin.write(
        encode_message({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}})
    )
    bad = encode_message({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": 5})
    server.stdin.write(bad * 3000)
    server.stdin.write(encode_message({"jsonrpc": "2.0", "id": 2, "method": "sidelight/nothing"}))
    server.stdin.flush()
    decoder, answered = MessageDecoder(1 << 20), set()
    while 2 not in answered:
        items = decoder.feed(os.read(server.stdout.fileno(), 65536))
        answered |= {item.value.get("id") for item in items if isinstance(item, Received)}
    server.stdin.close()
    server.wait(5)
    server.stdout.close()
    os.close(reading)
    os.close(writing)
