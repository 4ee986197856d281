from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidelight import logs
from sidelight.logs import mask, masked_meanwhile, masked_text, without_secrets
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


@pytest.fixture
def no_masks() -> Iterator[None]:
    kept = set(logs._kept)
    yield
    logs._kept.clear()
    logs._kept.update(kept)
    mask([])


def test_a_message_that_is_nested_deeply_is_answered_at_debug_too(
    start_editor: Start, environment: dict[str, str]
) -> None:
    editor = start_editor({**environment, "SIDELIGHT_LOG_LEVEL": "debug"})
    editor.initialize()
    nested = json.loads("[" * 700 + "]" * 700)
    assert editor.error("sidelight/nothing", nested)["code"] == -32601


def test_what_may_hold_a_password_is_masked_where_a_name_says_that_it_is_an_address() -> None:
    addresses = {"address": "http://me:word@host", "openai.baseUrl": "http://host/v1?api_key=word", "host": ["a#word"]}
    assert "word" not in str(without_secrets({"settings": [addresses]}))
    plain = {"baseUrl": "http://host:1/v1", "uri": "file:///a.py?x#y", "text": "a@b?", "address": None, "host": 1}
    assert without_secrets(plain) == plain


@pytest.mark.usefixtures("no_masks")
def test_of_a_longer_secret_nothing_stays_where_a_shorter_one_is_its_beginning() -> None:
    secrets = [f"sk-{'abcdefgh' * length}" for length in range(1, 9)]
    mask(secrets)
    for secret in secrets:
        assert masked_text(f"the key {secret} is wrong") == "the key *** is wrong"


@pytest.mark.usefixtures("no_masks")
def test_a_key_that_is_only_tried_is_masked_until_then_unless_it_is_configured() -> None:
    mask(["configured"])
    with masked_meanwhile(["tried-key", "configured"]):
        with masked_meanwhile(["tried-key"]):
            mask(["tried-key"])  # as the provider does that is made for the trial
            assert masked_text("tried-key, configured") == "***, ***"
        assert masked_text("tried-key") == "***"
        elsewhere = threading.Thread(target=mask, args=[["other-key"]])
        elsewhere.start()
        elsewhere.join()
    assert masked_text("tried-key, configured, other-key") == "tried-key, ***, ***"


@pytest.mark.usefixtures("no_masks")
def test_secrets_may_become_known_while_lines_are_written() -> None:
    mask(f"secret-{number}" for number in range(50))
    failed: list[Exception] = []
    done = threading.Event()

    def write() -> None:
        try:
            while not done.is_set():
                masked_text("a line of the log " * 20)
        except RuntimeError as error:
            failed.append(error)

    writing = threading.Thread(target=write)
    writing.start()
    for number in range(3000):
        mask([f"typed-key-{number}"] if number % 30 == 0 else [])
    done.set()
    writing.join()
    assert failed == []


def test_a_line_about_a_key_that_was_tried_is_masked_however_late_it_is_written() -> None:
    key = "tried-key"
    with masked_meanwhile([key]):
        try:
            int(key)
        except ValueError:
            record = logging.LogRecord("x", logging.INFO, "", 1, "it was %s", (key,), sys.exc_info())
        prepared = logs._QueueHandler(logs._waiting).prepare(record)
    written = logs._Formatter(logs._FORMAT).format(prepared)
    assert "it was ***" in written
    assert "invalid literal for int() with base 10: '***'" in written
    assert key not in written
