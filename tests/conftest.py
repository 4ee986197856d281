"""What all tests share: a scratch home, a server that plays AnythingLLM, and an editor with a real language server."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import warm
from support.anythingllm import KEY, AnythingLLMServer
from support.editor import Editor


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a machine may have set about proxies and certificates."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of its own: configuration, caches and logs of a test stay in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the user works in."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """A process environment without anybody's settings or proxies."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START") if name in os.environ}
    xdg = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE", "DATA")}
    return {**kept, **xdg, "HOME": str(home), "USERPROFILE": str(home), "LANG": "C.UTF-8", "SIDELIGHT_TEST_PORTS": ""}


@pytest.fixture
def anythingllm() -> Iterator[AnythingLLMServer]:
    """A server that plays AnythingLLM."""
    server = AnythingLLMServer()
    yield server
    server.close()


@pytest.fixture
def connected(environment: dict[str, str], anythingllm: AnythingLLMServer) -> dict[str, str]:
    """The environment of a user who has connected AnythingLLM."""
    return {
        **environment,
        "ANYTHINGLLM_BASE_URL": anythingllm.url,
        "ANYTHINGLLM_API_KEY": KEY,
        "ANYTHINGLLM_WORKSPACE_SLUG": "test1",
    }


@pytest.fixture
def is_warm() -> bool:
    """Whether servers are forked from a process that has imported everything."""
    return warm.IS_POSSIBLE


@pytest.fixture
def start_editor(folder: Path, is_warm: bool) -> Iterator[Callable[[dict[str, str]], Editor]]:
    """Starts editors; whatever a test does to them, their servers have ended after it."""
    started: list[Editor] = []

    def start(environment: dict[str, str]) -> Editor:
        started.append(Editor(environment, folder, process=warm.start(environment, folder) if is_warm else None))
        return started[-1]

    yield start
    for editor in started:
        editor.close()


@pytest.fixture
def editor(start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str]) -> Editor:
    """An editor whose server is connected to AnythingLLM, after ``initialize``."""
    editor = start_editor(connected)
    editor.initialize()
    return editor


@pytest.fixture
def plain_editor(start_editor: Callable[[dict[str, str]], Editor], environment: dict[str, str]) -> Editor:
    """An editor whose server has no model, after ``initialize``."""
    editor = start_editor(environment)
    editor.initialize()
    return editor


SIDELIGHT = [sys.executable, "-I", str(Path(__file__).resolve().parents[1] / "server")]
