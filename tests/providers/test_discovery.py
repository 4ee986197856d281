"""Model servers on this machine are recognised by what they answer, quickly, and nobody else is asked anything."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import Any

import pytest

from sidelight.providers import discovery
from sidelight.providers.discovery import Found, discover

Serve = Callable[..., int]
PROBE_S = 0.5


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a busy machine more than a blink for its answers."""
    monkeypatch.setattr(discovery, "PROBE_S", PROBE_S)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that answer the paths given, and 404 to everything else; returns the port."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(answers: dict[str, Any], silent: threading.Event | None = None) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if silent is not None:
                    silent.wait(5)
                body = answers.get(self.path)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # whoever asked a silent one has gone
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return server.server_address[1]

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


OLLAMA = {"/api/tags": {"models": []}, "/v1/models": {"object": "list", "data": []}}
OPENAI = {"/v1/models": {"object": "list", "data": [{"id": "m"}]}}
ANYTHINGLLM = {"/api/ping": {"online": True}}


@pytest.mark.parametrize(
    ("answers", "provider", "ending"),
    [(OLLAMA, "ollama", ""), (OPENAI, "openai", "/v1"), (ANYTHINGLLM, "anythingllm", "")],
)
def test_a_server_is_recognised_by_its_json(serve: Serve, answers: Any, provider: Any, ending: str) -> None:
    port = serve(answers)
    assert discover(ports=[port]) == [Found(provider, f"http://127.0.0.1:{port}{ending}")]


@pytest.mark.parametrize(
    "answers", [{}, {"/v1/models": b"<html>"}, {"/api/tags": [1]}, {"/api/ping": {"online": False}}]
)
def test_another_program_on_such_a_port_is_left_alone(serve: Serve, answers: Any) -> None:
    assert discover(ports=[serve(answers)]) == []


def test_all_are_asked_at_once_and_a_silent_one_holds_up_nobody(serve: Serve) -> None:
    silent = threading.Event()
    ports = [serve({}, silent) for _ in range(4)] + [serve(OPENAI)]
    discover(ports=[ports[-1]])  # loads the HTTP library, which is not part of the time that is allowed
    began = monotonic()
    found = discover(ports=ports)
    took = monotonic() - began
    silent.set()
    assert [it.provider for it in found] == ["openai"]
    assert took < 6 * PROBE_S  # one after the other they would take 4 x 3 times it


def test_the_order_is_that_of_the_ports(serve: Serve) -> None:
    first, second = serve(OPENAI), serve(OLLAMA)
    assert [it.provider for it in discover(ports=[first, second])] == ["openai", "ollama"]
    assert [it.provider for it in discover(ports=[second, first])] == ["ollama", "openai"]


def test_a_known_server_that_is_too_busy_to_answer_is_still_there(serve: Serve) -> None:
    silent = threading.Event()
    port = serve(OPENAI, silent)
    known = Found("openai", f"http://127.0.0.1:{port}/v1")
    assert discover([known], [port]) == [known]
    assert discover([], [port]) == []
    silent.set()


def test_a_server_that_sends_byte_by_byte_holds_nobody_up() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=drop, args=(connection,), daemon=True).start()

    def drop(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while True:
                connection.sendall(b"H")
                sleep(0.05)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    began = monotonic()
    assert discover(ports=[listener.getsockname()[1]]) == []
    assert monotonic() - began < 8 * PROBE_S
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_wrong_certificate_file_does_not_matter_on_this_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert [it.provider for it in discover(ports=[serve(OPENAI)])] == ["openai"]
