"""AnythingLLM's documents for another provider: what is looked up, what is found, and what goes wrong."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from sidelight.choosing import Chooser
from sidelight.core.answers import Answer, Finished
from sidelight.core.assistant import Assistant
from sidelight.core.budget import Limits
from sidelight.core.context import Context
from sidelight.core.conversations import MemoryConversations
from sidelight.core.stopping import Stop, Stopped
from sidelight.core.tasks import TASKS
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.providers.anythingllm_api import AnythingLLMConfig
from sidelight.providers.anythingllm_knowledge import AnythingLLMKnowledge
from sidelight.providers.http import Http, HttpOptions
from sidelight.settings import Settings, SettingsSource
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer


def result(title: str, text: str, **more: Any) -> dict[str, Any]:
    metadata = {"url": f"file:///{title}", "title": title, "chunkSource": "", "docSource": "x", "published": "p"}
    head = f"<document_metadata>\nsourceDocument: {title}\npublished: p\n</document_metadata>\n\n"
    return {"id": "1", "text": head + text, "metadata": {**metadata, **more}, "distance": 0.5, "score": 1}


def knowledge(server: AnythingLLMServer, workspace: str = "test1", key: str = fake.KEY) -> AnythingLLMKnowledge:
    return AnythingLLMKnowledge(AnythingLLMConfig(server.url, key, workspace), Http(HttpOptions(2.0, 2.0, retries=0)))


def test_what_is_found_are_sources_without_scores_and_metadata(anythingllm: AnythingLLMServer) -> None:
    anythingllm.results = [
        result("prices.md", "It costs 3 €.\r\n"),
        result("prices.md", "It costs 3 €.\r\n"),
        result("prices.md", "And more.", chunkSource="link://prices"),
        7,
        {"text": "bare"},
    ]
    found = knowledge(anythingllm).search("what does größe cost? @agent /api", Stop())
    assert [(it.title, it.uri, it.text) for it in found] == [
        ("prices.md", "file:///prices.md", "It costs 3 €.\r\n"),
        ("prices.md", "link://prices", "And more."),
        ("", "", "bare"),
    ]
    seen = anythingllm.searches[0]
    assert seen.path == "/api/v1/workspace/test1/vector-search"
    assert seen.body == {"query": "what does größe cost? @agent /api"}
    assert seen.headers["authorization"] == f"Bearer {fake.KEY}"
    assert not anythingllm.questions


def test_nothing_is_looked_up_without_words(anythingllm: AnythingLLMServer) -> None:
    assert knowledge(anythingllm).search(" \n", Stop()) == ()
    assert not anythingllm.seen


def test_an_empty_knowledge_base_finds_nothing(anythingllm: AnythingLLMServer) -> None:
    anythingllm.respond = lambda _: fake.json_reply({"results": [], "message": "No embeddings found"})
    assert knowledge(anythingllm).search("q", Stop()) == ()


def test_the_only_workspace_is_searched(anythingllm: AnythingLLMServer) -> None:
    def respond(seen: fake.Seen) -> bytes | fake.Script:
        if seen.path.endswith("/workspaces"):
            return fake.json_reply({"workspaces": [{"slug": "test-2", "name": "One"}]})
        return anythingllm.usual(seen)

    anythingllm.respond = respond
    knowledge(anythingllm, "").search("q", Stop())
    assert anythingllm.searches[0].path == "/api/v1/workspace/test-2/vector-search"


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (fake.reply(b"Internal Server Error", "text/plain", "500 Internal Server Error"), "other", "embedder"),
        (fake.reply(b"<!DOCTYPE html>", "text/html"), "not_found", "ANYTHINGLLM_BASE_URL"),
        (fake.json_reply({"object": "list"}), "not_found", "ANYTHINGLLM_BASE_URL"),
        (fake.json_reply([]), "not_found", "ANYTHINGLLM_BASE_URL"),
        (fake.reply(b"", "text/html", "301 Moved", "Location: https://other.example/\r\n"), "other", "not followed"),
        (fake.capture("stream-chat-wrong-key"), "auth", "ANYTHINGLLM_API_KEY"),
    ],
)
def test_what_goes_wrong_is_told_with_what_to_do(
    anythingllm: AnythingLLMServer, response: bytes, kind: str, words: str
) -> None:
    anythingllm.respond = lambda _: response
    with pytest.raises(ProviderError) as caught:
        knowledge(anythingllm).search("q", Stop())
    assert caught.value.kind == kind
    assert words in str(caught.value.hint)


def test_a_wrong_workspace_and_a_wrong_key_are_told(anythingllm: AnythingLLMServer) -> None:
    with pytest.raises(ProviderError, match="Workspace nope is not a valid workspace"):
        knowledge(anythingllm, "nope").search("q", Stop())
    with pytest.raises(ConfigurationError, match="ANYTHINGLLM_API_KEY"):
        knowledge(anythingllm, key="ключ").search("q", Stop())


def test_stop_ends_a_search(anythingllm: AnythingLLMServer) -> None:
    anythingllm.respond = lambda _: iter([fake.Pause(30)])
    stop = Stop()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        knowledge(anythingllm).search("q", stop)
    assert anythingllm.seen[0].closed.wait(2)


# Who has it


def settings(folder_env: str = "", folder: Path | None = None, **environment: str) -> Settings:
    if folder is not None:
        (folder / ".env").write_text(folder_env, "utf-8")
    folders = (folder,) if folder is not None else ()
    return SettingsSource(environment, folders=folders, trusted=True).read()


def test_nobody_has_one_who_does_not_want_it() -> None:
    assert Chooser(list).knowledge(settings(ANYTHINGLLM_BASE_URL="http://docs:3001")) is None


def test_nothing_is_looked_up_for_the_builtin_provider_which_reads_no_prompt() -> None:
    wanted = {"SIDELIGHT_KNOWLEDGE": "anythingllm", "ANYTHINGLLM_BASE_URL": "http://docs:3001"}
    assert Chooser(list).knowledge(settings(**wanted, SIDELIGHT_PROVIDER="builtin")) is None
    assert Chooser(list).knowledge(settings(**wanted, SIDELIGHT_PROVIDER="ollama")) is not None


def test_whoever_wants_it_has_the_same_until_the_settings_change() -> None:
    chooser, docs = Chooser(list), {"SIDELIGHT_KNOWLEDGE": "anythingllm", "ANYTHINGLLM_BASE_URL": "http://docs:3001"}
    first = chooser.knowledge(settings(**docs))
    assert first is not None
    assert first.place == "docs:3001"
    assert chooser.knowledge(settings(**docs)) is first
    assert chooser.knowledge(settings(**docs, ANYTHINGLLM_WORKSPACE_SLUG="w")) is not first


def test_a_users_key_is_not_sent_to_a_folders_address(tmp_path: Path, anythingllm: AnythingLLMServer) -> None:
    folders = settings(
        f"ANYTHINGLLM_BASE_URL={anythingllm.url}\nANYTHINGLLM_WORKSPACE_SLUG=test1\n",
        tmp_path,
        SIDELIGHT_KNOWLEDGE="anythingllm",
        ANYTHINGLLM_API_KEY="users-own-key",
        SIDELIGHT_HEADERS='{"X-Secret": "users-own-header"}',
    )
    found = Chooser(list).knowledge(folders)
    assert found is not None
    with pytest.raises(ProviderError, match="was not sent there"):
        found.search("q", Stop())
    assert "users-own" not in str(anythingllm.seen)


def test_a_folder_that_wants_it_gets_no_headers_of_the_user_at_the_default_address(tmp_path: Path) -> None:
    headers = {"SIDELIGHT_HEADERS": '{"X-Secret": "s"}', "SIDELIGHT_PROVIDER": "openai"}
    found: Any = Chooser(list).knowledge(settings("SIDELIGHT_KNOWLEDGE=anythingllm\n", tmp_path, **headers))
    assert found._api._http.options.headers == {}
    own: Any = Chooser(list).knowledge(settings(SIDELIGHT_KNOWLEDGE="anythingllm", **headers))
    assert own._api._http.options.headers == {"X-Secret": "s"}


def asked(environment: dict[str, str]) -> Answer:
    read, chooser, conversations = settings(**environment), Chooser(list), MemoryConversations()
    assistant = Assistant(
        lambda: chooser.choose(read).provider, lambda: conversations, lambda: Limits(4000),
        lambda: chooser.knowledge(read),
    )  # fmt: skip
    question = assistant.question(TASKS["ask"], Context(instruction="what does it cost?"))
    answer = Answer()
    for event in assistant.answer(question, Stop()):
        answer.add(event)
    return answer


def test_a_local_model_answers_with_what_was_found(anythingllm: AnythingLLMServer) -> None:
    """The model here is AnythingLLM's own fake at another address: only what it is sent matters."""
    model = AnythingLLMServer()
    try:
        anythingllm.results = [result("prices.md", "It costs 3.")]
        docs = {"ANYTHINGLLM_BASE_URL": anythingllm.url, "ANYTHINGLLM_API_KEY": fake.KEY,
                "ANYTHINGLLM_WORKSPACE_SLUG": "test1", "SIDELIGHT_KNOWLEDGE": "anythingllm"}  # fmt: skip
        said = b'data: {"choices":[{"delta":{"content":"Three. [1]"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        model.respond = lambda seen: (
            fake.reply(said, "text/event-stream")
            if seen.path.endswith("/completions")
            else fake.json_reply({"data": [{"id": "m", "max_model_len": 8000}]})
        )
        answer = asked({**docs, "SIDELIGHT_PROVIDER": "openai", "OPENAI_BASE_URL": f"{model.url}/v1"})
        assert answer.finished == Finished("complete")
        assert [(it.title, it.text) for it in answer.sources] == [("prices.md", "It costs 3.")]
        sent = next(seen for seen in model.seen if seen.path.endswith("/completions"))
        assert "It costs 3." in str(sent.body)
        assert anythingllm.searches[0].body == {"query": "what does it cost?"}
        assert not anythingllm.questions
    finally:
        model.close()


def test_anythingllm_itself_is_not_asked_twice(anythingllm: AnythingLLMServer) -> None:
    docs = {"ANYTHINGLLM_BASE_URL": anythingllm.url, "ANYTHINGLLM_API_KEY": fake.KEY,
            "ANYTHINGLLM_WORKSPACE_SLUG": "test1", "SIDELIGHT_KNOWLEDGE": "anythingllm"}  # fmt: skip
    assert asked(docs).text
    assert not anythingllm.searches
