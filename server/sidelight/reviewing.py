"""Reviews in a terminal: each finding is a line on stdout, ``file:line: severity: message``, as compilers do."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sidelight.core.answers import AnswerEvent, Replace, Text
from sidelight.core.context import Context
from sidelight.core.finding_places import Reviewed
from sidelight.core.findings import Finding, FindingStream
from sidelight.messages import msg
from sidelight.terminal import Terminal, printable


class FindingPrinter:
    """Prints the findings of an answer while it comes. ``names`` are the files' names, as they are to be printed.

    A finding is printed when the next one begins: until then, what follows may still say where it belongs.
    """

    def __init__(self, context: Context, files: Sequence[Reviewed], names: Sequence[str]) -> None:
        self._mask = context.mask
        self._stream = FindingStream(files)
        self._names = names
        self._printed = 0

    def take(self, event: AnswerEvent) -> bool:
        """Take an event; tells whether it was text, and so needs no showing any more."""
        if isinstance(event, Replace):
            self._stream.restart()
            self._printed = 0
        elif not isinstance(event, Text):
            return False
        self._stream.feed(event.text)
        self._print(self._stream.findings[:-1])
        return True

    def finish(self, terminal: Terminal, text: str) -> None:
        """Print the rest; an answer that names no line goes to stderr as it is."""
        self._stream.finish()
        self._print(self._stream.findings)
        if self._stream.findings or not text.strip():
            return
        if self._stream.is_clean:
            terminal.note(msg("The review has found nothing."))
        else:
            print(printable(text, sys.stderr), file=sys.stderr)

    def _print(self, findings: Sequence[Finding]) -> None:
        for finding in findings[self._printed :]:
            message = " ".join(self._mask.restore(finding.message).split())
            code = f" [{finding.code}]" if finding.code else ""
            line = f"{self._names[finding.file]}:{finding.first + 1}: {finding.severity}: {message}{code}"
            print(printable(line, sys.stdout), flush=True)
        self._printed = max(self._printed, len(findings))


def name_from_here(path: Path) -> str:
    """Return a file's name as the terminal's other tools write it."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # on another drive
        return str(path)
