"""Real Neovim and real Emacs, with nothing but standard LSP and the configuration that docs/editors prints.

AnythingLLM is played: what it says, and when, is the test's. `make e2e` runs these where the editors are installed.
"""

from __future__ import annotations

import queue
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from editors.drivers import Emacs, Neovim, RealEditor
from support.anythingllm import STREAM_END, STREAM_HEAD, AnythingLLMServer, Pause, Script, finalize, text_event

CODE = """\
# above


def total(prices):
    result = 0
    for price in prices:
        result -= price
    return result


def mean(prices):
    return total(prices) / len(prices)


# below
"""
FIRST = "```python\ndef total(prices):\n    result = 0.0\n    for price in prices:\n"
REST = ["        result", " += price\n", "    return ", "result\n", "```\n"]
FIXED = CODE.replace("result = 0", "result = 0.0").replace("-=", "+=")
ABOVE, BELOW = " typed above", " typed below"


def with_typed(text: str) -> str:
    return text.replace("# above", f"# above{ABOVE}").replace("# below", f"# below{BELOW}")


@dataclass
class Reply:
    """What AnythingLLM says to one question, piece by piece, as the test lets it."""

    waiting: queue.Queue[bytes | Pause | None] = field(default_factory=queue.Queue)

    def say(self, *pieces: str, every_s: float = 0) -> None:
        for piece in pieces:
            self.waiting.put(text_event(piece))
            self.waiting.put(Pause(every_s))

    def end(self) -> None:
        self.waiting.put(text_event("", close=True) + finalize(chatId=1, sources=[], metrics={}) + STREAM_END)
        self.waiting.put(None)

    def script(self) -> Script:
        yield STREAM_HEAD
        while True:
            try:
                step = self.waiting.get_nowait()
            except queue.Empty:
                step = Pause(0.02)  # and see whether the client has gone
            if step is None:
                return
            yield step


@pytest.fixture
def reply(anythingllm: AnythingLLMServer) -> Reply:
    reply = Reply()
    anythingllm.always(reply.script)
    return reply


Start = Callable[..., RealEditor]


@pytest.fixture
def start(connected: dict[str, str], folder: Path) -> Iterator[Start]:
    started: list[RealEditor] = []
    scratch = tempfile.TemporaryDirectory(prefix="sidelight-")  # the path of a socket must be short

    def start(kind: type[RealEditor], code: str = CODE, **more: str) -> RealEditor:
        program = "nvim" if kind is Neovim else "emacs"
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
        file = folder / "a.py"
        file.write_text(code)
        started.append(editor := kind({**connected, **more}, file, Path(scratch.name)))
        editor.begin()
        return editor

    yield start
    for editor in started:
        try:
            print(editor.report())  # pytest shows it where the test has failed
        finally:
            editor.close()
    scratch.cleanup()


LIVE = {"SIDELIGHT_EDITS": "live"}
EACH = pytest.mark.parametrize("kind", [Neovim, Emacs], ids=["neovim", "eglot"])
LIVE_IN_EACH = pytest.mark.parametrize(("kind", "more"), [(Neovim, {}), (Emacs, LIVE)], ids=["neovim", "eglot-live"])


def fix(editor: RealEditor, reply: Reply) -> None:
    """Let a whole fix arrive, undisturbed."""
    editor.fix("result -=")
    reply.say(FIRST, *REST)
    reply.end()
    editor.until_text(FIXED)
    editor.until_idle()


def page(editor: RealEditor) -> str:
    """Return the page that the editor's user was told of."""
    told = editor.until(lambda state: any(" is in /" in text for text in state["messages"]), "no page was named")
    (message,) = [text for text in told["messages"] if " is in /" in text]
    return Path(message.partition(" is in ")[2]).read_text("utf-8")


@LIVE_IN_EACH
def test_a_live_edit_and_what_is_typed_meanwhile_are_both_there_to_the_letter(
    start: Start, reply: Reply, kind: type[RealEditor], more: dict[str, str]
) -> None:
    editor = start(kind, **more)
    editor.fix("result -=")
    reply.say(FIRST)
    editor.until(lambda state: "result = 0.0" in state["buffer"], "the text did not grow while the answer came")
    editor.append("# above", ABOVE)
    reply.say(*REST, every_s=0.15)
    editor.append("# below", BELOW)
    reply.end()
    editor.until_idle()
    editor.until_text(with_typed(FIXED))

    editor.act("result +=", "Undo this edit")
    editor.until_text(with_typed(CODE))


def test_an_edit_at_once_and_what_is_typed_meanwhile_are_both_there_to_the_letter(start: Start, reply: Reply) -> None:
    editor = start(Emacs)
    editor.fix("result -=")
    editor.until_busy()
    reply.say(FIRST, *REST, every_s=0.15)
    editor.append("# above", ABOVE)
    assert "0.0" not in editor.text
    reply.end()
    editor.append("# below", BELOW)
    editor.until_idle()
    editor.until_text(with_typed(FIXED))

    editor.act("result +=", "Undo this edit")
    editor.until_text(with_typed(CODE))


@EACH
def test_hints_show_what_was_changed_until_it_is_kept(start: Start, reply: Reply, kind: type[RealEditor]) -> None:
    editor = start(kind)
    fix(editor, reply)
    hints = editor.until(lambda state: len(state["hints"]) == 2, "there are not two hints")["hints"]
    assert sorted(hint.rpartition("was: ")[2] for hint in hints) == ["result -= price", "result = 0"]
    editor.act("result +=", "Keep")
    editor.until(lambda state: not state["hints"], "the hints are still there")
    assert editor.text == FIXED


@EACH
def test_one_hunk_is_undone_and_the_other_stays(start: Start, reply: Reply, kind: type[RealEditor]) -> None:
    editor = start(kind)
    fix(editor, reply)
    editor.act("result +=", "Undo this hunk")
    editor.until_text(CODE.replace("result = 0", "result = 0.0"))
    editor.until(lambda state: len(state["hints"]) == 1, "there is not one hint left")


def undo_midway(editor: RealEditor, reply: Reply, *, is_known: bool) -> None:
    """Use the editor's undo on the first lines of a live edit, at once or when the server knows that they arrived."""
    editor.fix("result -=")
    reply.say(FIRST)
    editor.until(lambda state: "result = 0.0" in state["buffer"], "the text did not grow while the answer came")
    if is_known:
        editor.until_told()
    editor.undo()
    editor.until_text(CODE)
    reply.say(*REST, every_s=0.1)
    reply.end()


@LIVE_IN_EACH
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "at-once"])
def test_the_editors_own_undo_stops_a_live_edit_and_the_whole_answer_is_on_a_page(
    start: Start, reply: Reply, kind: type[RealEditor], more: dict[str, str], is_known: bool
) -> None:
    editor = start(kind, **more)
    undo_midway(editor, reply, is_known=is_known)
    assert FIRST + "".join(REST) in page(editor)
    editor.until_idle()
    assert editor.text == CODE


TODO = "# above\n\n\n# TODO: write the median of prices\n\n\n# below\n"


@EACH
def test_code_is_generated_below_a_todo(start: Start, reply: Reply, kind: type[RealEditor]) -> None:
    editor = start(kind, TODO)
    editor.act("# TODO", "Generate with Sidelight")
    editor.until_busy()
    body = "# TODO: write the median of prices\ndef median(prices):\n    return sorted(prices)[len(prices) // 2]\n"
    editor.append("# below", BELOW)
    reply.say("```python\n", *body.splitlines(keepends=True), "```\n", every_s=0.05)
    editor.append("# above", ABOVE)
    reply.end()
    editor.until_text(f"# above{ABOVE}\n\n\n{body}\n\n# below{BELOW}\n")


@EACH
def test_a_question_typed_at_the_documented_prompt_reaches_the_workspace(
    start: Start, reply: Reply, anythingllm: AnythingLLMServer, kind: type[RealEditor]
) -> None:
    editor = start(kind)
    editor.ask("Where is the minus from?")
    reply.say("From nowhere.")
    reply.end()
    assert "From nowhere." in page(editor)
    assert "Where is the minus from?" in anythingllm.questions[0].body["message"]


@EACH
def test_an_explanation_is_in_a_file_that_is_named(start: Start, reply: Reply, kind: type[RealEditor]) -> None:
    editor = start(kind)
    editor.act("def mean", "Explain with Sidelight")
    reply.say("It is ", "the mean.")
    reply.end()
    assert "It is the mean." in page(editor)


@EACH
def test_the_documented_stop_closes_the_connection(
    start: Start, reply: Reply, anythingllm: AnythingLLMServer, kind: type[RealEditor]
) -> None:
    editor = start(kind)
    editor.fix("result -=")
    editor.until_busy()
    reply.say("One moment.")
    editor.until(lambda _: bool(anythingllm.questions), "nothing was asked")
    editor.stop()
    editor.until_idle()
    assert anythingllm.questions[0].closed.wait(10)
    assert editor.text == CODE
