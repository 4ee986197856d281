"""``initialize``: what the client can do, and what we can.

Plain JSON and no imports that take time, so that it can be answered before the rest of the server is loaded.
Abilities come from the announced capabilities; a row in ``KNOWN_CLIENTS`` wins, for clients that can more or less than
they announce (measured: Neovim 0.7 honours document changes unannounced, Kate 22.12 applies edits unannounced).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sidelight import __version__
from sidelight.core.tasks import TASKS
from sidelight.editing.text import Units

EditMode = Literal["live", "once", "page"]

PROTOCOL_VERSION = 1
PAGE_SCHEME = "sidelight"
REVIEW_COMMANDS = ("keep", "undo", "applyAnyway", "retry", "refine", "continue", "nextChange", "showAnswer")
COMMANDS = tuple(
    f"sidelight.{name}"
    for name in (
        *TASKS,
        "stop",
        "send",
        "insertBlock",
        "applyCode",
        "openSource",
        "showSent",
        "fixAll",
        "chooseModel",
        "restore",
        "clearHistory",
        "fixFinding",
        "dismissFinding",
        "showReview",
        "task",
        "knowledge",
        *REVIEW_COMMANDS,
    )
)
CODE_ACTION_KINDS = ("quickfix", "refactor", "refactor.rewrite", "source", "source.fixAll.sidelight")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the client can do."""

    apply_edit: bool = False
    document_changes: bool = False
    show_document: bool = False
    progress: bool = False
    text_content: bool = False
    configuration: bool = False
    register_configuration: bool = False
    lenses: bool = False
    refreshes_lenses: bool = False
    previews: bool = False
    hover_markdown: bool = False
    creates_files: bool = False
    diagnostics: bool = False
    related_information: bool = False
    edits: EditMode = "once"
    checks_versions: bool = True
    sends_selections: bool = True
    splices_at_once: int = 100

    @property
    def shows_pages(self) -> bool:
        """Whether answer pages can be documents that the client reads from us."""
        return self.text_content and self.show_document


_VS_CODE = ("Visual Studio Code", "Visual Studio Code - Insiders", "VSCodium", "Code - OSS", "code-server", "Cursor",
            "Windsurf", "Positron")  # fmt: skip
_EGLOT = {"edits": "once", "sends_selections": False}
KNOWN_CLIENTS: dict[str, dict[str, Any]] = {
    **{name: {"edits": "live"} for name in _VS_CODE},
    "Neovim": {"document_changes": True, "edits": "live"},
    # lsp-mode tells of each place of an edit by itself.
    "emacs": {"edits": "live", "splices_at_once": 1},
    # Asks its user about every edit that a server begins, and tells of changes when it has been idle for a while.
    # Without a selection it sends the expression at the caret, which looks like one.
    "Eglot": _EGLOT,
    "": _EGLOT,  # before Emacs 30 it does not say its name
    # Applies an edit to whatever stands there by then.
    "Kate": {"apply_edit": True, "document_changes": True, "edits": "once", "checks_versions": False},
}


def abilities_of(params: dict[str, Any]) -> Abilities:
    """Read a client's abilities out of the parameters of ``initialize``, as they came."""
    can = params["capabilities"]
    announced = Abilities(
        apply_edit=_has(can, "workspace", "applyEdit"),
        document_changes=_has(can, "workspace", "workspaceEdit", "documentChanges"),
        show_document=_has(can, "window", "showDocument", "support"),
        progress=_has(can, "window", "workDoneProgress"),
        text_content=isinstance(_at(can, "workspace", "textDocumentContent"), dict),
        configuration=_has(can, "workspace", "configuration"),
        register_configuration=_has(can, "workspace", "didChangeConfiguration", "dynamicRegistration"),
        lenses=isinstance(_at(can, "textDocument", "codeLens"), dict),
        refreshes_lenses=_has(can, "workspace", "codeLens", "refreshSupport"),
        previews=_has(can, "workspace", "applyEdit")
        and _has(can, "workspace", "workspaceEdit", "documentChanges")
        and isinstance(_at(can, "workspace", "workspaceEdit", "changeAnnotationSupport"), dict),
        diagnostics=isinstance(_at(can, "textDocument", "publishDiagnostics"), dict),
        related_information=_has(can, "textDocument", "publishDiagnostics", "relatedInformation"),
        creates_files=_has(can, "workspace", "applyEdit")
        and _has(can, "workspace", "workspaceEdit", "documentChanges")
        and "create" in (_at(can, "workspace", "workspaceEdit", "resourceOperations") or ()),
        hover_markdown="markdown" in str(_at(can, "textDocument", "hover", "contentFormat")),
        edits="once" if _has(can, "workspace", "applyEdit") else "page",
    )
    return replace(announced, **KNOWN_CLIENTS.get(str(_at(params, "clientInfo", "name") or ""), {}))


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _has(value: Any, *path: str) -> bool:
    return _at(value, *path) is True


def are_valid(params: Any) -> bool:
    """Whether these can be the parameters of ``initialize``."""
    return isinstance(params, dict) and isinstance(params.get("capabilities"), dict)


def result_of(params: dict[str, Any]) -> dict[str, Any]:
    """Return the result of ``initialize``."""
    can = abilities_of(params)
    workspace: dict[str, Any] = {"workspaceFolders": {"supported": True, "changeNotifications": True}}
    if can.shows_pages:
        workspace["textDocumentContent"] = {"schemes": [PAGE_SCHEME]}
    capabilities = {
        "positionEncoding": encoding_of(params["capabilities"]),
        "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": False}},
        "codeActionProvider": {"codeActionKinds": list(CODE_ACTION_KINDS)},
        **({"codeLensProvider": {}} if can.lenses else {}),
        "hoverProvider": True,
        "executeCommandProvider": {"commands": list(COMMANDS)},
        "workspace": workspace,
        "experimental": {"sidelight": {"protocol": PROTOCOL_VERSION}},
    }
    return {"capabilities": capabilities, "serverInfo": {"name": "sidelight", "version": __version__}}


def encoding_of(capabilities: dict[str, Any]) -> Units:
    """Choose how columns are counted: as the client prefers among utf-8 and utf-32, else utf-16."""
    general = capabilities.get("general")
    offered = general.get("positionEncodings") if isinstance(general, dict) else None
    for kind in offered if isinstance(offered, list) else ():
        if kind in ("utf-8", "utf-32"):
            return "utf-8" if kind == "utf-8" else "utf-32"
    return "utf-16"


def folders_of(params: dict[str, Any]) -> list[str]:
    """Return the URIs of the opened folders, as any generation of clients says them."""
    folders = params.get("workspaceFolders")
    if isinstance(folders, list) and folders:
        return [folder["uri"] for folder in folders if isinstance(folder, dict) and isinstance(folder.get("uri"), str)]
    if isinstance(params.get("rootUri"), str):
        return [params["rootUri"]]
    return [Path(params["rootPath"]).absolute().as_uri()] if isinstance(params.get("rootPath"), str) else []
