"""The code in a model's answer, while the answer arrives: which lines are known by now to be the document's new ones.

``CodeStream`` divides the answer into lines and these into blocks (``answer_block``), of which one is chosen
(``answer_choice``); its lines go through a ``Candidate``, which drops what is no code and moves the rest to the
document's indentation.
Nothing is said before it is certain; what was said is taken back by ``Restart`` alone. Every character costs O(1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO

from sidelight.editing.answer_block import Block, bare_pairs, is_untagged, without_sentinel
from sidelight.editing.answer_choice import CodeChoice, CodeEvent
from sidelight.editing.bare_code import bare_code, is_sentence
from sidelight.editing.candidate import MOST_LINE, MOST_TEXT, Problem, is_sentinel
from sidelight.editing.docstrings import OpenString
from sidelight.editing.fences import Fence, fence_in
from sidelight.editing.fitting import Target
from sidelight.editing.languages import language_of, may_hold_fences
from sidelight.editing.line_buffer import LineBuffer

_BOM = "\ufeff"
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")


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
        self._choice = CodeChoice(language, replaced, self._target)
        self._begin()

    def _begin(self) -> None:
        self.problem: Problem | None = None
        self.is_open = False
        self.left_out: str | None = None
        self._fed = StringIO()
        self._fed_size = 0
        self._is_over = False
        self._buffer = LineBuffer(MOST_LINE)
        self._block: Block | None = None
        self._bare: list[str] = []
        self._has_fence = self._has_text = self._in_list = self._is_bare_document = self._is_finished = False

    @property
    def has_more(self) -> bool:
        """Whether other blocks follow the code."""
        return self._choice.has_more

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
        return self._choice.taken()

    def replace(self, text: str) -> list[CodeEvent]:
        """Take the whole answer, which the provider gave anew; go on where it only extends what was fed."""
        size = self._fed_size
        if not self._is_over and len(text) >= size and text.startswith(self._fed.getvalue()):
            return self.feed(text[size:])
        self._begin()
        self._choice.reset()
        return [*self._choice.taken(), *self.feed(text)]

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
                self._choice.choose_held()
            self._choice.release()
        self._settle()
        return self._choice.taken()

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
        code = self._choice.code
        if code is not None:
            self.problem, self.left_out = code.problem, code.left_out
            self.is_open = code.is_open and self.problem is None
        elif self._is_over:
            self.problem = "too_large"
        elif self.problem is None:
            self.problem = "other_language" if self._has_fence else "none"

    def _give_up(self) -> None:
        """Read no further: the answer is longer than any code."""
        self._is_over = True
        self._block, self._bare = None, []
        self._choice.give_up()

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
            self._open(without_sentinel(fence))
        elif said:
            self._in_list = _ITEM.match(line) is not None or (self._in_list and line[0] in " \t")
            # Blocks in a document that came without a fence around it are no more than parts of it.
            self._is_bare_document |= self._holds_fences and len(said) > 1 and said in self._target.stripped
        self._has_text = self._has_text or bool(said)

    def _open(self, fence: Fence) -> None:
        self._has_fence = True
        role = self._choice.role(fence, is_first=not self._has_text)
        tag = self._language if is_untagged(fence) else fence.info
        self._block = Block(
            fence,
            role,
            holds_fences=role != "other" and (self._holds_fences or may_hold_fences(tag)),
            string=OpenString(tag if role != "other" else ""),
        )
        self._choice.open(self._block)
        # Models forget the line end behind the tag, too; other words there are attributes.
        if (said := fence.info.partition(" ")[2].strip()) and said in self._target.stripped:
            self._inside(self._block, said)

    # Inside of a block

    def _inside(self, block: Block, line: str) -> None:
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

    def _pend(self, block: Block, line: str) -> None:
        block.pending.append(line)
        if not block.string.is_open:
            return
        block.string.feed(block.content(line))
        if block.string.is_open:
            return
        pending, block.pending = block.pending, []
        if bare_pairs(block.fences_in(pending)):
            self._contents(block, pending, is_scanned=True)
        else:  # not pairs of fences in a string: the end of this block, and the beginning of another
            self._close_before(block, pending, 0)

    def _below_glued(self, block: Block, line: str, fence: Fence | None) -> None:
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

    def _close_glued(self, block: Block) -> None:
        """Close the block behind its last line of code; what follows is read again as what stands outside."""
        held, block.glued = block.glued, []
        self._content(block, held[0].rstrip("`"))
        self._close(block, is_closed=True)
        for line in held[1:]:
            self._read(line)

    def _contents(self, block: Block, lines: Sequence[str], *, is_scanned: bool = False) -> None:
        for line in lines:
            self._content(block, line, is_scanned=is_scanned)

    def _content(self, block: Block, line: str, *, is_scanned: bool = False) -> None:
        line = block.content(line)
        block.backticks += line.count("`")
        if not is_scanned:
            block.string.feed(line)
            block.is_quoting &= block.string.is_open
        if said := line.strip():
            block.checksum = hash((block.checksum, said))
        self._choice.take(block, line)

    def _close(self, block: Block, *, is_closed: bool) -> None:
        self._block = None
        block.is_closed = is_closed
        self._choice.close(block)

    def _close_before(self, block: Block, pending: Sequence[str], end: int) -> None:
        """Close the block with the pending line at ``end``; what follows is read again as what stands outside."""
        self._contents(block, pending[:end])
        self._close(block, is_closed=True)
        for line in pending[end + 1 :]:
            self._read(line)

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
            end = 0 if block.string.is_open else block.end_in(pending, self._target.lines)
            if end is None:
                block.is_ambiguous = True
                self._close(block, is_closed=False)
                return
            self._close_before(block, pending, end)

    def _may_be_bare(self) -> bool:
        return not self._has_fence or (self._choice.code is None and (self._is_bare_document or self._has_lone_fence()))

    def _has_lone_fence(self) -> bool:
        """Whether the one fence is the answer's last line: the one that opened the block was lost."""
        held = self._choice.held
        return len(held) == 1 and not held[0].is_closed and not held[0].checksum

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
            self._choice.begin(is_untagged=True)
            for line in code:
                self._choice.feed(line)
            self._choice.end(is_open=False, is_fenced=False)
        return bool(code)

    def _is_sentinel(self, said: str) -> bool:
        return is_sentinel(said) and said not in self._target.stripped
