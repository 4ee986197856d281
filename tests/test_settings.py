from __future__ import annotations

import logging
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from sidelight.setting_table import SETTINGS
from sidelight.settings import Settings, SettingsSource, file_layer, masked, origin_of

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


def test_a_key_that_was_entered_for_one_address_goes_to_no_other_of_the_users_either(tmp_path: Path) -> None:
    environment = {
        "ANYTHINGLLM_API_KEY": "secret",
        "SIDELIGHT_KEY_ORIGINS": '{"ANYTHINGLLM_API_KEY": "http://one.example:3001", "PATH": "x"}',
    }
    one = read(tmp_path, environment={**environment, "ANYTHINGLLM_BASE_URL": "http://one.example:3001/api"})
    assert one.bound(KEY, URL) == "secret"
    assert one.problems == ()
    two = read(tmp_path, environment={**environment, "ANYTHINGLLM_BASE_URL": "http://two.example:3001"})
    assert two.bound(KEY, URL) == ""
    assert two.is_withheld(KEY, URL)
    port = read(tmp_path, environment={**environment, "ANYTHINGLLM_BASE_URL": "http://one.example:3002"})
    assert port.bound(KEY, URL) == ""


def test_a_key_from_elsewhere_is_not_bound_to_the_address_for_which_another_was_entered(tmp_path: Path) -> None:
    environment = {"SIDELIGHT_KEY_ORIGINS": '{"ANYTHINGLLM_API_KEY": "http://one.example"}'}
    user = "ANYTHINGLLM_BASE_URL=http://two.example\nANYTHINGLLM_API_KEY=own"
    assert read(tmp_path, user=user, environment=environment).bound(KEY, URL) == "own"


@pytest.mark.parametrize("origins", ["", "{", "[]", "1", '{"ANYTHINGLLM_API_KEY": 1}', '{"x": null}'])
def test_origins_of_keys_that_make_no_sense_do_no_harm(tmp_path: Path, origins: str) -> None:
    environment = {"SIDELIGHT_KEY_ORIGINS": origins, "ANYTHINGLLM_BASE_URL": "http://one.example"}
    assert read(tmp_path, environment=environment).bound(KEY, URL) == ""


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
    assert masked(by_name["headers"], '{"X": "abc"}') == "***"
    assert masked(by_name[URL], "http://h") == "http://h"


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example\\@h",
        "http://h\\x",
        "http://h/a b",
        "http://h\u00a0x",
        "http://h\u200bx",
        "http://h\tx",
        "http://h/\x1b[0m",
        "http://@h",
        "http://h?",
        "http://h#",
        "http://[::1",
        "http://[x]",
        "http://h\u2100x",
        "http://h:0",
        "http://:80",
        "http:///path",
    ],
)
def test_an_address_that_can_be_read_two_ways_is_refused(tmp_path: Path, url: str) -> None:
    settings = read(tmp_path, client={"anythingllm.baseUrl": url})
    assert settings.text(URL) == ""
    assert "ANYTHINGLLM_BASE_URL" in told(settings)


@pytest.mark.parametrize("url", ["http://[::1]:3001/api", "https://bücher.example", "http://h/a@b", "HTTP://H"])
def test_unusual_addresses_that_are_clear_count(tmp_path: Path, url: str) -> None:
    settings = read(tmp_path, environment={"ANYTHINGLLM_BASE_URL": url})
    assert settings.text(URL) == url
    assert settings.problems == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hidden@h",
        "http://hidden@h",
        "http://h/?key=hidden",
        "http://h#hidden",
        "http://me:hid#hidden@h",
        "http://me:hidden\\@h",
        "http://me:hidden@[::1",
        "me:hidden@h",
    ],
)
def test_a_refused_address_does_not_show_its_password(tmp_path: Path, url: str) -> None:
    settings = read(tmp_path, environment={"ANYTHINGLLM_BASE_URL": url})
    assert settings.text(URL) == ""
    assert "ANYTHINGLLM_BASE_URL in the environment is ***; it must be" in told(settings)
    assert "hid" not in told(settings)


def test_what_a_folder_cannot_parse_does_not_take_the_rest_along(tmp_path: Path) -> None:
    settings = read(tmp_path, folder="ANYTHINGLLM_BASE_URL=http://[::1\nSIDELIGHT_RETRIES=7")
    assert settings.integer("retries") == 7
    assert "http://[::1;" in told(settings)


@pytest.mark.parametrize("url", ["http://[::1", "http://h\u2100x", "http://h:99999", "http://h:0"])
def test_an_address_that_is_none_has_an_origin_of_its_own(url: str) -> None:
    assert origin_of(url) == origin_of(url)
    assert origin_of(url) not in (origin_of(""), origin_of("http://h"), origin_of("http://h:x"))


# Files


def test_a_directory_called_env_is_no_layer(tmp_path: Path) -> None:
    (tmp_path / "project" / ".env").mkdir(parents=True)
    assert file_layer(tmp_path / "project" / ".env", "folder") is None
    assert read(tmp_path).problems == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.timeout(10)
@pytest.mark.parametrize("trusted", [True, False])
def test_a_fifo_does_not_block_and_is_told_where_it_would_count(tmp_path: Path, *, trusted: bool) -> None:
    (tmp_path / "project").mkdir()
    os.mkfifo(tmp_path / "project" / ".env")
    settings = read(tmp_path, trusted=trusted)
    assert ("not a regular file" in told(settings)) is trusted


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no such sockets")
def test_a_socket_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the address of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(".env")
        assert stat.S_ISSOCK((tmp_path / ".env").stat().st_mode)
        layer = file_layer(tmp_path / ".env", "user")
    assert layer is not None
    assert "not a regular file" in str(layer.problems[0])


def test_a_link_to_a_file_counts(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").write_text("SIDELIGHT_RETRIES=7")
    (tmp_path / "project" / ".env").symlink_to(tmp_path / "elsewhere")
    assert read(tmp_path).integer("retries") == 7


def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / ".env")
    layer = file_layer(tmp_path / ".env", "user")
    assert layer is not None
    assert "cannot be read" in str(layer.problems[0])


def test_a_path_that_is_none_is_told(tmp_path: Path) -> None:
    layer = file_layer(tmp_path / "a\0b", "user")
    assert layer is not None
    assert "cannot be read" in str(layer.problems[0])


@pytest.mark.parametrize(("more", "retries"), [(0, 7), (1, 2)])
def test_a_file_may_have_256_kib(tmp_path: Path, more: int, retries: int) -> None:
    line = "SIDELIGHT_RETRIES=7\n"
    settings = read(tmp_path, folder=line + "#" * (256 * 1024 - len(line) + more))
    assert settings.integer("retries") == retries
    assert ("more than 256 KiB" in told(settings)) is bool(more)


def test_a_mark_at_the_start_and_any_line_ends_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfSIDELIGHT_RETRIES=7\r\nSIDELIGHT_PROVIDER='bui\\'\r\n'\rA=b")
    layer = file_layer(tmp_path / ".env", "user")
    assert layer is not None
    assert layer.values == {"retries": "7", "provider": "bui'"}


def test_an_open_quote_is_told_with_its_line_and_the_rest_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = '# ours\n\n\nANYTHINGLLM_API_KEY="hidden\nSIDELIGHT_RETRIES=7'
    with caplog.at_level(logging.DEBUG):
        settings = read(tmp_path, folder=text)
    assert settings.integer("retries") == 7
    assert f"Line 4 of the file {tmp_path / 'project' / '.env'} " in told(settings)
    assert "hidden" not in told(settings)
    assert caplog.records == []


def test_an_open_quote_in_an_unrelated_file_is_nobodys_business(tmp_path: Path) -> None:
    assert read(tmp_path, folder='DATABASE_URL="x').problems == ()
    assert "Line 1 of" in told(read(tmp_path, user='DATABASE_URL="x'))


# Headers, keys and paths


@pytest.mark.parametrize(
    "headers",
    [
        {"X Team": "hidden"},
        {"": "hidden"},
        {"X:": "hidden"},
        {"Überschrift": "hidden"},
        {"X-Team\n": "hidden"},
        {"Authorization: Bearer hidden": ""},
        {"X-Team": "hidden\r\nX-More: 1"},
        {"X-Team": "hidden\n"},
        {"X-Team": "hid\0den"},
        {"X-Team": "hid\x7fden"},
        {"X-Team": "hid\tden"},
        {"X-Team": "hidden\u20ac"},
        {"X-Team": "hidden\udc80"},
        {"X-Team": 5, "Y": "hidden"},
        '{"X-Team": "hidden\u20ac"}',
        '{"X-Team": "hidden',
        "hidden",
        "[" * 100_000 + "hidden",
        ["hidden"],
    ],
)
def test_headers_that_cannot_be_sent_are_refused_and_not_shown(tmp_path: Path, headers: Any) -> None:
    settings = read(tmp_path, client={"headers": headers})
    assert settings.values["headers"].value == {}
    assert "SIDELIGHT_HEADERS" in told(settings)
    assert "hid" not in told(settings)


def test_headers_lose_the_space_around_their_values(tmp_path: Path) -> None:
    settings = read(tmp_path, environment={"SIDELIGHT_HEADERS": '{"X-Team_1!": " docs \u00e9\\t", "Empty": ""}'})
    assert settings.values["headers"].value == {"X-Team_1!": "docs é", "Empty": ""}


def test_the_clients_text_loses_the_space_around_it(tmp_path: Path) -> None:
    client = {"anythingllm": {"baseUrl": " http://h ", "apiKey": "key\n", "workspace": "  "}, "retries": " 5 "}
    settings = read(tmp_path, client=client, environment={"ANYTHINGLLM_WORKSPACE_SLUG": "w"})
    assert settings.text(URL) == "http://h"
    assert settings.text(KEY) == "key"
    assert settings.text("anythingllm.workspace") == "w"
    assert settings.integer("retries") == 5
    assert settings.problems == ()


def test_a_file_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for more in ({"client": {"caFile": "~/ca.pem"}}, {"environment": {"SIDELIGHT_CA_FILE": "~/ca.pem"}}):
        assert Path(read(tmp_path, **more).text("ca_file")) == tmp_path / "ca.pem"


def test_a_number_beyond_all_numbers_is_refused(tmp_path: Path) -> None:
    settings = read(tmp_path, client={"retries": 10**400})
    assert settings.integer("retries") == 2
    assert "SIDELIGHT_RETRIES" in told(settings)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"), ("0.0.0.0:1234", "http://127.0.0.1:1234"), (":8080", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:11434"), ("[::]:99", "http://[::1]:99"), ("0:0:0:0:0:0:0:0", "http://[::1]:11434"),
        ("localhost", "http://localhost:11434"), ("http://box", "http://box:80"), ("https://box/o", "https://box:443/o"),
        ("ollama.com", "https://ollama.com:443"), ("box:99999", "http://box:11434"), ("5", "http://5:11434"),
        ('"127.0.0.1"', "http://127.0.0.1:11434"),
    ],
)  # fmt: skip
def test_a_host_is_read_as_ollama_reads_it_and_asked_at_loopback_where_it_listens_everywhere(
    host: str, address: str
) -> None:
    assert SettingsSource({"OLLAMA_HOST": host}).read().text("ollama.host") == address


@pytest.mark.parametrize("host", ["http://user:secret@box", "my box", "box?x", "box#x"])
def test_a_host_that_is_none_is_left_out_and_named(host: str) -> None:
    settings = SettingsSource({"OLLAMA_HOST": host}).read()
    assert settings.text("ollama.host") == ""
    assert any("OLLAMA_HOST" in str(problem) for problem in settings.problems)
    assert all("secret" not in str(problem) for problem in settings.problems)
