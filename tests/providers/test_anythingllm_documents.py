"""AnythingLLM's document API, over HTTP, with a server that keeps documents as AnythingLLM does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.anythingllm_api import AnythingLLMConfig
from sidelight.providers.anythingllm_documents import AnythingLLMDocuments
from sidelight.providers.http import Http, HttpOptions
from sidelight.syncing.files import read_document
from sidelight.syncing.values import Document
from support.anythingllm import KEY, Pause, Script, Seen, json_reply, reply
from support.anythingllm_documents import DocumentsServer
from support.vendor import shown

NAME = "docs/蓝色 “协议”.md"


@pytest.fixture
def server() -> Iterator[DocumentsServer]:
    server = DocumentsServer()
    yield server
    server.close()


def documents_of(server: DocumentsServer, workspace: str = "test1", key: str = KEY) -> AnythingLLMDocuments:
    return AnythingLLMDocuments(AnythingLLMConfig(server.url, key, workspace), Http(HttpOptions(retries=0)))


@pytest.fixture
def document(tmp_path: Path) -> Document:
    path = tmp_path / "project" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes("\ufeffEins\r\n--sidelight-\r\nZwei 🎉\n\u2028".encode())
    read = read_document(tmp_path / "project", NAME)
    assert isinstance(read, Document)
    return read


@pytest.mark.parametrize("is_old", [False, True])
def test_name_text_and_digest_come_back_untouched(document: Document, is_old: bool) -> None:
    server = DocumentsServer(is_old=is_old)
    try:
        documents = documents_of(server)
        location = documents.upload(document, Stop())
        documents.embed([location], Stop())
        held = documents.held(Stop())[location]
        assert (held.source, held.digest) == (document.source, document.digest)
        assert [it["pageContent"] for it in server.documents.values()] == ["Eins\r\n--sidelight-\r\nZwei 🎉\n\u2028"]
        if not is_old:
            assert server.names() == [NAME]
        documents.upload(document, Stop())
        paths = [seen.path.rpartition("/")[2] for seen in server.uploads]
        assert paths == (["upload", "raw-text", "raw-text"] if is_old else ["upload", "upload"])
    finally:
        server.close()


def test_a_file_goes_as_text_under_a_name_of_its_own_and_the_key_only_in_its_header(
    server: DocumentsServer, document: Document
) -> None:
    documents = documents_of(server)
    for _ in range(2):
        documents.upload(document, Stop())
    names = [seen.body["file"][0] for seen in server.uploads]
    assert len(set(names)) == 2
    assert all(name.isascii() and name.endswith(".txt") for name in names)
    assert KEY not in str([seen.body for seen in server.uploads])
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {KEY}"}


def test_a_document_is_in_a_workspace_once_however_often_it_is_taken_in(
    server: DocumentsServer, document: Document
) -> None:
    documents = documents_of(server)
    location = documents.upload(document, Stop())
    for _ in range(2):
        documents.embed([location], Stop())
    assert len(server.workspaces["test1"]) == 1
    assert documents.exists(location, Stop())
    documents.remove([location], Stop())
    assert not server.workspaces["test1"] and not server.documents
    assert not documents.exists(location, Stop())
    documents.remove([location], Stop())


def test_taking_in_what_does_not_exist_shows_in_what_is_held(server: DocumentsServer) -> None:
    documents = documents_of(server)
    documents.embed(["custom-documents/nothing.json"], Stop())
    assert documents.held(Stop()) == {}


def test_documents_of_others_are_held_whatever_they_say_of_themselves(server: DocumentsServer) -> None:
    said = ["", "{", "[]", None, 3, '{"chunkSource": 1, "description": null}']
    odd = [{"docpath": f"custom-documents/{number}.json", "metadata": it} for number, it in enumerate(said)]
    server.workspaces["test1"] = [*odd, {"docpath": 7}, "what"]  # type: ignore[list-item]
    assert len(documents_of(server).held(Stop())) == len(odd)


def test_a_workspace_that_does_not_exist_is_told_with_those_that_do(server: DocumentsServer) -> None:
    with pytest.raises(ProviderError) as told:
        documents_of(server, "Test1").held(Stop())
    assert told.value.kind == "not_found"
    assert "test1, test-2" in shown(told.value)


def test_no_workspace_named_where_there_are_several_is_told(server: DocumentsServer) -> None:
    with pytest.raises(ConfigurationError) as told:
        documents_of(server, "").workspace(Stop())
    assert "test1" in shown(told.value)


HTML = reply(b"<!DOCTYPE html><title>AnythingLLM</title>", "text/html; charset=utf-8")
OFFLINE = {"success": False, "error": f"Document processing API is not online. {KEY}"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (HTML, "not_found"),
        (json_reply({"error": "No valid api key found."}, "403 Forbidden"), "auth"),
        (json_reply(OFFLINE, "500 Internal Server Error"), "other"),
        (json_reply({"success": True, "error": None, "documents": []}), "not_found"),
        (json_reply({"success": True, "error": None, "documents": [{"location": 3}]}), "not_found"),
        (reply(b"Internal Server Error", "text/plain", "500 Internal Server Error"), "other"),
        (reply(b"<html>", "text/html", "413 Content Too Large"), "other"),
        (reply(b"", "text/html", "302 Found", "Location: https://elsewhere.example\r\n"), "other"),
        (json_reply({}, "504 Gateway Timeout"), "overloaded"),
        (b"", "network"),
    ],
)
def test_what_goes_wrong_is_told_without_the_key(
    server: DocumentsServer, document: Document, answer: bytes, kind: str
) -> None:
    server.fault = lambda _: answer
    documents = documents_of(server)
    calls: list[Callable[[], object]] = [lambda: documents.upload(document, Stop())]
    if b'"success"' not in answer:
        calls += [lambda: documents.held(Stop()), lambda: documents.embed(["a"], Stop()),
                  lambda: documents.remove(["a"], Stop()), lambda: documents.exists("a/b.json", Stop())]  # fmt: skip
    for call in calls:
        with pytest.raises(ProviderError) as told:
            call()
        assert told.value.kind == kind
        assert KEY not in shown(told.value)


def test_a_stop_ends_the_longest_call_and_its_connection(server: DocumentsServer) -> None:
    reached = threading.Event()

    def hang(seen: Seen) -> Script:
        reached.set()
        return iter([Pause(30)])

    server.fault = hang
    stop = Stop()
    threading.Thread(target=lambda: (reached.wait(10), stop.set()), daemon=True).start()
    with pytest.raises(Stopped):
        documents_of(server).embed(["custom-documents/a.json"], stop)
    assert server.seen[0].closed.wait(5)


def test_taking_in_may_last_longer_than_an_answer_may_be_silent(server: DocumentsServer) -> None:
    server.fault = lambda seen: (
        iter([Pause(0.3), json_reply({"workspace": {}})]) if seen.path.endswith("embeddings") else None
    )
    config = AnythingLLMConfig(server.url, KEY, "test1")
    documents = AnythingLLMDocuments(config, Http(HttpOptions(silence_s=0.1, retries=0)))
    documents.embed(["custom-documents/a.json"], Stop())
