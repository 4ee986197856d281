"""JSON-RPC with LSP's life cycle, on pygls' dispatch and lsprotocol's types.

pygls finds handlers, structures their parameters and cancels them. Done here, because pygls 2.1 does otherwise: every
bad message is answered with the right code, requests have their order (initialize first, none after shutdown), errors
carry no traceback, and a request to the client always ends, by a time limit if by nothing else.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import cached_property, partial
from typing import Any

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol.json_rpc import JsonRPCProtocol
from pygls.server import JsonRPCServer

from sidelight.errors import SidelightError
from sidelight.logs import without_secrets
from sidelight.lsp.framing import BadFraming, Incoming, NotJson, Received, TooLarge, encode_message
from sidelight.messages import Translator, msg

log = logging.getLogger(__name__)

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
# Eglot (Emacs 28) leaves a request that came together with the answer to a command lying until more output comes; a
# notification that begins with $/ is output which every client may ignore.
_NUDGE_AFTER_S = 0.3

# VS Code makes links of these in whatever it tells its user; a click on the first one runs something.
_COMMANDS = re.compile(r"\]\((?=(?:command|file):)", re.IGNORECASE)

NOT_INITIALIZED, CANCELLED, REQUEST_FAILED = -32002, -32800, -32803


class ClientError(Exception):
    """The client answered a request of ours with an error, or not at all in time."""


class ClientSilentError(ClientError):
    """No answer came in time; what was asked for may still happen."""


class InvalidParams(JsonRpcInvalidParams):
    """The parameters or arguments of a request are wrong; the message says how."""


class Protocol(JsonRPCProtocol):
    """Receives what the transport has decoded, and sends what handlers return."""

    def __init__(self, server: JsonRPCServer, _converter: None) -> None:
        super().__init__(server, _converter)  # type: ignore[arg-type]
        self.translate: Translator = str
        self.handlers: dict[str, Callable[..., Any]] = {}
        self._phase = "new"  # then "initialized", then "shut down"
        self._ids = itertools.count(1)
        self._asked: dict[str, asyncio.Future[Any]] = {}

    @property
    def is_shut_down(self) -> bool:
        """Whether the client has sent ``shutdown``."""
        return self._phase == "shut down"

    @cached_property
    def converter(self) -> Converter:
        """The converter between JSON and lsprotocol's types. Made at first use: ``initialize`` does without."""
        return make_converter()

    # From the client

    def receive(self, incoming: Iterable[Incoming]) -> None:
        """Handle what has come, in order. Runs on the event loop."""
        for item in incoming:
            match item:
                case Received(value):
                    self._receive_value(value)
                case NotJson():
                    self._send_error(None, PARSE_ERROR, "The message is not JSON in UTF-8.")
                case TooLarge(announced):
                    log.warning("skipped a message of %d bytes, which is over the limit", announced)
                    self._send_error(None, INVALID_REQUEST, f"The message has {announced} bytes, over the limit.")
                case BadFraming():
                    log.warning("skipped bytes that are no message, to the next Content-Length header")

    def _receive_value(self, value: Any) -> None:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("received %s", _loggable(value))
        if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
            return self._send_error(_id_of(value), INVALID_REQUEST, "Not a JSON-RPC 2.0 message.")
        method = value.get("method")
        if isinstance(method, str) and ("id" not in value or _id_of(value) is not None):
            return self._receive_call(value, method)
        if method is None and "id" in value and ("result" in value or "error" in value):
            return self._receive_answer(value)
        self._send_error(_id_of(value), INVALID_REQUEST, "Neither a request, a notification nor an answer.")

    def _receive_call(self, message: dict[str, Any], method: str) -> None:
        id_ = message.get("id")
        if refused := self._refused_now(method):
            if id_ is not None:
                self._send_error(id_, *refused)
            return None
        if id_ is not None and method not in self.handlers:
            return self._send_error(id_, METHOD_NOT_FOUND, f"There is no method {method}.")
        try:
            params = self._params(message, method)
        except JsonRpcInvalidParams:
            log.warning("the parameters of %s are wrong", method)
            if id_ is not None:
                self._send_error(id_, INVALID_PARAMS, f"The parameters of {method} are wrong.")
            return None
        if id_ is None:
            self._handle_notification(method, params)
        else:
            self._handle_request(id_, method, params)

    def _refused_now(self, method: str) -> tuple[int, str] | None:
        """Return code and message of the error where the life cycle does not allow ``method`` now."""
        if method == types.EXIT:
            return None
        if self._phase == "shut down":
            return INVALID_REQUEST, "The server is shutting down."
        if self._phase == "new" and method != types.INITIALIZE:
            return NOT_INITIALIZED, "The first request must be initialize."
        if self._phase == "initialized" and method == types.INITIALIZE:
            return INVALID_REQUEST, "The server is initialized already."
        return None

    def _params(self, message: dict[str, Any], method: str) -> Any:
        """Return the parameters as lsprotocol's type; of ``initialize`` and methods of ours, as plain JSON."""
        if method == types.INITIALIZE or self.get_message_type(method) is None:
            return message.get("params")
        message.setdefault("params", None)
        return getattr(self.structure_message(message), "params", None)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return a message as lsprotocol's type; anything that does not fit is a wrong parameter."""
        kind = self.get_message_type(data["method"])
        assert kind is not None
        try:
            return self.converter.structure(data, kind)
        except Exception as error:  # cattrs raises whatever the conversion of a part raised
            raise JsonRpcInvalidParams from error

    def get_message_type(self, method: str) -> type[Any] | None:
        """Return lsprotocol's type for a method, or None."""
        found: type[Any] | None = types.METHOD_TO_TYPES.get(method, (None,))[0]
        return found

    def _handle_request(self, msg_id: Any, method_name: str, params: Any) -> None:
        answer = partial(self._send_handler_result, msg_id=msg_id)
        self._execute_handler(msg_id, self.handlers[method_name], answer, args=(params,))

    def _handle_notification(self, method_name: str, params: Any) -> None:
        if method_name == types.CANCEL_REQUEST:
            return self._handle_cancel_notification(params.id)
        handler = self.handlers.get(method_name)
        if handler is not None:
            self._execute_handler(f"n{next(self._ids)}", handler, partial(_log_failure, method_name), args=(params,))

    def _handle_cancel_notification(self, msg_id: Any) -> None:
        if future := self._request_futures.get(msg_id):
            future.cancel()

    def _send_handler_result(self, future: Future[Any], *, msg_id: Any) -> None:
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            return self._send_error(msg_id, CANCELLED, "Cancelled.")
        error = future.exception()
        if error is None:
            return self._send_data({"jsonrpc": "2.0", "id": msg_id, "result": self.plain(future.result())})
        if isinstance(error, SidelightError):
            hint = without_commands(self.translate(error.hint)) if error.hint else None
            data = {"kind": error.kind, "hint": hint}
            return self._send_error(msg_id, REQUEST_FAILED, self.translate(error.message), data)
        if isinstance(error, JsonRpcException):
            return self._send_error(msg_id, error.code, error.message)
        log.error("a request failed in a way that it should not", exc_info=error)
        told = msg("Sidelight made a mistake ({name}).", name=type(error).__name__)
        self._send_error(msg_id, INTERNAL_ERROR, self.translate(told))

    # To the client

    def set_phase(self, phase: str) -> None:
        """Say where in its life the server is: ``initialized`` or ``shut down``."""
        self._phase = phase

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification."""
        self._send_data({"jsonrpc": "2.0", "method": method, "params": params})

    async def ask(self, method: str, params: dict[str, Any] | None, timeout_s: float) -> Any:
        """Send a request and return the result as plain JSON; raises ``ClientError`` for an error or no answer."""
        id_ = f"s{next(self._ids)}"
        future = self._asked[id_] = asyncio.get_running_loop().create_future()
        self._send_data({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        nudge = asyncio.get_running_loop().call_later(_NUDGE_AFTER_S, self.tell, "$/nudge", {})
        try:
            return await asyncio.wait_for(future, timeout_s)
        except asyncio.TimeoutError:
            raise ClientSilentError(f"no answer to {method} within {timeout_s:g} s") from None
        finally:
            nudge.cancel()
            self._asked.pop(id_, None)

    def _receive_answer(self, message: dict[str, Any]) -> None:
        future = self._asked.get(str(message["id"]))
        if future is None or future.done():
            log.info("an answer to nothing that was asked, or too late")
        elif error := message.get("error"):
            told = error.get("message") if isinstance(error, dict) else error
            future.set_exception(ClientError(str(told)))
        else:
            future.set_result(message.get("result"))

    def _send_error(self, msg_id: Any, code: int, message: str, data: Any = None) -> None:
        error = {"code": code, "message": without_commands(message)} | ({"data": data} if data is not None else {})
        self._send_data({"jsonrpc": "2.0", "id": msg_id, "error": error})

    def _send_data(self, data: Any) -> None:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("sent %s", without_secrets(data))
        if self.writer is not None:
            self.writer.write(encode_message(data))

    def plain(self, result: Any) -> Any:
        """Return a value as plain JSON: handlers give that, or lsprotocol's types."""
        if result is None or isinstance(result, (dict, str, bool, int)):
            return result
        return self.converter.unstructure(result)


def without_commands(text: str) -> str:
    """Return a text that some editor may show with links, without those which run a command or open a file.

    Names of files and words of servers are in what users are told, and nobody knows who wrote these.
    """
    return _COMMANDS.sub("]\N{WORD JOINER}(", text)


def _loggable(message: Any) -> Any:
    """Return a message without secrets; what carries a key in a form that nobody expects is not shown at all."""
    if isinstance(message, dict) and message.get("method") == "sidelight/connect":
        params = message.get("params")
        return without_secrets({**message, "params": params if isinstance(params, dict) else "***"})
    return without_secrets(message)


def _id_of(message: Any) -> str | int | None:
    id_ = message.get("id") if isinstance(message, dict) else None
    return id_ if isinstance(id_, (str, int)) and not isinstance(id_, bool) else None


def _log_failure(method: str, future: Future[Any]) -> None:
    if not future.cancelled() and (error := future.exception()):
        log.error("the notification %s failed", method, exc_info=error)


def make_converter() -> Converter:
    """Return the converter between JSON and lsprotocol's types."""
    from lsprotocol import converters

    return converters.get_converter()


def make_protocol(handlers: dict[str, Callable[..., Any]]) -> Protocol:
    """Return a protocol that answers with these handlers: method -> function of its parameters."""
    protocol = JsonRPCServer(Protocol, lambda: None).protocol  # type: ignore[arg-type, return-value]
    assert isinstance(protocol, Protocol)
    protocol.handlers = handlers
    return protocol
