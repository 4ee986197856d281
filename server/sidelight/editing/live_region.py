"""The lines of a document that an edit is writing, while the user types in them too.

State is compared, never guessed from events: what stands in the buffer now, against what stood there and what was sent
to it. So it does not matter how an editor cuts, merges or delays its changes. Lines keep their line ends. Knows no LSP;
``lsp/buffer.py`` carries the plans (``live_plan.py``) into the editor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sidelight.editing.line_diff import Delete, Hunk, Insert, Keep, Step, hunks
from sidelight.editing.live_marks import OURS, USERS, USERS_VERSION, old_line
from sidelight.editing.live_plan import Final, Plan, Work, plan_back, plan_lines
from sidelight.editing.live_written import Written, joined, written_hunks

_GIVEN_UP_KEPT = 3


class LiveRegion:
    """Some lines of a document, and the steps that are still to be taken in them.

    One plan at a time is ``sent``; ``see`` says what stands in the buffer, and finds out whether the plan has arrived.
    Lines that the user has changed or written are the user's: they are kept where the edit keeps the line or writes
    beside it, and a step that would remove one raises ``TouchedError``. ``is_undone`` once the user has taken back what
    the latest edit wrote, ``has_lost`` once a line of ours does not stand any more as it was written.

    ``before`` and ``after`` are how many lines at the ends are only looked at, not written: what is typed at the
    borders of the part that is written then has a place.
    """

    def __init__(self, lines: Sequence[str], line_end: str, *, before: int = 0, after: int = 0) -> None:
        self.lines = list(lines)
        self.sent: Plan | None = None
        self.is_undone = False
        self.has_lost = False
        self.splices_at_once = 100
        self.old = tuple(lines)
        self.marks = list(range(len(self.lines)))
        self.line_end = line_end
        self.first, self.end = before, len(lines) - after
        self.front = self.next_old = before
        self.inserted = 0
        self.doomed: set[int] = set()
        self._removed_by_user: set[int] = set()
        self._steps: list[Step | Final] = []
        self._has_written = False
        self._latest_written: Counter[str] = Counter()
        self._latest_removed: Counter[str] = Counter()
        self._given_up: list[Plan] = []

    # What is to be done

    def queue(self, steps: Iterable[Step]) -> None:
        """Let these steps follow the ones before."""
        under_way = self.sent.steps if self.sent is not None else 0
        for step in steps:
            last = self._steps[-1] if len(self._steps) > under_way else None
            if isinstance(step, Keep) and isinstance(last, Keep):
                self._steps[-1] = Keep(last.count + step.count)
            else:
                self._steps.append(step)

    def queue_final(self, steps: Iterable[Step]) -> None:
        """Let the last steps follow: from now on it is known that what the answer leaves out is to go."""
        self.queue(steps)
        self._steps.append(Final())

    def rewind(self) -> None:
        """Begin at the first line again; only while nothing is written and nothing is under way."""
        assert not self.is_written
        self._steps.clear()
        self.front = self.next_old = self.first
        self.doomed.clear()

    def forget_steps(self) -> None:
        """Do nothing of what is still to be done."""
        self._steps.clear()

    @property
    def has_steps(self) -> bool:
        """Whether something is still to be done."""
        return bool(self._steps)

    @property
    def has_changes(self) -> bool:
        """Whether something is still to be done that shows."""
        return any(isinstance(step, (Insert, Delete)) for step in self._steps)

    @property
    def is_written(self) -> bool:
        """Whether anything of ours was sent to the buffer."""
        return self._has_written or self.sent is not None

    def plan(self) -> Plan:
        """Return what the waiting steps do to the lines as they are. Raises ``TouchedError``.

        Of very many, the first ones: an editor answers an edit of thousands of places with as many changes, and neither
        side does anything else meanwhile. No splices means that there are no steps left.
        """
        work = Work(self)
        for count, step in enumerate(self._steps, 1):
            work.take(step)
            if work.splices >= self.splices_at_once:
                return work.plan(count)
        return work.plan(len(self._steps))

    def plan_back(self) -> Plan:
        """Return what takes everything of ours back, and leaves what the user has written."""
        return plan_back(self, self.written(), len(self._steps))

    def plan_lines(self, lines: Sequence[str], *, is_exact: bool = False) -> Plan:
        """Return what makes the lines these. Raises ``TouchedError`` where that would remove one of the user's.

        The last line keeps its line end, or the lack of it, unless ``is_exact``.
        """
        return plan_lines(self, lines, len(self._steps), is_exact=is_exact)

    def with_target(self, target: Sequence[str]) -> list[str]:
        """Return the lines with others, which come without line ends, in the place of the part that is written.

        Lines that stand there already keep their own line ends.
        """
        first, end = self.target
        ends = {line.rstrip("\r\n"): line[len(line.rstrip("\r\n")) :] for line in reversed(self.lines[first:end])}
        new = (line + (ends.get(line) or self.line_end) for line in target)
        return [*self.lines[:first], *new, *self.lines[end:]]

    # What stands in the buffer

    def send(self, plan: Plan) -> None:
        """Take note that the plan is on its way. One without splices has arrived."""
        self.sent = plan
        if not plan.splices:
            self._adopt(plan)

    def give_up(self) -> None:
        """Wait for the plan no longer: its steps are to be done still. It may yet arrive."""
        if self.sent is not None:
            self._given_up = [self.sent, *self._given_up[: _GIVEN_UP_KEPT - 1]]
        self.sent = None

    def believe(self) -> None:
        """Take the plan as arrived, where nobody will say so."""
        if self.sent is not None:
            self._adopt(self.sent)

    def see(self, now: Sequence[str]) -> None:
        """Take the lines as they stand in the buffer."""
        now = list(now)
        if self.sent is not None and self._is_part_of(self.sent, now):
            return
        if (arrived := self._arrived(now)) is not None:
            self._adopt(arrived)
        if now == self.lines:
            return
        found = hunks(self.lines, now)
        self.is_undone = self.is_undone or self._undoes_last(found, now)
        self._take_users(found, now)

    def _is_part_of(self, plan: Plan, now: list[str]) -> bool:
        """Whether some of the plan's splices have arrived and the others have not: they are under way.

        Some editors tell of each place by itself, from the last to the first or the other way round.
        """
        if len(plan.splices) < 2 or now in (self.lines, plan.lines):
            return False
        for splices in (plan.splices, plan.splices[::-1]):
            lines = list(self.lines)
            shift = 0
            for splice in splices:
                at = splice.first + shift
                lines[at : at + splice.end - splice.first] = splice.lines
                if splices is plan.splices:
                    shift += len(splice.lines) - (splice.end - splice.first)
                if len(lines) == len(now) and lines == now:
                    return True
        return False

    def _arrived(self, now: list[str]) -> Plan | None:
        """Return the plan that the lines show: the one that is sent, or one that was given up too early."""
        plans = [plan for plan in (self.sent, *self._given_up) if plan is not None]
        if not plans or now == self.lines:
            return None
        for plan in plans:
            if now == plan.lines:
                return plan
        nearest = min(plans, key=lambda plan: _distance(plan.lines, now))
        return nearest if _distance(nearest.lines, now) < _distance(self.lines, now) else None

    def _adopt(self, plan: Plan) -> None:
        if plan.splices:
            written = Counter(line for splice in plan.splices for line in splice.lines)
            removed = Counter(line for splice in plan.splices for line in self.lines[splice.first : splice.end])
            self._latest_written, self._latest_removed = written - removed, removed - written
            self._has_written = True
        if plan.is_back:
            first, end = self.target
            self.first, self.end = first, end + len(plan.lines) - len(self.lines)
            self.old = tuple(plan.lines)
            self._removed_by_user.clear()
        self.lines, self.marks = plan.lines, plan.marks
        self.front, self.next_old, self.inserted = plan.front, plan.next_old, plan.inserted
        del self._steps[: plan.steps]
        self.sent = None
        self._given_up.clear()

    def _undoes_last(self, found: list[Hunk], now: list[str]) -> bool:
        """Whether a change takes away all that the latest edit wrote, and brings back no more than what it removed."""
        removed: Counter[str] = Counter()
        added: Counter[str] = Counter()
        for hunk in found:
            gone = self.lines[hunk.first : hunk.end]
            if not self._latest_written or any(line in self._latest_written for line in gone):
                removed.update(gone)
                added.update(now[hunk.new_first : hunk.new_end])
        written, deleted = self._latest_written, self._latest_removed
        return bool(written or deleted) and not written - removed and not deleted - added and not added - deleted

    def _take_users(self, found: list[Hunk], now: list[str]) -> None:
        """Make the buffer's lines ours to work with: what differs is the user's."""
        for hunk in reversed(found):
            olds = [old for mark in self.marks[hunk.first : hunk.end] if (old := old_line(mark)) is not None]
            count = hunk.new_end - hunk.new_first
            self.has_lost = self.has_lost or self._loses(hunk, "".join(now[hunk.new_first : hunk.new_end]))
            self._removed_by_user.update(olds[count:])
            # The last of them, so that a line which was broken in two is passed as a whole.
            marks = [USERS_VERSION - old for old in olds[:count]]
            self.marks[hunk.first : hunk.end] = [USERS] * (count - len(marks)) + marks
            self.front = _moved(self.front, hunk)
        self.lines = now

    def _loses(self, hunk: Hunk, text: str) -> bool:
        """Whether the user has changed a line of ours, and not only typed before or after it."""
        ours = (n for n in range(hunk.first, hunk.end) if self.marks[n] == OURS)
        return any(self.lines[n].strip() not in text for n in ours)

    # What was done

    def written(self, most: int | None = None) -> list[Written]:
        """Return what of ours stands in the lines, as hunks; what the user removed himself is not part of it.

        With ``most``, neighbours are joined, with the lines between them, until there are no more hunks than that.
        """
        found = written_hunks(self.lines, self.marks, self.old, self._removed_by_user)
        return joined(found, self.lines, most) if most else found

    @property
    def target(self) -> tuple[int, int]:
        """The part that is written: its first line, and the line after it."""
        inside = [index for index, mark in enumerate(self.marks) if self._is_inside(mark)]
        return (inside[0], inside[-1] + 1) if inside else (self.front, self.front)

    def _is_inside(self, mark: int) -> bool:
        old = old_line(mark)
        return mark == OURS or (old is not None and self.first <= old < self.end)

    @property
    def unfinished_first(self) -> int:
        """The first line of what an answer that broke off has not replaced: after the last line that it kept."""
        first = self.front
        while first > 0 and self.marks[first - 1] == OURS:
            first -= 1
        return first


def _moved(front: int, hunk: Hunk) -> int:
    """Return where the front stands after the user changed a hunk; what is typed at the front comes after it."""
    count = hunk.new_end - hunk.new_first
    if hunk.end <= front and hunk.first < front:
        return front + count - (hunk.end - hunk.first)
    return min(front, hunk.first + count) if hunk.first < front else front


def _distance(one: list[str], other: list[str]) -> int:
    """Return how many characters one would type and delete to come from one to the other, about."""
    return sum(
        _span("".join(one[hunk.first : hunk.end]), "".join(other[hunk.new_first : hunk.new_end]))
        for hunk in hunks(one, other)
    )


def _span(one: str, other: str) -> int:
    """Return the length of the part in which two texts differ, from the first difference to the last, in both."""
    least = min(len(one), len(other))
    head = next((i for i in range(least) if one[i] != other[i]), least)
    tail = next((i for i in range(least - head) if one[-1 - i] != other[-1 - i]), least - head)
    return len(one) + len(other) - 2 * (head + tail)
