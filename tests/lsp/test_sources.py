"""Sources in an editor: numbered, opened as the file that they are or as a page, and never more than text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, Editor

Start = Callable[[dict[str, str]], Editor]

GUIDE = {"title": "guide.txt", "url": "file:///hotdir/guide.txt", "text": "The radius is squared."}
WIKI = {"title": "Wiki", "chunkSource": "link://https://wiki.example.com/a", "text": "Ask ```the``` wiki.\n````"}
HOSTILE = {"title": "[x](command:y)\n2. **Guide**", "chunkSource": "command:workbench.action.quit", "text": "# Loud"}


def ask(editor: Editor, anythingllm: AnythingLLMServer, *sources: dict[str, Any], **more: Any) -> dict[str, Any]:
    anythingllm.always(fake.answer("It is squared [1].", sources=list(sources)))
    return editor.request("sidelight/run", {"task": "ask", "instruction": "Why?", **more})


def which(run: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"conversation": run["conversation"], "turn": run["turn"], "number": number}


def command(editor: Editor, name: str, argument: dict[str, Any]) -> Any:
    params = {"command": f"sidelight.{name}", "arguments": [argument]}
    return editor.request("workspace/executeCommand", params)


def shown(editor: Editor) -> dict[str, Any]:
    return editor.wait_for("window/showDocument")


def page_text(uri: str) -> str:
    from sidelight.lsp.documents import file_path

    path = file_path(uri)
    assert path is not None
    return path.read_text("utf-8")


@pytest.fixture
def guide(folder: Path) -> Path:
    path = folder / "docs" / "Guide.md"
    path.parent.mkdir()
    path.write_text("# Guide\r\n\r\nFirst 🙂 the   radius\r\nis squared.\r\n", newline="")
    GUIDE["text"] = "the radius is squared."
    return path


def test_a_run_numbers_its_sources_by_document_and_names_their_files(
    editor: Editor, anythingllm: AnythingLLMServer, guide: Path
) -> None:
    more = {**GUIDE, "text": "More."}
    run = ask(editor, anythingllm, GUIDE, WIKI, more, GUIDE, HOSTILE, partialResultToken="p")
    assert [(it["number"], it["text"], it.get("file")) for it in run["sources"]] == [
        (1, GUIDE["text"], guide.as_uri()), (1, "More.", guide.as_uri()), (2, WIKI["text"], None), (3, "# Loud", None),
    ]  # fmt: skip
    assert [it["uri"] for it in run["sources"][2:]] == ["https://wiki.example.com/a", ""]
    [told] = [it["value"] for it in editor.seen("$/progress") if it["value"]["kind"] == "sources"]
    assert told["sources"] == run["sources"]


def test_a_source_is_a_place_in_a_file(editor: Editor, anythingllm: AnythingLLMServer, guide: Path) -> None:
    run = ask(editor, anythingllm, GUIDE)
    place = editor.request("sidelight/source", which(run))
    assert place == {
        "title": "guide.txt", "text": GUIDE["text"], "uri": guide.as_uri(),
        "range": {"start": {"line": 2, "character": 9}, "end": {"line": 3, "character": 11}},
    }  # fmt: skip
    uri = editor.open("docs/Guide.md", "Typed since.\nthe radius is squared.", "markdown")
    place = editor.request("sidelight/source", which(run))
    assert (place["uri"], place["range"]["start"]) == (uri, {"line": 1, "character": 0})


def test_a_source_opens_at_its_passage(editor: Editor, anythingllm: AnythingLLMServer, guide: Path) -> None:
    run = ask(editor, anythingllm, GUIDE)
    assert command(editor, "openSource", which(run)) == {"accepted": True}
    params = shown(editor)
    assert (params["uri"], params["selection"]["start"]) == (guide.as_uri(), {"line": 2, "character": 9})


def test_a_file_that_has_changed_since_opens_at_its_top_and_that_is_said(
    editor: Editor, anythingllm: AnythingLLMServer, guide: Path
) -> None:
    run = ask(editor, anythingllm, GUIDE)
    guide.write_text("Nothing of it is left.")
    command(editor, "openSource", which(run))
    assert shown(editor)["selection"]["end"] == {"line": 0, "character": 0}
    assert "older than guide.txt" in editor.wait_for("window/showMessage")["message"]
    assert "older" in editor.request("sidelight/source", which(run))["notice"]


def test_a_source_that_is_no_file_here_is_a_page_that_is_only_text(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    run = ask(editor, anythingllm, WIKI, HOSTILE)
    command(editor, "openSource", which(run))
    page = page_text(shown(editor)["uri"])
    assert page.startswith(
        "# Wiki\n\nFrom: https://wiki.example.com/a\n\n`````text\nAsk ```the``` wiki.\n````\n`````\n"
    )
    command(editor, "openSource", which(run, 2))
    page = page_text(shown(editor)["uri"])
    assert page == "# \\[x\\](command:y) 2. \\*\\*Guide\\*\\*\n\n```text\n# Loud\n```\n"


@pytest.mark.parametrize("uri", ["file://{}", "localfile://project/../secret.md", "kb/../secret.md", "{}"])
def test_no_source_opens_a_file_outside_the_workspace(
    editor: Editor, anythingllm: AnythingLLMServer, tmp_path: Path, uri: str
) -> None:
    (tmp_path / "secret.md").write_text("secret")
    source = {"title": "../secret.md", "chunkSource": uri.format(tmp_path / "secret.md"), "text": "secret"}
    run = ask(editor, anythingllm, source)
    assert "file" not in run["sources"][0]
    assert "uri" not in editor.request("sidelight/source", which(run))


def test_the_users_map_says_where_sources_are(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer, guide: Path
) -> None:
    editor = start_editor({**connected, "SIDELIGHT_SOURCES_MAP": '{"https://wiki.example.com": "docs"}'})
    editor.initialize()
    source = {"title": "x", "chunkSource": "link://https://wiki.example.com/guide.md", "text": "First"}
    assert ask(editor, anythingllm, source)["sources"][0]["file"] == guide.as_uri()


@pytest.mark.parametrize("number", [0, 2, 10**9])
def test_a_source_that_is_not_there_is_an_error(editor: Editor, anythingllm: AnythingLLMServer, number: int) -> None:
    run = ask(editor, anythingllm, WIKI)
    assert "has no source" in editor.error("sidelight/source", which(run, number))["message"]
    error = editor.error("sidelight/source", {"conversation": "nobody", "turn": 1, "number": 1})
    assert error["code"] == -32803


@pytest.mark.parametrize("params", [None, {}, {"conversation": "x", "turn": "1", "number": 1}, [1]])
def test_wrong_parameters_are_told(editor: Editor, params: Any) -> None:
    assert editor.error("sidelight/source", params)["code"] == -32602


def with_content(start_editor: Start, environment: dict[str, str]) -> Editor:
    editor = start_editor(environment)
    workspace = {**CAPABILITIES["workspace"], "textDocumentContent": {"dynamicRegistration": True}}
    editor.initialize(capabilities={**CAPABILITIES, "workspace": workspace})
    return editor


def test_a_page_lists_documents_and_each_line_opens_its_own(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer, guide: Path
) -> None:
    editor = with_content(start_editor, connected)
    anythingllm.always(fake.answer("Squared.\n```python\nleft = open", sources=[WIKI, HOSTILE, GUIDE, WIKI]))
    command(editor, "explain", {"uri": editor.open("a.py", "def area(r):\n    return r\n")})
    uri = shown(editor)["uri"]
    editor.wait_for("$/progress", where=lambda it: it["value"]["kind"] == "end")
    page = editor.request("workspace/textDocumentContent", {"uri": uri})["text"]
    assert page.endswith(
        "left = open\n```\n\n**Sources**\n\n1. Wiki, https://wiki.example.com/a\n"
        "2. \\[x\\](command:y) 2. \\*\\*Guide\\*\\*\n3. guide.txt, file:///hotdir/guide.txt\n"
    )
    lines = page.split("\n")
    for line, titles in (
        (lines.index("**Sources**") + 4, ["Open source 3: guide.txt"]),
        (lines.index("**Sources**"), []),
    ):
        at = {"line": line, "character": 3}
        context = {"textDocument": {"uri": uri}, "range": {"start": at, "end": at}, "context": {"diagnostics": []}}
        actions = editor.request("textDocument/codeAction", context)
        assert [it["title"] for it in actions] == titles
        for action in actions:
            editor.request("workspace/executeCommand", {k: action["command"][k] for k in ("command", "arguments")})
            assert shown(editor)["uri"] == guide.as_uri()


def test_the_sources_of_an_applied_edit_can_be_reached(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("```python\ndef area(r):\n    return r * r\n```\n", sources=[WIKI]))
    uri = editor.open("a.py", "def area(r):\n    return r\n")
    command(editor, "fix", {"uri": uri})
    editor.wait_for("$/progress", where=lambda it: it["value"]["kind"] == "end")
    assert "r * r" in str(editor.documents[uri])
    command(editor, "showAnswer", {"uri": uri})
    assert "**Sources**\n\n1. Wiki, https://wiki.example.com/a" in page_text(shown(editor)["uri"])
