"""Conversations in real database files: of several processes, killed ones, full and read-only disks, other versions."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sidelight.core.answers import Source
from sidelight.core.ports import HistoryError, SentPart
from sidelight.messages import msg
from sidelight.store.conversations import StoredConversations
from sidelight.store.late_writer import LateWriter
from sidelight.store.migrations import MIGRATIONS
from sidelight.store.restore_points import StoredRestorePoints
from sidelight.store.sent_parts import unpack_parts
from sidelight.store.word_index import WordIndex
from support.conversations import MIB, SERVER, child, run_child, talk, turn

posix = pytest.mark.skipif(os.name != "posix", reason="modes and signals of POSIX")
SECRET = "correcthorsebatterystaple"
# What the first version wrote, by hand, as it was released: not what migrations.py says now.
VERSION_1 = """
CREATE TABLE restore_points (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uri TEXT NOT NULL, name TEXT NOT NULL, task TEXT NOT NULL,
    job TEXT NOT NULL, made_at_ms INTEGER NOT NULL, changed_lines INTEGER, size INTEGER NOT NULL,
    before BLOB NOT NULL, after BLOB
);
CREATE INDEX restore_points_of_document ON restore_points (uri, id);
CREATE INDEX restore_points_sizes ON restore_points (size);
INSERT INTO restore_points VALUES (7, 'file:///a.py', 'a.py', 'fix', '', 1767225600000, NULL, 500,
    x'789C4B4AACE2020003AD0148', NULL);
PRAGMA user_version = 1;
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def file(data: Path) -> Path:
    return data / "sidelight.db"


@pytest.fixture
def kept(data: Path) -> Iterator[StoredConversations]:
    conversations = stored(data)
    yield conversations
    conversations.close()


def stored(data: Path, index: WordIndex | None = None) -> StoredConversations:
    return StoredConversations(data, days=90, budget_bytes=200 * MIB, index=index)


def written(data: Path) -> list[str]:
    """Return the answers on disk, by the eyes of somebody else."""
    with closing(stored(data)) as others:
        return [it.answer for summary in others.latest() for it in others.turns(summary.id)]


def eventually(is_so: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a small file system of its own there."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


mounts = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only Linux's root may mount"
)


# Not in the way


def test_nothing_is_loaded_or_made_before_something_is_kept(data: Path) -> None:
    code = (
        "conversation = conversations.open(None)\n"
        "conversations.turns(conversation.id), conversations.begin(conversation)\n"
        "import threading\n"
        "print('sqlalchemy' in sys.modules, 'sqlite3' in sys.modules, threading.active_count())\n"
        "print(conversations.latest(), conversations.get('x'), conversations.clear(), conversations.delete('x'))\n"
    )
    assert run_child(data, code) == "False False 1\n[] None 0 False\n"
    assert not data.exists()


def test_keeping_does_not_wait_for_the_file(kept: StoredConversations, file: Path) -> None:
    talk(kept, "one")
    assert kept.latest()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        conversation = kept.open(None)
        kept.keep(conversation, turn(1, "two"))
        assert time.monotonic() - began < 1
        other.execute("ROLLBACK")
    assert [it.title for it in kept.latest()] == ["two", "one"]


def test_what_waits_to_be_written_gives_way_to_what_is_newer() -> None:
    written: list[str] = []
    go = threading.Event()

    def write(item: str) -> None:
        go.wait(10)
        written.append(item)

    writer = LateWriter(write, "test")
    writer.put("first", "first")
    eventually(lambda: not writer._waiting)
    for item in ("a1", "a2", "a3"):
        writer.put("a", item)
        writer.put("b", item.replace("a", "b"))
    assert not writer.flush(0.01)
    go.set()
    assert writer.flush(10)
    assert written == ["first", "a3", "b3"]
    assert writer.close(1)
    writer.put("c", "c")
    assert writer.close(10)
    assert written[-1] == "c"


def test_a_kept_turn_is_on_disk_at_once(kept: StoredConversations, data: Path) -> None:
    kept.prepare()
    conversation = talk(kept, "warm")
    assert kept.latest()
    began = time.monotonic()
    kept.keep(conversation, turn(2, "two"))
    with closing(stored(data)) as others:
        eventually(lambda: len(others.turns(conversation.id)) == 2)
    assert time.monotonic() - began < 1


def test_a_process_that_ends_without_closing_does_not_hang_and_has_written(data: Path) -> None:
    code = "conversations.prepare(); talk(conversations, 'one'); time.sleep(1)"
    began = time.monotonic()
    run_child(data, code)
    assert time.monotonic() - began < 10
    assert written(data) == ["Answer: one"]


def test_closing_writes_what_waits_and_what_is_kept_later_opens_again(kept: StoredConversations, data: Path) -> None:
    for number in range(30):
        talk(kept, f"number {number}")
    kept.close()
    assert len(written(data)) == 30
    talk(kept, "later")
    kept.close()
    assert len(written(data)) == 31


# The file


@posix
def test_files_are_for_the_user_alone(kept: StoredConversations, data: Path) -> None:
    old = os.umask(0)
    try:
        talk(kept, "one")
        assert kept.latest(search="one")
    finally:
        os.umask(old)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}


def content(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data.iterdir())


@pytest.mark.parametrize("remove", ["delete", "clear", "clear folder"])
def test_what_was_removed_is_in_no_file(kept: StoredConversations, data: Path, remove: str) -> None:
    stays = talk(kept, "something stays", folder="file:///other") if remove != "clear" else None
    gone = kept.open(None, "file:///folder")
    for number in range(1, 40):
        text = f"{SECRET} {SECRET}{number} " + "filler " * 200
        coming = turn(number, text, "", finish="", sources=(Source(SECRET, SECRET),))
        kept.keep(gone, coming)
        kept.keep(gone, replace(coming, answer=f"also{SECRET}{number}", place=SECRET, finish="complete"))
    kept.rename(gone.id, f"title {SECRET}")
    assert kept.latest(search=SECRET)
    assert SECRET.encode() in content(data)
    if remove == "delete":
        assert kept.delete(gone.id)
    else:
        assert kept.clear("file:///folder" if "folder" in remove else None) == 1
    assert SECRET.encode() not in content(data)
    assert b"correcthorse" not in content(data)
    assert [it.id for it in kept.latest(search="stays")] == ([stays.id] if stays else [])


def test_memory_lets_go_of_what_is_not_used(kept: StoredConversations) -> None:
    ids = [talk(kept, f"number {number}").id for number in range(120)]
    assert [it.instruction for it in kept.turns(ids[0])] == ["number 0"]
    assert kept.begin(kept.open(ids[0])) == 2


# Several processes


def test_yesterdays_conversation_goes_on(data: Path, kept: StoredConversations) -> None:
    run_child(data, "talk(conversations, 'one', 'two', id_='mine', folder='file:///f'); conversations.close()")
    conversation = kept.open("mine")
    assert [it.instruction for it in kept.turns("mine")] == ["one", "two"]
    assert kept.begin(conversation) == 3
    kept.keep(conversation, turn(3, "three"))
    assert [(it.folder, it.turns) for it in kept.latest()] == [("file:///f", 3)]


def test_two_editors_that_continue_one_conversation_lose_no_turn(data: Path, kept: StoredConversations) -> None:
    code = (
        "conversation = conversations.open('shared'); print('ready', flush=True); input()\n"
        "for n in range(25):\n"
        "    number = conversations.begin(conversation); t = turn(number, f'{os.getpid()}-{n}', '', finish='')\n"
        "    conversations.keep(conversation, t); conversations.keep(conversation, replace(t, answer='part'))\n"
        "    conversations.keep(conversation, replace(t, answer='whole', finish='complete'))\n"
        "conversations.close()"
    )
    others = [child(data, code) for _ in range(2)]
    for other in others:
        assert other.stdout
        assert other.stdout.readline() == "ready\n"
    for other in others:
        assert other.stdin
        other.stdin.write("\n")
        other.stdin.flush()
    for other in others:
        _, errors = other.communicate(timeout=50)
        assert not errors
    turns = kept.turns("shared")
    assert [it.number for it in turns] == list(range(1, 51))
    assert {it.instruction for it in turns} == {f"{other.pid}-{n}" for other in others for n in range(25)}
    assert {it.answer for it in turns} == {"whole"}
    assert len(kept.latest(search="whole")) == 1


def test_a_turn_of_another_process_is_seen_in_the_next_question(data: Path, kept: StoredConversations) -> None:
    conversation = talk(kept, "mine", id_="shared")
    assert kept.latest()
    run_child(data, "talk(conversations, 'theirs', id_='shared'); conversations.close()")
    assert [it.instruction for it in kept.turns("shared")] == ["mine", "theirs"]
    assert kept.begin(conversation) == 3


def test_what_another_process_deletes_does_not_come_back(data: Path, kept: StoredConversations) -> None:
    conversation = kept.open("shared")
    coming = turn(kept.begin(conversation), "one", "", finish="")
    kept.keep(conversation, coming)
    assert kept.latest()
    assert run_child(data, "print(conversations.delete('shared')); conversations.close()") == "True\n"
    kept.keep(conversation, replace(coming, answer="still coming"))
    assert kept.latest() == []
    assert kept.turns("shared") == []
    kept.keep(conversation, turn(kept.begin(conversation), "two"))
    assert [it.instruction for it in kept.turns("shared")] == ["two"]


def test_a_file_that_is_gone_is_made_again_with_the_answer_that_comes(kept: StoredConversations, data: Path) -> None:
    if os.name == "nt":
        pytest.skip("an open file cannot be deleted there")
    conversation = kept.open("mine")
    coming = turn(1, "one", "part", finish="")
    kept.keep(conversation, coming)
    assert kept.latest()
    for path in data.iterdir():
        path.unlink()
    kept.keep(conversation, replace(coming, answer="whole", finish="complete"))
    kept.close()
    assert written(data) == ["whole"]


@posix
@pytest.mark.parametrize("after_ms", [0, 1, 3, 7, 15, 40])
def test_kill_9_leaves_what_was_kept_or_what_was_kept_before(data: Path, after_ms: int) -> None:
    code = (
        "conversation = conversations.open('mine'); t = turn(1, 'one', 'part 0', finish='')\n"
        "conversations.keep(conversation, t); conversations.latest(); print('begun', flush=True)\n"
        "for n in range(1, 100_000):\n"
        "    conversations.keep(conversation, replace(t, answer=f'part {n} ' * 2000)); time.sleep(0.0005)\n"
    )
    killed = child(data, code)
    assert killed.stdout
    assert killed.stdout.readline() == "begun\n"
    time.sleep(after_ms / 1000)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    with closing(sqlite3.connect(data / "sidelight.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    with closing(stored(data)) as kept:
        [left] = kept.turns("mine")
        assert left.answer.startswith("part ")
        assert len(set(left.answer.split())) == 2
        assert kept.latest(search=f"part {left.answer.split()[1]}")
        kept.keep(kept.open("mine"), turn(kept.begin(kept.open("mine")), "two"))
        assert kept.latest()[0].turns == 2
    assert not list(data.glob("*broken*"))


@posix
def test_kill_9_inside_a_transaction_leaves_the_rest_whole(data: Path, kept: StoredConversations) -> None:
    talk(kept, "kept")
    assert kept.latest()
    code = (
        "from sidelight.store.ledger import Ledger; from sidelight.store.selection import Selection\n"
        "from sidelight.store.word_index import WordIndex\n"
        "def work(connection):\n"
        "    Ledger(WordIndex()).remove(connection, Selection()); print('removed', flush=True); input()\n"
        "conversations._database.write(work)"
    )
    killed = child(data, code)
    assert killed.stdout
    assert killed.stdout.readline() == "removed\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    assert [it.title for it in kept.latest(search="kept")] == ["kept"]
    talk(kept, "next")
    assert len(kept.latest()) == 2


# Disks and files that cannot be used


@mounts
def test_a_full_disk_is_said_the_conversation_goes_on_and_is_written_when_there_is_room(data: Path) -> None:
    with mounted(data, "size=2m,mode=700"):
        kept = stored(data)
        conversation = talk(kept, "one", id_="mine")
        assert kept.latest()
        ballast = data / "ballast"
        with pytest.raises(OSError, match="No space"), ballast.open("wb") as out:
            while True:
                out.write(b"x" * 4096)
                out.flush()
        kept.keep(conversation, turn(kept.begin(conversation), "two", os.urandom(40_000).hex()))
        eventually(lambda: kept.problem() is not None)
        problem = kept.problem()
        assert problem is not None
        assert "no room on the disk" in str(problem.message)
        assert "SIDELIGHT_HISTORY=0" in str(problem.hint)
        assert [it.instruction for it in kept.turns("mine")] == ["one", "two"]
        ballast.unlink()
        kept.keep(conversation, turn(kept.begin(conversation), "three"))
        assert [it.turns for it in kept.latest()] == [3]
        assert kept.problem() is None
        kept.close()
        assert len(written(data)) == 3


@mounts
def test_a_read_only_disk_is_said_and_conversations_go_on(data: Path) -> None:
    with mounted(data, "size=4m,mode=700"):
        before = stored(data)
        talk(before, "before", id_="old")
        before.close()
        subprocess.run(["mount", "-o", "remount,ro", data], check=True)
        kept = stored(data)
        conversation = talk(kept, "one")
        talk(kept, "two", id_=conversation.id)
        assert [it.instruction for it in kept.turns(conversation.id)] == ["one", "two"]
        eventually(lambda: kept.problem() is not None)
        assert "cannot be used" in str(kept.problem())
        for look in (kept.latest, kept.clear, lambda: kept.rename("old", "x"), lambda: kept.turns("old")):
            with pytest.raises(HistoryError, match="cannot be used"):
                look()
        kept.close()


def test_a_newer_version_is_left_alone_and_conversations_go_on(data: Path, file: Path) -> None:
    run_child(data, "talk(conversations, 'one'); conversations.close()")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    was = file.read_bytes()
    kept = stored(data)
    conversation = talk(kept, "one")
    talk(kept, "two", id_=conversation.id)
    assert len(kept.turns(conversation.id)) == 2
    with pytest.raises(HistoryError, match="newer version of Sidelight"):
        kept.prepare()
    for look in (kept.latest, kept.clear, lambda: kept.delete("x"), lambda: kept.latest(search="one")):
        with pytest.raises(HistoryError, match="newer version of Sidelight"):
            look()
    problem = kept.problem()
    assert problem is not None
    assert problem.hint
    kept.close()
    assert file.read_bytes() == was


@pytest.mark.parametrize("broken", [b"no database at all " * 500, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_broken_file_is_moved_aside_and_said(data: Path, file: Path, broken: bytes) -> None:
    data.mkdir()
    file.write_bytes(broken)
    kept = stored(data)
    conversation = talk(kept, "one")
    assert [it.id for it in kept.latest()] == [conversation.id]
    assert [path.read_bytes() for path in data.glob("*.broken-*")] == [broken]
    assert "is broken; it was moved to sidelight.db.broken-" in str(kept.problem())
    assert kept.clear() == 1
    assert not list(data.glob("*.broken-*"))
    kept.close()


def test_a_file_that_breaks_under_a_conversation_does_not_end_it(data: Path, file: Path) -> None:
    kept = stored(data)
    conversation = talk(kept, *(f"question {number} " * 500 for number in range(20)))
    assert kept.latest()
    kept.close()
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    assert len(kept.turns(conversation.id)) == 20
    kept.keep(conversation, turn(kept.begin(conversation), "more"))
    kept.close()
    assert "An area." in written(data)


def test_a_locked_file_is_said(kept: StoredConversations, file: Path) -> None:
    kept._database._busy_s = 0.1
    conversation = talk(kept, "one")
    assert kept.latest()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        kept.keep(conversation, turn(2, "two"))
        eventually(lambda: kept.problem() is not None)
        assert "in use by another program" in str(kept.problem())
        other.execute("ROLLBACK")
    kept.keep(conversation, turn(3, "three"))
    assert [it.turns for it in kept.latest()] == [3]
    assert kept.problem() is None


def test_no_answer_waits_for_a_file_that_another_program_has_locked(data: Path, file: Path) -> None:
    run_child(data, "talk(conversations, 'before', id_='mine'); conversations.close()")
    kept = stored(data)
    kept.prepare()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        kept.keep(kept.open(None), turn(1, "this waits"))
        eventually(lambda: kept._writer._is_writing)
        began = time.monotonic()
        for count in range(1, 4):
            conversation = kept.open("mine")
            turns = kept.turns("mine", 1.0)
            assert len(turns) == count  # also those that are on disk alone
            number = kept.begin(conversation, turns[-1].number)
            kept.keep(conversation, turn(number, "on"))
        assert time.monotonic() - began < 2
        other.execute("ROLLBACK")
    kept.close()
    assert len(written(data)) == 5


def test_a_number_is_given_without_another_look(kept: StoredConversations) -> None:
    conversation = talk(kept, "one", "two")
    kept._database.read = None  # type: ignore[method-assign, assignment]
    assert kept.begin(conversation, 2) == 3
    assert kept.begin(conversation, 0) == 4
    del kept._database.read


def test_a_read_of_limited_patience_is_given_up_in_time(kept: StoredConversations) -> None:
    talk(kept, "one", id_="mine")
    assert kept.latest()
    holds, go = threading.Event(), threading.Event()

    def hold(_connection: object) -> None:
        holds.set()
        go.wait(20)

    holder = threading.Thread(target=kept._database.write, args=(hold,))
    holder.start()
    holds.wait(10)
    began = time.monotonic()
    assert len(kept.turns("mine", 0.2)) == 1  # from memory
    with pytest.raises(HistoryError, match="in use by another program"):
        kept.turns("unknown", 0.2)
    assert time.monotonic() - began < 1
    go.set()
    holder.join(10)


def test_what_was_deleted_before_it_could_be_written_is_not_written_later(
    kept: StoredConversations, file: Path
) -> None:
    kept._database._busy_s = 0.1
    talk(kept, "first")
    assert kept.latest()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        conversation = kept.open(None)
        coming = turn(kept.begin(conversation), "second", "", finish="")
        kept.keep(conversation, coming)
        eventually(lambda: kept.problem() is not None)
        other.execute("ROLLBACK")
    assert kept.delete(conversation.id)
    kept.keep(conversation, replace(coming, answer="An answer.", finish="complete"))
    talk(kept, "third")
    assert [it.title for it in kept.latest()] == ["third", "first"]


def test_a_damaged_text_is_an_error_of_its_conversation_alone(data: Path, file: Path) -> None:
    run_child(data, "talk(conversations, 'a', id_='bad'); talk(conversations, 'b', id_='good'); conversations.close()")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE turns SET answer = x'00' WHERE id >> 20 = 1")
        connection.commit()
    with closing(stored(data)) as kept:
        with pytest.raises(HistoryError, match="damaged"):
            kept.turns("bad")
        assert len(kept.turns("good")) == len(kept.latest()) - 1 == 1
        assert len(kept.latest(search="answer")) == 2
        assert kept.delete("bad")


def test_an_error_does_not_quote_what_was_said(kept: StoredConversations, file: Path) -> None:
    talk(kept, "one")
    kept.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'no'); END")
        connection.commit()
    talk(kept, SECRET)
    eventually(lambda: kept.problem() is not None)
    assert SECRET not in str(kept.problem())


# Versions, and SQLite without full-text search


def test_a_file_of_the_first_version_keeps_its_texts(data: Path, file: Path) -> None:
    data.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(VERSION_1)
    with closing(stored(data)) as kept, closing(StoredRestorePoints(data, days=10_000, budget_bytes=MIB)) as points:
        talk(kept, "one")
        assert len(kept.latest(search="one")) == 1
        assert [(it.id, it.name) for it in points.latest()] == [(7, "a.py")]
        point = points.get(7)
        assert point is not None
        assert point.before == "baz\n"
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_turns_of_the_version_before_parts_come_back_and_new_ones_join_them(data: Path, file: Path) -> None:
    data.mkdir()
    text = zlib.compress(b"text")
    with closing(sqlite3.connect(file)) as connection:
        for statement in (it for migration in MIGRATIONS[:3] for it in migration):
            connection.execute(statement)
        connection.execute("INSERT INTO conversations VALUES (1, 'old', '', 'Title', 0, 5, 5, 1, 900)")
        row = (1 << 20 | 1, "k", 5, "explain", "a.py:1", "complete", "", "ollama", "m", 1, 2, 3, 4, 0, 900)
        texts = (text, text, text, zlib.compress(b"[]"), text)
        connection.execute(f"INSERT INTO turns VALUES ({', '.join('?' * 20)})", (*row, *texts))
        connection.execute("INSERT INTO sources VALUES (?, 0, 't', 'u', ?)", (row[0], text))
        connection.execute("PRAGMA user_version = 3")
        connection.commit()
    part = SentPart("target", "a.py", msg("{count} lines", count=2), 7, "message")
    with closing(stored(data)) as kept:
        kept.keep(kept.open("old"), turn(2, "two", parts=(part,), about="d1", task="explain", warnings=("w",)))
    with closing(stored(data)) as kept:
        one, two = kept.turns("old")
        assert (one.answer, one.sources, one.parts, one.sent_to, one.about) == (
            "text", (Source("t", "u", "text"),), (), "", "",
        )  # fmt: skip
        assert (two.parts, two.warnings, one.warnings) == ((part,), ("w",), ())
        assert kept.explanation("d1") == two


@pytest.mark.parametrize("damaged", ["", "5", "{}", "[1, [2], [3, 4, 5, 6, 7], null]", '["' + "x" * 5])
def test_damaged_parts_are_none(damaged: str) -> None:
    assert unpack_parts(damaged) == ()


@pytest.mark.parametrize("template", ["{gone} lines", "{0}", "{", "{a.b}", "{a[0]}", "{a:d!}", "of a later version"])
def test_a_reason_that_this_version_cannot_say_stands_for_itself(template: str) -> None:
    [part] = unpack_parts(json.dumps([["target", "a.py", {"template": template, "values": {"a": 1}}, 7, "message"]]))
    assert str(part.why) == template


def test_an_explanation_that_another_process_deleted_is_gone(data: Path) -> None:
    with closing(stored(data)) as kept:
        kept.keep(kept.open("a"), turn(1, task="explain", about="d1"))
        eventually(lambda: written(data))
        assert kept.explanation("d1") is not None
        assert run_child(data, "print(conversations.delete('a')); conversations.close()") == "True\n"
        assert kept.explanation("d1") is None


def test_an_explanation_is_found_by_the_index(data: Path, file: Path) -> None:
    from sidelight.store.turn_rows import explanations

    with closing(stored(data)) as kept:
        talk(kept, "one")
    with closing(sqlite3.connect(file)) as connection:
        statement = explanations("d1").limit(1).compile()
        named = str(statement).replace("\n", " ")
        plan = connection.execute(f"EXPLAIN QUERY PLAN {named}", statement.params).fetchall()
    assert "USING INDEX turns_about (about=?)" in plan[0][-1]


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_file_of_every_version_opens(data: Path, file: Path, version: int) -> None:
    data.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        for statement in (it for migration in MIGRATIONS[:version] for it in migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()
    with closing(stored(data)) as kept:
        talk(kept, "one")
        assert len(kept.latest(search="one")) == 1


def test_what_an_sqlite_without_full_text_search_has_written_is_indexed_later(data: Path) -> None:
    talked = []
    with closing(stored(data)) as able:
        talked.append(talk(able, "first question", id_="a"))
        able.latest()
    with closing(stored(data, WordIndex("fts_of_nobody"))) as unable:
        assert len(unable.latest(search="first")) == 1
        unable.keep(unable.open("a"), turn(2, "second question"))
        talk(unable, "third question", id_="b")
        assert [it.id for it in unable.latest(search="question")] == ["b", "a"]
        unable.rename("a", "renamed")
    with closing(stored(data)) as able:
        assert [it.id for it in able.latest(search="second")] == ["a"]
        assert [it.id for it in able.latest(search="renamed")] == ["a"]
        assert [it.id for it in able.latest(search="third")] == ["b"]
    with closing(sqlite3.connect(data / "sidelight.db")) as connection:
        assert connection.execute("SELECT sum(is_indexed = 0) FROM turns").fetchone() == (0,)


def test_the_server_does_not_load_the_store_at_its_start() -> None:
    code = (
        "import sys, sidelight.cli, sidelight.lsp.server, sidelight.store.conversations\n"
        "sys.exit('sqlalchemy' in sys.modules or 'sqlite3' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SERVER, check=True)
