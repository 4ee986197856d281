"""What was found out about servers is kept, and used from the next question on."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from sidelight.abilities import Abilities
from sidelight.choosing import Chooser
from sidelight.connecting import try_connection
from sidelight.core.context import Context
from sidelight.core.ports import Part, Prompt, Request, Trial, Wishes
from sidelight.core.stopping import Stop
from sidelight.doctor import examined
from sidelight.messages import msg
from sidelight.settings import Settings, SettingsSource
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer, Behaviour

API = "http://docs:3001/api/v1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "abilities.json"


def test_nothing_is_known_at_first(path: Path) -> None:
    assert Abilities(path).takes_documents(API) is None
    assert not path.exists()


@pytest.mark.parametrize("takes", [True, False])
def test_what_was_learned_is_known_to_every_process(path: Path, *, takes: bool) -> None:
    writer, reader = Abilities(path), Abilities(path)
    assert reader.takes_documents(API) is None
    writer.learn_documents(API, takes)
    assert [it.takes_documents(API) for it in (writer, reader, Abilities(path))] == [takes] * 3
    assert reader.takes_documents(API + "x") is None
    reader.learn_documents(API, not takes)
    assert writer.takes_documents(API) is not takes


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_the_file_is_private(path: Path) -> None:
    Abilities(path).learn_documents(API, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["abilities.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        json.dumps({"version": 2, "servers": {API: {"documents": True}}}),
        '{"version": 1, "servers": []}',
        json.dumps({"version": 1, "servers": {API: 7}}),
        json.dumps({"version": 1, "servers": {API: {"documents": "yes"}}}),
        "[" * 100_000,
    ],
)
def test_a_file_that_makes_no_sense_says_nothing_and_is_written_anew(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    abilities = Abilities(path)
    assert abilities.takes_documents(API) is None
    abilities.learn_documents(API, True)
    assert Abilities(path).takes_documents(API) is True


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    abilities = Abilities(tmp_path / "file" / "abilities.json")
    abilities.learn_documents(API, True)
    assert abilities.takes_documents(API) is None


def test_a_folder_in_its_place_is_no_error(path: Path) -> None:
    path.mkdir(parents=True)
    Abilities(path).learn_documents(API, True)
    assert Abilities(path).takes_documents(API) is None


def test_only_the_newest_servers_are_kept(path: Path) -> None:
    abilities = Abilities(path)
    for number in range(105):
        abilities.learn_documents(f"http://h{number}/api/v1", True)
    abilities.learn_documents("http://" + "h" * 2000, True)
    kept = list(json.loads(path.read_text("utf-8"))["servers"])
    assert (kept[0], kept[-1], len(kept)) == ("http://h5/api/v1", "http://h104/api/v1", 100)


def test_many_threads_leave_a_whole_file(path: Path) -> None:
    abilities = Abilities(path)
    threads = [
        threading.Thread(target=abilities.learn_documents, args=(f"http://h{number}/api/v1", True))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads(path.read_text("utf-8"))["servers"]) == 20


# From the probe to the next question


def settings(server: AnythingLLMServer, **environment: str) -> Settings:
    return SettingsSource(
        {
            "ANYTHINGLLM_BASE_URL": server.url,
            "ANYTHINGLLM_API_KEY": fake.KEY,
            "ANYTHINGLLM_WORKSPACE_SLUG": "test1",
            **environment,
        }
    ).read()


def ask(chooser: Chooser, configured: Settings) -> None:
    part = Part("target", "a.py", "code", msg("because"), 1)
    asked = Part("question", "", "Why?", msg("because"), 1)
    request = Request("explain", Prompt("", "code\n\nWhy?", parts=(part, asked)), Context(), "c")
    list(chooser.choose(configured).provider.stream(request, Stop()))


def attached(server: AnythingLLMServer) -> bool:
    return "attachments" in server.questions[-1].body


def test_the_doctor_finds_out_and_the_next_question_attaches(
    anythingllm: AnythingLLMServer, path: Path, tmp_path: Path
) -> None:
    chooser, configured = Chooser(list, Abilities(path)), settings(anythingllm)
    anythingllm.behave(Behaviour())
    ask(chooser, configured)
    assert not attached(anythingllm)
    report = examined(configured, Wishes(), chooser.choose, tmp_path, Stop())
    assert report.state == "ok"
    assert "takes documents with a question" in str(report.checks[-1].message)
    ask(chooser, configured)
    assert attached(anythingllm)
    ask(chooser, settings(anythingllm, SIDELIGHT_ANYTHINGLLM_ATTACHMENTS="off"))
    assert not attached(anythingllm)


def test_a_doctor_that_asks_nothing_finds_out_nothing(
    anythingllm: AnythingLLMServer, path: Path, tmp_path: Path
) -> None:
    chooser = Chooser(list, Abilities(path))
    anythingllm.behave(Behaviour())
    assert examined(settings(anythingllm), Wishes(asks=False), chooser.choose, tmp_path, Stop()).state == "ok"
    assert not anythingllm.questions


def test_connecting_finds_out(anythingllm: AnythingLLMServer, path: Path) -> None:
    chooser, configured = Chooser(list, Abilities(path)), settings(anythingllm)
    anythingllm.behave(Behaviour())
    tried = try_connection(configured, Trial("anythingllm"), chooser.make_once, Stop())
    assert tried.is_connected
    assert "takes documents with a question" in str(tried.checks[-1].message)
    ask(chooser, configured)
    assert attached(anythingllm)


def test_a_connection_that_fails_asks_nothing(anythingllm: AnythingLLMServer, path: Path) -> None:
    wrong = settings(anythingllm, ANYTHINGLLM_API_KEY="WRONG")
    assert not try_connection(
        wrong, Trial("anythingllm"), Chooser(list, Abilities(path)).make_once, Stop()
    ).is_connected
    assert not anythingllm.questions


def test_a_server_that_no_longer_takes_them_is_sent_code_in_the_message_again(
    anythingllm: AnythingLLMServer, path: Path
) -> None:
    chooser, configured = Chooser(list, Abilities(path)), settings(anythingllm)
    Abilities(path).learn_documents(f"{anythingllm.url}/api/v1", True)
    anythingllm.behave(Behaviour(takes_documents=False))
    ask(chooser, configured)
    assert attached(anythingllm)
    ask(chooser, configured)
    assert not attached(anythingllm)
    ask(chooser, settings(anythingllm, SIDELIGHT_ANYTHINGLLM_ATTACHMENTS="on"))
    assert attached(anythingllm)
