"""Which model the user chose for a folder, kept in a small file of the user's own; it goes before every setting.

``{"version": 1, "folders": {"<path>": {"provider", "model", "address"?}}}``; the empty path is for no folder. An
address is there only where the server was found and not configured: it must be this machine's, and no key goes to it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sidelight.errors import SidelightError, UsageError
from sidelight.messages import msg
from sidelight.setting_table import PROVIDERS
from sidelight.settings import Layer

log = logging.getLogger(__name__)

_VERSION = 1
_LARGEST_BYTES = 1 << 20
# Each provider's settings: what names the model, and where its server is.
MODEL_SETTING = {
    "anythingllm": "anythingllm.workspace", "openai": "openai.model", "ollama": "ollama.model",
    "dashscope": "dashscope.model", "transformers": "transformers.model",
}  # fmt: skip
ADDRESS_SETTING = {
    "anythingllm": "anythingllm.base_url", "openai": "openai.base_url", "ollama": "ollama.host",
    "dashscope": "dashscope.base_url",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A provider and one of its models; ``address`` only for a server that was found."""

    provider: str
    model: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """The file of choices. Reading never raises; writing raises ``SidelightError``."""

    path: Path

    def layers(self, folders: Sequence[Path]) -> list[Layer]:
        """Return what was chosen for the first folder, as settings; nothing where nothing was."""
        choice = self.get(folders)
        if choice is None:
            return []
        origin = msg("your choice for this folder")
        values = {"provider": choice.provider}
        if choice.model and choice.provider in MODEL_SETTING:
            values[MODEL_SETTING[choice.provider]] = choice.model
        layers = [Layer(origin, "user", values)]
        if choice.address:
            layers.append(Layer(origin, "found", {ADDRESS_SETTING[choice.provider]: choice.address}))
        return layers

    def get(self, folders: Sequence[Path]) -> ModelChoice | None:
        """Return the choice for the first folder."""
        return _choice(self._read().get(_key(folders)))

    def set(self, folders: Sequence[Path], choice: ModelChoice | None) -> None:
        """Keep a choice for the first folder; None forgets it."""
        if choice is not None and _choice(_written(choice)) != choice:
            raise UsageError(msg("There is no provider {name} to choose from.", name=choice.provider))
        chosen = self._read()
        chosen.pop(_key(folders), None)
        if choice is not None:
            chosen[_key(folders)] = _written(choice)
        try:
            self._write({"version": _VERSION, "folders": chosen})
        except OSError as error:
            raise SidelightError(
                msg("{path} cannot be written: {reason}", path=str(self.path), reason=error.strerror or str(error)),
                msg("The model was not changed. SIDELIGHT_PROVIDER and SIDELIGHT_MODEL choose one, too."),
            ) from error

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.path, "rb") as file:
                content = json.loads(file.read(_LARGEST_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read: %s", self.path, error)
            return {}
        folders = content.get("folders") if isinstance(content, dict) else None
        return dict(folders) if isinstance(folders, dict) else {}

    def _write(self, content: dict[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False, indent=1)
            os.replace(temporary, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _key(folders: Sequence[Path]) -> str:
    return str(folders[0]) if folders else ""


def _written(choice: ModelChoice) -> dict[str, str]:
    address = {"address": choice.address} if choice.address else {}
    return {"provider": choice.provider, "model": choice.model, **address}


def _choice(value: Any) -> ModelChoice | None:
    """Read a choice that may have been written by anybody; None for what makes no sense."""
    if not isinstance(value, dict):
        return None
    provider, model, address = value.get("provider"), value.get("model", ""), value.get("address", "")
    if provider not in PROVIDERS or not isinstance(model, str) or not isinstance(address, str):
        return None
    if address and not (provider in ADDRESS_SETTING and _is_this_machine(address)):
        return None
    return ModelChoice(provider, model, address)


def _is_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(address).hostname or "").is_loopback
    except ValueError:
        return False
