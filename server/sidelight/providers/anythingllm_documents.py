"""The documents of one workspace of AnythingLLM: brought there, taken in, listed, removed.

https://docs.anythingllm.com/features/api, read at v1.16, August 2026. What is peculiar: titles of raw text are slugged
to ASCII, so text goes as an uploaded file whose title is given beside it; servers before September 2025 pass what
is given beside a file over, and get raw text. A document's kind is guessed from its name, and two uploads of one name
may meet: each goes as ``….txt`` under a name of its own. Taking documents in answers 200 whatever came of it.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sidelight.core.stopping import Stop
from sidelight.errors import ProviderError
from sidelight.messages import msg, plain
from sidelight.providers.anythingllm_api import AnythingLLMConfig, Api, authorization, workspace_path
from sidelight.providers.anythingllm_errors import no_such_workspace
from sidelight.providers.http import Call, Http
from sidelight.providers.http_reply import Reply
from sidelight.providers.refusals import told
from sidelight.syncing.values import Document, Held

# An embedding model without a graphics card takes minutes for a few documents, and nothing is said meanwhile.
_EMBEDDING_S = 1800.0
_UPLOAD_S = 300.0
# A workspace with ten thousand documents is listed as one answer.
_LISTING_S = 60.0
# The description comes back untouched, too: it tells which text a document has.
_DIGEST = "sha256:"
_NAME_LENGTH = 60


class AnythingLLMDocuments:
    """Plays ``syncing.values.DocumentStore``."""

    def __init__(self, config: AnythingLLMConfig, http: Http) -> None:
        self._config = config
        self._api = Api(config, http)
        self._http = Http(replace(http.options, silence_s=max(http.options.silence_s, _EMBEDDING_S)))
        self._keeps_metadata = True

    @property
    def address(self) -> str:
        """The address of the developer API."""
        return self._config.api

    def workspace(self, stop: Stop) -> str:
        """Return the configured workspace, or the only one there is."""
        return self._api.workspace(stop)

    def held(self, stop: Stop) -> Mapping[str, Held]:
        """Return the documents in the workspace by their location; others' are among them."""
        slug = self.workspace(stop)
        body = self._json(self._send(Call("GET", workspace_path(slug), silence_s=_LISTING_S), stop))
        found = body.get("workspace") if isinstance(body, dict) else None
        found = found[0] if isinstance(found, list) and found else found
        if not found:  # a slug that does not exist is answered with an empty list
            raise no_such_workspace(slug, [model.id for model in self._api.workspaces(stop)])
        documents = found.get("documents") if isinstance(found, dict) else None
        if not isinstance(documents, list):
            raise self._api.refusals.not_the_api()
        return {held.location: held for held in map(_held, documents) if held is not None}

    def upload(self, document: Document, stop: Stop) -> str:
        """Bring a document there, under its real name; returns its location."""
        metadata = {
            "title": document.name,
            "chunkSource": document.source,
            "docSource": "Sidelight",
            "description": f"{_DIGEST}{document.digest}",
        }
        if self._keeps_metadata:
            location, source = self._uploaded(_multipart(document, metadata), "/document/upload", stop)
            if source == document.source:
                return location
            self._keeps_metadata = False
            self._delete([location], stop)
        raw = {"textContent": document.text, "metadata": metadata}
        return self._uploaded((raw, {}), "/document/raw-text", stop)[0]

    def _uploaded(self, content: tuple[Any, dict[str, str]], path: str, stop: Stop) -> tuple[str, str]:
        """Send a document; return the location and the source that it has there."""
        body, headers = content
        reply = self._send(Call("POST", path, headers, body, _UPLOAD_S), stop)
        answer = reply.json()
        match answer:
            case {"documents": [{"location": str(location), **rest}, *_]} if location and reply.status == 200:
                return location, str(rest.get("chunkSource"))
        if isinstance(answer, dict) and answer.get("success") is False:
            reason = told(str(answer.get("error") or reply.status), self._config.key)
            raise ProviderError(
                "other",
                msg("AnythingLLM could not take the document: {reason}", reason=plain(reason)),
                msg("Look at AnythingLLM's log; its document collector has to run."),
            )
        raise self._api.error_of(reply)

    def exists(self, location: str, stop: Stop) -> bool:
        """Whether the server still has a document, in a workspace or not."""
        name = quote(location.rpartition("/")[2], safe="")
        reply = self._send(Call("GET", f"/document/{name}", silence_s=_LISTING_S), stop)
        if reply.status == 404:
            return False
        body = self._json(reply)
        return isinstance(body, dict) and isinstance(body.get("document"), dict)

    def embed(self, locations: Sequence[str], stop: Stop) -> None:
        """Take documents into the workspace; which of them came in, ``held`` says. Takes minutes."""
        # Taken out first: a document that is taken in twice is there twice.
        self._update({"adds": list(locations), "deletes": list(locations)}, stop)

    def remove(self, locations: Sequence[str], stop: Stop) -> None:
        """Take documents out of the workspace and delete them; those that are not there count as removed."""
        self._update({"adds": [], "deletes": list(locations)}, stop)
        self._delete(locations, stop)

    def _update(self, change: dict[str, list[str]], stop: Stop) -> None:
        path = f"{workspace_path(self.workspace(stop))}/update-embeddings"
        self._json(self._send(Call("POST", path, {}, change, _EMBEDDING_S), stop))

    def _delete(self, locations: Sequence[str], stop: Stop) -> None:
        names = {"names": list(locations)}
        self._json(self._send(Call("DELETE", "/system/remove-documents", {}, names, _UPLOAD_S), stop))

    def _json(self, reply: Reply) -> Any:
        if reply.status != 200 or reply.json() is None:
            raise self._api.error_of(reply)
        return reply.json()

    def _send(self, call: Call, stop: Stop) -> Reply:
        """Send a call whose ``url`` is a path below the API's address."""
        headers = {**authorization(self._config), **call.headers}
        return self._http.fetch(replace(call, url=self._config.api + call.url, headers=headers), stop)


def _held(value: Any) -> Held | None:
    """Read a document of a workspace; what is said of it may be anybody's."""
    location = value.get("docpath") if isinstance(value, dict) else None
    if not isinstance(location, str):
        return None
    try:
        metadata = json.loads(value.get("metadata") or "{}")
    except (ValueError, TypeError, RecursionError):
        metadata = {}
    metadata = metadata if isinstance(metadata, dict) else {}
    digest = str(metadata.get("description") or "")
    return Held(location, str(metadata.get("chunkSource") or ""), digest.removeprefix(_DIGEST))


def _multipart(document: Document, metadata: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return a form with the file and what is to be known of it, and the header that tells how to read it."""
    boundary = f"sidelight-{secrets.token_hex(16)}"
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", document.name)[-_NAME_LENGTH:].strip("-.")
    file_name = f"{readable or 'document'}-{secrets.token_hex(4)}.txt"
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{json.dumps(metadata)}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    body = form.encode("ascii") + document.text.encode() + f"\r\n--{boundary}--\r\n".encode("ascii")
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
