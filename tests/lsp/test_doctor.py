"""The doctor in an editor: the same examination as in a terminal, as values, and what localhost means where it runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import SIDELIGHT
from sidelight import doctor, surroundings
from sidelight.core.ports import Choice, Wishes
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError
from sidelight.messages import msg
from sidelight.settings import Settings, environment_layer, resolve
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer, Pause, Script
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]


def examine(editor: Editor, **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = editor.request("sidelight/doctor", params)
    return result


def sentences(result: dict[str, Any]) -> str:
    return json.dumps(result, ensure_ascii=False)


def test_all_is_well_and_that_is_one_sentence(editor: Editor, anythingllm: AnythingLLMServer, home: Path) -> None:
    result = examine(editor)
    assert (result["state"], result["summary"]) == ("ok", "anythingllm · test1 answers")
    assert {check["state"] for check in result["checks"]} == {"ok", "note"}
    configuration = next(check for check in result["checks"] if check["message"] == "Configuration:")
    assert "ANYTHINGLLM_API_KEY = ***, from the environment" in configuration["details"]
    assert "its first piece after" in sentences(result)
    assert fake.KEY not in sentences(result)
    assert str(home) not in sentences(result)
    assert ["attachments" in seen.body for seen in anythingllm.questions] == [False, True]  # one word, and the probe


def test_the_request_for_one_word_can_be_left_out(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    result = examine(editor, asks=False)
    assert (result["state"], result["summary"]) == ("ok", "anythingllm · test1 is connected")
    assert anythingllm.questions == []


def test_the_first_thing_that_failed_is_the_summary(
    start_editor: Start, connected: dict[str, str], environment: dict[str, str]
) -> None:
    editor = start_editor({**connected, "ANYTHINGLLM_API_KEY": "WRONG-KEY-OF-MINE"})
    editor.initialize()
    result = examine(editor)
    assert result["state"] == "failed"
    assert "did not accept the key" in result["summary"]
    (failed,) = [check for check in result["checks"] if check["state"] == "failed"]
    assert failed["message"] == result["summary"]
    assert failed["hint"]
    assert "WRONG-KEY-OF-MINE" not in sentences(result)


def test_a_wrong_setting_and_a_missing_model_are_warnings(
    start_editor: Start, connected: dict[str, str], environment: dict[str, str]
) -> None:
    wrong = start_editor({**connected, "SIDELIGHT_RETRIES": "many"})
    wrong.initialize()
    assert examine(wrong)["state"] == "warning"
    assert "SIDELIGHT_RETRIES" in examine(wrong, asks=False)["summary"]
    plain = start_editor(environment)
    plain.initialize()
    result = examine(plain)
    assert result["state"] == "warning"
    assert result["summary"].startswith("No model is connected")


@pytest.mark.parametrize(
    ("remote", "told", "advice"),
    [
        ("ssh-remote+build-host", "over the network", "ssh -R"),
        ("wsl+ubuntu", "inside WSL", "networkingMode=mirrored"),
        ("dev-container+7b22", "in a container", "host.docker.internal"),
        ("attached-container+7b22", "in a container", "host.docker.internal"),
        ("codespaces", "in a codespace", "gh codespace ssh"),
        ("127.0.0.1:8080", "your browser", "ssh -R"),
    ],
)
def test_who_sits_elsewhere_is_told_what_localhost_means(remote: str, told: str, advice: str) -> None:
    found = surroundings.find(remote, {}, lambda _path: False)
    assert found is not None
    assert told in str(found.message)
    assert "localhost" in str(found.message)
    assert advice in str(found.hint)


def test_the_editor_says_where_the_server_runs_and_the_addresses_concerned_are_named(
    start_editor: Start, connected: dict[str, str]
) -> None:
    editor = start_editor({**connected, "OPENAI_BASE_URL": "https://api.example.com/v1", "WSL_DISTRO_NAME": "Debian"})
    editor.initialize()
    checks = examine(editor, remote="ssh-remote+box", asks=False)["checks"]
    (where,) = [check for check in checks if "localhost" in check["message"]]
    assert "over the network" in where["message"]
    assert where["details"] == [f"ANYTHINGLLM_BASE_URL = {connected['ANYTHINGLLM_BASE_URL']}"]
    here = examine(editor, remote="", asks=False)["checks"]
    assert not [check for check in here if "localhost in an address" in check["message"]]


@pytest.mark.parametrize(
    ("variables", "files", "told"),
    [
        ({"WSL_DISTRO_NAME": "Debian"}, (), "inside WSL"),
        ({"SSH_CONNECTION": "1 2 3 4"}, (), "over the network"),
        ({}, ("/.dockerenv",), "in a container"),
        ({"container": "podman"}, (), "in a container"),
        ({"REMOTE_CONTAINERS": "true", "WSL_DISTRO_NAME": "Debian"}, (), "in a container"),
        ({"CODESPACES": "true", "REMOTE_CONTAINERS": "true"}, ("/.dockerenv",), "in a codespace"),
        ({}, (), None),
    ],
)
def test_a_terminal_finds_out_by_itself(variables: dict[str, str], files: tuple[str, ...], told: str | None) -> None:
    found = surroundings.find(None, variables, lambda path: path in files)
    assert (found is None) if told is None else (found is not None and told in str(found.message))


def test_a_browser_in_front_of_a_container_is_told_of_the_container() -> None:
    found = surroundings.find("127.0.0.1:8080", {"container": "docker"}, lambda _path: False)
    assert found is not None
    assert "in a container" in str(found.message)


def concerned(environment: dict[str, str]) -> tuple[str, ...]:
    settings = resolve([environment_layer(environment)])
    examination = doctor.Examination(settings, no_provider, Path(), Wishes("ssh-remote+box"))
    (where,) = [check for check in examination.checks() if "over the network" in str(check.message)]
    return tuple(str(line) for line in where.details)


def no_provider(_settings: Settings, _stop: Stop) -> Choice:
    raise ConfigurationError(msg("There is none."), msg("Have one."))


def test_every_spelling_of_this_machine_is_concerned_and_so_is_the_default_of_the_provider_that_is_named() -> None:
    assert concerned({"OPENAI_BASE_URL": "http://127.1:8000/v1"}) == ("OPENAI_BASE_URL = http://127.1:8000/v1",)
    assert concerned({"SIDELIGHT_PROVIDER": "ollama"}) == ("OLLAMA_HOST = http://127.0.0.1:11434",)
    assert concerned({"OPENAI_BASE_URL": "https://api.example.com/v1"}) == ()


def test_who_waits_in_an_editor_waits_for_one_word_no_longer_than_for_a_connection() -> None:
    asked: list[Settings] = []

    def choose(settings: Settings, stop: Stop) -> Choice:
        asked.append(settings)
        return no_provider(settings, stop)

    for said, silence_s in (({}, 20), ({"SIDELIGHT_SILENCE_TIMEOUT": "3"}, 3)):
        settings = resolve([environment_layer(said)])
        report = doctor.examined(settings, Wishes(), choose, Path(), Stop())
        assert (asked[-1].integer("retries"), asked[-1].number("silence_timeout_s")) == (0, silence_s)
        assert "what you entered" not in str(report)
    doctor.examine(resolve([]), choose, Path(), str)
    assert asked[-1].number("silence_timeout_s") == 300


def test_the_command_line_says_it_too(environment: dict[str, str], folder: Path) -> None:
    done = subprocess.run(
        [*SIDELIGHT, "doctor"], env={**environment, "CODESPACES": "true", "OLLAMA_HOST": "localhost"}, cwd=folder,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "runs in a codespace" in done.stdout
    assert "    OLLAMA_HOST = http://localhost:11434" in done.stdout


@pytest.mark.parametrize("wrong", [{"remote": 5}, {"asks": "no"}, ["x"], "x"])
def test_wrong_parameters_are_refused(plain_editor: Editor, wrong: Any) -> None:
    assert plain_editor.error("sidelight/doctor", wrong)["code"] == -32602


def test_an_examination_that_is_cancelled_ends_at_once(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    def never() -> Script:
        yield fake.STREAM_HEAD
        yield Pause(30)

    anythingllm.always(never)
    began = editor.begin("sidelight/doctor", {})
    editor.settle(0.1)
    while not anythingllm.questions:
        editor.settle(0.05)
    editor.notify("$/cancelRequest", {"id": began})
    assert editor.answer_to(began, 5)["error"]["code"] == -32800
    assert anythingllm.questions[0].closed.wait(5)


def test_the_report_is_in_the_clients_language(start_editor: Start, connected: dict[str, str]) -> None:
    editor = start_editor(connected)
    editor.initialize(locale="zh-cn")
    result = examine(editor, remote="wsl+debian")
    for text in (result["summary"], *(check["message"] for check in result["checks"])):
        assert any("\u4e00" <= character <= "\u9fff" for character in text) or text.startswith("Sidelight "), text


def test_where_questions_are_looked_up_is_tried_and_a_failure_is_a_note(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    model = {"SIDELIGHT_PROVIDER": "openai", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}  # nobody answers there
    looking_up = {**connected, **model, "SIDELIGHT_KNOWLEDGE": "anythingllm"}
    editor = start_editor(looking_up)
    editor.initialize()
    last = examine(editor)["checks"][-1]
    assert (last["state"], last["message"][:30]) == ("ok", "Questions are looked up in the")
    assert len(anythingllm.searches) == 1
    wrong = start_editor({**looking_up, "ANYTHINGLLM_API_KEY": "WRONG-KEY-OF-MINE"})
    wrong.initialize()
    result = examine(wrong)
    assert result["checks"][-1]["state"] == "note"
    assert "did not accept the key" in result["checks"][-1]["message"]
    assert result["checks"][-1]["hint"]
