"""Looks at configuration and connection, and says of each thing what is wrong and what to do.

``Examination`` makes the checks, for any client; ``examine`` prints them for ``sidelight doctor``. What is shown is
safe to paste (``logs.shareable_text``): no keys, no code, and the home folder written as ``~``.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Literal

from sidelight import __version__, surroundings
from sidelight.choices import ADDRESS_SETTING
from sidelight.connecting import in_a_hurry
from sidelight.core.answers import Answer, Finished, Text
from sidelight.core.assistant import Assistant
from sidelight.core.budget import Limits
from sidelight.core.context import Context
from sidelight.core.conversations import MemoryConversations
from sidelight.core.own_tasks import OwnTasks
from sidelight.core.ports import Check, Choice, Examined, Knowledge, Probing, Provider, Wishes
from sidelight.core.stopping import Stop
from sidelight.core.tasks import TASKS
from sidelight.errors import SidelightError
from sidelight.logs import shareable_text
from sidelight.messages import Message, Translator, environment_language, msg
from sidelight.own_tasks import TaskFolders
from sidelight.providers.http import is_loopback
from sidelight.setting_table import SETTINGS
from sidelight.settings import DEFAULT, Settings, masked

_MARKS = {"ok": "✓", "failed": "✗", "note": "·"}
_QUESTION = "Reply with the single word: ready"

Choose = Callable[[Settings, Stop], Choice]
LookedUp = Callable[[Settings], Knowledge | None]
"""Returns where the settings want questions to be looked up before a provider answers them."""


def examine(
    settings: Settings,
    choose: Choose,
    logs: Path,
    write: Translator,
    *,
    tasks: TaskFolders | None = None,
    knowledge: LookedUp | None = None,
) -> int:
    """Print the report to stdout; returns 0 when nothing failed, 1 when a check failed, 2 for the configuration."""
    wishes = Wishes(language=environment_language())
    examination = Examination(settings, choose, logs, wishes, tasks=tasks, knowledge=knowledge)
    for check in examination.checks():
        _print(f"{_MARKS[check.state]} {write(check.message)}")
        if check.hint:
            _print(f"  → {write(check.hint)}")
        for line in check.details:
            _print(f"    {write(line)}")
    return 2 if settings.problems else 1 if examination.state == "failed" else 0


def examined(
    settings: Settings,
    wishes: Wishes,
    choose: Choose,
    logs: Path,
    stop: Stop,
    *,
    tasks: TaskFolders | None = None,
    knowledge: LookedUp | None = None,
) -> Examined:
    """Return the whole report, for somebody who waits for it. Blocks; raises ``Stopped``."""

    def hurried(said: Settings, stop: Stop) -> Choice:
        return choose(in_a_hurry(said), stop)

    def in_a_hurry_too(said: Settings) -> Knowledge | None:
        return knowledge(in_a_hurry(said)) if knowledge else None

    examination = Examination(settings, hurried, logs, wishes, stop, tasks=tasks, knowledge=in_a_hurry_too)
    checks = tuple(examination.checks())
    return Examined(examination.state, examination.summary, checks)


def _print(text: str) -> None:
    print(shareable_text(text))
    sys.stdout.flush()


class Examination:
    """One look at everything. ``state`` and ``summary`` hold once all ``checks`` have been taken."""

    def __init__(
        self,
        settings: Settings,
        choose: Choose,
        logs: Path,
        wishes: Wishes,
        stop: Stop | None = None,
        *,
        tasks: TaskFolders | None = None,
        knowledge: LookedUp | None = None,
    ) -> None:
        self._settings = settings
        self._choose = choose
        self._logs = logs
        self._wishes = wishes
        self._stop = stop or Stop()
        self._provider: Provider | None = None
        self._failed: list[Check] = []
        self._tasks = tasks
        self._knowledge = knowledge
        self._wrong = list(settings.problems)  # what does not keep anything else from working

    def checks(self) -> Iterator[Check]:
        """Yield the checks, each as soon as it is made. Blocks; raises ``Stopped``."""
        for check in self._steps():
            if check.state == "failed":
                self._failed.append(check)
            yield check

    @property
    def state(self) -> Literal["ok", "warning", "failed"]:
        """``warning``: it works, but a setting is wrong, or no model is connected."""
        if any(check.message not in self._wrong for check in self._failed):
            return "failed"
        return "warning" if self._failed or self._is_builtin else "ok"

    @property
    def summary(self) -> Message:
        """All of it in one sentence: who answers, or the first thing that failed."""
        if self._failed:
            return self._failed[0].message
        if self._is_builtin:
            return msg("No model is connected; the built-in provider answers.")
        assert self._provider is not None
        name = " · ".join(part for part in (self._provider.name, self._provider.model) if part)
        return msg("{name} answers", name=name) if self._wishes.asks else msg("{name} is connected", name=name)

    def _own_tasks(self) -> Iterator[Check]:
        own = self._tasks.read() if self._tasks else OwnTasks()
        for problem in own.problems:
            self._wrong.append(problem.told)
            yield Check("failed", problem.told)
        if own.tasks:
            yield Check("ok", msg("Tasks of your own: {names}", names=", ".join(own.tasks)))

    def _asked(self, provider: Provider) -> Iterator[Check]:
        word = _one_word(provider, self._wishes.language, self._stop)
        yield word
        if word.state == "ok" and isinstance(provider, Probing):
            yield from provider.probe(self._stop)

    @property
    def _is_builtin(self) -> bool:
        return self._provider is not None and self._provider.name == "builtin"

    def _steps(self) -> Iterator[Check]:
        about = msg("Sidelight {version}, Python {python}, {system}", version=__version__,
                    python=platform.python_version(), system=platform.platform(terse=True))  # fmt: skip
        yield Check("ok", about)
        yield Check("note", msg("Logs are in {path}", path=str(self._logs)))
        yield from _where(self._settings, self._wishes.remote)
        yield from _configuration(self._settings)
        yield from self._own_tasks()
        try:
            choice = self._choose(self._settings, self._stop)
            self._provider = choice.provider
            yield Check("ok", msg("The provider is {name}: {why}.", name=choice.provider.name, why=choice.why))
            yield from choice.provider.checks()
            if self._wishes.asks:
                yield from self._asked(choice.provider)
        except SidelightError as error:
            yield Check("failed", error.message, error.hint)
        yield from self._looked_up()

    def _looked_up(self) -> Iterator[Check]:
        """Look something up as a question would be: that needs the server, the key, the workspace and its embedder."""
        if self._knowledge is None or (self._provider is not None and self._provider.name == "anythingllm"):
            return
        try:
            base = self._knowledge(self._settings)
            if base is None:
                return
            base.search(_QUESTION, self._stop)
        except SidelightError as error:
            told = msg("Questions are not looked up in the knowledge base: {reason}", reason=error.message)
            yield Check("note", told, error.hint)
        else:
            yield Check("ok", msg("Questions are looked up in the knowledge base at {host}.", host=base.place))


def _where(settings: Settings, remote: str | None) -> Iterator[Check]:
    """Say what localhost means where this process runs, and which addresses that concerns."""
    found = surroundings.find(remote)
    if found is None:
        return
    by_name = {setting.name: setting for setting in SETTINGS}
    concerned = []
    for provider, name in ADDRESS_SETTING.items():
        address, setting = _address(settings, provider), by_name[name]
        if is_loopback(address):
            concerned.append(msg("{name} = {value}", name=setting.environment, value=masked(setting, address)))
    yield Check("note", found.message, found.hint, tuple(concerned))


def _address(settings: Settings, provider: str) -> str:
    """Return where a provider is asked; of one that is neither named nor has an address set, nothing."""
    address = settings.text(ADDRESS_SETTING[provider])
    if address or settings.text("provider") != provider:
        return address
    return str(import_module(f"sidelight.providers.{provider}").DEFAULT_ADDRESS)


def _configuration(settings: Settings) -> Iterator[Check]:
    for problem in settings.problems:
        yield Check("failed", problem)
    said = [setting for setting in SETTINGS if settings.values[setting.name].origin is not DEFAULT]
    if not said:
        yield Check("note", msg("Nothing is configured; every setting has its default."))
        return
    lines = []
    for setting in said:
        value = settings.values[setting.name]
        shown = masked(setting, value.value)
        lines.append(msg("{name} = {value}, from {origin}", name=setting.environment, value=shown, origin=value.origin))
    yield Check("ok", msg("Configuration:"), details=tuple(lines))


def _one_word(provider: Provider, language: str, stop: Stop) -> Check:
    """Ask for one word, and say how long the first of it took."""
    conversations = MemoryConversations()
    assistant = Assistant(lambda: provider, lambda: conversations, lambda: Limits(1000))
    question = assistant.question(TASKS["ask"], Context(instruction=_QUESTION, answer_language=language))
    answer, began, first_s = Answer(), monotonic(), 0.0
    for event in assistant.answer(question, stop):
        if isinstance(event, Text) and not first_s:
            first_s = monotonic() - began
        answer.add(event)
    finished = answer.finished or Finished("cut_off")
    if finished.error is not None:
        return Check("failed", finished.error.message, finished.error.hint)
    word = " ".join(answer.text.split())[:40]
    return Check("ok", msg("An answer came: “{word}”, its first piece after {seconds} s.",
                           word=word, seconds=f"{first_s:.2f}"))  # fmt: skip
