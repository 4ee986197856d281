"""Which block of an answer is the code for a place, and what is said of it: lines, taken back by ``Restart`` alone.

Where blocks begin and end is for ``answer_code.py`` to find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

from sidelight.editing.answer_block import Block, Role, is_untagged
from sidelight.editing.candidate import Candidate, control_characters
from sidelight.editing.fences import Fence
from sidelight.editing.fitting import Target
from sidelight.editing.languages import kin_of, language_of


@dataclass(frozen=True, slots=True)
class Lines:
    """More lines of the code: without line ends, in the document's indentation."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restart:
    """All lines so far are withdrawn: the code begins anew with the next ``Lines``."""


CodeEvent = Union[Lines, Restart]


class CodeChoice:
    """Which of the blocks is the code, as far as is known by now, and what is said of it.

    ``code`` is None while there is none, and ``is_done`` when its block has ended. ``held`` are closed blocks that may
    be the code, and others after them. ``has_more`` says that other blocks follow the code.
    """

    def __init__(self, language: str, replaced: Sequence[str], target: Target) -> None:
        self._wanted = language_of(language)
        self._target = target
        self._own_controls = control_characters("".join(replaced))
        self._has_said = False  # lines went out that were not taken back
        self._events: list[CodeEvent] = []
        self.reset()

    def reset(self) -> None:
        """Begin with another answer; what was said of the last is taken back."""
        self.code: Candidate | None = None
        self.is_done = False
        self.has_more = False
        self.held: list[Block] = []
        self._is_untagged = False
        self._must_restart = False
        if self._has_said:
            self._events.append(Restart())
            self._has_said = False

    def role(self, fence: Fence, *, is_first: bool) -> Role:
        """Return what a block is that begins now; ``is_first`` where nothing stands before it in the answer."""
        tag = language_of(fence.info)
        is_void = self.code is None or (self.is_done and _is_void(self.code))
        if is_untagged(fence) and self._wanted:
            if self.code is None and is_first:
                return "code"
            return "held" if is_void and (self.code is None or self._is_untagged) else "other"
        fits = not self._wanted or tag in kin_of(self._wanted)
        if not (fits and is_void):
            return "other"
        return "akin" if self.code is not None and self.code.quotes_part else "code"

    def open(self, block: Block) -> None:
        """Say that a block begins."""
        if block.role == "code":
            self.begin(is_untagged=block.is_untagged)

    def take(self, block: Block, line: str) -> None:
        """Take a line of a block."""
        if block.role == "code":
            self.feed(line)
        elif block.role == "held":
            block.lines.append(line)
        elif block.role == "akin":
            block.lines.append(line)
            if self._target.is_akin(line):
                self._begin_akin(block)

    def close(self, block: Block) -> None:
        """Say that a block has ended."""
        if block.role == "akin":
            block.role = "other"
        if block.role == "code":
            self.end(is_open=not block.is_closed, is_ambiguous=block.is_ambiguous)
        elif block.role == "held" or self.held:
            self.held.append(block)
        else:
            self._note(block)

    def choose_held(self) -> None:
        """Let the blocks that were held be the code, the first that is more than a quotation."""
        for block in self.held:
            is_void = self.code is None or _is_void(self.code)
            is_other = (
                self.code is not None and self.code.quotes_part and not any(map(self._target.is_akin, block.lines))
            )
            if block.role == "other" or not is_void or is_other:
                self._note(block)
                continue
            held, self.held = self.held, []
            self.begin(is_untagged=True)
            self.held = held
            for line in block.lines:
                self.feed(line)
            self.end(is_open=not block.is_closed, is_ambiguous=block.is_ambiguous)

    def begin(self, *, is_untagged: bool) -> None:
        """Let the code begin anew, with a block that is one."""
        self.held.clear()
        self._must_restart = self._has_said
        self.has_more = False
        self.code = Candidate(self._target, self._own_controls)
        self._is_untagged, self.is_done = is_untagged, False

    def feed(self, line: str) -> None:
        """Take a line of the code."""
        assert self.code is not None
        self._say(self.code.feed(line))

    def end(self, *, is_open: bool, is_ambiguous: bool = False, is_fenced: bool = True) -> None:
        """Say that the block of the code has ended."""
        assert self.code is not None
        if is_ambiguous:
            self._say(self.code.stop("ambiguous"))
        else:
            self._say(self.code.finish(is_open=is_open, is_fenced=is_fenced))
        self.is_done = True

    def release(self) -> None:
        """Say what was kept back to the end of the answer."""
        if self.code is not None:
            self._say(self.code.release())

    def give_up(self) -> None:
        """Say that the answer is longer than any code."""
        self.held = []
        if self.code is not None and not self.is_done:
            self.code.problem = "too_large"

    def taken(self) -> list[CodeEvent]:
        """Return the events since the last time, neighbouring lines joined."""
        events: list[CodeEvent] = []
        parts: list[str] = []
        for event in self._events:
            if isinstance(event, Lines):
                parts.extend(event.lines)
                continue
            events.append(event)
            parts.clear()  # withdrawn before anyone saw them
        if parts:
            events.append(Lines(tuple(parts)))
        self._events = []
        return events

    def _say(self, lines: Sequence[str]) -> None:
        assert self.code is not None
        if self._must_restart and self.code.has_begun:
            self._events.append(Restart())
            self._must_restart = self._has_said = False
        if lines:
            self._events.append(Lines(tuple(lines)))
            self._has_said = True

    def _begin_akin(self, block: Block) -> None:
        block.role = "code"
        self.begin(is_untagged=block.is_untagged)
        lines, block.lines = block.lines, []
        for line in lines:
            self.feed(line)

    def _note(self, block: Block) -> None:
        """Remember a block after the code that is not the same code again."""
        if self.code is not None and block.checksum not in (0, self.code.checksum):
            self.has_more = True


def _is_void(code: Candidate) -> bool:
    """Whether a finished block gives way to the next that fits: it is empty, or quotes the target or some of it."""
    return code.problem == "empty" or code.is_quotation
