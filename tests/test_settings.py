from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sidelight.settings import SETTINGS, Settings, SettingsSource, masked

URL, KEY = "anythingllm.base_url", "anythingllm.api_key"


def read(tmp_path: Path, *, trusted: bool = True, folder: str = "", user: str = "", **more: Any) -> Settings:
    (tmp_path / "user.env").write_text(user)
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    if folder:
        (project / ".env").write_text(folder)
    source = SettingsSource(
        environment=more.get("environment", {}),
        user_file=tmp_path / "user.env",
        client=more.get("client", {}),
        folders=(project,),
        trusted=trusted,
    )
    return source.read()


def told(settings: Settings) -> str:
    return "\n".join(str(problem) for problem in settings.problems)


def test_the_client_wins_over_environment_folder_and_user(tmp_path: Path) -> None:
    layers: dict[str, Any] = {
        "user": "SIDELIGHT_RETRIES=1\nANYTHINGLLM_WORKSPACE_SLUG=u\nSIDELIGHT_CONNECT_TIMEOUT=9",
        "folder": "SIDELIGHT_RETRIES=3\nANYTHINGLLM_WORKSPACE_SLUG=f",
        "environment": {"SIDELIGHT_RETRIES": "4"},
    }
    settings = read(tmp_path, **layers, client={"retries": 5})
    assert settings.integer("retries") == 5
    assert read(tmp_path, **layers).integer("retries") == 4
    assert settings.text("anythingllm.workspace") == "f"
    assert settings.number("connect_timeout_s") == 9
    assert str(settings.values["anythingllm.workspace"].origin).endswith("project/.env")


def test_a_clients_default_does_not_hide_the_environment(tmp_path: Path) -> None:
    settings = read(tmp_path, client={"retries": 2, "provider": "auto"}, environment={"SIDELIGHT_RETRIES": "4"})
    assert settings.integer("retries") == 4


def test_nested_and_dotted_client_keys_are_one(tmp_path: Path) -> None:
    for client in ({"anythingllm": {"workspace": "w"}}, {"anythingllm.workspace": "w"}):
        assert read(tmp_path, client=client).text("anythingllm.workspace") == "w"


def test_a_folder_that_is_not_trusted_does_not_count_and_that_is_said(tmp_path: Path) -> None:
    settings = read(tmp_path, trusted=False, folder="ANYTHINGLLM_BASE_URL=http://evil.example")
    assert settings.text(URL) == ""
    assert "passed over" in told(settings)


def test_an_unrelated_env_file_is_nobodys_business(tmp_path: Path) -> None:
    assert read(tmp_path, trusted=False, folder="DATABASE_URL=x").problems == ()
    assert read(tmp_path, folder="DATABASE_URL=x").problems == ()


def test_the_environment_can_grant_trust(tmp_path: Path) -> None:
    settings = read(
        tmp_path, trusted=False, folder="SIDELIGHT_RETRIES=7", environment={"SIDELIGHT_TRUST_WORKSPACE": "1"}
    )
    assert settings.integer("retries") == 7


def test_a_folder_cannot_grant_itself_trust_or_set_what_concerns_the_machine(tmp_path: Path) -> None:
    assert (
        read(tmp_path, trusted=False, folder="SIDELIGHT_TRUST_WORKSPACE=1\nSIDELIGHT_RETRIES=7").integer("retries") == 2
    )
    settings = read(tmp_path, folder="SIDELIGHT_CA_FILE=x.pem\nSIDELIGHT_HEADERS={}")
    assert settings.text("ca_file") == ""
    assert "SIDELIGHT_CA_FILE" in told(settings)


def test_the_users_key_does_not_go_to_the_folders_address(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        folder="ANYTHINGLLM_BASE_URL=http://other.example",
        environment={"ANYTHINGLLM_API_KEY": "secret", "SIDELIGHT_HEADERS": '{"X-Token": "t"}'},
    )
    assert settings.text(URL) == "http://other.example"
    assert settings.bound(KEY, URL) == ""
    assert settings.bound("headers", URL) == {}
    assert settings.is_withheld(KEY, URL)


@pytest.mark.parametrize(
    ("folder", "user"),
    [
        ("ANYTHINGLLM_BASE_URL=http://h:3001/api", "ANYTHINGLLM_API_KEY=k\nANYTHINGLLM_BASE_URL=http://h:3001"),
        ("ANYTHINGLLM_BASE_URL=http://h\nANYTHINGLLM_API_KEY=k", ""),
        ("ANYTHINGLLM_API_KEY=k", "ANYTHINGLLM_BASE_URL=http://h"),
    ],
)
def test_a_key_goes_to_its_own_origin(tmp_path: Path, folder: str, user: str) -> None:
    assert read(tmp_path, folder=folder, user=user).bound(KEY, URL) == "k"


@pytest.mark.parametrize("port", ["3002", "80"])
def test_another_port_is_another_origin(tmp_path: Path, port: str) -> None:
    settings = read(
        tmp_path,
        folder=f"ANYTHINGLLM_BASE_URL=http://h:{port}",
        user="ANYTHINGLLM_API_KEY=k\nANYTHINGLLM_BASE_URL=http://h:3001",
    )
    assert settings.bound(KEY, URL) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIDELIGHT_RETRIES", "many"),
        ("SIDELIGHT_RETRIES", "1.5"),
        ("SIDELIGHT_CONNECT_TIMEOUT", "-1"),
        ("SIDELIGHT_CONNECT_TIMEOUT", "inf"),
        ("SIDELIGHT_PROVIDER", "chatgpt"),
        ("ANYTHINGLLM_BASE_URL", "localhost:3001"),
        ("ANYTHINGLLM_BASE_URL", "http://h:99999"),
        ("ANYTHINGLLM_BASE_URL", "file:///etc/passwd"),
        ("SIDELIGHT_HEADERS", "X: y"),
        ("SIDELIGHT_TRUST_WORKSPACE", "perhaps"),
    ],
)
def test_a_wrong_value_is_named_and_the_default_holds(tmp_path: Path, name: str, value: str) -> None:
    settings = read(tmp_path, environment={name: value})
    setting = next(setting for setting in SETTINGS if setting.environment == name)
    assert settings.values[setting.name].value == setting.default
    assert name in told(settings)
    assert "the environment" in told(settings)


def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    assert "SIDELIGHT_RETRIES?" in told(read(tmp_path, environment={"SIDELIGHT_RETRYS": "1"}))
    assert "anythingllm.workspace?" in told(read(tmp_path, client={"anythingllm.workspaces": "x"}))
    assert "ANYTHINGLLM_API_KEY?" in told(read(tmp_path, folder="ANYTHINGLLM_KEY=x"))


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".env").write_bytes(b"SIDELIGHT_RETRIES=\xff")
    assert "cannot be read" in told(read(tmp_path))


def test_values_are_not_expanded(tmp_path: Path) -> None:
    settings = read(tmp_path, folder="ANYTHINGLLM_WORKSPACE_SLUG=${HOME}")
    assert settings.text("anythingllm.workspace") == "${HOME}"


def test_secrets_are_masked() -> None:
    by_name = {setting.name: setting for setting in SETTINGS}
    assert masked(by_name[KEY], "abc") == "***"
    assert masked(by_name["headers"], {"X": "abc"}) == "X: ***"
    assert masked(by_name[URL], "http://h") == "http://h"
