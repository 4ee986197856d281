"""Where a model falls silent, the answer says so itself, until more comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sidelight.core.answers import Answer, AnswerEvent, Finished, Status, Text
from sidelight.lsp import jobs
from sidelight.lsp.client import Client, Progress
from sidelight.lsp.jobs import Job
from sidelight.messages import msg

Emit = Callable[[AnswerEvent], None]


class Told:
    """A delivery that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def receive(self, event: AnswerEvent) -> None:
        if isinstance(event, (Status, Text)):
            self.lines.append(str(event.message if isinstance(event, Status) else event.text))

    async def finish(self, _answer: Answer) -> None:
        pass


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_SILENCE_TO_TELL_S", 0.2)
    monkeypatch.setattr(jobs, "_TELL_EVERY_S", 0.01)


def told(script: Callable[[Emit, Told], Any]) -> list[str]:
    """Run a job whose answer is the script's; returns all that its delivery was told."""

    async def run() -> list[str]:
        client = cast("Client", SimpleNamespace(write=str))
        job, delivery = Job("ask", client, Progress(client, None, is_ours=False)), Told()
        tasks = []

        def ask(_stop: object, emit: Emit) -> None:
            tasks.append(asyncio.ensure_future(script(emit, delivery)))

        await asyncio.wait_for(job.run(ask, delivery, "Ask", is_edit=False), 20)
        await tasks[0]
        return delivery.lines

    return asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


def test_silence_is_told_and_taken_back_when_more_comes() -> None:
    async def script(emit: Emit, seen: Told) -> None:
        emit(Status(msg("asking {workspace}", workspace="docs")))
        emit(Text("one"))
        await until(lambda: any("still waiting" in line for line in seen.lines))
        emit(Text("two"))
        emit(Finished("complete"))

    lines = told(script)
    silent = [line for line in lines if "still waiting" in line]
    assert silent == list(dict.fromkeys(silent))
    assert lines == ["asking docs", "one", *silent, "asking docs", "two"]


def test_what_a_status_says_of_silence_is_told_then() -> None:
    async def script(emit: Emit, seen: Told) -> None:
        emit(Status(msg("asking"), if_silent=msg("loading the model")))
        await until(lambda: any("loading the model" in line for line in seen.lines))
        emit(Finished("complete"))

    assert "loading the model" in told(script)[1]
