"""What servers say when they will not answer, as it may be shown: of any shape, bounded, without keys.

Model servers have at least seven shapes of error bodies, and codes that are numbers, words or null; a provider decides
what its server's words mean, and falls back to what the status means everywhere (``refusal_of``).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sidelight.core.wire.surrogates import whole
from sidelight.errors import ProviderError, ProviderErrorKind
from sidelight.messages import Message, msg, plain
from sidelight.providers.http_reply import Reply

_LONGEST_CHARACTERS = 300
_DEEPEST = 5
_KINDS: dict[int, ProviderErrorKind] = {
    401: "auth", 402: "auth", 403: "auth", 404: "not_found", 408: "overloaded", 413: "too_long", 429: "rate_limit",
    500: "other", 502: "overloaded", 503: "overloaded", 504: "overloaded", 529: "overloaded",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said: its words for people, and its own code and type, lower case, empty where there is none."""

    status: int
    reason: str
    code: str = ""

    @property
    def kind(self) -> ProviderErrorKind:
        """What the status alone means."""
        return _KINDS.get(self.status, "other")


def told(text: str, key: str = "") -> str:
    """Return a server's words as they may be shown: of bounded length, and without the key if it repeats that."""
    text = " ".join(whole(text.replace(key, "***") if key else text).split())
    return text if len(text) <= _LONGEST_CHARACTERS else text[:_LONGEST_CHARACTERS] + "…"


def refusal_of(reply: Reply, key: str = "") -> Refusal:
    """Read a reply that is no answer: JSON of any known shape, or text; a web page has no words worth showing."""
    body = reply.json()
    if body is None:
        text = reply.body.decode("utf-8", "replace")
        is_page = reply.content_type == "text/html" or text.lstrip()[:1] == "<"
        return Refusal(reply.status, "" if is_page else told(text, key))
    return refusal_in(body, reply.status, key)


def refusal_in(body: Any, status: int = 200, key: str = "") -> Refusal:
    """Read an error out of JSON.

    Shapes: ``{"error": {"message", "type", "code"}}``, ``{"error": "text"}``, ``{"detail": "text"}``,
    ``{"detail": [{"msg"}]}``, ``{"code", "message"}``, ``{"message"}``, ``"text"``; any of them within another, also
    as text (Ollama passes its runner's errors on so); ``{"error": true, "message"}``.
    """
    error, outer = _innermost(body), body if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        words = outer.get("message") if isinstance(outer.get("message"), str) else error
        return Refusal(status, told(str(words or ""), key), _code(body))
    words = error.get("message") or error.get("msg") or ""
    return Refusal(_status_in(error, status), told(f"{words}{_cause(error, key)}", key), _code(error) or _code(outer))


def _innermost(error: Any) -> Any:
    """Return the error itself: an object, or text."""
    for _ in range(_DEEPEST):
        if isinstance(error, dict):
            names = ("error",) if error.get("message") else ("error", "errors", "detail")
            inside = next((error[name] for name in names if error.get(name)), None)
            if inside is None or (isinstance(inside, str) and error.get("message") and not _parsed(inside)):
                break
            error = inside
        elif isinstance(error, list):
            error = error[0] if error else ""
        elif isinstance(error, str) and (parsed := _parsed(error)):
            error = parsed
        else:
            break
    return error


def _parsed(text: str) -> dict[str, Any] | None:
    """Return the object that a text holds; None for any other text."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cause(error: dict[str, Any], key: str) -> str:
    """Return what the model's own server said to a gateway (OpenRouter), whose message then tells nothing."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return f": {refusal_in(raw, key=key).reason}" if isinstance(raw, str) and raw else ""


def _status_in(error: dict[str, Any], status: int) -> int:
    """Return the status that an error inside a 200 names as its code."""
    code = str(error.get("code") or error.get("status") or "")
    return int(code) if status == 200 and code.isdigit() and 400 <= int(code) < 600 else status


def _code(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    return " ".join(str(error[name]) for name in ("code", "type") if error.get(name)).lower()


def no_such_model(model: str, known: Iterable[str], whose: str, hint: Message | None = None) -> ProviderError:
    """Say that a model does not exist, and which names there are, the nearest first."""
    names = list(known)
    near = difflib.get_close_matches(model, names, 3, 0.4)
    if near:
        what = msg("{whose} has no model {model}. The nearest names: {names}",
                   whose=whose, model=told(model), names=", ".join(near))  # fmt: skip
    elif names:
        what = msg("{whose} has no model {model}. There are: {names}",
                   whose=whose, model=told(model), names=told(", ".join(names)))  # fmt: skip
    else:
        what = msg("{whose} has no model {model}.", whose=whose, model=told(model))
    return ProviderError("not_found", what, hint or msg("Run `sidelight models` to see what there is, and choose one."))


def reason_of(refusal: Refusal) -> Message:
    """Return the server's words, or its status where it said nothing."""
    return plain(refusal.reason) if refusal.reason else msg("status {status}", status=refusal.status)
