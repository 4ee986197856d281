"""The same server under pytest-lsp, whose client checks every message against the specification."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer
from support.editor import SERVER

CODE = "def greet(name):\n    print(nam)\n"


@pytest_asyncio.fixture(params=["visual-studio-code", "neovim", "emacs"])
async def client(
    request: pytest.FixtureRequest, connected: dict[str, str], folder: Path
) -> AsyncIterator[LanguageClient]:
    client = make_test_lsp_client()
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    client.feature(types.WORKSPACE_APPLY_EDIT)(lambda _: types.ApplyWorkspaceEditResult(applied=False))
    await client.start_io(sys.executable, "-I", str(SERVER), "lsp", env=connected, cwd=str(folder))
    workspace = [types.WorkspaceFolder(uri=folder.as_uri(), name="project")]
    await client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param), root_uri=folder.as_uri(), workspace_folders=workspace
        )
    )
    yield client
    await client.shutdown_session()
    await client.stop()


@pytest.mark.asyncio
async def test_a_session_from_open_to_fixed_keeps_to_the_specification(
    client: LanguageClient, anythingllm: AnythingLLMServer, folder: Path
) -> None:
    anythingllm.always(fake.answer("```python\ndef greet(name):\n    print(name)\n```\n"))
    uri = (folder / "a.py").as_uri()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", version=1, text=CODE))
    )
    place = types.Range(types.Position(1, 10), types.Position(1, 13))
    diagnostic = types.Diagnostic(range=place, message="undefined name 'nam'", source="pyflakes")
    # lsprotocol reads every code action with a command as a bare Command, so that is not looked at here.
    await client.text_document_code_action_async(
        types.CodeActionParams(types.TextDocumentIdentifier(uri), place, types.CodeActionContext([diagnostic]))
    )
    argument = {"uri": uri, "diagnostics": [client.protocol._converter.unstructure(diagnostic)]}
    result = await client.workspace_execute_command_async(types.ExecuteCommandParams("sidelight.fix", [argument]))
    assert result["job"].startswith("fix-")
    stopped = await client.workspace_execute_command_async(types.ExecuteCommandParams("sidelight.stop"))
    assert stopped["stopped"] is True
