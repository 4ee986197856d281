"""Conversations on the command line, as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import SERVER

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
Keep = Callable[..., str]

KEEP = """
import json, sys
from sidelight.composition import make_conversations
from sidelight.settings import SettingsSource
from support.conversations import talk
id_, folder, texts = json.load(sys.stdin)
conversations = make_conversations(SettingsSource().read())
print(talk(conversations, *texts, folder=folder, id_=id_).id)
conversations.close()
"""


@pytest.fixture
def sidelight(connected: dict[str, str], folder: Path) -> Run:
    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-I", str(SERVER), *arguments],
            stdin=subprocess.DEVNULL, env={**connected, **more}, cwd=folder, capture_output=True, timeout=30,
            check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def keep(connected: dict[str, str]) -> Keep:
    """Keeps a conversation as the language server does; returns its id."""

    def keep(*texts: str, folder: str = "", id_: str | None = None) -> str:
        path = f"{SERVER}{os.pathsep}{SERVER.parent / 'tests'}"
        done = subprocess.run(
            [sys.executable, "-c", KEEP], input=json.dumps([id_, folder, texts]), env={**connected, "PYTHONPATH": path},
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    return keep


def rows(done: subprocess.CompletedProcess[bytes]) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def test_a_question_asked_here_is_listed_and_read(sidelight: Run, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("Because ", "of the radius."))
    assert sidelight("ask", "Why is it negative?").returncode == 0
    [[id_, at, turns, title]] = rows(sidelight("history", "list"))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}", id_)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", at)
    assert (turns, title) == ("1", "Why is it negative?")
    page = sidelight("history", "read", id_).stdout.decode()
    assert page.startswith("# Why is it negative?\n")
    assert "> Because of the radius." in page


def test_the_list_is_narrowed_by_words_folder_and_number(sidelight: Run, keep: Keep, folder: Path) -> None:
    keep("alpha one", folder=folder.as_uri())
    keep("beta two")
    assert [row[3] for row in rows(sidelight("history", "list"))] == ["beta two", "alpha one"]
    assert [row[3:] for row in rows(sidelight("history", "list", "--search", "alp"))] == [["alpha one", "alpha one"]]
    assert [row[3] for row in rows(sidelight("history", "list", "--folder", "."))] == ["alpha one"]
    assert [row[3] for row in rows(sidelight("history", "list", "--limit", "1"))] == ["beta two"]
    nothing = sidelight("history", "list", "--search", '"AND (')
    assert (nothing.returncode, nothing.stdout) == (0, b"")
    assert b"no such conversations" in nothing.stderr


def test_nothing_kept_is_said_and_makes_no_file(sidelight: Run, home: Path) -> None:
    done = sidelight("history", "list")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"There are no conversations" in done.stderr
    assert not list(home.rglob("sidelight.db*"))


def test_ids_may_be_shortened_as_far_as_they_are_clear(sidelight: Run, keep: Keep) -> None:
    keep("one", id_="abc-1")
    keep("two", id_="abc-2")
    ours = keep("three")
    assert sidelight("history", "read", "abc-2").stdout.startswith(b"# two\n")
    assert sidelight("history", "read", ours).stdout == sidelight("history", "read", ours[10:14]).stdout != b""
    both = sidelight("history", "read", "abc")
    assert (both.returncode, both.stdout) == (2, b"")
    assert b"abc-1, abc-2" in both.stderr or b"abc-2, abc-1" in both.stderr


@pytest.mark.parametrize(
    "arguments",
    [("read", "nobody"), ("read", ""), ("export", "x"), ("rename", "x", "y"), ("delete", "x"), ("delete",),
     ("delete", ""), ("rename", "x"), ("export", "x", "--format", "pdf"), ("clear", "everything"),
     ("list", "--limit", "x")],
)  # fmt: skip
def test_wrong_use_is_code_2(sidelight: Run, keep: Keep, arguments: tuple[str, ...]) -> None:
    keep("one", id_="only")
    done = sidelight("history", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr
    assert b"Traceback" not in done.stderr
    assert len(rows(sidelight("history", "list"))) == 1


def test_an_export_is_markdown_or_json(sidelight: Run, keep: Keep) -> None:
    keep("```\nquestion 汉字 \ud800", id_="mine")
    assert sidelight("history", "export", "mine").stdout == sidelight("history", "read", "mine").stdout
    value = json.loads(sidelight("history", "export", "mine", "--format", "json").stdout)
    assert value["turns"][0]["instruction"] == "```\nquestion 汉字 \ud800"


def test_what_was_sent_is_shown_for_a_turn(sidelight: Run, keep: Keep, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("Because."))
    assert sidelight("ask", "Why is it negative?").returncode == 0
    [[id_, *_]] = rows(sidelight("history", "list"))
    page = sidelight("history", "sent", id_).stdout.decode()
    assert page == sidelight("history", "sent", id_, "1").stdout.decode()
    assert f"It went to anythingllm test1 at 127.0.0.1:{anythingllm.port}." in page
    assert "| instruction |" in page
    assert "Why is it negative?" in page.partition("```text\n")[2]
    none = sidelight("history", "sent", id_, "7")
    assert (none.returncode, none.stdout) == (2, b"")
    assert b"no turn 7" in none.stderr


def test_a_conversation_is_renamed_and_deleted(sidelight: Run, keep: Keep) -> None:
    keep("one", id_="mine")
    assert sidelight("history", "rename", "mine", "New\ttitle").returncode == 0
    assert rows(sidelight("history", "list"))[0][3] == "New title"
    assert sidelight("history", "rename", "mine", "").returncode == 0
    assert rows(sidelight("history", "list"))[0][3] == "one"
    assert b"Deleted: one" in sidelight("history", "delete", "mine").stderr
    assert rows(sidelight("history", "list")) == []


def test_clear_removes_what_it_names_and_nothing_else(
    sidelight: Run, keep: Keep, folder: Path, anythingllm: AnythingLLMServer
) -> None:
    def kept() -> tuple[int, int]:
        return len(rows(sidelight("history", "list"))), len(rows(sidelight("history", "edits")))

    anythingllm.always(fake.answer("```python\nfixed = 1\n```\n"))
    (folder / "a.py").write_text("broken = 1\n")
    sidelight("fix", "a.py", "--apply")
    assert kept() == (1, 1)
    assert b"Restore points removed: 1" in sidelight("history", "clear").stderr
    assert kept() == (1, 0)
    (folder / "a.py").write_text("broken = 2\n")
    sidelight("fix", "a.py", "--apply")
    assert b"Conversations removed: 2" in sidelight("history", "clear", "conversations").stderr
    assert kept() == (0, 1)
    keep("one")
    sidelight("history", "clear", "all")
    assert kept() == (0, 0)


def test_a_title_cannot_break_the_list(sidelight: Run, keep: Keep) -> None:
    keep("a\tb\x1b[2J\nc\u2028d", id_="i\nd\t\x1b")
    [row] = rows(sidelight("history", "list", "--search", "b"))
    assert len(row) == 5
    assert "\x1b" not in "".join(row)


def test_switched_off_nothing_is_kept_and_what_was_kept_is_there(
    sidelight: Run, keep: Keep, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("An answer."))
    keep("one")
    assert sidelight("ask", "two", SIDELIGHT_HISTORY="0").returncode == 0
    assert [row[3] for row in rows(sidelight("history", "list", SIDELIGHT_HISTORY="0"))] == ["one"]


def test_a_broken_database_is_said_on_stderr(sidelight: Run, keep: Keep, home: Path) -> None:
    keep("one")
    [file] = home.rglob("sidelight.db")
    file.write_bytes(b"no database " * 1000)
    done = sidelight("history", "list")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"sidelight.db.broken-" in done.stderr
    assert b"Traceback" not in done.stderr
