"""Edits and reviews where things cross: a second click, typing between, a stop at the last moment, odd line ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp.test_live_edit import DOCUMENT, NEW, OLD, in_virtual_time, say, scene
from lsp.test_reviews import (
    CODE,
    DONE,
    FIXED,
    LENSES,
    Told,
    actions,
    done,
    ended,
    fix,
    hints,
    in_block,
    read_page,
    take,
    text,
    wait_for_text,
)
from sidelight.core.answers import Replace
from sidelight.core.rewrite import Outcome
from sidelight.editing.text import Place, Range
from sidelight.lsp.documents import Document
from sidelight.lsp.reviews import Review, Reviews
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import SILENCE, Editor
from support.simulation import PERSONALITIES, Scene, SimulatedEditor


@pytest.fixture
def live(start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str]) -> Editor:
    editor = start_editor(connected)
    editor.initialize(clientInfo={"name": "Neovim", "version": "0.7.2"}, capabilities=LENSES)
    return editor


@pytest.fixture
def once(start_editor: Callable[[dict[str, str]], Editor], connected: dict[str, str]) -> Editor:
    editor = start_editor(connected)
    editor.initialize(clientInfo={"name": "Eglot"}, capabilities=LENSES)
    return editor


def command(editor: Editor, name: str, argument: dict[str, Any] | None = None) -> Any:
    arguments = [argument] if argument is not None else []
    return editor.request("workspace/executeCommand", {"command": f"sidelight.{name}", "arguments": arguments})


def whole(editor: Editor, uri: str, new: str) -> None:
    """The user's editor changes the text, and tells it whole."""
    document = editor.documents[uri]
    document.replace(Range(Place(0, 0), document.end), new)
    editor.versions[uri] += 1
    editor.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": editor.versions[uri]}, "contentChanges": [{"text": new}]},
    )


def shown(editor: Editor) -> list[str]:
    return [params["message"] for params in editor.seen("window/showMessage")]


def test_editors_undo_of_a_deletion_then_undo_this_edit_doubles_the_text(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    code = "def greet(name):\n    a = 1\n    b = 2\n    print(name)\n    return name\n"
    anythingllm.always(fake.answer(in_block(code.replace("    b = 2\n", ""))))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied"
    live.type(uri, 2, 0, "    b = 2\n")  # the editor's own undo
    assert text(live, uri) == code
    live.settle(0.2)
    found = actions(live, uri, 2)
    if "Undo this edit" in found:
        take(live, uri, "Undo this edit", 2)
        live.settle(0.5)
    assert text(live, uri) == code
    assert hints(live) == []


def test_undo_twice(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    action = actions(live, uri)["Undo this edit"]
    params = {"command": action["command"], "arguments": action["arguments"]}
    live.begin("workspace/executeCommand", params)
    live.begin("workspace/executeCommand", params)
    live.settle(0.7)
    assert text(live, uri) == CODE
    assert not [m for m in shown(live) if "mistake" in m]


def test_keep_during_undo(live: Editor, anythingllm: AnythingLLMServer) -> None:
    done(live, anythingllm)
    live.begin("workspace/executeCommand", {"command": "sidelight.undo"})
    live.begin("workspace/executeCommand", {"command": "sidelight.keep"})
    live.settle(0.7)
    assert not [m for m in shown(live) if "mistake" in m]


def test_retry_twice_asks_once(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    before = len(live.seen("window/workDoneProgress/create"))
    action = actions(live, uri)["Retry"]
    params = {"command": action["command"], "arguments": action["arguments"]}
    live.begin("workspace/executeCommand", params)
    live.begin("workspace/executeCommand", params)
    live.settle(1.5)
    assert not [m for m in shown(live) if "mistake" in m], shown(live)
    assert len(live.seen("window/workDoneProgress/create")) - before == 1
    assert text(live, uri) == DONE


def test_hunk_numbers_mean_the_same_hunk_after_another_was_undone(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "def f(x):\n    a = 1\n    keep1()\n    b = 2\n    keep2()\n    c = 3\n    return x\n"
    new = code.replace("= 1", "= 10").replace("= 2", "= 20").replace("= 3", "= 30")
    anythingllm.always(fake.answer(in_block(new)))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied"
    lenses = live.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    undo = {
        lens["range"]["start"]["line"]: lens["command"]
        for lens in lenses
        if lens["command"]["title"] == "Undo this hunk"
    }
    for line in (1, 3):  # the user clicks the two lenses that the editor shows
        live.request(
            "workspace/executeCommand", {"command": undo[line]["command"], "arguments": undo[line]["arguments"]}
        )
        live.settle(0.3)
    assert text(live, uri) == code.replace("= 3", "= 30")


def test_apply_anyway_keeps_what_was_typed_above_while_it_streamed(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    broken = FIXED.replace("print(text)", "print(text")
    told = Told("```python\n" + broken[:60], broken[60:] + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    live.type(uri, 2, 0, "FIRST = 1\nSECOND = 2\n")
    told.go_on()
    told.go_on()
    assert ended(live, job) == "not applied"
    assert text(live, uri) == CODE.replace("\n\n\ndef greet", "\n\nFIRST = 1\nSECOND = 2\n\ndef greet")
    take(live, uri, "Apply anyway", 5)
    live.settle(0.5)
    assert "FIRST = 1\nSECOND = 2\n\ndef greet" in text(live, uri)


@pytest.mark.parametrize("typed", ["\n", "\nc = 3\n", "\nc = 3"])
def test_undo_where_the_last_line_had_no_end(live: Editor, anythingllm: AnythingLLMServer, typed: str) -> None:
    code = "a = 1\nb = undefined"
    anythingllm.always(fake.answer(in_block("a = 1\nb = 2\n")))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied"
    assert text(live, uri) == "a = 1\nb = 2"
    live.type(uri, 1, 5, typed)
    take(live, uri, "Undo this edit", 1)
    live.settle(0.5)
    assert text(live, uri) == code + typed


def test_an_answer_that_is_taken_back_to_the_same_code_is_taken_back_in_the_buffer() -> None:
    async def run() -> None:
        it = scene()
        await say(it, "```cobol\n", "\n".join(NEW[:4]) + "\n")
        assert "added = True" in str(it.editor.text)
        event = Replace("```cobol\n" + "\n".join(OLD) + "\n```\n")
        it.answer.add(event)
        it.delivery.receive(event)
        await asyncio.sleep(0.3)
        assert await it.end() == "nothing to change"
        assert str(it.editor.text) == DOCUMENT

    in_virtual_time(run())


def test_a_stop_while_the_last_edit_waits_for_the_user_loses_nothing(
    once: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(in_block(FIXED)))
    uri = once.open("a.py", CODE)
    waiting: list[dict[str, Any]] = []

    def hold(params: dict[str, Any]) -> Any:
        waiting.append(params)
        return SILENCE

    once.handle["workspace/applyEdit"] = hold
    job = fix(once, uri)
    once.wait_for("workspace/applyEdit")
    request = once.log[-1]
    command(once, "stop", {"job": job})
    ended(once, job)
    once.settle(0.2)
    # the user says yes
    result = once._apply_edit(waiting[0])
    once.send({"id": request["id"], "result": result})
    once.settle(0.5)
    is_on_page = any(FIXED in read_page(one["uri"]) for one in once.seen("window/showDocument"))
    can_review = "Undo this edit" in actions(once, uri)
    assert is_on_page or can_review


def test_a_stop_after_the_answer_has_come_keeps_the_review(live: Editor, anythingllm: AnythingLLMServer) -> None:
    """Live: part is in the buffer; the answer ends, its last edit is under way, and then comes the stop."""
    lines = FIXED.splitlines(keepends=True)
    told = Told("```python\n" + "".join(lines[:3]), "".join(lines[3:]) + "```\n")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    job = fix(live, uri)
    told.go_on()
    wait_for_text(live, uri, "Greet somebody.")
    live.settle(0.3)
    live.handle["workspace/applyEdit"] = lambda _: SILENCE
    told.go_on()
    told.go_on()
    live.wait_for("workspace/applyEdit")
    live.settle(0.3)
    command(live, "stop", {"job": job})
    live.settle(0.3)
    command(live, "stop", {"job": job})
    live.settle(0.5)
    assert "Greet somebody." in text(live, uri)
    assert "Undo this edit" in actions(live, uri)


def test_a_document_that_is_opened_and_changed_while_its_answer_is_on_its_way(
    live: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    told = Told("```python\n" + FIXED + "```\n")
    anythingllm.always(told.script)
    (folder / "a.py").write_text(CODE)
    uri = (folder / "a.py").as_uri()
    job = fix(live, uri)
    live.open("a.py", CODE)
    live.type(uri, 0, 0, "# typed\n# typed\n# typed\n")
    told.go_on()
    told.go_on()
    ended(live, job)
    assert text(live, uri) in ("# typed\n# typed\n# typed\n" + DONE, "# typed\n# typed\n# typed\n" + CODE)


def test_a_document_that_is_not_open_gets_a_restore_point(
    live: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer(in_block(FIXED)))
    (folder / "a.py").write_text(CODE)
    uri = (folder / "a.py").as_uri()
    assert ended(live, fix(live, uri)) == "applied"
    assert live.request("sidelight/history", {"uri": uri})["points"]


def test_a_second_block_is_inserted_below_what_the_first_became(live: Editor, anythingllm: AnythingLLMServer) -> None:
    more = "def more():\n    return 3\n"
    anythingllm.always(fake.answer(in_block(FIXED) + "\nAnd a helper:\n\n" + in_block(more)))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "applied"
    page = live.seen("window/showDocument")[-1]["uri"]
    line = read_page(page).split("\n").index("def more():")
    found = actions(live, page, line)["Insert into a.py"]
    live.request("workspace/executeCommand", {"command": found["command"], "arguments": found["arguments"]})
    live.settle(0.5)
    assert text(live, uri) == DONE.replace("    return text\n", "    return text\n" + more), text(live, uri)


def test_continue_after_an_answer_that_reached_the_end_leaves_the_code(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    new = FIXED.replace("return text", "return None").replace('    """Greet somebody."""\n', "")
    anythingllm.always(fake.answer("```python\n" + new))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "applied in part"
    after = text(live, uri)
    assert 'text = "hello " + name' in after
    anythingllm.always(fake.answer(in_block("    # nothing is missing\n")))
    line = next(n for n, one in enumerate(live.documents[uri].lines) if "hello" in one)
    if "Continue" in actions(live, uri, line):
        take(live, uri, "Continue", line)
        live.settle(1.0)
    assert "def other():\n    return 1\n" in text(live, uri)
    assert 'text = "hello " + name\n    print(text)\n    return None\n' in text(live, uri), text(live, uri)


def test_a_stop_after_the_document_was_closed_shows_the_answer() -> None:
    async def run() -> None:
        it = scene()
        await say(it, "```cobol\n", "\n".join(NEW[:4]) + "\n")
        it.editor.close()
        await say(it, "\n".join(NEW[4:6]) + "\n")
        await it.end("stopped")
        assert it.recorder.pages

    in_virtual_time(run())


def test_refine_that_is_called_off_leaves_the_review(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    live.handle["window/showMessageRequest"] = lambda _: None  # Esc
    take(live, uri, "Refine…")
    live.settle(0.5)
    assert "Undo this edit" in actions(live, uri)


def test_a_stop_ends_at_once_though_the_editor_does_not_answer(live: Editor, anythingllm: AnythingLLMServer) -> None:
    told = Told("```python\n" + FIXED[:60], "")
    anythingllm.always(told.script)
    uri = live.open("a.py", CODE)
    live.handle["workspace/applyEdit"] = lambda _: SILENCE
    job = fix(live, uri)
    told.go_on()
    live.wait_for("workspace/applyEdit")
    command(live, "stop", {"job": job})
    live.wait_until(
        lambda message: message.get("method") == "$/progress" and message["params"]["value"]["kind"] == "end", 8
    )


def test_a_deletion_at_the_end_can_be_undone_where_its_hint_stands(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    code = "def greet(name):\n    a = 1\n    b = 2\n    print(name)\n    return name\n    print(1)\n\n\nx = 1\n"
    anythingllm.always(fake.answer(in_block(code.split("    print(1)", maxsplit=1)[0])))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied"
    (hint,) = hints(live)
    assert "Undo this edit" in actions(live, uri, hint["range"]["start"]["line"])


@pytest.mark.parametrize("generate", [False, True])
def test_continue_leaves_the_next_function_alone(live: Editor, anythingllm: AnythingLLMServer, generate: bool) -> None:
    code = "def greet(name):\n    a = 1\n    print(name)\n    return name\ndef other():\n    return 1\n"
    new = code[: code.index("def other")].replace("a = 1", "a = 2")
    anythingllm.always(fake.answer("```python\n" + new))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied in part"
    anythingllm.always(fake.answer(in_block("    # done\n")))
    if "Continue" in actions(live, uri, 1):
        take(live, uri, "Continue", 1)
        live.settle(1.0)
    assert "def other():\n    return 1\n" in text(live, uri), text(live, uri)
    assert new in text(live, uri)


def test_restore_where_the_last_line_had_no_end(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "a = 1\nb = undefined"
    anythingllm.always(fake.answer(in_block("a = 1\nb = 2\n")))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied"
    live.type(uri, 1, 5, "\nc = 3\n")
    (point,) = live.request("sidelight/history", {"uri": uri})["points"]
    command(live, "restore", {"uri": uri, "point": point["id"]})
    live.settle(0.7)
    assert "b = undefinedb = 2" not in text(live, uri), text(live, uri)


def test_two_restore_points_of_one_second_can_both_be_chosen(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = live.open("a.py", CODE)
    for word in ("one", "two"):
        anythingllm.always(fake.answer(in_block(FIXED.replace("hello", word))))
        ended(live, fix(live, uri))
    seen: list[Any] = []
    live.handle["window/showMessageRequest"] = lambda params: seen.append(params["actions"])
    command(live, "restore", {"uri": uri})
    live.settle(0.5)
    assert len(seen[0]) == 2


class Aftermath:
    """What the session does after a live edit, with real reviews."""

    def __init__(self, reviews: Reviews, document: Document, rewrite: Any) -> None:
        self.reviews, self.document, self.rewrite, self.review_ = reviews, document, rewrite, None

    async def before_first_edit(self) -> None: ...
    async def after_last_edit(self) -> None: ...
    async def show_page(self, answer: Any, told: Any) -> None: ...

    def review(self, writer: Any, answer: Any, outcome: Outcome) -> None:
        self.review_ = Review(
            id="1",
            title="t",
            document=self.document,
            place=self.document.track(writer.target, grows=True),
            hunks=self.reviews.hunks_of(writer),
            whole=lambda: self.rewrite.anyway(answer),
            before=[line + "\n" for line in OLD],
        )
        self.reviews.add(self.review_)


@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("personality", PERSONALITIES, ids=lambda one: one.name)
def test_typing_right_after_apply_anyway_does_not_lose_its_review(personality: Any, is_deleted: bool) -> None:
    async def run() -> None:
        it = scene(personality)
        reviews = Reviews(it.editor.client, it.editor.documents)
        after = Aftermath(reviews, it.editor.document, it.rewrite)
        it.delivery._aftermath = after  # type: ignore[assignment]
        await say(it, in_block_of([f"    colour_{name} = None" for name in "abcdefgh"]))
        await it.end()
        await asyncio.sleep(3)
        assert str(it.editor.text) == DOCUMENT
        assert after.review_ is not None
        applying = asyncio.ensure_future(reviews.apply_anyway(after.review_))
        while "colour_c" not in str(it.editor.text):
            await asyncio.sleep(0.0005)
        lines = it.editor.text.lines
        line = next(n for n, one in enumerate(lines) if "colour_c" in one)
        if is_deleted:
            it.editor.change(Range(Place(line, 0), Place(line + 1, 0)), "")
        else:
            it.editor.change(Range(Place(line, 0), Place(line, 0)), "    # mine\n")
        typed = str(it.editor.text)
        done = await applying
        await asyncio.sleep(5)
        assert str(it.editor.text) == typed
        assert done, it.editor.protocol.shown
        assert after.review_.hunks

    in_virtual_time(run())


def in_block_of(lines: list[str]) -> str:
    return "```cobol\n" + "".join(line + "\n" for line in lines) + "```\n"


def test_undo_of_one_hunk_while_another_edit_runs(live: Editor, anythingllm: AnythingLLMServer) -> None:
    """The older of two edits of the same lines is undone."""
    uri = done(live, anythingllm)
    anythingllm.always(fake.answer(in_block(FIXED.replace("hello", "good day"))))
    assert ended(live, fix(live, uri)) == "applied"
    found = live.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    ids = list(dict.fromkeys(lens["command"]["arguments"][0]["edit"] for lens in found))
    assert len(ids) == 2
    command(live, "undo", {"edit": ids[1]})  # the older
    live.settle(0.5)
    assert text(live, uri).count("text = ") == 1, text(live, uri)


def test_restore_is_offered_after_an_edit(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    take(live, uri, "Keep")
    assert any("Restore" in title for title in actions(live, uri))


def test_undo_with_typing_at_the_start_of_a_changed_line(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "a = 1\nb = 2\n\nc = 3\n"
    anythingllm.always(fake.answer(in_block("a = 1\nb = 22\n")))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied"
    live.type(uri, 1, 0, "# mine\n")
    live.type(uri, 3, 0, "# mine too\n")
    take(live, uri, "Undo this edit", 2)
    live.settle(0.5)
    assert text(live, uri) == "a = 1\n# mine\nb = 2\n# mine too\n\nc = 3\n"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_and_marks(live: Editor, anythingllm: AnythingLLMServer, end: str, bom: str) -> None:
    code = bom + CODE.replace("hallo", "h\U0001f600llo").replace("\n", end)
    anythingllm.always(fake.answer(in_block(FIXED)))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri)) == "applied"
    assert text(live, uri) == bom + DONE.replace("\n", end)
    take(live, uri, "Undo this edit")
    live.settle(0.5)
    assert text(live, uri) == code


@pytest.mark.parametrize("code", ["", "\n", "\ufeff", "x = 1", "\n\n", "   "])
def test_generate_at_the_only_line(live: Editor, anythingllm: AnythingLLMServer, code: str) -> None:
    anythingllm.always(fake.answer(in_block("y = 2\n")))
    uri = live.open("a.py", code)
    line = code.count("\n")
    place = {"line": line, "character": 0}
    job = command(live, "generate", {"uri": uri, "range": {"start": place, "end": place}, "instruction": "write y"})[
        "job"
    ]
    assert ended(live, job) == "applied"
    print(repr(text(live, uri)))
    assert "y = 2" in text(live, uri)
    assert text(live, uri).startswith("\ufeff") == code.startswith("\ufeff")
    command(live, "undo")
    live.settle(0.4)
    assert text(live, uri) == code


def generate_with_a_choice(live: Editor, uri: str, line: int) -> tuple[int, str]:
    """Begin a generate that asks its user what to do; returns the id of that question, and the job."""
    live.handle["window/showMessageRequest"] = lambda _: SILENCE
    place = {"line": line, "character": 0}
    end = {"line": line + 3, "character": 0}
    job = command(live, "generate", {"uri": uri, "range": {"start": place, "end": end}})["job"]
    live.wait_for("window/showMessageRequest")
    return live.log[-1]["id"], job


PLAIN = "def greet(name):\n    a = 1\n    return a\n\n\ndef other():\n    return 1\n"


def asked(anythingllm: AnythingLLMServer) -> str:
    """What the model was told last."""
    return str(anythingllm.seen[-1].body)


def test_what_is_typed_in_the_place_while_the_user_is_asked_is_known_to_the_model(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    new = "def greet(name):\n    typed_1()\n    typed_2()\n    a = 2\n    return a\n"
    anythingllm.always(fake.answer(in_block(new)))
    uri = live.open("a.py", PLAIN)
    question, job = generate_with_a_choice(live, uri, 0)
    live.type(uri, 1, 0, "    typed_1()\n    typed_2()\n")
    live.send({"id": question, "result": {"title": "Complete the code"}})
    assert ended(live, job) == "applied"
    assert "typed_2()" in asked(anythingllm)
    assert text(live, uri) == new + PLAIN[PLAIN.index("\n\ndef other") :]


def test_a_document_that_was_closed_while_the_user_is_asked_gets_no_edit(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer(in_block("def greet(name):\n    a = 2\n    return a\n")))
    uri = live.open("a.py", PLAIN)
    question, _ = generate_with_a_choice(live, uri, 0)
    live.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    live.open("a.py", "# new\n# new\n" + PLAIN)
    live.send({"id": question, "result": {"title": "Complete the code"}})
    assert "was closed meanwhile" in live.wait_for("window/showMessage")["message"]
    live.settle(0.3)
    assert text(live, uri) == "# new\n# new\n" + PLAIN


def test_an_ask_page_that_is_sent_after_the_place_was_changed_is_about_what_stands_there(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    new = "def greet(name):\n    typed_1()\n    typed_2()\n    a = 2\n    return a\n"
    anythingllm.always(fake.answer(in_block(new)))
    uri = live.open("a.py", PLAIN)
    question, _ = generate_with_a_choice(live, uri, 0)
    live.send({"id": question, "result": {"title": "Write it on a page…"}})
    page = live.wait_for("window/showDocument")["uri"]
    live.settle(0.2)
    live.type(uri, 1, 0, "    typed_1()\n    typed_2()\n")
    item = {"uri": page, "languageId": "markdown", "version": 1, "text": read_page(page) + "do it\n"}
    live.notify("textDocument/didOpen", {"textDocument": item})
    assert ended(live, command(live, "send", {"uri": page})["job"]) == "applied"
    assert "typed_2()" in asked(anythingllm)
    assert text(live, uri) == new + PLAIN[PLAIN.index("\n\ndef other") :]


def test_two_fixes_of_the_same_place_at_once_do_not_double_the_code(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    lines = FIXED.splitlines(keepends=True)
    one, two = (Told("```python\n" + "".join(lines[:3]), "".join(lines[3:]) + "```\n") for _ in range(2))
    scripts = iter([one.script(), two.script()])
    anythingllm.always(lambda: next(scripts))
    uri = live.open("a.py", CODE)
    fix(live, uri)
    fix(live, uri)
    live.settle(0.3)
    for told in (one, two, one, two, one, two):
        told.go_on()
        live.settle(0.3)
    live.settle(1)
    assert text(live, uri).count("Greet somebody.") == 1, text(live, uri)


@pytest.mark.parametrize("mode", ["live", "once"])
def test_an_answer_that_ends_with_the_same_code_changes_nothing(mode: str) -> None:
    """No ``Replace``: a later block of the same answer takes the first one back."""
    before = "above_0 = 0\nstart\n\nbelow_0 = 0\n"
    answer = "Sure.\n\n```\nstart\n\n    other(2)\n```\nAnd:\n```cobol\nstart\n\n\n```\n```cobol\nstart\n\n```\n```\n"

    async def run() -> None:
        editor = SimulatedEditor(PERSONALITIES[0], before, random.Random(1), "cobol")
        it = Scene(editor, 1, 3, mode)
        for start in range(0, len(answer), 7):
            await say(it, answer[start : start + 7])
        last = await it.end()
        assert last != "nothing to change" or str(editor.text) == before, (last, str(editor.text))

    in_virtual_time(run())


def test_a_hint_of_a_review_stays_right_in_a_reopened_document(live: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = done(live, anythingllm)
    live.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    live.open("a.py", DONE)
    live.settle(0.2)
    assert hints(live) == []
    command(live, "undo", {"uri": uri})
    live.settle(0.2)
    assert text(live, uri) == DONE
    assert "estore" in shown(live)[-1], shown(live)  # says what can still be done


@pytest.mark.parametrize("setting", ["page"])
def test_keep_of_one_hunk_then_undo_edit(live: Editor, anythingllm: AnythingLLMServer, setting: str) -> None:
    uri = done(live, anythingllm)
    take(live, uri, "Keep this hunk", 4)
    live.settle(0.2)
    take(live, uri, "Undo this edit", 4)
    live.settle(0.4)
    assert text(live, uri) == DONE.replace("    return text\n", "    return None\n")


def test_retry_of_generate_at_an_empty_place_stays_there(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "def one():\n    return 1\n\ndef two():\n    return 2\n"
    anythingllm.always(fake.answer(in_block("x = 1\n")))
    uri = live.open("a.py", code)
    place = {"line": 2, "character": 0}
    job = command(live, "generate", {"uri": uri, "range": {"start": place, "end": place}, "instruction": "write x"})[
        "job"
    ]
    assert ended(live, job) == "applied"
    first = text(live, uri)
    anythingllm.always(fake.answer(in_block("y = 1\n")))
    take(live, uri, "Retry", first[: first.index("x = 1")].count("\n"))
    live.settle(1.0)
    assert text(live, uri) == first.replace("x = 1", "y = 1"), text(live, uri)


def test_retry_of_generate_that_added_a_method_leaves_the_rest(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "class A:\n    def one(self):\n        return 1\n\n    def two(self):\n        return 2\n"
    anythingllm.always(fake.answer(in_block("    x = 1\n")))
    uri = live.open("a.py", code)
    place = {"line": 3, "character": 0}
    end = {"line": 3, "character": 0}
    job = command(live, "generate", {"uri": uri, "range": {"start": place, "end": end}, "instruction": "write x"})[
        "job"
    ]
    print(ended(live, job))
    first = text(live, uri)
    anythingllm.always(fake.answer(in_block("    y = 1\n")))
    if "Retry" in actions(live, uri, 3):
        take(live, uri, "Retry", 3)
    live.settle(1.0)
    assert "def one(self)" in text(live, uri) and "def two(self)" in text(live, uri), (first, text(live, uri))


def test_retry_after_the_selection_was_a_part_of_a_function_stays_a_part(
    live: Editor, anythingllm: AnythingLLMServer
) -> None:
    code = "def f():\n    a = 1\n    b = 2\n    c = 3\n    return a\n"
    anythingllm.always(fake.answer(in_block("")))
    uri = live.open("a.py", code)
    argument = {
        "uri": uri,
        "range": {"start": {"line": 2, "character": 0}, "end": {"line": 3, "character": 0}},
        "instruction": "remove it",
    }
    anythingllm.always(fake.answer(in_block("    b = 3\n    bb = 4\n")))
    assert ended(live, command(live, "generate", argument)["job"]) == "applied"
    live.type(uri, 2, 0, "", end=(4, 0))  # the user takes it all away
    live.settle(0.2)
    anythingllm.always(fake.answer(in_block("    b = 5\n")))
    found = actions(live, uri, 2)
    if "Retry" in found:
        take(live, uri, "Retry", 2)
        live.settle(1.0)
    assert "a = 1" in text(live, uri) and "c = 3" in text(live, uri), text(live, uri)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32", "utf-16"])
def test_positions_at_a_last_line_with_an_emoji(
    start_editor: Any, connected: dict[str, str], anythingllm: AnythingLLMServer, encoding: str
) -> None:
    editor = start_editor(connected)
    editor.initialize(
        clientInfo={"name": "Eglot"}, capabilities={**LENSES, "general": {"positionEncodings": [encoding]}}
    )
    anythingllm.always(fake.answer(in_block("a = '😀😀'\nb = '😀x'\n")))
    uri = editor.open("a.py", "a = '😀'\nb = '😀'")
    sent: list[Any] = []
    editor.handle["workspace/applyEdit"] = lambda params: sent.append(params) or {"applied": False}
    fix(editor, uri, 1)
    editor.wait_for("workspace/applyEdit")
    end = sent[0]["edit"]["documentChanges"][0]["edits"][-1]["range"]["end"]
    units = {"utf-8": 10, "utf-16": 8, "utf-32": 7}[encoding]
    assert end in ({"line": 1, "character": units}, {"line": 1, "character": 0}), end


def test_undo_of_a_deleted_last_line_without_a_line_end(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "def greet(name):\n    a = 1\n    print(name)\n    return name\n    print(a)"
    anythingllm.always(fake.answer(in_block(code.removesuffix("\n    print(a)") + "\n")))
    uri = live.open("a.py", code)
    assert ended(live, fix(live, uri, 1)) == "applied"
    assert text(live, uri) == code.removesuffix("\n    print(a)")
    command(live, "undo")
    live.settle(0.4)
    assert text(live, uri) == code


def test_apply_anyway_makes_a_restore_point(once: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(in_block(FIXED.replace("print(text)", "print(text"))))
    uri = once.open("a.py", CODE)
    assert ended(once, fix(once, uri)) == "not applied"
    take(once, uri, "Apply anyway")
    wait_for_text(once, uri, "print(text\n")
    once.settle(0.3)
    assert once.request("sidelight/history", {"uri": uri})["points"]


def test_a_block_that_is_inserted_makes_a_restore_point(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer("No code block here, then:\n\n```bash\nls\n```\n"))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "not applied"
    page = live.seen("window/showDocument")[-1]["uri"]
    found = actions(live, page, read_page(page).split("\n").index("ls"))["Replace the selection in a.py"]
    live.request("workspace/executeCommand", {"command": found["command"], "arguments": found["arguments"]})
    wait_for_text(live, uri, "ls\n")
    live.settle(0.3)
    assert live.request("sidelight/history", {"uri": uri})["points"]


def test_an_edit_goes_on_where_no_restore_point_can_be_kept(
    start_editor: Any, connected: dict[str, str], anythingllm: AnythingLLMServer, home: Path
) -> None:
    (home / "data").write_text("a file")
    editor = start_editor(connected)
    editor.initialize(clientInfo={"name": "Neovim"}, capabilities=LENSES)
    uri = done(editor, anythingllm)
    assert text(editor, uri) == DONE
    assert any("SIDELIGHT_RESTORE_POINTS=0" in one for one in shown(editor)), shown(editor)
    command(editor, "restore", {"uri": uri})
    command(editor, "clearHistory")
    editor.settle(0.5)
    assert not [one for one in shown(editor) if "mistake" in one], shown(editor)


def test_a_run_about_a_document_that_was_opened_and_changed_meanwhile(
    live: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    told = Told("```python\n" + FIXED + "```\n")
    anythingllm.always(told.script)
    (folder / "a.py").write_text(CODE)
    uri = (folder / "a.py").as_uri()
    place = {"line": 4, "character": 4}
    id_ = live.begin("sidelight/run", {"task": "fix", "uri": uri, "range": {"start": place, "end": place}})
    live.settle(0.3)
    live.open("a.py", CODE)
    live.type(uri, 0, 0, "# typed\n# typed\n# typed\n")
    told.go_on()
    told.go_on()
    result = live.answer_to(id_)["result"]
    if "edit" in result:
        live._apply_edit({"edit": result["edit"]})
    typed = "# typed\n# typed\n# typed\n"
    assert text(live, uri) in (typed + DONE, typed + CODE), text(live, uri)


def test_apply_anyway_keeps_what_was_typed_in_the_place_since(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(in_block(FIXED.replace("print(text)", "print(text"))))
    uri = live.open("a.py", CODE)
    assert ended(live, fix(live, uri)) == "not applied"
    live.type(uri, 6, 0, "    typed = 1\n")
    live.settle(0.2)
    take(live, uri, "Apply anyway")
    live.settle(0.6)
    assert "typed = 1" in text(live, uri), text(live, uri)
