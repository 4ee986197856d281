"""Thinking aloud that comes inside the text, as ``<think>…</think>`` and its relatives at the beginning of an answer.

Only a tag before any other text opens, so that an answer may speak about such tags; below a short greeting one opens
that stands at the start of a line, if its closing tag does so too. Some chat templates give the
opening tag to the model, and only the closing one comes: then what was said before it was the reasoning. Fed with any
cut; every character costs O(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, Union

from sidelight.core.answers import Reasoning, Replace, Text

SplitEvent = Union[Text, Reasoning, Replace]

_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "seed:think")
# gpt-oss, https://github.com/openai/harmony: channels of one message each.
_FINAL = "<|channel|>final<|message|>"
_TURN = "<|start|>assistant"
_CHANNEL_ENDS = ("<|end|>", _TURN + _FINAL, _FINAL)
# What opens reasoning, and what closes it then.
_PAIRS = {
    **{f"<{name}>": (f"</{name}>",) for name in _NAMES},
    "[think]": ("[/think]",),
    "<|begin_of_thought|>": ("<|end_of_thought|>",),
    "◁think▷": ("◁/think▷",),
    "<|channel|>analysis<|message|>": _CHANNEL_ENDS,
    "<|channel|>commentary<|message|>": _CHANNEL_ENDS,
}
# What may stand before the answer and says nothing.
_MARKS = (_TURN, _FINAL)
_STARTS = (*_PAIRS, *_MARKS)
_WITH_ATTRIBUTES = re.compile(rf"<({'|'.join(_NAMES)})\s[^<>]{{0,200}}(>?)", re.IGNORECASE)
_CLOSINGS = tuple({closing for closings in _PAIRS.values() for closing in closings} - {*_CHANNEL_ENDS})
# With either of these in it, the answer speaks about tags, or a tag closes what no tag opened.
_MENTIONS = (*_CLOSINGS, *(opening.rstrip(">") for opening in _PAIRS))
_LONGEST = max(map(len, (*_STARTS, *_CHANNEL_ENDS)))
# "Sure, let me think about this first."
_MOST_GREETING = 200
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


@lru_cache
def _any_of(tags: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(tags, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


class ReasoningSplitter:
    """Divides the text of an answer into ``Reasoning`` and ``Text``.

    ``Replace("")`` comes before ``Reasoning`` where ``Text`` turned out to have been that.
    """

    def __init__(self) -> None:
        # start: nothing but blanks so far. open: text after no tag at all, which a closing tag may turn into reasoning.
        # greeted: after an opening tag below a greeting, which counts only if it is closed.
        self._state: Literal["start", "reasoning", "open", "greeted", "text"] = "start"
        self._held = ""  # may still become a tag
        self._blanks: list[str] = []  # before the first text; dropped after reasoning
        self._has_tag = False
        self._closings: tuple[str, ...] = ()
        self._said: list[str] = []  # text that went out in the state open
        self._opening = ""
        self._thought: list[str] = []  # in the state greeted
        self._is_at_line_start = False

    def feed(self, text: str) -> Iterator[SplitEvent]:
        """Take a delta; yield what is known by now. A part that may still become a tag is held back."""
        self._held += text
        state = None
        while self._held and state != self._state:
            state = self._state
            if state == "start":
                self._look_for_opening()
            elif state == "reasoning":
                yield from self._reasoning()
            elif state == "open":
                yield from self._open_text()
            elif state == "greeted":
                yield from self._greeted()
            else:
                yield from self._rest()

    def finish(self) -> Iterator[SplitEvent]:
        """Say that no more comes; yields what was held back."""
        if self._state == "start" and not self._has_tag:
            self._held = "".join(self._blanks) + self._held
        if self._state == "reasoning" and self._held:
            yield Reasoning(self._held)
            self._held = ""
        if self._state == "greeted":
            self._held = "".join((self._opening, *self._thought)) + self._held
        yield from self._rest()

    def _rest(self) -> Iterator[Text]:
        text, self._held = self._held, ""
        if text:
            yield Text(text)

    def _look_for_opening(self) -> None:
        """Pass over blanks, tags that open nothing, and one that opens reasoning; stop at text."""
        while True:
            content = self._held.lstrip()
            self._blanks.append(self._held[: len(self._held) - len(content)])
            self._held = content
            if not content or not self._passes_mark():
                break
        if not self._held or self._may_start():
            return
        if self._state == "start":
            self._held = self._held if self._has_tag else "".join(self._blanks) + self._held
            self._state = "text" if self._has_tag else "open"

    def _passes_mark(self) -> bool:
        """Take a mark away; an opening tag ends the looking."""
        size, closings = _start_of(self._held)
        if not size:
            return False
        self._has_tag = True
        self._held = self._held[size:]
        if closings:
            self._closings = closings
            self._state = "reasoning"
        return not closings

    def _may_start(self) -> bool:
        """Whether what is held may become one of the tags that may stand here."""
        if self._state != "start":
            return False
        held = self._held[: _LONGEST + 1].lower()
        if any(tag.startswith(held) for tag in _STARTS):
            return True
        found = _WITH_ATTRIBUTES.fullmatch(self._held)
        return found is not None and not found[2]

    def _reasoning(self) -> Iterator[Reasoning]:
        closing = _any_of(self._closings).search(self._held)
        keep = len(self._held) - (
            closing.start() if closing else len(self._held) - _overlap(self._held, self._closings)
        )
        thought = self._held[: len(self._held) - keep]
        self._held = self._held[closing.end() if closing else len(thought) :]
        if closing:
            self._state = "start"
        if thought:
            yield Reasoning(thought)

    def _open_text(self) -> Iterator[SplitEvent]:
        """Say text until the first tag in it; that one decides what the text before it was."""
        tag = _MENTION.search(self._held)
        if tag is None:
            yield from self._said_up_to(len(self._held) - _overlap(self._held, _MENTIONS))
            return
        before = "".join(self._said) + self._held[: tag.start()]
        after = self._held[tag.end() :]
        is_closing = tag.group().lower() in _CLOSINGS
        if not is_closing and _is_greeting(before):
            yield from self._look_below_greeting(tag.start())
        elif is_closing and not after and not _ends_line(before):
            yield from self._said_up_to(tag.start())  # what follows the tag decides
        elif is_closing and _may_close(before, after):
            yield from self._taken_back(before)
            self._held = after
        else:
            self._state = "text"

    def _look_below_greeting(self, start: int) -> Iterator[Text]:
        content = self._held[start:]
        size, closings = _start_of(content)
        if closings:
            yield from self._said_up_to(start)
            self._opening, self._held = self._held[:size], self._held[size:]
            self._closings, self._is_at_line_start = closings, False
            self._state = "greeted"
        elif any(opening.startswith(content.lower()) for opening in _PAIRS):
            yield from self._said_up_to(start)
        else:
            self._state = "text"

    def _greeted(self) -> Iterator[SplitEvent]:
        """Hold all until a closing tag stands at the start of a line; other ones are spoken about."""
        while closing := _any_of(self._closings).search(self._held):
            self._think(self._held[: closing.start()])
            tag, self._held = closing.group(), self._held[closing.end() :]
            if self._is_at_line_start:
                yield Reasoning("".join(self._thought))
                self._thought, self._has_tag, self._blanks = [], True, []
                self._state = "start"
                return
            self._think(tag)
        size = len(self._held) - _overlap(self._held, self._closings)
        self._think(self._held[:size])
        self._held = self._held[size:]

    def _think(self, text: str) -> None:
        self._thought.append(text)
        _, line_end, line = text.rpartition("\n")
        self._is_at_line_start = not line.strip() and (bool(line_end) or self._is_at_line_start)

    def _said_up_to(self, size: int) -> Iterator[Text]:
        text, self._held = self._held[:size], self._held[size:]
        if text:
            self._said.append(text)
            yield Text(text)

    def _taken_back(self, before: str) -> Iterator[SplitEvent]:
        if self._said:
            yield Replace("")
            self._said = []
        yield Reasoning(before)
        self._has_tag = True
        self._blanks = []
        self._state = "start"


_MENTION = _any_of(_MENTIONS)


def _start_of(text: str) -> tuple[int, tuple[str, ...]]:
    """Return the length of the tag that the text begins with, 0 if with none, and what closes it."""
    lowered = text[:_LONGEST].lower()
    for tag in _STARTS:
        if lowered.startswith(tag):
            return len(tag), _PAIRS.get(tag, ())
    found = _WITH_ATTRIBUTES.match(text)
    if found is None or not found[2]:
        return 0, ()
    return found.end(), _PAIRS[f"<{found[1].lower()}>"]


def _overlap(text: str, tags: tuple[str, ...]) -> int:
    """Return how many characters at the end of ``text`` could be the beginning of one of the tags."""
    tail = text[-_LONGEST:].lower()
    starts = (n for n, character in enumerate(tail) if character in "<[◁")
    return next((len(tail) - n for n in starts if any(tag.startswith(tail[n:]) for tag in tags)), 0)


def _ends_line(text: str) -> bool:
    """Whether what follows the text stands at the start of a line."""
    return not text.rpartition("\n")[2].strip()


def _is_greeting(before: str) -> bool:
    """Whether the text is no more than a few words, and what follows them stands at the start of a line."""
    said = before.strip()
    return (
        0 < len(said) <= _MOST_GREETING
        and "\n" in before
        and _ends_line(before)
        and "`" not in said
        and "~~~" not in said
    )


def _may_close(before: str, after: str) -> bool:
    """Whether a closing tag closes reasoning that no tag opened, rather than being spoken about.

    It stands at a line's start or end, or directly behind a word and before a blank; not in code, be it a fenced block
    or between backticks.
    """
    line = before.rpartition("\n")[2]
    if line.count("`") % 2 or _is_fence_open(before):
        return False
    return not line.strip() or after[:1] in ("\n", "\r") or (after[:1].isspace() and not line[-1:].isspace())


def _is_fence_open(text: str) -> bool:
    opened = ""
    for fence in _FENCE.findall(text):
        if not opened:
            opened = fence
        elif fence.startswith(opened):
            opened = ""
    return bool(opened)
