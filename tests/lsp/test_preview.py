"""``review = preview``: nothing is written while the answer comes, one annotated edit at its end, and a no is a no."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp.test_reviews import CODE, DONE, FIXED, Told, actions, ended, fix, hints, in_block, read_page, take, text
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, SILENCE, Editor

Start = Callable[[dict[str, str]], Editor]
WORKSPACE = CAPABILITIES["workspace"]
ANNOTATIONS = {"documentChanges": True, "changeAnnotationSupport": {"groupsOnLabel": True}}
ABLE = {**CAPABILITIES, "workspace": {**WORKSPACE, "workspaceEdit": ANNOTATIONS}}


def opened(start: Start, environment: dict[str, str], capabilities: Any = ABLE, **more: Any) -> Editor:
    editor = start(environment)
    editor.configuration = {"review": "preview"}
    editor.initialize(clientInfo={"name": "Visual Studio Code"}, capabilities=capabilities, **more)
    return editor


@pytest.fixture
def editor(start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer) -> Editor:
    anythingllm.always(fake.answer(in_block(FIXED)))
    return opened(start_editor, connected)


def edits(editor: Editor) -> list[dict[str, Any]]:
    return [params["edit"] for params in editor.seen("workspace/applyEdit")]


def messages(editor: Editor) -> list[str]:
    return [params["message"] for params in editor.seen("window/showMessage")]


class Panel:
    """A preview that is open until its user decides."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        editor.handle["workspace/applyEdit"] = self._show
        self.is_open = False

    def _show(self, params: dict[str, Any]) -> Any:
        if "changeAnnotations" not in params["edit"]:
            return self._editor._apply_edit(params)
        self.is_open = True
        return SILENCE

    def wait(self) -> None:
        self._editor.wait_until(lambda _: self.is_open)

    def decide(self, *ticked: int, applies: bool = True, then: Callable[[], None] = lambda: None) -> None:
        """Apply, all or only some of the places; or discard. ``then`` happens before the answer is sent."""
        message = self._message()
        (change,) = message["params"]["edit"]["documentChanges"]
        if ticked:
            change["edits"] = [change["edits"][number] for number in ticked]
        applied = self._editor._apply_edit(message["params"]) if applies else {"applied": False}
        then()
        self.answer({"result": applied})

    def answer(self, answer: dict[str, Any]) -> None:
        """Close it with an answer, whatever has become of the text."""
        self._editor.send({"id": self._message()["id"], **answer})
        self.is_open = False

    def _message(self) -> dict[str, Any]:
        asked = [it for it in self._editor.log if it.get("method") == "workspace/applyEdit"]
        return [it for it in asked if "changeAnnotations" in it["params"]["edit"]][-1]


def test_nothing_is_written_until_the_end_and_then_one_annotated_edit(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:3]), "".join(lines[3:]) + "```\n")
    anythingllm.always(told.script)
    editor = opened(start_editor, connected, locale="zh-cn")
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    told.go_on()
    editor.settle(0.4)
    assert edits(editor) == []
    told.go_on()
    told.go_on()
    ended(editor, job)
    (edit,) = edits(editor)
    (annotation,) = edit["changeAnnotations"].values()
    assert annotation["needsConfirmation"] is True
    assert "修复" in annotation["label"]
    assert annotation["description"]
    (change,) = edit["documentChanges"]
    assert change["textDocument"]["version"] == 1
    assert len(change["edits"]) == 2
    assert {one["annotationId"] for one in change["edits"]} == set(edit["changeAnnotations"])
    assert text(editor, uri) == DONE


def test_what_was_applied_is_reviewed_like_any_edit(editor: Editor) -> None:
    uri = editor.open("a.py", CODE)
    assert ended(editor, fix(editor, uri)) == "applied"
    assert len(hints(editor)) == 2
    take(editor, uri, "Undo this edit")
    editor.settle(0.4)
    assert text(editor, uri) == CODE
    assert hints(editor) == []
    assert "changeAnnotations" not in edits(editor)[-1]


def test_places_that_were_not_ticked_stay_as_they_were(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    panel.decide(1)
    assert ended(editor, job) == "applied"
    assert text(editor, uri) == CODE.replace("return None", "return text")
    assert len(hints(editor)) == 1
    take(editor, uri, "Undo this edit", 6)
    editor.settle(0.4)
    assert text(editor, uri) == CODE


def test_a_no_is_final_and_the_answer_can_still_be_shown(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    panel.decide(applies=False)
    assert ended(editor, job) == "not applied"
    editor.settle(0.5)
    assert len(edits(editor)) == 1
    assert messages(editor) == []
    assert editor.seen("window/showDocument") == []
    assert text(editor, uri) == CODE
    assert editor.request("sidelight/history", {"uri": uri}) == {"points": []}
    assert "Apply anyway" not in actions(editor, uri)
    take(editor, uri, "Show the whole answer")
    page = editor.wait_for("window/showDocument")["uri"]
    assert FIXED in read_page(page)
    take(editor, uri, "Dismiss")
    editor.settle()
    assert "Show the whole answer" not in actions(editor, uri)


def test_a_change_meanwhile_is_said_with_what_to_do_and_nothing_is_lost(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    editor.type(uri, 5, 0, "    typed = 1\n")
    panel.decide()  # refused: the version is another
    assert ended(editor, job) == "not applied"
    assert "was changed while the preview was open" in messages(editor)[-1]
    assert "Apply anyway" in messages(editor)[-1]
    take(editor, uri, "Apply anyway", 5)
    editor.settle(0.5)
    assert "typed = 1" in text(editor, uri)
    assert "Greet somebody." in text(editor, uri)


def test_the_document_stays_usable_while_a_preview_is_open(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    first = fix(editor, uri)
    panel.wait()
    editor.configuration = {}
    editor.notify("workspace/didChangeConfiguration", {"settings": None})
    editor.wait_for("workspace/configuration")
    editor.request("sidelight/history", {})  # until it has been read
    anythingllm.always(fake.answer(in_block("def other():\n    return 2\n")))
    assert ended(editor, fix(editor, uri, CODE.splitlines().index("    return 1"))) == "applied"
    assert text(editor, uri) == CODE.replace("return 1", "return 2")
    panel.decide()
    assert ended(editor, first) == "not applied"
    assert "was changed while the preview was open" in messages(editor)[-1]


@pytest.mark.parametrize("ticked", [(), (1,)])
def test_what_is_typed_between_the_edit_and_its_answer_is_the_users(editor: Editor, ticked: tuple[int, ...]) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    line = CODE.splitlines().index("    return None") + (0 if ticked else 1)
    panel.decide(*ticked, then=lambda: editor.type(uri, line, 0, "    typed = 1\n"))
    assert ended(editor, job) == "applied"
    assert "typed = 1" in text(editor, uri)
    take(editor, uri, "Undo this edit", line)
    editor.settle(0.4)
    assert text(editor, uri).replace("    typed = 1\n", "") == CODE
    assert "typed = 1" in text(editor, uri)


def points(editor: Editor, uri: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = editor.request("sidelight/history", {"uri": uri})["points"]
    return found


def stop(editor: Editor, job: str) -> None:
    stop = {"command": "sidelight.stop", "arguments": [{"job": job}]}
    assert editor.request("workspace/executeCommand", stop) == {"stopped": True}
    assert ended(editor, job) == "stopped"


def test_stopping_the_job_ends_the_wait_and_claims_nothing(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    stop(editor, job)
    assert text(editor, uri) == CODE
    page = read_page(editor.seen("window/showDocument")[-1]["uri"])
    assert FIXED in page
    assert "its preview is still open" in page
    assert "Not applied" not in page
    told = len(messages(editor))
    panel.decide(applies=False)
    editor.settle(0.4)
    assert points(editor, uri) == []
    assert len(messages(editor)) == told


def test_what_is_applied_in_a_preview_after_its_job_was_stopped_is_reviewed_and_kept(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    stop(editor, job)
    panel.decide()
    editor.settle(0.5)
    assert text(editor, uri) == DONE
    assert len(hints(editor)) == 2
    (point,) = points(editor, uri)
    assert (point["changedLines"], point["isRunning"]) == (3, False)
    take(editor, uri, "Undo this edit")
    editor.settle(0.4)
    assert text(editor, uri) == CODE


def test_a_preview_that_is_still_open_after_a_stop_is_in_no_other_edits_way(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    stop(editor, job)
    panel.is_open = False
    again = fix(editor, uri)
    panel.wait()
    panel.decide()
    assert ended(editor, again) == "applied"
    assert text(editor, uri) == DONE


def test_a_server_that_ends_with_its_editor_leaves_no_text_of_a_preview_that_was_open(
    editor: Editor, start_editor: Start, connected: dict[str, str]
) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    fix(editor, uri)
    panel.wait()
    assert [point["isRunning"] for point in points(editor, uri)] == [True]
    editor.request("shutdown", None)
    editor.notify("exit", None)
    assert editor.exit_code() == 0
    assert points(opened(start_editor, connected), uri) == []


def test_a_yes_to_no_place_at_all_is_a_no(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    panel.answer({"result": {"applied": True}})
    assert ended(editor, job) == "not applied"
    assert editor.seen("window/showDocument") == []
    assert points(editor, uri) == []


def test_a_document_that_was_closed_before_the_no_keeps_no_text(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    panel.decide(applies=False)
    assert ended(editor, job) == "not applied"
    assert "was closed meanwhile" in read_page(editor.seen("window/showDocument")[-1]["uri"])
    assert points(editor, uri) == []


def test_a_document_that_was_closed_after_the_edit_keeps_its_text(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    panel.decide(then=lambda: editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}}))
    assert ended(editor, job) == "applied"
    assert [point["changedLines"] for point in points(editor, uri)] == [3]


def test_an_editor_that_fails_is_not_taken_for_a_user_who_says_no(editor: Editor) -> None:
    panel = Panel(editor)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    panel.wait()
    panel.answer({"error": {"code": -32603, "message": "something broke"}})
    assert ended(editor, job) == "not applied"
    assert "The editor did not take the edit." in messages(editor)[-1]
    assert points(editor, uri) == []
    take(editor, uri, "Show the whole answer")
    assert FIXED in read_page(editor.wait_for("window/showDocument")["uri"])


def test_a_client_without_annotations_gets_pages_and_is_told_once(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(in_block(FIXED)))
    editor = opened(start_editor, connected, CAPABILITIES)
    uri = editor.open("a.py", CODE)
    for _ in range(2):
        assert ended(editor, fix(editor, uri)) == "done"
    assert edits(editor) == []
    assert FIXED in read_page(editor.seen("window/showDocument")[-1]["uri"])
    assert len([message for message in messages(editor) if "SIDELIGHT_REVIEW" in message]) == 1


def test_a_file_that_is_not_open_is_shown_first_too(editor: Editor, folder: Path) -> None:
    file = folder / "closed.py"
    file.write_text(CODE)
    panel = Panel(editor)
    job = fix(editor, file.as_uri())
    panel.wait()
    (edit,) = edits(editor)
    assert edit["documentChanges"][0]["textDocument"]["version"] is None
    panel.decide(applies=False)
    assert ended(editor, job) == "not applied"
    assert messages(editor) == []
    assert editor.request("sidelight/history", {})["points"] == []
    editor.request("workspace/executeCommand", {"command": "sidelight.showAnswer"})
    assert FIXED in read_page(editor.wait_for("window/showDocument")["uri"])
    job = fix(editor, file.as_uri())
    panel.wait()
    panel.decide()
    assert ended(editor, job) == "applied"
    assert len(editor.request("sidelight/history", {})["points"]) == 1


def test_an_answer_that_was_stopped_is_not_shown_as_an_edit(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    told = Told("```python\n" + FIXED[:60], "")
    anythingllm.always(told.script)
    editor = opened(start_editor, connected)
    uri = editor.open("a.py", CODE)
    job = fix(editor, uri)
    told.go_on()
    editor.settle(0.3)
    editor.request("workspace/executeCommand", {"command": "sidelight.stop"})
    ended(editor, job)
    assert edits(editor) == []
