"""What a user does in an editor, over real stdio, against a server that plays AnythingLLM."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, SILENCE, Editor, Refusal

CODE = 'import a\n\n\ndef greet(name):\n    print("hallo" + nam)\n\n\ngreet("x")\n'
FIXED = 'def greet(name):\n    print("hallo" + name)\n'
REPLY = f"The name was misspelt.\n\n```python\n{FIXED}```\n"
Start = Callable[[dict[str, str]], Editor]


def caret(line: int, column: int = 0) -> dict[str, Any]:
    place = {"line": line, "character": column}
    return {"start": place, "end": place}


def lines(first: int, end: int) -> dict[str, Any]:
    return {"start": {"line": first, "character": 0}, "end": {"line": end, "character": 0}}


def wrong_name() -> dict[str, Any]:
    place = {"start": {"line": 4, "character": 20}, "end": {"line": 4, "character": 23}}
    return {"range": place, "message": "undefined name 'nam'", "source": "pyflakes", "code": "F821"}


def command(editor: Editor, name: str, argument: dict[str, Any]) -> str:
    job: str = editor.request("workspace/executeCommand", {"command": f"sidelight.{name}", "arguments": [argument]})[
        "job"
    ]
    return job


def ended(editor: Editor, job: str) -> str:
    """Wait for the end of a job's progress; returns its last line."""
    params = editor.wait_for(
        "$/progress", where=lambda params: params["token"] == job and params["value"]["kind"] == "end"
    )
    return str(params["value"]["message"])


def deltas(editor: Editor, token: str, kind: str = "text") -> list[str]:
    return [
        params["value"]["text"]
        for params in editor.seen("$/progress")
        if params["token"] == token and params["value"]["kind"] == kind
    ]


def messages(editor: Editor) -> str:
    return "\n".join(params["message"] for params in editor.seen("window/showMessage"))


# sidelight/run


def test_a_run_streams_deltas_and_ends_with_sources(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-with-sources"))
    uri = editor.open("a.py", CODE)
    result = editor.request(
        "sidelight/run", {"task": "explain", "uri": uri, "range": caret(4), "partialResultToken": "p"}
    )
    assert result["finish"] == "complete"
    assert "text" not in result
    assert "".join(deltas(editor, "p"))
    assert [source["title"] for source in result["sources"]] == ["freedonia.txt"]
    assert "<document_metadata>" not in result["sources"][0]["text"]


def test_a_run_without_token_returns_its_text(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-reasoning"))
    result = editor.request("sidelight/run", {"task": "ask", "instruction": "Why?"})
    assert result["text"]
    assert result["reasoning"]
    assert "think>" not in result["text"]


def test_the_first_delta_comes_at_once(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event("now "), fake.Pause(30)]))
    request = editor.begin("sidelight/run", {"task": "ask", "instruction": "hi", "partialResultToken": "p"})
    editor.wait_for("$/progress", where=lambda params: params["value"].get("text") == "now ")
    editor.notify("$/cancelRequest", {"id": request})
    assert editor.answer_to(request)["error"]["code"] == -32800


@pytest.mark.parametrize("before", [b"", fake.STREAM_HEAD, fake.STREAM_HEAD + fake.text_event("x")])
def test_cancelling_a_run_closes_the_connection(editor: Editor, anythingllm: AnythingLLMServer, before: bytes) -> None:
    anythingllm.always(lambda: iter([before, fake.Pause(30)]))
    request = editor.begin("sidelight/run", {"task": "ask", "instruction": "hi"})
    while not anythingllm.questions:
        editor.settle(0.02)
    editor.notify("$/cancelRequest", {"id": request})
    assert editor.answer_to(request)["error"]["code"] == -32800
    assert anythingllm.questions[0].closed.wait(2)


def test_stopping_by_the_progress_keeps_the_text(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event("so far"), fake.Pause(30)]))
    request = editor.begin(
        "sidelight/run", {"task": "ask", "instruction": "hi", "partialResultToken": "p", "workDoneToken": "w"}
    )
    editor.wait_for("$/progress", where=lambda params: params["token"] == "p" and params["value"]["kind"] == "text")
    editor.notify("window/workDoneProgress/cancel", {"token": "w"})
    assert editor.answer_to(request)["result"]["finish"] == "stopped"
    assert deltas(editor, "p") == ["so far"]
    assert anythingllm.questions[0].closed.wait(2)
    ends = [params for params in editor.seen("$/progress") if params["value"]["kind"] == "end"]
    assert len(ends) == 1


def test_a_failure_before_the_first_text_is_an_error_with_a_hint(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.capture("stream-chat-wrong-key"))
    error = editor.error("sidelight/run", {"task": "ask", "instruction": "hi"})
    assert error["code"] == -32803
    assert error["data"]["kind"] == "auth"
    assert "ANYTHINGLLM_API_KEY" in error["data"]["hint"]
    assert fake.KEY not in json.dumps(error)


def test_a_failure_after_it_is_a_result_that_keeps_the_text(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-upstream-dies-midstream"))
    result = editor.request("sidelight/run", {"task": "ask", "instruction": "hi"})
    assert result["finish"] == "cut_off"
    assert result["text"]
    assert result["error"]["kind"] == "cut_off"
    assert result["error"]["hint"]


def test_a_run_of_an_edit_task_brings_the_edit_and_applies_nothing(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(REPLY))
    uri = editor.open("a.py", CODE)
    result = editor.request("sidelight/run", {"task": "fix", "uri": uri, "diagnostics": [wrong_name()]})
    edit = result["edit"]["documentChanges"][0]
    assert edit["textDocument"] == {"uri": uri, "version": 1}
    assert edit["edits"] == [{"range": lines(4, 5), "newText": '    print("hallo" + name)\n'}]
    assert not editor.seen("workspace/applyEdit")


def test_a_conversation_goes_on_in_its_own_session(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    first = editor.request("sidelight/run", {"task": "ask", "instruction": "one", "workspace": "test-2"})
    again = {"task": "ask", "instruction": "two", "conversation": first["conversation"]}
    second = editor.request("sidelight/run", again)
    other = editor.request("sidelight/run", {"task": "ask", "instruction": "three"})
    sessions = [seen.body["sessionId"] for seen in anythingllm.questions]
    assert sessions[0] == sessions[1] == first["conversation"] == second["conversation"]
    assert other["conversation"] not in sessions[:2]
    assert second["turn"] == 2
    paths = [seen.path.split("/")[4] for seen in anythingllm.questions]
    assert paths == ["test-2", "test-2", "test1"], "the workspace is chosen for a conversation, else by setting"


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {"task": "dance"},
        {"task": "ask", "instruction": 5},
        {"task": "explain", "uri": "file:///x", "range": 7},
        {"task": "ask", "instruction": "x", "partialResultToken": [1]},
        {"task": "fix", "uri": "file:///x", "diagnostics": "all"},
    ],
)
def test_wrong_parameters_are_refused(plain_editor: Editor, params: Any) -> None:
    assert plain_editor.error("sidelight/run", params)["code"] == -32602


def test_what_makes_no_sense_is_told_in_words(plain_editor: Editor, folder: Path) -> None:
    uri = plain_editor.open("a.py", CODE)
    (folder / "binary.py").write_bytes(b"\x00\xff")
    for params, told in (
        ({"task": "explain", "uri": uri, "range": caret(99)}, "Line 100 does not exist"),
        ({"task": "fix", "uri": plain_editor.open("empty.py", "")}, "nothing to fix"),
        ({"task": "fix"}, "no document"),
        ({"task": "ask"}, "needs an instruction"),
        ({"task": "ask", "instruction": "x" * 100_000}, "instruction is too long"),
        ({"task": "explain", "uri": (folder / "gone.py").as_uri()}, "cannot be read"),
        ({"task": "explain", "uri": (folder / "binary.py").as_uri()}, "not text in UTF-8"),
        ({"task": "explain", "uri": "untitled:Untitled-1"}, "is not open"),
    ):
        error = plain_editor.error("sidelight/run", params)
        assert told in error["message"]
        assert error["code"] == -32803


def test_a_document_of_five_megabytes_is_shown_in_part(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = editor.open("big.py", "x = 1  # a line of a big file\n" * 180_000)
    result = editor.request("sidelight/run", {"task": "explain", "uri": uri, "range": caret(90_000)})
    assert result["finish"] == "complete"
    assert 1000 < len(anythingllm.questions[0].body["message"]) < 40_000


def test_a_document_that_was_never_opened_is_read_from_disk(
    editor: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    (folder / "closed.py").write_text("secret_name = 1\n")
    editor.request("sidelight/run", {"task": "explain", "uri": (folder / "closed.py").as_uri()})
    assert "secret_name" in anythingllm.questions[0].body["message"]


def test_models_are_listed(editor: Editor) -> None:
    listed = editor.request("sidelight/models", {})
    assert (listed["provider"], listed["model"]) == ("anythingllm", "test1")
    assert [model["id"] for model in listed["models"]] == ["test1", "test-2"]


# Commands: fix and generate


def test_fix_answers_at_once_and_puts_code_into_the_document(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    def slow() -> fake.Script:
        yield fake.Pause(3)
        yield fake.answer(REPLY)

    anythingllm.always(slow)
    uri = editor.open("a.py", CODE)
    began = monotonic()
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    assert monotonic() - began < 2
    assert ended(editor, job) == "applied"
    assert str(editor.documents[uri]) == CODE.replace("nam)", "name)")
    edits = editor.seen("workspace/applyEdit")
    assert len(edits) == 1
    assert edits[0]["edit"]["documentChanges"][0]["textDocument"]["version"] == 1
    assert len([1 for params in editor.seen("$/progress") if params["value"]["kind"] == "end"]) == 1


def test_typing_elsewhere_moves_the_edit(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD, fake.Pause(0.4), fake.answer(REPLY)[len(fake.STREAM_HEAD) :]]))
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    editor.type(uri, 0, 0, "# typed above\n")
    editor.type(uri, 8, 0, "# typed below\n")
    assert ended(editor, job) == "applied"
    assert str(editor.documents[uri]) == (
        "# typed above\n" + CODE.replace("nam)", "name)").replace("greet(\"x\")", "# typed below\ngreet(\"x\")")
    )  # fmt: skip


def test_typing_inside_makes_a_page_of_the_answer(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD, fake.Pause(0.4), fake.answer(REPLY)[len(fake.STREAM_HEAD) :]]))
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    editor.type(uri, 4, 4, "    ")
    typed = str(editor.documents[uri])
    page = editor.wait_for("window/showDocument")["uri"]
    assert ended(editor, job) == "not applied"
    assert str(editor.documents[uri]) == typed
    assert FIXED in read_page(page)
    assert "was changed at that place" in messages(editor)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (fake.capture("stream-chat-upstream-dies-midstream"), "incomplete"),
        (fake.answer("I cannot help with that."), "no code"),
        (fake.answer("```python\ndef greet(name):\n"), "cut off"),
    ],
)
def test_what_is_not_fit_to_apply_becomes_a_page(
    editor: Editor, anythingllm: AnythingLLMServer, reply: bytes, told: str
) -> None:
    anythingllm.always(reply)
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    page = editor.wait_for("window/showDocument")["uri"]
    assert ended(editor, job) == "not applied"
    assert str(editor.documents[uri]) == CODE
    assert told in messages(editor)
    assert "Not applied" in read_page(page)


def test_a_refused_edit_is_tried_again_and_then_becomes_a_page(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(REPLY))
    editor.handle["workspace/applyEdit"] = lambda _: {"applied": False}
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    page = editor.wait_for("window/showDocument")["uri"]
    ended(editor, job)
    assert len(editor.seen("workspace/applyEdit")) == 3
    assert "did not take the edit" in messages(editor)
    assert FIXED in read_page(page)


@pytest.mark.parametrize("refusal", [Refusal("version 2 wanted"), {"applied": True}])
def test_an_edit_that_was_dropped_is_noticed_and_sent_again(
    editor: Editor, anythingllm: AnythingLLMServer, refusal: Any
) -> None:
    """Eglot answers a stale edit with an error, Neovim with a yes; the document tells the truth."""
    anythingllm.always(fake.answer(REPLY))
    replies = iter([refusal])

    editor.handle["workspace/applyEdit"] = lambda params: next(replies, None) or editor._apply_edit(params)
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    assert ended(editor, job) == "applied"
    assert str(editor.documents[uri]) == CODE.replace("nam)", "name)")


def test_a_document_closed_meanwhile_gets_no_edit(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.Pause(0.4), fake.answer(REPLY)]))
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert ended(editor, job) == "not applied"
    assert not editor.seen("workspace/applyEdit")
    assert "was closed" in messages(editor)


def test_a_document_that_is_not_open_gets_one_edit_without_version(
    editor: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer(REPLY))
    (folder / "closed.py").write_text(CODE)
    job = command(editor, "fix", {"uri": (folder / "closed.py").as_uri(), "diagnostics": [wrong_name()]})
    assert ended(editor, job) == "applied"
    change = editor.seen("workspace/applyEdit")[0]["edit"]["documentChanges"][0]
    assert change["textDocument"]["version"] is None


def test_two_jobs_in_one_document_each_have_their_end(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    replies = iter([REPLY, REPLY.replace("hallo", "hello")])
    anythingllm.always(lambda: iter([fake.Pause(0.2), fake.answer(next(replies))]))
    uri = editor.open("a.py", CODE)
    first = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    second = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    outcomes = {}
    while len(outcomes) < 2:
        params = editor.wait_for("$/progress", where=lambda params: params["value"]["kind"] == "end")
        outcomes[params["token"]] = params["value"]["message"]
    assert sorted(outcomes.values()) == ["applied", "not applied"]
    assert set(outcomes) == {first, second}
    assert str(editor.documents[uri]) in [
        CODE.replace("hallo", word).replace("nam)", "name)") for word in ("hallo", "hello")
    ]


def test_generate_on_an_empty_line_inserts_there(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("```python\nANSWER = 42\n```"))
    uri = editor.open("a.py", CODE)
    job = command(editor, "generate", {"uri": uri, "range": caret(2), "instruction": "a constant"})
    assert ended(editor, job) == "applied"
    assert str(editor.documents[uri]) == CODE.replace("\n\n\ndef", "\n\nANSWER = 42\n\ndef")


def test_an_edit_keeps_the_documents_line_ends(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(REPLY))
    uri = editor.open("a.py", CODE.replace("\n", "\r\n"))
    ended(editor, command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]}))
    assert str(editor.documents[uri]) == CODE.replace("nam)", "name)").replace("\n", "\r\n")


# Stopping


def test_stop_ends_the_job_and_changes_nothing(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD + fake.text_event("```python\nx"), fake.Pause(30)]))
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    while not anythingllm.questions:
        editor.settle(0.02)
    actions = editor.request("textDocument/codeAction", action_params(uri, caret(0)))
    assert any(action["title"] == f"Stop Sidelight ({job})" for action in actions)
    assert editor.request("workspace/executeCommand", {"command": "sidelight.stop"}) == {"stopped": True}
    assert ended(editor, job) == "stopped"
    assert str(editor.documents[uri]) == CODE
    assert anythingllm.questions[0].closed.wait(2)
    again = {"command": "sidelight.stop", "arguments": [{"job": job}]}
    deadline = monotonic() + 10  # what it leaves behind is put in order after its end was told
    while editor.request("workspace/executeCommand", again) != {"stopped": False}:
        assert monotonic() < deadline
        editor.settle(0.02)


def test_stop_reaches_a_job_that_waits_for_its_user(editor: Editor) -> None:
    editor.handle["window/showMessageRequest"] = lambda _: SILENCE
    uri = editor.open("a.py", "x = 1\n")
    command(editor, "ask", {"uri": uri, "range": caret(0)})
    editor.wait_for("window/showMessageRequest")
    editor.request("workspace/executeCommand", {"command": "sidelight.stop"})
    editor.wait_for("sidelight/status", where=lambda status: status["state"] == "ready")


# Pages


def read_page(uri: str) -> str:
    from sidelight.lsp.documents import file_path

    path = file_path(uri)
    assert path is not None
    return path.read_text("utf-8")


def with_content(start_editor: Start, environment: dict[str, str]) -> Editor:
    editor = start_editor(environment)
    workspace = {**CAPABILITIES["workspace"], "textDocumentContent": {"dynamicRegistration": True}}
    editor.initialize(capabilities={**CAPABILITIES, "workspace": workspace})
    return editor


def test_an_answer_becomes_a_file_that_is_shown(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-with-sources"))
    uri = editor.open("a.py", CODE)
    job = command(editor, "explain", {"uri": uri, "range": caret(4)})
    page = editor.wait_for("window/showDocument")["uri"]
    assert ended(editor, job) == "done"
    text = read_page(page)
    assert text.startswith("# Sidelight: Explain a.py:4")
    assert "1. freedonia.txt" in text


def test_a_client_that_shows_nothing_is_told_the_file(
    start_editor: Start, connected: dict[str, str], home: Path
) -> None:
    editor = start_editor(connected)
    editor.initialize(capabilities={"workspace": {"applyEdit": True}})
    command(editor, "explain", {"uri": editor.open("a.py", CODE)})
    told = editor.wait_for("window/showMessage")["message"]
    assert told.startswith("The answer is in ")
    assert Path(told.removeprefix("The answer is in ")).is_relative_to(home)
    assert Path(told.removeprefix("The answer is in ")).read_text()


def test_a_page_grows_while_the_answer_arrives(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    def script() -> fake.Script:
        yield fake.STREAM_HEAD + fake.text_event("begun ")
        for _ in range(5):
            yield fake.Pause(0.3)
            yield fake.text_event("more ")
        yield fake.text_event("<b>end</b>") + fake.finalize() + fake.STREAM_END

    anythingllm.always(script)
    editor = with_content(start_editor, connected)
    job = command(editor, "explain", {"uri": editor.open("a.py", CODE)})
    page = editor.wait_for("window/showDocument")["uri"]
    assert page.startswith("sidelight:/")
    early = editor.request("workspace/textDocumentContent", {"uri": page})["text"]
    assert "begun" in early
    assert "end" not in early
    ended(editor, job)
    for spelling in (page, page.replace("sidelight:/", "sidelight:///")):
        assert "<b>end</b>" in editor.request("workspace/textDocumentContent", {"uri": spelling})["text"]
    assert 2 <= len(editor.seen("workspace/textDocumentContent/refresh")) <= 6


def test_a_cut_off_answer_is_marked_on_its_page(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-upstream-dies-midstream"))
    command(editor, "explain", {"uri": editor.open("a.py", CODE)})
    assert "> **Incomplete: The model behind AnythingLLM" in read_page(editor.wait_for("window/showDocument")["uri"])


def test_a_failed_explanation_is_a_message_with_a_hint(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-wrong-key"))
    job = command(editor, "explain", {"uri": editor.open("a.py", CODE)})
    assert "ANYTHINGLLM_API_KEY" in editor.wait_for("window/showMessage")["message"]
    assert ended(editor, job) == "failed"


def test_the_end_of_a_job_that_was_quicker_than_the_editor_is_told(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.capture("stream-chat-wrong-key"))
    editor.handle["window/workDoneProgress/create"] = lambda _: sleep(1.0)
    job = command(editor, "explain", {"uri": editor.open("a.py", CODE)})
    assert ended(editor, job) == "failed"
    kinds = [it["value"]["kind"] for it in editor.seen("$/progress") if it["token"] == job]
    assert kinds == ["begin", "end"]


def test_a_block_of_a_page_goes_into_the_document(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("Try:\n\n```python\nnew = 1\n```\n"))
    uri = editor.open("a.py", CODE)
    command(editor, "explain", {"uri": uri, "range": lines(0, 1)})
    page = editor.wait_for("window/showDocument")["uri"]
    where = read_page(page).splitlines().index("new = 1")
    actions = editor.request("textDocument/codeAction", action_params(page, caret(where)))
    assert [action["title"] for action in actions] == ["Insert into a.py", "Replace the selection in a.py"]
    editor.request("workspace/executeCommand", actions[0]["command"])
    editor.wait_for("workspace/applyEdit")
    assert str(editor.documents[uri]) == CODE.replace("import a\n", "import a\nnew = 1\n")
    editor.request("workspace/executeCommand", actions[1]["command"])
    editor.wait_for("workspace/applyEdit")
    assert str(editor.documents[uri]) == CODE.replace("import a\n", "new = 1\nnew = 1\n")


# Instructions without an input box


def asked(anythingllm: AnythingLLMServer) -> str:
    message: str = anythingllm.questions[-1].body["message"]
    return message


def test_an_instruction_is_taken_from_a_comment(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("```python\nx = 2\n```"))
    uri = editor.open("a.py", "# sidelight: double it\nx = 1\n")
    ended(editor, command(editor, "generate", {"uri": uri, "range": caret(1)}))
    assert "Request: double it" in asked(anythingllm)
    assert not editor.seen("window/showMessageRequest")


def test_an_instruction_is_chosen_from_presets(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    editor.handle["window/showMessageRequest"] = lambda params: params["actions"][1]
    uri = editor.open("a.py", "x = 1\n")
    command(editor, "ask", {"uri": uri, "range": caret(0)})
    editor.wait_for("window/showDocument")
    assert "Request: What could go wrong here?" in asked(anythingllm)


def test_declining_the_presets_asks_nobody(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = editor.open("a.py", "x = 1\n")
    command(editor, "ask", {"uri": uri, "range": caret(0)})
    editor.wait_for("sidelight/status", where=lambda status: status["state"] == "ready")
    assert not anythingllm.questions


@pytest.mark.parametrize("refusal", [Refusal("no such method"), "last"])
def test_an_instruction_is_written_on_a_page_where_the_conversation_goes_on(
    editor: Editor, anythingllm: AnythingLLMServer, refusal: Any
) -> None:
    anythingllm.always(fake.answer("It is one."))
    editor.handle["window/showMessageRequest"] = lambda params: params["actions"][-1] if refusal == "last" else refusal
    uri = editor.open("a.py", "x = 1\n")
    command(editor, "ask", {"uri": uri, "range": caret(0)})
    page = editor.wait_for("window/showDocument")["uri"]
    name = page.rpartition("/")[2]
    editor.folder, folder = _folder_of(page), editor.folder
    editor.open(name, read_page(page), "markdown")
    editor.folder = folder
    for question in ("What is x?", "And why?"):
        end = editor.documents[page].end
        editor.type(page, end.line, end.column, question)
        (send,) = editor.request("textDocument/codeAction", action_params(page, caret(end.line)))
        assert send["title"] == "Send"
        job = editor.request("workspace/executeCommand", send["command"])["job"]
        assert ended(editor, job) == "done"
        assert f"Request: {question}" in asked(anythingllm)
    assert str(editor.documents[page]).count("It is one.") == 2
    first, second = anythingllm.questions
    assert first.body["sessionId"] == second.body["sessionId"]


def _folder_of(uri: str) -> Path:
    from sidelight.lsp.documents import file_path

    path = file_path(uri)
    assert path is not None
    return path.parent


def test_sending_an_empty_page_is_told(editor: Editor) -> None:
    error = editor.error("workspace/executeCommand", {"command": "sidelight.send", "arguments": [{"uri": "file:///x"}]})
    assert error["code"] == -32602


# Code actions


def action_params(uri: str, range_: dict[str, Any], *diagnostics: dict[str, Any], **context: Any) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "range": range_, "context": {"diagnostics": list(diagnostics), **context}}


def titles(editor: Editor, *arguments: Any, **context: Any) -> list[str]:
    return [
        action["title"] for action in editor.request("textDocument/codeAction", action_params(*arguments, **context))
    ]


def test_a_diagnostic_can_be_fixed_and_explained(plain_editor: Editor) -> None:
    uri = plain_editor.open("a.py", CODE)
    about = action_params(uri, caret(4), wrong_name(), triggerKind=2)
    found = plain_editor.request("textDocument/codeAction", about)
    assert [action["kind"] for action in found] == ["quickfix", "quickfix"]
    assert found[0]["title"] == "Fix with Sidelight: undefined name 'nam'"
    assert found[0]["diagnostics"][0]["message"] == "undefined name 'nam'"
    assert found[0]["command"]["arguments"][0]["diagnostics"] == found[0]["diagnostics"]


def test_our_own_diagnostics_are_left_alone(plain_editor: Editor) -> None:
    uri = plain_editor.open("a.py", CODE)
    assert titles(plain_editor, uri, caret(4), {**wrong_name(), "source": "sidelight"}, triggerKind=2) == []


def test_a_selection_offers_all_tasks_and_a_bare_caret_none(plain_editor: Editor) -> None:
    uri = plain_editor.open("a.py", CODE)
    every = [
        "Explain with Sidelight", "Fix with Sidelight", "Generate with Sidelight…", "Document with Sidelight",
        "Write tests with Sidelight", "Ask Sidelight…", "Review with Sidelight",
    ]  # fmt: skip
    assert titles(plain_editor, uri, lines(3, 5)) == every
    assert titles(plain_editor, uri, caret(3), triggerKind=2) == []
    assert titles(plain_editor, uri, caret(3), triggerKind=1) == every
    assert titles(plain_editor, uri, caret(3)) == every


def test_only_the_wanted_kinds_are_offered(plain_editor: Editor) -> None:
    uri = plain_editor.open("a.py", CODE)
    assert titles(plain_editor, uri, lines(3, 5), only=["quickfix"]) == []
    assert len(titles(plain_editor, uri, lines(3, 5), only=["refactor"])) == 7
    assert titles(plain_editor, uri, lines(3, 5), only=["refactor.rewrite"]) == [
        "Fix with Sidelight",
        "Generate with Sidelight…",
        "Document with Sidelight",
    ]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("dance", []), ("fix", [1]), ("fix", [{}]), ("fix", [{}, {}]), ("explain", [{"uri": 4}]), ("stop", [{"job": 1}])],
)
def test_wrong_commands_are_refused(plain_editor: Editor, name: str, arguments: list[Any]) -> None:
    params = {"command": f"sidelight.{name}", "arguments": arguments}
    assert plain_editor.error("workspace/executeCommand", params)["code"] == -32602


# Documents and settings


@pytest.mark.parametrize(("offered", "chosen", "column"), [
    (["utf-8", "utf-16"], "utf-8", 5), (["utf-32"], "utf-32", 2), (["utf-16"], "utf-16", 3), (None, "utf-16", 3),
])  # fmt: skip
def test_the_position_encoding_is_negotiated(
    start_editor: Start,
    connected: dict[str, str],
    anythingllm: AnythingLLMServer,
    offered: list[str] | None,
    chosen: str,
    column: int,
) -> None:
    editor = start_editor(connected)
    general = {"general": {"positionEncodings": offered}} if offered else {}
    result = editor.initialize(capabilities={**CAPABILITIES, **general})
    assert result["capabilities"]["positionEncoding"] == chosen
    uri = editor.open("a.py", "'😀' = 1  # TODO: x\n")
    change = {"range": caret(0, column), "text": "!"}
    params = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]}
    editor.notify("textDocument/didChange", params)
    editor.request("sidelight/run", {"task": "explain", "uri": uri})
    assert "'😀!' = 1" in asked(anythingllm)


def test_one_document_has_one_key_however_it_is_spelt(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    item = {"uri": "file:///c%3A/x/a%20b.py", "languageId": "python", "version": 1, "text": "marked = 1\n"}
    editor.notify("textDocument/didOpen", {"textDocument": item})
    editor.request("sidelight/run", {"task": "explain", "uri": "file:///C:/x/a b.py"})
    assert "marked = 1" in asked(anythingllm)


def test_settings_change_while_it_runs(plain_editor: Editor, anythingllm: AnythingLLMServer) -> None:
    plain_editor.configuration = {"anythingllm": {"baseUrl": anythingllm.url, "apiKey": fake.KEY, "workspace": "test1"}}
    plain_editor.notify("workspace/didChangeConfiguration", {"settings": None})
    plain_editor.wait_for("sidelight/status", where=lambda status: status["provider"] == "anythingllm")
    assert plain_editor.request("sidelight/run", {"task": "ask", "instruction": "hi"})["finish"] == "complete"


def test_settings_are_taken_from_the_notification_where_that_is_all_there_is(
    start_editor: Start, environment: dict[str, str]
) -> None:
    editor = start_editor(environment)
    editor.initialize(capabilities={})
    settings = {"sidelight": {"anythingllm": {"baseUrl": "http://127.0.0.1:9"}}}
    editor.notify("workspace/didChangeConfiguration", {"settings": settings})
    editor.wait_for("sidelight/status", where=lambda status: status["provider"] == "anythingllm")


def folder_env(folder: Path, anythingllm: AnythingLLMServer) -> None:
    lines_ = [f"ANYTHINGLLM_BASE_URL={anythingllm.url}", "ANYTHINGLLM_WORKSPACE_SLUG=test1"]
    (folder / ".env").write_text("\n".join(lines_))


def test_the_folders_env_counts_only_when_trusted(
    start_editor: Start, environment: dict[str, str], folder: Path, anythingllm: AnythingLLMServer
) -> None:
    folder_env(folder, anythingllm)
    editor = start_editor(environment)
    editor.initialize()
    assert editor.seen("sidelight/status")[-1]["provider"] == "builtin"
    assert "passed over" in messages(editor)
    editor.notify("sidelight/didChangeTrust", {"trusted": True})
    editor.wait_for("sidelight/status", where=lambda status: status["provider"] == "anythingllm")


def test_the_users_key_is_not_sent_to_the_folders_address(
    start_editor: Start, environment: dict[str, str], folder: Path, anythingllm: AnythingLLMServer
) -> None:
    folder_env(folder, anythingllm)
    editor = start_editor({**environment, "ANYTHINGLLM_API_KEY": fake.KEY})
    editor.initialize(initializationOptions={"trusted": True})
    error = editor.error("sidelight/run", {"task": "ask", "instruction": "hi"})
    assert "yours was not sent there" in error["message"]
    assert all(fake.KEY not in str(seen.headers) for seen in anythingllm.seen)


def test_workspace_folders_come_and_go(
    start_editor: Start, environment: dict[str, str], folder: Path, anythingllm: AnythingLLMServer, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    folder_env(other, anythingllm)
    editor = start_editor(environment)
    editor.initialize(initializationOptions={"trusted": True})
    item = {"uri": other.as_uri(), "name": "other"}
    editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [item], "removed": []}})
    editor.wait_for("sidelight/status", where=lambda status: status["provider"] == "anythingllm")
    editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [item]}})
    editor.wait_for("sidelight/status", where=lambda status: status["provider"] == "builtin")


def test_a_saved_env_file_counts_at_once(
    start_editor: Start, environment: dict[str, str], folder: Path, anythingllm: AnythingLLMServer
) -> None:
    editor = start_editor(environment)
    editor.initialize(initializationOptions={"trusted": True})
    folder_env(folder, anythingllm)
    editor.notify("textDocument/didSave", {"textDocument": {"uri": (folder / ".env").as_uri()}})
    editor.wait_for("sidelight/status", where=lambda status: status["provider"] == "anythingllm")


def test_messages_are_in_the_clients_language(start_editor: Start, environment: dict[str, str]) -> None:
    editor = start_editor(environment)
    editor.initialize(locale="zh-cn")
    uri = editor.open("a.py", CODE)
    assert any("解释" in title for title in titles(editor, uri, lines(3, 5)))
    result = editor.request("sidelight/run", {"task": "explain", "uri": uri, "range": caret(4)})
    assert "函数" in result["text"]


def test_the_status_tells_what_is_going_on(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-wrong-key"))
    editor.error("sidelight/run", {"task": "ask", "instruction": "hi"})
    editor.settle(0.1)
    states = [status["state"] for status in editor.seen("sidelight/status")]
    assert states == ["ready", "busy", "warning"]


def test_the_log_has_no_code_and_no_key(editor: Editor, anythingllm: AnythingLLMServer, home: Path) -> None:
    uri = editor.open("a.py", CODE)
    job = command(editor, "explain", {"uri": uri, "range": caret(4)})
    ended(editor, job)
    editor.close()
    (log,) = (home / "state").rglob("*.log")
    text = log.read_text()
    assert f"[{job}]" in text
    assert "hallo" not in text
    assert fake.KEY not in text


def test_a_stop_that_comes_with_its_command_leaves_nothing_behind(editor: Editor) -> None:
    uri = editor.open("a.py", CODE)
    begin = {"command": "sidelight.explain", "arguments": [{"uri": uri}]}
    stop = {"command": "sidelight.stop"}
    from sidelight.lsp.framing import encode_message

    requests = [
        {"jsonrpc": "2.0", "id": 9000 + number, "method": "workspace/executeCommand", "params": params}
        for number, params in enumerate((begin, stop))
    ]
    editor.send_raw(b"".join(map(encode_message, requests)))
    assert editor.answer_to(9001)["result"] == {"stopped": True}
    editor.wait_for("sidelight/status", where=lambda status: status["state"] == "ready")
    assert editor.request("workspace/executeCommand", stop) == {"stopped": False}


def test_a_stop_reaches_a_job_whose_edit_is_not_answered(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(REPLY))
    editor.handle["workspace/applyEdit"] = lambda _: SILENCE
    uri = editor.open("a.py", CODE)
    job = command(editor, "fix", {"uri": uri, "diagnostics": [wrong_name()]})
    editor.wait_for("workspace/applyEdit")
    editor.request("workspace/executeCommand", {"command": "sidelight.stop", "arguments": [{"job": job}]})
    editor.wait_for("sidelight/status", where=lambda status: status["state"] != "busy")


def test_the_light_bulb_is_drawn_at_once_on_a_huge_selection(plain_editor: Editor) -> None:
    """Quadratic looking took nine seconds here; the limit is generous for slow machines."""
    uri = plain_editor.open("a.py", "\n" * 30_000)
    began = monotonic()
    titles(plain_editor, uri, lines(0, 30_000))
    assert monotonic() - began < 3


def test_a_removed_folder_is_known_with_and_without_its_slash(
    start_editor: Start, environment: dict[str, str], anythingllm: AnythingLLMServer, folder: Path
) -> None:
    folder_env(folder, anythingllm)
    editor = start_editor(environment)
    editor.initialize(initializationOptions={"trusted": True})
    gone = {"uri": folder.as_uri() + "/", "name": "project"}
    editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [gone]}})
    editor.wait_for("sidelight/status", where=lambda status: status["provider"] == "builtin")


def test_a_rule_of_the_users_on_an_ask_page_is_part_of_the_question() -> None:
    from sidelight.lsp.pages import WRITE_BELOW, written_instruction

    assert written_instruction(f"# Sidelight\n\n{WRITE_BELOW}\n\nbefore\n---\nafter\n") == "before\n---\nafter"


def test_the_message_limit_is_the_clients_to_set(start_editor: Start, environment: dict[str, str]) -> None:
    editor = start_editor(environment)
    editor.configuration = {"messageLimitMib": 1}
    editor.initialize()
    editor.settle(0.2)
    editor.begin("sidelight/run", {"task": "ask", "instruction": "x" * (2 << 20)})
    assert "over the limit" in editor.answer_to(None)["error"]["message"]
    assert editor.error("sidelight/nothing", {})["code"] == -32601


def test_no_word_that_is_told_to_the_user_runs_a_command(editor: Editor) -> None:
    uri = editor.open("[x](command:y).py", "a = 1\n")
    there = {"line": 9, "character": 0}
    arguments = [{"uri": uri, "range": {"start": there, "end": there}}]
    editor.request("workspace/executeCommand", {"command": "sidelight.explain", "arguments": arguments})
    (told,) = (it["message"] for it in editor.seen("window/showMessage"))
    error = editor.error("workspace/executeCommand", {"command": "sidelight.fixAll", "arguments": [{"uri": uri}]})
    for text in (told, error["message"]):
        assert "[x]" in text
        assert "](command" not in text
