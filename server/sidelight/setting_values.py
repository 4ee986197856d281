"""What a setting is, and what its values may be: from what users write to the type that the code reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from sidelight.messages import Message, msg

Kind = Literal["text", "url", "number", "integer", "flag", "choice", "headers"]
Owner = Literal["user", "folder"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: our name, the environment variable, the key in the client's settings, and what it may be.

    ``scope`` is ``user`` for what only the user may set, ``folder`` for what a trusted folder's ``.env`` may set too.
    """

    name: str
    environment: str
    client: str
    kind: Kind
    default: Any
    about: Message
    scope: Owner = "folder"
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: float = 0


class WrongValueError(Exception):
    """A value that a setting cannot have; ``expected`` says what it must be."""

    def __init__(self, expected: Message) -> None:
        super().__init__(expected)
        self.expected = expected


def parse(setting: Setting, value: Any) -> Any:
    """Return the value in the setting's type; raises ``WrongValueError``."""
    return _PARSERS[setting.kind](setting, value)


def _parse_number(setting: Setting, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not setting.minimum <= number < float("inf"):
        raise WrongValueError(msg("a number, at least {minimum}", minimum=f"{setting.minimum:g}"))
    return number


def _parse_integer(setting: Setting, value: Any) -> int:
    number = _parse_number(setting, value)
    if number != int(number):
        raise WrongValueError(msg("a whole number"))
    return int(number)


def _parse_flag(_setting: Setting, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return words[str(value).lower()]
    except KeyError:
        raise WrongValueError(msg("1 or 0")) from None


def _parse_choice(setting: Setting, value: Any) -> str:
    if value not in setting.choices:
        raise WrongValueError(msg("one of {choices}", choices=", ".join(setting.choices)))
    return str(value)


def _parse_text(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or any(character in value for character in "\r\n\0"):
        raise WrongValueError(msg("text on one line"))
    return value


def _parse_url(setting: Setting, value: Any) -> str:
    parts = urlsplit(_parse_text(setting, value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongValueError(msg("an address such as http://localhost:3001"))
    try:
        parts.port  # noqa: B018 - a property that raises for a port that is not one
    except ValueError:
        raise WrongValueError(msg("an address with a port from 1 to 65535")) from None
    return str(value).rstrip("/")


def _parse_headers(_setting: Setting, value: Any) -> dict[str, str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise WrongValueError(msg("a JSON object such as {example}", example='{"X-Team": "docs"}'))
    if any(character in name + text for name, text in value.items() for character in "\r\n"):
        raise WrongValueError(msg("headers on one line each"))
    return dict(value)


_PARSERS: dict[Kind, Callable[[Setting, Any], Any]] = {
    "text": _parse_text,
    "url": _parse_url,
    "number": _parse_number,
    "integer": _parse_integer,
    "flag": _parse_flag,
    "choice": _parse_choice,
    "headers": _parse_headers,
}
