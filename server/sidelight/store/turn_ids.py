"""The ids of turns: a conversation's id and a turn's number in one integer, as ``migrations.py`` has it."""

from __future__ import annotations

_NUMBER_BITS = 20
LAST_NUMBER = (1 << _NUMBER_BITS) - 1
TITLE = 0
"""The number that stands for a conversation's title in the index of words."""


def turn_id(conversation: int, number: int) -> int:
    """Return the id of a conversation's turn."""
    return conversation << _NUMBER_BITS | number


def number_of(id_: int) -> int:
    """Return a turn's number within its conversation."""
    return id_ & LAST_NUMBER
