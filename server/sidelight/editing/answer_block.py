"""A block of an answer: its lines while it is open, which fences count in it, and where it may have ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sidelight.editing.candidate import is_sentinel
from sidelight.editing.docstrings import OpenString
from sidelight.editing.fences import Fence, code_blocks, fence_in
from sidelight.editing.languages import language_of

# Tags that name no language.
_NO_LANGUAGE = ("", "code")
_ENDS_CODE = tuple(")]}>;,_\"'")
# "akin": the code if it turns out to be about the target, since a part of that stood in the block before it.
Role = Literal["code", "akin", "held", "other"]


class Block:
    """A block of the answer that is still open.

    ``pending`` are its lines from a fence on which may be the end of the block or a line of it.
    """

    def __init__(self, fence: Fence, role: Role, *, holds_fences: bool, string: OpenString) -> None:
        self.fence = fence
        self.role = role
        self.holds_fences = holds_fences and len(fence.mark) == 3
        self.string = string
        self.depth = 0
        self.is_quoting = False  # in a tagged block inside a string
        self.pending: list[str] = []
        self.glued: list[str] = []  # from a line on that has a fence behind its code
        self.backticks = 0
        self.lines: list[str] = []  # of a held block
        self.checksum = 0
        self.is_closed = False
        self.is_ambiguous = False

    @property
    def is_untagged(self) -> bool:
        """Whether its tag names no language."""
        return is_untagged(self.fence)

    def content(self, line: str) -> str:
        """Return a line of the block without the indentation of its opening fence, as far as it has that."""
        column = self.fence.column
        return line[:column].lstrip(" \t") + line[column:] if column else line

    def fence_in(self, line: str) -> Fence | None:
        """Return the line as a fence that counts in this block: of its kind, and at least as long."""
        fence = fence_in(line, self.fence.column)
        if fence is None or not fence.is_same_kind(self.fence):
            return None
        return without_sentinel(fence)

    def has_glued_fence(self, line: str) -> bool:
        """Whether the line has what would close the block, were it not directly behind a line of code."""
        code = line.rstrip("`")
        size = len(line) - len(code)
        if size < len(self.fence.mark) or self.fence.mark[0] != "`" or self.depth or self.holds_fences:
            return False
        if (self.backticks + code.count("`")) % 2 or not (code[-1:].isalnum() or code[-1:] in _ENDS_CODE):
            return False
        return not self.string.is_open and not self.string.would_be_open(code)

    def fences_in(self, lines: Sequence[str]) -> list[Fence]:
        """Return the fences among the lines that count in this block."""
        return [fence for line in lines if (fence := self.fence_in(line))]

    def end_in(self, pending: Sequence[str], target: Sequence[str]) -> int | None:
        """Return which of the pending lines is the closing fence; None where that is not known.

        ``target`` are the lines that the code replaces.
        """
        fences = [(n, fence) for n, line in enumerate(pending) if (fence := self.fence_in(line))]
        if len(fences) == 1:
            return 0
        later = list(code_blocks("\n".join(pending[1:])))
        if all(found.language and found.is_closed for found in later):
            return 0
        nested = bare_pairs([fence for _, fence in fences[:-1]])
        own = bare_pairs(self.fences_in(target))
        if nested and not fences[-1][1].info and nested == own:
            return fences[-1][0]
        return None


def is_untagged(fence: Fence) -> bool:
    """Whether a fence names no language."""
    return language_of(fence.info) in _NO_LANGUAGE


def without_sentinel(fence: Fence) -> Fence:
    """Return a fence without the special token that a model put directly behind it."""
    return Fence(fence.column, fence.mark, "") if is_sentinel(fence.info) else fence


def bare_pairs(fences: Sequence[Fence]) -> int:
    """Return how many of the blocks that these fences make have no tag; 0 where they do not come out even."""
    pairs = 0
    is_inside = False
    for fence in fences:
        if not is_inside:
            pairs += not fence.info
            is_inside = True
        elif not fence.info:
            is_inside = False
    return 0 if is_inside else pairs
