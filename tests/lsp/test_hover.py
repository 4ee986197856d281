"""Hover: what is kept of a symbol while its text stands. Nobody is asked, and no link there does anything."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from lsprotocol import types

from sidelight.core.ports import Turn
from sidelight.lsp.client import Client
from sidelight.lsp.documents import Documents
from sidelight.lsp.hover import Hovers, age_of, shortened, without_links
from sidelight.lsp.protocol import make_protocol
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import CAPABILITIES, Editor

Start = Callable[[dict[str, str]], Editor]

CODE = "import math\n\n\n@cached\ndef area(r):\n    return math.pi * r\n\n\ndef other(r):\n    return area(r) + r\n"
HEADER, DECORATOR, USE, BODY = (4, 6), (3, 2), (9, 12), (5, 12)


def explain(editor: Editor, uri: str, line: int = 5) -> dict[str, Any]:
    at = {"line": line, "character": 4}
    return editor.request("sidelight/run", {"task": "explain", "uri": uri, "range": {"start": at, "end": at}})


def hover(editor: Editor, uri: str, place: tuple[int, int]) -> str | None:
    params = {"textDocument": {"uri": uri}, "position": {"line": place[0], "character": place[1]}}
    result = editor.request("textDocument/hover", params)
    return None if result is None else result["contents"]["value"]


@pytest.mark.parametrize("history", ["1", "0"])
def test_a_kept_explanation_shows_until_the_text_changes_and_nobody_is_asked(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer, history: str
) -> None:
    anythingllm.always(fake.answer("It is an area."))
    editor = start_editor({**connected, "SIDELIGHT_HISTORY": history})
    assert editor.initialize()["capabilities"]["hoverProvider"] is True
    uri = editor.open("area.py", CODE)
    assert [hover(editor, uri, place) for place in (HEADER, USE, BODY)] == [None] * 3
    run = explain(editor, uri)
    asked = len(anythingllm.questions)
    for place in (HEADER, DECORATOR, USE):
        text = hover(editor, uri, place)
        assert text is not None
        assert text.startswith("It is an area.\n\n---\n\nExplained just now by anythingllm test1.")
        assert "“Explain with Sidelight”" in text
    assert hover(editor, uri, BODY) is hover(editor, uri, (8, 6)) is None
    editor.type(uri, 0, 0, "# more above\n")
    assert hover(editor, uri, (5, 6)) is not None
    editor.type(uri, 6, 4, "x = 1; ")
    assert hover(editor, uri, (5, 6)) is None
    editor.type(uri, 6, 4, "", end=(6, 11))
    assert hover(editor, uri, (5, 6)) is not None
    assert editor.request("sidelight/deleteConversation", {"id": run["conversation"]}) == {"deleted": True}
    assert hover(editor, uri, (5, 6)) is None
    assert len(anythingllm.questions) == asked


def test_an_explanation_is_there_tomorrow_and_in_another_file(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("It is an area."))
    first = start_editor(connected)
    first.initialize()
    explain(first, first.open("area.py", CODE))
    first.request("sidelight/conversations", {})  # answered when all is on disk
    first.request("shutdown", None)
    first.notify("exit", None)
    first.exit_code()
    second = start_editor(connected)
    second.initialize()
    assert hover(second, second.open("moved.py", "\n\n" + CODE), (HEADER[0] + 2, HEADER[1])) is not None


def test_the_newest_explanation_shows_and_its_name_is_the_range(editor: Editor, anythingllm: AnythingLLMServer) -> None:
    uri = editor.open("area.py", CODE)
    for text in ("old", "new"):
        anythingllm.always(fake.answer(text))
        explain(editor, uri)
        assert (hover(editor, uri, USE) or "").startswith(text)
    position = {"line": USE[0], "character": USE[1]}
    result = editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})
    assert result["range"] == {"start": {"line": 9, "character": 11}, "end": {"line": 9, "character": 15}}
    assert result["contents"]["kind"] == "plaintext"


@pytest.mark.parametrize("place", [USE, HEADER, DECORATOR])
def test_asking_again_is_about_the_definition_that_the_hover_is_about(
    editor: Editor, anythingllm: AnythingLLMServer, place: tuple[int, int]
) -> None:
    uri = editor.open("area.py", CODE)
    at = {"line": place[0], "character": place[1]}
    again = {"task": "explain", "uri": uri, "range": {"start": at, "end": at}, "symbol": True}
    editor.request("sidelight/run", again)
    assert "area.py, lines 4 to 6:" in anythingllm.questions[0].body["message"]
    assert hover(editor, uri, place) is not None


def test_a_client_with_markdown_gets_markdown(
    start_editor: Start, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("Read [more](command:x)."))
    editor = start_editor(connected)
    can = {"hover": {"contentFormat": ["markdown", "plaintext"]}}
    editor.initialize(capabilities={**CAPABILITIES, "textDocument": can})
    uri = editor.open("area.py", CODE)
    explain(editor, uri)
    position = {"line": HEADER[0], "character": HEADER[1]}
    contents = editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})["contents"]
    assert contents["kind"] == "markdown"
    assert "](command" not in contents["value"]


@pytest.mark.parametrize("place", [(0, 0), (10**6, 0), (4, 10**6), (2, 0)])
def test_a_hover_at_any_place_is_answered(editor: Editor, place: tuple[int, int]) -> None:
    assert hover(editor, editor.open("area.py", CODE), place) is None
    assert hover(editor, editor.open("empty.py", ""), place) is None
    assert hover(editor, (editor.folder / "closed.py").as_uri(), place) is None


def test_lines_that_go_while_an_explanation_is_looked_up_are_no_mistake() -> None:
    begun, may_answer = threading.Event(), threading.Event()

    class Conversations:
        def explanation(self, _digest: str) -> Turn:
            begun.set()
            assert may_answer.wait(20)
            return Turn(1, "explain", "", datetime.now(timezone.utc), answer="It is an area.")

    async def look() -> dict[str, Any] | None:
        documents, client = Documents(), Client(make_protocol({}))
        hovers = Hovers(client, documents, Conversations)  # type: ignore[arg-type]
        item = types.TextDocumentItem("file:///a.py", types.LanguageKind.Python, 1, CODE)
        document = documents.open(item)
        looking = asyncio.create_task(hovers.hover(item.uri, types.Position(*HEADER)))
        await asyncio.to_thread(begun.wait, 20)
        whole = types.TextDocumentContentChangeWholeDocument("")
        documents.change(types.VersionedTextDocumentIdentifier(2, item.uri), [whole])
        assert str(document.text) == ""
        may_answer.set()
        return await looking

    shown = asyncio.run(look())
    assert shown is not None
    assert shown["range"] == {"start": {"line": 4, "character": 4}, "end": {"line": 4, "character": 8}}


# What is shown


@pytest.mark.parametrize(
    "link",
    ["[x](command:y)", "[x](<command:y>)", "[x]( command:y)", "[x](\ncommand:y)", "[x]\n\n[x]: command:y",
     "<command:y>",
     '<a href="command:y">x</a>', "[x](c&#111;mmand:y)", "![x](https://tracker/p.png)", "[x]\n\n> [x]: command:y",
     "[x](vscode://y)", "[x](data:y)", "- a\n  ```\n[x](command:y)", "```\n    ```\n```\n[x](command:y)\n```",
     "~~~ a`b\n~~~\n[x](command:y)", "` a\n` [x](command:y) `", "1.  ```\n[x](command:y)", "> ```\n[x](command:y)"],
)  # fmt: skip
def test_no_link_leads_anywhere_but_to_the_web(link: str) -> None:
    shown = without_links(f"before\n\n{link}\n\nafter")
    assert not dangerous(shown), shown


def dangerous(markdown: str) -> list[str]:
    """Return what could be a link or a picture, by the only reading that can be sure: code is what stands in a fence
    at the left of a line, between blank lines, and nothing else is a fence."""
    outside, fence = [], ""
    for line in markdown.split("\n"):
        mark = re.match("`{3,}", line)
        if fence:
            fence = "" if line == fence else fence
        elif mark:
            fence = mark[0]
        else:
            outside.append(line)
    text = "\n".join(outside)
    return re.findall(r"\]\((?!https?://)|\]:|<[a-zA-Z/!?]|!\[|`{3}|~{3}", text)


def test_random_markdown_has_no_dangerous_link() -> None:
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    choose = random.Random(seed)
    pieces = ["[x]", "(command:y)", "```", "````", "~~~", "\n", "\n\n", "    ", "  ", "- ", "> ", "1. ", "`", "![",
              "]: c:d", "<c:d>", "text", "\r\n", "\t", "``` python", "~~~ `x", "[x](https://a)"]  # fmt: skip
    for _ in range(2000):
        text = "".join(choose.choices(pieces, k=choose.randrange(30)))
        assert not dangerous(without_links(text)), repr(text)


def test_code_and_links_to_the_web_stay_as_they_are() -> None:
    text = "See [docs](https://docs.python.org).\n\n```python\nhandlers[name](value)  # List<int>\n```\n\nDone."
    assert without_links(text) == (
        "See [docs](https://docs.python.org).\n\n\n```python\nhandlers[name](value)  # List<int>\n```\n\n\nDone."
    )


def test_a_long_explanation_is_cut_at_a_paragraphs_end_and_never_in_code() -> None:
    assert shortened("short\n") == "short"
    paragraphs = [f"Paragraph {number} " + "x" * 300 for number in range(20)]
    cut = shortened("\n\n".join(paragraphs))
    assert cut.endswith("x\n\n…")
    assert cut.removesuffix("\n\n…").split("\n\n") == paragraphs[:6]
    code = "```\n" + "line\n\n" * 500 + "```"
    assert shortened(f"Before.\n\n{code}\n\nAfter.") == "Before.\n\n…"
    assert shortened("x" * 5000) == "x" * 2000 + "\n\n…"


@pytest.mark.parametrize(
    ("passed", "said"),
    [(timedelta(seconds=-5), "just now"), (timedelta(seconds=59), "just now"), (timedelta(minutes=1), "a minute ago"),
     (timedelta(minutes=59), "59 minutes ago"), (timedelta(minutes=60), "an hour ago"),
     (timedelta(hours=23), "23 hours ago"), (timedelta(hours=47), "a day ago"), (timedelta(days=3), "3 days ago")],
)  # fmt: skip
def test_an_age_is_said_in_words(passed: timedelta, said: str) -> None:
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    assert str(age_of(now - passed, now)) == said
