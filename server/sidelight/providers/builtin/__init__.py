"""The built-in provider: answers from the code itself, for when no model is connected.

It reads Python with Python's own parser, never runs it, never opens a connection, and says plainly what it cannot do.
Nothing but the names below is imported until it is asked. Next: ``page.py``, ``program.py``, then a file for each
task: ``explain.py``, ``repair.py``, ``docstring.py``, ``questions.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sidelight.core.answers import AnswerEvent, Finished, Text
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.errors import ConfigurationError
from sidelight.messages import Translator, msg, translator

if TYPE_CHECKING:
    from sidelight.providers.builtin.page import Block

# What others answer goes on as it is, into a commit, a file or a list: an explanation of why there is none must not.
_WITHOUT_A_MODEL = ("ask", "explain", "fix", "generate", "document")


class BuiltinProvider:
    """Answers without a model; ``stream`` raises nothing but ``Stopped``."""

    name = "builtin"
    model = ""
    tells_truncation = True
    remembers = False

    @property
    def place(self) -> str:
        """Nowhere: no model is asked."""
        return ""

    def __init__(self, opened: Sequence[Path] = ()) -> None:
        """Take the folders that are opened: nothing is run from them."""
        self._opened = tuple(opened)

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Yield the answer line by line."""
        from sidelight.providers.builtin.page import code, how_to_connect, write

        if request.task not in _WITHOUT_A_MODEL:
            needs = msg("The task {task} needs a model.", task=code(request.task))
            yield Finished("cut_off", ConfigurationError(needs, how_to_connect()))
            return
        say = translator(request.context.answer_language)
        for piece in write(self._answer(request, say, stop), say):
            stop.raise_if_set()
            yield Text(piece)
        stop.raise_if_set()
        yield Finished("complete")

    def window(self, model: str | None, stop: Stop) -> Window | None:  # noqa: ARG002, the port's signature
        """Return None: it reads code of any length."""
        return None

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:  # noqa: ARG002, the port's signature
        """Return None: it knows no tokens."""
        return None

    def models(self) -> list[Model]:
        """Return no models: there is nothing to choose."""
        return []

    def checks(self) -> Iterator[Check]:
        """Say that nothing is needed, what ruff adds, and that there is no model."""
        from sidelight.providers.builtin.page import how_to_connect
        from sidelight.providers.builtin.ruff import find_ruff

        if ruff := find_ruff(self._opened):
            yield Check(
                "ok",
                msg("The built-in provider needs no connection. It fixes more with ruff, found at {path}.", path=ruff),
            )
        else:
            yield Check(
                "ok",
                msg("The built-in provider needs no connection. It would fix more with ruff, which was not found."),
            )
        yield Check("note", msg("No model is connected, so free questions are not answered."), how_to_connect())

    def _answer(self, request: Request, say: Translator, stop: Stop) -> Iterator[Block]:
        stop.raise_if_set()
        try:
            yield from self._blocks(request, say, stop)
        except (ValueError, RecursionError, MemoryError):  # ast, of NUL, lone surrogates and deep nesting
            yield msg(
                "The code cannot be read: it is too large, nested too deeply, or holds characters that Python refuses."
            )

    def _blocks(self, request: Request, say: Translator, stop: Stop) -> Iterator[Block]:
        from sidelight.providers.builtin import docstring, explain, program, questions, repair, ruff

        context = request.context
        match request.task:
            case "ask":
                yield from questions.answer(context)
            case _ if not program.is_python(context):
                yield from explain.explain_other(context)
            case "explain":
                yield from explain.explain(context)
            case "fix":
                yield from repair.fix(context, ruff.find_ruff(self._opened), stop)
            case _:
                yield from docstring.generate(context, say)
