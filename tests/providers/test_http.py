from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import trustme

from sidelight.core.answers import AnswerEvent
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.anythingllm import AnythingLLMDecoder
from sidelight.providers.http import Call, Http, HttpOptions, is_loopback
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer

SECRET_HEADERS = {"Authorization": f"Bearer {fake.KEY}"}


def answer(server_url: str, stop: Stop, options: HttpOptions | None = None) -> Iterator[AnswerEvent]:
    call = Call("POST", f"{server_url}/api/v1/workspace/test1/stream-chat", SECRET_HEADERS, {"message": "hi"})
    http = Http(options or HttpOptions(connect_s=5, silence_s=30, retries=0))
    return http.answer(call, AnythingLLMDecoder(), stop, lambda reply: None)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[AnythingLLMServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = AnythingLLMServer(context)
    yield server
    server.close()


SILENCES = {
    "before headers": b"",
    "after headers": fake.STREAM_HEAD,
    "midstream": fake.STREAM_HEAD + fake.text_event("x"),
}


def stop_while_waiting(server: AnythingLLMServer, options: HttpOptions) -> tuple[float, float]:
    """Stop an answer that hangs; returns seconds until the upstream saw the close, and until the reader ended."""
    stop, ended = Stop(), threading.Event()
    outcome: list[BaseException] = []

    def read() -> None:
        try:
            list(answer(server.url, stop, options))
        except BaseException as error:
            outcome.append(error)
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    while not server.questions:
        ended.wait(0.01)
    ended.wait(0.2)
    asked_at = monotonic()
    stop.set()
    assert server.questions[0].closed.wait(5)
    assert ended.wait(5)
    assert isinstance(outcome[0], Stopped)
    return server.questions[0].closed_at - asked_at, monotonic() - asked_at


@pytest.mark.parametrize("phase", SILENCES)
def test_stop_reaches_a_silent_server(anythingllm: AnythingLLMServer, phase: str) -> None:
    anythingllm.always(lambda: iter([SILENCES[phase], fake.Pause(30)]))
    closed_s, ended_s = stop_while_waiting(anythingllm, HttpOptions(silence_s=30, retries=2))
    assert max(closed_s, ended_s) < 2


@pytest.mark.parametrize("phase", SILENCES)
def test_stop_reaches_a_silent_server_over_tls(secure: AnythingLLMServer, phase: str, ca_file: str) -> None:
    secure.always(lambda: iter([SILENCES[phase], fake.Pause(30)]))
    closed_s, ended_s = stop_while_waiting(secure, HttpOptions(silence_s=30, retries=2, ca_file=ca_file))
    assert max(closed_s, ended_s) < 2


def test_stop_ends_a_tls_handshake_that_hangs() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop, ended = Stop(), threading.Event()

    def read() -> None:
        with pytest.raises(Stopped):
            list(answer(f"https://127.0.0.1:{listener.getsockname()[1]}", stop))
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    connection, _ = listener.accept()
    assert connection.recv(1)  # the client's hello has come, and is not answered
    stop.set()
    assert ended.wait(3)
    connection.close()
    listener.close()


def test_stop_ends_the_wait_before_another_try(anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.reply(b"", "text/plain", "503 Busy", "Retry-After: 25\r\n"))
    stop = Stop()
    events = answer(anythingllm.url, stop, HttpOptions(retries=3))
    next(events)
    threading.Timer(0.1, stop.set).start()
    began = monotonic()
    with pytest.raises(Stopped):
        list(events)
    assert monotonic() - began < 5


def test_a_stop_before_the_start_sends_nothing(anythingllm: AnythingLLMServer) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises((Stopped, ProviderError)):
        list(answer(anythingllm.url, stop))
    assert not anythingllm.questions


def test_an_unknown_certificate_is_told_with_the_setting(secure: AnythingLLMServer) -> None:
    with pytest.raises(ProviderError) as caught:
        list(answer(secure.url, Stop()))
    assert "SIDELIGHT_CA_FILE" in str(caught.value.hint)
    assert not secure.questions


def test_a_private_authority_is_trusted_by_setting(secure: AnythingLLMServer, ca_file: str) -> None:
    assert list(answer(secure.url, Stop(), HttpOptions(ca_file=ca_file)))


def test_a_private_authority_is_trusted_by_the_usual_variable(
    secure: AnythingLLMServer, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    assert list(answer(secure.url, Stop()))


def test_a_missing_certificate_file_is_told(anythingllm: AnythingLLMServer) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        list(answer(anythingllm.url.replace("http:", "https:"), Stop(), HttpOptions(ca_file="nowhere.pem")))


def test_loopback_is_never_proxied(anythingllm: AnythingLLMServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert list(answer(anythingllm.url, Stop()))


def test_the_users_proxy_is_used_for_other_hosts(
    anythingllm: AnythingLLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", anythingllm.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert list(answer("http://anythingllm.example:3001", Stop()))
    assert anythingllm.seen[0].path == "http://anythingllm.example:3001/api/v1/workspace/test1/stream-chat"


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", ".example")
    assert Http(HttpOptions()).proxy_for("http://a.example/x") is None
    assert Http(HttpOptions()).proxy_for("http://a.test/x") == "http://127.0.0.1:9"


def test_netrc_does_not_replace_the_key(
    anythingllm: AnythingLLMServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password evil\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    list(answer(anythingllm.url, Stop()))
    assert anythingllm.questions[0].headers["authorization"] == SECRET_HEADERS["Authorization"]


def test_extra_headers_go_with_every_request(anythingllm: AnythingLLMServer) -> None:
    http = Http(HttpOptions(headers={"X-Team": "docs"}))
    http.fetch(Call("GET", f"{anythingllm.url}/api/ping"))
    assert anythingllm.seen[0].headers["x-team"] == "docs"


def test_refused_connections_are_tried_again(anythingllm: AnythingLLMServer) -> None:
    port = anythingllm.port
    anythingllm.close()
    events = list(_until_error(answer(f"http://127.0.0.1:{port}", Stop(), HttpOptions(retries=1))))
    assert len(events) == 1


def _until_error(events: Iterator[AnswerEvent]) -> Iterator[AnswerEvent]:
    with pytest.raises(ProviderError):
        yield from events


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://localhost:1", True),
        ("http://a.localhost", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:3", True),
        ("http://192.168.0.1", False),
        ("http://localhost.example", False),
        ("http://0.0.0.0", True),
        ("http://127.1", True),
        ("http://localhost.", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("http://[::]", True),
        ("http://128.1", False),
    ],
)
def test_what_is_loopback(url: str, is_local: bool) -> None:
    assert is_loopback(url) is is_local
