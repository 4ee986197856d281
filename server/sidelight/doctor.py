"""``sidelight doctor``: looks at configuration and connection, and says of each thing what is wrong and what to do.

Its output is safe to paste: no keys, no code, and the home folder written as ``~``.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from sidelight import __version__
from sidelight.core.answers import Answer, Finished, Text
from sidelight.core.assistant import Assistant
from sidelight.core.budget import Limits
from sidelight.core.context import Context
from sidelight.core.conversations import MemoryConversations
from sidelight.core.ports import Check, Choice, Provider
from sidelight.core.stopping import Stop
from sidelight.core.tasks import TASKS
from sidelight.errors import SidelightError
from sidelight.logs import masked_text
from sidelight.messages import Message, Translator, environment_language, msg
from sidelight.setting_table import SETTINGS
from sidelight.settings import DEFAULT, Settings, masked

_MARKS = {"ok": "✓", "failed": "✗", "note": "·"}
_QUESTION = "Reply with the single word: ready"


def examine(settings: Settings, choose: Callable[[Settings], Choice], logs: Path, write: Translator) -> int:
    """Print the report to stdout; returns 0 when nothing failed, 1 when a check failed, 2 for the configuration."""
    report = _Report(write)
    report.add(Check("ok", msg("Sidelight {version}, Python {python}, {system}", version=__version__,
                               python=platform.python_version(), system=platform.platform(terse=True))))  # fmt: skip
    report.add(Check("note", msg("Logs are in {path}", path=str(logs))))
    _configuration(settings, report)
    if settings.problems:
        report.worst = 2
    try:
        choice = choose(settings)
        provider = choice.provider
        report.add(Check("ok", msg("The provider is {name}: {why}.", name=provider.name, why=choice.why)))
        for check in provider.checks():
            report.add(check)
        _one_word(provider, report)
    except SidelightError as error:
        report.add(Check("failed", error.message, error.hint))
    return report.worst


class _Report:
    def __init__(self, write: Translator) -> None:
        self._write = write
        self.worst = 0

    def add(self, check: Check) -> None:
        self._print(f"{_MARKS[check.state]} {self._write(check.message)}")
        if check.hint:
            self._print(f"  → {self._write(check.hint)}")
        if check.state == "failed":
            self.worst = max(self.worst, 1)

    def line(self, message: Message) -> None:
        self._print(f"    {self._write(message)}")

    def _print(self, text: str) -> None:
        print(masked_text(text).replace(str(Path.home()), "~"))
        sys.stdout.flush()


def _configuration(settings: Settings, report: _Report) -> None:
    for problem in settings.problems:
        report.add(Check("failed", problem))
    said = [setting for setting in SETTINGS if settings.values[setting.name].origin is not DEFAULT]
    if not said:
        report.add(Check("note", msg("Nothing is configured; every setting has its default.")))
        return
    report.add(Check("ok", msg("Configuration:")))
    for setting in said:
        value = settings.values[setting.name]
        shown = masked(setting, value.value)
        report.line(msg("{name} = {value}, from {origin}", name=setting.environment, value=shown, origin=value.origin))


def _one_word(provider: Provider, report: _Report) -> None:
    """Ask for one word, and say how long the first of it took."""
    conversations = MemoryConversations()
    assistant = Assistant(lambda: provider, lambda: conversations, lambda: Limits(1000))
    question = assistant.question(TASKS["ask"], Context(instruction=_QUESTION, answer_language=environment_language()))
    answer, began, first_s = Answer(), monotonic(), 0.0
    for event in assistant.answer(question, Stop()):
        if isinstance(event, Text) and not first_s:
            first_s = monotonic() - began
        answer.add(event)
    finished = answer.finished or Finished("cut_off")
    if finished.error is not None:
        report.add(Check("failed", finished.error.message, finished.error.hint))
        return
    word = " ".join(answer.text.split())[:40]
    report.add(Check("ok", msg("An answer came: “{word}”, its first piece after {seconds} s.",
                               word=word, seconds=f"{first_s:.2f}")))  # fmt: skip
