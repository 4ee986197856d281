"""Delivers an edit task's answer into the buffer: line by line while it arrives (live), or at its end (once).

With a preview, all of it is shown at the end, and the user says what is written.

The document is the user's: where the user's own text stands in the way, the edit stops where it is, and the whole
answer becomes a page. What was written can be reviewed afterwards (``reviews.py``).
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Literal, Protocol

from lsprotocol import types

from sidelight.core.answers import Answer, AnswerEvent, Finished, Text
from sidelight.core.rewrite import Outcome, Progress, Rewrite
from sidelight.editing.live_plan import Plan
from sidelight.lsp.buffer import Answered, BufferWriter, UnwrittenError
from sidelight.lsp.client import Client
from sidelight.lsp.delivery import failure, not_applied
from sidelight.messages import Message, msg

Mode = Literal["live", "once", "preview"]

# Fast enough to look alive; in most editors each edit is an undo step of its own, and a redraw.
_EVERY_S = 0.05
# Some hundred lines: they are read in less than 5 ms.
_SLICE_CHARACTERS = 4096
# How long a job that was stopped waits for the editor to take the edit that is under way.
_STOPPED_S = 1.0


class Aftermath(Protocol):
    """What a live edit asks of the session around it."""

    async def before_first_edit(self) -> None:
        """Keep the document's text as it is now."""
        ...

    async def after_last_edit(self) -> None:
        """Keep the document's text as the edit left it."""
        ...

    async def no_edit(self) -> None:
        """Forget the kept text: nothing was edited."""
        ...

    async def show_page(self, answer: Answer, told: Message) -> None:
        """Show the whole answer as a page, and say why."""
        ...

    def review(self, writer: BufferWriter, answer: Answer, outcome: Outcome) -> None:
        """Let the user review what was written, and what was not."""
        ...

    def keep_answer(self, writer: BufferWriter, answer: Answer) -> None:
        """Let the user have the answer that was not wanted in the document."""
        ...

    def do_later(self, work: Coroutine[None, None, None]) -> None:
        """Do what is left to do after the job has ended; it is cancelled when the server ends."""
        ...


class LiveEdit:
    """A delivery, see ``jobs.Delivery``."""

    def __init__(
        self,
        client: Client,
        writer: BufferWriter,
        rewrite: Rewrite,
        mode: Mode,
        aftermath: Aftermath,
        *,
        title: str = "",
        obstacle: Message | None = None,
    ) -> None:
        """Take what is needed; with an ``obstacle``, nothing is written, and the answer becomes a page.

        ``title`` is what a preview is called.
        """
        self._client = client
        self._writer = writer
        self._region = writer.region
        self._rewrite = rewrite
        self._mode = mode
        self._aftermath = aftermath
        self._writing: asyncio.Task[None] | None = None
        self._is_prepared = False
        self._unread: deque[AnswerEvent] = deque()
        self._obstacle = obstacle
        self._title = title
        self._answered: Answered = "applied"
        self._deciding: asyncio.Task[None] | None = None
        self._outcome = Outcome("nothing")
        self._is_left_open = False

    def receive(self, event: AnswerEvent) -> None:
        """Take what the event adds, and see that it is written."""
        is_reading = bool(self._unread)
        self._unread += _sliced(event)
        if not is_reading:
            self._read()

    def _read(self) -> None:
        """Read the next slice of the answer; a long piece is read in several goes, so that the loop stays free."""
        self._take(self._rewrite.feed(self._unread[0]))
        self._unread.popleft()
        if self._unread:
            asyncio.get_running_loop().call_soon(self._read)
        is_writing = self._writing is not None and not self._writing.done()
        if self._mode == "live" and self._region.has_changes and self._obstacle is None and not is_writing:
            self._writing = asyncio.ensure_future(self._write())

    def _take(self, progress: Progress) -> None:
        if progress.is_rewound:
            self._region.rewind()
        self._region.queue(progress.steps)

    async def _write(self) -> None:
        """Write what waits. Where that is not possible, the edit stops here, and the answer is only listened to."""
        try:
            await self._prepare()
            await self._writer.drain(every_s=_EVERY_S)
        except UnwrittenError as error:
            self._obstacle = error.reason

    async def _prepare(self) -> None:
        if not self._is_prepared:
            await self._aftermath.before_first_edit()
            self._is_prepared = True

    async def finish(self, answer: Answer) -> Message | None:
        """Complete the edit as far as that is safe, and say what was not."""
        finished = answer.finished or Finished("cut_off")
        try:
            while self._unread:  # noqa: ASYNC110, the turns of the loop are what it waits for
                await asyncio.sleep(0)
            last, outcome = await asyncio.to_thread(self._rewrite.finish, finished)
            await self._finish_writing(is_stopped=finished.finish == "stopped")
            if finished.finish == "stopped" and not self._region.is_written:
                outcome = replace(outcome, kind="nothing")
            if self._obstacle is None:
                self._take(last)
                await self._complete(outcome)
            await self._conclude(answer, outcome)
            return await self._tell(answer, outcome)
        except asyncio.CancelledError:
            # Stopped while the last edit was under way: nobody knows whether the editor still applies it.
            await asyncio.shield(self._leave_open(answer) if self._is_deciding else self._break_off(answer))
            return msg("stopped")
        finally:
            if self._writing is not None:
                self._writing.cancel()
            if not self._is_left_open:
                self._writer.close()

    async def _finish_writing(self, *, is_stopped: bool) -> None:
        """Wait for what is being written; who has stopped the job does not wait for a silent editor."""
        if self._writing is None:
            return
        done, _ = await asyncio.wait({self._writing}, timeout=_STOPPED_S if is_stopped else None)
        if not done:
            self._writing.cancel()
            self._obstacle = msg("The editor did not answer.")

    async def _conclude(self, answer: Answer, outcome: Outcome) -> None:
        if self._is_prepared:
            await self._aftermath.after_last_edit()
        if self._answered == "refused":
            return self._aftermath.keep_answer(self._writer, answer)
        if self._answered == "outdated":
            outcome = Outcome("nothing")
        if outcome.kind != "same" and answer.text:
            self._aftermath.review(self._writer, answer, outcome)

    async def _break_off(self, answer: Answer) -> None:
        """Let what is written be reviewed, and the answer be read."""
        await self._conclude(answer, Outcome("partial", reason=msg("It was stopped.")))
        await self._aftermath.show_page(answer, not_applied(msg("It was stopped."), in_part=self._region.is_written))

    async def _complete(self, outcome: Outcome) -> None:
        """Write the end of the answer, or take back what was written of it."""
        region = self._region
        try:
            if outcome.kind in ("nothing", "same"):
                region.forget_steps()
                await self._writer.write(region.plan_back)
                return
            if self._mode == "preview":
                await self._offer(outcome)
                return
            await self._prepare()
            if outcome.lines is not None:
                lines = outcome.lines
                await self._writer.write(lambda: region.plan_lines(region.with_target(lines)))
                return
            (region.queue_final if outcome.kind == "whole" else region.queue)(outcome.steps)
            await self._writer.drain()
        except UnwrittenError as error:
            self._obstacle = error.reason

    async def _offer(self, outcome: Outcome) -> None:
        """Let the user decide on all of it; a no is final, and no failure."""
        region, make = self._region, self._region.plan
        if outcome.lines is not None:
            lines = outcome.lines
            make = lambda: region.plan_lines(region.with_target(lines))  # noqa: E731
        else:
            (region.queue_final if outcome.kind == "whole" else region.queue)(outcome.steps)
            region.splices_at_once = sys.maxsize
        await self._prepare()
        self._outcome = outcome
        self._deciding = asyncio.ensure_future(self._decide(make))
        await asyncio.shield(self._deciding)  # the user can still apply what is shown when the job is stopped

    async def _decide(self, make: Callable[[], Plan]) -> None:
        """Wait for what the user says to the preview."""
        try:
            self._answered = await self._writer.offer(make, self._title)
            is_off = self._answered != "applied"
        except UnwrittenError as error:
            self._obstacle, is_off = error.reason, error.is_certain
            self._is_prepared = False  # what has become of the text, nobody knows
        if is_off:
            self._is_prepared = False
            await self._aftermath.no_edit()

    @property
    def is_declined(self) -> bool:
        """Whether the user looked at a preview, and did not want it."""
        return self._answered == "refused"

    @property
    def _is_deciding(self) -> bool:
        return self._deciding is not None and not self._deciding.done()

    async def _leave_open(self, answer: Answer) -> None:
        """Let the job end before its preview does."""
        self._is_left_open = True
        self._writer.step_aside()
        self._aftermath.do_later(self._conclude_later(answer))
        told = msg("It was stopped, but its preview is still open: what you apply there is written.")
        await self._aftermath.show_page(answer, told)

    async def _conclude_later(self, answer: Answer) -> None:
        assert self._deciding is not None
        try:
            await self._deciding
            await self._conclude(answer, self._outcome)
        except asyncio.CancelledError:  # the server ends: nobody is there any more to hear what the user says
            await self._aftermath.no_edit()
        finally:
            self._writer.close()

    async def _tell(self, answer: Answer, outcome: Outcome) -> Message:
        """Say how it went; returns a last line for the progress."""
        is_stopped = answer.finished is not None and answer.finished.finish == "stopped"
        if self._answered != "applied":
            return self._tell_refusal()
        reason = self._obstacle or outcome.reason
        if not answer.text and not is_stopped:
            self._client.show_error(failure(answer))
            return msg("failed")
        is_quiet = is_stopped and self._obstacle is None and (self._region.is_written or not answer.text)
        if reason is not None and not is_quiet:
            in_part = bool(self._region.written())
            await self._aftermath.show_page(answer, not_applied(reason, in_part=in_part))
            return msg("stopped") if is_stopped else msg("applied in part") if in_part else msg("not applied")
        if is_stopped:
            return msg("stopped")
        if outcome.kind == "same":
            self._client.show(types.MessageType.Info, msg("The answer changes nothing here."))
            return msg("nothing to change")
        if outcome.has_more:
            await self._aftermath.show_page(answer, msg("The answer holds more code, which was not applied."))
        elif self._region.has_lost:
            await self._aftermath.show_page(
                answer, msg("The answer was changed while it was written; this is the whole.")
            )
        return msg("applied")

    def _tell_refusal(self) -> Message:
        if self._answered == "outdated":
            name = self._writer.document.name
            told = msg("{name} was changed while the preview was open, so the editor did not take the edit.", name=name)
            hint = msg("“Apply anyway” at that place keeps what you have typed; “Show the whole answer” has the code.")
            self._client.show(types.MessageType.Warning, told, hint)
        return msg("not applied")


def _sliced(event: AnswerEvent) -> Iterator[AnswerEvent]:
    if not isinstance(event, Text) or len(event.text) <= _SLICE_CHARACTERS:
        yield event
        return
    for start in range(0, len(event.text), _SLICE_CHARACTERS):
        yield Text(event.text[start : start + _SLICE_CHARACTERS])
