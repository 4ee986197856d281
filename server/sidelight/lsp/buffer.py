"""Brings the lines of a region into the editor's buffer: one versioned edit at a time, seen to arrive.

An editor's yes proves nothing (Neovim says it for edits that it drops), and its no may only mean that the user was
faster. So after each edit the buffer is looked at, and what did not arrive is planned anew on what stands there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

from sidelight.editing.live_plan import Plan, Splice, TouchedError
from sidelight.editing.live_region import LiveRegion
from sidelight.editing.text import Place, Range
from sidelight.lsp.client import Client
from sidelight.lsp.delivery import edit_of, with_confirmation
from sidelight.lsp.documents import Document, Documents
from sidelight.messages import Message, msg

# Neovim sends its didChange up to 150 ms after an edit, Eglot when idle for 500 ms.
_ARRIVAL_S = 3.0
_ARRIVAL_AFTER_ANOTHER_CHANGE_S = 0.7
_AFTER_A_REFUSAL_S = 1.0
# Refusals while nothing else has changed: the editor does not want it. While the user types, each edit may come too
# late, but nobody types for a minute without a pause.
_REFUSALS_WITHOUT_REASON = 3
_GIVE_UP_S = 60.0
# Kate tells of changes more than half a second late.
_QUIET_S = 1.5
_QUIET_AT_MOST_S = 20.0

_BOM = "\ufeff"


ADVICE = msg("Tick what you want, then apply it.")
"""What a preview says beside its title."""

Answered = Literal["applied", "refused", "outdated"]
"""What became of an edit that the user was to confirm; outdated: the document was changed before it was refused."""


class UnwrittenError(Exception):
    """The buffer cannot or must not be written to any further; ``reason`` is for the user.

    ``is_certain`` where it is known that nothing of what was offered has been written, or ever will be.
    """

    def __init__(self, reason: Message, *, is_certain: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_certain = is_certain


class BufferWriter:
    """Writes one region of an open document, and follows it while the user types."""

    def __init__(self, client: Client, documents: Documents, document: Document, place: Range, label: str) -> None:
        self._client = client
        self.document = document
        self._label = label
        padded, before, after = _with_neighbours(document, place)
        self._place = document.track(padded, grows=True)
        self.region = LiveRegion(document.text.lines_in(padded), document.text.line_end, before=before, after=after)
        self.region.splices_at_once = client.can.splices_at_once
        self._changed = asyncio.Event()
        self._forget = documents.listen(self._look)
        self._is_closed = not document.is_open
        self.is_over = False
        self._offered: Plan | None = None
        self._applied: list[str] | None = None
        self._loop = asyncio.get_running_loop()
        self._next_at = 0.0
        self._changed_at = self._loop.time() - _QUIET_S

    @property
    def first_line(self) -> int:
        """The document's line that the region's first line is now."""
        return self._place.range.start.line

    @property
    def target(self) -> Range:
        """Where the part that is written is now, without its neighbours."""
        return self.place_of(*self.region.target)

    @property
    def unfinished(self) -> Range:
        """Where the part is that an answer which broke off has not replaced."""
        return self.place_of(self.region.unfinished_first, self.region.target[1])

    def step_aside(self) -> None:
        """Stand in no other edit's way any more; what the user decides about an offer is still awaited."""
        self.is_over = True

    def close(self) -> None:
        """Follow the region no longer."""
        self.is_over = True
        self._forget()
        self.document.untrack(self._place)

    def place_of(self, first: int, end: int) -> Range:
        """Return where the region's lines ``first`` up to ``end`` are."""
        return Range(self._start_of(first), self._start_of(end))

    async def drain(self, *, every_s: float = 0) -> None:
        """Do all the region's waiting steps, with edits at least ``every_s`` apart. Raises ``UnwrittenError``."""
        while await self.write(self.region.plan):
            self._next_at = self._loop.time() + every_s

    async def write(self, make: Callable[[], Plan]) -> bool:
        """Write one plan, made anew as often as it takes. Tells whether it changed anything.

        Raises ``UnwrittenError``.
        """
        groundless, begun = 0, self._loop.time()
        while True:
            await asyncio.sleep(self._next_at - self._loop.time())
            await self._wait_for_quiet()
            async with self.document.edits:  # one edit under way in a document, whoever's it is
                version = self.document.version
                next_plan = self._checked(make)
                self.region.send(next_plan)
                if not next_plan.splices or await self._has_arrived(next_plan):
                    return bool(next_plan.splices)
                self.region.give_up()
            groundless = groundless + 1 if self.document.version == version else 0
            if groundless >= _REFUSALS_WITHOUT_REASON or self._loop.time() - begun > _GIVE_UP_S:
                raise UnwrittenError(msg("The editor did not take the edit."))

    async def offer(self, make: Callable[[], Plan], title: str) -> Answered:
        """Let the user confirm one plan in the client; what of it stands afterwards is what was written.

        Other edits of the document go on meanwhile, and the user may type: then the client refuses it. Raises
        ``UnwrittenError``.
        """
        plan = self._checked(make)
        if not plan.splices:
            return "applied"
        version = self.document.version
        self._offered, self._applied = plan, None
        try:
            edit = with_confirmation(self._edit(plan), title, self._client.write(ADVICE))
            applied = await self._client.try_edit(edit, self._label)
            if applied:
                await self._wait_for_change_after(version)
        finally:
            self._offered = None
        if self._is_closed and not (applied and self._applied):
            raise UnwrittenError(msg("{name} was closed meanwhile.", name=self.document.name), is_certain=not applied)
        if applied is None:
            raise UnwrittenError(msg("The editor did not answer."))
        now = self.document.text.lines_in(self._place.range)
        if not applied or self.document.version == version:  # a yes to nothing at all is a no
            self.region.see(now)
            return "refused" if self.document.version == version else "outdated"
        self.region.send(self.region.plan_lines(self._applied or now, is_exact=True))
        self.region.believe()
        self.region.see(now)
        return "applied"

    async def _wait_for_change_after(self, version: int | None) -> None:
        """Wait until the client has told of an edit that it says it has applied."""
        deadline = self._loop.time() + _ARRIVAL_S
        while self.document.version == version and not self._is_closed and self._loop.time() < deadline:
            self._changed.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), deadline - self._loop.time())

    async def _wait_for_quiet(self) -> None:
        """Let a user of an editor that checks no versions type to an end: an edit that comes between would be wrong."""
        if self._client.can.checks_versions:
            return
        until = self._loop.time() + _QUIET_AT_MOST_S
        while (wait_s := min(self._changed_at + _QUIET_S, until) - self._loop.time()) > 0:  # noqa: ASYNC110, for silence
            await asyncio.sleep(wait_s)

    def _checked(self, make: Callable[[], Plan]) -> Plan:
        if self._is_closed:
            raise UnwrittenError(msg("{name} was closed meanwhile.", name=self.document.name))
        if self.region.is_undone:
            raise UnwrittenError(msg("The edit was undone in {name}.", name=self.document.name))
        try:
            return make()
        except TouchedError:
            name = self.document.name
            raise UnwrittenError(msg("{name} was changed at that place meanwhile.", name=name)) from None

    async def _has_arrived(self, plan: Plan) -> bool:
        """Send a plan, and see whether it arrives."""
        self._changed.clear()
        can = self._client.can
        applied = await self._client.try_edit(self._edit(plan), self._label)
        if applied:
            self._changed.clear()  # what came before the answer may have been sent before the edit was applied
        if applied is None and self.region.sent is not None:
            raise UnwrittenError(msg("The editor did not answer."))
        if applied and self.region.sent is not None and not can.document_changes:
            # Where versions do not guard against applying an edit twice, a client's yes is believed.
            self.region.believe()
        deadline = self._loop.time() + (_ARRIVAL_S if applied else _AFTER_A_REFUSAL_S)
        while self.region.sent is not None and not self._is_closed:
            try:
                await asyncio.wait_for(self._changed.wait(), deadline - self._loop.time())
            except asyncio.TimeoutError:
                break
            self._changed.clear()
            if not applied:
                break
            deadline = min(deadline, self._loop.time() + _ARRIVAL_AFTER_ANOTHER_CHANGE_S)
        return self.region.sent is None

    def _edit(self, plan: Plan) -> dict[str, Any]:
        edits = [
            {
                "range": self.document.lsp_range(self.place_of(splice.first, splice.end)),
                "newText": "".join(splice.lines),
            }
            for splice in plan.splices
        ]
        return edit_of(self.document, edits, document_changes=self._client.can.document_changes)

    def _start_of(self, line: int) -> Place:
        place = self._place.range
        if line == 0:
            return place.start
        return place.end if line >= len(self.region.lines) else Place(place.start.line + line, 0)

    def _look(self, document: Document) -> None:
        """Take in what has become of the region."""
        if document is not self.document:
            return
        if not document.is_open:
            self._is_closed = True
        elif self._offered is not None:
            self._look_at_offered(self._offered)
        elif not document.is_changing:
            self.region.see(document.text.lines_in(self._place.range))
        else:
            self._look_between()
        self._changed.set()
        self._changed_at = self._loop.time()

    def _look_at_offered(self, plan: Plan) -> None:
        """Remember what the client has written of an offer: what the user types after it is not ours.

        The rest is looked at when the user has decided.
        """
        now = self.document.text.lines_in(self._place.range)
        if not self.document.is_changing and now != self.region.lines and _is_in_part(plan, self.region.lines, now):
            self._applied = now

    def _look_between(self) -> None:
        """Between the parts of one ``didChange``, only look whether the edit has arrived.

        Neovim and Eglot tell of an edit, and of its undo by a user who was quick, at once.
        """
        sent, range_ = self.region.sent, self._place.range
        # Counted first: many parts of a large region would make many looks.
        if sent is None or range_.end.line - range_.start.line not in (len(sent.lines), len(sent.lines) - 1):
            return
        if self.document.text.lines_in(range_) == sent.lines:
            self.region.believe()


def _is_in_part(plan: Plan, lines: Sequence[str], now: Sequence[str]) -> bool:
    """Whether some of the plan's splices, and nothing else, make of the lines those that stand now."""
    ends, last = {0}, 0  # up to where the lines that stand now can be explained
    for splice in (*plan.splices, Splice(len(lines), len(lines), [])):
        kept, old = lines[last : splice.first], lines[splice.first : splice.end]
        starts = {end + len(kept) for end in ends if now[end : end + len(kept)] == kept}
        ends = {start + len(part) for start in starts for part in (old, splice.lines)
                if now[start : start + len(part)] == part}  # fmt: skip
        last = splice.end
    return len(now) in ends


def _with_neighbours(document: Document, place: Range) -> tuple[Range, int, int]:
    """Return the place with the lines before and after it, where there are any, and how many these are.

    A byte order mark stays outside.
    """
    lines, start, end = document.text.lines, place.start, place.end
    before = after = 0
    if start.line > 0:
        start, before = Place(start.line - 1, 0), 1
    if end.line + 1 < len(lines):
        end, after = Place(end.line + 1, 0), 1
    elif end < document.text.end:
        end, after = document.text.end, 1
    if start == (0, 0) and lines[0].startswith(_BOM) and end > (0, 0):
        start = Place(0, 1)
    return Range(start, end), before, after
