"""Which provider answers, and why; and what a user chose for a folder."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidelight.choices import Choices, ModelChoice
from sidelight.choosing import Chooser, find_offer
from sidelight.core.ports import Model, Offer, Offers
from sidelight.errors import SidelightError, UsageError
from sidelight.providers.discovery import Found
from sidelight.settings import Settings, SettingsSource

OLLAMA = Found("ollama", "http://127.0.0.1:11434")
LLAMA = Found("openai", "http://127.0.0.1:8080/v1")
ANYTHINGLLM = Found("anythingllm", "http://127.0.0.1:3001")


def settings(chosen: Callable[..., Any] | None = None, **environment: str) -> Settings:
    source = SettingsSource(environment=environment, folders=(Path("/project"),))
    if chosen is not None:
        source.chosen = chosen
    return source.read()


def chosen(found: list[Found], **environment: str) -> tuple[str, str]:
    choice = Chooser(lambda: found).choose(settings(**environment))
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
    def never() -> list[Found]:
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
        Chooser(lambda: [LLAMA])
        .choose(settings(OPENAI_API_KEY="secret", SIDELIGHT_HEADERS='{"X-Key": "secret"}'))
        .provider
    )
    assert "secret" not in repr(provider._config)
    assert provider._http.options.headers == {}


def test_what_was_found_is_remembered_for_a_while() -> None:
    asked = []

    def find() -> list[Found]:
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


@pytest.fixture
def choices(tmp_path: Path) -> Choices:
    return Choices(tmp_path / "data" / "choices.json")


def test_a_choice_goes_before_every_setting_and_is_its_folders_alone(choices: Choices) -> None:
    choices.set([Path("/project")], ModelChoice("ollama", "coder"))
    made = Chooser(list).choose(settings(choices.layers, SIDELIGHT_PROVIDER="builtin", OLLAMA_MODEL="other"))
    assert (made.provider.name, made.provider.model) == ("ollama", "coder")
    assert "your choice for this folder" in str(made.why)
    assert choices.get([Path("/elsewhere")]) is None


def test_a_choice_can_be_forgotten(choices: Choices) -> None:
    choices.set([], ModelChoice("ollama", "coder"))
    choices.set([Path("/a")], ModelChoice("openai", "b"))
    choices.set([], None)
    assert choices.get([]) is None
    assert choices.get([Path("/a")]) == ModelChoice("openai", "b")


def test_no_key_goes_to_the_address_of_a_choice(choices: Choices) -> None:
    choices.set([Path("/project")], ModelChoice("openai", "m", "http://127.0.0.1:8080/v1"))
    provider: Any = Chooser(list).choose(settings(choices.layers, OPENAI_API_KEY="secret")).provider
    assert provider._config.address == "http://127.0.0.1:8080/v1"
    assert provider._config.key == ""


@pytest.mark.parametrize("address", ["http://evil.example/v1", "http://127.0.0.1.evil.example/v1", "nonsense"])
def test_an_address_of_another_machine_is_no_choice(choices: Choices, address: str) -> None:
    with pytest.raises(UsageError):
        choices.set([], ModelChoice("openai", "m", address))
    choices.path.parent.mkdir(exist_ok=True)
    written = {"folders": {"": {"provider": "openai", "model": "m", "address": address}}}
    choices.path.write_text(json.dumps(written))
    assert choices.layers([]) == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"folders": []}', '{"folders": {"": {"provider": "who"}}}', "\xff"]
)
def test_a_file_that_makes_no_sense_is_no_choice(choices: Choices, content: str) -> None:
    choices.path.parent.mkdir()
    choices.path.write_text(content, "latin-1")
    assert choices.layers([]) == []
    choices.set([], ModelChoice("ollama", "m"))
    assert choices.get([]) == ModelChoice("ollama", "m")


def test_a_choice_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SidelightError, match="cannot be written"):
        Choices(tmp_path / "file" / "choices.json").set([], ModelChoice("ollama", "m"))


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_user_reads_the_choices(choices: Choices) -> None:
    choices.set([], ModelChoice("ollama", "m"))
    assert stat.S_IMODE(choices.path.stat().st_mode) == 0o600


def test_a_model_is_found_by_id_or_name_and_a_wrong_name_gets_the_nearest() -> None:
    offers = Offers(tuple(Offer("ollama", Model(name)) for name in ("qwen2.5-coder:7b", "llama3.2:3b")))
    assert find_offer(offers, "llama3.2:3b").model.id == "llama3.2:3b"
    with pytest.raises(UsageError, match=r"The nearest names: qwen2\.5-coder:7b"):
        find_offer(offers, "qwen-coder")
    with pytest.raises(UsageError):
        find_offer(offers, "llama3.2:3b", "openai")
