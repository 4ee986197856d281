"""The words of a text, as a search knows them: what is looked for, whether it is there, and the piece around it.

Writing that puts no spaces between words (Chinese, Japanese, Thai, …) is taken character by character, and what is
looked for there is found as a sequence. Case, accents and the width of characters do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

Phrase = tuple[str, ...]
"""Words that follow one another; the last may be the beginning of a longer one."""

# Thai, Lao, Myanmar, Khmer; kana and bopomofo; ideographs; Hangul, whose compounds are looked for by their parts;
# compatibility ideographs; ideographs beyond the basic plane.
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"(?![\W_])[{_ALONE}]|[^\W_{_ALONE}]+")
_IS_ALONE = re.compile(f"[{_ALONE}]")
_ACCENTS = re.compile("[\u0300-\u036f]")
# Who pastes a whole page into a search box gets an answer too, by its first words.
_LONGEST_SEARCH = 1000
_MOST_PHRASES = 20
_FAR_ENOUGH = 500_000
_BEFORE, _WIDTH = 40, 140


def words(text: str) -> list[str]:
    """Return the words of a text, in order."""
    return _WORD.findall(_folded(text))


def indexed(text: str) -> str:
    """Return the words of a text with single spaces between them, for ``has`` and for an index."""
    # Line by line: one call for a long text would keep the other threads waiting.
    return " ".join(word for line in text.splitlines() for word in words(line))


def phrases(search: str) -> list[Phrase]:
    """Return what a search looks for; empty when there is no word in it. Quotes and other signs only part words."""
    parts = (tuple(words(part)) for part in search[:_LONGEST_SEARCH].split())
    return list(dict.fromkeys(part for part in parts if part))[:_MOST_PHRASES]


def has(indexed_text: str, phrase: Phrase) -> bool:
    """Whether a phrase is in a text, given as ``indexed`` returns it."""
    return f" {' '.join(phrase)}" in f" {indexed_text}"


def excerpt(texts: Iterable[str], looked_for: list[Phrase]) -> str:
    """Return a piece, on one line, of the first text that has one of the phrases; empty when none has it."""
    if not looked_for:
        return ""
    pattern = re.compile("|".join(map(_pattern, looked_for)))
    for text in texts:
        flat = " ".join(text[:_FAR_ENOUGH].split())
        folded = _folded(flat)
        if found := pattern.search(folded):
            # Where folding moved the characters, the place is right in the folded text alone.
            return _around(flat if len(flat) == len(folded) else folded, *found.span())
    return ""


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed)).casefold()


def _pattern(phrase: Phrase) -> str:
    """Return what matches the phrase in a folded text, and only where ``words`` would find it."""
    between = [
        f"[\\W_]{'*' if is_alone[0] or is_alone[1] else '+'}"
        for is_alone in pairwise(_IS_ALONE.fullmatch(word) is not None for word in phrase)
    ]
    start = "" if _IS_ALONE.fullmatch(phrase[0]) else rf"(?<![^\W_{_ALONE}])"
    return start + "".join(word + after for word, after in zip(phrase, [*between, ""], strict=True))


def _around(line: str, start: int, end: int) -> str:
    first = max(0, start - _BEFORE)
    if first:  # begin with a whole word where there is one
        space = line.find(" ", first, start)
        first = space + 1 if space >= 0 else first
    last = max(first + _WIDTH, min(end, start + _WIDTH))
    shown = "".join(it if it.isprintable() else "\N{REPLACEMENT CHARACTER}" for it in line[first:last])
    return ("…" if first else "") + shown.rstrip() + ("…" if last < len(line) else "")
