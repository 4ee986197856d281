"""Conversations to take away: what stands in them, and that nothing in an answer ends the place it stands in."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from sidelight.core.answers import Source
from sidelight.core.ports import ConversationSummary, SentPart, Turn
from sidelight.core.transcripts import as_json, markdown, transcript
from sidelight.messages import Message

AT = datetime(2026, 3, 1, 12, 0, 0, 999999, timezone.utc)
SUMMARY = ConversationSummary("sidelight-1", "A title", "file:///folder", AT, AT, 1)
TURN = Turn(1, "ask", "Why?", AT, place="area.py:12", sent="user: Why?", answer="Because.", finish="complete",
            provider="anythingllm", model="docs")  # fmt: skip


def test_markdown_has_title_times_question_answer_and_sources() -> None:
    turn = replace(TURN, sources=(Source("Guide", "link://guide"), Source("")), notes=("Half was shown.",))
    assert markdown(SUMMARY, [turn, replace(TURN, number=2, finish="cut_off", error="The line broke.")]) == (
        "# A title\n\nConversation sidelight-1, 2026-03-01T12:00:00Z to 2026-03-01T12:00:00Z\n\nFolder: file:///folder\n\n"
        "## 1. ask\n\n2026-03-01T12:00:00Z, area.py:12, anythingllm docs\n\n**Question**\n\n> Why?\n\n"
        "**Answer**\n\n> Because.\n\n**Sources**\n\n1. Guide, link://guide\n2. untitled\n\n- Half was shown.\n\n"
        "## 2. ask\n\n2026-03-01T12:00:00Z, area.py:12, anythingllm docs\n\n**Question**\n\n> Why?\n\n"
        "**Answer**\n\n> Because.\n\n*(cut off: The line broke.)*\n"
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c"])
@pytest.mark.parametrize(
    "text", ["```python", "~~~~", "# heading", "<!-- comment", "- list", "> quote", "---", "    code", "[x]: y", "***"]
)
def test_no_line_of_an_answer_is_a_line_of_the_page(text: str, end: str) -> None:
    turn = replace(TURN, answer=f"before{end}{text}{end}{end}after", instruction=f"{text}{end}{text}")
    page = markdown(SUMMARY, [turn, replace(TURN, number=2)])
    assert all(line.startswith(">") for line in re.split("[\n\r\u2028\u2029\x0b\x0c\x85\x1c]", page) if text in line)
    assert "\n\n## 2. ask\n\n" in page


@pytest.mark.parametrize(
    "text", ["a\n# b", "```", "**b**", "[x](y)", "<b>", "`c`", "_d_", "a|b", "&lt;", "x #", "\\", "$x$"]
)
def test_short_texts_are_on_one_line_and_no_markup(text: str) -> None:
    turn = replace(
        TURN, place=text, provider=text, error=text, finish="cut_off", sources=(Source(text, text),), notes=(text,)
    )
    page = markdown(replace(SUMMARY, title=text, id=text, folder=text), [turn])
    plain = markdown(replace(SUMMARY, title="t", id="t", folder="t"), [replace(
        turn, place="t", provider="t", error="t", sources=(Source("t", "t"),), notes=("t",))])  # fmt: skip
    assert len(page.splitlines()) == len(plain.splitlines())
    assert text == "a\n# b" or text not in page.replace(f"\\{text[0]}", "")


def test_words_with_underscores_stay_readable() -> None:
    assert "user_name C#" in markdown(replace(SUMMARY, title="user_name C# x"), [])


def test_json_has_everything_and_can_be_written() -> None:
    turn = replace(
        TURN, answer="汉字 \ud800\0", reasoning="hm", error="e", sources=(Source("t", "u", "x"),), notes=("n", "w"),
        warnings=("w",), sent_to="localhost:3001", about="d1",
        parts=(SentPart("target", "area.py", Message("the {count} lines", {"count": 2}), 7, "message"),),
    )  # fmt: skip
    text = as_json(SUMMARY, [turn])
    value = json.loads(text.encode("utf-8"))
    assert "汉字" in text
    assert list(value) == ["format", "version", "id", "title", "folder", "beganAt", "changedAt", "turns"]
    assert (value["format"], value["version"]) == ("sidelight-conversation", 1)
    assert value["turns"] == [{
        "number": 1, "task": "ask", "instruction": "Why?", "place": "area.py:12", "sent": "user: Why?",
        "sentTo": "localhost:3001", "about": "d1", "parts": [
            {"kind": "target", "name": "area.py", "why": "the 2 lines", "tokens": 7, "where": "message"}],
        "answer": "汉字 \ud800\0", "sources": [{"title": "t", "uri": "u", "text": "x", "number": 1}],
        "notes": ["n", "w"], "warnings": ["w"],
        "finish": "complete", "provider": "anythingllm", "model": "docs", "beganAt": "2026-03-01T12:00:00Z",
        "firstTextMs": None, "durationMs": None, "promptTokens": None, "completionTokens": None, "reasoning": "hm",
        "error": "e",
    }]  # fmt: skip


def test_both_formats_are_chosen_by_name() -> None:
    assert transcript(SUMMARY, [TURN], "json") == as_json(SUMMARY, [TURN])
    assert transcript(SUMMARY, [TURN], "markdown") == markdown(SUMMARY, [TURN])
