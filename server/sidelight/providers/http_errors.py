"""What requests, urllib3 and sockets raise, in the user's words. Translated here and nowhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

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
        if isinstance(error, (AttributeError, ValueError)) and not isinstance(error, requests.RequestException):
            raise
        raise _provider_error(error, url, started=started) from error
    if stop is not None:
        stop.raise_if_set()


def _provider_error(error: Exception, url: str, *, started: bool) -> ProviderError:
    import requests
    import urllib3

    host = urlsplit(url).netloc
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
            msg("Check HTTP_PROXY and HTTPS_PROXY, or add {host} to NO_PROXY.", host=urlsplit(url).hostname),
        )
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
        return ProviderError(
            "other",
            msg("A SOCKS proxy is configured, and the support for it is not installed."),
            msg("Install PySocks beside Sidelight, or take the SOCKS proxy out of ALL_PROXY."),
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return ProviderError(
            "network",
            msg("{host} did not accept a connection in time.", host=host),
            msg("Check the address and the network; SIDELIGHT_CONNECT_TIMEOUT sets the seconds to wait."),
        )
    return ProviderError(
        "network",
        msg("{host} cannot be reached: {reason}", host=host, reason=_innermost(error)),
        msg("Check that the server runs and that the address is right: {url}", url=url),
    )


def silence(url: str) -> ProviderError:
    """Say that the server has been silent for longer than the limit."""
    return ProviderError(
        "cut_off",
        msg("{host} has not said anything for too long.", host=urlsplit(url).netloc),
        msg("The model may hang or be very slow; SIDELIGHT_SILENCE_TIMEOUT sets the seconds to wait."),
    )


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
    return str(error).rpartition(": ")[2] or type(error).__name__
