"""What else goes into a question, and what never does: over real stdio, against a server that plays AnythingLLM."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp.test_tasks import caret, command, ended, lines, messages
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

Start = Callable[[dict[str, str]], Editor]
GEOMETRY = "import math\n\n\ndef area(r):\n    return math.pi * r * r\n"
USES = "from geometry import area\n\n\ndef half(r):\n    return area(r) / 2\n\n\ndef other():\n    return half(3)\n"
KEY = "q8Zk2Lm9" + "Xw4Rt7Vb1Nc6"
SECRETS = f'import api\n\n\ndef connect():\n    password = "{KEY}"\n    return api.conect(password)\n'


def sent(anythingllm: AnythingLLMServer) -> str:
    """All that went over the wire with the latest question, whatever it was put into."""
    body: dict[str, Any] = anythingllm.questions[-1].body
    shown = fake.Behaviour()
    shown(anythingllm.questions[-1])
    return "\n".join([str(body), body["message"], *shown.shown[-1].documents.values()])


def run(editor: Editor, task: str = "ask", **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = editor.request("sidelight/run", {"task": task, **more})
    return result


def test_the_projects_instructions_are_sent_from_a_trusted_folder_only(
    editor: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer("ok"))
    (folder / "AGENTS.md").write_text("Never use lambdas here.\n", "utf-8")
    uri = editor.open("a.py", USES)
    run(editor, "explain", uri=uri, range=caret(4))
    assert "Never use lambdas" not in sent(anythingllm)
    editor.notify("sidelight/didChangeTrust", {"trusted": True})
    run(editor, "explain", uri=uri, range=caret(4))
    assert "Never use lambdas here." in sent(anythingllm)


def test_what_the_instruction_mentions_is_sent_and_what_was_not_found_is_told(
    editor: Editor, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer("ok"))
    (folder / "rules.md").write_text("Radii are in metres.\n", "utf-8")
    (folder / ".env").write_text("DEBUG=of-the-env\n", "utf-8")
    editor.open("geometry.py", "# radius in metres, from the editor\n" + GEOMETRY)
    uri = editor.open("a.py", "# @rules.md is no mention\n" + USES)
    run(editor, uri=uri, range=caret(9), instruction="Explain this.")
    assert "Radii" not in sent(anythingllm), "what stands in a document mentions nothing"
    result = run(editor, uri=uri, range=caret(9), instruction="See @rules.md, @geometry.py, @nowhere and @.env.")
    assert "Radii are in metres." in sent(anythingllm)
    assert "from the editor" in sent(anythingllm)
    assert "of-the-env" not in sent(anythingllm)
    notes = "\n".join(result["notes"])
    assert "@nowhere" in notes
    assert "@.env is a file for secrets" in notes
    assert any("@nowhere" in warning for warning in result["warnings"])
    (kept,) = editor.request("sidelight/conversation", {"id": result["conversation"]})["turns"][-1:]
    assert kept["warnings"] == result["warnings"]


def test_a_mentioned_symbol_and_what_the_place_uses_are_sent_from_other_documents(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("ok"))
    editor.open("geometry.py", GEOMETRY)
    editor.open("colours.py", "RED = 1\n\n\ndef mix(a, b):\n    return a + b  # mixing\n")
    uri = editor.open("a.py", USES)
    run(editor, uri=uri, range=caret(4), instruction="Is it right?")
    assert "math.pi * r * r" in sent(anythingllm), "the definition of a name that is used there"
    assert "mixing" not in sent(anythingllm)
    run(editor, uri=uri, range=caret(4), instruction="Could @mix do it?")
    assert "mixing" in sent(anythingllm)


def test_problems_are_those_that_the_client_has_told_of_this_version(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("ok"))
    uri = editor.open("a.py", USES)
    for line, message in ((4, "area is too short"), (8, "half of what")):
        found = {"range": lines(line, line + 1), "message": message, "source": "lint"}
        context = {"diagnostics": [found]}
        editor.request(
            "textDocument/codeAction", {"textDocument": {"uri": uri}, "range": caret(line), "context": context}
        )
    result = run(editor, uri=uri, range=caret(1), instruction="Look at the #problems.")
    assert "line 5: area is too short" in sent(anythingllm)
    assert "line 9: half of what" in sent(anythingllm)
    assert "No problems" not in str(result.get("notes"))
    editor.type(uri, 0, 0, "# typed\n")
    result = run(editor, uri=uri, range=caret(1), instruction="Look at the #problems.")
    assert "too short" not in sent(anythingllm)
    assert "No problems of a.py are known" in "\n".join(result["notes"])


def test_a_secret_is_masked_in_what_is_sent_and_an_edit_writes_it_back(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("ok"))
    uri = editor.open("a.py", SECRETS)
    run(editor, "explain", uri=uri, range=caret(4))
    assert KEY not in sent(anythingllm)
    placeholder = re.findall(r"SIDELIGHT_SECRET_\w+", sent(anythingllm))[0]
    fixed = f'def connect():\n    password = "{placeholder}"\n    return api.connect(password)\n'
    anythingllm.always(fake.answer(*re.findall(r".{1,9}", f"```python\n{fixed}```\n", re.DOTALL)))
    job = command(editor, "fix", {"uri": uri, "range": lines(3, 6)})
    assert ended(editor, job) == "applied"
    assert KEY not in sent(anythingllm)
    assert str(editor.documents[uri]) == SECRETS.replace("conect", "connect")
    result = run(editor, "fix", uri=uri, range=lines(3, 6))
    assert placeholder in result["text"], "the shown text stays masked"
    code = f'def connect():\n    password = "{placeholder}"\n    return api.connect(password, 1)\n'
    job = command(editor, "applyCode", {"code": code, "uri": uri})
    assert ended(editor, job) == "applied"
    assert f'    password = "{KEY}"\n    return api.connect(password, 1)\n' in str(editor.documents[uri])


def test_a_secret_in_the_instruction_or_in_another_document_is_masked(
    editor: Editor, anythingllm: AnythingLLMServer
) -> None:
    anythingllm.always(fake.answer("ok"))
    editor.open("settings.py", f'TOKEN = "{KEY}"\n')
    result = run(editor, instruction=f"Use @settings.py, or the password={KEY}")
    assert "TOKEN" in sent(anythingllm)
    assert KEY not in sent(anythingllm)
    assert any("masked" in note for note in result["notes"])
    assert not any("masked" in warning for warning in result.get("warnings", ()))


@pytest.mark.parametrize("name", [".env", "server.pem"])
def test_a_task_on_a_file_for_secrets_is_refused(editor: Editor, anythingllm: AnythingLLMServer, name: str) -> None:
    uri = editor.open(name, "A=1\n", "plaintext")
    error = editor.error("sidelight/run", {"task": "explain", "uri": uri})
    assert "is a file for keys or passwords" in error["message"]
    command(editor, "explain", {"uri": uri})
    assert "is a file for keys or passwords" in messages(editor)
    assert anythingllm.questions == []
