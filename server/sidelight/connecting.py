"""Tries a connection that the user is about to configure, as if it were configured already.

Nothing is kept, but for what a provider finds out about its server (``abilities.py``).

Only the key that came along goes to the address that came along; a configured one, and headers, where they belong to
the same origin (``settings.py`` says what a key is bound to).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from sidelight.choices import ADDRESS_SETTING, KEY_SETTING, MODEL_SETTING
from sidelight.core.ports import Check, Offer, Probing, Provider, Trial, Tried
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError, ProviderError, SidelightError
from sidelight.logs import masked_meanwhile
from sidelight.messages import msg
from sidelight.setting_table import SETTINGS
from sidelight.setting_values import WrongValueError, parse
from sidelight.settings import Settings, Value, masked, origin_of

Make = Callable[[str, Settings, Stop], Provider]
"""Makes a provider for this once, whose calls the stop ends."""

# Somebody waits in front of a dialog.
_SILENCE_S = 20.0
# How a provider's error says that nobody answers there: another question would only wait as long again.
_NOBODY_THERE = ("network", "cut_off")
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def try_connection(settings: Settings, trial: Trial, make: Make, stop: Stop) -> Tried:
    """Examine the connection step by step, and list what could be asked there. Blocks; raises ``Stopped``."""
    with masked_meanwhile([trial.key]):
        try:
            tried = as_if(settings.configured, trial)
            provider = make(trial.provider, tried, stop)
            return _tried(provider, trial, _withheld(settings.configured, tried, trial), stop)
        except SidelightError as error:
            return Tried((Check("failed", error.message, error.hint),))


def _tried(provider: Provider, trial: Trial, notes: list[Check], stop: Stop) -> Tried:
    checks, failed = notes, None
    try:
        for check in provider.checks():
            checks.append(check)  # one by one: those before a step that raises count
        if isinstance(provider, Probing):
            checks.extend(provider.probe(stop))
    except SidelightError as error:
        failed = error
    models = [] if isinstance(failed, ProviderError) and failed.kind in _NOBODY_THERE else _models(provider, trial)
    if failed is not None:
        # Which model to ask is chosen afterwards, from the list.
        is_open = models and not trial.model and isinstance(failed, ConfigurationError)
        checks.append(Check("note" if is_open else "failed", failed.message, failed.hint))
    return Tried(tuple(checks), tuple(models))


def _models(provider: Provider, trial: Trial) -> list[Offer]:
    try:
        return [Offer(trial.provider, model, "", model.id == provider.model) for model in provider.models()]
    except SidelightError:
        return []


def _withheld(settings: Settings, tried: Settings, trial: Trial) -> list[Check]:
    """Say where the configured headers do not go along."""
    if not settings.values["headers"].value or tried.bound("headers", ADDRESS_SETTING[trial.provider]):
        return []
    return [Check("note", msg("The headers in SIDELIGHT_HEADERS are not sent there: they are for the address that you "
                              "have configured."))]  # fmt: skip


def in_a_hurry(settings: Settings) -> Settings:
    """Return the settings for somebody who waits in front of an editor: no second try, and no long silence."""
    silence_s = min(settings.number("silence_timeout_s"), _SILENCE_S)
    return _saying(settings, {"retries": 0, "silence_timeout_s": silence_s})


def as_if(settings: Settings, trial: Trial) -> Settings:
    """Return the settings as they would be if the user's own configuration said this, too.

    Raises ``ConfigurationError`` for a value that no setting takes.
    """
    said: dict[str, Any] = {"provider": trial.provider}
    key = KEY_SETTING.get(trial.provider)
    if trial.address:
        said |= _elsewhere(settings, trial)
    if trial.key and key is not None:
        said[key] = trial.key
    if trial.model:
        said[MODEL_SETTING[trial.provider]] = trial.model
    # A key that was typed now is for the address that was typed now, wherever it was entered before.
    entered = settings.entered if not trial.key else {}
    return replace(_saying(in_a_hurry(settings), said), entered=entered)


def _elsewhere(settings: Settings, trial: Trial) -> dict[str, Any]:
    """Return the address that was typed, and without a value what belongs to another server than that."""
    address = ADDRESS_SETTING[trial.provider]
    there, wanted = settings.values[address], origin_of(_parsed(address, trial.address))
    default = str(import_module(f"sidelight.providers.{trial.provider}").DEFAULT_ADDRESS)
    said: dict[str, Any] = {address: trial.address}
    for name, nothing in ((KEY_SETTING.get(trial.provider), ""), ("headers", {})):
        if name is not None:
            belongs_to = there.value if settings.values[name].owner == "folder" else there.users_own
            if origin_of(belongs_to or default) != wanted:
                said[name] = nothing
    if origin_of(there.value or default) != wanted:
        said |= {"model": "", MODEL_SETTING[trial.provider]: ""}
    return said


def _saying(settings: Settings, said: Mapping[str, Any]) -> Settings:
    values = dict(settings.values)
    for name, value in said.items():
        parsed = _parsed(name, value)
        values[name] = Value(parsed, msg("what you entered"), "user", parsed)
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
