"""One block that may be the code of an answer: cleaned of what is no code, fitted to the target, and judged."""

from __future__ import annotations

import re
from typing import Literal

from sidelight.editing.fences import fence_in
from sidelight.editing.fitting import Fitter, Target
from sidelight.editing.languages import may_hold_fences
from sidelight.editing.left_out import stands_for_code

Problem = Literal["none", "other_language", "empty", "ambiguous", "tabs", "too_large", "binary"]

# No editor shows more than this gladly, and no model writes it on purpose.
MOST_LINE = 1 << 20
MOST_TEXT = 32 << 20
_MOST_LINES = 200_000
# A placeholder is a short remark.
_MOST_PLACEHOLDER = 400
_BOM = "\ufeff"
# Special tokens of chat templates that a server let through (DeepSeek writes its bars and blanks full-width).
_SENTINEL = re.compile(r"<[|｜][\w▁ -]{1,40}[|｜]>|</?s>|\[/?INST\]|<end_of_turn>|<eos>")
# The heading over the code in our own prompt: ``demo.py, lines 3 to 9:``.
_HEADING = re.compile(r"\S.{0,255}, (?:line \d+|lines \d+ to \d+):")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


def is_sentinel(text: str) -> bool:
    """Whether the text is a special token of a chat template, and nothing else."""
    return text[:1] in ("<", "[") and _SENTINEL.fullmatch(text) is not None


def control_characters(text: str) -> set[str]:
    """Return the control characters in the text that have no place in code."""
    return set(_CONTROL.findall(text))


class _Quotation:
    """Whether the lines so far are some of the target's own, from the middle of it, and as they stand there."""

    _MOST_PLACES = 64  # of a line that the target has again and again

    def __init__(self, target: Target) -> None:
        self._old = target.significant
        self._stripped = target.significant_stripped
        self._places: dict[int, int] | None = None  # where the last line stands, and how far it was moved
        self.is_possible = True

    def feed(self, line: str) -> None:
        """Take the next line that is not blank."""
        said = line.strip()
        if self._places is None:
            found = self._stripped.get(said, ())[: self._MOST_PLACES]
            self._places = {} if 0 in found else {n: len(line) - len(self._old[n]) for n in found}
        else:
            after = ((n + 1, shift) for n, shift in self._places.items() if n + 1 < len(self._old))
            self._places = {
                n: shift
                for n, shift in after
                if self._old[n].strip() == said and len(line.rstrip()) - len(self._old[n]) == shift
            }
        self.is_possible = bool(self._places)


class Candidate:
    """The lines of one block that may be the code: cleaned, fitted to the target, and judged."""

    def __init__(self, target: Target, own_controls: set[str]) -> None:
        self.problem: Problem | None = None
        self.left_out: str | None = None
        self.is_open = False
        self.has_begun = False  # a line that is not blank came
        self.checksum = 0
        self._target = target
        self._own_controls = own_controls
        self._fitter = Fitter(target)
        self._tail: list[str] = []  # blank lines and special tokens, which count only when more follows
        self._lines = self._size = 0
        self._equal: int | None = 0  # so many lines are the target's
        self._before = ""  # the last line that is not blank
        self._quotation = _Quotation(target)
        self._quoted: list[str] = []  # held while they may be a quotation
        self._is_in_fence = False
        self._holds_fences = may_hold_fences(target.language)

    @property
    def is_stopped(self) -> bool:
        """Whether no more lines are taken."""
        return self.problem is not None or self.left_out is not None

    @property
    def is_quotation(self) -> bool:
        """Whether the lines are the target's own, or some of them on end, once all have come."""
        is_old = self._equal is not None or self._quotation.is_possible
        return self.has_begun and not self.is_stopped and is_old

    @property
    def quotes_part(self) -> bool:
        """Whether the lines are some of the target's, but not all of them."""
        equal = self._equal
        return self.is_quotation and (equal is None or any(map(str.strip, self._target.lines[equal:])))

    def feed(self, line: str) -> list[str]:
        """Take a line of the block; return fitted lines that are known by now."""
        if self.is_stopped or self._is_too_much(line):
            return []
        line = line if self.has_begun else line.removeprefix(_BOM)
        said = line.strip()
        if not said or self._is_sentinel(said):
            self._tail.append(line)
            return []
        if not self.has_begun and _HEADING.fullmatch(said) and said not in self._target.stripped:
            self._tail.clear()
            return []
        if not self.has_begun and not self._target.starts_blank:
            self._tail = [line for line in self._tail if line.strip()]
        self.has_begun = True
        if len(said) <= _MOST_PLACEHOLDER and said not in self._target.stripped and self._stands_for_code(line):
            self.left_out = said
            return [*self.release(), *self._finished()]
        self._before = said
        self._is_in_fence ^= self._holds_fences and fence_in(line, in_list=True) is not None
        self.checksum = hash((self.checksum, said))
        tail, self._tail = self._tail, []
        fitted = self._counted([fitted for each in (*tail, line) for fitted in self._fitter.feed(each)])
        return self._unless_quoted(line.rstrip(), fitted)

    def _stands_for_code(self, line: str) -> bool:
        # Examples in a document have dots alone for what does not matter there.
        is_example = self._is_in_fence and not any(map(str.isalnum, line))
        return not is_example and stands_for_code(line, self._target.language, self._before)

    def _unless_quoted(self, line: str, fitted: list[str]) -> list[str]:
        if self._quotation.is_possible:
            self._quotation.feed(line)
            self._quoted += fitted
            return [] if self._quotation.is_possible else self.release()
        return fitted

    def release(self) -> list[str]:
        """Return the lines that were held since they might have been a quotation only."""
        quoted, self._quoted = self._quoted, []
        return quoted

    def finish(self, *, is_open: bool, is_fenced: bool = True) -> list[str]:
        """Say that the block has ended; return the lines that were held."""
        self.is_open = is_open
        if self.is_stopped:
            return []
        has_end = is_fenced and not is_open
        sentinels = [line for line in self._tail if line.strip()]
        if sentinels and has_end:
            self.has_begun = True
            last = max(n for n, line in enumerate(self._tail) if line.strip()) + 1
            tail, self._tail = self._tail[:last], self._tail[last:]
            return self._ended(self._counted([fitted for line in tail for fitted in self._fitter.feed(line)]))
        if sentinels:
            self._tail = self._tail[: self._tail.index(sentinels[0])]
        if not self.has_begun:
            self.problem = "empty"
        return self._ended([])

    def _ended(self, lines: list[str]) -> list[str]:
        """Return the last lines; a quotation is held on, since the code may be in another block."""
        self._quoted += [*lines, *self._finished()]
        return [] if self.is_quotation and self._quotation.is_possible else self.release()

    def stop(self, problem: Problem) -> list[str]:
        """Take no more lines for this reason; return the lines that were held and are good."""
        if self.is_stopped:
            return []
        self._tail.clear()
        held = [*self.release(), *self._finished()]
        self.problem = self.problem or problem
        return held

    def _finished(self) -> list[str]:
        held = self._fitter.finish()
        if held is None:
            self.problem, self.left_out = "tabs", None
            return []
        if self._target.ends_blank and self.left_out is None and not self.problem:
            held += self._tail
        return self._counted(held)

    def _is_too_much(self, line: str) -> bool:
        self._lines += 1
        self._size += len(line) + 1
        if len(line) > MOST_LINE or self._lines > _MOST_LINES or self._size > MOST_TEXT:
            self.problem = "too_large"
        elif _CONTROL.search(line) and not control_characters(line) <= self._own_controls:
            self.problem = "binary"
        return self.problem is not None

    def _is_sentinel(self, said: str) -> bool:
        return is_sentinel(said) and said not in self._target.stripped

    def _counted(self, fitted: list[str]) -> list[str]:
        old, equal = self._target.lines, self._equal
        if equal is not None:
            more = [line.rstrip() for n, line in enumerate(fitted, equal) if line.strip() or n < len(old)]
            end = equal + len(more)
            self._equal = end if [line.rstrip() for line in old[equal:end]] == more else None
        return fitted
