"""The labels of edits: one for all edits of a job, another for each command, so that a client can tell them apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp.test_reviews import CODE, FIXED, LENSES, Told, done, ended, fix, in_block, text, wait_for_text
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor


def opened(start: Callable[[dict[str, str]], Editor], environment: dict[str, str], client: str) -> Editor:
    editor = start(environment)
    editor.initialize(clientInfo={"name": client}, capabilities=LENSES)
    return editor


@pytest.fixture
def live(start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str]) -> Editor:
    return opened(start_editor, connected, "Neovim")


@pytest.fixture
def once(start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str]) -> Editor:
    return opened(start_editor, connected, "Eglot")


def labels(editor: Editor) -> list[str]:
    found = [str(params["label"]) for params in editor.seen("workspace/applyEdit")]
    assert all(label.startswith("Sidelight") for label in found)
    return found


def command(editor: Editor, name: str, argument: dict[str, Any]) -> str:
    """Do a command that edits; return the label of its edit."""
    before = len(editor.seen("workspace/applyEdit"))
    editor.request("workspace/executeCommand", {"command": f"sidelight.{name}", "arguments": [argument]})
    editor.wait_until(lambda _: len(editor.seen("workspace/applyEdit")) > before)
    editor.settle()
    return labels(editor)[-1]


def test_all_edits_of_a_live_job_have_one_label_and_the_next_job_another(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:3]), "".join(lines[3:]) + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    told.go_on()
    told.go_on()
    assert ended(live, job) == "applied"
    first = labels(live)
    assert len(first) > 1
    assert len(set(first)) == 1
    assert job in first[0]
    anythingllm.always(fake.answer(in_block("def other():\n    return 2\n")))
    second_job = fix(live, uri, text(live, uri).splitlines().index("    return 1"))
    assert ended(live, second_job) == "applied"
    assert labels(live)[-1] not in first
    assert second_job in labels(live)[-1]


def test_an_edit_at_the_end_has_the_label_of_its_job(once: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(in_block(FIXED)))
    uri = once.open("a.py", CODE)
    job = fix(once, uri)
    assert ended(once, job) == "applied"
    assert [job in label for label in labels(once)] == [True]


def test_an_edit_of_a_file_that_is_not_open_has_the_label_of_its_job(
    once: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer(in_block(FIXED)))
    file = folder / "closed.py"
    file.write_text(CODE)
    once.documents.clear()
    once.handle["workspace/applyEdit"] = lambda _params: {"applied": True}
    job = fix(once, file.as_uri())
    assert ended(once, job) == "applied"
    assert [job in label for label in labels(once)] == [True]


def test_undoing_and_restoring_have_labels_of_their_own_each_time(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    found = [labels(live)[0], command(live, "undo", {"uri": uri, "hunk": 1}), command(live, "undo", {"uri": uri})]
    for name in ("undo", "restore", "undo", "restore"):
        assert ended(live, fix(live, uri)) == "applied"
        point = live.request("sidelight/history", {"uri": uri})["points"][0]["id"]
        found.append(command(live, name, {"uri": uri, **({"point": point} if name == "restore" else {})}))
        assert text(live, uri) == CODE
    assert len(set(found)) == len(found)
    assert not any("fix-" in label for label in found[1:])


def test_both_edits_of_apply_anyway_have_one_label(live: Editor, anythingllm: AnythingLLMServer) -> None:
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:2]), "")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    live.request("workspace/executeCommand", {"command": "sidelight.stop"})
    assert ended(live, job) == "stopped"
    before = len(labels(live))
    command(live, "applyAnyway", {"uri": uri})
    after = labels(live)[before:]
    assert len(after) == 2
    assert len(set(after)) == 1
    assert job not in after[0]


def test_a_block_of_a_page_goes_in_under_a_new_label_each_time(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("Like this:\n```python\nx = 1\n```\n"))
    uri = live.open("a.py", CODE)
    place = {"line": 4, "character": 4}
    argument = {"uri": uri, "range": {"start": place, "end": place}}
    live.request("workspace/executeCommand", {"command": "sidelight.explain", "arguments": [argument]})
    page = live.wait_for("window/showDocument")["uri"]
    live.settle()
    found = []
    for _ in range(2):
        action = _insert(live, page)
        found.append(command(live, "insertBlock", action))
    assert len(set(found)) == 2


def _insert(editor: Editor, page: str) -> dict[str, Any]:
    place = {"line": 4, "character": 0}
    params = {"textDocument": {"uri": page}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
    path = page.removeprefix("file://")
    editor.open(path, Path(path).read_text(), "markdown")
    actions = editor.request("textDocument/codeAction", params)
    (found,) = [it["command"]["arguments"][0] for it in actions if it["title"].startswith("Insert")]
    return dict(found)
