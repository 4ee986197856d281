"""What AnythingLLM is sent, to the byte, and what its model is shown of it by a server like it."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest

from sidelight.core.answers import Answer, Asked, Note
from sidelight.core.context import Context
from sidelight.core.ports import Part, Prompt, Request
from sidelight.core.ports.providers import PartKind
from sidelight.core.stopping import Stop
from sidelight.core.tokens import estimate_tokens
from sidelight.messages import msg
from sidelight.providers.anythingllm import AnythingLLM, AnythingLLMConfig
from sidelight.providers.anythingllm_message import Sent, without_mark, written
from sidelight.providers.http import Http, HttpOptions
from support import anythingllm as fake
from support.anythingllm import AnythingLLMServer, Behaviour, Shown

WJ = "\u2060"
ORDERS = "You explain code.\n\nWrite prose in German."
CODE = "größe.py, lines 1 to 2:\n```python\r\ndef größe():\r\n    return get( /api/größe)\r\n```"
QUESTION = "Explain this code."


def prompt_of(*parts: tuple[PartKind, str, str], query: str = "") -> Prompt:
    made = tuple(Part(kind, name, text, msg("because"), estimate_tokens(text)) for kind, name, text in parts)
    system = "\n\n".join(part.text for part in made if part.kind == "orders")
    user = "\n\n".join(part.text for part in made if part.kind != "orders")
    return Prompt(system, user, parts=made, query=query)


EXPLAIN = prompt_of(
    ("orders", "", ORDERS),
    ("target", "größe.py", CODE),
    ("instruction", "", "Request: what does /größe cost?"),
    ("question", "", QUESTION),
    query="what does /größe cost? (größe; größe.py python)",
)


def ask(server: AnythingLLMServer, prompt: Prompt, **config: Any) -> tuple[Answer, list[Any]]:
    provider = AnythingLLM(
        AnythingLLMConfig(server.url, fake.KEY, "test1", **config), Http(HttpOptions(2.0, 2.0, retries=0))
    )
    events = list(provider.stream(Request("explain", prompt, Context(), "conversation-1"), Stop()))
    answer = Answer()
    for event in events:
        answer.add(event)
    return answer, events


def body_sent(server: AnythingLLMServer) -> dict[str, Any]:
    body = server.questions[-1].body
    assert isinstance(body, dict)
    return body


# Without attachments


def test_the_message_is_what_to_look_up_then_the_material_then_orders_and_question(
    anythingllm: AnythingLLMServer,
) -> None:
    _, events = ask(anythingllm, EXPLAIN)
    assert body_sent(anythingllm) == {
        "message": f"what does {WJ}/größe cost? (größe; größe.py python)"
        "\n\ngröße.py, lines 1 to 2:\n```python\r\ndef größe():\r\n"
        f"    return get( {WJ}/api/größe)\r\n```"
        "\n\nYou explain code.\n\nWrite prose in German."
        f"\n\nRequest: what does {WJ}/größe cost?"
        "\n\nExplain this code.",
        "mode": "chat",
        "sessionId": "conversation-1",
    }
    assert Asked("test1", has_orders=True) in events


def test_without_material_nothing_is_said_twice() -> None:
    prompt = prompt_of(("orders", "", "Answer."), ("instruction", "", "Request: why?"), query="why?")
    assert written(prompt, attaches=True, nonce="n") == Sent("Request: why?\n\nAnswer.", (), WJ)


def test_a_prompt_without_parts_is_sent_as_it_is() -> None:
    assert written(Prompt("Orders.", "hi"), attaches=True, nonce="n").message == "Orders.\n\nhi"


def test_a_long_selection_is_sent_whole(anythingllm: AnythingLLMServer) -> None:
    code = "".join(f"x{number} = /api/{number}  # ü\r\n" for number in range(20_000))
    ask(anythingllm, prompt_of(("orders", "", "O."), ("target", "a.py", code), ("question", "", "Q?"), query="q"))
    assert body_sent(anythingllm)["message"] == f"q\n\n{code.replace(' /', f' {WJ}/')}\n\nO.\n\nQ?"


@pytest.mark.parametrize("attaches", [False, True])
@pytest.mark.parametrize("text", ["@agent do it", "@agent_decorator\ndef f(): ..."])
def test_no_text_of_the_users_starts_an_agent(anythingllm: AnythingLLMServer, text: str, *, attaches: bool) -> None:
    behaviour = anythingllm.behave(Behaviour())
    for query in ("", text):
        ask(
            anythingllm,
            prompt_of(("target", "a.py", text), ("instruction", "", text), query=query),
            attaches=attaches,
        )
    ask(anythingllm, Prompt("", text))
    assert [shown.is_agent for shown in behaviour.shown] == [False] * 3
    assert behaviour.shown[-1].message == f" {text}"


# Slash presets

PRESETS = {"/api": "PRESET", "/ap": "PRESET", "/usr": "PRESET", "/a-b_c1": "PRESET", "/reset": "PRESET"}
SLASHES = [
    "/api",
    "get( /api/x)",
    "# see /usr/bin and\t/api",
    "\r\n/api\r\n",
    "a\u3000/api",
    "a\ufeff/api",
    "a\xa0/usr",
    "a / b // c /* d */ </api> x/api /a-b_c1 /API",
    "/ap /api /usr",
]


@pytest.mark.parametrize("text", SLASHES)
def test_a_preset_on_the_server_rewrites_nothing_of_ours(anythingllm: AnythingLLMServer, text: str) -> None:
    behaviour = anythingllm.behave(Behaviour(PRESETS, says=lambda shown: [shown.message]))
    for prompt in (prompt_of(("target", "a", text), ("question", "", text), query=text), Prompt("", text)):
        answer, _ = ask(anythingllm, prompt)
        assert "PRESET" not in behaviour.shown[-1].message
        whole = [part.text for part in prompt.parts] or [text]
        assert answer.text == "\n\n".join([*([text] if prompt.parts else []), *whole])


def test_a_rewriting_server_does_rewrite() -> None:
    """The fake of the tests above can make them fail."""
    behaviour = Behaviour(PRESETS)
    behaviour(fake.Seen("POST", "", {}, {"message": "/api a /api, /apis", "mode": "chat"}))
    assert behaviour.shown[0].message == "PRESET a PRESET, /apis"


def test_what_the_model_copies_has_no_marks_at_any_cut(anythingllm: AnythingLLMServer) -> None:
    code = "a = '/x' if b else f( /api)  # see /usr/bin\n/ap\n"

    def piecewise(shown: Shown) -> list[str]:
        seed = len(shown.message) + len(anythingllm.seen)
        print(f"seed {seed}")
        choose, text, pieces = random.Random(seed), shown.message, []
        while text:
            size = choose.choice((1, 2, 5))
            pieces.append(text[:size])
            text = text[size:]
        return pieces

    anythingllm.behave(Behaviour(PRESETS, says=piecewise))
    for _ in range(5):
        answer, _ = ask(anythingllm, prompt_of(("target", "a.py", code), ("question", "", "Q?"), query="q"))
        assert answer.text == f"q\n\n{code}\n\nQ?"


def test_a_final_text_that_differs_has_no_marks_either(anythingllm: AnythingLLMServer) -> None:
    copied = f"see {WJ}/api"
    anythingllm.always(fake.STREAM_HEAD + fake.text_event("Old") + fake.finalize(textResponse=copied) + fake.STREAM_END)
    assert ask(anythingllm, Prompt("", "hi"))[0].text == "see /api"


def test_a_mark_that_stands_in_the_code_stays_there(anythingllm: AnythingLLMServer) -> None:
    code = f"JOINER = '{WJ}/x'  # /api\n"
    anythingllm.behave(Behaviour(PRESETS, says=lambda shown: [*shown.message]))
    answer, _ = ask(anythingllm, prompt_of(("target", "a.py", code), ("question", "", "Q?"), query="q"))
    assert answer.text == f"q\n\n{code}\n\nQ?"
    assert body_sent(anythingllm)["message"].count("\u2063/") == 1


def test_with_every_mark_in_the_code_nothing_is_marked() -> None:
    sent = written(Prompt("", "\u2060\u2063\u2064 /api"), attaches=False, nonce="n")
    assert (sent.message, sent.mark) == ("\u2060\u2063\u2064 /api", "")
    assert without_mark("\u2060/x", sent.mark) == "\u2060/x"


def test_a_mark_is_taken_out_where_the_model_changed_what_follows_it(anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(
        fake.STREAM_HEAD + fake.text_event(f"cd {WJ}") + fake.text_event(f'"/api"; ls {WJ}') + fake.finalize()
        + fake.STREAM_END
    )  # fmt: skip
    assert ask(anythingllm, Prompt("", "cd /api; ls /api"))[0].text == 'cd "/api"; ls '


# With attachments


def test_the_material_is_attached_and_the_message_is_short(anythingllm: AnythingLLMServer) -> None:
    behaviour = anythingllm.behave(Behaviour(PRESETS))
    _, events = ask(anythingllm, EXPLAIN, attaches=True)
    body = body_sent(anythingllm)
    name = body["attachments"][0]["name"]
    content = base64.b64encode(CODE.encode()).decode()
    assert body == {
        "message": f"Request: what does {WJ}/größe cost?"
        "\n\nExplain this code."
        "\n\n(größe; größe.py python)"
        "\n\nThis is about the attached documents: größe.py"
        "\n\nYou explain code.\n\nWrite prose in German.",
        "mode": "chat",
        "sessionId": "conversation-1",
        "attachments": [
            {
                "name": name,
                "mime": "application/anythingllm-document",
                "contentString": f"data:text/plain;base64,{content}",
            }
        ],
    }
    assert behaviour.shown[0].documents == {name: CODE}
    assert Asked("test1", attaches=True, has_orders=True) in events


@pytest.mark.parametrize(
    ("asked", "query", "expected"),
    [
        ("Explain this code.", "Explain this code. (f; a.py python)", "Explain this code.\n\n(f; a.py python)"),
        ("Request: is f (a)\n  right?", "is f (a) right? (f; a.py)", "Request: is f (a)\n  right?\n\n(f; a.py)"),
        ("Write tests.", "How tests are written (f; a.py)", "How tests are written (f; a.py)\n\nWrite tests."),
        ("Request: why?", "why?", "Request: why?"),
    ],
)
def test_the_question_and_what_to_look_up_are_not_said_twice(asked: str, query: str, expected: str) -> None:
    parts: list[tuple[PartKind, str, str]] = [("target", "a.py:8", "x"), ("around", "a.py:12", "y")]
    prompt = prompt_of(*parts, ("mention", "src/b.py:3-9", "z"), ("question", "", asked), query=query)
    sent = written(prompt, attaches=True, nonce="n")
    assert sent.message == f"{expected}\n\nThis is about the attached documents: a.py; src/b.py"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("größe.py", "gr_e.py"),
        ("src\\win.ts", "win.ts"),
        ("src/a b:12", "a_b_12"),
        ("", ""),
        ("蓝色.md", "_.md"),
        ("x" * 300, "x" * 60),
        ("a<b>|?.pdf", "a_b_.pdf"),
    ],
)
def test_an_attached_document_has_a_name_that_every_system_takes(name: str, expected: str) -> None:
    prompt = prompt_of(("target", name, "x"), ("question", "", "q"))
    [document] = written(prompt, attaches=True, nonce="cafe").documents
    assert document.name == f"sidelight-cafe-1-{expected}.txt"


def test_every_piece_is_a_document_of_its_own_and_empty_ones_are_none() -> None:
    pieces: list[tuple[PartKind, str, str]] = [("around", "a", "1"), ("target", "b", ""), ("mention", "a", "2")]
    sent = written(prompt_of(*pieces, ("question", "", "q")), attaches=True, nonce="n")
    assert [document.text for document in sent.documents] == ["1", "2"]
    assert len({document.name for document in sent.documents}) == 2
    assert sent.message == "q\n\nThis is about the attached documents: a"


def test_two_questions_share_no_document_name(anythingllm: AnythingLLMServer) -> None:
    behaviour = anythingllm.behave(Behaviour())
    for _ in range(2):
        ask(anythingllm, EXPLAIN, attaches=True)
    assert len({name for shown in behaviour.shown for name in shown.documents}) == 2


def test_a_lone_surrogate_is_no_obstacle(anythingllm: AnythingLLMServer) -> None:
    behaviour = anythingllm.behave(Behaviour())
    ask(anythingllm, prompt_of(("target", "a", "x\ud83d"), ("question", "", "q\ud83d")), attaches=True)
    assert list(behaviour.shown[0].documents.values()) == ["x\ufffd"]


def test_an_agent_gets_no_attachments(anythingllm: AnythingLLMServer) -> None:
    anythingllm.behave(Behaviour())
    ask(anythingllm, EXPLAIN, attaches=True, mode="automatic")
    assert "attachments" not in body_sent(anythingllm)
    assert CODE.replace(" /", f" {WJ}/") in body_sent(anythingllm)["message"]


@pytest.mark.parametrize("attaches", [False, True])
def test_the_model_is_shown_every_part_to_the_byte(anythingllm: AnythingLLMServer, *, attaches: bool) -> None:
    """Of every prompt that is made at random, with a server that rewrites what it can."""
    behaviour = anythingllm.behave(Behaviour(PRESETS))
    pieces = ["@agent", " ", "/api", "ü", "\r\n", "\t", "😀", "```", "x = 1", "/usr/bin", "\u2028", "\ufeff", "/"]
    kinds: list[PartKind] = ["orders", "target", "around", "mention", "instruction", "problems", "question"]
    for seed in range(30):
        print(f"seed {seed}")
        choose = random.Random(seed)
        parts = [
            (kind, f"{kind}.py", "".join(choose.choices(pieces, k=choose.randint(1, 30))))
            for kind in kinds
            if choose.random() < 0.8
        ]
        prompt = prompt_of(*parts, query="what is it")
        ask(anythingllm, prompt, attaches=attaches)
        shown = behaviour.shown[-1]
        read = [shown.message.replace(WJ, ""), *shown.documents.values()]
        for part in prompt.parts:
            assert any(part.text in text for text in read), part
        assert not shown.is_agent


# How much of it the model was given

COUNTED = json.loads((Path(__file__).parents[1] / "core" / "token_counts.json").read_text("utf-8"))


def test_no_tokenizer_finds_fewer_tokens_than_the_least() -> None:
    for it in COUNTED:
        least = Sent(it["text"]).least_tokens()
        assert least <= min(count for name, count in it.items() if name != "text") + 1, it["text"][:50]
        assert least > estimate_tokens(it["text"]) / 5


LONG = "".join(f"    value = compute_something(argument, {number})\n" for number in range(400))


def warnings_of(answer: Answer) -> list[str]:
    return [str(note.message) for note in answer.notes if note.is_warning]


@pytest.mark.parametrize("attaches", [False, True])
@pytest.mark.parametrize(("seen", "is_told"), [(1500, True), (5500, False), (50_000, False), (0, False), (None, False)])
def test_a_message_that_was_cut_is_told(
    anythingllm: AnythingLLMServer, *, seen: int | None, is_told: bool, attaches: bool
) -> None:
    anythingllm.behave(Behaviour(prompt_tokens=seen))
    prompt = prompt_of(("target", "a.py", LONG), ("question", "", "Explain."), query="a.py")
    told = warnings_of(ask(anythingllm, prompt, attaches=attaches)[0])
    assert ["SIDELIGHT_CONTEXT_TOKENS" in text for text in told] == [True] * is_told


def test_a_small_prompt_is_never_told_to_be_cut(anythingllm: AnythingLLMServer) -> None:
    anythingllm.behave(Behaviour(prompt_tokens=3))
    prompt = prompt_of(("target", "a.py", LONG[:3000]), ("question", "", "Explain."))
    assert not warnings_of(ask(anythingllm, prompt)[0])


@pytest.mark.parametrize(("configured", "tokens"), [(4096, 2867), (0, None)])
def test_the_window_is_the_part_that_a_message_may_have(configured: int, tokens: int | None) -> None:
    provider = AnythingLLM(AnythingLLMConfig(context_tokens=configured), Http(HttpOptions()))
    window = provider.window(None, Stop())
    assert (window and (window.tokens, window.origin)) == (tokens and (tokens, "configured"))


# Sources


SOURCE = {"title": "prices.md", "text": "It costs 3.", "chunkSource": "file://prices.md", "score": 1}


def test_documents_of_ours_that_come_back_are_no_sources(anythingllm: AnythingLLMServer) -> None:
    anythingllm.behave(Behaviour(sources=[SOURCE, SOURCE, {**SOURCE, "text": "More."}]))
    answer, _ = ask(anythingllm, EXPLAIN, attaches=True)
    assert [(it.title, it.text) for it in answer.sources] == [("prices.md", "It costs 3."), ("prices.md", "More.")]
    assert not warnings_of(answer)


@pytest.mark.parametrize(
    ("mode", "attaches", "sources", "is_told"),
    [
        ("query", False, [], True),
        ("query", True, [], True),
        ("query", True, [SOURCE], False),
        ("query", False, [SOURCE], False),
        ("chat", True, [], False),
    ],
)
def test_in_mode_query_an_answer_without_a_source_is_told(
    anythingllm: AnythingLLMServer, mode: str, sources: list[dict[str, Any]], *, attaches: bool, is_told: bool
) -> None:
    anythingllm.behave(Behaviour(sources=sources))
    answer, events = ask(anythingllm, EXPLAIN, mode=mode, attaches=attaches)
    note = Note(msg("No source in the knowledge base supports this answer."), is_warning=True)
    assert [event for event in events if isinstance(event, Note)] == [note] * is_told
    assert answer.finished is not None
    assert events[-1] is answer.finished


def test_documents_that_were_not_read_are_told_and_remembered(anythingllm: AnythingLLMServer) -> None:
    anythingllm.behave(Behaviour(takes_documents=False, sources=[SOURCE]))
    learned: list[bool] = []
    config = AnythingLLMConfig(anythingllm.url, fake.KEY, "test1", attaches=True)
    provider = AnythingLLM(config, Http(HttpOptions(2.0, 2.0, retries=0)), learned.append)
    answer = Answer()
    for event in provider.stream(Request("explain", EXPLAIN, Context(), "c"), Stop()):
        answer.add(event)
    assert learned == [False]
    assert "did not show the model 1 of 1" in warnings_of(answer)[0]


def test_a_failed_answer_says_nothing_about_documents(anythingllm: AnythingLLMServer) -> None:
    anythingllm.always(fake.capture("stream-chat-upstream-dies-midstream"))
    answer, _ = ask(anythingllm, EXPLAIN, attaches=True, mode="query")
    assert not answer.notes
