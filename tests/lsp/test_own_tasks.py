"""The user's own tasks in an editor: where they are offered, what they ask, and when a folder's count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

CODE = "def area(w, h):\n    return w * h\n"
ALL = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
Start = Callable[[dict[str, str]], Editor]


def write(place: Path, name: str, text: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text, "utf-8")
    return place / name


@pytest.fixture
def users(home: Path) -> Path:
    """The folder of the user's own tasks."""
    return home / "config" / "sidelight" / "tasks"


@pytest.fixture
def folders(folder: Path) -> Path:
    """The folder of the project's tasks."""
    return folder / ".sidelight" / "tasks"


def begin(start_editor: Start, connected: dict[str, str], *, trusted: bool) -> Editor:
    editor = start_editor(connected)
    editor.initialize(initializationOptions={"trusted": trusted})
    return editor


def own(editor: Editor) -> dict[str, dict[str, Any]]:
    tasks = editor.request("sidelight/tasks", {})["tasks"]
    return {task["name"]: task for task in tasks if task["isOwn"]}


def titles(editor: Editor, uri: str) -> list[str]:
    params = {"textDocument": {"uri": uri}, "range": ALL, "context": {"diagnostics": []}}
    found = editor.request("textDocument/codeAction", params)
    return [each["title"] for each in found if each["title"].startswith("Sidelight: ")]


def run_command(editor: Editor, **argument: Any) -> str:
    params = {"command": "sidelight.task", "arguments": [argument]}
    job = editor.request("workspace/executeCommand", params)["job"]
    end = editor.wait_for("$/progress", where=lambda it: it["token"] == job and it["value"]["kind"] == "end")
    return str(end["value"]["message"])


def test_own_tasks_are_listed_offered_and_done(
    start_editor: Start, connected: dict[str, str], users: Path, anythingllm: AnythingLLMServer
) -> None:
    write(users, "newcomer.md", "---\ntitle: For a newcomer\nlanguages: [python]\n---\nExplain {file} simply.\n")
    write(users, "go-only.md", "---\nlanguages: [go]\n---\nx\n")
    anythingllm.always(fake.answer("It is simple."))
    editor = begin(start_editor, connected, trusted=False)
    assert own(editor)["newcomer"] == {
        "name": "newcomer", "title": "For a newcomer", "description": "", "edits": False, "needsInstruction": False,
        "isOwn": True, "languages": ["python"],
    }  # fmt: skip
    uri = editor.open("a.py", CODE)
    assert titles(editor, uri) == ["Sidelight: For a newcomer"]
    assert run_command(editor, task="newcomer", uri=uri, range=ALL) == "done"
    assert "Explain a.py simply." in anythingllm.questions[0].body["message"]
    result = editor.request("sidelight/run", {"task": "newcomer", "uri": uri})
    assert result["text"] == "It is simple."


def test_what_a_task_speaks_of_and_is_not_given_is_told_before_anything_is_sent(
    start_editor: Start, connected: dict[str, str], users: Path, anythingllm: AnythingLLMServer
) -> None:
    write(users, "of-file.md", "Where does {file} belong?\n")
    write(users, "of-code.md", "Explain:\n{selection}\n")
    write(users, "of-neither.md", "Tell a joke in {language}.\n")
    anythingllm.always(fake.answer("ok"))
    editor = begin(start_editor, connected, trusted=False)
    for task, place in (("of-file", "{file}"), ("of-code", "{selection}")):
        error = editor.error("sidelight/run", {"task": task})
        assert f"The task {task} speaks of {place}, and no file is given." in error["message"]
        assert "Open a file" in error["data"]["hint"]
    params = {"command": "sidelight.task", "arguments": [{"task": "of-code"}]}
    editor.request("workspace/executeCommand", params)
    assert "{selection}" in editor.seen("window/showMessage")[-1]["message"]
    blank = editor.open("blank.py", "\n\n")
    error = editor.error("sidelight/run", {"task": "of-code", "uri": blank})
    assert "there is no code at this place" in error["message"]
    assert anythingllm.questions == []
    assert editor.request("sidelight/run", {"task": "of-file", "uri": blank})["text"] == "ok"
    assert editor.request("sidelight/run", {"task": "of-neither"})["text"] == "ok"


def test_an_own_task_edits_live_and_takes_an_instruction(
    start_editor: Start, connected: dict[str, str], users: Path, anythingllm: AnythingLLMServer
) -> None:
    write(users, "typed.md", "---\nanswer: edit\nneeds: instruction\n---\nAdd types: {instruction}.\n")
    fixed = CODE.replace("(w, h)", "(w: int, h: int)")
    anythingllm.always(fake.answer(f"```python\n{fixed}```\n"))
    editor = begin(start_editor, connected, trusted=False)
    uri = editor.open("a.py", CODE)
    assert run_command(editor, task="typed", uri=uri, range=ALL, instruction="all of int") == "applied"
    assert str(editor.documents[uri]) == fixed
    assert "Add types: all of int." in anythingllm.questions[0].body["message"]


def test_a_folders_tasks_count_where_it_is_trusted_and_only_there(
    start_editor: Start, connected: dict[str, str], folders: Path, anythingllm: AnythingLLMServer
) -> None:
    write(folders, "team.md", "Do as the team does.\n")
    write(folders, "broken.md", "---\nfoo: 1\n---\nx\n")
    editor = begin(start_editor, connected, trusted=False)
    found = editor.request("sidelight/tasks", {})
    assert (own(editor), found["problems"]) == ({}, [])
    uri = editor.open("a.py", CODE)
    assert titles(editor, uri) == []
    argument = {"task": "team", "uri": uri}
    error = editor.error("workspace/executeCommand", {"command": "sidelight.task", "arguments": [argument]})
    assert "There is no task team." in error["message"]
    editor.notify("sidelight/didChangeTrust", {"trusted": True})
    assert list(own(editor)) == ["team"]
    editor.notify("sidelight/didChangeTrust", {"trusted": False})
    assert own(editor) == {}
    assert editor.error("sidelight/run", {"task": "team", "uri": uri})["code"] == -32602
    assert anythingllm.questions == []


def test_a_wrong_file_is_told_once_and_the_others_work(
    start_editor: Start, connected: dict[str, str], folders: Path, users: Path
) -> None:
    write(users, "team.md", "Mine.\n")
    taken = write(folders, "team.md", "Theirs.\n")
    broken = write(folders, "broken.md", "---\ntitle: x\nanswer: code\n---\nx\n")
    editor = begin(start_editor, connected, trusted=True)
    found = editor.request("sidelight/tasks", {})
    assert found["problems"] == [
        {"file": str(broken), "line": 3, "message": "answer is code; it must be text or edit."},
        {"file": str(taken), "line": 1, "message": f"team is the name of a task already, in {users / 'team.md'}."},
    ]
    editor.request("sidelight/tasks", {})
    warnings = [it["message"] for it in editor.seen("window/showMessage") if it["type"] == 2]
    assert sum(f"{broken}:3: answer is code" in warning for warning in warnings) == 1
    assert list(own(editor)) == ["team"]
    checks = editor.request("sidelight/doctor", {"asks": False})
    assert checks["state"] == "warning"
    assert any("broken.md:3: answer is code" in check["message"] for check in checks["checks"])


def test_saving_a_task_reads_it_again(start_editor: Start, connected: dict[str, str], folders: Path) -> None:
    editor = begin(start_editor, connected, trusted=True)
    assert own(editor) == {}
    path = write(folders, "new.md", "Do it.\n")
    editor.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}})
    while not own(editor):
        editor.settle(0.02)
    assert list(own(editor)) == ["new"]


def test_a_link_out_of_the_folder_is_not_followed(
    start_editor: Start, connected: dict[str, str], folders: Path, tmp_path: Path
) -> None:
    outside = write(tmp_path / "elsewhere", "secret.md", "My secrets.\n")
    folders.mkdir(parents=True)
    try:
        (folders / "linked.md").symlink_to(outside)
    except OSError:
        pytest.skip("no links here")
    editor = begin(start_editor, connected, trusted=True)
    assert own(editor) == {}
    assert "no file inside" in editor.request("sidelight/tasks", {})["problems"][0]["message"]
