"""The code in a model's answer, while the answer arrives: which lines are known by now to be the document's new ones.

``CodeStream`` divides the answer into lines, finds the block that is meant among the fences (``fences``) and passes its
lines through a ``Candidate``, which drops what is no code and moves the rest to the document's indentation.
Nothing is said before it is certain; what was said is taken back by ``Restart`` alone. Every character costs O(1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Literal, Union

from sidelight.editing.bare_code import bare_code, is_sentence
from sidelight.editing.candidate import MOST_LINE, MOST_TEXT, Candidate, Problem, control_characters, is_sentinel
from sidelight.editing.docstrings import OpenString
from sidelight.editing.fences import Fence, code_blocks, fence_in
from sidelight.editing.fitting import Target, fit
from sidelight.editing.languages import kin_of, language_of, may_hold_fences
from sidelight.editing.line_buffer import LineBuffer

# ``fit`` does for a whole block what ``CodeStream`` does line by line.
__all__ = ["CodeEvent", "CodeStream", "Lines", "Problem", "Restart", "fit"]

_BOM = "\ufeff"
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
# Tags that name no language.
_NO_LANGUAGE = ("", "code")
_ENDS_CODE = tuple(")]}>;,_\"'")


@dataclass(frozen=True, slots=True)
class Lines:
    """More lines of the code: without line ends, in the document's indentation."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restart:
    """All lines so far are withdrawn: the code begins anew with the next ``Lines``."""


CodeEvent = Union[Lines, Restart]


# "akin": the code if it turns out to be about the target, since a part of that stood in the block before it.
Role = Literal["code", "akin", "held", "other"]


class _Block:
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

    def content(self, line: str) -> str:
        """Return a line of the block without the indentation of its opening fence, as far as it has that."""
        column = self.fence.column
        return line[:column].lstrip(" \t") + line[column:] if column else line

    def fence_in(self, line: str) -> Fence | None:
        """Return the line as a fence that counts in this block: of its kind, and at least as long."""
        fence = fence_in(line, self.fence.column)
        if fence is None or not fence.is_same_kind(self.fence):
            return None
        return _without_sentinel(fence)

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


def _without_sentinel(fence: Fence) -> Fence:
    """Return a fence without the special token that a model put directly behind it."""
    return Fence(fence.column, fence.mark, "") if is_sentinel(fence.info) else fence


class CodeStream:
    """The code of an answer for one place in a document, known line by line.

    The first fenced block in the document's language or its kin is the code, and streams. A block without a tag
    streams where it is the first thing in the answer or the document's language is unknown; else it is held, and is
    the code only if no tagged one follows. A block that merely repeats the target is a quotation when another follows;
    one that repeats a few of its lines, when another follows that has some of the target, too. Where it begins below
    the target's first line, it is held until that is known.

    ``above`` and ``below`` are the document's lines around the place. They tell its style where the replaced lines show
    none, and in whose body an empty place is.

    Where a block ends:

    - Fences of another kind, or shorter ones, are lines of the block. One with an info string opens a nested block.
    - Models forget the line end before the closing fence. What has one behind its code is held with all that follows:
      up to a bare fence, which ends the block if there is no prose before it; else the block ended there.
    - In a string of several lines (a docstring) a fence is a line of it. From a bare one on that closes no tagged one
      there, lines are held until the string is closed. If it never is, or the fences up to there are no pairs, that
      first one was the end of the block.
    - In languages that hold fences (Markdown) a bare fence of three may end the block or open a nested one, which
      looks the same. Lines from it on are held to the end of the answer. It was the end if no such fence follows, or
      if all that follows are whole, tagged blocks. It opened a nested block if the target has nested bare blocks, the
      answer has as many, and the last fence ends the block. Everything else is ``ambiguous``. An outer fence of four
      or more says by itself that shorter ones are inside.

    Text without any fence is judged when it is complete (``bare_code``), and so is an answer in a language that holds
    fences which has lines of the target outside of its blocks: its author put no fence around the document.

    After ``finish``: ``problem`` is None where the code is whole; ``is_open`` says that its fence was never closed;
    ``has_more`` that other blocks follow it; ``left_out`` is the line, such as ``# ... rest unchanged``, at which it
    stopped, since what that stands for is not known.
    """

    def __init__(
        self, language: str, replaced: Sequence[str], *, above: Sequence[str] = (), below: Sequence[str] = ()
    ) -> None:
        self._language = language
        self._holds_fences = may_hold_fences(language)
        self._target = Target(replaced, language_of(language), above, below)
        self._own_controls = control_characters("".join(replaced))
        self._has_said = False  # lines went out that were not taken back
        self._events: list[CodeEvent] = []
        self._begin()

    def _begin(self) -> None:
        self.problem: Problem | None = None
        self.is_open = self.has_more = False
        self.left_out: str | None = None
        self._fed = StringIO()
        self._fed_size = 0
        self._is_over = False
        self._buffer = LineBuffer(MOST_LINE)
        self._block: _Block | None = None
        self._code: Candidate | None = None
        self._is_code_untagged = False
        self._is_code_done = False
        self._must_restart = False
        self._held: list[_Block] = []  # closed blocks that may be the code, and others after them
        self._bare: list[str] = []
        self._has_fence = self._has_text = self._in_list = self._is_bare_document = self._is_finished = False

    def feed(self, text: str) -> list[CodeEvent]:
        """Take a delta; return what is known by now."""
        if self._is_over:
            return []
        self._fed_size += self._fed.write(text)
        if self._fed_size > MOST_TEXT:
            self._give_up()
        else:
            for line in self._buffer.feed(text):
                self._line(line)
        return self._taken() if self._events else []

    def replace(self, text: str) -> list[CodeEvent]:
        """Take the whole answer, which the provider gave anew; go on where it only extends what was fed."""
        size = self._fed_size
        if not self._is_over and len(text) >= size and text.startswith(self._fed.getvalue()):
            return self.feed(text[size:])
        self._begin()
        if self._has_said:
            self._events.append(Restart())
            self._has_said = False
        return [*self._taken(), *self.feed(text)]

    def finish(self, *, is_cut: bool = False) -> list[CodeEvent]:
        """Say that no more comes; return the rest, and settle ``problem`` and its neighbours.

        ``is_cut`` says that the answer broke off: half a line of code is not said.
        """
        if self._is_finished:
            return []
        self._is_finished = True
        if not self._is_over:
            for line in self._buffer.finish():
                if not (is_cut and self._is_half(line)):
                    self._line(line)
            self._end_last_block()
            if not (self._may_be_bare() and self._is_bare_code()):
                self._choose_held()
            if self._code is not None:
                self._say(self._code.release())
        self._settle()
        return self._taken()

    def _is_half(self, line: str) -> bool:
        """Whether the last line, which has no line end, may be the beginning of a line of code only.

        One that is an old line is taken for whole.
        """
        said = line.strip()
        if said in self._target.stripped and any(map(str.isalnum, said)):
            return False
        block = self._block
        if block is not None:
            return block.fence_in(line) is None and not block.has_glued_fence(line)
        return not self._has_fence or self._is_bare_document

    def _settle(self) -> None:
        if self._code is not None:
            self.problem, self.left_out = self._code.problem, self._code.left_out
            self.is_open = self._code.is_open and self.problem is None
        elif self._is_over:
            self.problem = "too_large"
        elif self.problem is None:
            self.problem = "other_language" if self._has_fence else "none"

    def _give_up(self) -> None:
        """Read no further: the answer is longer than any code."""
        self._is_over = True
        self._block, self._held, self._bare = None, [], []
        if self._code is not None and not self._is_code_done:
            self._code.problem = "too_large"

    # Outside of blocks

    def _line(self, line: str) -> None:
        if not self._has_text:
            line = line.removeprefix(_BOM)
        if not self._has_fence or self._holds_fences:
            self._bare.append(line)
        self._read(line)

    def _read(self, line: str) -> None:
        if self._block is not None:
            self._inside(self._block, line)
        else:
            self._outside(line)

    def _outside(self, line: str) -> None:
        said = line.strip()
        if fence := fence_in(line, in_list=self._in_list or _ITEM.match(line) is not None):
            self._open(_without_sentinel(fence))
        elif said:
            self._in_list = _ITEM.match(line) is not None or (self._in_list and line[0] in " \t")
            # Blocks in a document that came without a fence around it are no more than parts of it.
            self._is_bare_document |= self._holds_fences and len(said) > 1 and said in self._target.stripped
        self._has_text = self._has_text or bool(said)

    def _open(self, fence: Fence) -> None:
        self._has_fence = True
        role = self._role(language_of(fence.info))
        tag = fence.info if language_of(fence.info) not in _NO_LANGUAGE else self._language
        self._block = _Block(
            fence,
            role,
            holds_fences=role != "other" and (self._holds_fences or may_hold_fences(tag)),
            string=OpenString(tag if role != "other" else ""),
        )
        if role == "code":
            self._begin_code(is_untagged=language_of(fence.info) in _NO_LANGUAGE)
        # Models forget the line end behind the tag, too; other words there are attributes.
        if (said := fence.info.partition(" ")[2].strip()) and said in self._target.stripped:
            self._inside(self._block, said)

    def _role(self, tag: str) -> Role:
        wanted = language_of(self._language)
        is_void = self._code is None or (self._is_code_done and _is_void(self._code))
        if tag in _NO_LANGUAGE and wanted:
            if self._code is None and not self._has_text:
                return "code"
            return "held" if is_void and (self._code is None or self._is_code_untagged) else "other"
        fits = not wanted or tag in kin_of(wanted)
        if not (fits and is_void):
            return "other"
        return "akin" if self._code is not None and self._code.quotes_part else "code"

    # Inside of a block

    def _inside(self, block: _Block, line: str) -> None:
        if block.pending:
            self._pend(block, line)
            return
        fence = block.fence_in(line)
        if block.glued:
            self._below_glued(block, line, fence)
        elif fence is None and block.has_glued_fence(line):
            block.glued.append(line)
        elif fence is None:
            self._content(block, line)
        elif block.string.is_open and (fence.info or block.is_quoting):
            block.is_quoting = bool(fence.info)
            self._content(block, line)
        elif block.string.is_open:
            block.pending.append(line)
        elif fence.info or block.depth:
            block.depth += 1 if fence.info else -1
            self._content(block, line)
        elif block.holds_fences:
            block.pending.append(line)
        else:
            self._close(block, is_closed=True)

    def _pend(self, block: _Block, line: str) -> None:
        block.pending.append(line)
        if not block.string.is_open:
            return
        block.string.feed(block.content(line))
        if block.string.is_open:
            return
        pending, block.pending = block.pending, []
        if _bare_pairs(block.fences_in(pending)):
            self._contents(block, pending, is_scanned=True)
        else:  # not pairs of fences in a string: the end of this block, and the beginning of another
            self._close_before(block, pending, 0)

    def _below_glued(self, block: _Block, line: str, fence: Fence | None) -> None:
        block.glued.append(line)
        if fence is None:
            return
        between = [said for held in block.glued[1:-1] if (said := held.strip())]
        if fence.info or (between and all(map(is_sentence, between))):
            self._close_glued(block)
            return
        held, block.glued = block.glued[:-1], []
        self._contents(block, held)
        self._inside(block, line)

    def _close_glued(self, block: _Block) -> None:
        """Close the block behind its last line of code; what follows is read again as what stands outside."""
        held, block.glued = block.glued, []
        self._content(block, held[0].rstrip("`"))
        self._close(block, is_closed=True)
        for line in held[1:]:
            self._read(line)

    def _contents(self, block: _Block, lines: Sequence[str], *, is_scanned: bool = False) -> None:
        for line in lines:
            self._content(block, line, is_scanned=is_scanned)

    def _content(self, block: _Block, line: str, *, is_scanned: bool = False) -> None:
        line = block.content(line)
        block.backticks += line.count("`")
        if not is_scanned:
            block.string.feed(line)
            block.is_quoting &= block.string.is_open
        if said := line.strip():
            block.checksum = hash((block.checksum, said))
        if block.role == "code":
            self._feed_code(line)
        elif block.role == "held":
            block.lines.append(line)
        elif block.role == "akin":
            block.lines.append(line)
            if self._target.is_akin(line):
                self._begin_akin(block)

    def _begin_akin(self, block: _Block) -> None:
        block.role = "code"
        self._begin_code(is_untagged=language_of(block.fence.info) in _NO_LANGUAGE)
        lines, block.lines = block.lines, []
        for line in lines:
            self._feed_code(line)

    def _close(self, block: _Block, *, is_closed: bool) -> None:
        self._block = None
        block.is_closed = is_closed
        if block.role == "akin":
            block.role = "other"
        if block.role == "code":
            self._end_code(is_open=not is_closed, is_ambiguous=block.is_ambiguous)
        elif block.role == "held" or self._held:
            self._held.append(block)
        else:
            self._note(block)

    def _close_before(self, block: _Block, pending: Sequence[str], end: int) -> None:
        """Close the block with the pending line at ``end``; what follows is read again as what stands outside."""
        self._contents(block, pending[:end])
        self._close(block, is_closed=True)
        for line in pending[end + 1 :]:
            self._read(line)

    def _note(self, block: _Block) -> None:
        """Remember a block after the code that is not the same code again."""
        if self._code is not None and block.checksum not in (0, self._code.checksum):
            self.has_more = True

    # The code

    def _begin_code(self, *, is_untagged: bool) -> None:
        self._held.clear()
        self._must_restart = self._has_said
        self.has_more = False
        self._code = Candidate(self._target, self._own_controls)
        self._is_code_untagged, self._is_code_done = is_untagged, False

    def _feed_code(self, line: str) -> None:
        assert self._code is not None
        self._say(self._code.feed(line))

    def _end_code(self, *, is_open: bool, is_ambiguous: bool = False, is_fenced: bool = True) -> None:
        assert self._code is not None
        if is_ambiguous:
            self._say(self._code.stop("ambiguous"))
        else:
            self._say(self._code.finish(is_open=is_open, is_fenced=is_fenced))
        self._is_code_done = True

    def _say(self, lines: Sequence[str]) -> None:
        assert self._code is not None
        if self._must_restart and self._code.has_begun:
            self._events.append(Restart())
            self._must_restart = self._has_said = False
        if lines:
            self._events.append(Lines(tuple(lines)))
            self._has_said = True

    def _taken(self) -> list[CodeEvent]:
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

    # The end of the answer

    def _end_last_block(self) -> None:
        while (block := self._block) is not None:
            pending, block.pending = block.pending, []
            if block.glued:
                self._close_glued(block)
                continue
            if not pending:
                self._close(block, is_closed=False)
                return
            end = 0 if block.string.is_open else self._end_in(block, pending)
            if end is None:
                block.is_ambiguous = True
                self._close(block, is_closed=False)
                return
            self._close_before(block, pending, end)

    def _end_in(self, block: _Block, pending: Sequence[str]) -> int | None:
        """Return which of the pending lines is the closing fence; None where that is not known."""
        fences = [(n, fence) for n, line in enumerate(pending) if (fence := block.fence_in(line))]
        if len(fences) == 1:
            return 0
        later = list(code_blocks("\n".join(pending[1:])))
        if all(found.language and found.is_closed for found in later):
            return 0
        nested = _bare_pairs([fence for _, fence in fences[:-1]])
        own = _bare_pairs(block.fences_in(self._target.lines))
        if nested and not fences[-1][1].info and nested == own:
            return fences[-1][0]
        return None

    def _choose_held(self) -> None:
        """Let the blocks that were held be the code, the first that is more than a quotation."""
        for block in self._held:
            is_void = self._code is None or _is_void(self._code)
            is_other = (
                self._code is not None and self._code.quotes_part and not any(map(self._target.is_akin, block.lines))
            )
            if block.role == "other" or not is_void or is_other:
                self._note(block)
                continue
            held, self._held = self._held, []
            self._begin_code(is_untagged=True)
            self._held = held
            for line in block.lines:
                self._feed_code(line)
            self._end_code(is_open=not block.is_closed, is_ambiguous=block.is_ambiguous)

    def _may_be_bare(self) -> bool:
        return not self._has_fence or (self._code is None and (self._is_bare_document or self._has_lone_fence()))

    def _has_lone_fence(self) -> bool:
        """Whether the one fence is the answer's last line: the one that opened the block was lost."""
        return len(self._held) == 1 and not self._held[0].is_closed and not self._held[0].checksum

    def _is_bare_code(self) -> bool:
        """Take the whole text for the code if it is that."""
        lines = self._bare
        while lines and (not (said := lines[-1].strip()) or self._is_sentinel(said)):
            lines.pop()
        if not lines:
            self.problem = "empty"
            return False
        if self._has_fence and not self._is_bare_document:
            lines.pop()
        code = bare_code(lines, self._target, self._language)
        if code:
            self._begin_code(is_untagged=True)
            for line in code:
                self._feed_code(line)
            self._end_code(is_open=False, is_fenced=False)
        return bool(code)

    def _is_sentinel(self, said: str) -> bool:
        return is_sentinel(said) and said not in self._target.stripped


def _is_void(code: Candidate) -> bool:
    """Whether a finished block gives way to the next that fits: it is empty, or quotes the target or some of it."""
    return code.problem == "empty" or code.is_quotation


def _bare_pairs(fences: Sequence[Fence]) -> int:
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
