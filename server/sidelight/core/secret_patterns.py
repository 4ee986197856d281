"""What looks like a key, a token or a password in a text.

Known kinds are found by their own marks; others by the name that they are given (``password = "…"``), where the value
looks random. Time is linear in the text: every pattern is tried only where its mark stands, and reads on boundedly, or
never goes back over what it has read.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """A secret's place in a text, in code points; ``is_first``: not a further line of the one before."""

    start: int
    end: int
    is_first: bool = True


class _Kind(NamedTuple):
    """A kind of token: what every one of them holds, the whole of it, and whether it must look random, too."""

    mark: str
    pattern: re.Pattern[str]
    is_doubtful: bool = False


def _kind(mark: str, pattern: str, *, is_doubtful: bool = False) -> _Kind:
    return _Kind(mark, re.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})"), is_doubtful)


_KINDS = [
    *(_kind(mark, rf"{mark}[A-Z0-9]{{16}}(?![A-Za-z0-9])") for mark in ("AKIA", "ASIA", "ABIA", "ACCA")),  # AWS
    *(_kind(f"gh{kind}_", rf"gh{kind}_[A-Za-z0-9]{{30,255}}") for kind in "pousr"),
    _kind("github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    *(_kind(f"gl{kind}-", rf"gl{kind}-[\w-]{{20,255}}") for kind in ("pat", "dt", "rt", "cbt", "ptt", "ft", "soat")),
    _kind("xox", r"xox[abeoprs]-[0-9][A-Za-z0-9-]{10,255}"),  # Slack
    _kind("xapp-", r"xapp-[A-Za-z0-9-]{20,255}"),
    _kind("_live_", r"[rsp]k_live_[A-Za-z0-9]{16,255}"),  # Stripe
    _kind("_test_", r"[rs]k_test_[A-Za-z0-9]{16,255}"),
    _kind("whsec_", r"whsec_[A-Za-z0-9+/=]{20,255}"),
    _kind("AIza", r"AIza[\w-]{35}"),  # Google
    _kind("GOCSPX-", r"GOCSPX-[\w-]{20,255}"),
    _kind("ya29.", r"ya29\.[\w-]{20,2048}"),
    # OpenAI, Anthropic, OpenRouter, DashScope and others: by what stands before the random part, else without a hyphen.
    _kind("sk-", r"sk-(?:proj|svcacct|admin|ant-[a-z]{2,8}\d{2}|or-v\d)-(?=[\w-]{0,100}\d)[\w-]{20,512}"),
    _kind("sk-", r"sk-(?=[A-Za-z]{0,100}\d)[A-Za-z0-9]{20,512}(?![\w-])"),
    _kind("sk-", r"sk-[\w-]{20,512}", is_doubtful=True),
    _kind("gsk_", r"gsk_[A-Za-z0-9]{30,255}"),
    _kind("xai-", r"xai-[A-Za-z0-9]{40,255}"),
    _kind("hf_", r"hf_[A-Za-z0-9]{30,255}"),
    _kind("npm_", r"npm_[A-Za-z0-9]{36}"),
    _kind("pypi-", r"pypi-[\w-]{50,512}"),
    _kind("SG.", r"SG\.[\w-]{16,64}\.[\w-]{32,128}"),
    _kind("dop_v1_", r"dop_v1_[a-f0-9]{64}"),
    _kind("shp", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _kind("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[A-Z0-9]{20,100}"),
    _kind("eyJ", r"eyJ[\w-]{8,4096}\.[\w-]{8,8192}(?:\.[\w-]{0,2048}){0,3}"),  # JWT
]
# From its first hyphen on: a literal beginning is found several times as fast.
_ANYTHINGLLM = re.compile(r"-(?<=(?<![A-Za-z0-9-])[0-9A-Z]{7}-)[0-9A-Z]{7}-[0-9A-Z]{7}-[0-9A-Z]{7}(?![A-Za-z0-9-])")
_SLACK_HOOK = re.compile(r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{20,200})")
_AZURE = re.compile(r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/=]{40,100})")
_URL = re.compile(r"://[^\s/:@\"'<>]{0,100}:([^\s/@\"'<>]{4,200})@")
_BEARER = re.compile(
    r"[\"']?\s{0,3}[:=,]\s{0,3}[bfru]?[\"'`]?(?:bearer|basic|token|apikey)\s{1,3}([\w.~+/=-]{16,4096})", re.IGNORECASE
)

_PEM = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_PEM_RUN = re.compile(r"\\[nr]|([A-Za-z0-9+/=]{16,})")
_PEM_LINE = re.compile(r"(?:[#*>|]{1,3} ?|// ?)?(?:[A-Za-z0-9+/=]+(?:\\[nr])*|[\w-]{2,20}: ?.*)?")
_PEM_CHARACTERS = 20_000

_STEMS = ("pass", "pwd", "secret", "token", "credential")
_KEYS = re.compile(
    r"(?:api|access|private|auth|encrypt(?:ion)?|sign(?:ing)?|account|client|subscription|shared|storage|master|session"
    r"|service|deploy)[_\- ]?$"
)
# The rest of the name, an index's end, a type, and what gives a value: =, :, =>, :=, ( as of a call, , as of a default.
_GIVEN = re.compile(
    r"[\w-]{0,30}[\"'`]?\]?\)?\s{0,8}(?::\s?\w{1,20}\s{0,2}(?==))?(?:=>|:=|=|:|>|\(|,)\s{0,8}[bBrRuU]{0,2}([\"'`]?)"
)
_QUOTED = re.compile(r"[^\s\"'`]{8,512}")
_UNQUOTED = re.compile(r"[A-Za-z0-9+/=_.~!@#%^&*-]{12,512}")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_WORD = re.compile(r"[a-z]{3,}|[A-Z][a-z]{2,}|[A-Z]{3,}")
_TEMPLATE = re.compile(r"\$\{|\{\{|\{\w*\}|<\w|%\(|%s|\$\(|^\$\w+$|^%\w+%$|://")
_FAKE = re.compile(
    r"example|sample|dummy|fake|placeholder|change.?(?:me|this)|your|xxxx|\*\*\*|\.\.\.|redacted|insert|replace|secret"
    r"|passw|token|api.?key|12345|abcdef|test|foobar|qwerty|sidelight_",
    re.IGNORECASE,
)
_FAKE_TOKEN = re.compile(r"example|xxxx|\.\.\.|placeholder|redacted|your|0000000|1234567890", re.IGNORECASE)
_LOWER = str.maketrans({letter: letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


def find_secrets(text: str) -> list[Span]:
    """Return the places of what looks like secrets, in order; none holds a line end, and none meets another."""
    lower = text.translate(_LOWER)
    finders = (_tokens(text), _in_addresses(text), _named(text, lower), _authorized(text, lower), _private_keys(text))
    found = [span for finder in finders for span in finder]
    return apart(sorted(found)) if found else []


def apart(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap; they come in order."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = Span(last.start, max(last.end, span.end), last.is_first and span.is_first)
        else:
            joined.append(span)
    return joined


def _tokens(text: str) -> Iterator[Span]:
    for kind in _KINDS:
        if kind.mark in text:
            for match in kind.pattern.finditer(text):
                if not _FAKE_TOKEN.search(match[0]) and not (kind.is_doubtful and not looks_random(match[0][3:])):
                    yield Span(*match.span())
    for match in _ANYTHINGLLM.finditer(text):
        if looks_random(text[match.start() - 7 : match.end()]):
            yield Span(match.start() - 7, match.end())


def _in_addresses(text: str) -> Iterator[Span]:
    for mark, pattern in (("hooks.slack.com/", _SLACK_HOOK), ("Key=", _AZURE), ("://", _URL)):
        if mark in text:
            for match in pattern.finditer(text):
                if not _FAKE.search(match[1]) and not _TEMPLATE.search(match[1]) and not _is_word(match[1]):
                    yield Span(*match.span(1))


def _authorized(text: str, lower: str) -> Iterator[Span]:
    """Find what follows ``Authorization: Bearer``, and other headers of the name."""
    for at in _places(lower, "authorization"):
        match = _BEARER.match(text, at)
        if match and any(map(str.isdigit, match[1])) and not _FAKE.search(match[1]) and not _DOTTED.fullmatch(match[1]):
            yield Span(*match.span(1))


def _named(text: str, lower: str) -> Iterator[Span]:
    """Find values that look random and are given to a name that speaks of a secret."""
    for stem in _STEMS:
        for at in _places(lower, stem):
            yield from _given(text, at)
    for at in _places(lower, "key"):
        if _KEYS.search(lower, max(0, at - 3 - 20), at - 3):
            yield from _given(text, at)


def _places(lower: str, word: str) -> Iterator[int]:
    """Yield where each occurrence of a word ends."""
    at = lower.find(word)
    while at >= 0:
        at += len(word)
        yield at
        at = lower.find(word, at)


def _given(text: str, at: int) -> Iterator[Span]:
    given = _GIVEN.match(text, at)
    if given is None:
        return
    quote = given[1]
    value = (_QUOTED if quote else _UNQUOTED).match(text, given.end())
    if value is None:
        return
    after = text[value.end() : value.end() + 1]
    is_whole = after == quote if quote else after == "" or after in " \t\r\n;,<\"'"
    if is_whole and looks_random(value[0]) and (quote or not _DOTTED.fullmatch(value[0])):
        yield Span(*value.span())


def looks_random(value: str) -> bool:
    """Whether a value looks like one that a machine has drawn, or a password with all kinds of characters in it.

    It changes often between capitals, small letters, digits and the rest, as no name does.
    """
    length = len(value)
    if length < 8 or _FAKE.search(value) or _TEMPLATE.search(value):
        return False
    kinds = [_character_kind(character) for character in value]
    if "d" not in kinds or not {"u", "l"} & set(kinds):
        return False
    in_words = sum(map(len, _WORD.findall(value))) / length
    if "o" in kinds and in_words >= (0.5 if length < 20 else 0.62):
        return False
    changes = sum(kinds[at] != kinds[at - 1] for at in range(1, length)) / length
    if length < 12:
        return len(set(kinds)) >= 3 and changes >= 0.3 and _bits(value) >= 2.6
    return changes >= (0.28 if length < 20 else 0.22) and _bits(value) >= 2.8


def _character_kind(character: str) -> str:
    if character.isdigit():
        return "d"
    if character.isupper():
        return "u"
    return "l" if character.islower() else "o"


def _bits(value: str) -> float:
    """Return the entropy of a character, in bits."""
    length = len(value)
    return -sum(count / length * math.log2(count / length) for count in Counter(value).values())


def _is_word(value: str) -> bool:
    """Whether a password in an address is one of those that stand in every manual."""
    return value.lower() in ("pass", "password", "pwd", "user", "admin", "root", "postgres", "guest", "port")


def _private_keys(text: str) -> Iterator[Span]:
    """Find the lines of private keys in PEM, whole ones and those of which one end is not in the text."""
    if "PRIVATE KEY" not in text:
        return
    markers = list(_PEM.finditer(text))
    for number, marker in enumerate(markers):
        before = markers[number - 1] if number else None
        after = markers[number + 1] if number + 1 < len(markers) else None
        if marker[1] == "BEGIN":
            end = min(after.start() if after else len(text), marker.end() + _PEM_CHARACTERS)
            yield from _runs(text, _body(text, marker.end(), end))
        elif before is None or before[1] == "END":
            start = max(before.end() if before else 0, marker.start() - _PEM_CHARACTERS)
            yield from _runs(text, reversed(_body(text, marker.start(), start)))


def _body(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the places of lines that can be of a key, from ``start`` on towards ``end``, which may be before it."""
    low, high = min(start, end), max(start, end)
    lines: list[tuple[int, int]] = []
    at = low
    for line in text[low:high].splitlines(keepends=True):
        lines.append((at, at + len(line)))
        at += len(line)
    if end < start:
        lines.reverse()
    body: list[tuple[int, int]] = []
    for place in lines:
        is_beside_marker = not body
        line = text[slice(*place)].strip(" \t\r\n+-\\,\"'`;()")
        if not is_beside_marker and not _PEM_LINE.fullmatch(line):
            break
        body.append(place)
    return body


def _runs(text: str, lines: Iterable[tuple[int, int]]) -> Iterator[Span]:
    is_first = True
    for start, end in lines:
        for run in _PEM_RUN.finditer(text, start, end):
            if run[1]:
                yield Span(*run.span(1), is_first)
                is_first = False
