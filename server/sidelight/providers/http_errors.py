"""What requests, urllib3 and sockets raise, in the user's words. Translated here and nowhere else."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ProviderError
from sidelight.messages import msg


def _timeouts() -> tuple[type[BaseException], ...]:
    import requests
    import urllib3

    return (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)


@contextlib.contextmanager
def translated(url: str, stop: Stop | None = None, *, started: bool = False) -> Iterator[None]:
    """Turn what requests, urllib3 and sockets raise into ``ProviderError``, or into ``Stopped`` after a stop.

    ``started``: the body has begun, so that the answer is cut off and not merely unreachable.
    """
    import requests
    import urllib3

    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, AttributeError, ValueError) as error:
        if stop is not None and stop.is_set:
            raise Stopped from error
        if _is_about_a_header(error):
            raise _header_error() from None  # the original may hold a header's value, and tracebacks are logged
        theirs = (requests.RequestException, urllib3.exceptions.HTTPError)
        if isinstance(error, (AttributeError, ValueError)) and not isinstance(error, theirs):
            raise
        raise _provider_error(error, url, started=started) from error
    if stop is not None:
        stop.raise_if_set()


def _provider_error(error: Exception, url: str, *, started: bool) -> ProviderError:
    import requests
    import urllib3

    host = _host(url)
    if _is_connect_timeout(error):
        return ProviderError(
            "network",
            msg("{host} did not accept a connection in time.", host=host),
            msg("Check the address and the network; SIDELIGHT_CONNECT_TIMEOUT sets the seconds to wait."),
        )
    if isinstance(error, _timeouts()):
        return silence(url)
    if started:
        return ProviderError(
            "cut_off",
            msg("The connection to {host} broke before the answer was complete.", host=host),
            msg("What came so far is kept. Try again; if it happens often, look at the server's log and at proxies."),
        )
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return ProviderError(
            "other",
            msg("No secure connection to {host}: {reason}", host=host, reason=_innermost(error)),
            msg("If the server has its own certificate authority, set SIDELIGHT_CA_FILE to its PEM file."),
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return ProviderError(
            "network",
            msg("The proxy did not let a request to {host} through: {reason}", host=host, reason=_innermost(error)),
            msg("Check HTTP_PROXY and HTTPS_PROXY, or add {host} to NO_PROXY.", host=_split(url).hostname or host),
        )
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
        return ProviderError(
            "other",
            msg("A SOCKS proxy is configured, and the support for it is not installed."),
            msg("Install PySocks beside Sidelight, or take the SOCKS proxy out of ALL_PROXY."),
        )
    return ProviderError(
        "network",
        msg("{host} cannot be reached: {reason}", host=host, reason=_innermost(error)),
        msg("Check that the server runs and that the address is right: {url}", url=_shown(url)),
    )


def silence(url: str) -> ProviderError:
    """Say that the server has been silent for longer than the limit."""
    return ProviderError(
        "cut_off",
        msg("{host} has not said anything for too long.", host=_host(url)),
        msg("The model may hang or be very slow; SIDELIGHT_SILENCE_TIMEOUT sets the seconds to wait."),
    )


def _is_about_a_header(error: BaseException) -> bool:
    """Whether requests or http.client refused a header; what they say of it quotes its value."""
    import requests

    if isinstance(error, UnicodeEncodeError):
        return error.encoding != "idna"  # hosts are encoded so; headers as ASCII and Latin-1
    return isinstance(error, requests.exceptions.InvalidHeader) or (
        type(error) is ValueError and str(error).startswith("Invalid header")
    )


def _header_error() -> ProviderError:
    return ProviderError(
        "other",
        msg("A header cannot be sent."),
        msg("Check SIDELIGHT_HEADERS and the key: they may hold only printable Latin-1 characters, on one line."),
    )


def _is_connect_timeout(error: BaseException) -> bool:
    """Whether the time ran out before there was a connection, TLS included: urllib3 tells that as a read timeout."""
    import requests

    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return any("handshake operation timed out" in str(inner) for inner in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, ProviderError):  # that one belongs to an earlier try
        yield inner
        inner = inner.__cause__ or inner.__context__


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "?", "", "", "")


def _host(url: str) -> str:
    """Return host and port, without user name and password."""
    return _split(url).netloc.rpartition("@")[2]


def _shown(url: str) -> str:
    """Return the address without what may be secret in it."""
    return _split(url)._replace(netloc=_host(url), query="", fragment="").geturl()


def _innermost(error: BaseException) -> str:
    """Return the operating system's own words, out of the wrappings of requests and urllib3."""
    inner: BaseException | None = error
    while inner is not None:
        error = inner
        reason = getattr(inner, "reason", None)
        wrapped = next((arg for arg in inner.args if isinstance(arg, BaseException)), None)
        inner = reason if isinstance(reason, BaseException) else wrapped
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = str(error).rpartition(": ")[2] or type(error).__name__
    # Addresses are quoted whole, those of proxies too, with the password in them or a key in the query.
    return re.sub(r".*@\S*|\S+\?\S*", "***", words)
