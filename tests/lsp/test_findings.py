"""Reviews in an editor: findings as diagnostics, while they stream, while the user types, and what is done."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, Editor

CODE = """import os


def area(w, h):
    total = w + h
    return total


def mean(items):
    return sum(items) / len(items)
"""
PRODUCT = "5 | error | An area is a product.\n```python\n    total = w * h\n```\n"
EMPTY = "10 | warning [robustness] | `items` may be empty.\n"
UNUSED = "- **Line 1** - hint: `import os` is unused\n"
Start = Callable[[dict[str, str]], Editor]


def with_diagnostics(**more: Any) -> dict[str, Any]:
    can = copy.deepcopy(CAPABILITIES)
    can["textDocument"] = {"publishDiagnostics": {"versionSupport": True, "relatedInformation": True, **more}}
    return can


@pytest.fixture
def editor(start_editor: Start, connected: dict[str, str]) -> Editor:
    editor = start_editor(connected)
    editor.initialize(capabilities=with_diagnostics(), initializationOptions={"trusted": True})
    return editor


def command(editor: Editor, name: str, **argument: Any) -> Any:
    return editor.request("workspace/executeCommand", {"command": f"sidelight.{name}", "arguments": [argument]})


def review(editor: Editor, uri: str, **more: Any) -> str:
    """Review, and wait for the end; returns what the progress said last."""
    job = command(editor, "review", uri=uri, **more)["job"]
    return ended(editor, job)


def ended(editor: Editor, job: str) -> str:
    """Wait for the job's end; returns what the progress said last: nothing where the job was quicker than that."""
    editor.wait_for("sidelight/status", where=lambda it: job not in it["message"])
    ends = [it for it in editor.seen("$/progress") if it["token"] == job and it["value"]["kind"] == "end"]
    return str(ends[0]["value"]["message"]) if ends else ""


def shown(editor: Editor, uri: str) -> list[dict[str, Any]]:
    """Return the findings that are shown now, without the marks of edits."""
    published = [it for it in editor.seen("textDocument/publishDiagnostics") if it["uri"] == uri]
    found = published[-1]["diagnostics"] if published else []
    return [each for each in found if each.get("code") != "changed"]


def told(editor: Editor, uri: str) -> list[tuple[int, int, str]]:
    return [(each["range"]["start"]["line"], each["severity"], each["message"]) for each in shown(editor, uri)]


def wait_for_findings(editor: Editor, uri: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many are shown; they may have come together with the answer to a command."""
    if len(shown(editor, uri)) == count:
        return shown(editor, uri)
    editor.wait_for(
        "textDocument/publishDiagnostics",
        where=lambda it: it["uri"] == uri and sum(each.get("code") != "changed" for each in it["diagnostics"]) == count,
    )
    return shown(editor, uri)


def actions(editor: Editor, uri: str, line: int, **context: Any) -> dict[str, dict[str, Any]]:
    place = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 0}}
    params = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": [], "triggerKind": 2, **context}}
    return {each["title"]: each["command"] for each in editor.request("textDocument/codeAction", params)}


def do(editor: Editor, action: dict[str, Any]) -> Any:
    return editor.request("workspace/executeCommand", {key: action[key] for key in ("command", "arguments")})


def test_a_review_becomes_diagnostics(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("Here you are:\n\n", PRODUCT, EMPTY, UNUSED))
    uri = editor.open("a.py", CODE)
    assert review(editor, uri) in ("3 findings", "")
    assert told(editor, uri) == [
        (0, 4, "`import os` is unused"),
        (4, 1, "An area is a product."),
        (9, 2, "`items` may be empty."),
    ]
    unused, product, empty = shown(editor, uri)
    assert {each["source"] for each in (unused, product, empty)} == {"sidelight"}
    assert empty["code"] == "robustness"
    assert product["range"] == {"start": {"line": 4, "character": 4}, "end": {"line": 4, "character": 17}}
    published = editor.seen("textDocument/publishDiagnostics")[-1]
    assert published["version"] == 1


def test_the_model_is_shown_the_numbers_of_the_lines(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("NO FINDINGS"))
    uri = editor.open("a.py", CODE)
    place = {"start": {"line": 8, "character": 0}, "end": {"line": 10, "character": 0}}
    assert review(editor, uri, range=place) in ("0 findings", "")
    sent = anythingllm.questions[0].body["message"]
    assert " 9| def mean(items):\n10|     return sum(items) / len(items)\n" in sent
    assert editor.seen("window/showMessage")[-1]["message"] == "The review has found nothing in a.py."


def test_a_finding_shows_as_soon_as_its_line_is_complete(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    def script() -> Iterator[Any]:
        yield fake.STREAM_HEAD + fake.text_event(EMPTY) + fake.text_event("5 | error | not yet")
        yield fake.Pause(30)

    anythingllm.always(script)
    uri = editor.open("a.py", CODE)
    job = command(editor, "review", uri=uri)["job"]
    wait_for_findings(editor, uri, 1)
    assert [line for line, _, _ in told(editor, uri)] == [9]
    command(editor, "stop", job=job)
    assert ended(editor, job) == "stopped"
    assert [line for line, _, _ in told(editor, uri)][-1] == 9


def test_many_findings_are_published_together_and_the_last_state_at_the_end(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    count = 200

    def script() -> Iterator[Any]:
        yield fake.STREAM_HEAD
        for line in range(1, count + 1):
            yield fake.text_event(f"{line} | warning | Number {line}.\n")
            yield fake.Pause(0.002)
        yield fake.text_event("", close=True) + fake.finalize() + fake.STREAM_END

    anythingllm.always(script)
    uri = editor.open("a.py", "x = 1\n" * count)
    began = monotonic()
    assert review(editor, uri) in (f"{count} findings", "")
    most = 4 + (monotonic() - began) / 0.25
    sizes = [len(it["diagnostics"]) for it in editor.seen("textDocument/publishDiagnostics")]
    assert sizes[-1] == count
    assert len(sizes) <= most, sizes
    assert sizes[0] < count / 2, sizes  # the first one did not wait


def test_a_finding_that_waits_for_others_is_shown_also_when_none_comes(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    def script() -> Iterator[Any]:
        yield fake.STREAM_HEAD + fake.text_event(EMPTY)
        yield fake.Pause(0.05)
        yield fake.text_event(UNUSED)
        yield fake.Pause(30)

    anythingllm.always(script)
    uri = editor.open("a.py", CODE)
    job = command(editor, "review", uri=uri)["job"]
    wait_for_findings(editor, uri, 2)
    command(editor, "stop", job=job)
    assert ended(editor, job) == "stopped"


def test_what_the_model_takes_back_is_taken_back_also_where_the_answer_is_cut_off_then(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    # The closing tag says that all before it was reasoning.
    anythingllm.always(fake.STREAM_HEAD + fake.text_event(EMPTY) + fake.text_event("</think>"))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    assert [len(it["diagnostics"]) for it in editor.seen("textDocument/publishDiagnostics")] == [1, 0]


def test_findings_follow_the_text_and_go_with_their_lines(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(PRODUCT, EMPTY))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    editor.type(uri, 0, 0, "import sys\n")
    editor.wait_for("textDocument/publishDiagnostics")
    assert [line for line, _, _ in told(editor, uri)] == [5, 10]
    assert editor.seen("textDocument/publishDiagnostics")[-1]["version"] == 2
    editor.type(uri, 5, 12, "1 + ")
    wait_for_findings(editor, uri, 1)
    assert [line for line, _, _ in told(editor, uri)] == [10]
    editor.type(uri, 10, 34, "  ")  # behind the last character: the same code
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    wait_for_findings(editor, uri, 0)


def test_what_is_typed_while_the_review_runs_moves_what_comes_later(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    go_on = [False]

    def script() -> Iterator[Any]:
        yield fake.STREAM_HEAD + fake.text_event("Looking.\n")
        while not go_on[0]:
            yield fake.Pause(0.02)
        yield fake.text_event(PRODUCT + EMPTY) + fake.text_event("", close=True) + fake.finalize() + fake.STREAM_END

    anythingllm.always(script)
    uri = editor.open("a.py", CODE)
    job = command(editor, "review", uri=uri)["job"]
    while not anythingllm.questions:
        editor.settle(0.02)
    editor.type(uri, 0, 0, "# one\n# two\n")
    editor.type(uri, 6, 4, "all_")  # the line of the first finding is another by now
    go_on[0] = True
    assert ended(editor, job) in ("2 findings", "")
    assert [line for line, _, _ in told(editor, uri)] == [11]
    assert "1 findings are about lines" in editor.seen("window/showMessage")[-1]["message"]


def test_the_suggested_fix_is_an_edit_like_any_other(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(PRODUCT, EMPTY))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    do(editor, actions(editor, uri, 4)["Apply the suggested fix: An area is a product."])
    assert [it["severity"] for it in wait_for_findings(editor, uri, 1)] == [2]
    editor.wait_for("$/progress", where=lambda it: it["value"]["kind"] == "end")
    assert str(editor.documents[uri]) == CODE.replace("w + h", "w * h")
    assert "Undo this edit" in actions(editor, uri, 4)
    points = editor.request("sidelight/history", {"uri": uri})["points"]
    assert [point["task"] for point in points] == ["apply"]


def test_all_suggested_fixes_at_once(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    guard = "10 | error | Empty.\n```\n    return sum(items) / len(items) if items else 0\n```\n"
    anythingllm.always(fake.answer(PRODUCT, guard))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    assert command(editor, "fixFinding", uri=uri) == {"accepted": True}
    wait_for_findings(editor, uri, 0)
    assert str(editor.documents[uri]) == CODE.replace("w + h", "w * h").replace(
        "(items)\n", "(items) if items else 0\n"
    )


def test_a_finding_without_a_suggestion_is_given_to_the_fix_task(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(EMPTY))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    offered = actions(editor, uri, 9)
    assert "Apply the suggested fix: `items` may be empty." not in offered
    fixed = "def mean(items):\n    return sum(items) / max(len(items), 1)\n"
    anythingllm.always(fake.answer(f"```python\n{fixed}```\n"))
    do(editor, offered["Fix with Sidelight: `items` may be empty."])
    wait_for_findings(editor, uri, 0)
    editor.wait_for("$/progress", where=lambda it: it["value"]["kind"] == "end")
    assert "- line 10: `items` may be empty. (review robustness)" in anythingllm.questions[-1].body["message"]
    assert str(editor.documents[uri]).endswith("max(len(items), 1)\n")


def test_findings_are_dismissed_one_by_one_or_all(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(PRODUCT, EMPTY, UNUSED))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    do(editor, actions(editor, uri, 9)["Dismiss: `items` may be empty."])
    wait_for_findings(editor, uri, 2)
    do(editor, actions(editor, uri, 0)["Dismiss all 2 findings"])
    wait_for_findings(editor, uri, 0)
    assert command(editor, "dismissFinding", uri=uri) == {"accepted": False}


def test_a_new_review_takes_the_place_of_what_was_found_there(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(PRODUCT, EMPTY))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    anythingllm.always(fake.answer("NO FINDINGS"))
    first_function = {"start": {"line": 3, "character": 0}, "end": {"line": 6, "character": 0}}
    review(editor, uri, range=first_function)
    assert [line for line, _, _ in told(editor, uri)] == [9]


def test_findings_and_the_marks_of_edits_stand_side_by_side(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(EMPTY))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    fixed = "def area(w, h):\n    total = w * h\n    return total\n"
    anythingllm.always(fake.answer(f"```python\n{fixed}```\n"))
    at_area = {"start": {"line": 4, "character": 0}, "end": {"line": 4, "character": 0}}
    ended(editor, command(editor, "fix", uri=uri, range=at_area)["job"])
    last = editor.seen("textDocument/publishDiagnostics")[-1]["diagnostics"]
    assert sorted(each["code"] for each in last) == ["changed", "robustness"]


def test_an_answer_that_names_no_lines_becomes_a_page(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("The code could be better in many ways."))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    page = Path(editor.seen("window/showDocument")[-1]["uri"].removeprefix("file://"))
    assert "could be better" in page.read_text("utf-8")


def test_a_client_without_diagnostics_gets_a_page(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(EMPTY))
    editor = start_editor(connected)
    editor.initialize()
    uri = editor.open("a.py", CODE)
    assert review(editor, uri) in ("done", "")
    assert editor.seen("textDocument/publishDiagnostics") == []
    page = Path(editor.seen("window/showDocument")[-1]["uri"].removeprefix("file://"))
    assert EMPTY in page.read_text("utf-8")


def test_the_whole_review_can_be_read(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("All in all fine.\n", EMPTY))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    do(editor, actions(editor, uri, 9)["Show the whole review"])
    editor.wait_for("window/showDocument")
    page = Path(editor.seen("window/showDocument")[-1]["uri"].removeprefix("file://"))
    assert "All in all fine." in page.read_text("utf-8")


def test_code_of_the_whole_review_goes_where_the_reviewed_lines_are_now(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("6 | hint | Say it shorter.\n\n```python\ndef area(w, h):\n    return w * h\n```\n"))
    uri = editor.open("a.py", CODE)
    place = {"start": {"line": 3, "character": 0}, "end": {"line": 6, "character": 0}}
    review(editor, uri, range=place)
    editor.type(uri, 0, 0, "# new\n# lines\n")
    do(editor, actions(editor, uri, 7)["Show the whole review"])
    page = editor.wait_for("window/showDocument")["uri"]
    replace = {"page": page.rpartition("-")[2].removesuffix(".md"), "block": 0, "uri": uri, "replace": True}
    assert command(editor, "insertBlock", **replace) == {"accepted": True}
    editor.wait_for("workspace/applyEdit")
    short = CODE.replace("    total = w + h\n    return total\n", "    return w * h\n")
    assert str(editor.documents[uri]) == "# new\n# lines\n" + short


def test_code_of_an_old_review_replaces_nothing_once_the_reviewed_lines_have_changed(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(EMPTY + "\n```python\nnothing = 0\n```\n"))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    editor.type(uri, 0, 0, "# new\n# lines\n")
    editor.type(uri, 5, 0, "    # typed\n")
    do(editor, actions(editor, uri, 12)["Show the whole review"])
    page = editor.wait_for("window/showDocument")["uri"]
    replace = {"page": page.rpartition("-")[2].removesuffix(".md"), "block": 0, "uri": uri, "replace": True}
    command(editor, "insertBlock", **replace)
    assert "was changed at that place" in editor.wait_for("window/showMessage")["message"]
    assert not editor.seen("workspace/applyEdit")


def test_whether_changes_are_meant_is_true_or_false(editor: Editor) -> None:
    uri = editor.open("a.py", CODE)
    argument = {"uri": uri, "changes": "yes"}
    error = editor.error("workspace/executeCommand", {"command": "sidelight.review", "arguments": [argument]})
    assert error["code"] == -32602


def test_a_run_streams_the_text_and_shows_the_findings(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(EMPTY))
    uri = editor.open("a.py", CODE)
    result = editor.request("sidelight/run", {"task": "review", "uri": uri})
    assert result["text"] == EMPTY
    assert [line for line, _, _ in told(editor, uri)] == [9]


def test_secrets_are_hidden_from_the_model_and_not_from_the_user(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    key = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z" * 2

    def answer_with_placeholder() -> Iterator[Any]:
        sent = anythingllm.questions[-1].body["message"]
        token = next(word for word in sent.replace('"', " ").split() if word.startswith("SIDELIGHT_SECRET_"))
        yield fake.answer(f'1 | warning | A key.\n```\nKEY = load("{token}")\n```\n')

    anythingllm.always(answer_with_placeholder)
    uri = editor.open("a.py", f'KEY = "{key}"\nother = 1\n')
    review(editor, uri)
    assert key not in anythingllm.questions[0].body["message"]
    do(editor, actions(editor, uri, 0)["Apply the suggested fix: A key."])
    wait_for_findings(editor, uri, 0)
    assert f'KEY = load("{key}")' in str(editor.documents[uri])


# What has changed


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(folder: Path) -> Path:
    git(folder, "init", "-q")
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text(CODE, "utf-8")
    (folder / "b.py").write_text("x = 1\n", "utf-8")
    (folder / ".env").write_text("TOKEN=old\n", "utf-8")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-qm", "first")
    (folder / "src" / "a.py").write_text("# new\n" + CODE.replace("w + h", "w - h"), "utf-8")
    (folder / "b.py").write_text("x = 2\n", "utf-8")
    (folder / ".env").write_text("TOKEN=abc\n", "utf-8")
    return folder


def test_what_has_changed_is_reviewed_in_every_file(
    repository: Path, editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    found = "src/a.py:6 | error | A difference is no area.\n- b.py:1: hint: two\nc.py:3 | warning | nowhere\n"
    anythingllm.always(fake.answer(found))
    job = command(editor, "review", uri=repository.as_uri(), changes=True)["job"]
    assert ended(editor, job) in ("3 findings", "")
    sent = anythingllm.questions[0].body["message"]
    assert "=== src/a.py (changed)" in sent
    assert "-  |     total = w + h\n+ 6|     total = w - h\n" in sent
    assert "TOKEN" not in sent
    a, b = ((repository / name).as_uri() for name in ("src/a.py", "b.py"))
    assert (5, 1, "A difference is no area.") in told(editor, a)
    assert told(editor, b) == [(0, 4, "two"), (0, 2, "nowhere (said of line 3, which does not exist)")]
    assert "version" not in editor.seen("textDocument/publishDiagnostics")[-1]


def test_findings_of_a_file_follow_it_from_its_opening_on(
    repository: Path, editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("b.py:1 | warning | two\n"))
    ended(editor, command(editor, "review", changes=True)["job"])
    uri = editor.open("b.py", "# unsaved\nx = 2\n")
    editor.wait_for("textDocument/publishDiagnostics", where=lambda it: it["uri"] == uri and it.get("version") == 1)
    assert told(editor, uri) == [(1, 2, "two")]
    editor.type(uri, 1, 4, "3")
    wait_for_findings(editor, uri, 0)
    assert repository.exists()


def test_who_looks_at_one_file_after_another_keeps_what_was_found(
    repository: Path, editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("src/a.py:6 | error | A difference is no area.\nb.py:1: hint: two\n"))
    ended(editor, command(editor, "review", uri=repository.as_uri(), changes=True)["job"])
    uri, gone = ((repository / name).as_uri() for name in ("src/a.py", "b.py"))
    for path, text in (("src/a.py", (repository / "src" / "a.py").read_text("utf-8")), ("b.py", "x = 2\n")):
        editor.open(str(repository / path), text)
    editor.type(uri, 0, 0, "# more\n")
    (repository / "b.py").unlink()
    for each in (uri, gone):
        editor.notify("textDocument/didClose", {"textDocument": {"uri": each}})
    editor.wait_for("textDocument/publishDiagnostics", where=lambda it: it["uri"] == gone and not it["diagnostics"])
    assert told(editor, uri) == [(6, 1, "A difference is no area.")]
    assert "version" not in [it for it in editor.seen("textDocument/publishDiagnostics") if it["uri"] == uri][-1]
    editor.open(str(repository / "src" / "a.py"), str(editor.documents[uri]))
    wait_for_findings(editor, uri, 1)
    editor.type(uri, 6, 4, "x")
    wait_for_findings(editor, uri, 0)


def test_git_runs_only_where_the_folder_is_trusted(
    repository: Path, start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    editor = start_editor(connected)
    editor.initialize(capabilities=with_diagnostics())
    command(editor, "review", uri=repository.as_uri(), changes=True)
    editor.wait_for("window/showMessage", where=lambda it: "not trusted" in it["message"])
    assert anythingllm.questions == []


def test_sources_that_are_files_here_go_along(editor: Editor, anythingllm: AnythingLLMServer, folder: Path) -> None:
    (folder / "handbook.md").write_text("Never divide by zero.\n", "utf-8")
    source = {"title": "handbook.md", "url": "file:///elsewhere/handbook.md", "text": "Never divide by zero."}
    anythingllm.always(fake.answer(EMPTY, sources=[source]))
    uri = editor.open("a.py", CODE)
    review(editor, uri)
    (related,) = shown(editor, uri)[0]["relatedInformation"]
    assert related["location"]["uri"] == (folder / "handbook.md").as_uri()
    assert related["message"] == "handbook.md"
