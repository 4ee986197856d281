"""What AnythingLLM is sent: one message, with the material attached as documents where the server takes these.

It looks up the whole message in its knowledge base, of which an embedder reads the beginning; puts the text of a slash
preset wherever `` /name`` stands in it; and starts an agent for one that begins with ``@agent``
(server/utils/chats/apiChatHandler.js and index.js, read at v1.16). None of that happens to attached documents. Pure.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidelight.core.ports import Part, Prompt
from sidelight.core.tokens import estimate_tokens
from sidelight.core.wire.surrogates import whole

_AGENT = "@agent"
DOCUMENT = "application/anythingllm-document"
# Invisible signs, one of which parts a slash from the blank before it: a preset's name must follow that blank.
_MARKS = ("\u2060", "\u2063", "\u2064")
# What a preset's name may be, /name, is narrower than this by far; U+FEFF is a blank for JavaScript.
_PRESET = re.compile(r"(^|[\s\ufeff])/(?=[A-Za-z0-9_-])")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 60
# The lines of a part's name: no document is called so.
_LINES = re.compile(r":\d+(-\d+)?$")
# Where the names at the place begin in a query.
_NAMES = re.compile(r" (?=\()")
# The estimate errs high, and for digits and other scripts more than twice as high as for English and code. So much of
# it every text in tests/core/token_counts.json has by every tokenizer there.
_SURELY, _SURELY_OTHERS = 0.5, 0.25
_DIGITS_AND_OTHERS = re.compile(r"[^\x00-/:-\x7f]+")
_ENGLISH_AND_CODE = re.compile(r"[\x00-/:-\x7f]+")


@dataclass(frozen=True, slots=True)
class Document:
    """One attached document: a file name that every system takes, and its text."""

    name: str
    text: str

    def encoded(self) -> dict[str, str]:
        """Return it as the API wants it."""
        content = base64.b64encode(self.text.encode("utf-8")).decode("ascii")
        return {"name": self.name, "mime": DOCUMENT, "contentString": f"data:text/plain;base64,{content}"}


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent of one prompt. ``mark`` was put before slashes, and is taken out of the answer again."""

    message: str
    documents: tuple[Document, ...] = ()
    mark: str = ""

    def least_tokens(self) -> int:
        """Return how many tokens all of it has at least, by any tokenizer."""
        text = "".join([self.message, *(document.text for document in self.documents)])
        english, others = _DIGITS_AND_OTHERS.sub("", text), _ENGLISH_AND_CODE.sub("", text)
        return int(estimate_tokens(english) * _SURELY + estimate_tokens(others) * _SURELY_OTHERS)


def written(prompt: Prompt, *, attaches: bool, nonce: str) -> Sent:
    """Return what to send for a prompt; ``nonce`` makes the names of its documents unlike all others on the server."""
    documents = tuple(_documents(prompt.parts, nonce)) if attaches else ()
    text = whole(_joined(_short(prompt) if documents else _long(prompt)))
    mark = _free_mark(prompt)
    if mark:
        text = _PRESET.sub(rf"\1{mark}/", text)
    if text.startswith(_AGENT):
        text = f" {text}"
    return Sent(text, documents, mark)


def _long(prompt: Prompt) -> Iterable[str]:
    """Return all of the prompt: what to look up, the material, the orders, and the question last."""
    if not prompt.parts:
        return (prompt.system, prompt.user)
    asked, orders, material = _asked(prompt), _orders(prompt), [part.text for part in _material(prompt.parts)]
    if not material:
        return (*asked, *orders)
    return (prompt.query or _joined(asked), *material, *orders, *asked)


def _short(prompt: Prompt) -> Iterable[str]:
    """Return the prompt without its material, which is named."""
    asked = _asked(prompt)
    names = dict.fromkeys(_LINES.sub("", part.name) for part in _material(prompt.parts) if part.name)
    attached = f"This is about the attached documents: {'; '.join(names)}" if names else ""
    unsaid = _unsaid(prompt.query, asked)
    lead = (unsaid, *asked) if unsaid == prompt.query else (*asked, unsaid)
    return (*lead, attached, *_orders(prompt))


def _unsaid(query: str, asked: Iterable[str]) -> str:
    """Return what the query has beyond the words of what is asked: nothing, ``(the names there)``, or all of it."""
    said = " ".join(" ".join(asked).split())
    ends = [*(match.start() for match in _NAMES.finditer(query)), len(query)]
    for end in reversed(ends):
        if query[:end] in said:
            return query[end:].lstrip()
    return query


def _material(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.is_material and part.text]


def _asked(prompt: Prompt) -> list[str]:
    return [part.text for part in prompt.parts if not part.is_material and part.kind != "orders"]


def _orders(prompt: Prompt) -> list[str]:
    return [part.text for part in prompt.parts if part.kind == "orders"]


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _documents(parts: Sequence[Part], nonce: str) -> Iterable[Document]:
    for number, part in enumerate(_material(parts), 1):
        last = re.split(r"[\\/]", part.name)[-1]
        safe = _UNSAFE.sub("_", last)[-_LONGEST_NAME:]
        # .txt: by its own ending a file would be read as a video (.ts) or a page (.html).
        yield Document(f"sidelight-{nonce}-{number}-{safe}.txt", whole(part.text))


def _free_mark(prompt: Prompt) -> str:
    """Return a mark that stands nowhere in the prompt, so that all of them in the answer are ours."""
    text = "".join((prompt.system, prompt.user, prompt.query))
    return next((mark for mark in _MARKS if mark not in text), "")


def without_mark(text: str, mark: str) -> str:
    """Take the mark out of an answer, also where the model changed what it stood before: nobody would see it there."""
    return text.replace(mark, "") if mark else text
