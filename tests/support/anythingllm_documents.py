"""A real HTTP server on loopback that keeps documents as AnythingLLM's developer API does (read at v1.16)."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import default
from typing import Any
from urllib.parse import unquote

from support.anythingllm import KEY, AnythingLLMServer, Script, Seen, json_reply, reply

Fault = Callable[[Seen], "bytes | Script | None"]


class DocumentsServer(AnythingLLMServer):
    """Workspaces ``test1`` and ``test-2``; ``fault`` may answer in its place, ``stuck`` are titles never taken in."""

    def __init__(self, *, is_old: bool = False) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.workspaces: dict[str, list[dict[str, Any]]] = {"test1": [], "test-2": []}
        self.stuck: set[str] = set()
        self.fault: Fault = lambda _seen: None
        self.is_old = is_old
        self._ids = itertools.count(1)
        super().__init__()
        self.respond = self.documented

    # What a test asks

    def names(self, slug: str = "test1") -> list[str]:
        """Return the titles of what a workspace holds."""
        return sorted(json.loads(it["metadata"])["title"] for it in self.workspaces[slug])

    def text_of(self, title: str) -> str:
        """Return the text of the one document of that title."""
        [found] = [it for it in self.documents.values() if it["title"] == title]
        return str(found["pageContent"])

    def calls(self, end: str) -> list[Seen]:
        """Return the requests whose path ends so."""
        return [seen for seen in self.seen if seen.path.endswith(end)]

    @property
    def uploads(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path.startswith("/api/v1/document/") and seen.method == "POST"]

    # What it answers

    def documented(self, seen: Seen) -> bytes | Script:
        path = seen.path.removeprefix("/api/v1")
        answer = self.fault(seen)
        if answer is not None:
            return answer
        is_refused = seen.headers.get("authorization") != f"Bearer {KEY}"
        if is_refused or path in ("/api/ping", "/auth", "/workspaces") or path.endswith("chat"):
            return self.usual(seen)
        return self._answer(seen, path)

    def _answer(self, seen: Seen, path: str) -> bytes:
        workspace = re.fullmatch(r"/workspace/([^/]+)(/update-embeddings)?", path)
        if workspace and workspace[2]:
            return self._update(unquote(workspace[1]), seen.body)
        if workspace:
            slug = unquote(workspace[1])
            found = [{"slug": slug, "documents": self.workspaces[slug]}] if slug in self.workspaces else []
            return json_reply({"workspace": found})
        if path == "/document/upload":
            return self._upload(seen.body)
        if path == "/document/raw-text":
            metadata = seen.body["metadata"]
            slug = re.sub(r"[^a-z0-9/.-]+", "", metadata["title"].lower()).rpartition(".")[0].replace("/", "")
            return self._keep({**metadata, "title": f"{slug}.txt"}, seen.body["textContent"], f"raw-{slug}")
        if path == "/system/remove-documents":
            for name in seen.body["names"]:
                self.documents.pop(name, None)
                for slug in self.workspaces:
                    self._take_out(slug, name)
            return json_reply({"success": True, "message": "Documents removed successfully"})
        if path.startswith("/document/") and seen.method == "GET":
            there = [it for it in self.documents if it.endswith("/" + unquote(path.rpartition("/")[2]))]
            return json_reply({"document": self.documents[there[0]]}) if there else reply(
                b"Not Found", "text/plain", "404 Not Found"
            )  # fmt: skip
        return reply(b"<!DOCTYPE html><title>AnythingLLM</title>", "text/html; charset=utf-8")

    def _upload(self, form: dict[str, Any]) -> bytes:
        file_name, content = form["file"]
        metadata = {} if self.is_old else json.loads(form.get("metadata", "{}"))
        kept = {
            "title": metadata.get("title") or file_name,
            "docSource": metadata.get("docSource") or "a text file uploaded by the user.",
            "description": metadata.get("description") or "Unknown",
            "chunkSource": metadata.get("chunkSource") or "",
        }
        return self._keep(kept, content.decode("utf-8"), re.sub(r"[^\w.-]", "", file_name))

    def _keep(self, metadata: dict[str, Any], text: str, file_name: str) -> bytes:
        location = f"custom-documents/{file_name}-{uuid.uuid4()}.json"
        self.documents[location] = {**metadata, "id": str(uuid.uuid4()), "pageContent": text}
        told = {**self.documents[location], "location": location}
        return json_reply({"success": True, "error": None, "documents": [told]})

    def _update(self, slug: str, change: dict[str, list[str]]) -> bytes:
        if slug not in self.workspaces:
            return reply(b"Bad Request", "text/plain", "400 Bad Request")
        for location in change.get("deletes", []):
            self._take_out(slug, location)
        for location in change.get("adds", []):
            document = self.documents.get(location)
            if document is not None and document["title"] not in self.stuck:
                metadata = {key: value for key, value in document.items() if key != "pageContent"}
                known = {"id": next(self._ids), "docpath": location, "metadata": json.dumps(metadata)}
                self.workspaces[slug].append(known)
        return json_reply({"workspace": {"slug": slug, "documents": []}})

    def _take_out(self, slug: str, location: str) -> None:
        there = [it for it in self.workspaces[slug] if it["docpath"] == location]
        for it in there[:1]:
            self.workspaces[slug].remove(it)

    def body_of(self, content_type: str, body: bytes) -> Any:
        """Return JSON, or a form, of which files are (name, content)."""
        if content_type.startswith("multipart/form-data"):
            return _form(content_type, body)
        return super().body_of(content_type, body)


def _form(kind: str, body: bytes) -> dict[str, Any]:
    message = BytesParser(policy=default).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name, file_name = part.get_param("name", header="content-disposition"), part.get_filename()
        content = part.get_payload(decode=True)
        fields[str(name)] = (file_name, content) if file_name else content.decode("utf-8")
    return fields
