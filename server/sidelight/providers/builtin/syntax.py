"""Code that Python cannot read: what is wrong, where, and the small repairs that make it readable.

Every repair is a guess that is tried: it counts only when Python then reads the text, or reads on to a later line.
"""

from __future__ import annotations

import keyword
import re
import sys
import time
from collections.abc import Iterator

from sidelight.messages import Message, msg
from sidelight.providers.builtin.page import Block, Listing, code
from sidelight.providers.builtin.program import Edit, Fault, Program
from sidelight.providers.builtin.spelling import distance

PATIENCE_S = 1.0  # each guess costs a reading of the whole text
GUESSES_AHEAD = 12  # lines below an open bracket where its end is looked for

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_COMPOUND = re.compile(r"\s*(?:async|class|def|elif|else|except|finally|for|if|match|case|try|while|with)\b")
_CODE = re.compile(r"""(?:[^#"'\r\n]|"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*')*""")


def error_sentence(program: Program) -> Message:
    """Return what Python says about the first error."""
    return msg(
        "Python {version} cannot read this code. In line {line} it says: {reason}.",
        version=f"{sys.version_info.major}.{sys.version_info.minor}",
        line=program.error_line,
        reason=(program.error.msg if program.error else ""),
    )


def explain_error(program: Program) -> Iterator[Block]:
    """Yield what Python says about the first error, the line, and what was probably meant."""
    line, error = program.error_line, program.error
    yield error_sentence(program)
    shown = program.line(line).rstrip()
    column = min((error.offset if error else None) or 1, len(shown) + 1)
    yield Listing(f"{shown}\n{' ' * (column - 1)}^\n", "text")
    mended, faults = mend(program, 0, len(program.text))
    for fault in faults:
        yield msg("Line {line}: {fault}", line=fault.line, fault=fault.message)
        yield msg("It can be read as {code}.", code=code(mended.line(fault.line)))
    if not faults:
        yield msg("Nothing more can be said about the rest until this line is right.")


def mend(program: Program, start: int, end: int) -> tuple[Program, list[Fault]]:
    """Repair what keeps Python from reading, with edits between the offsets alone.

    Returns the readable program and what was done, one edit each, every one in the text that the one before it left;
    the program as it was, and nothing, when no readable one was found.
    """
    deadline, tail, now, done = time.monotonic() + PATIENCE_S, len(program.text) - end, program, []
    while now.error and time.monotonic() < deadline:
        best: tuple[Program, Fault] | None = None
        for fault in _guesses(now):
            inside = all(start <= edit.start and edit.end <= len(now.text) - tail for edit in fault.edits)
            after = now.edited(fault.edits) if inside and time.monotonic() < deadline else now
            if after.error is None or after.error_line > (best[0] if best else now).error_line:
                best = after, fault
            if after.error is None:
                break
        if best is None:
            return program, []
        now = best[0]
        done.append(best[1])
    return (program, []) if now.error else (now, done)


def _guesses(program: Program) -> Iterator[Fault]:
    line = program.error_line
    lines = [line] + [above for above in (line - 1,) if program.line(above).strip()]
    for guess in (_missing_colon, _single_equals, _misspelt_keyword):
        for number in lines:
            yield from guess(program, number)
    yield from _bracket(program, line)
    yield from _quote(program, line)


def _missing_colon(program: Program, line: int) -> Iterator[Fault]:
    if _COMPOUND.match(program.line(line)):
        yield _insert(program, line, _code_end(program, line), ":", msg("The colon at the end is missing."))


def _single_equals(program: Program, line: int) -> Iterator[Fault]:
    if re.match(r"\s*(?:if|elif|while|assert|return)\b", program.line(line)):
        for match in re.finditer(r"(?<![=!<>:+\-*/%&|^@])=(?!=)", program.line(line)):
            place = program.start(line) + match.start()
            text = msg("A single `=` sets a name; a comparison is written `==`.")
            yield Fault(line, text, (Edit(place, place + 1, "=="),))


def _misspelt_keyword(program: Program, line: int) -> Iterator[Fault]:
    start = program.start(line)
    for match in re.finditer(r"\b[a-z]{3,}\b", program.line(line)):
        for meant in keyword.kwlist if match[0] not in keyword.kwlist else ():
            if distance(match[0], meant) == 1:
                text = msg("{word} stands where {meant} was meant.", word=code(match[0]), meant=code(meant))
                yield Fault(line, text, (Edit(start + match.start(), start + match.end(), meant),))


def _bracket(program: Program, line: int) -> Iterator[Fault]:
    reason = (program.error.msg if program.error else None) or ""
    place = program.start(line) + max((program.error.offset if program.error else None) or 1, 1) - 1
    if match := re.search(r"'([(\[{])' was never closed", reason):
        text = msg("The bracket {bracket} is never closed.", bracket=code(match[1]))
        yield from _closings(program, line, _CLOSING[match[1]], text)
    elif match := re.search(r"'([)\]}])' does not match opening parenthesis '([(\[{])'", reason):
        text = msg("The bracket {bracket} closes another kind.", bracket=code(match[1]))
        yield Fault(line, text, (Edit(place, place + 1, _CLOSING[match[2]]),))
        yield Fault(line, text, (Edit(place, place, _CLOSING[match[2]]),))
    elif match := re.search(r"unmatched '([)\]}])'", reason):
        text = msg("The bracket {bracket} was never opened.", bracket=code(match[1]))
        yield Fault(line, text, (Edit(place, place + 1, ""),))
    elif program.line(line)[: _code_end(program, line)].endswith(":"):  # `if f(x:` is plain "invalid syntax"
        for bracket, closing in _CLOSING.items():
            text = msg("The bracket {bracket} is never closed.", bracket=code(bracket))
            yield _insert(program, line, _code_end(program, line) - 1, closing, text)


def _closings(program: Program, line: int, closing: str, text: Message) -> Iterator[Fault]:
    own_line = _code_end(program, line) and program.line(line)[: _code_end(program, line)][-1] in "([{"
    indent = re.match(r"\s*", program.line(line)).group()  # type: ignore[union-attr]  # it always matches
    for number in range(line, line + GUESSES_AHEAD):
        content = program.line(number)[: _code_end(program, number)]
        if content.endswith(":"):
            yield _insert(program, number, len(content) - 1, closing, text)
        if content.strip():
            new = f"{program.newline}{indent}{closing}" if own_line and number > line else closing
            yield _insert(program, number, len(content), new, text)


def _quote(program: Program, line: int) -> Iterator[Fault]:
    error = program.error
    if error and re.match("unterminated (f-)?string literal|EOL while", error.msg or ""):
        content = program.line(line).rstrip()
        quote = re.search("['\"]", content[max((error.offset or 1) - 1, 0) :])
        for column in range(len(content), 0, -1):
            if quote:
                yield _insert(
                    program, line, column, quote[0], msg("The quote {quote} is never closed.", quote=code(quote[0]))
                )
            if content[column - 1] not in ")]}:,":
                return


def _insert(program: Program, line: int, column: int, new: str, text: Message) -> Fault:
    place = program.start(line) + column
    return Fault(line, text, (Edit(place, place, new),))


def _code_end(program: Program, line: int) -> int:
    """Return the column after the last character of a line that is not space or comment."""
    found = _CODE.match(program.line(line))
    return len(found[0].rstrip()) if found else 0
