"""The command line, as a user types it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import SERVER

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CODE = "def greet(name):\n    print(nam)\n"
FIXED = "def greet(name):\n    print(name)\n"


@pytest.fixture
def sidelight(connected: dict[str, str], folder: Path) -> Run:
    def run(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(SERVER), *arguments],
            input=stdin, env={**connected, **more}, cwd=folder, capture_output=True, text=True, encoding="utf-8",
            timeout=30, check=False,
        )  # fmt: skip

    return run


def test_the_answer_goes_to_stdout_and_nothing_else_does(sidelight: Run, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-with-sources"))
    done = sidelight("ask", "What is it?")
    assert done.returncode == 0
    assert done.stdout.strip()
    assert "freedonia" not in done.stdout.partition("\n")[2]
    assert "[1] freedonia.txt" in done.stderr


def test_a_pipe_is_what_the_question_is_about(sidelight: Run, anythingllm: AnythingLLMServer) -> None:
    assert sidelight("ask", "review this", stdin="+changed = 1\n").returncode == 0
    message = anythingllm.questions[0].body["message"]
    assert "+changed = 1" in message
    assert "Request: review this" in message


def test_explain_takes_a_place(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    (folder / "a.py").write_text("one = 1\ntwo = 2\nthree = 3\n")
    assert sidelight("explain", "a.py:2-3").returncode == 0
    assert "a.py, lines 2 to 3:\n```python\ntwo = 2\nthree = 3\n```" in anythingllm.questions[0].body["message"]


def test_mentions_and_a_trusted_folders_instructions_are_sent_and_files_for_secrets_are_not(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer("ok"))
    for name, text in {"AGENTS.md": "Use tabs.\n", "rules.md": "In metres.\n", ".env": "A=1\n", "a.py": CODE}.items():
        (folder / name).write_text(text)
    done = sidelight("ask", "What of @rules.md and @gone.md?")
    assert done.returncode == 0
    assert "Nothing is called @gone.md here" in done.stderr
    assert sidelight("explain", "a.py", "--trust").returncode == 0
    untrusted, trusted = [question.body["message"] for question in anythingllm.questions]
    assert ("In metres." in untrusted, "Use tabs." in untrusted) == (True, False)
    assert "Use tabs." in trusted
    refused = sidelight("explain", ".env")
    assert refused.returncode == 2
    assert ".env is a file for keys or passwords" in refused.stderr
    assert len(anythingllm.questions) == 2


def test_fix_prints_a_diff_that_git_applies(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    (folder / "a.py").write_text(CODE)
    anythingllm.always(fake.answer(f"Misspelt.\n```python\n{FIXED}```\n"))
    done = sidelight("fix", "a.py:2")
    assert done.returncode == 0
    assert "Misspelt." in done.stderr
    assert (folder / "a.py").read_text() == CODE
    applied = subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=folder, text=True, check=False)
    assert applied.returncode == 0
    assert (folder / "a.py").read_text() == FIXED


def test_apply_writes_the_file_and_keeps_its_line_ends_and_mode(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    path = folder / "a.py"
    path.write_bytes(b"\xef\xbb\xbfx = 0\r\n" + CODE.replace("\n", "\r\n").encode())
    path.chmod(0o755)
    anythingllm.always(fake.answer(f"```python\n{FIXED}```\n"))
    assert sidelight("fix", "a.py:3", "--apply").returncode == 0
    assert path.read_bytes() == b"\xef\xbb\xbfx = 0\r\n" + FIXED.replace("\n", "\r\n").encode()
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o755


def test_a_cut_off_answer_still_goes_to_stdout_and_is_code_1(sidelight: Run, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-upstream-dies-midstream"))
    done = sidelight("ask", "hi")
    assert done.returncode == 1
    assert done.stdout.strip()
    assert "incomplete" in done.stderr


def test_a_cut_off_fix_writes_nothing(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    (folder / "a.py").write_text(CODE)
    anythingllm.always(fake.answer("```python\ndef greet(name):\n"))
    done = sidelight("fix", "a.py", "--apply")
    assert done.returncode == 1
    assert (folder / "a.py").read_text() == CODE


def test_a_refusing_provider_is_code_1_with_a_hint(sidelight: Run) -> None:
    done = sidelight("ask", "hi", ANYTHINGLLM_API_KEY="WRONG")
    assert done.returncode == 1
    assert "ANYTHINGLLM_API_KEY" in done.stderr
    assert "WRONG" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "gone.py"),
        ("explain", "a.py:99"),
        ("explain", "a.py:3-1"),
        ("ask", "x" * 100_000),
        ("task", "explain", "a.py"),
        ("dance",),
        (),
        ("lsp", "--tcp"),
    ],
)
def test_what_is_wrong_without_asking_anyone_is_code_2(
    sidelight: Run, folder: Path, anythingllm: AnythingLLMServer, arguments: tuple[str, ...]
) -> None:
    (folder / "a.py").write_text(CODE)
    done = sidelight(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert not anythingllm.seen


def test_a_missing_workspace_is_code_2(sidelight: Run) -> None:
    done = sidelight("ask", "hi", ANYTHINGLLM_WORKSPACE_SLUG="")
    assert (done.returncode, "test1, test-2" in done.stderr) == (2, True)


def test_without_configuration_the_builtin_provider_answers(sidelight: Run, folder: Path) -> None:
    (folder / "a.py").write_text(CODE)
    done = sidelight("explain", "a.py", ANYTHINGLLM_BASE_URL="")
    assert done.returncode == 0
    assert "`greet`" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_stops_it_with_code_130(connected: dict[str, str], folder: Path, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event("so far"), fake.Pause(30)]))
    process = subprocess.Popen(
        [sys.executable, "-I", str(SERVER), "ask", "hi"],
        env=connected, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.read(6) == b"so far"
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert anythingllm.questions[0].closed.wait(2)
    process.communicate()


def test_a_closed_pipe_ends_it_quietly(sidelight: Run, connected: dict[str, str], folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-I", str(SERVER), "models"],
        env=connected, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    process.stdout.close()
    _, errors = process.communicate(timeout=20)
    assert b"Traceback" not in errors


ONE_ANSWER = """
import sys; from sidelight.composition import make_conversations; from sidelight.settings import SettingsSource
conversations = make_conversations(SettingsSource().read())
for summary in conversations.latest():
    for turn in conversations.turns(summary.id): print(turn.finish, len(turn.answer) > 0)
conversations.close()
"""


def kept_turns(environment: dict[str, str]) -> str:
    environment = {**environment, "PYTHONPATH": str(SERVER)}
    done = subprocess.run(
        [sys.executable, "-c", ONE_ANSWER], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_an_answer_whose_reader_had_enough_is_stopped_and_kept(
    connected: dict[str, str], folder: Path, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD, *[fake.text_event("word " * 20), fake.Pause(0.05)] * 400]))
    process = subprocess.Popen(
        [sys.executable, "-I", str(SERVER), "ask", "hi"],
        env=connected, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.read(5) == b"word "
    process.stdout.close()
    _, errors = process.communicate(timeout=15)
    assert b"Traceback" not in errors
    assert anythingllm.questions[0].closed.wait(2)
    assert kept_turns(connected) == "stopped True\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_it_also_while_nobody_reads_what_it_prints(
    connected: dict[str, str], folder: Path, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD, *[fake.text_event("word " * 2000)] * 100, fake.Pause(30)]))
    process = subprocess.Popen(
        [sys.executable, "-I", str(SERVER), "ask", "hi"],
        env=connected, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.read(5) == b"word "
    time.sleep(0.5)  # until the pipe is full
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(8) == 130
    finally:
        process.kill()
        process.communicate()
    assert kept_turns(connected) == "stopped True\n"


def test_a_warning_is_shown_once(sidelight: Run, folder: Path) -> None:
    (folder / "a.py").write_text("value = other + 1\n" * 5000)
    done = sidelight("explain", "a.py", SIDELIGHT_PROMPT_TOKENS="1000")
    assert done.stderr.count("Only lines 1 to ") == 1


def test_models_lists_the_workspaces(sidelight: Run) -> None:
    done = sidelight("models")
    assert [line.split("\t")[:3] for line in done.stdout.splitlines()] == [
        ["*", "anythingllm", "test1"],
        ["-", "anythingllm", "test-2"],
    ]


def test_the_doctor_finds_nothing_wrong_and_shows_no_secret(sidelight: Run, home: Path) -> None:
    done = sidelight("doctor")
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout
    assert "ANYTHINGLLM_API_KEY = ***, from the environment" in done.stdout
    assert "The workspace test1 exists." in done.stdout
    assert "its first piece after" in done.stdout
    assert fake.KEY not in done.stdout
    assert str(home) not in done.stdout


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ANYTHINGLLM_API_KEY": "WRONG-KEY-OF-MINE"}, "did not accept the key"),
        ({"ANYTHINGLLM_WORKSPACE_SLUG": "nope"}, "The workspace nope does not exist. There are: test1, test-2"),
        ({"ANYTHINGLLM_BASE_URL": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"SIDELIGHT_RETRIES": "many"}, "SIDELIGHT_RETRIES in the environment is many"),
        ({"SIDELIGHT_CA_FILE": "gone.pem"}, "does not exist"),
    ],
)
def test_the_doctor_names_what_is_wrong(sidelight: Run, wrong: dict[str, str], told: str) -> None:
    done = sidelight("doctor", SIDELIGHT_CONNECT_TIMEOUT="1", **wrong)
    assert done.returncode in (1, 2)
    assert told in done.stdout
    assert "WRONG-KEY-OF-MINE" not in done.stdout


def test_the_folders_env_counts_with_trust(sidelight: Run, folder: Path, anythingllm: AnythingLLMServer) -> None:
    (folder / ".env").write_text(f"ANYTHINGLLM_BASE_URL={anythingllm.url}\nANYTHINGLLM_API_KEY={fake.KEY}\n")
    unset = {"ANYTHINGLLM_BASE_URL": "", "ANYTHINGLLM_API_KEY": ""}
    assert "passed over" in sidelight("models", **unset).stderr
    assert "test1" in sidelight("models", "--trust", **unset).stdout


@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_the_demo_shows_four_tasks_with_their_times(sidelight: Run, language: str) -> None:
    done = sidelight("demo", ANYTHINGLLM_BASE_URL="", LANG=language)
    assert done.returncode == 0
    assert "+        result -= discount" in done.stdout
    assert "-        result -= discuont" in done.stdout
    assert len(re.findall(r"\d\.\d+ (?:s|秒)", done.stdout)) >= 8
    assert "ANYTHINGLLM_BASE_URL" in done.stdout


def test_the_demo_uses_what_is_configured(sidelight: Run, anythingllm: AnythingLLMServer) -> None:
    sidelight("demo")
    assert len(anythingllm.questions) == 4
