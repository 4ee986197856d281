"""One line of a review, read: where it points, how bad it is, and what it says.

The line that is asked for is ``12-14 | warning | message``. Small models write it in many other ways: as a list item, a
heading or a row of a table, in bold, as a compiler would, with the severity first, without any. All of these are read;
prose is not. What a place means in a document is decided in ``findings.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "information", "hint"]

_WORDS: dict[Severity, str] = {
    "error": "error errors err critical bug fatal blocker high major severe fehler 错误 严重 致命",
    "warning": "warning warnings warn medium moderate warnung 警告",
    "information": "information info note notice minor low 信息 注意",
    "hint": "hint suggestion style nit nitpick tip hinweis 提示 建议",
}
_SEVERITIES = {word: severity for severity, words in _WORDS.items() for word in words.split()}
_MOST_CHARACTERS = 2000
# What may stand around the parts of a line: emphasis, code marks, brackets.
_X = r"[\s*`_\[\]()]*"
# The patterns take long over many of these in a row.
_LONG_RUN = re.compile(r"([\s*`_\[\]()]{3})[\s*`_\[\]()]{21,}")
_LEAD = re.compile(r"(?:\s|>|\||[-*+•▪–](?=\s)|#{1,6}(?=\s)|\(?\d{1,3}[.)](?=\s))*")
_PLACE = re.compile(
    rf"{_X}(?:(?P<file>[^|:`*\n]{{1,300}}?){_X}[:|]{_X})??"
    rf"(?P<word>\b(?:lines?|ln|l|zeilen?|lignes?)\b\.?{_X}[:#]?{_X}|\bL(?=\d)|第?\s*(?=\d+[^|:\n]{{0,12}}行))?#?"
    rf"(?P<first>\d{{1,7}})(?:\s*(?:-|–|—|~|to|bis|至|到)\s*L?(?P<last>\d{{1,7}}))?(?:\s*(?:,|and|&|和|、)\s*\d+)*"
    rf"(?::\d{{1,5}}(?=[:\s]))?\s*行?{_X}(?P<mark>[|:：,，]|[-–—](?=\s)|(?=\s*[(\[])|$)",
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(rf"{_X}(?P<word>[^\W\d_]+){_X}(?P<mark>[:：|,，]|[-–—](?=\s)|\b(?:at|in|on)\b)?{_X}")
_WITH_CODE = re.compile(r"(?P<word>[^\W\d_]+)\s*[\[(/:,-]\s*(?P<code>[\w .-]{1,40}?)\s*[\])]?$")
_LABEL = re.compile(
    rf"{_X}(?P<label>severity|level|message|problem|issue|finding|description|category|问题|描述|严重性){_X}[:：]\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_LONGEST_CODE = 40
_CODE = re.compile(r"[^\W\d_][\w-]{2,}(?: [\w-]+){0,2}$")


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says. Lines count from 1, as the model counts them; ``message`` may be empty, and follow later."""

    first: int
    last: int
    severity: Severity | None
    message: str
    code: str = ""
    file: str = ""


def read_line(line: str) -> Said | None:
    """Return the finding that a line (without its line end) begins, or None for any other line."""
    bare = line[_LEAD.match(line).end() :].rstrip()  # type: ignore[union-attr]
    if not any(character.isdigit() for character in bare):
        return None
    bare = _LONG_RUN.sub(r"\1", bare)
    is_row = line.lstrip(" \t>").startswith("|")
    if is_row or bare.endswith("|"):
        bare = bare.rstrip("| \t")
    return _place_first(bare) or _severity_first(bare)


def _place_first(bare: str, severity: Severity | None = None) -> Said | None:
    found = _PLACE.match(bare)
    if found is None:
        return None
    said, code, message = _rest(bare[found.end() :])
    severity = severity or said
    file = (found["file"] or "").strip().strip("[](\"'")
    is_plain = not (found["word"] or severity)
    if is_plain and (file or found["mark"] not in ("|", ":", "：") or not message):
        return None
    if file and severity is None:
        return None
    first = int(found["first"])
    return Said(first, max(first, int(found["last"] or first)), severity, message, code, file)


def _severity_first(bare: str) -> Said | None:
    found = _FIRST_WORD.match(bare)
    severity = severity_of(found["word"]) if found else None
    if found is None or severity is None:
        return None
    rest = _PLACE.match(bare[found.end() :])
    if rest is None or not (rest["word"] or rest["file"] or found["mark"] == "|"):
        return None
    return _place_first(bare[found.end() :], severity)


def severity_of(word: str) -> Severity | None:
    """Return the severity that a word means."""
    return _SEVERITIES.get(word.strip(" \t*_`[]():：").lower())


def _rest(rest: str) -> tuple[Severity | None, str, str]:
    """Return severity, category and message of what follows the place."""
    severity, code = None, ""
    for mark in ("|", ":", "：", " - ", " – ", " — "):
        field, found, after = rest.partition(mark)
        word = field.strip(" \t*_`[]()")
        if not found or not word or len(word) > _LONGEST_CODE:
            continue
        named = _WITH_CODE.match(word)
        severity = severity_of(word) or (severity_of(named["word"]) if named else None)
        if severity is not None:
            code = named["code"].strip() if named and severity_of(word) is None else ""
            rest = after
            break
    else:
        severity, rest = _bracketed(rest)
    if "|" in rest:
        field, _, after = rest.partition("|")
        word = field.strip(" \t*_`[]()")
        if _CODE.match(word) and "`" not in field and after.strip() and not code:
            code, rest = word, after
    if severity is None:
        severity = severity_of(rest)
        rest = "" if severity else rest
    return severity, code, _cleaned(rest)


def _bracketed(rest: str) -> tuple[Severity | None, str]:
    """Return the severity that stands in brackets or in bold without anything behind it, and what follows."""
    found = re.match(
        r"\s*[*_`]*[(\[]?\s*(?P<word>[^\W\d_]+)\s*[)\]][*_`]*\s*[:|-]?|\s*\*\*(?P<bold>[^\W\d_]+)\*\*", rest
    )
    severity = severity_of(found["word"] or found["bold"] or "") if found else None
    return (severity, rest[found.end() :]) if found and severity else (None, rest)


def _cleaned(text: str) -> str:
    """Return a message without the other half of a mark that stood around the place."""
    text = text.strip().lstrip("|:：-–— ").strip()
    for mark in ("**", "__", "`"):
        if text.count(mark) % 2 and text.startswith(mark):
            text = text[len(mark) :]
        elif text.count(mark) % 2 and text.endswith(mark):
            text = text[: -len(mark)]
    return text.strip()[:_MOST_CHARACTERS]


def read_label(line: str) -> tuple[str, str] | None:
    """Return what a line like ``Severity: error`` says, below a place that stood alone: its label and its text."""
    found = _LABEL.match(line[_LEAD.match(line).end() :])  # type: ignore[union-attr]
    if found is None:
        return None
    label = found["label"].lower()
    if label in ("severity", "level", "严重性"):
        return "severity", found["rest"]
    return ("code" if label == "category" else "message"), _cleaned(found["rest"])
