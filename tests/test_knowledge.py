"""Documents of the knowledge base on the command line, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.anythingllm import Pause, Script, Seen
from support.anythingllm_documents import DocumentsServer
from support.editor import SERVER

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]

COMMAND = [sys.executable, "-I", str(SERVER), "knowledge"]


@pytest.fixture
def anythingllm() -> Iterator[DocumentsServer]:
    server = DocumentsServer()
    yield server
    server.close()


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / "docs").mkdir()
    (folder / "README.md").write_text("Hello.\n", "utf-8")
    (folder / "docs" / "蓝色 协议.md").write_text("你好。\n", "utf-8")
    (folder / ".env").write_text("TOKEN=x\n", "utf-8")
    return folder


@pytest.fixture
def knowledge(connected: dict[str, str], project: Path) -> Run:
    def run(*arguments: str, cwd: Path = project, **more: str) -> Done:
        return subprocess.run(
            [*COMMAND, *arguments], stdin=subprocess.DEVNULL, env={**connected, **more}, cwd=cwd, capture_output=True,
            encoding="utf-8", timeout=30, check=False,
        )  # fmt: skip

    return run


def rows(done: Done) -> list[list[str]]:
    return sorted(line.split("\t") for line in done.stdout.splitlines())


def test_files_are_added_changed_looked_at_and_removed(
    knowledge: Run, anythingllm: DocumentsServer, project: Path
) -> None:
    added = knowledge("add", ".")
    assert (added.returncode, rows(added)) == (0, [["+", "README.md"], ["+", "docs/蓝色 协议.md"]]), added.stderr
    assert "1/2 README.md" in added.stderr
    assert ".env is left out: it is a file for secrets." in added.stderr
    assert "test1: 2 added" in added.stderr
    again = knowledge("sync")
    assert (again.returncode, again.stdout, len(anythingllm.uploads)) == (0, "", 2)
    (project / "README.md").write_text("Hello again.\n", "utf-8")
    (project / "new.md").write_text("New.\n", "utf-8")
    (project / "docs" / "蓝色 协议.md").unlink()
    expected = [
        ["+", "new.md"],
        ["-", "docs/蓝色 协议.md"],
        ["x", ".env", "it is a file for secrets"],
        ["~", "README.md", "changed"],
    ]
    looked = knowledge("status")
    assert (looked.returncode, rows(looked)) == (0, expected)
    assert "test1: 0 in step, 1 new, 1 changed" in looked.stderr
    assert rows(knowledge("sync", "--dry-run")) == expected
    assert len(anythingllm.uploads) == 2
    synced = knowledge("sync")
    assert rows(synced) == [["+", "new.md"], ["-", "docs/蓝色 协议.md"], ["~", "README.md"]]
    assert anythingllm.names() == ["README.md", "new.md"]
    removed = knowledge("remove", "new.md", "README.md")
    assert (removed.returncode, rows(removed)) == (0, [["-", "README.md"], ["-", "new.md"]])
    assert not anythingllm.documents


def test_the_workspace_and_the_folder_may_be_named(knowledge: Run, anythingllm: DocumentsServer, project: Path) -> None:
    (project / ".git").mkdir()
    assert knowledge("add", "--workspace", "test-2", str(project / "README.md"), cwd=project.parent).returncode == 0
    assert anythingllm.names("test-2") == ["README.md"]
    assert rows(knowledge("status", "--workspace", "test-2", cwd=project / "docs")) == [["=", "README.md"]]
    nothing = knowledge("status")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing was added" in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "told"),
    [
        (("add", "nothing.md"), {}, 2, "nothing.md does not exist."),
        (("add",), {}, 2, "usage"),
        (("add", ".env"), {}, 1, ".env is left out"),
        (("remove", "README.md"), {}, 2, "is not among what was added"),
        (("sync",), {"ANYTHINGLLM_API_KEY": "SAMPLE1-WRONG01-ANYTHNG-LLM0001"}, 1, "did not accept the key"),
        (("sync",), {"ANYTHINGLLM_BASE_URL": ""}, 2, "No knowledge base is configured."),
        (("sync",), {"ANYTHINGLLM_WORKSPACE_SLUG": ""}, 2, "No workspace is chosen."),
        (("sync",), {"ANYTHINGLLM_WORKSPACE_SLUG": "no"}, 1, "The workspace no does not exist."),
        (("sync",), {"ANYTHINGLLM_BASE_URL": "http://127.0.0.1:9"}, 1, "cannot be reached"),
    ],
)
def test_what_goes_wrong_is_told_and_nothing_is_sent(
    knowledge: Run, anythingllm: DocumentsServer, arguments: tuple[str, ...], settings: dict[str, str], code: int,
    told: str,
) -> None:  # fmt: skip
    done = knowledge(*arguments, **settings)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not anythingllm.uploads


def test_a_key_of_the_users_own_is_not_sent_to_an_address_of_the_folder(
    knowledge: Run, anythingllm: DocumentsServer, project: Path
) -> None:
    (project / ".env").write_text(f"ANYTHINGLLM_BASE_URL={anythingllm.url}\n", "utf-8")
    done = knowledge("add", "README.md", "--trust", ANYTHINGLLM_BASE_URL="")
    assert done.returncode == 1
    assert "yours was not sent there" in done.stderr
    assert {seen.headers.get("authorization", "").removeprefix("Bearer").strip() for seen in anythingllm.seen} == {""}


def test_failures_are_told_by_name_and_the_rest_is_done(knowledge: Run, anythingllm: DocumentsServer) -> None:
    anythingllm.stuck = {"README.md"}
    done = knowledge("add", "README.md", "docs")
    assert done.returncode == 1
    assert rows(done)[0][:2] == ["!", "README.md"]
    assert rows(done)[1:] == [["+", "docs/蓝色 协议.md"]]
    assert "README.md was not brought up to date" in done.stderr
    assert "`sidelight knowledge sync` goes on." in done.stderr


def test_it_speaks_the_users_language(knowledge: Run) -> None:
    done = knowledge("add", "README.md", LANG="zh_CN.UTF-8")
    assert done.returncode == 0
    assert any("\u4e00" <= character <= "\u9fff" for character in done.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="tests cannot press Ctrl-C for one process there")
@pytest.mark.parametrize("number", [signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM)])
def test_whatever_ends_it_between_upload_and_taking_in_the_next_one_goes_on(
    knowledge: Run, anythingllm: DocumentsServer, connected: dict[str, str], project: Path, number: int
) -> None:
    reached = threading.Event()

    def hang(seen: Seen) -> Script | None:
        if not seen.path.endswith("/update-embeddings"):
            return None
        reached.set()
        return iter([Pause(30)])

    anythingllm.fault = hang
    process = subprocess.Popen(
        [*COMMAND, "add", "."], env=connected, cwd=project, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert reached.wait(20)
    process.send_signal(number)
    _, said = process.communicate(timeout=10)
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert b"What is done stays done" in said
    anythingllm.fault = lambda _: None
    assert rows(knowledge("status"))[-2:] == [
        ["~", "README.md", "not finished"],
        ["~", "docs/蓝色 协议.md", "not finished"],
    ]
    assert knowledge("sync").returncode == 0
    assert anythingllm.names() == ["README.md", "docs/蓝色 协议.md"]
    assert len(anythingllm.uploads) == 2


def test_a_second_process_is_sent_away(
    knowledge: Run, anythingllm: DocumentsServer, connected: dict[str, str], project: Path
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait(seen: Seen) -> None:
        if seen.path.endswith("upload") and not reached.is_set():
            reached.set()
            go_on.wait(20)

    anythingllm.fault = wait
    first = subprocess.Popen([*COMMAND, "add", "README.md"], env=connected, cwd=project, stderr=subprocess.PIPE)
    assert reached.wait(20)
    second = knowledge("add", "docs")
    go_on.set()
    first.communicate(timeout=20)
    assert (first.returncode, second.returncode) == (0, 1)
    assert "Another process is just bringing" in second.stderr
    assert anythingllm.names() == ["README.md"]


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_in_a_terminal_a_bar_moves_and_goes_away(connected: dict[str, str], project: Path) -> None:
    import pty

    (project / "docs" / "a\x1b[31m.md").write_text("x\n")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, "add", "docs", "README.md"], env=connected, cwd=project, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while more := os.read(ours, 4096):
            said += more
    except OSError:  # the other end has closed
        pass
    os.close(ours)
    assert process.wait(20) == 0
    text = said.decode()
    assert "\r[######..............] 1/3 README.md" in text
    assert "[####################] 3/3" in text
    assert "\x1b" not in text
    assert text.rstrip().endswith("test1: 3 added.")


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_document_is_one_line_whatever_it_is_called(knowledge: Run, project: Path) -> None:
    (project / "a\tb\nc.md").write_text("x\n")
    assert rows(knowledge("add", "docs", "a\tb\nc.md")) == [["+", "a b c.md"], ["+", "docs/蓝色 协议.md"]]


def test_what_is_kept_can_be_read_without_the_key(knowledge: Run, connected: dict[str, str], home: Path) -> None:
    knowledge("add", "README.md")
    [kept] = home.rglob("*.jsonl")
    assert connected["ANYTHINGLLM_API_KEY"] not in kept.read_text()
    assert json.loads(kept.read_text().splitlines()[0])["workspace"] == "test1"
