"""The one place that opens connections: requests, with cancelling, time limits, TLS, proxies and errors.

Why not plain ``requests.post(stream=True)``: its readers wait for full buffers, nothing can stop a wait for headers,
``.netrc`` replaces our key, and proxy variables catch loopback. So every stream has its own session
(``http_stream.py``, ``http_session.py``), and the environment is applied by hand, here.
"""

from __future__ import annotations

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
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sidelight.core.answers import AnswerEvent, Status
from sidelight.core.ports import Check
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import Message, msg
from sidelight.providers.http_errors import translated
from sidelight.providers.http_reply import Reply, whole_reply
from sidelight.providers.http_session import new_session
from sidelight.providers.http_stream import Decoder, Stream

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

QUICK_S = 5.0
"""For what is asked before the question: a server that is slow here must not hold it up."""

_BACK_OFF_S = 0.5
_LONGEST_WAIT_S = 30.0
_LOADING_S = 0.5
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
            with Stream(stop) as stream:
                response = stream.open(partial(self._send, call=call), call.url)
                with translated(call.url, stop):
                    return whole_reply(response, self._silence_s(call))
        with self._lock:
            is_fresh = self._shared is None
            if self._shared is None:
                self._shared = new_session()
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
            return whole_reply(response, self._silence_s(call))

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
            with Stream(stop) as stream:
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
