from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest
import requests
import urllib3

from sidelight.errors import ProviderError
from sidelight.providers.http import Call, Http, HttpOptions
from sidelight.providers.http_errors import silence, translated


def told(error: Exception, url: str = "http://h:3001/api") -> ProviderError:
    with pytest.raises(ProviderError) as caught, translated(url):
        raise error
    return caught.value


def ask(
    url: str, headers: dict[str, str] | None = None, *, connect_s: float = 5, silence_s: float = 30
) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        Http(HttpOptions(connect_s, silence_s, retries=0)).fetch(Call("POST", url, headers or {}))
    return caught.value


@pytest.fixture
def mute() -> Iterator[str]:
    """Listens, and never says a word; its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "hidden\r\nY: z"},
        {"X": "hidden\n"},
        {"X": " hidden"},
        {"X": "hidden\u20ac"},
        {"X": "hidden\udc80"},
        {"X \u20ac": "hidden"},
        {"hidden:": "x"},
    ],
)
def test_a_header_that_cannot_be_sent_is_told_and_not_shown(mute: str, headers: dict[str, str]) -> None:
    error = ask(f"http://{mute}/", headers, silence_s=0.2)
    assert str(error.message) == "A header cannot be sent."
    assert "SIDELIGHT_HEADERS" in str(error.hint)
    assert "hidden" not in str(error)
    assert error.kind == "other"
    assert error.__suppress_context__  # a traceback would show the value


@pytest.mark.parametrize("value", ["hidden\nY", "hidden\u20ac"])
def test_what_the_lower_layers_say_of_headers_is_not_shown(value: str) -> None:
    connection = http.client.HTTPConnection("h")
    connection.putrequest("GET", "/")
    with pytest.raises(ValueError, match=r"Invalid header|codec") as caught:
        connection.putheader("X", value)
    assert str(told(caught.value).message) == "A header cannot be sent."
    assert "hidden" not in str(told(caught.value))


def test_other_value_errors_are_ours_and_pass() -> None:
    with pytest.raises(ValueError, match="a defect"), translated("http://h"):
        raise ValueError("a defect")


def test_a_tls_handshake_that_hangs_is_a_connection_timeout(mute: str) -> None:
    error = ask(f"https://{mute}/", connect_s=0.2)
    assert str(error.message) == f"{mute} did not accept a connection in time."
    assert "SIDELIGHT_CONNECT_TIMEOUT" in str(error.hint)
    assert error.kind == "network"


@pytest.mark.parametrize("kind", [requests.exceptions.ReadTimeout, requests.exceptions.SSLError])
def test_a_handshake_timeout_is_known_in_any_wrapping(kind: type[Exception]) -> None:
    error = kind(urllib3.exceptions.SSLError("_ssl.c:989: The handshake operation timed out"))
    assert "SIDELIGHT_CONNECT_TIMEOUT" in str(told(error))


def test_the_handshake_of_an_earlier_try_says_nothing_of_this_one() -> None:
    earlier = told(TimeoutError("_ssl.c:989: The handshake operation timed out"))
    now = requests.exceptions.ReadTimeout("Read timed out.")
    now.__context__ = earlier
    assert "SIDELIGHT_SILENCE_TIMEOUT" in str(told(now))


def test_a_connect_timeout_is_a_connection_timeout() -> None:
    assert "SIDELIGHT_CONNECT_TIMEOUT" in str(told(requests.exceptions.ConnectTimeout("slow")))


def test_a_server_that_says_nothing_is_silence(mute: str) -> None:
    error = ask(f"http://{mute}/", silence_s=0.2)
    assert "SIDELIGHT_SILENCE_TIMEOUT" in str(error.hint)
    assert error.kind == "cut_off"


URL = "http://me:hidden@h:3001/api?key=hidden"
ERRORS = [
    requests.exceptions.ReadTimeout(),
    requests.exceptions.ConnectTimeout(),
    requests.exceptions.ConnectionError(f"Failed: {URL}"),
    requests.exceptions.SSLError("bad certificate"),
    requests.exceptions.ProxyError("Failed to parse http://me:hidden hidden@proxy:1"),
    requests.exceptions.InvalidURL(f"Failed to parse: {URL}"),
    ConnectionResetError(104, "Connection reset by peer"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("started", [True, False])
def test_a_message_names_host_and_port_and_nothing_secret(error: Exception, *, started: bool) -> None:
    with pytest.raises(ProviderError) as caught, translated(URL, started=started):
        raise error
    assert "h:3001" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "hidden" not in str(silence(URL))


def test_an_address_that_is_none_still_gives_a_message() -> None:
    assert "cannot be reached" in str(told(requests.exceptions.InvalidURL("bad"), "http://[::1"))
    assert "NO_PROXY" in str(told(requests.exceptions.ProxyError("bad"), "http://[::1"))
