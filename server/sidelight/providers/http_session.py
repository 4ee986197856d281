"""Sessions of ``requests`` that take nothing from the environment, and tell of each socket from its first moment.

The environment is applied by hand, in ``http.py``. ``requests`` is imported when the first session is made.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


def new_session(on_socket: Callable[[socket.socket], None] | None = None) -> requests.Session:
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
