"""Which model the user chose for a folder, kept in a small file of the user's own; it goes before the settings.

``{"version": 1, "folders": {"<path>": {"provider", "model", "address", "isFound", "configured"}}}``; the empty path is
for no folder. A choice is about one server: it holds only while that address is still configured, or, for a server that
was found and not configured, is this machine's (no key goes there). And it holds only while ``SIDELIGHT_PROVIDER`` says
what it said then: whoever changes that means it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any
from urllib.parse import urlsplit

from sidelight.errors import SidelightError, UsageError
from sidelight.files import replace_private
from sidelight.messages import Message, msg
from sidelight.setting_table import PROVIDERS
from sidelight.settings import Layer, Settings

log = logging.getLogger(__name__)

_VERSION = 1
_LARGEST_BYTES = 1 << 20
_LONGEST_TEXT = 1000
_LOCK_S = 1.0
_STALE_LOCK_S = 10.0
# Each provider's settings: what names the model, where its server is, and the key for it.
MODEL_SETTING = {
    "anythingllm": "anythingllm.workspace", "openai": "openai.model", "ollama": "ollama.model",
    "dashscope": "dashscope.model", "transformers": "transformers.model",
}  # fmt: skip
ADDRESS_SETTING = {
    "anythingllm": "anythingllm.base_url", "openai": "openai.base_url", "ollama": "ollama.host",
    "dashscope": "dashscope.base_url",
}  # fmt: skip
KEY_SETTING = {
    "anythingllm": "anythingllm.api_key", "openai": "openai.api_key", "dashscope": "dashscope.api_key",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A provider and one of its models, at the address where it was; ``configured`` is what the provider setting said.

    ``address`` is empty for the provider's default address, and for providers that have none.
    """

    provider: str
    model: str
    address: str = ""
    is_found: bool = False
    configured: str = "auto"


def address_of(provider: str, settings: Settings) -> str | None:
    """Return where the settings reach a provider; empty is its default address, None is nowhere.

    A default address counts only when the provider was set by name.
    """
    setting = ADDRESS_SETTING.get(provider)
    if setting is None:
        return ""
    return settings.text(setting) or ("" if settings.text("provider") == provider else None)


def choice_of(settings: Settings, provider: str, model: str, address: str = "") -> ModelChoice:
    """Return the choice of a model; ``address`` only for a server that was found. Raises ``UsageError``."""
    configured = settings.configured
    known = address_of(provider, configured)
    if known is None and not address:
        raise UsageError(
            msg("{provider} cannot be chosen: it has no address.", provider=provider),
            msg("Set its address first, or start its server on this machine."),
        )
    is_found = bool(address) and address != known
    return ModelChoice(provider, model, address if is_found else known or "", is_found, configured.text("provider"))


@dataclass(frozen=True, slots=True)
class Choices:
    """The file of choices. Reading never raises and never waits; writing raises ``SidelightError``."""

    path: Path

    def layers(self, folders: Sequence[Path], settings: Settings) -> tuple[list[Layer], list[Message]]:
        """Return what was chosen for the first folder as settings, and what is wrong with it."""
        choice = self.get(folders)
        if choice is None or choice.configured != settings.text("provider"):
            return [], []
        if not choice.is_found and address_of(choice.provider, settings) != choice.address:
            where = choice.address or choice.provider
            told = msg("The model chosen for this folder ({model}) is not asked: {address} is no longer configured.",
                       model=choice.model, address=where)  # fmt: skip
            return [], [told]
        origin = msg("your choice for this folder")
        values = {"provider": choice.provider}
        if choice.model and choice.provider in MODEL_SETTING:
            values[MODEL_SETTING[choice.provider]] = choice.model
        layers = [Layer(origin, "user", values)]
        if choice.is_found:
            layers.append(Layer(origin, "found", {ADDRESS_SETTING[choice.provider]: choice.address}))
        return layers, []

    def get(self, folders: Sequence[Path]) -> ModelChoice | None:
        """Return the choice for the first folder."""
        try:
            return _choice(self._read().get(_key(folders)))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read: %s", self.path, error)
            return None

    def stamp(self) -> int:
        """Return what changes when the file does."""
        try:
            return self.path.stat().st_mtime_ns
        except OSError:
            return 0

    def set(self, folders: Sequence[Path], choice: ModelChoice | None) -> None:
        """Keep a choice for the first folder; None forgets it."""
        if choice is not None and _choice(asdict(choice)) != choice:
            raise UsageError(msg("That cannot be chosen: {provider} {model} {address}",
                                 provider=choice.provider, model=choice.model, address=choice.address))  # fmt: skip
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(self.path):
                chosen = self._read()
                chosen.pop(_key(folders), None)
                if choice is not None:
                    chosen[_key(folders)] = asdict(choice)
                self._write({"version": _VERSION, "folders": chosen})
        except (OSError, ValueError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SidelightError(
                msg("{path} cannot be used: {reason}", path=str(self.path), reason=reason),
                msg("The model was not changed. Remove that file, or set SIDELIGHT_PROVIDER and SIDELIGHT_MODEL."),
            ) from error

    def _read(self) -> dict[str, Any]:
        """Return the folders with their choices; raises where there is a file that cannot be understood."""
        try:
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise ValueError("it is not a regular file")
            with open(self.path, "rb") as file:
                content = json.loads(file.read(_LARGEST_BYTES))
        except FileNotFoundError:
            return {}
        if not isinstance(content, dict) or not isinstance(content.get("folders"), dict):
            raise ValueError("it is not a file of choices")  # noqa: TRY004 - like JSON that is none
        if content.get("version") != _VERSION:
            raise ValueError("it is of another version of Sidelight")
        return dict(content["folders"])

    def _write(self, content: dict[str, Any]) -> None:
        replace_private(self.path, json.dumps(content, ensure_ascii=True, indent=1))


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process in at a time, on every system; a lock whose owner has died is taken over."""
    lock = path.with_name(f"{path.name}.lock")
    deadline = monotonic() + _LOCK_S
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            with contextlib.suppress(OSError):
                if time() - lock.stat().st_mtime > _STALE_LOCK_S:
                    lock.unlink()
            if monotonic() > deadline:
                raise
            sleep(0.01)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _key(folders: Sequence[Path]) -> str:
    """Return one spelling of the first folder: the terminal and editors name it in different ways."""
    return os.path.normcase(os.path.realpath(folders[0])) if folders else ""


def _choice(value: Any) -> ModelChoice | None:
    """Read a choice that may have been written by anybody; None for what makes no sense."""
    match value:
        case {
            "provider": str(provider),
            "model": str(model),
            "address": str(address),
            "is_found": bool(is_found),
            "configured": str(configured),
        } if provider in PROVIDERS and all(_is_line(it) for it in (model, address, configured)):
            if not is_found or (provider in ADDRESS_SETTING and _is_this_machine(address)):
                return ModelChoice(provider, model, address, is_found, configured)
    return None  # fmt: skip


def _is_line(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT and (not text or text.isprintable())


def _is_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(address).hostname or "").is_loopback
    except ValueError:
        return False
