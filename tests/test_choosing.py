"""Which provider answers, and why; and what a user chose for a folder."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sidelight.choices import Choices, ModelChoice, choice_of
from sidelight.choosing import Chooser, find_offer
from sidelight.core.ports import Model, Offer, Offers
from sidelight.errors import SidelightError, UsageError
from sidelight.providers.discovery import Found
from sidelight.settings import Settings, SettingsSource

OLLAMA = Found("ollama", "http://127.0.0.1:11434")
LLAMA = Found("openai", "http://127.0.0.1:8080/v1")
ANYTHINGLLM = Found("anythingllm", "http://127.0.0.1:3001")


def settings(chosen: Callable[..., Any] | None = None, **environment: str) -> Settings:
    source = SettingsSource(environment=environment, folders=tuple(PROJECT))
    if chosen is not None:
        source.chosen = chosen
    return source.read()


def chosen(found: list[Found], **environment: str) -> tuple[str, str]:
    choice = Chooser(lambda _known: found).choose(settings(**environment))
    return choice.provider.name, str(choice.why)


def test_nothing_configured_and_nothing_found_is_the_built_in_provider() -> None:
    assert chosen([])[0] == "builtin"


@pytest.mark.parametrize(
    ("name", "value", "provider"),
    [
        ("ANYTHINGLLM_BASE_URL", "http://docs:3001", "anythingllm"),
        ("OPENAI_BASE_URL", "http://box:1234/v1", "openai"),
        ("OLLAMA_HOST", "0.0.0.0", "ollama"),
        ("DASHSCOPE_BASE_URL", "https://dashscope.aliyuncs.com/api/v1", "dashscope"),
        ("SIDELIGHT_TRANSFORMERS_MODEL", "/models/coder", "transformers"),
    ],
)
def test_an_address_configures_its_provider(name: str, value: str, provider: str) -> None:
    assert chosen([OLLAMA], **{name: value}) == (provider, "its address or model is set, in the environment")


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ANYTHINGLLM_API_KEY", "DASHSCOPE_API_KEY"])
def test_a_key_alone_configures_nothing(name: str) -> None:
    assert chosen([], **{name: "secret"})[0] == "builtin"


def test_what_is_configured_is_not_looked_for() -> None:
    def never(_known: object) -> list[Found]:
        raise AssertionError

    assert Chooser(never).choose(settings(OPENAI_BASE_URL="http://box/v1")).provider.name == "openai"


def test_what_is_found_is_taken_with_its_address() -> None:
    name, why = chosen([OLLAMA, LLAMA])
    assert name == "ollama"
    assert "found at http://127.0.0.1:11434" in why


def test_anythingllm_that_is_found_is_told_and_not_chosen() -> None:
    name, why = chosen([ANYTHINGLLM])
    assert name == "builtin"
    assert "AnythingLLM was found at http://127.0.0.1:3001" in why
    assert chosen([ANYTHINGLLM, LLAMA])[0] == "openai"


def test_the_users_key_and_headers_do_not_go_to_an_address_that_was_found() -> None:
    provider: Any = (
        Chooser(lambda _known: [LLAMA])
        .choose(settings(OPENAI_API_KEY="secret", SIDELIGHT_HEADERS='{"X-Key": "secret"}'))
        .provider
    )
    assert "secret" not in repr(provider._config)
    assert provider._http.options.headers == {}


def test_what_was_found_is_remembered_for_a_while() -> None:
    asked = []

    def find(_known: object) -> list[Found]:
        asked.append(1)
        return [OLLAMA]

    chooser = Chooser(find)
    assert chooser.known(settings()) is None
    first, second = chooser.choose(settings()), chooser.choose(settings())
    assert first.provider is second.provider
    assert chooser.known(settings()) is not None
    assert asked == [1]


def test_a_provider_stays_the_same_until_its_settings_change() -> None:
    chooser = Chooser(list)
    one = chooser.choose(settings(OLLAMA_HOST="localhost")).provider
    assert chooser.choose(settings(OLLAMA_HOST="localhost", SIDELIGHT_RETRIES="2")).provider is one
    assert chooser.choose(settings(OLLAMA_HOST="localhost", OLLAMA_MODEL="x")).provider is not one


def test_a_providers_own_model_goes_before_the_model_for_all() -> None:
    both = settings(OLLAMA_HOST="localhost", OLLAMA_MODEL="own", SIDELIGHT_MODEL="all")
    assert Chooser(list).choose(both).provider.model == "own"
    assert Chooser(list).choose(settings(OLLAMA_HOST="localhost", SIDELIGHT_MODEL="all")).provider.model == "all"


# Choices

PROJECT = [Path("/project")]


@pytest.fixture
def choices(tmp_path: Path) -> Choices:
    return Choices(tmp_path / "data" / "choices.json")


def choose(choices: Choices, provider: str, model: str, address: str = "", **environment: str) -> None:
    chosen = choice_of(settings(choices.layers, **environment), provider, model, address)
    choices.set(PROJECT, chosen)


def answering(choices: Choices, find: Callable[..., list[Found]] = list, **environment: str) -> Any:
    return Chooser(find).choose(settings(choices.layers, **environment)).provider


def test_a_choice_goes_before_the_model_that_is_set_and_is_its_folders_alone(choices: Choices) -> None:
    ollama = {"OLLAMA_HOST": "localhost", "OLLAMA_MODEL": "other"}
    choose(choices, "ollama", "coder", **ollama)
    assert answering(choices, **ollama).model == "coder"
    assert "your choice for this folder" in str(Chooser(list).choose(settings(choices.layers, **ollama)).why)
    assert choices.get([Path("/elsewhere")]) is None


def test_a_choice_can_be_forgotten(choices: Choices) -> None:
    choices.set([], ModelChoice("ollama", "coder"))
    choices.set([Path("/a")], ModelChoice("openai", "b"))
    choices.set([], None)
    assert choices.get([]) is None
    assert choices.get([Path("/a")]) == ModelChoice("openai", "b")


def test_a_second_choice_on_a_found_server_stays_with_that_server(choices: Choices) -> None:
    found = lambda _known: [LLAMA]  # noqa: E731
    choose(choices, "openai", "alpha", LLAMA.address)
    choose(choices, "openai", "beta", LLAMA.address, OPENAI_API_KEY="secret")
    provider = answering(choices, found, OPENAI_API_KEY="secret")
    assert (provider._config.address, provider._config.model, provider._config.key) == (LLAMA.address, "beta", "")


@pytest.mark.parametrize("later", [{}, {"OPENAI_BASE_URL": "http://other:1/v1"}])
def test_a_choice_does_not_outlive_the_address_that_it_was_made_for(choices: Choices, later: dict[str, str]) -> None:
    choose(choices, "openai", "alpha", OPENAI_BASE_URL="http://box:1/v1")
    now = settings(choices.layers, OPENAI_API_KEY="secret", **later)
    assert any("http://box:1/v1 is no longer configured" in str(problem) for problem in now.problems)
    assert Chooser(list).choose(now).provider.model != "alpha"


def test_a_provider_that_is_set_later_goes_before_the_choice(choices: Choices) -> None:
    choose(choices, "openai", "alpha", OPENAI_BASE_URL="http://box:1/v1")
    assert answering(choices, OPENAI_BASE_URL="http://box:1/v1", SIDELIGHT_PROVIDER="builtin").name == "builtin"
    assert answering(choices, OPENAI_BASE_URL="http://box:1/v1").model == "alpha"


def test_a_provider_without_an_address_cannot_be_chosen(choices: Choices) -> None:
    with pytest.raises(UsageError, match="it has no address"):
        choose(choices, "openai", "gpt", OPENAI_API_KEY="secret")
    choose(choices, "openai", "gpt", SIDELIGHT_PROVIDER="openai")
    assert answering(choices, SIDELIGHT_PROVIDER="openai").model == "gpt"


@pytest.mark.parametrize("address", ["http://evil.example/v1", "http://127.0.0.1.evil.example/v1", "nonsense"])
def test_an_address_of_another_machine_is_no_choice(choices: Choices, address: str) -> None:
    with pytest.raises(UsageError):
        choose(choices, "openai", "m", address)
    choices.path.parent.mkdir(exist_ok=True)
    choice = {"provider": "openai", "model": "m", "address": address, "is_found": True, "configured": "auto"}
    choices.path.write_text(json.dumps({"version": 1, "folders": {"": choice}}))
    assert choices.get([]) is None


WRONG = ["", "[]", "{", '{"folders": []}', '{"version": 2, "folders": {}}', "\xff"]


@pytest.mark.parametrize("content", WRONG)
def test_a_file_that_makes_no_sense_is_no_choice_and_is_not_written_over(choices: Choices, content: str) -> None:
    choices.path.parent.mkdir()
    choices.path.write_text(content, "latin-1")
    assert choices.get([]) is None
    with pytest.raises(SidelightError, match="cannot be used"):
        choices.set([], ModelChoice("ollama", "m"))
    assert choices.path.read_text("latin-1") == content


@pytest.mark.parametrize("change", [{"provider": "who"}, {"model": "a\nb"}, {"model": 1}, {"configured": None}])
def test_a_choice_that_makes_no_sense_is_none(choices: Choices, change: dict[str, Any]) -> None:
    choices.set([], ModelChoice("ollama", "m"))
    content = json.loads(choices.path.read_text())
    content["folders"][""].update(change)
    choices.path.write_text(json.dumps(content))
    assert choices.get([]) is None


def test_a_choice_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SidelightError, match="cannot be used"):
        Choices(tmp_path / "file" / "choices.json").set([], ModelChoice("ollama", "m"))


@pytest.mark.skipif(os.name != "posix", reason="modes and pipes are POSIX's")
def test_only_the_user_reads_the_choices_and_a_pipe_is_not_waited_for(choices: Choices) -> None:
    choices.set([], ModelChoice("ollama", "m"))
    assert stat.S_IMODE(choices.path.stat().st_mode) == 0o600
    choices.path.unlink()
    os.mkfifo(choices.path)
    assert choices.get([]) is None


def test_choices_made_at_once_are_all_kept(choices: Choices) -> None:
    folders = [Path(f"/project-{number}") for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda folder: choices.set([folder], ModelChoice("ollama", folder.name)), folders))
    assert [choices.get([folder]) for folder in folders] == [ModelChoice("ollama", it.name) for it in folders]


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_folder_is_known_by_where_it_leads_to(choices: Choices, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    choices.set([tmp_path / "link"], ModelChoice("ollama", "m"))
    assert choices.get([tmp_path / "real"]) == ModelChoice("ollama", "m")


def test_a_folders_word_does_not_choose_the_model_that_transformers_loads(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"SIDELIGHT_PROVIDER=transformers\nSIDELIGHT_MODEL={tmp_path}\n")
    source = SettingsSource(environment={}, folders=(tmp_path,), trusted=True)
    assert Chooser(list).choose(source.read()).provider.model == ""


def test_the_users_headers_do_not_go_where_a_folder_alone_leads(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SIDELIGHT_PROVIDER=openai\n")
    headers = {"SIDELIGHT_HEADERS": '{"X-Key": "secret"}'}
    provider: Any = Chooser(list).choose(SettingsSource(headers, folders=(tmp_path,), trusted=True).read()).provider
    assert provider._http.options.headers == {}
    own: Any = Chooser(list).choose(SettingsSource({**headers, "SIDELIGHT_PROVIDER": "openai"}).read()).provider
    assert own._http.options.headers == {"X-Key": "secret"}


def test_a_model_is_found_by_id_or_name_and_a_wrong_name_gets_the_nearest() -> None:
    offers = Offers(tuple(Offer("ollama", Model(name)) for name in ("qwen2.5-coder:7b", "llama3.2:3b")))
    assert find_offer(offers, "llama3.2:3b").model.id == "llama3.2:3b"
    with pytest.raises(UsageError, match=r"The nearest names: qwen2\.5-coder:7b"):
        find_offer(offers, "qwen-coder")
    with pytest.raises(UsageError):
        find_offer(offers, "llama3.2:3b", "openai")


def test_a_name_that_two_servers_know_must_be_told_apart() -> None:
    addresses = ("http://127.0.0.1:1234/v1", "http://127.0.0.1:8080/v1")
    offers = Offers(tuple(Offer("openai", Model("m"), address) for address in addresses))
    with pytest.raises(UsageError, match="More than one model is called m"):
        find_offer(offers, "m")
    assert find_offer(offers, f"m@{addresses[1]}").address == addresses[1]
