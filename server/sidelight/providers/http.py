"""The one place that opens connections: requests, with cancelling, time limits, TLS, proxies and errors.

Why not plain ``requests.post(stream=True)``: its readers wait for full buffers, nothing can stop a wait for headers,
``.netrc`` replaces our key, and proxy variables catch loopback. So: every stream has its own session whose sockets are
held from the moment they exist and shut down on stop; reading is ``raw.read1``; environment is applied by hand.
The end of a body proves nothing; whether an answer is complete is for the provider's decoder to say.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import os
import random
import socket
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from sidelight.core.answers import AnswerEvent, Finished, Status
from sidelight.core.ports import Check
from sidelight.core.stopping import Stop, Stopped
from sidelight.core.wire.event_stream import LineTooLong
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import Message, msg
from sidelight.providers.http_errors import silence, translated

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

_READ_BYTES = 65536
_BODY_BYTES = 16 << 20
_BACK_OFF_S = 0.5
_LONGEST_WAIT_S = 30.0
_LOADING_S = 0.5
# What may still come after a complete answer, token counts mostly, comes at once; some servers never close.
_GRACE_S = 1.0
# Statuses by which a server or a proxy in front of it says "not now"; nothing has been answered yet.
_TRY_AGAIN = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """What the user set about connections. Times in seconds; ``headers`` go with every request."""

    connect_s: float = 5.0
    silence_s: float = 300.0
    retries: int = 2
    ca_file: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``body`` is sent as JSON when it is neither None nor bytes.

    ``silence_s`` 0, and at most, is the user's own.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    silence_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: status, content type without parameters, body, and where a redirect points."""

    status: int
    content_type: str
    body: bytes
    location: str = ""

    def json(self) -> Any:
        """Return the body as JSON, or None when it is something else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


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


class Http:
    """Sends requests as the options say. One per provider; safe to use from several threads."""

    def __init__(self, options: HttpOptions, stop: Stop | None = None) -> None:
        """Take the options; ``stop`` ends every short call that is not given one of its own."""
        self.options = options
        self._stop = stop
        self._shared: requests.Session | None = None
        self._lock = threading.Lock()

    def fetch(self, call: Call, stop: Stop | None = None) -> Reply:
        """Send a short call and return the whole reply, whatever its status. Raises ``ProviderError`` (network).

        With a ``stop``, it gets a connection of its own that can be ended at any moment; then ``Stopped`` is raised.

        Connections are kept for the next call. One that the server closed meanwhile fails; then it is sent again.
        """
        stop = stop or self._stop
        if stop is not None:
            with _Stream(stop) as stream:
                response = stream.open(partial(self._send, call=call), call.url)
                with translated(call.url, stop):
                    return _reply(response, _body(response, self._silence_s(call)))
        with self._lock:
            is_fresh = self._shared is None
            if self._shared is None:
                self._shared = _session()
                weakref.finalize(self, self._shared.close)  # settings that change make a new Http; this one just goes
            session = self._shared
        try:
            return self._fetch(session, call)
        except ProviderError as error:
            if is_fresh or error.kind != "network" or call.method != "GET":
                raise
            return self._fetch(session, call)

    def _fetch(self, session: requests.Session, call: Call) -> Reply:
        with translated(call.url), self._send(session, call) as response:
            return _reply(response, _body(response, self._silence_s(call)))

    def _silence_s(self, call: Call) -> float:
        return min(call.silence_s or self.options.silence_s, self.options.silence_s)

    def answer(
        self,
        call: Call,
        decoder: Decoder,
        stop: Stop,
        refusal: Callable[[Reply], ProviderError | None],
        is_loading: Callable[[Reply], bool] = lambda _reply: False,
    ) -> Iterator[AnswerEvent]:
        """Send a request and yield the events that ``decoder`` makes of its body, as the bytes arrive.

        ``refusal`` looks at a reply that is not an event stream (any status) and says what it means; None lets the
        decoder have it. While nothing has arrived, refused connections and "not now" are tried again with back-off;
        ``is_loading`` tells a 503 that will pass by itself, which may last as long as silence. Raises ``Stopped``, or
        ``ProviderError``.
        """
        attempt, began, said = 0, monotonic(), None
        while True:
            with _Stream(stop) as stream:
                try:
                    response = stream.open(partial(self._send, call=call), call.url)
                except ProviderError as error:
                    wait_s = self._wait_before_next(attempt, None)
                    if error.kind != "network" or wait_s is None:
                        raise
                    told = Status(_trying_again(error.message, wait_s))
                else:
                    is_short = response.status_code == 503 and monotonic() - began < self.options.silence_s
                    reply = stream.whole(response, self.options.silence_s) if is_short else None
                    if reply is not None and is_loading(reply):
                        wait_s, told, attempt = _LOADING_S, _loading(), attempt - 1
                    else:
                        wait_s = self._wait_before_next(attempt, response)
                        if wait_s is None:
                            yield from stream.events(response, decoder, refusal, self.options.silence_s, reply)
                            return
                        answered = msg("The server answered {status}.", status=response.status_code)
                        told = Status(_trying_again(answered, wait_s))
            if told != said:
                log.info("%s", told.message)
                yield told
            said = told
            attempt += 1
            if stop.wait(wait_s):
                raise Stopped

    def checks(self, url: str) -> Iterator[Check]:
        """Say, for the doctor, by which way requests to ``url`` go and whose certificates are trusted."""
        proxy = self.proxy_for(url)
        if proxy:
            yield Check("note", msg("Requests to {host} go through the proxy {proxy}.", host=host_of(url),
                                    proxy=host_of(proxy)))  # fmt: skip
        else:
            yield Check("ok", msg("Requests to {host} go there directly, without a proxy.", host=host_of(url)))
        trusted = self._certificates()  # a file that is missing is told in any case
        if url.startswith("https:"):
            whose = trusted if isinstance(trusted, str) else msg("the usual authorities")
            yield Check("note", msg("Its certificate has to be signed by {whose}.", whose=whose))

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy that a request to ``url`` goes through: the user's variables, never for loopback."""
        if is_loopback(url):
            return None
        from requests.utils import get_environ_proxies, select_proxy

        proxy: str | None = select_proxy(url, get_environ_proxies(url))
        return proxy

    def _wait_before_next(self, attempt: int, response: requests.Response | None) -> float | None:
        """Return how long to wait before trying again, or None when this was the last try or a real answer."""
        if attempt >= self.options.retries or (response is not None and response.status_code not in _TRY_AGAIN):
            return None
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        if asked.isascii() and asked.isdigit():
            return float(asked) if int(asked) <= _LONGEST_WAIT_S else None
        return _BACK_OFF_S * (1 << attempt) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing

    def _send(self, session: requests.Session, call: Call) -> requests.Response:
        proxy = self.proxy_for(call.url)
        return session.request(
            call.method,
            call.url,
            data=_written(call.body),
            headers={**self.options.headers, **_OUR_HEADERS, **call.headers},
            timeout=(self.options.connect_s, self._silence_s(call)),
            allow_redirects=False,  # a redirect would carry headers and code to another host
            proxies={"http": proxy, "https": proxy} if proxy else {},
            verify=self._certificates() if call.url.startswith("https:") else True,
            stream=True,
        )

    def _certificates(self) -> str | bool:
        """Return the CA file to trust: the setting, else the variables that requests and OpenSSL users know."""
        variables = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        chosen = self.options.ca_file or next((os.environ[name] for name in variables if os.environ.get(name)), "")
        if chosen and not os.path.exists(chosen):
            raise ConfigurationError(
                msg("The certificate file {path} does not exist.", path=chosen),
                msg("Correct SIDELIGHT_CA_FILE (or REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE)."),
            )
        return chosen or True


def _written(body: Any) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode("ascii")


def _loading() -> Status:
    loading = msg("the server is loading the model")
    return Status(loading, if_silent=loading)


def _trying_again(reason: Message, wait_s: float) -> Message:
    return msg("Trying again in {seconds} s: {reason}", reason=reason, seconds=f"{wait_s:.1f}")


# identity: a server that compresses without flushing would hold every delta back.
_OUR_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "sidelight"}


class _Stream:
    """One connection that a stop can end at any moment, from the first packet on."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._sockets: list[socket.socket] = []
        self._session: requests.Session | None = None
        self._response: requests.Response | None = None
        self._forget = stop.on_stop(self._shut_down)

    def __enter__(self) -> _Stream:
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
        self._session = _session(self._hold)
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
        if not _is_event_stream(response):
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
            return _reply(response, _body(response, silence_s))

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
            return _read_some(response)

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


def host_of(url: str) -> str:
    """Return host and port of an address, without what else may stand there (a password, say)."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own, in any of its spellings: no proxy is asked for it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(host))  # 127.1, as C libraries read it
        except OSError:
            return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or address.is_unspecified


def _session(on_socket: Callable[[socket.socket], None] | None = None) -> requests.Session:
    """Return a session that takes nothing from the environment and reports each socket as soon as it is connected."""
    import requests
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            _report_sockets(self.poolmanager, on_socket)

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **kwargs)
            _report_sockets(manager, on_socket)
            return manager

    session = requests.Session()
    session.trust_env = False  # .netrc would replace our key, proxy variables would catch loopback
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return session


def _report_sockets(manager: Any, on_socket: Callable[[socket.socket], None] | None) -> None:
    """Make every connection of a urllib3 pool manager report its TCP socket, before TLS begins."""
    if on_socket is None:
        return
    report = on_socket

    def reporting(pool: Any) -> Any:
        class Connection(pool.ConnectionCls):  # type: ignore[misc]
            def _new_conn(self) -> socket.socket:
                connected: socket.socket = super()._new_conn()
                report(connected)
                return connected

        return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

    manager.pool_classes_by_scheme = {
        scheme: reporting(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _read_some(response: requests.Response) -> bytes:
    """Return the next bytes of a body as soon as there are any; empty at its end."""
    raw = response.raw
    while True:
        chunk: bytes = raw.read1(_READ_BYTES, decode_content=True)
        if chunk or raw.closed:
            return chunk


def _body(response: requests.Response, seconds: float) -> bytes:
    """Return a whole body, or as much as any answer has; one that drips for longer than ``seconds`` is given up."""
    parts, size, began = [], 0, monotonic()
    while size < _BODY_BYTES and (chunk := _read_some(response)):
        parts.append(chunk)
        size += len(chunk)
        if monotonic() - began > seconds:
            raise silence(response.url)
    return b"".join(parts)


def _is_event_stream(response: requests.Response) -> bool:
    """Whether the body may be a stream: some servers and proxies leave the content type out, or make it plain text."""
    streams = ("text/event-stream", "application/x-ndjson", "text/plain", "")
    return response.status_code == 200 and _content_type(response) in streams


def _content_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _reply(response: requests.Response, body: bytes) -> Reply:
    return Reply(response.status_code, _content_type(response), body, response.headers.get("Location", ""))


def redirect_error(reply: Reply, setting: str) -> ProviderError:
    """Say where a redirect pointed; ``setting`` is the address to change."""
    return ProviderError(
        "other",
        msg("The server sends us on to {location}.", location=reply.location or "?"),
        msg("Redirects are not followed, so that keys and code stay where you sent them. Set {setting} to the "
            "address itself.", setting=setting),
    )  # fmt: skip
