"""What stands and what was done, in sentences, for terminals and editors alike."""

from __future__ import annotations

from collections import Counter

from sidelight.messages import Message, msg
from sidelight.syncing.values import Report


def summary_of(report: Report) -> Message:
    """Return what is in step and what is not, in a sentence."""
    plan = report.plan
    return msg(
        "{workspace}: {in_step} in step, {new} new, {changed} changed, {missing} missing in the workspace, "
        "{unfinished} not finished, {gone} to be removed, {refused} left out.",
        workspace=report.workspace, in_step=len(plan.in_step), new=len(plan.new), changed=len(plan.changed),
        missing=len(plan.missing), unfinished=len(plan.unfinished), gone=len(plan.gone), refused=len(report.refused),
    )  # fmt: skip


def outcome_of(report: Report) -> Message:
    """Return what was done, in a sentence."""
    counts = Counter(report.done)
    added, removed = (sum(counts[name] for name in names) for names in (report.plan.new, report.plan.gone))
    return msg(
        "{workspace}: {added} added, {updated} updated, {removed} removed, {unchanged} unchanged, {failed} failed, "
        "{refused} left out.",
        workspace=report.workspace, added=added, updated=len(report.done) - added - removed, removed=removed,
        unchanged=len(report.plan.in_step), failed=len(report.failed), refused=len(report.refused),
    )  # fmt: skip
