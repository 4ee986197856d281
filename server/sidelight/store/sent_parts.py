"""What was sent with a turn, as JSON and back.

A reason is its template and values, so that it can still be said in any language; where this version has not the
template any more, it is said as it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sidelight.core.ports import SentPart
from sidelight.messages import Message, plain
from sidelight.store.packing import pack

_TEMPLATE, _VALUES = "template", "values"


def pack_parts(parts: Sequence[SentPart]) -> bytes:
    """Return the parts as the table has them."""
    return pack(json.dumps([[it.kind, it.name, _value(it.why), it.tokens, it.where] for it in parts]))


def unpack_parts(text: str) -> tuple[SentPart, ...]:
    """Return the parts again; what is not one is left out."""
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(part for it in found if (part := _part(it)) is not None) if isinstance(found, list) else ()


def _part(value: Any) -> SentPart | None:
    match value:
        case [str(kind), str(name), dict(why), int(tokens), str(where)]:
            return SentPart(kind, name, _message(why), tokens, where)  # type: ignore[arg-type]  # a later version's
        case _:
            return None


def _value(value: Any) -> Any:
    if isinstance(value, Message):
        return {_TEMPLATE: value.template, _VALUES: {name: _value(it) for name, it in value.values.items()}}
    return value if isinstance(value, (str, int, float)) else str(value)


def _message(value: dict[str, Any]) -> Message:
    """Return the message; a template that cannot be filled stands for itself."""
    template, values = str(value.get(_TEMPLATE, "")), value.get(_VALUES)
    given = values if isinstance(values, dict) else {}
    message = Message(template, {name: _message(it) if isinstance(it, dict) else it for name, it in given.items()})
    try:
        str(message)
    except (LookupError, ValueError, AttributeError, TypeError):
        return plain(template)
    return message
