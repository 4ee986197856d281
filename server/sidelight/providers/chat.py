"""What chat APIs have in common, whoever made them: messages with roles, and counts of tokens."""

from __future__ import annotations

from sidelight.core.ports import Prompt
from sidelight.core.wire.surrogates import whole


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """Return the prompt as messages: the standing orders, earlier turns, and what is asked now."""
    said = [("system", prompt.system)] if prompt.system else []
    for exchange in prompt.earlier:
        said += [("user", exchange.user), ("assistant", exchange.assistant)]
    said.append(("user", prompt.user))
    return [{"role": role, "content": whole(text)} for role, text in said]


def count_of(value: object) -> int | None:
    """Return a count as servers send it; None for anything else."""
    return value if isinstance(value, int) else None
