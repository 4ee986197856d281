"""Brings a workspace into step with a root's files, one file after the other, and says what came of it.

What is known is on disk after each file, so that a run which ends anywhere is gone on with by the next. A changed
document is replaced only when the new one is in: first the new one goes up, then it is taken in, then the old one goes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ProviderError, UsageError
from sidelight.messages import msg
from sidelight.syncing.files import Selection, select
from sidelight.syncing.ledger import Ledger, alone
from sidelight.syncing.names import is_under, place_of, source_of
from sidelight.syncing.plan import make_plan
from sidelight.syncing.values import DocumentStore, Report, Tell
from sidelight.syncing.work import Work

Act = Literal["add", "sync", "remove"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: ``add`` and ``remove`` are about ``names`` (below the root; an empty one is all of it).

    ``sync`` is about all that was added before.
    """

    act: Act
    names: tuple[str, ...] = ()


def wishes_of(act: Act, paths: Iterable[Path], folders: Sequence[Path]) -> list[tuple[Path, Wish]]:
    """Return what is wanted of each root that the paths lie in; without paths, of the roots of the opened ``folders``.

    Raises ``UsageError`` for what is to be added and does not exist.
    """
    names: dict[Path, list[str]] = {}
    for path in list(paths) or folders:
        if act == "add" and not os.path.lexists(path):
            raise UsageError(
                msg("{path} does not exist.", path=str(path)), msg("Name files or folders that are there.")
            )
        root, name = place_of(path, folders)
        names.setdefault(root, []).append(name)
    return [(root, Wish(act, () if act == "sync" else tuple(dict.fromkeys(it)))) for root, it in names.items()]


@dataclass(slots=True)
class Syncing:
    """The documents of one root in one workspace. Both methods block, and raise ``SidelightError``.

    ``folder`` is where ledgers are kept.
    """

    root: Path
    store: DocumentStore
    folder: Path

    def perform(self, wish: Wish, tell: Tell, stop: Stop) -> Report:
        """Do it. That it was stopped, or could not go on, is in the report; what was done by then stays done."""
        report = Report("", str(self.root))
        with alone(self.folder, self.root):
            try:
                work, selection = self._prepare(wish, report, stop)
                _keep_in_mind(wish, work.ledger, selection)
                work.ledger.begin()
                report.error = _error_of(work, selection, tell, stop)
            except Stopped:
                report.is_stopped = True
        return report

    def look(self, wish: Wish, stop: Stop) -> Report:
        """Say what is in step, and what would be done; change nothing. Raises ``Stopped``, too."""
        report = Report("", str(self.root))
        self._prepare(wish, report, stop)
        return report

    def _prepare(self, wish: Wish, report: Report, stop: Stop) -> tuple[Work, Selection]:
        """Look at the ledger, the files and the workspace, and put into the report what is to be done."""
        if not self.root.is_dir():  # a drive that is away: what lies there is not gone
            raise UsageError(msg("{path} does not exist.", path=str(self.root)))
        report.workspace = workspace = self.store.workspace(stop)
        ledger = Ledger.read(self.folder, self.store.address, workspace, self.root)
        match wish.act:
            case "add":
                scope, selection = wish.names, select(self.root, wish.names, (), stop)
            case "sync":
                scope, selection = ("",), select(self.root, ledger.asked, ledger.without, stop)
            case "remove":
                _check_known(wish.names, ledger, self.root)
                scope, selection = wish.names, Selection()
        held = self.store.held(stop)
        sources = {name: source_of(self.root, name) for name in selection.digests}
        unreadable = [it.name for it in selection.refused if it.why == "unreadable"]
        plan = make_plan(selection.digests, sources, ledger.entries, held, scope=scope, kept=unreadable)
        report.plan, report.refused, report.is_empty = plan, selection.refused, not (ledger.asked or ledger.entries)
        return Work(self.root, self.store, ledger, report, dict(held)), selection


def _error_of(work: Work, selection: Selection, tell: Tell, stop: Stop) -> ProviderError | None:
    """Do the work; returns why it could not go on."""
    try:
        work.do(selection.digests, tell, stop)
    except ProviderError as error:
        return error
    return None


def _check_known(names: Iterable[str], ledger: Ledger, root: Path) -> None:
    for name in names:
        is_there = is_under(name, ledger.asked) and os.path.lexists(root / name)
        if not is_there and not any(is_under(it, [name]) for it in (*ledger.asked, *ledger.entries)):
            raise UsageError(
                msg("{name} is not among what was added.", name=name or str(root)),
                msg("`sidelight knowledge status` shows what was."),
            )


def _keep_in_mind(wish: Wish, ledger: Ledger, selection: Selection) -> None:
    """Note which files and folders the user wants there from now on."""
    if wish.act == "add":
        refused = {it.name for it in selection.refused}
        ledger.asked |= {name for name in wish.names if name not in refused}
        ledger.without = {name for name in ledger.without if not is_under(name, wish.names)}
    elif wish.act == "remove":
        ledger.asked = {name for name in ledger.asked if not is_under(name, wish.names)}
        ledger.without = {name for name in (*ledger.without, *wish.names) if is_under(name, ledger.asked)}
