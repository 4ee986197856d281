"""A stream: one connection whose answer is read while it arrives, and that a stop ends at any moment.

Its sockets are held from the moment they exist and shut down on stop; reading is ``raw.read1``, since other readers
wait for full buffers. The end of a body proves nothing; whether an answer is complete is for the decoder to say.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from sidelight.core.answers import AnswerEvent, Finished
from sidelight.core.stopping import Stop
from sidelight.core.wire.event_stream import LineTooLong
from sidelight.errors import ProviderError
from sidelight.messages import msg
from sidelight.providers.http_errors import silence, translated
from sidelight.providers.http_reply import Reply, is_event_stream, read_some, whole_reply
from sidelight.providers.http_session import new_session

if TYPE_CHECKING:
    import requests

# What may still come after a complete answer, token counts mostly, comes at once; some servers never close.
_GRACE_S = 1.0


class Decoder(Protocol):
    """Bytes in, answer events out; pure. ``finish`` says what is wrong when the answer is not complete."""

    @property
    def is_complete(self) -> bool:
        """Whether the answer is whole, so that nobody need wait for the end of the body."""
        ...

    def feed(self, chunk: bytes) -> list[AnswerEvent]:
        """Take bytes of the body, cut anywhere."""
        ...

    def finish(self) -> list[AnswerEvent]:
        """Say that the body has ended."""
        ...


class Stream:
    """One connection that a stop can end at any moment, from the first packet on."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._sockets: list[socket.socket] = []
        self._session: requests.Session | None = None
        self._response: requests.Response | None = None
        self._forget = stop.on_stop(self._shut_down)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()
        self._shut_down()
        if self._response is not None:
            self._response.close()
        if self._session is not None:
            self._session.close()
        for held in self._sockets:
            held.close()
        # urllib3's pools are reachable from their own finalizers through what we hold: let go, or sockets pile up.
        self._session = self._response = None
        self._sockets.clear()

    def open(self, send: Callable[[requests.Session], requests.Response], url: str) -> requests.Response:
        """Send, and return the response once its headers are there."""
        self._stop.raise_if_set()
        self._session = new_session(self._hold)
        with translated(url, self._stop):
            self._response = send(self._session)
        return self._response

    def events(
        self,
        response: requests.Response,
        decoder: Decoder,
        refusal: Callable[[Reply], ProviderError | None],
        silence_s: float,
        reply: Reply | None = None,
    ) -> Iterator[AnswerEvent]:
        """Yield the events of the body as they arrive; ``reply`` is the body where it has been read already."""
        url = response.url
        if not is_event_stream(response):
            reply = reply or self.whole(response, silence_s)
            if error := refusal(reply):
                raise error
            yield from self._feed(decoder, reply.body)
        heard = monotonic()
        try:
            for chunk in self._chunks(response, decoder):
                if events := self._feed(decoder, chunk):
                    heard = monotonic()
                    yield from events
                elif monotonic() - heard > silence_s:  # comments keep a connection open, but say nothing
                    raise silence(url)
        except ProviderError:
            yield from (held for held in decoder.finish() if not isinstance(held, Finished))
            raise
        self._stop.raise_if_set()
        yield from decoder.finish()

    def whole(self, response: requests.Response, silence_s: float) -> Reply:
        """Read a body that is no stream to its end."""
        with translated(response.url, self._stop):
            return whole_reply(response, silence_s)

    def _chunks(self, response: requests.Response, decoder: Decoder) -> Iterator[bytes]:
        """Yield the bytes of the body; what keeps it open after a complete answer is given little time."""
        grace: threading.Timer | None = None
        try:
            while chunk := self._read(response):
                yield chunk
                if decoder.is_complete and grace is None:
                    grace = threading.Timer(_GRACE_S, self._shut_down)
                    grace.daemon = True
                    grace.start()
        except ProviderError:
            if not decoder.is_complete:
                raise
        finally:
            if grace is not None:
                grace.cancel()

    def _read(self, response: requests.Response) -> bytes:
        """Return the next bytes; empty at the end of the body."""
        with translated(response.url, self._stop, started=True):
            return read_some(response)

    @staticmethod
    def _feed(decoder: Decoder, chunk: bytes) -> list[AnswerEvent]:
        try:
            return decoder.feed(chunk)
        except LineTooLong:
            raise ProviderError(
                "other",
                msg("The server sent a line of more than 16 MiB, which is no answer."),
                msg("Check that the address is the one of the model server's API."),
            ) from None

    def _hold(self, connected: socket.socket) -> None:
        """Keep a duplicate of a new socket: TLS takes the original away, a duplicate can be shut down at any time."""
        duplicate = connected.dup()
        self._sockets.append(duplicate)
        if self._stop.is_set:
            self._shut_down()

    def _shut_down(self) -> None:
        for held in self._sockets:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
