"""What the user configured, where each value came from, and which values are secrets.

``SETTINGS`` (``setting_table.py``) is the one table: manifest, ``.env.example`` and README are held to it by a test.
Precedence, highest first: the client's settings, the process environment, the trusted folder's ``.env``, the user's
``.env``, defaults. A folder is somebody else's word: it cannot set what concerns the machine (scope ``user``), and the
user's keys are never sent to an address that it supplied (``Settings.bound``).
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sidelight.messages import Message, msg
from sidelight.setting_table import SETTINGS
from sidelight.setting_values import Owner, Setting, WrongValueError, is_header_name, may_hold_password, parse

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_BY_ENVIRONMENT = {setting.environment: setting for setting in SETTINGS}
_BY_CLIENT = {setting.client: setting for setting in SETTINGS}

_OUR_PREFIXES = ("SIDELIGHT_", "ANYTHINGLLM_")
_KEY_ORIGINS = "SIDELIGHT_KEY_ORIGINS"
_NOT_SETTINGS = ("SIDELIGHT_TEST_", _KEY_ORIGINS)
_LARGEST_FILE_KIB = 256

DEFAULT = msg("default")
"""The origin of values that nobody has set."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place, by their names in ``SETTINGS``; ``origin`` names the place for the user."""

    origin: Message
    owner: Owner
    values: Mapping[str, Any]
    problems: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and where it came from. ``users_own`` is what holds when the folder's word is left out."""

    value: Any
    origin: Message
    owner: Owner
    users_own: Any


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one moment, and the folders that are opened.

    ``problems`` are for the user: wrong values, unknown keys, files passed over. ``unchosen`` is what holds without the
    model that was chosen for the folder, where one was. ``entered`` are keys that were entered for one address, which
    is the only one that they may go to: by their setting, the key and that address.
    """

    values: Mapping[str, Value]
    problems: tuple[Message, ...] = ()
    folders: tuple[Path, ...] = ()
    unchosen: Settings | None = None
    entered: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def configured(self) -> Settings:
        """What is configured, without the model that was chosen for the folder."""
        return self.unchosen or self

    def text(self, name: str) -> str:
        """Return a setting of kind text, prose, file, url, host or choice."""
        return str(self.values[name].value)

    def number(self, name: str) -> float:
        """Return a setting of kind number."""
        return float(self.values[name].value)

    def integer(self, name: str) -> int:
        """Return a setting of kind integer."""
        return int(self.values[name].value)

    def optional_number(self, name: str) -> float | None:
        """Return a setting of kind optional_number; None where nothing is said."""
        value = self.values[name].value
        return None if value == "" else float(value)

    def flag(self, name: str) -> bool:
        """Return a setting of kind flag."""
        return bool(self.values[name].value)

    def bound(self, secret: str, address: str) -> Any:
        """Return a secret, or its default where it may not be sent to the configured address.

        A secret of the user's own configuration goes only to an address of the user's own configuration, or to one
        with the same origin (scheme, host, port). A secret that the folder itself brought goes where the folder says.
        A default address that the folder alone brought into play, by naming the provider, gets no headers.
        """
        return _BY_NAME[secret].default if self.is_withheld(secret, address) else self.values[secret].value

    def is_withheld(self, secret: str, address: str) -> bool:
        """Whether ``bound`` keeps the secret back."""
        value, url = self.values[secret], self.values[address]
        if not value.value or value.owner == "folder":
            return False
        key, entered_for = self.entered.get(secret, ("", ""))
        if key == value.value and origin_of(url.value) != origin_of(entered_for):
            return True
        if _BY_NAME[secret].kind == "headers" and not url.value and self.values["provider"].owner == "folder":
            return True
        if url.owner == "user":
            return False  # an address that was found is nobody's: it is treated like a folder's
        return origin_of(url.value) != origin_of(url.users_own)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address; what a key is bound to. Never raises.

    What is no address equals only itself, and no address that is one.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", url, None
    return parts.scheme, host, {"http": 80, "https": 443}.get(parts.scheme) if port is None else port


def masked(setting: Setting, value: Any) -> str:
    """Return a value as it may be shown: of a secret, only that it is there.

    An address with anything that may hold a password is a secret as a whole: where its host begins is what nobody can
    say of a wrong one.
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name if is_header_name(name) else '***'}: ***" for name in value)
    text = str(value)
    if (setting.secret and value) or (setting.kind in ("url", "host") and may_hold_password(text)):
        return "***"
    return text


# Layers


def client_layer(settings: Mapping[str, Any]) -> Layer:
    """Read the client's ``sidelight`` section: nested objects or dotted keys.

    A value that equals the default counts as not said: VS Code sends the default of every setting, which would
    otherwise hide the environment.
    """
    values: dict[str, Any] = {}
    unknown: list[Message] = []
    origin = msg("the editor's settings")
    for key, said in _flat(settings):
        setting = _BY_CLIENT.get(key)
        value = said.strip() if isinstance(said, str) else said
        if setting is None:
            unknown.append(_unknown(key, origin, _BY_CLIENT))
        elif value not in (None, "", setting.default):
            values[setting.name] = value
    return Layer(origin, "user", values, tuple(unknown))


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """Read the process environment."""
    return _environment_like(environment, msg("the environment"), "user", ("SIDELIGHT_",))


def file_layer(path: Path, owner: Owner) -> Layer | None:
    """Read a ``.env`` file; None when there is none. Never raises and never waits: a folder may hold anything."""
    origin = msg("the file {path}", path=str(path))
    try:
        text = _read_text(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except _UnfitFileError as error:
        return _unread(origin, owner, error.reason)
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a path that no system takes
        return _unread(origin, owner, str(error))
    said, wrong_lines = _parse_file_text(text)
    layer = _environment_like(said, origin, owner, _OUR_PREFIXES)
    if owner == "folder" and not any(prefix in text for prefix in _OUR_PREFIXES):
        return layer  # another program's file, whose syntax is that program's business
    return replace(layer, problems=(*(_wrong_line(line, origin) for line in wrong_lines), *layer.problems))


class _UnfitFileError(Exception):
    """A file that is not read."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def _read_text(path: Path) -> str:
    """Return the text, lines ended as Python does. Raises OSError, ValueError or ``_UnfitFileError``."""
    _check_regular(os.stat(path))  # before it is opened: opening a device may do something
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        _check_regular(os.fstat(descriptor))  # it may have been exchanged meanwhile
        content = file.read(_LARGEST_FILE_KIB * 1024 + 1)
    if len(content) > _LARGEST_FILE_KIB * 1024:
        raise _UnfitFileError(msg("it has more than {size} KiB", size=_LARGEST_FILE_KIB))
    return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):
        raise _UnfitFileError(msg("it is not a regular file"))


def _parse_file_text(text: str) -> tuple[dict[str, str], list[int]]:
    """Return the values, and the numbers of the lines that mean nothing.

    ``dotenv_values`` would log those instead, to the standard error of a server that must keep it clean.
    """
    from io import StringIO

    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    wrong: list[int] = []
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            skipped = binding.original.string
            wrong.append(binding.original.line + skipped[: len(skipped) - len(skipped.lstrip())].count("\n"))
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values, wrong


def _unread(origin: Message, owner: Owner, error: Message | str) -> Layer:
    return Layer(origin, owner, {}, (msg("{origin} cannot be read: {error}", origin=origin, error=error),))


def _wrong_line(line: int, origin: Message) -> Message:
    return msg("Line {line} of {origin} is left out: is a quote not closed?", line=line, origin=origin)


def _environment_like(source: Mapping[str, str], origin: Message, owner: Owner, ours: tuple[str, ...]) -> Layer:
    values: dict[str, Any] = {}
    problems: list[Message] = []
    for name, value in source.items():
        setting = _BY_ENVIRONMENT.get(name)
        if setting is None:
            if name.startswith(ours) and not name.startswith(_NOT_SETTINGS):
                problems.append(_unknown(name, origin, _BY_ENVIRONMENT))
        elif owner == "folder" and setting.scope == "user":
            problems.append(
                msg("{name} in {origin} does not count: only your own configuration may set it.",
                    name=name, origin=origin)
            )  # fmt: skip
        elif value.strip():
            values[setting.name] = value.strip()
    return Layer(origin, owner, values, tuple(problems))


def _entered(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the keys that a client keeps for one address each: it tells by the variable which key is for which."""
    try:
        origins = json.loads(environment.get(_KEY_ORIGINS) or "{}")
    except ValueError:
        return {}
    told = origins.items() if isinstance(origins, dict) else ()
    named = ((_BY_ENVIRONMENT.get(name), origin) for name, origin in told)
    return {
        setting.name: (environment.get(setting.environment, ""), str(origin))
        for setting, origin in named
        if setting is not None and setting.secret
    }


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in settings.items():
        name = prefix + key
        setting = _BY_CLIENT.get(name)
        if isinstance(value, Mapping) and not (setting and setting.kind in ("headers", "object")):
            yield from _flat(value, name + ".")
        else:
            yield name, value


def _unknown(key: str, origin: Message, known: Iterable[str]) -> Message:
    import difflib

    if near := difflib.get_close_matches(key, list(known), 1):
        return msg("Unknown setting {key} in {origin}. Did you mean {near}?", key=key, origin=origin, near=near[0])
    return msg("Unknown setting {key} in {origin}.", key=key, origin=origin)


# Resolving


def resolve(layers: Iterable[Layer]) -> Settings:
    """Put the layers (highest first) together; a wrong value is named and the next layer's counts."""
    layers = list(layers)
    problems = [problem for layer in layers for problem in layer.problems]
    values = {setting.name: _resolve_one(setting, layers, problems) for setting in SETTINGS}
    return Settings(values, tuple(problems))


def _resolve_one(setting: Setting, layers: list[Layer], problems: list[Message]) -> Value:
    found: list[tuple[Any, Layer]] = []
    for layer in layers:
        if setting.name in layer.values:
            try:
                found.append((parse(setting, layer.values[setting.name]), layer))
            except WrongValueError as error:
                problems.append(_wrong(setting, layer, error.expected))
    users_own = next((value for value, layer in found if layer.owner == "user"), setting.default)
    if found:
        value, layer = found[0]
        return Value(value, layer.origin, layer.owner, users_own)
    return Value(setting.default, DEFAULT, "user", users_own)


def _wrong(setting: Setting, layer: Layer, expected: Message) -> Message:
    shown = masked(setting, layer.values[setting.name])
    return msg(
        "{name} in {origin} is {value}; it must be {expected}. It is left out.",
        name=setting.environment, origin=layer.origin, value=shown, expected=expected,
    )  # fmt: skip


Chosen = Callable[[Sequence[Path], Settings], tuple[list[Layer], list[Message]]]
"""Returns what was chosen for the folders, given what is configured, and what is wrong with that choice."""


@dataclass(slots=True)
class SettingsSource:
    """Where settings are read from; ``read`` may be called again whenever one of these has changed."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    user_file: Path | None = None
    client: Mapping[str, Any] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    trusted: bool = False
    chosen: Chosen = lambda _folders, _settings: ([], [])

    def read(self) -> Settings:
        """Read everything anew and resolve it."""
        layers, problems = self._layers()
        settings = resolve(layers)
        chosen, wrong = self.chosen(self.folders, settings)
        told = settings.problems + tuple(problems) + tuple(wrong)
        configured = Settings(settings.values, told, self.folders, entered=_entered(self.environment))
        if not chosen:
            return configured
        return replace(configured, values=resolve([*chosen, *layers]).values, unchosen=configured)

    def _layers(self) -> tuple[list[Layer], list[Message]]:
        """Return what counts, highest first, and what was passed over."""
        above = [client_layer(self.client), environment_layer(self.environment)]
        user = file_layer(self.user_file, "user") if self.user_file else None
        below = [user] if user else []
        files = [folder / ".env" for folder in self.folders]
        if self.trusted or bool(resolve(above + below).values["trust_workspace"].value):
            return [*above, *(layer for file in files if (layer := file_layer(file, "folder"))), *below], []
        return above + below, [_passed_over(file) for file in files if _is_ours(file)]


def _is_ours(file: Path) -> bool:
    """Whether the file sets anything of ours: many projects have a ``.env`` that does not concern us."""
    layer = file_layer(file, "folder")
    return layer is not None and bool(layer.values)


def _passed_over(file: Path) -> Message:
    return msg(
        "{path} was passed over, because this folder is not trusted. Trust the workspace in the editor, or set "
        "SIDELIGHT_TRUST_WORKSPACE=1 (--trust on the command line), to let it count.",
        path=str(file),
    )
