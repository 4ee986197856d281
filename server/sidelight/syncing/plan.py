"""What is to be done so that a workspace holds what is chosen. Pure: files, ledger and workspace are values here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sidelight.syncing.ledger import Entry
from sidelight.syncing.names import is_under
from sidelight.syncing.values import Held, Plan


def make_plan(
    digests: Mapping[str, str],
    sources: Mapping[str, str],
    entries: Mapping[str, Entry],
    held: Mapping[str, Held],
    *,
    scope: Iterable[str],
    kept: Iterable[str],
) -> Plan:
    """Compare what is chosen (``digests``, and the ``sources`` they have there) with what is known and what is held.

    Only names under ``scope`` are looked at; of those under ``kept`` nothing is known now, and nothing is removed.
    """
    plan = Plan()
    ours = {entry.location for entry in entries.values()}
    strays = {(it.source, it.digest): it.location for it in held.values() if it.location not in ours}
    for name, digest in digests.items():
        entry = entries.get(name)
        if entry is not None and entry.digest == digest and entry.location in held:
            (plan.in_step if entry.is_embedded and not entry.old else plan.unfinished).append(name)
        elif (stray := strays.get((sources[name], digest))) is not None:
            plan.adopted[name] = stray
            plan.in_step.append(name)
        elif entry is None:
            plan.new.append(name)
        elif entry.digest != digest:
            plan.changed.append(name)
        else:
            (plan.missing if entry.is_embedded else plan.unfinished).append(name)
    scope, kept = tuple(scope), tuple(kept)
    plan.gone = [
        name for name in entries if name not in digests and is_under(name, scope) and not is_under(name, kept)
    ]  # fmt: skip
    return plan
