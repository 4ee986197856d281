"""AnythingLLM keeps messages and no attachments: a follow-up brings along the code that was attached before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.anythingllm import AnythingLLMServer, Behaviour
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]
Ask = Callable[..., dict[str, Any]]
CODE = "import math\n\n\ndef area(r):\n    return math.pi * r\n\n\ndef round_up(x):\n    return math.ceil(x)\n"
AREA, ROUND_UP = (3, 4), (7, 8)


@pytest.fixture
def server(anythingllm: AnythingLLMServer) -> Behaviour:
    behaviour = Behaviour()
    anythingllm.behave(behaviour)
    return behaviour


@pytest.fixture
def editor(start_editor: Start, connected: dict[str, str]) -> Editor:
    editor = start_editor({**connected, "SIDELIGHT_ANYTHINGLLM_ATTACHMENTS": "on"})
    editor.initialize()
    return editor


@pytest.fixture
def ask(editor: Editor) -> Ask:
    """Asks about lines, or about nothing; in the conversation that the first question began."""
    uri = editor.open("area.py", CODE)
    conversation: dict[str, str] = {}

    def run(lines: tuple[int, int] | None = None, instruction: str = "Why?") -> dict[str, Any]:
        ends = [{"line": line, "character": 99 * at} for at, line in enumerate(lines or ())]
        place = {"uri": uri, "range": dict(zip(("start", "end"), ends, strict=True))} if lines else {}
        result = editor.request("sidelight/run", {"task": "ask", "instruction": instruction, **place, **conversation})
        conversation["conversation"] = result["conversation"]
        return result

    return run


def test_a_follow_up_without_a_place_shows_the_code_again(server: Behaviour, ask: Ask, editor: Editor) -> None:
    ask(AREA)
    result = ask()
    [text] = server.shown[-1].documents.values()
    assert text.startswith("For reference, area.py, lines 4 to 5:\n```python\ndef area(r):\n")
    assert "def area" not in server.shown[-1].message
    sent = editor.request("sidelight/sent", {key: result[key] for key in ("conversation", "turn")})
    [part] = [part for part in sent["parts"] if part["kind"] == "earlier_code"]
    assert (part["name"], part["where"]) == ("area.py", "attachment")


def test_each_code_is_shown_once_the_newest_first(server: Behaviour, ask: Ask) -> None:
    for lines in (AREA, ROUND_UP, AREA, None):
        ask(lines)
    first, second = server.shown[-1].documents.values()
    assert "def area" in first
    assert "def round_up" in second


def test_what_is_asked_about_now_is_not_shown_twice(server: Behaviour, ask: Ask) -> None:
    ask(AREA)
    ask((3, 8))
    assert sum("def area" in text for text in server.shown[-1].documents.values()) == 1


def test_code_with_a_secret_is_not_shown_twice_either(server: Behaviour, editor: Editor) -> None:
    secret = "ghp_" + "a8Kd02mZq7RtYw4XcVb91LpOe3SfGhJk5NuT"
    place = {"task": "ask", "uri": editor.open("keys.py", f'TOKEN = "{secret}"\n')}
    first = editor.request("sidelight/run", {**place, "instruction": "Why?"})
    editor.request("sidelight/run", {**place, "instruction": "And?", "conversation": first["conversation"]})
    [text] = server.shown[-1].documents.values()
    assert "TOKEN" in text
    assert secret not in text


def test_another_conversation_has_nothing_of_it(server: Behaviour, ask: Ask, editor: Editor) -> None:
    ask(AREA)
    editor.request("sidelight/run", {"task": "ask", "instruction": "Who are you?"})
    assert not server.shown[-1].documents


def test_code_that_went_in_the_message_is_remembered_by_the_server(
    start_editor: Start, connected: dict[str, str], server: Behaviour
) -> None:
    editor = start_editor(connected)
    editor.initialize()
    uri = editor.open("area.py", CODE)
    first = editor.request("sidelight/run", {"task": "explain", "uri": uri})
    editor.request("sidelight/run", {"task": "ask", "instruction": "Why?", "conversation": first["conversation"]})
    assert "def area" in server.shown[0].message
    assert "def area" not in server.shown[1].message
