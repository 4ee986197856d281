"""Whether an AnythingLLM takes documents with a message: it tells no version, so one is sent, and looked for.

In mode chat: in mode query a workspace without documents refuses before it reads attachments. What proves it is the
document among the sources of the answer; a model may repeat anything, and an old server may hand the document to it as
if it were an image.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from sidelight.core.answers import Finished, Sources
from sidelight.core.ports import Check
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import SidelightError
from sidelight.messages import Message, msg
from sidelight.providers.anythingllm_answer import AnythingLLMDecoder
from sidelight.providers.anythingllm_api import Api, authorization, workspace_path
from sidelight.providers.anythingllm_message import Document
from sidelight.providers.http import Call, Http

# Somebody waits for it, and it is asked after an answer that came, or not at all.
_LONGEST_S = 20.0
_QUESTION = "Reply with the single word: ready"


def probe(api: Api, http: Http, learn: Callable[[bool], None], stop: Stop, longest_s: float = _LONGEST_S) -> Check:
    """Ask a small question with a document, ``learn`` what came of it, and say so.

    Costs one short answer, in a conversation of its own. What cannot be found out leaves everything as it was. Blocks
    for ``longest_s`` at most; raises ``Stopped``.
    """
    limit = Stop()
    forget = stop.on_stop(limit.set)
    timer = threading.Timer(longest_s, limit.set)
    timer.daemon = True
    timer.start()
    try:
        takes = _takes_documents(api, http, limit)
    except Stopped:
        stop.raise_if_set()
        return _not_found_out(msg("no answer came within {seconds} s", seconds=round(longest_s)))
    except SidelightError as error:
        return _not_found_out(error.message)
    finally:
        timer.cancel()
        forget()
    learn(takes)
    if takes:
        return Check("ok", msg("AnythingLLM takes documents with a question: code is attached, and does not disturb "
                               "the search in the knowledge base."))  # fmt: skip
    return Check(
        "note",
        msg("AnythingLLM does not take documents with a question: code goes in the message."),
        msg("Newer versions do (1.10 and later, with its document processor running); they find more for a question "
            "about code."),
    )  # fmt: skip


def _takes_documents(api: Api, http: Http, stop: Stop) -> bool:
    nonce = secrets.token_hex(8)
    document = Document(f"probe-{nonce}.txt", f"Sidelight asks whether documents are read: {nonce}\n")
    config = replace(api.config, mode="chat")
    call = Call(
        "POST",
        f"{config.api}{workspace_path(api.workspace(stop))}/stream-chat",
        {**authorization(config), "Accept": "text/event-stream"},
        {
            "message": _QUESTION,
            "mode": "chat",
            "sessionId": f"sidelight-probe-{nonce}",
            "attachments": [document.encoded()],
        },
    )
    found = False
    for event in http.answer(call, AnythingLLMDecoder(config.key), stop, api.refusals.of):
        if isinstance(event, Sources):
            found = found or any(nonce in source.text for source in event.sources)
        if isinstance(event, Finished) and event.error is not None and not found:
            raise event.error
    return found


def _not_found_out(reason: Message) -> Check:
    return Check(
        "note",
        msg("Whether AnythingLLM takes documents with a question could not be found out: {reason}", reason=reason),
    )
