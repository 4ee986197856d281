"""Restore points in real database files, of one process and of several."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sidelight.core.ports import RestorePointError
from sidelight.store.restore_points import NoRestorePoints, StoredRestorePoints
from sidelight.store.tables import EDITS_UNDER_WAY

SERVER = Path(__file__).resolve().parents[2] / "server"
MIB = 1 << 20
A, B = "file:///a.py", "file:///b.py"
posix = pytest.mark.skipif(os.name != "posix", reason="modes and signals of POSIX")

Open = Callable[..., StoredRestorePoints]


class Clock:
    """Stands still until it is told to go."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, 0, 0, 123000, timezone.utc)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sidelight"


@pytest.fixture
def file(data: Path) -> Path:
    return data / "sidelight.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_points(data: Path, clock: Clock) -> Iterator[Open]:
    opened: list[StoredRestorePoints] = []

    def open_(days: int = 30, budget_bytes: int = 100 * MIB) -> StoredRestorePoints:
        opened.append(StoredRestorePoints(data, days=days, budget_bytes=budget_bytes, now=clock))
        return opened[-1]

    yield open_
    for points in opened:
        points.close()


@pytest.fixture
def points(open_points: Open) -> StoredRestorePoints:
    return open_points()


def child(data: Path, code: str) -> subprocess.Popen[str]:
    """Start another process that has ``points`` on the same file."""
    head = (
        "import sys; from pathlib import Path\n"
        "from sidelight.store.restore_points import StoredRestorePoints\n"
        f"points = StoredRestorePoints(Path({str(data)!r}), days=30, budget_bytes={100 * MIB})\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + code],
        env={**os.environ, "PYTHONPATH": str(SERVER)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def content(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data.iterdir())


def noise(size: int, seed: int = 1) -> str:
    """Return text that compresses to about ``size`` bytes."""
    return random.Random(seed).randbytes(size).hex()


# What is kept


def test_what_was_added_comes_back(points: StoredRestorePoints, clock: Clock) -> None:
    id_ = points.add(A, "a.py", "fix", "job-1", "one\ntwo\n")
    point = points.get(id_)
    assert point is not None
    assert (point.uri, point.name, point.task, point.job) == (A, "a.py", "fix", "job-1")
    assert (point.before, point.after, point.changed_lines) == ("one\ntwo\n", None, None)
    assert point.made_at == clock.time
    assert point.made_at.tzinfo is timezone.utc


def test_a_finished_edit_has_its_text_and_counts_its_lines(points: StoredRestorePoints) -> None:
    id_ = points.add(A, "a.py", "fix", "", "one\ntwo\nthree\n")
    points.finish(id_, "one\n2\nthree\nfour\nfive\n")
    point = points.get(id_)
    assert point is not None
    assert (point.after, point.changed_lines) == ("one\n2\nthree\nfour\nfive\n", 3)


def test_finishing_what_is_gone_has_no_effect(points: StoredRestorePoints) -> None:
    points.finish(points.add(A, "a.py", "fix", "", "x") + 7, "y")
    assert [point.changed_lines for point in points.latest()] == [None]


@pytest.mark.parametrize(
    "text",
    ["", "lf\ncrlf\r\ncr\rform\x0cfeed\x85\u2028none", "\ud800 and \udfff\n", "\ufeffmark\n", "\0", "汉字 🙂\r\n" * 3],
)
def test_texts_come_back_to_the_letter(open_points: Open, text: str) -> None:
    first = open_points()
    id_ = first.add(A, "a.py", "fix", "", text)
    first.finish(id_, text + text)
    first.close()
    point = open_points().get(id_)
    assert point is not None
    assert (point.before, point.after) == (text, text + text)


def test_a_point_whose_edit_did_not_happen_is_forgotten(points: StoredRestorePoints) -> None:
    kept, gone = (points.add("file:///a", "a", "fix", "job", "text") for _ in range(2))
    for id_ in (gone, gone, 0, -1, 1 << 70):
        points.forget(id_)
    assert [point.id for point in points.latest()] == [kept]


def test_an_edit_of_the_version_before_may_still_run_for_some_time(open_points: Open, clock: Clock) -> None:
    points = open_points()
    clock.time = datetime.now(timezone.utc)
    ids = [points.add(A, "a.py", "fix", "", str(number)) for number in range(2)]
    points.finish(ids[0], "done")
    points._database.write(lambda connection: connection.execute(EDITS_UNDER_WAY.delete()))  # it kept no such table
    assert [point.is_running for point in points.latest()] == [True, False]
    clock.time -= timedelta(hours=3)
    old = points.add(A, "a.py", "fix", "", "old")
    points._database.write(lambda connection: connection.execute(EDITS_UNDER_WAY.delete()))
    assert [point.is_running for point in points.latest() if point.id == old] == [False]


def test_half_characters_in_names_do_no_harm(points: StoredRestorePoints) -> None:
    uri = "untitled:\ud800"
    points.add(uri, "\ud800", "fix\ud800", "\ud800", "x")
    assert len(points.latest(uri)) == 1


def test_the_latest_come_first_of_all_or_of_one_document(points: StoredRestorePoints) -> None:
    first, second, third = (points.add(uri, "n", "fix", "", "x") for uri in (A, B, A))
    assert [point.id for point in points.latest()] == [third, second, first]
    assert [point.id for point in points.latest(A)] == [third, first]
    assert [point.id for point in points.latest(limit=1)] == [third]
    assert points.latest("file:///c.py") == []


@pytest.mark.parametrize("id_", [0, -1, 99, 2**63, 2**70])
def test_an_unknown_id_is_nothing(points: StoredRestorePoints, id_: int) -> None:
    points.add(A, "a.py", "fix", "", "x")
    assert points.get(id_) is None


def test_looking_makes_no_file(points: StoredRestorePoints, data: Path) -> None:
    points.prepare()
    assert (points.latest(), points.get(1), points.clear()) == ([], None, 0)
    assert not data.exists()


def test_what_was_closed_opens_again(points: StoredRestorePoints) -> None:
    id_ = points.add(A, "a.py", "fix", "", "x")
    points.close()
    points.close()
    assert points.get(id_) is not None


def test_switched_off_it_keeps_nothing_and_makes_no_file(tmp_path: Path) -> None:
    off = NoRestorePoints()
    off.prepare()
    off.finish(off.add(A, "a.py", "fix", "", "x"), "y")
    assert (off.latest(), off.get(0), off.clear()) == ([], None, 0)
    off.close()
    assert list(tmp_path.iterdir()) == []


# Pruning and clearing


def test_what_is_too_old_goes_with_the_next_add(points: StoredRestorePoints, clock: Clock) -> None:
    points.add(A, "a.py", "fix", "", "old")
    clock.time += timedelta(days=1)
    young = points.add(A, "a.py", "fix", "", "young")
    clock.time += timedelta(days=29, seconds=1)
    new = points.add(A, "a.py", "fix", "", "new")
    assert [point.id for point in points.latest()] == [new, young]


def test_what_does_not_fit_goes_oldest_first(open_points: Open) -> None:
    points = open_points(budget_bytes=110_000)
    ids = [points.add(A, "a.py", "fix", "", noise(30_000, seed)) for seed in range(5)]
    kept = [point.id for point in points.latest()]
    assert kept == ids[:-4:-1]
    points.finish(ids[-1], noise(30_000, 9))
    assert [point.id for point in points.latest()] == ids[:-3:-1]


def test_the_point_just_added_stays_although_with_its_end_it_is_over_the_budget(open_points: Open) -> None:
    points = open_points(budget_bytes=50_000)
    points.add(A, "a.py", "fix", "", "x")
    last = points.add(A, "a.py", "fix", "", noise(40_000))
    points.finish(last, noise(40_000, 2))
    point = points.get(last)
    assert point is not None
    assert point.after == noise(40_000, 2)
    assert len(points.latest()) == 1


def test_an_edit_that_took_long_stays_at_its_end(open_points: Open, clock: Clock) -> None:
    points = open_points(days=1, budget_bytes=50_000)
    slow = points.add(A, "a.py", "fix", "", "x")
    clock.time += timedelta(days=2)
    points.finish(slow, "y")
    assert [point.id for point in points.latest()] == [slow]


def test_an_edit_that_ends_after_a_later_one_stays(open_points: Open) -> None:
    points = open_points(budget_bytes=50_000)
    slow = points.add(A, "a.py", "fix", "", "x")
    points.add(B, "b.py", "fix", "", noise(40_000))
    points.finish(slow, noise(40_000, 2))
    assert [point.id for point in points.latest()] == [slow]


def test_a_text_over_the_whole_budget_is_refused_and_costs_no_other(open_points: Open) -> None:
    points = open_points(budget_bytes=50_000)
    kept = points.add(A, "a.py", "fix", "", "x")
    with pytest.raises(RestorePointError) as raised:
        points.add(A, "large.py", "fix", "", noise(60_000))
    assert "large.py" in str(raised.value.message)
    assert "SIDELIGHT_RESTORE_MIB" in str(raised.value.hint)
    assert [point.id for point in points.latest()] == [kept]


def test_many_small_points_keep_the_file_within_the_budget(open_points: Open, file: Path) -> None:
    points = open_points(budget_bytes=200_000)
    for seed in range(60):
        points.finish(points.add(A, "a.py", "fix", "", noise(9_000, seed)), noise(9_000, seed + 100))
    points.close()
    assert 5 <= len(points.latest()) <= 11
    points.close()
    assert file.stat().st_size < 400_000


def test_cleared_texts_are_gone_from_the_files(points: StoredRestorePoints, data: Path) -> None:
    texts = [noise(20_000, seed) for seed in range(3)]
    for text in texts:
        points.add("file:///secret-name.py", "secret-name.py", "fix", "", text)
    pieces = [zlib.compress(text.encode())[1000:1040] for text in texts]
    assert all(piece in content(data) for piece in pieces)
    size = sum(path.stat().st_size for path in data.iterdir())
    assert points.clear() == 3
    assert not any(piece in content(data) for piece in pieces)
    assert b"secret-name" not in content(data)
    assert sum(path.stat().st_size for path in data.iterdir()) < size - 60_000
    assert points.latest() == []


def test_an_id_never_comes_back(points: StoredRestorePoints) -> None:
    old = points.add(A, "a.py", "fix", "", "x")
    points.clear()
    assert points.add(A, "a.py", "fix", "", "y") > old


# Threads, processes and crashes


def test_threads_add_at_the_same_time(points: StoredRestorePoints) -> None:
    def add(number: int) -> int:
        id_ = points.add(A, "a.py", "fix", "", f"text {number}")
        points.finish(id_, f"text {number}!")
        return id_

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(add, range(40)))
    assert len(set(ids)) == 40
    for number, id_ in enumerate(ids):
        point = points.get(id_)
        assert point is not None
        assert (point.before, point.after) == (f"text {number}", f"text {number}!")


def add_in_processes(data: Path) -> None:
    """Let four processes open the file at the same moment and add ten points each."""
    code = (
        "import sidelight.store.tables\n"  # nothing slow is left to do after "ready"
        "print('ready', flush=True)\n"
        "input()\n"
        "for number in range(10): points.add('file:///a.py', 'a.py', 'fix', '', str(number))\n"
        "points.close()"
    )
    children = [child(data, code) for _ in range(4)]
    for started in children:
        assert started.stdout
        assert started.stdout.readline() == "ready\n"
    for started in children:
        assert started.stdin
        started.stdin.write("\n")
        started.stdin.flush()
    errors = [started.communicate(timeout=40)[1] for started in children]
    assert [started.returncode for started in children] == [0] * 4, errors


def test_processes_open_a_new_file_at_the_same_time(points: StoredRestorePoints, data: Path) -> None:
    add_in_processes(data)
    assert len(points.latest(limit=100)) == 40


def test_processes_find_a_broken_file_at_the_same_time(points: StoredRestorePoints, data: Path) -> None:
    data.mkdir(parents=True)
    (data / "sidelight.db").write_bytes(b"no database " * 1000)
    add_in_processes(data)
    assert len(points.latest(limit=100)) == 40
    assert len(list(data.glob("*.broken-*"))) == 1


@posix
def test_a_point_outlives_kill_9(points: StoredRestorePoints, data: Path) -> None:
    code = "id = points.add('file:///a.py', 'a.py', 'fix', 'j', 'before\\r\\n')\nprint(id, flush=True)\ninput()"
    killed = child(data, code)
    assert killed.stdout
    id_ = int(killed.stdout.readline())
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    point = points.get(id_)
    assert point is not None
    assert (point.before, point.after) == ("before\r\n", None)


@posix
def test_kill_9_in_the_middle_of_a_write_leaves_the_rest_whole(points: StoredRestorePoints, data: Path) -> None:
    kept = points.add(A, "a.py", "fix", "", "kept")
    code = (
        "from sqlalchemy import text\n"
        "def work(connection):\n"
        "    connection.execute(text('DELETE FROM restore_points'))\n"
        "    print('deleted', flush=True)\n"
        "    input()\n"
        "points._database.write(work)"
    )
    killed = child(data, code)
    assert killed.stdout
    assert killed.stdout.readline() == "deleted\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    assert [point.id for point in points.latest()] == [kept]
    assert points.add(A, "a.py", "fix", "", "next") > kept


def test_a_file_that_was_deleted_meanwhile_is_made_again(points: StoredRestorePoints, data: Path) -> None:
    points.add(A, "a.py", "fix", "", "x")
    if os.name == "nt":
        points.close()
    for path in data.iterdir():
        path.unlink()
    id_ = points.add(A, "a.py", "fix", "", "y")
    points.close()
    point = points.get(id_)
    assert point is not None
    assert point.before == "y"
