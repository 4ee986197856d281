from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]


def test_every_process_has_its_own_file_and_old_ones_are_pruned(
    start_editor: Start, environment: dict[str, str], home: Path
) -> None:
    folder = home / "state" / "sidelight" / "log"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"sidelight-20200101-0000{number:02}-4194999.log").touch()
        os.utime(folder / f"sidelight-20200101-0000{number:02}-4194999.log", (number, number))
    editors = [start_editor(environment) for _ in range(2)]
    for editor in editors:
        editor.initialize()
    files = sorted(path.name for path in folder.iterdir())
    assert len(files) <= 11
    assert sum(name.endswith(f"-{editor.process.pid}.log") for name in files for editor in editors) == 2


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told_and_nothing_more(
    start_editor: Start, environment: dict[str, str], home: Path
) -> None:
    (home / "state").mkdir(mode=0o500)
    editor = start_editor(environment)
    editor.initialize()
    assert "no log file" in editor.stderr


def test_a_log_folder_that_is_a_file_is_told_and_nothing_more(
    start_editor: Start, environment: dict[str, str], home: Path
) -> None:
    (home / "state").write_text("in the way")
    editor = start_editor(environment)
    editor.initialize()
    assert "no log file" in editor.stderr


def test_debug_tells_what_is_sent_and_info_does_not(
    start_editor: Start, environment: dict[str, str], home: Path
) -> None:
    for level, tells in (("debug", True), ("info", False)):
        editor = start_editor({**environment, "SIDELIGHT_LOG_LEVEL": level})
        editor.initialize()
        editor.request("sidelight/run", {"task": "explain", "uri": editor.open("a.py", "special_name = 1\n")})
        editor.close()
        (log,) = (home / "state").rglob(f"*-{editor.process.pid}.log")
        assert ("special_name" in log.read_text()) is tells
