"""Every problem of a file: one fix after another, each for itself, and one word at the end about the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lsp.test_preview import Panel, messages, opened, points
from lsp.test_reviews import actions, ended, hints, read_page, take, text
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import SILENCE, Editor

Start = Callable[[dict[str, str]], Editor]
CODE = "def one():\n    return nam\n\n\ndef two():\n    return nan\n\n\ndef three():\n    return nom\n"


def answers(*bodies: str) -> Callable[[], Iterator[bytes | fake.Pause]]:
    """Answer each question with the next of these."""
    left = iter(bodies)
    return lambda: iter([fake.answer(f"```python\n{next(left)}```\n")])


def problem(line: int, message: str = "undefined name") -> dict[str, Any]:
    start, end = {"line": line, "character": 11}, {"line": line, "character": 14}
    return {"range": {"start": start, "end": end}, "message": message, "source": "pyflakes"}


@pytest.fixture
def live(start_editor: Start, connected: dict[str, str]) -> Editor:
    editor = start_editor(connected)
    editor.initialize(clientInfo={"name": "Neovim"})
    return editor


def begin(editor: Editor, uri: str, *problems: dict[str, Any]) -> str:
    argument = {"uri": uri, "diagnostics": list(problems)}
    params = {"command": "sidelight.fixAll", "arguments": [argument]}
    return str(editor.request("workspace/executeCommand", params)["job"])


def test_problems_are_fixed_by_definition_each_with_its_own_undo(live: Editor, anythingllm: AnythingLLMServer) -> None:
    one, two = "def one():\n    name = 1\n    return name\n", "def two():\n    return 2\n"
    anythingllm.always(answers(one, two))
    uri = live.open("a.py", CODE)
    assert ended(live, begin(live, uri, problem(5), problem(1), problem(1, "again"))) == "2 of 2 fixed"
    done = CODE.replace("def one():\n    return nam\n", one).replace("def two():\n    return nan\n", two)
    assert text(live, uri) == done
    labels = {params["label"] for params in live.seen("workspace/applyEdit")}
    assert len(labels) == 2
    assert "again" in anythingllm.questions[0].body["message"]
    assert len(anythingllm.questions) == 2
    ends = [it for it in live.seen("$/progress") if it["value"]["kind"] in ("begin", "end")]
    assert len(ends) == 2
    take(live, uri, "Undo this edit", 6)
    live.settle(0.4)
    assert text(live, uri) == CODE.replace("def one():\n    return nam\n", one)


def test_what_is_not_applied_is_told_once_and_the_rest_goes_on(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(answers("def one(:\n    return (\n", "def two():\n    return 2\n", "def three(:\n"))
    uri = live.open("a.py", CODE)
    assert ended(live, begin(live, uri, problem(1), problem(5), problem(9))) == "1 of 3 fixed"
    assert text(live, uri) == CODE.replace("return nan", "return 2")
    live.settle(0.1)
    (told,) = live.seen("window/showMessage")
    assert "1 of 3 places in a.py were fixed" in told["message"]
    assert "Line 1:" in told["message"]
    assert "Line 9:" in told["message"]
    assert not live.seen("window/showDocument")


def test_a_stop_ends_the_fix_under_way_and_begins_no_other(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event("Wait"), fake.Pause(30)]))
    uri = live.open("a.py", CODE)
    job = begin(live, uri, problem(1), problem(5))
    while not anythingllm.questions:
        live.settle(0.02)
    live.notify("window/workDoneProgress/cancel", {"token": job})
    assert ended(live, job) == "0 of 2 fixed"
    assert anythingllm.questions[0].closed.wait(2)
    live.settle(0.1)
    assert len(anythingllm.questions) == 1
    assert text(live, uri) == CODE


def test_a_stop_ends_the_wait_for_the_editor_too(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(answers("def one():\n    return 1\n"))
    editor.handle["workspace/applyEdit"] = lambda _: SILENCE
    uri = editor.open("a.py", CODE)
    job = begin(editor, uri, problem(1), problem(5))
    editor.wait_for("workspace/applyEdit")  # an edit at the end: the answer is there
    editor.notify("window/workDoneProgress/cancel", {"token": job})
    assert ended(editor, job) == "0 of 2 fixed"
    assert len(anythingllm.questions) == 1


@pytest.fixture
def previewing(start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer) -> Editor:
    anythingllm.always(
        answers("def one():\n    return 1\n", "def two():\n    return 2\n", "def three():\n    return 3\n")
    )
    return opened(start_editor, connected)


def test_with_previews_each_fix_is_decided_on_and_only_what_was_wanted_counts(previewing: Editor) -> None:
    editor, panel = previewing, Panel(previewing)
    uri = editor.open("a.py", CODE)
    job = begin(editor, uri, problem(1), problem(5), problem(9))
    for is_wanted in (True, False, True):
        panel.wait()
        panel.decide(applies=is_wanted)
    assert ended(editor, job) == "2 of 3 fixed"
    assert text(editor, uri) == CODE.replace("return nam", "return 1").replace("return nom", "return 3")
    assert messages(editor) == []  # a no is no failure
    take(editor, uri, "Show the whole answer", 5)
    assert "return 2" in read_page(editor.wait_for("window/showDocument")["uri"])
    assert len(points(editor, uri)) == 2
    take(editor, uri, "Undo this edit", 9)
    editor.settle(0.4)
    assert text(editor, uri) == CODE.replace("return nam", "return 1")


def test_who_types_while_a_preview_is_open_is_told_at_the_end_and_the_rest_goes_on(previewing: Editor) -> None:
    editor, panel = previewing, Panel(previewing)
    uri = editor.open("a.py", CODE)
    job = begin(editor, uri, problem(1), problem(5))
    panel.wait()
    editor.type(uri, 0, 0, "# typed\n")
    panel.decide()  # refused: the version is another
    panel.wait()
    panel.decide()
    assert ended(editor, job) == "1 of 2 fixed"
    assert text(editor, uri) == "# typed\n" + CODE.replace("return nan", "return 2")
    editor.settle(0.1)
    (told,) = messages(editor)
    assert "Line 1: a.py was changed while the preview was open" in told


def test_stopping_while_a_preview_is_open_begins_no_other_and_what_is_applied_there_is_reviewed(
    previewing: Editor, anythingllm: AnythingLLMServer
) -> None:
    editor, panel = previewing, Panel(previewing)
    uri = editor.open("a.py", CODE)
    job = begin(editor, uri, problem(1), problem(5))
    panel.wait()
    editor.notify("window/workDoneProgress/cancel", {"token": job})
    assert ended(editor, job) == "0 of 2 fixed"
    editor.settle(0.1)
    (told,) = messages(editor)
    assert "its preview is still open" in told
    panel.decide()
    editor.settle(0.4)
    assert text(editor, uri) == CODE.replace("return nam", "return 1")
    assert len(hints(editor)) == 1
    assert [point["isRunning"] for point in points(editor, uri)] == [False]
    take(editor, uri, "Undo this edit", 1)
    editor.settle(0.4)
    assert text(editor, uri) == CODE
    assert len(anythingllm.questions) == 1


def test_thousands_of_problems_keep_nobody_waiting(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event("Wait"), fake.Pause(30)]))
    one = live.open("one.js", "function a() {\n" + "".join(f"  x{at} = {at};\n" for at in range(20000)) + "}\n")
    stop = {"command": "sidelight.stop", "arguments": [{"job": begin(live, one, *map(problem, range(1, 3000)))}]}
    assert live.request("workspace/executeCommand", stop) == {"stopped": True}
    live.wait_for("sidelight/status", where=lambda it: it["state"] == "ready")
    anythingllm.questions.clear()
    many = live.open("many.py", "".join(f"def f{at}():\n    return nam{at}\n\n\n" for at in range(150)))
    job = begin(live, many, *(problem(4 * at + 1) for at in reversed(range(150))))
    while not anythingllm.questions:
        live.settle(0.02)
    live.notify("window/workDoneProgress/cancel", {"token": job})
    assert ended(live, job) == "0 of 100 fixed"
    (told, *_) = live.seen("window/showMessage")
    assert told["message"] == "Only the first 100 places in many.py are fixed at once."


def test_a_definition_around_others_is_one_with_them(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "def outer():\n    def inner():\n        return nam\n\n    return inner(nam)\n"
    anythingllm.always(answers("def outer():\n    return 1\n"))
    uri = live.open("a.py", code)
    assert ended(live, begin(live, uri, problem(4), problem(2, "first"))) == "1 of 1 fixed"
    assert "first" in anythingllm.questions[0].body["message"]
    assert text(live, uri) == "def outer():\n    return 1\n"


def kinds(editor: Editor, uri: str, context: dict[str, Any]) -> list[str]:
    place = {"line": 0, "character": 0}
    params = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": context}
    return [action["kind"] for action in editor.request("textDocument/codeAction", params)]


def test_it_is_offered_only_to_who_asks(plain_editor: Editor) -> None:
    uri, kind = plain_editor.open("a.py", CODE), "source.fixAll.sidelight"
    found = {"diagnostics": [problem(1)]}
    for only in ("source", "source.fixAll", kind):
        assert kinds(plain_editor, uri, {**found, "only": [only], "triggerKind": 1}).count(kind) == 1
        assert kind not in kinds(plain_editor, uri, {**found, "only": [only], "triggerKind": 2})
    assert kind in kinds(plain_editor, uri, {**found, "only": [kind]})
    assert kind not in kinds(plain_editor, uri, {**found, "only": ["source.fixAll"]})
    assert kind not in kinds(plain_editor, uri, {"diagnostics": [], "only": [kind], "triggerKind": 1})
    assert "Fix all" not in " ".join(actions(plain_editor, uri))


def test_the_kind_and_the_command_are_announced(start_editor: Start, environment: dict[str, str]) -> None:
    can = start_editor(environment).initialize()["capabilities"]
    assert "source.fixAll.sidelight" in can["codeActionProvider"]["codeActionKinds"]
    assert "sidelight.fixAll" in can["executeCommandProvider"]["commands"]
