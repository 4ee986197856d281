"""What users read: templates with values, put into a language only where they are shown.

Nothing below the rim turns a message into text for a user; it passes ``Message`` values upwards.
The catalogues live in ``locale/`` (gettext); see CONTRIBUTING.md for how to add a sentence or a language.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh_CN")


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for the user: an English template with ``{named}`` places, and their values.

    A value may itself be a ``Message``. ``str(message)`` is the English text.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return _fill(self, str, lambda template: template)


Translator = Callable[[Message], str]


def msg(template: str, **values: Any) -> Message:
    """Make a message. The template must be a literal: the catalogues are extracted from these calls."""
    return Message(template, values)


def plain(text: str) -> Message:
    """Wrap text that is nobody's to translate: a server's own words, a name, a path."""
    return Message("{text}", {"text": text})


def translator(language: str) -> Translator:
    """Return what writes messages in ``language``: a locale such as ``zh-cn``; unknown ones give English."""
    code = match_language(language)
    if code == "en":
        return str
    catalogue = gettext.translation("sidelight", Path(__file__).parent / "locale", [code], fallback=True)

    def translate(message: Message) -> str:
        return _fill(message, translate, catalogue.gettext)

    return translate


def match_language(locale: str) -> str:
    """Return the catalogue for a locale as editors and environments write it: ``zh-cn``, ``zh_CN.UTF-8``, ``de``."""
    return "zh_CN" if locale.lower().startswith("zh") else "en"


def environment_language() -> str:
    """Return the locale that the process environment asks for, by the rules of POSIX."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value
    return "en"


def _fill(message: Message, translate: Translator, look_up: Callable[[str], str]) -> str:
    values = {name: translate(value) if isinstance(value, Message) else value for name, value in message.values.items()}
    # The empty template is the catalogue's header entry, never a sentence.
    template = look_up(message.template) if message.template else ""
    return template.format_map(values)
