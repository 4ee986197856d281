"""Documentation goes into the buffer as a fix does, and only documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lsp.test_reviews import ended, text
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]
OTHER = 'def other():\n    """Do.\n\n    :param x: no\n    """\n'
CODE = f"import a\n\n\ndef greet(name):\n    print(name)  # to all\n\n\n{OTHER}"
DONE = CODE.replace("(name):\n", '(name):\n    """Greet everybody.\n\n    :param name: who\n    """\n')


@pytest.fixture
def live(start_editor: Start, connected: dict[str, str]) -> Editor:
    editor = start_editor(connected)
    editor.initialize(clientInfo={"name": "Neovim"})
    return editor


def document(editor: Editor, uri: str, line: int) -> str:
    place: dict[str, Any] = {"line": line, "character": 0}
    argument = {"uri": uri, "range": {"start": place, "end": place}}
    params = {"command": "sidelight.document", "arguments": [argument]}
    return ended(editor, editor.request("workspace/executeCommand", params)["job"])


def fenced(code: str, language: str = "python") -> str:
    return f"Documented.\n```{language}\n{code}```\n"


def test_a_docstring_in_the_files_style_goes_into_the_buffer(live: Editor, anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.answer(fenced("".join(DONE.splitlines(keepends=True)[3:9]))))
    uri = live.open("a.py", CODE)
    assert document(live, uri, 4) == "applied"
    assert text(live, uri) == DONE
    assert "reStructuredText" in anythingllm.questions[0].body["message"]


@pytest.mark.parametrize(("old", "new"), [("print(name)", "print(name + '!')"), ("  # to all", "")])
def test_an_answer_that_changes_code_is_taken_back_and_told(
    live: Editor, anythingllm: AnythingLLMServer, old: str, new: str
) -> None:
    anythingllm.always(
        fake.answer(fenced("".join(DONE.replace(old, new).splitlines(keepends=True)[3:9]).rstrip() + "\n"))
    )
    uri = live.open("a.py", CODE)
    assert document(live, uri, 4) == "not applied"
    assert text(live, uri) == CODE
    assert any("only to document" in it["message"] for it in live.seen("window/showMessage"))


def test_the_comment_above_a_function_is_replaced_and_not_doubled(live: Editor, anythingllm: AnythingLLMServer) -> None:
    code = "const x = 1;\n\n/** Adds. */\nfunction add(a, b) {\n  return a + b;\n}\n"
    new = "/**\n * Adds two numbers.\n */\nfunction add(a, b) {\n  return a + b;\n}\n"
    anythingllm.always(fake.answer(fenced(new, "javascript")))
    uri = live.open("a.js", code, "javascript")
    assert document(live, uri, 4) == "applied"
    assert text(live, uri) == f"const x = 1;\n\n{new}"
    assert "JSDoc" in anythingllm.questions[0].body["message"]
