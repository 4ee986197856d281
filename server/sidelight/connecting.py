"""Tries a connection that the user is about to configure, as if it were configured already; nothing is kept.

Only the key that came along goes to the address that came along; a configured one where it belongs to the same origin
(``settings.py`` says what a key is bound to).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from sidelight.choices import ADDRESS_SETTING, KEY_SETTING, MODEL_SETTING
from sidelight.core.ports import Check, Offer, Provider, Trial, Tried
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError, SidelightError
from sidelight.logs import mask
from sidelight.messages import msg
from sidelight.setting_table import SETTINGS
from sidelight.setting_values import WrongValueError, parse
from sidelight.settings import Settings, Value, masked, origin_of

Make = Callable[[str, Settings, Stop], Provider]
"""Makes a provider for this once, whose calls the stop ends."""

# Somebody waits in front of a dialog.
_SILENCE_S = 20.0
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def try_connection(settings: Settings, trial: Trial, make: Make, stop: Stop) -> Tried:
    """Examine the connection step by step, and list what could be asked there. Blocks; raises ``Stopped``."""
    mask([trial.key])
    try:
        provider = make(trial.provider, as_if(settings.configured, trial), stop)
    except SidelightError as error:
        return Tried((Check("failed", error.message, error.hint),))
    checks, failed = [], None
    try:
        for check in provider.checks():
            checks.append(check)  # noqa: PERF402 - those before a step that raises count
    except SidelightError as error:
        failed = error
    try:
        models = [Offer(trial.provider, model, "", model.id == provider.model) for model in provider.models()]
    except SidelightError:
        models = []
    if failed is not None:
        # Which model to ask is chosen afterwards, from the list.
        is_open = models and not trial.model and isinstance(failed, ConfigurationError)
        checks.append(Check("note" if is_open else "failed", failed.message, failed.hint))
    return Tried(tuple(checks), tuple(models))


def as_if(settings: Settings, trial: Trial) -> Settings:
    """Return the settings as they would be if the user's own configuration said this, too.

    Raises ``ConfigurationError`` for a value that no setting takes.
    """
    values = dict(settings.values)

    def say(name: str, value: Any) -> None:
        parsed = _parsed(name, value)
        values[name] = Value(parsed, msg("what you entered"), "user", parsed)

    say("provider", trial.provider)
    say("retries", 0)
    say("silence_timeout_s", min(settings.number("silence_timeout_s"), _SILENCE_S))
    address, key = ADDRESS_SETTING[trial.provider], KEY_SETTING.get(trial.provider)
    there = settings.values[address]
    if trial.address:
        say(address, trial.address)
        default = str(import_module(f"sidelight.providers.{trial.provider}").DEFAULT_ADDRESS)
        wanted = origin_of(values[address].value)
        if key is not None:
            belongs_to = there.value if settings.values[key].owner == "folder" else there.users_own
            if origin_of(belongs_to or default) != wanted:
                say(key, "")
        if origin_of(there.value or default) != wanted:  # the model that is configured is another server's
            say("model", "")
            say(MODEL_SETTING[trial.provider], "")
    if trial.key and key is not None:
        say(key, trial.key)
    if trial.model:
        say(MODEL_SETTING[trial.provider], trial.model)
    return replace(settings, values=values)


def _parsed(name: str, value: Any) -> Any:
    setting = _BY_NAME[name]
    try:
        return parse(setting, value)
    except WrongValueError as error:
        shown = masked(setting, value)
        raise ConfigurationError(
            msg("{name} cannot be {value}; it must be {expected}.", name=setting.environment, value=shown,
                expected=error.expected),
            msg("Correct it, then try again."),
        ) from None  # fmt: skip
