"""A review's text becomes findings while it streams: places in documents, what is wrong there, and replacements.

``finding_lines.py`` reads a line, ``finding_places.py`` says which lines of the document it means. A finding is there
as soon as its line is complete; a fenced block below it is the replacement of its lines, unless it only quotes them.
Nothing that was said is dropped: what points nowhere stands at the first line of what was reviewed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from sidelight.core.finding_lines import Said, Severity, read_label, read_line, severity_of
from sidelight.core.finding_places import Reviewed, anchor, find_lines, spread
from sidelight.editing.fences import Fence, fence_in

_NUMBERED = re.compile(r"\s*(\d{1,7})\s?[|:│](?: (.*)|$)")
_CLEAN = re.compile(
    r"\bno (?:findings?|issues?|problems?)\b|没有(?:发现)?(?:问题|任何问题)|未发现问题|无问题", re.IGNORECASE
)
# A block that goes on for so long is no replacement of a few lines; the text stays in the answer.
_MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """New lines (without line ends) for the lines ``first`` up to ``end`` of the file that the finding is in."""

    first: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a review found, at the lines ``first`` up to and without ``end`` of ``files[file]``.

    ``number`` counts from 0 in the order of the answer. ``missing`` is the line (from 1) that was named where the file
    has no such line.
    """

    number: int
    file: int
    first: int
    end: int
    severity: Severity
    message: str
    code: str = ""
    suggestion: Suggestion | None = None
    missing: int | None = None


@dataclass(slots=True)
class _Block:
    fence: Fence
    is_list: bool = False  # findings that stand in a fence as a whole
    lines: list[str] = field(default_factory=list)


class FindingStream:
    """Reads a review as it comes. ``findings`` is what is known by now; a later piece may add to the last one."""

    def __init__(self, files: Sequence[Reviewed]) -> None:
        self._files = tuple(files)
        self.restart()

    def restart(self) -> None:
        """Forget everything: the answer begins anew."""
        self.findings: list[Finding] = []
        self.is_clean = False
        self._partial: list[str] = []
        self._block: _Block | None = None
        self._is_headless = False  # the last finding has no message yet
        self._is_sure = False  # its place was confirmed by code that was quoted

    def feed(self, text: str) -> bool:
        """Take more of the answer; tells whether the findings have changed."""
        if "\n" not in text:
            self._partial.append(text)
            return False
        lines = ("".join(self._partial) + text).split("\n")
        self._partial = [lines.pop()]
        before = (len(self.findings), self.findings[-1:])
        for line in lines:
            self._take(line.rstrip("\r"))
        return before != (len(self.findings), self.findings[-1:])

    def finish(self) -> bool:
        """Say that no more comes; tells whether that changed the findings. A block that is still open is dropped."""
        before = (len(self.findings), self.findings[-1:])
        last, self._partial = "".join(self._partial), []
        if last:
            self._take(last)
        if self._is_headless:
            self._head("")
        return before != (len(self.findings), self.findings[-1:])

    def _take(self, line: str) -> None:
        block = self._block
        if block is not None and not block.is_list:
            return self._take_of_block(block, line)
        fence = fence_in(line, in_list=True)
        if fence is not None:
            is_end = block is not None and not fence.info and fence.is_same_kind(block.fence)
            self._block = None if is_end else _Block(fence)
        elif said := read_line(line):
            self._begin(said)
        elif line.strip():
            self._take_prose(line)
        return None

    def _take_of_block(self, block: _Block, line: str) -> None:
        fence = fence_in(line, block.fence.column)
        if fence is not None and not fence.info and fence.is_same_kind(block.fence):
            self._block = None
            self._take_code([_outdented(each, block.fence.column) for each in block.lines], block.fence.info)
            return
        said = read_line(line) if not any(each.strip() for each in block.lines) else None
        if said is not None and said.severity is not None and "|" in line:
            block.is_list = True
            self._begin(said)
            return
        if len(block.lines) <= _MOST_LINES:
            block.lines.append(line)

    def _begin(self, said: Said) -> None:
        if self._is_headless:
            self._head("")
        place = anchor(self._files, said)
        finding = Finding(
            len(self.findings), place.file, place.first, place.end, said.severity or "warning", said.message, said.code,
            missing=place.missing,
        )  # fmt: skip
        self.findings.append(finding)
        self._is_headless, self._is_sure = not said.message, place.is_sure

    def _take_prose(self, line: str) -> None:
        self.is_clean = self.is_clean or bool(_CLEAN.search(line))
        if not self._is_headless:
            return
        match read_label(line):
            case ("severity", word):
                severity = severity_of(word)
                self._change(severity=severity or self.findings[-1].severity)
            case ("code", code):
                self._change(code=code)
            case (_, message):
                self._head(message)
            case None:
                self._head(line)

    def _head(self, message: str) -> None:
        """Give the last finding its message; what stands alone says at least how bad it is."""
        self._is_headless = False
        finding = self.findings[-1]
        self._change(message=message.strip().strip("*").strip() or finding.code or finding.severity)

    def _change(self, **changes: object) -> None:
        self.findings[-1] = replace(self.findings[-1], **changes)  # type: ignore[arg-type]

    def _take_code(self, lines: list[str], info: str) -> None:
        """Take the lines of a fenced block: a replacement, or a quotation of what stands there."""
        if not self.findings or len(lines) > _MOST_LINES or not any(line.strip() for line in lines):
            return
        finding = self.findings[-1]
        file = self._files[finding.file]
        language = info.partition(" ")[0].lower()
        lines = _without_numbers(lines)
        if language in ("diff", "patch"):
            self._take_diff(finding, file, lines)
            return
        found = find_lines(file.lines, lines, finding.first)
        is_there = found is not None and found < finding.end and finding.first < found + len(lines)
        if found is not None and (is_there or (len(lines) > 1 and not self._is_sure)):
            self._is_sure = True
            if not is_there:
                self._change(first=found, end=found + len(lines), missing=None)
        elif finding.suggestion is None:
            first, end = spread(file.lines, finding.first, finding.end, lines)
            self._change(suggestion=Suggestion(first, end, tuple(lines)))

    def _take_diff(self, finding: Finding, file: Reviewed, lines: Sequence[str]) -> None:
        body = [line for line in lines if not line.startswith(("+++", "---", "@@", "diff "))]
        old = [line[1:] for line in body if not line.startswith("+")]
        new = [line[1:] for line in body if not line.startswith("-")]
        found = find_lines(file.lines, old, finding.first) if any(line.strip() for line in old) else None
        if found is None or finding.suggestion is not None or old == new:
            return
        self._is_sure = True
        self._change(suggestion=Suggestion(found, found + len(old), tuple(new)), missing=None)
        if not (found < finding.end and finding.first < found + len(old)):
            self._change(first=found, end=found + len(old))


def _outdented(line: str, column: int) -> str:
    return line[:column].lstrip(" \t") + line[column:]


def _without_numbers(lines: list[str]) -> list[str]:
    """Return lines without the line numbers that were copied with them, where each has one and they count up."""
    found = [_NUMBERED.match(line) for line in lines if line.strip()]
    numbers = [int(each[1]) for each in found if each]
    if len(numbers) < len(found) or any(after <= before for before, after in pairwise(numbers)):
        return lines
    return [(each[2] or "") if (each := _NUMBERED.match(line)) else line for line in lines]
