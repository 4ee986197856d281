"""What a setting is, and what its values may be: from what users write to the type that the code reads."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from sidelight.messages import Message, msg

Kind = Literal[
    "text", "prose", "file", "url", "host", "number", "optional_number", "integer", "flag", "choice", "headers",
    "object",
]  # fmt: skip
# found: an address on this machine where a model server was found that nobody had configured.
Owner = Literal["user", "folder", "found"]

_OLLAMA_PORT = 11434

# RFC 9110, section 5.6.2: what a header's name may be; and the part of section 5.5 that every proxy lets through.
_HEADER_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_HEADER_TEXT = r"[\x20-\x7e\xa0-\xff]*"


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


def may_hold_password(address: str) -> bool:
    """Whether an address has anything in it that may: before an @, or in a query."""
    return any(sign in address for sign in "@?#")


def parse(setting: Setting, value: Any) -> Any:
    """Return the value in the setting's type; raises ``WrongValueError``."""
    return _PARSERS[setting.kind](setting, value)


def _parse_number(setting: Setting, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
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
        raise WrongValueError(msg("one of {choices}", choices=", ".join(choice or "''" for choice in setting.choices)))
    return str(value)


def _parse_text(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or any(character in value for character in "\r\n\0"):
        raise WrongValueError(msg("text on one line"))
    return value


def _parse_prose(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise WrongValueError(msg("text"))
    return value


def _parse_file(setting: Setting, value: Any) -> str:
    return os.path.expanduser(_parse_text(setting, value))


def _parse_url(setting: Setting, value: Any) -> str:
    """Take only addresses that everybody reads alike: keys are bound to the host that we read here."""
    text = _parse_text(setting, value)
    if any(character in "\\ " or not character.isprintable() for character in text):
        raise WrongValueError(msg("an address without spaces, backslashes and control characters"))
    parts = _split_url(text)
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise WrongValueError(msg("an address without user name, password, query (?) and fragment (#)"))
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise WrongValueError(msg("an address with a port from 1 to 65535"))
    return text.rstrip("/")


def _parse_host(setting: Setting, value: Any) -> str:
    """Read a host as Ollama does (https://github.com/ollama/ollama, envconfig.Host, read August 2026).

    ``0.0.0.0`` and its like are where a server listens, on every address; who asks it, asks at loopback.
    """
    text = _parse_text(setting, value).strip("\"' ")
    if any(sign in text for sign in "@?#"):
        raise WrongValueError(msg("an address without user name, password, query (?) and fragment (#)"))
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = ("https", text) if text == "ollama.com" else ("http", text)
    host, slash, path = rest.partition("/")
    default_port = {"https": 443, "http": 80}.get(scheme, _OLLAMA_PORT)
    if not separator and scheme == "http":
        default_port = _OLLAMA_PORT
    name, port = _host_and_port(host)
    number = int(port) if port.isdigit() and 0 < int(port) < 65536 else default_port
    return _parse_url(setting, f"{scheme}://{_asked_at(name)}:{number}{slash}{path}")


def _host_and_port(host: str) -> tuple[str, str]:
    """Split as Go's ``net.SplitHostPort``; an IPv6 address without brackets is a host without a port."""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        return name, port.lstrip(":")
    if host.count(":") > 1:
        return host, ""
    name, _, port = host.partition(":")
    return name, port


def _asked_at(name: str) -> str:
    """Return the host to ask for one to listen at, IPv6 in brackets."""
    if not name:
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    if address.version == 4:
        return "127.0.0.1" if address.is_unspecified else name
    return "[::1]" if address.is_unspecified else f"[{name}]"


def _split_url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        if "[" in parts.netloc:
            ipaddress.IPv6Address(parts.hostname or "")  # Python 3.10 does not look
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts
    except ValueError:  # brackets without an IPv6 address, or characters that NFKC turns into delimiters
        pass
    raise WrongValueError(msg("an address such as http://localhost:3001"))


def _parse_optional_number(setting: Setting, value: Any) -> float | str:
    return "" if value == "" else _parse_number(setting, value)


def _parse_object(_setting: Setting, value: Any) -> dict[str, Any]:
    value = _from_json(value)
    if not isinstance(value, Mapping):
        raise WrongValueError(msg("a JSON object such as {example}", example='{"top_p": 0.9}'))
    return dict(value)


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _parse_headers(_setting: Setting, value: Any) -> dict[str, str]:
    value = _from_json(value)
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise WrongValueError(msg("a JSON object such as {example}", example='{"X-Team": "docs"}'))
    headers = {name: text.strip(" \t") for name, text in value.items()}
    if not all(is_header_name(name) and re.fullmatch(_HEADER_TEXT, text) for name, text in headers.items()):
        raise WrongValueError(
            msg("headers with names of letters, digits and signs such as -, and values of printable Latin-1 characters")
        )
    return headers


def is_header_name(name: Any) -> bool:
    """Whether HTTP lets a header be called so."""
    return isinstance(name, str) and re.fullmatch(_HEADER_NAME, name) is not None


_PARSERS: dict[Kind, Callable[[Setting, Any], Any]] = {
    "text": _parse_text,
    "prose": _parse_prose,
    "file": _parse_file,
    "url": _parse_url,
    "host": _parse_host,
    "number": _parse_number,
    "optional_number": _parse_optional_number,
    "integer": _parse_integer,
    "flag": _parse_flag,
    "choice": _parse_choice,
    "headers": _parse_headers,
    "object": _parse_object,
}
