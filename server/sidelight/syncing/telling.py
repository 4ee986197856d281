"""What stands and what was done, in sentences, for terminals and editors alike."""

from __future__ import annotations

from collections import Counter

from sidelight.messages import Message, msg
from sidelight.syncing.values import Report


def summary_of(report: Report) -> Message:
    """Return what is in step and what is not, in a sentence."""
    plan = report.plan
    return _sentence(
        report,
        [
            msg("{count} in step", count=len(plan.in_step)),
            *_some(len(plan.new), msg("{count} new", count=len(plan.new))),
            *_some(len(plan.changed), msg("{count} changed", count=len(plan.changed))),
            *_some(len(plan.missing), msg("{count} missing in the workspace", count=len(plan.missing))),
            *_some(len(plan.unfinished), msg("{count} not finished", count=len(plan.unfinished))),
            *_some(len(plan.gone), msg("{count} to be removed", count=len(plan.gone))),
            *_some(len(report.refused), msg("{count} left out", count=len(report.refused))),
        ],
    )


def outcome_of(report: Report) -> Message:
    """Return what was done, in a sentence."""
    plan, counts = report.plan, Counter(report.done)
    added, removed = (sum(counts[name] for name in names) for names in (plan.new, plan.gone))
    updated = len(report.done) - added - removed
    told = [
        *_some(added, msg("{count} added", count=added)),
        *_some(updated, msg("{count} updated", count=updated)),
        *_some(removed, msg("{count} removed", count=removed)),
        *_some(len(plan.in_step), msg("{count} unchanged", count=len(plan.in_step))),
        *_some(len(report.failed), msg("{count} failed", count=len(report.failed))),
        *_some(len(report.refused), msg("{count} left out", count=len(report.refused))),
    ]
    return _sentence(report, told or [msg("nothing to do")])


def _some(count: int, told: Message) -> list[Message]:
    """Nobody reads a row of zeros."""
    return [told] if count else []


def _sentence(report: Report, counts: list[Message]) -> Message:
    told, *more = counts
    for count in more:
        told = msg("{counts}, {count}", counts=told, count=count)
    return msg("{workspace}: {counts}.", workspace=report.workspace, counts=told)
