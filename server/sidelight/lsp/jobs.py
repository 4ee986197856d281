"""Running tasks: each is a job with its answer, its delivery and exactly one end.

A job's thread hands events to the event loop here, and nowhere else. Stopping ends the job at once, also while its
thread still hangs in a name look-up: what such a thread says later is not heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Protocol as Interface

from sidelight.core.answers import Answer, AnswerEvent, Finished, Note, Status, Text, still_waiting
from sidelight.core.stopping import Stop
from sidelight.logs import current_job
from sidelight.lsp.client import Client, Progress
from sidelight.messages import Message, msg

log = logging.getLogger(__name__)

Ask = Callable[[Stop, Callable[[AnswerEvent], None]], object]
"""Begins an answer: its events come through the callback, on any thread, until it is finished or stopped."""

_TELL_EVERY_S = 0.5
_SILENCE_TO_TELL_S = 5.0
_DRAIN_S = 0.003


class Delivery(Interface):
    """How an answer reaches the editor. All calls come on the event loop, in order."""

    def receive(self, event: AnswerEvent) -> None:
        """Take the next event, any but ``Finished``. Must not block."""
        ...

    async def finish(self, answer: Answer) -> Message | None:
        """Deliver what remains; ``answer.finished`` says how it ended. Returns a last line for the progress."""
        ...


class Inbox:
    """Carries events from a job's thread to the event loop, many at a time when they come fast."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Callable[[AnswerEvent], None]) -> None:
        self._loop = loop
        self._receive = receive
        self._events: deque[AnswerEvent] = deque()
        self._is_scheduled = False

    def put(self, event: AnswerEvent) -> None:
        """Take an event, on any thread."""
        self._events.append(event)
        if not self._is_scheduled:
            self._is_scheduled = True
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is listening any more
                self._loop.call_soon_threadsafe(self._drain_a_while)

    def drain(self) -> None:
        """Hand on everything that has come, on the loop."""
        self._is_scheduled = False  # before looking: what is put from now on schedules anew
        while self._events:
            self._receive(self._events.popleft())

    def _drain_a_while(self) -> None:
        """Hand on what has come, but leave the loop its other work when events come as fast as they are read."""
        self._is_scheduled = False
        until = self._loop.time() + _DRAIN_S
        while self._events:
            self._receive(self._events.popleft())
            if self._loop.time() > until and self._events:
                self._is_scheduled = True
                self._loop.call_soon(self._drain_a_while)
                return


class Job:
    """One running task: it is prepared, it answers, it is delivered, it ends."""

    def __init__(self, task: str, client: Client, progress: Progress | None = None) -> None:
        self.id = f"{task}-{os.urandom(4).hex()}"
        self.task = task
        self.answer = Answer()
        self._client = client
        self._stop = Stop()
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox(self._loop, self._receive)
        self._finished: asyncio.Future[None] = self._loop.create_future()
        self._progress = progress or Progress(client, self.id, is_ours=True)
        self._delivery: Delivery | None = None
        self._work: asyncio.Task[None] | None = None
        self._heard_at = self._loop.time()
        self._status: Message | None = None
        self._silent: Message | None = None
        self._silence: Message | None = None
        self._words = 0
        self._is_edit = False

    def begin(self, work: Coroutine[None, None, None], ended: Callable[[], None]) -> None:
        """Do the job's work as a task of its own; ``ended`` is called after it, also if it never came to run."""
        self._work = self._loop.create_task(work)
        self._work.add_done_callback(lambda _: ended())

    def stop(self) -> None:
        """End the job now: what has arrived is kept, what comes later is not heard.

        A job that waits for its user, or for the editor to take its edit, waits no longer.
        """
        self._inbox.drain()
        self._stop.set()
        if self._work is not None and (self._delivery is None or self._finished.done()):
            self._work.cancel()
        self._receive(Finished("stopped"))

    @property
    def is_answered(self) -> bool:
        """Whether no more of the answer comes: it is delivered now, or was."""
        return self._finished.done()

    async def ended(self) -> None:
        """Wait until the job's work is over, however it ends."""
        if self._work is not None:
            await asyncio.wait({self._work})

    async def run(self, ask: Ask, delivery: Delivery, title: str, *, is_edit: bool) -> Answer:
        """Answer and deliver; returns the answer. Being cancelled stops the job."""
        current_job.set(self.id)
        log.info("begins: %s", self.task)
        self._delivery = delivery
        self._is_edit = is_edit
        last: Message | None = None
        self._heard_at = self._loop.time()
        if not self._stop.is_set:
            ask(self._stop, self._inbox.put)
        telling = self._loop.create_task(self._tell_progress(title))
        try:
            await self._finished
            last = await delivery.finish(self.answer)
        finally:
            self._stop.set()
            self._progress.end(self._client.write(last) if last else "")
            if not self._progress.is_beginning:
                telling.cancel()
            finished = self.answer.finished
            log.info("ends: %s, %d characters", finished.finish if finished else "cancelled", len(self.answer.text))
        return self.answer

    def has_token(self, token: str | int) -> bool:
        """Whether the job's progress is shown under this token."""
        return self._progress.token == token

    def _receive(self, event: AnswerEvent) -> None:
        if self._finished.done():
            return
        self._heard_at = self._loop.time()
        self.answer.add(event)
        if isinstance(event, Finished):
            self._finished.set_result(None)
            return
        if isinstance(event, Text):
            self._words += _count_words(event.text)
        elif isinstance(event, Status) or (isinstance(event, Note) and event.is_warning):
            self._status = event.message
        self._silent = event.if_silent if isinstance(event, Status) else None
        if self._delivery is not None:
            if self._silence and self._status:
                self._delivery.receive(Status(self._status))
            self._silence = None
            self._delivery.receive(event)

    async def _tell_progress(self, title: str) -> None:
        await self._progress.begin(title)
        while self._progress.is_open or not self._finished.done():
            if line := self._progress_line():
                self._progress.report(self._client.write(line))
            self._tell_silence()
            await asyncio.sleep(_TELL_EVERY_S)

    def _tell_silence(self) -> None:
        """Say where the answer stands, too, that nothing comes: not everybody looks at the progress."""
        silence_s = self._loop.time() - self._heard_at
        if self._delivery is None or self._finished.done() or silence_s <= _SILENCE_TO_TELL_S:
            return
        line = still_waiting(self._silent, silence_s)
        if line != self._silence:
            self._silence = line
            self._delivery.receive(Status(line))

    def _progress_line(self) -> Message | None:
        if self._finished.done():  # nobody waits for the model any more, but for the editor or its user
            return msg("waiting until the edit is taken") if self._is_edit else None
        silence_s = self._loop.time() - self._heard_at
        if silence_s > _SILENCE_TO_TELL_S:
            return still_waiting(self._silent, silence_s)
        if self._words:
            return msg("{count} words", count=self._words)
        return self._status


def _count_words(text: str) -> int:
    """Return about how many words the text has; in scripts without spaces each character counts as one."""
    return len(text.split()) + (0 if text.isascii() else sum(character >= "\u2e80" for character in text))


class Jobs:
    """The jobs that are running, in the order in which they began."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._jobs: dict[str, Job] = {}
        self._changed = changed

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def add(self, job: Job) -> None:
        """Count a job as running."""
        self._jobs[job.id] = job
        self._changed()

    def remove(self, job: Job) -> None:
        """Count a job as ended."""
        self._jobs.pop(job.id, None)
        self._changed()

    def stop(self, job_id: str | None) -> bool:
        """Stop a job by its id, or the latest; tells whether there was one to stop."""
        job = self._jobs.get(job_id) if job_id else next(reversed(self._jobs.values()), None)
        if job is None:
            return False
        job.stop()
        return True

    def stop_by_token(self, token: str | int) -> bool:
        """Stop the job whose progress has this token; tells whether there is one."""
        found = [job for job in self if job.has_token(token)]
        for job in found:
            job.stop()
        return bool(found)

    def stop_all(self) -> None:
        """Stop every job."""
        for job in self:
            job.stop()
