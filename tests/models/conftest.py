"""Factories of real model servers; each server has ended when its test has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

from models import tools
from models.servers import LlamaServer, ModelServer, TransformersServe

_Server = TypeVar("_Server", bound=ModelServer)


@pytest.fixture
def llama_server(tmp_path: Path) -> Iterator[Callable[..., LlamaServer]]:
    """Starts llama.cpp's server with the arguments of `LlamaServer`; it is ready, or says that it loads if held."""
    _need(tools.LLAMA_SERVER)
    yield from _factory(LlamaServer, tmp_path)


@pytest.fixture
def transformers_serve(tmp_path: Path) -> Iterator[Callable[..., TransformersServe]]:
    """Starts `transformers serve` with the arguments of `TransformersServe`; it is ready."""
    _need(tools.TRANSFORMERS)
    yield from _factory(TransformersServe, tmp_path)


def _need(tool: tools.Tool) -> None:
    if not tool.path.exists():
        (pytest.fail if tools.REQUIRED else pytest.skip)(tool.why_missing())


def _factory(kind: type[_Server], folder: Path) -> Iterator[Callable[..., _Server]]:
    numbers = count()

    def start(**arguments: Any) -> _Server:
        if arguments.get("held") and sys.platform != "linux":
            pytest.skip("holding a server back while it loads needs Linux")
        scratch = folder / f"{kind.__name__}-{next(numbers)}"
        scratch.mkdir()
        server = kind(scratch, **arguments)
        ending.callback(server.close)
        server.start()
        server.wait(503 if arguments.get("held") else 200)
        return server

    with ExitStack() as ending:
        yield start
