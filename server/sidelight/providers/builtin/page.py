"""An answer as blocks, and the Markdown that they become.

The rooms of this package make blocks out of ``Message`` values and never text for the user; ``write`` alone puts them
into a language. Values arrive in their backticks (``code``, ``listed``), so a template holds only words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Union

from sidelight.editing.text import split_lines, without_line_end
from sidelight.messages import Message, Translator, msg

SHOWN = 12
"""How many names a sentence lists before it says that there are more."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of what follows."""

    message: Message


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list; ``depth`` 1 stands below an entry of depth 0."""

    message: Message
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """Code, in one fenced block."""

    text: str
    language: str = "python"


Block = Union[Message, Heading, Item, Listing]


def write(blocks: Iterable[Block], say: Translator) -> Iterator[str]:
    """Yield the Markdown of the blocks, about a line at a time."""
    previous: Block | None = None
    for block in blocks:
        if previous is not None and not (isinstance(previous, Item) and isinstance(block, Item)):
            yield "\n"
        yield from _lines(block, say)
        previous = block


def code(text: str, limit: int = 72) -> str:
    """Return source text as inline code on one line, shortened to ``limit`` characters."""
    line = " ".join(text[: 4 * limit].split())
    line = line[: limit - 1] + "…" if len(line) > limit or len(text) > 4 * limit else line
    return f"`` {line} ``" if "`" in line else f"`{line}`"


def listed(names: Iterable[str]) -> str:
    """Return names as inline code, each once, in their order."""
    unique = list(dict.fromkeys(names))
    return ", ".join([code(name) for name in unique[:SHOWN]] + ["…"] * (len(unique) > SHOWN))


def _lines(block: Block, say: Translator) -> Iterator[str]:
    match block:
        case Heading(message):
            yield f"### {say(message)}\n"
        case Item(message, depth):
            yield f"{'  ' * depth}- {say(message)}\n"
        case Listing(text, language):
            yield from _fenced(text, language)
        case Message():
            yield f"{say(block)}\n"


def _fenced(text: str, language: str) -> Iterator[str]:
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    lines = [without_line_end(line) for line in split_lines(text)]
    yield f"{fence}{language}\n"
    for line in lines if lines[-1] else lines[:-1]:
        yield f"{line}\n"
    yield f"{fence}\n"


def how_to_connect() -> Message:
    """Return the sentence that says how a model is connected."""
    return msg(
        "No model is connected. Start Ollama, LM Studio or llama.cpp on this machine, and Sidelight finds it; or set "
        "{anythingllm} or {openai} in a `.env` file or in the settings of your editor.",
        anythingllm=code("ANYTHINGLLM_BASE_URL"),
        openai=code("OPENAI_BASE_URL"),
    )
