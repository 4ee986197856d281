"""Carries out a plan: uploads, takes in, removes, and keeps each step in the ledger before the next begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sidelight.core.stopping import Stop
from sidelight.errors import ProviderError, SidelightError
from sidelight.messages import msg
from sidelight.syncing.files import read_document
from sidelight.syncing.ledger import Entry, Ledger
from sidelight.syncing.values import DocumentStore, Held, Refused, Report, Step, Tell

# Taking in is what takes long (an embedding model reads each document): pieces of this size show how it goes on, and
# mostly end within a proxy's usual minute.
_BATCH_DOCUMENTS = 8
_BATCH_CHARACTERS = 200_000
_PROVEN_PART = 8
# After these nothing else will work either.
_HOPELESS = ("auth", "network", "not_found")
# Who stops waiting for it (a proxy) does not stop the server: it is given time as long as documents still come in.
_LOOK_EVERY_S = 2.0
_PATIENCE_S = 60.0


@dataclass(slots=True)
class Work:
    """One run over a root; ``report.plan`` says what is to be done, ``held`` what the workspace held before it."""

    root: Path
    store: DocumentStore
    ledger: Ledger
    report: Report
    held: dict[str, Held]
    look_every_s: float = _LOOK_EVERY_S
    patience_s: float = _PATIENCE_S
    _batch: list[str] = field(default_factory=list)
    _size: int = 0
    _unproven: list[str] = field(default_factory=list)
    _number: int = 0

    def do(self, digests: Mapping[str, str], tell: Tell, stop: Stop) -> None:
        """Do all of it. Raises ``Stopped``, and ``SidelightError`` where going on is pointless."""
        plan = self.report.plan
        for name, location in plan.adopted.items():
            self.ledger.set(name, Entry(digests[name], location, is_embedded=True, old=self._replaced(name)))
        replacing = [name for name in plan.adopted if self.ledger.entries[name].old]
        todo = [*plan.unfinished, *plan.missing, *plan.changed, *plan.new]
        count = len(todo) + len(plan.gone)
        for name in todo:
            stop.raise_if_set()
            self._number += 1
            tell(Step(self._number, count, name, "upload"))
            self._bring(name, stop)
            if self._batch and (len(self._batch) >= _BATCH_DOCUMENTS or self._size >= _BATCH_CHARACTERS):
                tell(Step(self._number, count, name, "embed"))
                self._take_in(stop)
        if self._batch:
            tell(Step(self._number, count, self._batch[-1], "embed"))
            self._take_in(stop)
        self._prove(stop)
        for name in replacing:
            self._remove_old(name, stop)
        for first in range(0, len(plan.gone), _BATCH_DOCUMENTS):
            stop.raise_if_set()
            names = plan.gone[first : first + _BATCH_DOCUMENTS]
            self._number += len(names)
            tell(Step(self._number, count, names[-1], "remove"))
            self._remove(names, stop)

    def _bring(self, name: str, stop: Stop) -> None:
        """See to it that a document is on the server, and put it into the batch; or it is in the workspace already."""
        entry = self.ledger.entries.get(name)
        document = read_document(self.root, name)
        if isinstance(document, Refused):  # it has changed in this moment
            self.report.refused.append(document)
            return
        try:
            if entry is not None and entry.digest == document.digest:
                if entry.location in self.held:
                    self._is_in(name, stop)
                    return
                if self.store.exists(entry.location, stop):
                    self._queue(name, len(document.text))
                    return
            location = self.store.upload(document, stop)
        except SidelightError as error:
            self._fail(name, error)
            return
        self.ledger.set(name, Entry(document.digest, location, old=self._replaced(name)))
        self._queue(name, len(document.text))

    def _replaced(self, name: str) -> tuple[str, ...]:
        """Return the locations that a new document of this name replaces."""
        entry = self.ledger.entries.get(name)
        return () if entry is None else (*entry.old, entry.location)

    def _queue(self, name: str, size: int) -> None:
        self._batch.append(name)
        self._size += size

    def _take_in(self, stop: Stop) -> None:
        """Take the batch into the workspace."""
        names, self._batch, self._size = self._batch, [], 0
        self._unproven += names
        try:
            self.store.embed([self.ledger.entries[name].location for name in names], stop)
        except ProviderError as error:
            if error.kind in _HOPELESS:
                raise
            self._wait_for({self.ledger.entries[name].location for name in names}, stop)
            self._prove(stop, error)
            return
        # The listing grows with the workspace: asked for after every batch, it would take longer than all the rest.
        if len(self._unproven) >= max(_BATCH_DOCUMENTS, len(self.held) // _PROVEN_PART):
            self._prove(stop)

    def _prove(self, stop: Stop, error: SidelightError | None = None) -> None:
        """See which documents have come in: that the server says yes to everything is no proof."""
        names, self._unproven = self._unproven, []
        self.held = dict(self.store.held(stop)) if names else self.held
        for name in names:
            if self.ledger.entries[name].location in self.held:
                self._is_in(name, stop)
            else:
                self._fail(name, error or _not_taken_in())

    def _wait_for(self, locations: set[str], stop: Stop) -> None:
        """Wait as long as the server still takes documents in, though nobody tells us any more."""
        waited, missing = 0.0, locations
        while missing and waited < self.patience_s and not stop.wait(self.look_every_s):
            still = locations - self.store.held(stop).keys()
            waited = waited + self.look_every_s if len(still) == len(missing) else 0.0
            missing = still
        stop.raise_if_set()

    def _is_in(self, name: str, stop: Stop) -> None:
        entry = self.ledger.entries[name]
        if not entry.is_embedded:
            self.ledger.set(name, replace(entry, is_embedded=True))
        if self._remove_old(name, stop):
            self.report.done.append(name)

    def _remove_old(self, name: str, stop: Stop) -> bool:
        """Remove what a document replaces, now that it is in; tells whether that worked."""
        entry = self.ledger.entries[name]
        old = [location for location in entry.old if location != entry.location]
        try:
            if old:
                self.store.remove(old, stop)
        except SidelightError as error:
            self._fail(name, error)
            return False
        if entry.old:
            self.ledger.set(name, replace(entry, old=()))
        return True

    def _remove(self, names: Sequence[str], stop: Stop) -> None:
        entries = [self.ledger.entries[name] for name in names]
        try:
            self.store.remove([location for entry in entries for location in (entry.location, *entry.old)], stop)
        except SidelightError as error:
            for name in names:
                self._fail(name, error)
            return
        for name in names:
            self.ledger.set(name, None)
            self.report.done.append(name)

    def _fail(self, name: str, error: SidelightError) -> None:
        """Note that a document failed; the others go on, unless the same would happen to them."""
        if isinstance(error, ProviderError) and error.kind in _HOPELESS:
            raise error
        self.report.failed.append((name, error))


def _not_taken_in() -> ProviderError:
    return ProviderError(
        "other",
        msg("It was uploaded, but the workspace did not take it in."),
        msg("Check the embedding model in AnythingLLM's settings, and its log; then sync again."),
    )
