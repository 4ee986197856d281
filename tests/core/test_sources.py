"""Sources as a reader counts them, and what was sent as a page: nothing that a server wrote is more than text."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from sidelight.core.answers import Source
from sidelight.core.ports import SentPart, Turn
from sidelight.core.sent_page import sent_page, sent_value
from sidelight.core.sources import address_of, cited, source_values
from sidelight.core.transcripts import source_line
from sidelight.messages import msg, plain, translator

TURN = Turn(
    1, "explain", "", datetime(2026, 3, 1, tzinfo=timezone.utc), place="area.py:1", sent="Explain.\n```\nx\n```"
)


def test_passages_are_grouped_by_document_and_each_is_there_once() -> None:
    sources = [Source("b.md", "", "one"), Source("a.md", "", "two"), Source("b.md", "", "three"),
               Source("b.md", "", " one\n"), Source("a.md", "file:///a.md", "two"), Source("a.md")]  # fmt: skip
    found = cited(sources)
    assert [(it.number, it.title, it.uri, it.passages) for it in found] == [
        (1, "b.md", "", ("one", "three")), (2, "a.md", "", ("two",)), (3, "a.md", "file:///a.md", ("two",)),
    ]  # fmt: skip
    assert [(it["number"], it["text"]) for it in source_values(found)] == [
        (1, "one"), (1, "three"), (2, "two"), (3, "two"),
    ]  # fmt: skip


def test_a_document_without_a_passage_is_a_source_all_the_same() -> None:
    assert source_values(cited([Source("a.md")])) == [{"title": "a.md", "uri": "", "text": "", "number": 1}]


def test_the_mark_at_which_a_knowledge_base_cuts_is_no_text_of_the_document() -> None:
    [found] = cited([Source("a.md", "", "It begins...continued on in source document...")])
    assert found.passages == ("It begins",)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("link://https://wiki/a?b#c", "https://wiki/a?b#c"), ("https://wiki/a", "https://wiki/a"),
        ("localfile://docs/a.md", "localfile://docs/a.md"), ("C:\\docs\\a.md", "C:\\docs\\a.md"), ("docs/a.md",) * 2,
        ("command:workbench.action.quit", ""), (" \tCommand:x", ""), ("com\nmand:x", "com mand:x"),
        ("javascript:x", ""),
        ("vscode://x/y", ""), ("data:text/html,x", ""), ("link://command:x", "link://command:x"),
    ],
)  # fmt: skip
def test_an_address_that_may_do_things_is_not_shown(uri: str, shown: str) -> None:
    assert address_of(uri) == shown


def test_a_line_of_the_list_has_no_markup_and_one_line() -> None:
    [found] = cited([Source("# [Guide](command:x)\n2. **two** `c`", "command:x", "t")])
    assert source_line(found) == r"1. # \[Guide\](command:x) 2. \*\*two\*\* \`c\`"
    [web] = cited([Source("Guide", "https://wiki/<b>")])
    assert source_line(web) == r"1. Guide, https://wiki/\<b\>"


# What was sent


def test_what_was_sent_is_a_table_and_the_message_in_a_fence_that_it_cannot_end() -> None:
    parts = (
        SentPart("orders", "", msg("the task"), 20, "orders"),
        SentPart("mention", "a|b`.md", plain("you mentioned <it>"), 5, "attachment"),
        SentPart("later", "x", plain("y"), 1, "elsewhere"),  # type: ignore[arg-type]
    )
    page = sent_page(Turn(**{**_values(), "parts": parts, "sent_to": "localhost:3001"}), str)
    assert "It went to anythingllm docs at localhost:3001." in page
    assert "| orders |  | the task | 20 | standing orders |" in page
    assert r"| mentioned | a\|b\`.md | you mentioned \<it\> | 5 | attached document |" in page
    assert "| later | x | y | 1 | elsewhere |" in page
    assert "| In all |  |  | 26 |  |" in page
    assert page.endswith("````text\nExplain.\n```\nx\n```\n````\n")


def test_a_turn_of_an_earlier_version_says_that_its_parts_were_not_kept() -> None:
    turn = Turn(**{**_values(), "prompt_tokens": 12})
    assert "was not kept with this turn" in sent_page(turn, str)
    assert sent_value(turn, str)["tokens"] == 12
    assert sent_value(turn, str)["parts"] == []


def test_what_was_sent_is_said_in_the_users_language() -> None:
    parts = (SentPart("orders", "", plain("x"), 1, "orders"),)
    assert "orders" not in sent_page(Turn(**{**_values(), "parts": parts}), translator("zh-cn"))


def _values() -> dict[str, object]:
    values = {name: getattr(TURN, name) for name in ("number", "task", "instruction", "began_at", "place", "sent")}
    return {**values, "provider": "anythingllm", "model": "docs"}
