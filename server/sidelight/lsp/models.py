"""Which model answers in this session, and choosing another: for the next job, and from now on in this folder."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from sidelight.choices import choice_of
from sidelight.core.ports import Choice, Offer, Offers, Provider
from sidelight.errors import SidelightError
from sidelight.lsp.client import Client
from sidelight.lsp.start import Wiring
from sidelight.messages import msg
from sidelight.settings import Settings

# More titles than this no editor shows well in a message; the rest is chosen by name.
_MOST_TITLES = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model as it was listed: ``address`` only where its server was found."""

    provider: str
    model: str
    address: str = ""


class Models:
    """Knows the provider of the settings of this moment; ``changed`` is called when another model was chosen."""

    def __init__(
        self, wiring: Wiring, client: Client, settings: Callable[[], Settings], changed: Callable[[], None]
    ) -> None:
        self._wiring = wiring
        self._client = client
        self._settings = settings
        self._changed = changed
        self._last: Choice | None = None
        self._has_asked = False
        self._stamp = wiring.choices.stamp()
        self._listing: asyncio.Future[Offers] | None = None
        # Threads of its own: a provider that hangs must not take those that everything else needs.
        self._threads = ThreadPoolExecutor(2, "models")

    def provider(self) -> Provider:
        """Return the provider for a question that begins now. May block: called on the jobs' threads."""
        self._last = self._wiring.choosing.choose(self._settings())
        return self._last.provider

    async def ready(self) -> None:
        """Find out, off the loop, who answers the next question; what is wrong is told by the answer itself."""
        if self._stamp != (stamp := self._wiring.choices.stamp()):  # another process has chosen
            self._stamp = stamp
            self._changed()
        if self._wiring.choosing.known(self._settings()) is None:
            with contextlib.suppress(SidelightError):
                await asyncio.get_running_loop().run_in_executor(self._threads, self.provider)
        self._has_asked = True

    @property
    def current(self) -> Provider | None:
        """Who answers the next question, as far as that is known without asking anybody."""
        choice = self._current()
        return choice.provider if choice is not None else None

    def _current(self) -> Choice | None:
        return self._wiring.choosing.known(self._settings()) or self._last

    def forget(self) -> None:
        """Take note that the settings have changed."""
        self._last = None

    def status(self) -> dict[str, str] | None:
        """Return who answers, and why; None while that is not known without asking somebody."""
        choice = self._current()
        if choice is None:
            return {"provider": self._settings().text("provider"), "model": "", "why": ""} if self._has_asked else None
        provider = choice.provider
        return {"provider": provider.name, "model": provider.model, "why": self._client.write(choice.why)}

    async def listed(self) -> dict[str, Any]:
        """Return the models of every provider that can be reached, and who could not be asked."""
        offers = await self._offers()
        await self.ready()
        write = self._client.write
        unreachable = [
            {"provider": name, "message": write(error.message), "hint": write(error.hint) if error.hint else ""}
            for name, error in offers.unreachable
        ]
        models = [offer_value(offer) for offer in offers.offers]
        return {**(self.status() or {}), "models": models, "unreachable": unreachable}

    async def _offers(self) -> Offers:
        """Ask everybody once for all who want to know at the same time."""
        if self._listing is None:
            loop = asyncio.get_running_loop()
            self._listing = loop.run_in_executor(self._threads, self._wiring.choosing.offers, self._settings())
            self._listing.add_done_callback(self._listed)
        return await asyncio.shield(self._listing)

    def _listed(self, listing: asyncio.Future[Offers]) -> None:
        self._listing = None
        if not listing.cancelled():
            listing.exception()  # whoever waited has it; nobody may have waited any more

    async def choose(self, wanted: Wanted | None) -> dict[str, str]:
        """Ask this model from now on in this folder; None for what is configured. Raises ``SidelightError``."""
        choice = choice_of(self._settings(), wanted.provider, wanted.model, wanted.address) if wanted else None
        await asyncio.to_thread(self._wiring.choices.set, self._wiring.settings.folders, choice)
        self._stamp = self._wiring.choices.stamp()
        self._changed()
        await self.ready()
        return self.status() or {}

    async def pick(self) -> None:
        """Let the user choose in a message, for clients without a list of their own."""
        offers = (await self._offers()).offers
        as_configured = self._client.write(msg("As configured"))
        titles = {_title(offer): offer for offer in offers[:_MOST_TITLES]}
        question = msg("Which model answers from now on, in this folder?")
        if len(offers) > _MOST_TITLES:
            question = msg("Which model answers from now on, in this folder? `sidelight models` lists all {count}.",
                           count=len(offers))  # fmt: skip
        chosen = await self._client.choose(question, [*titles, as_configured])
        if chosen is None:
            return
        offer = titles.get(chosen)
        status = await self.choose(Wanted(offer.provider, offer.model.id, offer.address) if offer else None)
        who = " ".join(status[name] for name in ("provider", "model") if status.get(name))
        self._client.show(types.MessageType.Info, msg("Answers come from {name} now.", name=who))


def _title(offer: Offer) -> str:
    return f"{offer.model.id} ({offer.provider})"


def offer_value(offer: Offer) -> dict[str, Any]:
    """Return a model as the protocol has it."""
    model = offer.model
    value: dict[str, Any] = {
        "id": model.id, "name": model.name, "detail": model.detail, "provider": offer.provider,
        "abilities": list(model.abilities), "isCurrent": offer.is_current,
    }  # fmt: skip
    if model.context_tokens:
        value["contextTokens"] = model.context_tokens
    if offer.address:
        value["address"] = offer.address
    return value
