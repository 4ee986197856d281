"""Whether an AnythingLLM takes documents: what is asked, what counts as proof, and that nothing else is learned."""

from __future__ import annotations

import threading

import pytest

from sidelight.core.ports import Check, Probing
from sidelight.core.stopping import Stop, Stopped
from sidelight.providers.anythingllm import AnythingLLM, AnythingLLMConfig
from sidelight.providers.anythingllm_api import Api
from sidelight.providers.anythingllm_probe import probe
from sidelight.providers.http import Http, HttpOptions
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer, Behaviour


def probed(server: AnythingLLMServer, stop: Stop | None = None, **config: bool) -> tuple[list[Check], list[bool]]:
    learned: list[bool] = []
    http = Http(HttpOptions(2.0, 5.0, retries=0))
    provider = AnythingLLM(AnythingLLMConfig(server.url, fake.KEY, "test1", "query", **config), http, learned.append)
    assert isinstance(provider, Probing)
    return list(provider.probe(stop or Stop())), learned


def test_a_server_that_reads_the_document_takes_documents(anythingllm: AnythingLLMServer) -> None:
    behaviour = anythingllm.behave(Behaviour(sources=[{"title": "other", "text": "x"}]))
    [check], learned = probed(anythingllm)
    assert (check.state, learned) == ("ok", [True])
    body = anythingllm.questions[0].body
    assert body["mode"] == "chat", "in mode query a workspace without documents refuses before it looks"
    assert body["sessionId"].startswith("sidelight-probe-")
    assert body["message"] == "Reply with the single word: ready"
    assert len(behaviour.shown[0].documents) == 1


def test_two_probes_are_two_conversations(anythingllm: AnythingLLMServer) -> None:
    anythingllm.behave(Behaviour())
    for _ in range(2):
        probed(anythingllm)
    assert len({seen.body["sessionId"] for seen in anythingllm.questions}) == 2


def test_a_server_that_does_not_read_it_takes_none(anythingllm: AnythingLLMServer) -> None:
    anythingllm.behave(Behaviour(takes_documents=False, sources=[{"title": "other", "text": "x"}]))
    [check], learned = probed(anythingllm)
    assert (check.state, learned) == ("note", [False])
    assert "does not take documents" in str(check.message)


def test_a_model_that_repeats_the_document_proves_nothing(anythingllm: AnythingLLMServer) -> None:
    def respond(seen: fake.Seen) -> bytes:
        return fake.answer(str(seen.body)) if seen.path.endswith("/stream-chat") else b""

    anythingllm.respond = respond
    assert probed(anythingllm)[1] == [False]


@pytest.mark.parametrize(
    "response",
    [
        fake.capture("stream-chat-upstream-500"),
        fake.capture("stream-chat-wrong-key"),
        fake.reply(b"<!DOCTYPE html>", "text/html"),
        fake.STREAM_HEAD + fake.text_event("x"),
    ],
)
def test_a_failure_leaves_things_as_they_were(anythingllm: AnythingLLMServer, response: bytes) -> None:
    anythingllm.always(response)
    [check], learned = probed(anythingllm)
    assert (check.state, learned) == ("note", [])
    assert "could not be found out" in str(check.message)


def test_who_does_not_answer_in_time_is_not_waited_for(anythingllm: AnythingLLMServer) -> None:
    def script() -> fake.Script:
        yield fake.STREAM_HEAD
        for _ in range(200):
            yield fake.text_event("thinking ")  # it is not silent, and never done
            yield fake.Pause(0.05)

    anythingllm.always(script)
    http, learned = Http(HttpOptions(2.0, 30.0, retries=0)), list[bool]()
    api = Api(AnythingLLMConfig(anythingllm.url, fake.KEY, "test1"), http)
    check = probe(api, http, learned.append, Stop(), longest_s=0.3)
    assert "no answer came" in str(check.message)
    assert not learned
    assert anythingllm.questions[0].closed.wait(2)


def test_stop_is_heard(anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(lambda: iter([fake.STREAM_HEAD, fake.Pause(20)]))
    stop = Stop()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        probed(anythingllm, stop)


def test_nothing_is_asked_where_attachments_are_off(anythingllm: AnythingLLMServer) -> None:
    assert probed(anythingllm, may_attach=False) == ([], [])
    assert not anythingllm.seen
