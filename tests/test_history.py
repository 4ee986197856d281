"""Restore points on the command line, as a user types it."""

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

CODE = "def greet(name):\n    print(nam)\n"
FIXED = "def greet(name):\n    print(name)\n"

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
Keep = Callable[..., int]

KEEP = """
import json, sys
from sidelight.composition import make_restore_points
from sidelight.settings import SettingsSource
uri, before, after = json.load(sys.stdin)
points = make_restore_points(SettingsSource().read())
id = points.add(uri, uri.rpartition("/")[2], "fix", "job-1", before)
if after is not None:
    points.finish(id, after)
points.close()
print(id)
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
def keep(connected: dict[str, str], folder: Path) -> Keep:
    """Keeps a restore point as the language server does, with the URI of a file in the folder or a given one."""

    def keep(name: str, before: str, after: str | None) -> int:
        uri = name if ":" in name else (folder / name).as_uri()
        done = subprocess.run(
            [sys.executable, "-c", KEEP],
            input=json.dumps([uri, before, after]), env={**connected, "PYTHONPATH": str(SERVER)},
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        return int(done.stdout)

    return keep


def rows(done: subprocess.CompletedProcess[bytes]) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


# Applying keeps the text


def test_fix_apply_can_be_taken_back(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(CODE.encode())
    anythingllm.always(fake.answer(f"```python\n{FIXED}```\n"))
    assert sidelight("fix", "a.py:2", "--apply").returncode == 0
    assert path.read_bytes() == FIXED.encode()
    [[id_, when, task, where, changed]] = rows(sidelight("history", "edits"))
    assert (task, Path(where), changed) == ("fix", path, "lines changed: 1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", when)
    assert sidelight("history", "restore", id_, "--apply").returncode == 0
    assert path.read_bytes() == CODE.encode()


def test_a_fix_that_is_not_applied_keeps_nothing(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path) -> None:
    (folder / "a.py").write_text(CODE)
    anythingllm.always(fake.answer(f"```python\n{FIXED}```\n"))
    assert sidelight("fix", "a.py:2").returncode == 0
    assert rows(sidelight("history", "edits")) == []


def test_switched_off_nothing_is_kept(sidelight: Run, anythingllm: AnythingLLMServer, folder: Path, home: Path) -> None:
    (folder / "a.py").write_text(CODE)
    anythingllm.always(fake.answer(f"```python\n{FIXED}```\n"))
    off = {"SIDELIGHT_RESTORE_POINTS": "0", "SIDELIGHT_HISTORY": "0"}
    assert sidelight("fix", "a.py:2", "--apply", **off).returncode == 0
    assert (folder / "a.py").read_text() == FIXED
    assert not list(home.rglob("sidelight.db*"))


def test_without_a_restore_point_nothing_is_written(
    sidelight: Run, anythingllm: AnythingLLMServer, folder: Path, tmp_path: Path
) -> None:
    if sys.platform != "linux":
        pytest.skip("where data are kept is told by a variable on Linux alone")
    (folder / "a.py").write_text(CODE)
    (tmp_path / "in-the-way").write_text("")
    anythingllm.always(fake.answer(f"```python\n{FIXED}```\n"))
    done = sidelight("fix", "a.py:2", "--apply", XDG_DATA_HOME=str(tmp_path / "in-the-way"))
    assert done.returncode == 1
    assert b"SIDELIGHT_RESTORE_POINTS=0" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"+    print(name)" in done.stdout
    assert (folder / "a.py").read_text() == CODE


# Listing and showing


def test_edits_of_one_file_are_listed_newest_first(sidelight: Run, keep: Keep, folder: Path) -> None:
    first, other, second = keep("a.py", "1\n", "2\n"), keep("b.py", "1\n", "2\n"), keep("a.py", "2\n", None)
    assert [row[0] for row in rows(sidelight("history", "edits"))] == [str(second), str(other), str(first)]
    listed = rows(sidelight("history", "edits", "a.py"))
    assert [(row[0], row[4]) for row in listed] == [(str(second), "unfinished"), (str(first), "lines changed: 1")]
    assert [row[0] for row in rows(sidelight("history", "edits", "--limit", "1"))] == [str(second)]
    assert rows(sidelight("history", "edits", str(folder / "x" / ".." / "b.py")))[0][0] == str(other)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_file_is_found_by_where_a_link_to_it_leads(sidelight: Run, keep: Keep, folder: Path) -> None:
    (folder / "a.py").write_text("2\n")
    (folder / "link.py").symlink_to("a.py")
    id_ = keep("a.py", "1\n", "2\n")
    assert rows(sidelight("history", "edits", "link.py"))[0][0] == str(id_)


def test_nothing_kept_is_said_and_makes_no_file(sidelight: Run, home: Path) -> None:
    done = sidelight("history", "edits")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"no restore points" in done.stderr
    assert not list(home.rglob("sidelight.db*"))


def test_a_name_cannot_break_the_list(sidelight: Run, keep: Keep) -> None:
    keep("file:///folder/a%0Ab%1B%5B2J.py", "1\n", "2\n")
    [row] = rows(sidelight("history", "edits"))
    assert "\x1b" not in row[3]


@pytest.mark.parametrize("text", ["lf\ncrlf\r\ncr\rno end", "\ufeffmark\r\n", "汉字 🙂\u2028\x0c\n", "\ud800\n", ""])
def test_show_prints_the_text_byte_for_byte(sidelight: Run, keep: Keep, text: str) -> None:
    done = sidelight("history", "show", str(keep("a.py", text, "other\n")))
    assert (done.returncode, done.stdout) == (0, text.encode("utf-8", "surrogatepass"))


# Restoring


def test_restore_prints_a_diff_and_writes_nothing(sidelight: Run, keep: Keep, folder: Path) -> None:
    (folder / "a.py").write_bytes(FIXED.encode())
    done = sidelight("history", "restore", str(keep("a.py", CODE, FIXED)))
    assert done.returncode == 0
    assert (folder / "a.py").read_bytes() == FIXED.encode()
    applied = subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=folder, check=False)
    assert applied.returncode == 0
    assert (folder / "a.py").read_bytes() == CODE.encode()


def test_restoring_keeps_what_was_typed_since(sidelight: Run, keep: Keep, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(b"import os\nmine = 0\n\none = 1\ntwo = 22\nthree = 3\n\nlast = 9\ntyped = 1\n")
    before = "import os\n\none = 1\ntwo = 2\nthree = 3\n\nlast = 9\n"
    after = before.replace("two = 2", "two = 22")
    done = sidelight("history", "restore", str(keep("a.py", before, after)), "--apply")
    assert (done.returncode, b"stand now" in done.stderr) == (0, False)
    assert path.read_bytes() == b"import os\nmine = 0\n\none = 1\ntwo = 2\nthree = 3\n\nlast = 9\ntyped = 1\n"


def test_restoring_over_a_changed_place_says_so_and_loses_neither(sidelight: Run, keep: Keep, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(b"one\nTYPED\nthree\n")
    id_ = keep("a.py", "one\ntwo\nthree\n", "one\nchanged\nthree\n")
    done = sidelight("history", "restore", str(id_), "--apply")
    assert done.returncode == 0
    assert b"both texts stand now: 1" in done.stderr
    assert b"TYPED\n" in path.read_bytes()
    assert b"two\n" in path.read_bytes()


def test_lines_without_an_end_are_not_glued_together(sidelight: Run, keep: Keep, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(b"one\nTYPED")
    sidelight("history", "restore", str(keep("a.py", "one\ntwo", "one\nchanged")), "--apply")
    assert sorted(path.read_bytes().split(b"\n")) == [b"TYPED", b"one", b"two"]


def test_an_edit_that_never_ended_is_replaced_as_a_whole(sidelight: Run, keep: Keep, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(b"half of an\n")
    done = sidelight("history", "restore", str(keep("a.py", CODE, None)), "--apply")
    assert b"never ended" in done.stderr
    assert path.read_bytes() == CODE.encode()


def test_what_a_restore_replaces_can_itself_be_restored(sidelight: Run, keep: Keep, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(b"half of an\n")
    sidelight("history", "restore", str(keep("a.py", CODE, None)), "--apply")
    newest = rows(sidelight("history", "edits"))[0]
    assert newest[2] == "restore"
    sidelight("history", "restore", newest[0], "--apply")
    assert path.read_bytes() == b"half of an\n"


def test_byte_order_mark_line_ends_and_mode_are_the_files(sidelight: Run, keep: Keep, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode())
    path.chmod(0o755)
    id_ = keep("a.py", CODE, FIXED)  # as an editor that shows CRLF as LF, without the mark
    assert sidelight("history", "restore", str(id_), "--apply").returncode == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + CODE.replace("\n", "\r\n").encode()
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o755


def test_mixed_line_ends_come_back_as_they_were(sidelight: Run, keep: Keep, folder: Path) -> None:
    path = folder / "a.py"
    path.write_bytes(b"one\r\n2\nthree\rfour\r\n")
    id_ = keep("a.py", "one\r\ntwo\nthree\rfour\r\n", "one\r\n2\nthree\rfour\r\n")
    assert sidelight("history", "restore", str(id_), "--apply").returncode == 0
    assert path.read_bytes() == b"one\r\ntwo\nthree\rfour\r\n"


def test_restoring_twice_changes_nothing_more(sidelight: Run, keep: Keep, folder: Path) -> None:
    (folder / "a.py").write_bytes(FIXED.encode())
    id_ = str(keep("a.py", CODE, FIXED))
    sidelight("history", "restore", id_, "--apply")
    done = sidelight("history", "restore", id_, "--apply")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"needs no change" in done.stderr
    assert len(rows(sidelight("history", "edits"))) == 2


# What cannot be done


@pytest.mark.parametrize(
    ("name", "told"), [("gone.py", b"not there any more"), ("untitled:Untitled-1", b"is not a file")]
)
def test_what_is_no_file_cannot_be_restored_but_shown(sidelight: Run, keep: Keep, name: str, told: bytes) -> None:
    id_ = str(keep(name, CODE, FIXED))
    done = sidelight("history", "restore", id_, "--apply")
    assert done.returncode == 2
    assert told in done.stderr
    assert f"sidelight history show {id_}".encode() in done.stderr
    assert sidelight("history", "show", id_).stdout == CODE.encode()


def test_a_text_that_no_file_can_hold_is_not_written(sidelight: Run, keep: Keep, folder: Path) -> None:
    (folder / "a.py").write_bytes(b"x\n")
    done = sidelight("history", "restore", str(keep("a.py", "\ud800\n", "x\n")), "--apply")
    assert (done.returncode, b"Traceback" in done.stderr) == (2, False)
    assert (folder / "a.py").read_bytes() == b"x\n"


@pytest.mark.parametrize(
    "arguments",
    [("show", "99"), ("restore", "99"), ("show", "0"), ("show", str(2**70)), ("show", "x"), ("restore",), (), ("x",)],
)
def test_wrong_use_is_code_2(sidelight: Run, keep: Keep, arguments: tuple[str, ...]) -> None:
    keep("a.py", CODE, FIXED)
    done = sidelight("history", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr
    assert b"Traceback" not in done.stderr


def test_clear_removes_all_and_says_how_many(sidelight: Run, keep: Keep) -> None:
    keep("a.py", CODE, FIXED)
    keep("b.py", CODE, None)
    assert b"removed: 2" in sidelight("history", "clear").stderr
    assert rows(sidelight("history", "edits")) == []


def test_what_was_kept_is_there_after_keeping_was_switched_off(sidelight: Run, keep: Keep) -> None:
    id_ = str(keep("a.py", CODE, FIXED))
    assert sidelight("history", "show", id_, SIDELIGHT_RESTORE_POINTS="0").stdout == CODE.encode()


def test_a_broken_database_is_said_on_stderr(sidelight: Run, keep: Keep, home: Path) -> None:
    keep("a.py", CODE, FIXED)
    [file] = home.rglob("sidelight.db")
    file.write_bytes(b"no database " * 1000)
    done = sidelight("history", "edits")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"sidelight.db.broken-" in done.stderr
    assert b"Traceback" not in done.stderr
