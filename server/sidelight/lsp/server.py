"""The table of what is answered where."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any

from lsprotocol import types

from sidelight.core.tasks import TASKS
from sidelight.errors import UsageError
from sidelight.lsp import handshake
from sidelight.lsp.apply_code import apply_code, parse_given
from sidelight.lsp.code_actions import caret_in, code_actions, finding_actions, review_actions, review_lenses
from sidelight.lsp.conversations import ConversationRequests
from sidelight.lsp.examining import Examinations
from sidelight.lsp.fix_all import fix_all
from sidelight.lsp.fixing import Fixing
from sidelight.lsp.framing import Incoming
from sidelight.lsp.models import Wanted
from sidelight.lsp.pages import page_actions, written_instruction
from sidelight.lsp.protocol import InvalidParams, Protocol, make_protocol
from sidelight.lsp.session import Session
from sidelight.lsp.start import Wiring
from sidelight.lsp.stdio import Connection
from sidelight.lsp.subject import Asked, parse_asked
from sidelight.messages import msg

log = logging.getLogger(__name__)


class Server:
    """Answers one client. Each method below handles one LSP method; ``handlers`` is the table."""

    def __init__(self, wiring: Wiring, connection: Connection) -> None:
        self._connection = connection
        self._wiring = wiring
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[int] = self._loop.create_future()
        self.protocol: Protocol = make_protocol(self.handlers())
        self.protocol.set_writer(connection.writer)
        self.session = Session(wiring, self.protocol, connection.writer)

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """Return the table: LSP method -> what answers it."""
        return {
            types.INITIALIZE: self.initialize,
            types.INITIALIZED: self.initialized,
            types.SHUTDOWN: self.shutdown,
            types.EXIT: self.exit,
            types.SET_TRACE: self.ignore,
            types.TEXT_DOCUMENT_DID_OPEN: self.did_open,
            types.TEXT_DOCUMENT_DID_CHANGE: self.did_change,
            types.TEXT_DOCUMENT_DID_CLOSE: self.did_close,
            types.TEXT_DOCUMENT_DID_SAVE: self.did_save,
            types.TEXT_DOCUMENT_CODE_ACTION: self.code_action,
            types.TEXT_DOCUMENT_CODE_LENS: self.code_lens,
            types.TEXT_DOCUMENT_HOVER: self.hover,
            types.WORKSPACE_EXECUTE_COMMAND: self.execute_command,
            types.WORKSPACE_DID_CHANGE_CONFIGURATION: self.did_change_configuration,
            types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: self.did_change_folders,
            types.WORKSPACE_TEXT_DOCUMENT_CONTENT: self.text_document_content,
            types.WINDOW_WORK_DONE_PROGRESS_CANCEL: self.cancel_progress,
            "sidelight/run": self.run,
            "sidelight/models": self.models,
            "sidelight/chooseModel": self.choose_model,
            "sidelight/history": self.history,
            "sidelight/source": self.source,
            "sidelight/sent": self.sent,
            "sidelight/tasks": self.tasks,
            **self._conversation_requests().handlers(),
            **Examinations(self._wiring, lambda: self.session).handlers(),
            "sidelight/didChangeTrust": self.did_change_trust,
        }

    def _conversation_requests(self) -> ConversationRequests:
        # Looked up at each request: the session is made after this table, and its settings change.
        return ConversationRequests(
            lambda: self.session.conversations(),  # noqa: PLW0108
            lambda: self.protocol.translate,
            lambda: self.session.hovers.forget(),  # noqa: PLW0108
        )

    def commands(self) -> dict[str, Callable[[Any], Any]]:
        """Return the table: command -> what does it, given its one argument (or None)."""
        return {
            **{f"sidelight.{name}": self._task_command(name) for name in TASKS},
            "sidelight.stop": self.stop,
            "sidelight.send": self.send,
            "sidelight.chooseModel": self.choose_model_command,
            "sidelight.insertBlock": self.insert_block,
            "sidelight.applyCode": self.apply_code,
            "sidelight.openSource": self.open_source,
            "sidelight.showSent": self.show_sent,
            "sidelight.fixAll": self.fix_all,
            "sidelight.knowledge": self.knowledge,
            "sidelight.task": self.own_task,
            **self.session.edits.commands(),
            **Fixing(lambda: self.session).commands(),
        }

    # Life

    def initialize(self, params: Any) -> dict[str, Any]:
        if not handshake.are_valid(params):
            raise InvalidParams("initialize needs the client's capabilities.")
        self._connection.watch(params.get("processId"))
        self.begin(params)
        return handshake.result_of(params)

    def begin(self, params: dict[str, Any]) -> None:
        """Begin the session of a client whose ``initialize`` is answered, now or already."""
        session = self.session
        locale, options = params.get("locale"), params.get("initializationOptions")
        options = options if isinstance(options, dict) else {}
        session.client.can = handshake.abilities_of(params)
        session.set_locale(locale if isinstance(locale, str) else None)
        session.set_trusted(trusted=options.get("trusted") is True)
        session.set_client_settings(options.get("settings"))
        session.sends_status = options.get("status") is not False
        session.set_folders(handshake.folders_of(params), [])
        session.documents.encoding = handshake.encoding_of(params["capabilities"])
        session.read_settings()
        self.protocol.set_phase("initialized")
        log.info("initialized by %s", params.get("clientInfo") or "an unnamed client")

    async def initialized(self, _params: Any) -> None:
        session = self.session
        await self._read_configuration(None)
        session.set_configured()
        if session.client.can.register_configuration:
            await session.client.register(types.WORKSPACE_DID_CHANGE_CONFIGURATION, {"section": "sidelight"})
        await session.prepare()

    def shutdown(self, _params: Any) -> None:
        self.protocol.set_phase("shut down")
        self.session.jobs.stop_all()

    def exit(self, _params: Any) -> None:
        self.leave("exit", 0 if self.protocol.is_shut_down else 1)

    def leave(self, reason: str, code: int) -> None:
        """Leave ``serve``, which ends the session."""
        if not self._exited.done():
            log.info("leaving: %s", reason)
            self._exited.set_result(code)

    async def serve(self) -> int:
        """Answer until the end; returns the exit code."""
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                self._loop.add_signal_handler(number, self.leave, "a signal", 128 + number)
        self._connection.listen(self._received, self._lost)
        code = await self._exited
        await self.session.end()
        await self.session.edits.end()
        return code

    def _received(self, incoming: list[Incoming]) -> None:
        """Take messages from the reader's thread."""
        self._loop.call_soon_threadsafe(self.protocol.receive, incoming)

    def _lost(self, reason: str) -> None:
        """Take note, on any thread, that there is nobody to serve any more."""
        self._loop.call_soon_threadsafe(self.leave, reason, 0 if self.protocol.is_shut_down else 1)

    def ignore(self, _params: Any) -> None:
        pass

    # Documents

    def did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        self.session.documents.open(params.text_document)

    def did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        self.session.documents.change(params.text_document, list(params.content_changes))

    def did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        self.session.documents.close(params.text_document.uri)

    def did_save(self, params: types.DidSaveTextDocumentParams) -> None:
        session, uri = self.session, params.text_document.uri
        if session.is_settings_file(uri):
            session.reload()
        elif session.tasks.is_file(uri):
            session.do(session.tasks.read_again())

    def text_document_content(self, params: types.TextDocumentContentParams) -> dict[str, str]:
        return {"text": self.session.pages.content(params.uri)}

    def code_action(self, params: types.CodeActionParams) -> list[dict[str, Any]]:
        session = self.session
        uri = params.text_document.uri
        actions = list(page_actions(session.pages, uri, params.range.start.line))
        document = session.documents.opened(uri)
        if document is not None and not actions:
            actions += finding_actions(session.findings, document, params)
            actions += review_actions(session.edits.reviews, document, document.range(params.range), session.client)
            if not session.client.can.sends_selections:
                params.range = caret_in(document, params.range)
            session.gathering.note_problems(document, params.context.diagnostics)
            diagnostics = self.protocol.plain(params.context.diagnostics)
            running = [job.id for job in session.jobs]
            can_restore = document.key in session.restoring.edited
            actions += code_actions(
                params, document, session.client.write, running, diagnostics, can_restore=can_restore,
                own=session.tasks.known.for_language(document.language_id),
            )  # fmt: skip
        return actions

    def code_lens(self, params: types.CodeLensParams) -> list[dict[str, Any]]:
        document = self.session.documents.opened(params.text_document.uri)
        return review_lenses(self.session.edits.reviews, document, self.session.client) if document else []

    async def hover(self, params: types.HoverParams) -> dict[str, Any] | None:
        return await self.session.hovers.hover(params.text_document.uri, params.position)

    # Configuration

    async def did_change_configuration(self, params: types.DidChangeConfigurationParams) -> None:
        await self._read_configuration(self.protocol.plain(params.settings))

    async def _read_configuration(self, told: Any) -> None:
        """Take the settings from the client's configuration, or else from what the notification holds."""
        session = self.session
        if session.client.can.configuration:
            session.set_client_settings(await session.client.configuration())
        elif isinstance(told, dict):
            session.set_client_settings(told.get("sidelight", told))
        session.reload()
        self._connection.set_limit(session.message_limit_bytes)

    def did_change_folders(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        added = [folder.uri for folder in params.event.added]
        self.session.set_folders(added, [folder.uri for folder in params.event.removed])
        self.session.reload()

    def did_change_trust(self, params: Any) -> None:
        self.session.set_trusted(trusted=isinstance(params, dict) and params.get("trusted") is True)
        self.session.reload()

    # Tasks

    async def run(self, params: Any) -> dict[str, Any]:
        task = await self.session.tasks.named(params.get("task")) if isinstance(params, dict) else None
        if task is None:
            raise InvalidParams(f"task must be one of {', '.join(TASKS)}, or the name of a task of the user's own.")
        partial, work_done = params.get("partialResultToken"), params.get("workDoneToken")
        for token in (partial, work_done):
            if token is not None and (isinstance(token, bool) or not isinstance(token, (str, int))):
                raise InvalidParams("A token must be a string or an integer.")
        return await self.session.running.run_to_result(task, self._asked(params), partial, work_done)

    async def models(self, _params: Any) -> dict[str, Any]:
        return await self.session.models.listed()

    async def tasks(self, params: Any) -> dict[str, Any]:
        return await self.session.tasks.listed(params)

    async def choose_model(self, params: Any) -> dict[str, str]:
        return await self.session.models.choose(_model_choice(params))

    def choose_model_command(self, argument: Any) -> dict[str, bool]:
        models = self.session.models
        work = models.choose(_model_choice(argument)) if argument else models.pick()
        self.session.do(work)
        return {"accepted": True}

    async def history(self, params: Any) -> dict[str, Any]:
        uri = params.get("uri") if isinstance(params, dict) else None
        return {"points": await self.session.restoring.listed(uri if isinstance(uri, str) else None)}

    async def source(self, params: Any) -> dict[str, Any]:
        return await self.session.opening.request(params)

    async def sent(self, params: Any) -> dict[str, Any]:
        return await self.session.sent.request(params)

    def open_source(self, argument: Any) -> dict[str, bool]:
        self.session.do(self.session.opening.opened(argument))
        return {"accepted": True}

    def show_sent(self, argument: Any) -> dict[str, bool]:
        self.session.do(self.session.sent.shown(argument))
        return {"accepted": True}

    def cancel_progress(self, params: types.WorkDoneProgressCancelParams) -> None:
        if not self.session.jobs.stop_by_token(params.token):
            self.session.cancelled.append(params.token)  # it came together with its run, which begins only now

    def execute_command(self, params: types.ExecuteCommandParams) -> Any:
        command = self.commands().get(params.command)
        if command is None:
            raise InvalidParams(f"There is no command {params.command}.")
        arguments = params.arguments or []
        if len(arguments) > 1:
            raise InvalidParams("The arguments must be one object.")
        argument = self.protocol.plain(arguments[0]) if arguments else None
        if argument is not None and not isinstance(argument, dict):
            raise InvalidParams("The argument must be one object.")
        return command(argument)

    def _task_command(self, name: str) -> Callable[[Any], dict[str, str]]:
        def begin(argument: Any) -> dict[str, str]:
            asked = self._asked(argument or {})
            if TASKS[name].edits and asked.uri is None:
                raise InvalidParams("uri is missing.")
            return {"job": self.session.running.start(TASKS[name], asked).id}

        return begin

    def own_task(self, argument: Any) -> dict[str, str]:
        return {"job": self.session.tasks.start(argument, self._asked(argument or {})).id}

    def _asked(self, argument: Any) -> Asked:
        return parse_asked(argument, self.protocol.converter)

    def stop(self, argument: Any) -> dict[str, bool]:
        job = (argument or {}).get("job")
        if job is not None and not isinstance(job, str):
            raise InvalidParams("job must be a string.")
        return {"stopped": self.session.jobs.stop(job)}

    def send(self, argument: Any) -> dict[str, str | None]:
        uri = str((argument or {}).get("uri"))
        page, document = self.session.pages.ask_page(uri), self.session.documents.opened(uri)
        if page is None or document is None:
            raise InvalidParams("uri is not that of an open ask page.")
        instruction = written_instruction(str(document.text))
        if not instruction:
            raise UsageError(
                msg("Nothing is written below the line yet."), msg("Write your question there, then send it.")
            )
        return {"job": self.session.running.send(page, instruction).id}

    def knowledge(self, argument: Any) -> dict[str, Any]:
        from sidelight.lsp.knowledge import Knowledge  # what it needs is loaded when it is used

        return Knowledge(self._wiring, lambda: self.session).command(argument)

    def apply_code(self, argument: Any) -> dict[str, str]:
        given = parse_given(argument or {}, self._asked(argument or {}))
        return {"job": apply_code(self.session, given).id}

    def fix_all(self, argument: Any) -> dict[str, str]:
        return {"job": fix_all(self.session, self._asked(argument or {})).id}

    def insert_block(self, argument: Any) -> dict[str, bool]:
        argument = argument or {}
        page, block, uri = argument.get("page"), argument.get("block"), argument.get("uri")
        if not (isinstance(page, str) and isinstance(block, int) and isinstance(uri, str)):
            raise InvalidParams("page, block and uri are needed.")
        # Answered at once, like every command: some clients send no didChange and take no edit while one runs.
        self.session.do(self.session.blocks.insert(page, block, uri, replace=argument.get("replace") is True))
        return {"accepted": True}


def _model_choice(params: Any) -> Wanted | None:
    """Read ``{provider, model, address?}``; nothing, or an empty object, is None. Raises ``InvalidParams``."""
    if not params:
        return None
    if isinstance(params, dict):
        match {"model": "", "address": "", **params}:
            case {"provider": str(provider), "model": str(model), "address": str(address)}:
                return Wanted(provider, model, address)
    raise InvalidParams("provider and model must be strings, and address, where the model was listed with one.")
