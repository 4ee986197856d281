"""Which provider answers, and why: what is configured, else what runs on this machine, else the built-in one.

Code goes to another machine only when its address, or the provider by name, was set; a key alone sets nothing. How a
provider is made is in ``makers.py``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from sidelight.choices import ADDRESS_SETTING, address_of
from sidelight.core.budget import Limits
from sidelight.core.ports import Choice, Knowledge, Offer, Offers, Provider
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError, SidelightError, UsageError
from sidelight.makers import anythingllm, maker, model_of
from sidelight.messages import Message, msg
from sidelight.setting_table import PROVIDERS
from sidelight.settings import Settings, Value

if TYPE_CHECKING:
    from sidelight.abilities import Abilities
    from sidelight.providers.discovery import Found
    from sidelight.syncing.values import DocumentStore

log = logging.getLogger(__name__)

# How long it holds what was found on this machine; a server that is started or stopped meanwhile is noticed after it.
_FOUND_S = 20.0
# In the order in which ``auto`` takes them: each is configured when this is set.
_CONFIGURED_BY = {**ADDRESS_SETTING, "transformers": "transformers.model"}


class Chooser:
    """Makes the providers of this process. Safe to use from several threads; all methods may block.

    ``find`` looks for servers on this machine, given those that it found before (``providers/discovery.py``).
    ``abilities`` keeps what was found out about servers; without it, nothing is kept.
    """

    def __init__(self, find: Callable[[Sequence[Found]], list[Found]], abilities: Abilities | None = None) -> None:
        self._find = find
        self._abilities = abilities
        self._finding = threading.Lock()
        self._making = threading.Lock()
        self._found: list[Found] = []
        self._found_until = 0.0
        self._made: dict[str, tuple[Any, Provider]] = {}
        self._knowledge: tuple[Any, Knowledge] | None = None
        self._told = ""

    def choose(self, settings: Settings, stop: Stop | None = None) -> Choice:
        """Return the provider that the settings ask for. Raises ``ConfigurationError``.

        With a ``stop`` it is one for this once, whose calls that ends.
        """
        name, why, settings = self._decide(settings)
        choice = Choice(self.make(name, settings) if stop is None else self.make_once(name, settings, stop), why)
        if self._told != (told := f"{name}: {why}"):
            self._told = told
            log.info("the provider is %s", told)
        return choice

    def known(self, settings: Settings) -> Choice | None:
        """Return the choice where nobody need be asked for it, now or any more. Never blocks; raises nothing."""
        is_open = settings.text("provider") == "auto" and _configured(settings) is None
        if is_open and monotonic() > self._found_until:
            return None
        try:
            return self.choose(settings)
        except SidelightError:
            return None

    def offers(self, settings: Settings) -> Offers:
        """Ask every provider that is configured or found for its models, all at once."""
        configured = settings.configured
        asked = {
            (name, ""): configured for name in PROVIDERS
            if name != "builtin" and (_is_set(name, configured) or name == configured.text("provider"))
        }  # fmt: skip
        for server in [*self._discovered(), *_chosen_server(settings)]:
            if address_of(server.provider, configured) != server.address:
                asked[server.provider, server.address] = _with_found(configured, server)
        with ThreadPoolExecutor(max(len(asked), 1), "models") as threads:
            results = list(threads.map(lambda item: self._models(*item), asked.items()))
        failed = tuple((name, error) for (name, _), (_, error) in zip(asked, results) if error is not None)  # noqa: B905
        offers = [offer for listed, _ in results for offer in listed]
        return Offers(tuple(self._marked(offer, settings, offers) for offer in offers), failed)

    def _marked(self, offer: Offer, settings: Settings, offers: list[Offer]) -> Offer:
        """Mark the model that answers: the one that is named, or the only one of the server that does."""
        name, _, decided = self._decide(settings)
        value = decided.values.get(ADDRESS_SETTING.get(name, ""))
        address = value.value if value is not None and value.owner == "found" else ""
        if (offer.provider, offer.address) != (name, address):
            return offer
        model = model_of(name, decided) if name != "anythingllm" else decided.text("anythingllm.workspace")
        there = [it for it in offers if (it.provider, it.address) == (name, address)]
        is_current = offer.model.id in (model, f"{model}:latest") if model else len(there) == 1
        return replace(offer, is_current=is_current)

    def make(self, name: str, settings: Settings) -> Provider:
        """Return the provider of that name; the same one while its settings stay the same."""
        config, make = maker(name, settings, self._abilities)
        with self._making:
            kept = self._made.get(name)
            if kept is not None and kept[0] == config:
                return kept[1]
            provider = make(None)
            self._made[name] = config, provider
            return provider

    def make_once(self, name: str, settings: Settings, stop: Stop) -> Provider:
        """Return a provider that is not kept, and whose calls ``stop`` ends; a model on this machine loads only once.

        Raises ``ConfigurationError``.
        """
        if name not in ADDRESS_SETTING:
            return self.make(name, settings)
        return maker(name, settings, self._abilities)[1](stop)

    def knowledge(self, settings: Settings) -> Knowledge | None:
        """Return where questions are looked up before another provider answers them; None where nobody wants that.

        The same one while its settings stay the same. The built-in provider reads no prompt, so nothing is looked up
        for it. May look for servers on this machine.
        """
        if settings.text("knowledge") != "anythingllm" or self._decide(settings)[0] == "builtin":
            return None
        from sidelight.providers.anythingllm_knowledge import AnythingLLMKnowledge
        from sidelight.providers.http import Http

        # This setting, and not the provider's, is what brings the address into play.
        told = replace(settings, values={**settings.values, "provider": settings.values["knowledge"]})
        key, _ = anythingllm(told)
        with self._making:
            if self._knowledge is None or self._knowledge[0] != key:
                config, options = key
                self._knowledge = key, AnythingLLMKnowledge(config, Http(options))
            return self._knowledge[1]

    def _models(self, key: tuple[str, str], settings: Settings) -> tuple[list[Offer], SidelightError | None]:
        name, address = key
        try:
            _, make = maker(name, settings, self._abilities)
            return [Offer(name, model, address) for model in make(None).models()], None
        except SidelightError as error:
            return [], error

    def _decide(self, settings: Settings) -> tuple[str, Message, Settings]:
        chosen = settings.values["provider"]
        if chosen.value != "auto":
            return str(chosen.value), msg("it is set, in {origin}", origin=chosen.origin), settings
        if name := _configured(settings):
            value = settings.values[_CONFIGURED_BY[name]]
            return name, msg("its address or model is set, in {origin}", origin=value.origin), settings
        found = self._discovered()
        for server in found:
            if server.provider != "anythingllm":
                why = msg("nothing is configured, and it was found at {address}", address=server.address)
                return server.provider, why, _with_found(settings, server)
        if found:
            why = msg("nothing is configured; AnythingLLM was found at {address}: set ANYTHINGLLM_BASE_URL and "
                      "ANYTHINGLLM_API_KEY to use it", address=found[0].address)  # fmt: skip
            return "builtin", why, settings
        return "builtin", msg("nothing is configured, and no model server was found on this machine"), settings

    def _discovered(self) -> list[Found]:
        with self._finding:
            if monotonic() > self._found_until:
                self._found = self._find(self._found)
                self._found_until = monotonic() + _FOUND_S
            return self._found


def limits_of(settings: Settings) -> Limits:
    """Return what the user set about lengths."""
    return Limits(
        settings.integer("prompt_tokens"), settings.integer("max_tokens"), settings.text("system_prompt")
    )  # fmt: skip


def documents_of(settings: Settings, workspace: str = "") -> DocumentStore:
    """Return the documents of a workspace of AnythingLLM: the one that is named, else the configured one.

    Raises ``ConfigurationError`` where AnythingLLM is not configured: documents go to no server that was only found.
    """
    from sidelight.providers.anythingllm_documents import AnythingLLMDocuments
    from sidelight.providers.http import Http

    if not _is_set("anythingllm", settings) and settings.text("provider") != "anythingllm":
        raise ConfigurationError(
            msg("No knowledge base is configured."),
            msg("Set ANYTHINGLLM_BASE_URL and ANYTHINGLLM_API_KEY; `sidelight doctor` says whether they are right."),
        )
    (config, options), _ = anythingllm(settings)
    return AnythingLLMDocuments(replace(config, workspace=workspace or config.workspace), Http(options))


def find_offer(offers: Offers, name: str, provider: str | None = None) -> Offer:
    """Return the model of that name, of one provider or of any. Raises ``UsageError`` with the nearest names."""
    eligible = [offer for offer in offers.offers if provider in (None, offer.provider)]
    for known_as in (_id_at, _id, _name):
        named = [offer for offer in eligible if known_as(offer) == name]
        if len(named) == 1:
            return named[0]
        if named:
            raise UsageError(
                msg("More than one model is called {name}: {where}", name=name,
                    where=", ".join(f"{it.provider} {it.model.id} {it.address}".rstrip() for it in named)),
                msg("Name the provider, too (--provider), or the server, such as {model}.", model=_id_at(named[0])),
            )  # fmt: skip
    import difflib

    names = [offer.model.id for offer in eligible]
    near = difflib.get_close_matches(name, names, 5, 0.4) or names[:20]
    raise UsageError(
        msg("There is no model {name}. The nearest names: {names}", name=name, names=", ".join(near) or "-"),
        msg("`sidelight models` lists all of them."),
    )


def _id_at(offer: Offer) -> str:
    return f"{offer.model.id}@{offer.address}"


def _id(offer: Offer) -> str:
    return offer.model.id


def _name(offer: Offer) -> str:
    return offer.model.name


def _chosen_server(settings: Settings) -> list[Found]:
    """Return the found server that was chosen for the folder, also where it does not run now."""
    from sidelight.providers.discovery import Found

    chosen = [(name, settings.values[setting]) for name, setting in ADDRESS_SETTING.items()]
    return [Found(name, value.value) for name, value in chosen if value.owner == "found"]  # type: ignore[arg-type]


def _configured(settings: Settings) -> str | None:
    return next((name for name in _CONFIGURED_BY if _is_set(name, settings)), None)


def _is_set(name: str, settings: Settings) -> bool:
    setting = _CONFIGURED_BY.get(name)
    return setting is not None and bool(settings.text(setting))


def _with_found(settings: Settings, found: Found) -> Settings:
    """Return settings in which a found server's address stands; it is nobody's word, so no key goes there."""
    name = ADDRESS_SETTING[found.provider]
    own = settings.values[name].users_own
    value = Value(found.address, msg("found on this machine"), "found", own)
    return replace(settings, values={**settings.values, name: value})
