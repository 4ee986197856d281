"""Tests go into the right file: beside those which are there, or into a new one; and nothing of it is run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp.test_reviews import actions, ended, read_page, text
from sidelight.lsp.documents import file_path
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, Editor

Start = Callable[[dict[str, str]], Editor]
CODE = "def add(a, b):\n    return a + b\n"
THERE = "import pytest\nfrom a import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
NEW = "def test_zero():\n    assert add(0, 0) == 0\n"
ANSWER = f"Zero.\n```python\nfrom a import add\n\n\n{NEW}```\n"
CREATES = copy.deepcopy(CAPABILITIES)
CREATES["workspace"]["workspaceEdit"] |= {"resourceOperations": ["create"], "changeAnnotationSupport": {}}


@pytest.fixture
def live(start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer, folder: Path) -> Editor:
    """An editor that opens what it is asked to show, and makes files."""
    anythingllm.always(fake.answer(ANSWER))
    editor = start_editor(connected)

    def show(params: dict[str, Any]) -> dict[str, Any]:
        path = folder / params["uri"].rpartition("/project/")[2]
        if path.is_file() and params["uri"] not in editor.documents:
            editor.open(path.relative_to(folder).as_posix(), path.read_text())
        return {"success": True}

    editor.handle["window/showDocument"] = show
    editor.initialize(clientInfo={"name": "Neovim"}, capabilities=CREATES)
    return editor


def write_tests(editor: Editor, uri: str) -> str:
    place = {"line": 0, "character": 0}
    argument = {"uri": uri, "range": {"start": place, "end": place}}
    params = {"command": "sidelight.test", "arguments": [argument]}
    return ended(editor, editor.request("workspace/executeCommand", params)["job"])


def test_tests_go_below_those_which_are_there_and_can_be_undone(
    live: Editor, folder: Path, anythingllm: AnythingLLMServer
) -> None:
    (folder / "tests").mkdir()
    (folder / "tests" / "test_a.py").write_text(THERE)
    uri = live.open("a.py", CODE)
    assert write_tests(live, uri) == "applied"
    tests = (folder / "tests" / "test_a.py").as_uri()
    assert text(live, tests) == f"{THERE}\n\n{NEW}"
    assert text(live, uri) == CODE
    shown = live.seen("window/showDocument")[-1]
    assert (shown["uri"], shown["takeFocus"]) == (tests, False)
    assert shown["selection"]["start"]["line"] >= 9
    message = anythingllm.questions[0].body["message"]
    assert "def test_add():" in message
    assert "The tests use pytest." in message
    assert "Undo this edit" in actions(live, tests, 9)
    assert "Retry" not in actions(live, tests, 9)


def make(editor: Editor, params: dict[str, Any]) -> dict[str, Any]:
    """Apply an edit as editors do that make files: empty first, then with their text."""
    create, *_ = params["edit"]["documentChanges"]
    if create.get("kind") != "create":
        return editor._apply_edit(params)
    path = file_path(create["uri"])
    assert path is not None
    path.parent.mkdir(exist_ok=True)
    path.touch(exist_ok=False)
    editor.open(path.relative_to(editor.folder).as_posix(), "")
    changes = params["edit"]["documentChanges"][1:]
    return editor._apply_edit({"edit": {"documentChanges": changes}})


@pytest.fixture
def made(live: Editor, folder: Path) -> str:
    """A new file with tests; its URI."""
    live.handle["workspace/applyEdit"] = lambda params: make(live, params)
    assert write_tests(live, live.open("a.py", CODE)) == "applied"
    uri = (folder / "tests" / "test_a.py").as_uri()
    assert text(live, uri) == f"from a import add\n\n\n{NEW}"
    return uri


def undo(editor: Editor, uri: str) -> None:
    params = {"command": "sidelight.undo", "arguments": [{"uri": uri}]}
    assert editor.request("workspace/executeCommand", params) == {"accepted": True}
    editor.settle(0.4)


def test_undoing_a_new_file_empties_it_but_for_what_the_user_wrote(live: Editor, made: str) -> None:
    assert "Undo this edit" in actions(live, made, 3)
    assert "Retry" not in actions(live, made, 3)
    undo(live, made)
    assert text(live, made) == ""
    assert "Undo this edit" not in actions(live, made, 0)


def test_what_the_user_wrote_in_a_new_file_outlives_its_undo(live: Editor, made: str) -> None:
    live.type(made, 5, 0, "\n\ndef test_mine():\n    assert add(1, 1) == 2\n")
    undo(live, made)
    assert "def test_mine():\n    assert add(1, 1) == 2\n" in text(live, made)
    assert "test_zero" not in text(live, made)


def test_a_new_file_has_a_restore_point(live: Editor, made: str) -> None:
    (point,) = live.request("sidelight/history", {"uri": made})["points"]
    assert (point["task"], point["isRunning"], point["name"]) == ("test", False, "test_a.py")
    assert point["changedLines"] == 5
    params = {"command": "sidelight.restore", "arguments": [{"uri": made, "point": point["id"]}]}
    assert live.request("workspace/executeCommand", params) == {"accepted": True}
    live.settle(0.4)
    assert text(live, made) == ""
    written = live.request("sidelight/history", {"uri": made})["points"][0]
    assert (written["task"], written["changedLines"]) == ("restore", 5)  # the way back to the tests


def test_an_editor_that_makes_no_file_leaves_no_restore_point(live: Editor) -> None:
    live.handle["workspace/applyEdit"] = lambda _: {"applied": False}
    assert write_tests(live, live.open("a.py", CODE)) == "not applied"
    assert live.request("sidelight/history", {}) == {"points": []}
    assert NEW in read_page(live.seen("window/showDocument")[-1]["uri"])


@pytest.mark.parametrize("is_wanted", [True, False])
def test_with_previews_the_user_says_whether_a_file_is_made(live: Editor, is_wanted: bool) -> None:
    live.handle["workspace/applyEdit"] = lambda params: make(live, params) if is_wanted else {"applied": False}
    live.configuration = {"review": "preview"}
    live.notify("workspace/didChangeConfiguration", {"settings": None})
    live.wait_for("workspace/configuration")
    live.request("sidelight/history", {})  # until it has been read
    assert write_tests(live, live.open("a.py", CODE)) == ("applied" if is_wanted else "not applied")
    edit = live.seen("workspace/applyEdit")[-1]["edit"]
    assert all(it["needsConfirmation"] for it in edit["changeAnnotations"].values())
    assert edit["documentChanges"][0]["annotationId"] in edit["changeAnnotations"]
    shown = live.seen("window/showDocument")[-1]["uri"]
    if is_wanted:
        undo(live, shown)
        assert text(live, shown) == ""
    else:
        assert NEW in read_page(shown)


def test_a_file_that_was_there_empty_is_empty_again_after_undo(live: Editor, folder: Path) -> None:
    (folder / "test_a.py").write_text("")
    assert write_tests(live, live.open("a.py", CODE)) == "applied"
    uri = (folder / "test_a.py").as_uri()
    assert NEW.rstrip("\n") in text(live, uri)
    assert len(live.request("sidelight/history", {"uri": uri})["points"]) == 1
    undo(live, uri)
    assert text(live, uri) == ""


def test_an_answer_that_was_cut_off_makes_no_file_and_is_a_page(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.STREAM_HEAD + fake.text_event(ANSWER.rpartition("```")[0]))
    assert write_tests(live, live.open("a.py", CODE)) == "not applied"
    assert not live.seen("workspace/applyEdit")
    assert "assert add(0, 0) == 0" in read_page(live.seen("window/showDocument")[-1]["uri"])
    assert live.request("sidelight/history", {}) == {"points": []}


def test_a_new_file_is_made_beside_the_others_and_shown(live: Editor, folder: Path) -> None:
    (folder / "pkg").mkdir()
    (folder / "pkg" / "b.py").write_text("x = 1\n")
    (folder / "pkg" / "b_test.py").write_text("def test_x():\n    pass\n")
    made: list[dict[str, Any]] = []

    def take(params: dict[str, Any]) -> dict[str, Any]:
        made.append(params["edit"])
        return make(live, params)

    live.handle["workspace/applyEdit"] = take
    uri = live.open("pkg/a.py", CODE)
    assert write_tests(live, uri) == "applied"
    create, write = made[0]["documentChanges"]
    new = (folder / "pkg" / "a_test.py").as_uri()
    assert (create["kind"], create["uri"], create["options"]["overwrite"]) == ("create", new, False)
    assert write["edits"][0]["newText"] == f"from a import add\n\n\n{NEW}"
    assert live.seen("window/showDocument")[-1]["uri"] == new


def test_where_files_cannot_be_made_the_tests_are_a_page(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer(ANSWER))
    editor = start_editor(connected)
    editor.initialize()
    assert write_tests(editor, editor.open("a.py", CODE)) == "not applied"
    (shown,) = editor.seen("window/showDocument")
    assert NEW in read_page(shown["uri"])
    assert "test_a.py" in read_page(shown["uri"])
    assert not editor.seen("workspace/applyEdit")


def test_an_answer_that_would_lose_a_test_becomes_a_page(
    live: Editor, folder: Path, anythingllm: AnythingLLMServer
) -> None:
    one = "class TestA:\n    def test_one(self):\n        assert add(1, 1)\n"
    there = f"{one}\n    def test_two(self):\n        assert 2\n"
    (folder / "test_a.py").write_text(there)
    anythingllm.always(fake.answer("```python\nclass TestA:\n    def test_two(self):\n        assert 3\n```\n"))
    uri = live.open("a.py", CODE)
    assert write_tests(live, uri) == "not applied"
    assert text(live, (folder / "test_a.py").as_uri()) == there


def test_a_run_returns_the_edit_and_applies_nothing(live: Editor, folder: Path) -> None:
    (folder / "test_a.py").write_text(THERE)
    uri = live.open("a.py", CODE)
    result = live.request("sidelight/run", {"task": "test", "uri": uri})
    (change,) = result["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": (folder / "test_a.py").as_uri(), "version": None}
    assert NEW in "".join(edit["newText"] for edit in change["edits"])
    assert (folder / "test_a.py").read_text() == THERE
    assert not live.seen("workspace/applyEdit")


@pytest.mark.skipif("sys.platform == 'win32'", reason="links need rights there")
def test_nothing_is_written_outside_of_the_folder(live: Editor, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "tests").symlink_to(tmp_path / "elsewhere")
    uri = live.open("a.py", CODE)
    job = live.request("workspace/executeCommand", {"command": "sidelight.test", "arguments": [{"uri": uri}]})["job"]
    told = live.wait_for("window/showMessage", where=lambda params: params["type"] == 1)
    assert job
    assert "leads out of the folder" in told["message"]
