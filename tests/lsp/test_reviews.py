"""Live edits through the real server: they appear while they are written, and can be kept, undone and done again."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sidelight.lsp.documents import file_path
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, Editor

CODE = """\
import os


def greet(name):
    text = "hallo " + nam
    print(text)
    return None


def other():
    return 1


greet("x")
"""
FIXED = """\
def greet(name):
    \"\"\"Greet somebody.\"\"\"
    text = "hello " + name
    print(text)
    return text
"""
DONE = CODE.replace(CODE[CODE.index("def greet") : CODE.index("\n\n\ndef other")] + "\n", FIXED)
LENSES = {**CAPABILITIES, "textDocument": {"codeLens": {}}}


class Told:
    """An answer that goes on when the test says so."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces
        self._go: queue.SimpleQueue[None] = queue.SimpleQueue()

    def go_on(self) -> None:
        self._go.put(None)

    def script(self) -> Iterator[bytes]:
        yield fake.STREAM_HEAD
        with contextlib.suppress(queue.Empty):  # the test is over
            for piece in self._pieces:
                self._go.get(timeout=10)
                yield fake.text_event(piece)
            self._go.get(timeout=10)
            yield fake.finalize()
            yield fake.STREAM_END


@pytest.fixture
def live(start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str]) -> Editor:
    """An editor to which edits go live, and that has code lenses."""
    editor = start_editor(connected)
    editor.initialize(clientInfo={"name": "Neovim", "version": "0.7.2"}, capabilities=LENSES)
    return editor


def in_block(code: str) -> str:
    return f"```python\n{code}```\n"


def fix(editor: Editor, uri: str, line: int = 4, **more: Any) -> str:
    place = {"line": line, "character": 4}
    argument = {"uri": uri, "range": {"start": place, "end": place}, **more}
    job: str = editor.request("workspace/executeCommand", {"command": "sidelight.fix", "arguments": [argument]})["job"]
    return job


def ended(editor: Editor, job: str) -> str:
    params = editor.wait_for(
        "$/progress", where=lambda params: params["token"] == job and params["value"]["kind"] == "end"
    )
    return str(params["value"]["message"])


def text(editor: Editor, uri: str) -> str:
    return str(editor.documents[uri])


def wait_for_text(editor: Editor, uri: str, wanted: str) -> None:
    editor.wait_until(lambda _: wanted in text(editor, uri))


def actions(editor: Editor, uri: str, line: int = 4) -> dict[str, dict[str, Any]]:
    place = {"line": line, "character": 0}
    params = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
    return {action["title"]: action["command"] for action in editor.request("textDocument/codeAction", params)}


def take(editor: Editor, uri: str, title: str, line: int = 4) -> Any:
    command = actions(editor, uri, line)[title]
    params = {"command": command["command"], "arguments": command["arguments"]}
    return editor.request("workspace/executeCommand", params)


def hints(editor: Editor) -> list[dict[str, Any]]:
    found = editor.seen("textDocument/publishDiagnostics")
    return found[-1]["diagnostics"] if found else []


def read_page(uri: str) -> str:
    path = file_path(uri)
    assert path is not None
    return path.read_text("utf-8")


def done(editor: Editor, anythingllm: AnythingLLMServer, code: str = FIXED) -> str:
    """Let a fix be done; returns the document's URI."""
    anythingllm.always(fake.answer(in_block(code)))
    uri = editor.open("a.py", CODE)
    assert ended(editor, fix(editor, uri)) == "applied"
    return uri


# While it is written


def test_lines_appear_while_the_answer_arrives(live: Editor, anythingllm: AnythingLLMServer) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("Sure.\n```python\n", "".join(lines[:3]), "".join(lines[3:]) + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    assert "return text" not in text(live, uri)
    told.go_on()
    wait_for_text(live, uri, "return text")
    told.go_on()
    assert ended(live, job) == "applied"
    assert text(live, uri) == DONE


def test_what_is_typed_meanwhile_stays(live: Editor, anythingllm: AnythingLLMServer) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:3]), "".join(lines[3:]) + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    live.type(uri, 0, 0, "# above\n")
    below = next(n for n, line in enumerate(live.documents[uri].lines) if "def other" in line)
    live.type(uri, below, 0, "# below\n")
    told.go_on()
    told.go_on()
    assert ended(live, job) == "applied"
    assert text(live, uri) == "# above\n" + DONE.replace("def other", "# below\ndef other")


def test_a_line_of_the_users_is_never_removed(live: Editor, anythingllm: AnythingLLMServer) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:3]), "".join(lines[3:]) + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    line = next(n for n, line in enumerate(live.documents[uri].lines) if "return None" in line)
    live.type(uri, line, 15, "  # mine")
    told.go_on()
    told.go_on()
    assert ended(live, job) == "applied in part"
    assert "    return None  # mine\n" in text(live, uri)
    page = live.seen("window/showDocument")[-1]["uri"]
    assert FIXED in read_page(page)
    assert "changed at that place meanwhile" in read_page(page)


def test_the_editors_own_undo_stops_the_edit_and_the_answer_goes_to_a_page(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:2]), "".join(lines[2:]) + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    live.settle(0.1)
    live.type(uri, 4, 0, "", end=(5, 0))
    assert text(live, uri) == CODE
    told.go_on()
    told.go_on()
    assert ended(live, job) == "not applied"
    assert text(live, uri) == CODE
    page = read_page(live.seen("window/showDocument")[-1]["uri"])
    assert FIXED in page
    assert "The edit was undone" in page


def test_a_closed_document_gets_no_edit(live: Editor, anythingllm: AnythingLLMServer) -> None:
    told = Told("```python\n" + FIXED, "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    live.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    live.settle(0.1)
    for _ in range(3):
        told.go_on()
    assert ended(live, job) == "not applied"
    assert not live.seen("workspace/applyEdit")
    assert FIXED in read_page(live.seen("window/showDocument")[-1]["uri"])


def test_two_jobs_in_one_document_do_not_disturb_each_other(live: Editor, anythingllm: AnythingLLMServer) -> None:
    one, two = Told("```python\n" + FIXED[:60], FIXED[60:] + "```\n"), Told(in_block("def other():\n    return 2\n"))
    scripts = iter([one.script(), two.script()])
    anythingllm.always(lambda: next(scripts))
    uri = live.open("a.py", CODE)
    first = fix(live, uri)
    one.go_on()
    live.settle(0.3)
    line = next(n for n, line in enumerate(live.documents[uri].lines) if "return 1" in line)
    second = fix(live, uri, line)
    live.settle(0.2)
    for told in (two, one, two, one):
        told.go_on()
    ends: dict[str, str] = {}

    def is_over(message: dict[str, Any]) -> bool:
        params = message.get("params") or {}
        if message.get("method") == "$/progress" and params["value"]["kind"] == "end":
            ends[params["token"]] = params["value"]["message"]
        return len(ends) == 2

    live.wait_until(is_over)
    assert ends == {first: "applied", second: "applied"}
    assert text(live, uri) == DONE.replace("return 1", "return 2")


def test_a_stop_keeps_what_is_written(live: Editor, anythingllm: AnythingLLMServer) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:2]), "")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    live.request("workspace/executeCommand", {"command": "sidelight.stop"})
    assert ended(live, job) == "stopped"
    assert text(live, uri) == CODE.replace("def greet(name):\n", "".join(lines[:2]))
    assert {"Keep", "Undo this edit", "Continue", "Apply anyway"} <= set(actions(live, uri))


# Reviewing


def test_changed_lines_are_hints_until_they_are_kept(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    assert [hint["severity"] for hint in hints(live)] == [4] * len(hints(live))
    assert {hint["source"] for hint in hints(live)} == {"sidelight"}
    assert len(hints(live)) == 2
    take(live, uri, "Keep")
    live.settle()
    assert hints(live) == []
    assert text(live, uri) == DONE
    assert "Undo this edit" not in actions(live, uri)


def test_undo_brings_the_old_text_back_and_keeps_what_was_typed(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    live.type(uri, 5, 0, "    typed = 1\n")
    live.type(uri, 0, 0, "# top\n")
    take(live, uri, "Undo this edit", 5)
    live.wait_for("workspace/applyEdit")
    live.settle()
    assert text(live, uri) == "# top\n" + CODE.replace("nam\n", "nam\n    typed = 1\n")
    assert hints(live) == []


def test_one_hunk_can_be_undone(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    line = next(n for n, line in enumerate(live.documents[uri].lines) if "return text" in line)
    take(live, uri, "Undo this hunk", line)
    live.wait_for("workspace/applyEdit")
    live.settle()
    assert text(live, uri) == DONE.replace("    return text\n", "    return None\n")
    assert len(hints(live)) == 1


def test_the_editors_undo_of_a_finished_edit_ends_its_review(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    live.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": 99}, "contentChanges": [{"text": CODE}]},
    )
    live.settle()
    assert hints(live) == []
    assert "Keep" not in actions(live, uri)


def test_code_lenses_stand_above_the_edit(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    lenses = live.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    assert [lens["command"]["title"] for lens in lenses][:3] == ["Keep", "Undo this edit", "Retry"]
    assert lenses[0]["range"]["start"]["line"] == 4
    command = lenses[1]["command"]
    live.request("workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]})
    live.wait_for("workspace/applyEdit")
    assert text(live, uri) == CODE


def test_retry_undoes_and_asks_again(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    better = FIXED.replace("hello", "good day")
    anythingllm.always(fake.answer(in_block(better)))
    take(live, uri, "Retry")
    wait_for_text(live, uri, "good day")
    live.settle(0.5)
    assert text(live, uri) == DONE.replace("hello", "good day")


def test_next_change_goes_there(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    take(live, uri, "Next change")
    live.settle()
    shown = live.seen("window/showDocument")[-1]
    assert shown["uri"] == uri
    assert shown["takeFocus"]
    assert shown["selection"]["start"]["line"] == 4


# What is not applied


def test_code_that_breaks_the_syntax_is_taken_back_and_can_be_applied_anyway(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    broken = FIXED.replace("print(text)", "print(text")
    anythingllm.always(fake.answer(in_block(broken)))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "not applied"
    assert text(live, uri) == CODE
    page = read_page(live.seen("window/showDocument")[-1]["uri"])
    assert "breaks the syntax" in page
    assert broken in page
    take(live, uri, "Apply anyway")
    wait_for_text(live, uri, "print(text\n")
    live.settle()
    assert text(live, uri) == DONE.replace("print(text)", "print(text")
    take(live, uri, "Undo this edit")
    live.wait_for("workspace/applyEdit")
    assert text(live, uri) == CODE


def test_a_cut_off_answer_can_be_gone_on_with(live: Editor, anythingllm: AnythingLLMServer) -> None:
    lines = FIXED.splitlines(keepends=True)
    anythingllm.always(fake.answer("```python\n" + "".join(lines[:4])))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "applied in part"
    assert text(live, uri) == DONE.replace("    return text\n", "    return None\n")
    anythingllm.always(fake.answer(in_block("    return text\n")))
    take(live, uri, "Continue")
    wait_for_text(live, uri, "return text")
    live.settle(0.5)
    assert text(live, uri) == DONE


def test_the_same_code_again_is_said_and_no_edit(live: Editor, anythingllm: AnythingLLMServer) -> None:
    same = CODE[CODE.index("def greet") : CODE.index("\n\ndef other")]
    anythingllm.always(fake.answer(in_block(same)))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "nothing to change"
    assert not live.seen("workspace/applyEdit")


def test_an_editor_that_takes_no_edit_gets_a_page(live: Editor, anythingllm: AnythingLLMServer) -> None:
    live.handle["workspace/applyEdit"] = lambda _: {"applied": False}
    anythingllm.always(fake.answer(in_block(FIXED)))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "not applied"
    assert text(live, uri) == CODE
    assert FIXED in read_page(live.seen("window/showDocument")[-1]["uri"])


# Restore points


def test_the_text_from_before_an_edit_can_be_restored_after_a_restart(
    start_editor: Callable[[dict[str, str]], Editor],
    live: Editor,
    anythingllm: AnythingLLMServer,
    connected: dict[str, str],
) -> None:
    done(live, anythingllm)
    live.process.kill()
    again = start_editor(connected)
    again.initialize(clientInfo={"name": "Neovim"}, capabilities=LENSES)
    uri = again.open("a.py", DONE + "# typed since\n")
    points = again.request("sidelight/history", {"uri": uri})["points"]
    assert [(point["task"], point["changedLines"]) for point in points] == [("fix", 3)]
    again.handle["window/showMessageRequest"] = lambda params: params["actions"][0]
    again.request("workspace/executeCommand", {"command": "sidelight.restore", "arguments": [{"uri": uri}]})
    again.wait_for("workspace/applyEdit")
    again.settle()
    assert text(again, uri) == CODE + "# typed since\n"
    assert again.request("sidelight/history", {"uri": uri})["points"][0]["task"] == "restore"


def test_a_server_that_is_killed_in_the_middle_has_kept_the_text(
    start_editor: Callable[[dict[str, str]], Editor],
    live: Editor,
    anythingllm: AnythingLLMServer,
    connected: dict[str, str],
) -> None:
    told = Told("```python\n" + FIXED[:60])
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    live.process.kill()
    live.exit_code()
    told.go_on()
    again = start_editor(connected)
    again.initialize()
    (point,) = again.request("sidelight/history", {"uri": uri})["points"]
    assert (point["changedLines"], point["isRunning"]) == (None, False)
    again.open("a.py", text(live, uri))
    again.request(
        "workspace/executeCommand", {"command": "sidelight.restore", "arguments": [{"uri": uri, "point": point["id"]}]}
    )
    again.wait_for("workspace/applyEdit")
    assert text(again, uri) == CODE


def test_an_edit_of_another_live_server_is_not_taken_for_one_that_broke_off(
    live: Editor,
    start_editor: Callable[[dict[str, str]], Editor],
    anythingllm: AnythingLLMServer,
    connected: dict[str, str],
) -> None:
    told = Told("```python\n" + FIXED[:60], FIXED[60:] + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    other = start_editor(connected)
    other.initialize()
    for editor in (other, live):
        (point,) = editor.request("sidelight/history", {"uri": uri})["points"]
        assert (point["changedLines"], point["isRunning"]) == (None, True)
    told.go_on()
    told.go_on()
    assert ended(live, job) == "applied"
    (point,) = other.request("sidelight/history", {"uri": uri})["points"]
    assert (point["changedLines"], point["isRunning"]) == (3, False)


def test_nothing_is_kept_where_that_is_switched_off(
    start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    editor = start_editor({**connected, "SIDELIGHT_RESTORE_POINTS": "0"})
    editor.initialize(clientInfo={"name": "Neovim"})
    done(editor, anythingllm)
    assert editor.request("sidelight/history", {})["points"] == []
