"""Changes as a reviewer reads them: every file's hunks, with the numbers that their lines have now.

Secrets are masked by whole documents, before lines are numbered: a mark in front of each line would hide them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sidelight.core.changes import Changes
from sidelight.core.context import Context
from sidelight.core.finding_places import Reviewed
from sidelight.core.secrets import Mask
from sidelight.editing.text import Place, Range, split_lines, without_line_end
from sidelight.messages import Message, msg

# A diff may come from anywhere: no file has more lines than seven digits can count.
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d{1,7})(?:,(\d{1,7}))? @@")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ChangedCode:
    """Changes to review: the context that shows them, and the files that are shown, in their order."""

    context: Context
    files: tuple[Reviewed, ...]


def show_changes(
    changes: Changes, text_of: Callable[[str], str | None], name: str, instruction: str, language: str
) -> ChangedCode:
    """Return the changes as a context; ``text_of`` returns a file's text as it is now (by its path), or None.

    ``name`` is what people call the whole. Files for secrets are named to the user, and to nobody else.
    """
    mask = Mask()
    shown: list[str] = []
    files: list[Reviewed] = []
    hidden = [file.path for file in changes.files if file.is_secret]
    for file in changes.files:
        if file.path in hidden:
            continue
        hunks = list(_hunks(file.patch))
        if not hunks or file.state == "deleted":
            shown.append(f"=== {file.path} ({file.state}, not shown)\n\n")
            continue
        lines = _lines(text_of(file.path), hunks)
        files.append(Reviewed(file.path, lines, hunks[0].first, max(hunks[-1].end, hunks[0].first + 1)))
        shown.append(f"=== {file.path} ({file.state})\n")
        shown += _numbered(hunks, lines, mask)
        shown.append("\n")
    lines_of_all = split_lines("".join(shown))
    last = len(lines_of_all) - 1
    context = Context(
        name=name, language_id="diff", lines=tuple(lines_of_all), target=Range(Place(0, 0), Place(last, 0)),
        instruction=instruction, answer_language=language, notes=tuple(_notes(changes, hidden)), mask=mask,
    )  # fmt: skip
    return ChangedCode(context, tuple(files))


def _notes(changes: Changes, hidden: Sequence[str]) -> Iterator[Message]:
    if hidden:
        yield msg("These files are for secrets, and are not sent: {names}", names=", ".join(hidden[:_MOST_NAMED]))
    if changes.is_cut:
        yield msg("The changes are too large to be shown whole to the model.")


@dataclass(frozen=True, slots=True)
class _Hunk:
    """The new lines ``first`` up to ``end`` (from 0); ``body`` has every line behind its mark."""

    first: int
    end: int
    body: tuple[str, ...]


def _hunks(patch: str) -> Iterator[_Hunk]:
    # Only LF ends a line of a patch; a CR before it is the file's.
    lines = patch.split("\n")
    starts = [number for number, line in enumerate(lines) if _HUNK.match(line)]
    for start, end in pairwise([*starts, len(lines)]):
        found = _HUNK.match(lines[start])
        assert found is not None
        count = int(found[2]) if found[2] is not None else 1
        first = max(int(found[1]) - 1, 0) if count else int(found[1])
        body = tuple(line.rstrip("\r") for line in lines[start + 1 : end] if line[:1] in ("+", "-", " "))
        yield _Hunk(first, first + count, body)


def _lines(text: str | None, hunks: Sequence[_Hunk]) -> list[str]:
    """Return a file's lines as they are now; where it cannot be read, or is another by now, what the patch tells."""
    told: Mapping[int, str] = {number: line for hunk in hunks for number, line in _new_lines(hunk)}
    lines = split_lines(text) if text is not None else []
    if all(number < len(lines) and without_line_end(lines[number]) == line for number, line in told.items()):
        return lines
    return [told.get(number, "") + "\n" for number in range(max(told, default=-1) + 1)] or [""]


def _new_lines(hunk: _Hunk) -> Iterator[tuple[int, str]]:
    number = hunk.first
    for line in hunk.body:
        if line[0] != "-":
            yield number, line[1:]
            number += 1


def _numbered(hunks: Sequence[_Hunk], lines: Sequence[str], mask: Mask) -> Iterator[str]:
    masked = split_lines(mask.hide("".join(lines)))
    width = len(str(hunks[-1].end))
    for hunk in hunks:
        yield "...\n" if hunk is not hunks[0] else ""
        removed = iter(split_lines(mask.hide("\n".join(line[1:] for line in hunk.body if line[0] == "-"))))
        number = hunk.first
        for line in hunk.body:
            if line[0] == "-":
                yield f"- {'':{width}}| {without_line_end(next(removed))}\n"
            else:
                yield f"{line[0]} {number + 1:{width}}| {without_line_end(masked[number])}\n"
                number += 1
