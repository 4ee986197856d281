"""What tests of conversations share: turns, a clock that a test moves, and other processes on the same file."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sidelight.core.ports import Conversation, Conversations, Turn

SERVER = Path(__file__).resolve().parents[2] / "server"
BEGAN = datetime(2026, 3, 1, 12, 0, 0, 123456, timezone.utc)
MIB = 1 << 20


class Clock:
    """Goes on by a second with every look, and as far as it is told."""

    def __init__(self) -> None:
        self.time = BEGAN

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def turn(number: int = 1, instruction: str = "What is this?", answer: str = "An area.", **more: Any) -> Turn:
    """Return a turn that has ended."""
    values: dict[str, Any] = {"task": "ask", "began_at": BEGAN, "finish": "complete", **more}
    return Turn(number=number, instruction=instruction, answer=answer, **values)


def talk(conversations: Conversations, *texts: str, folder: str = "", id_: str | None = None) -> Conversation:
    """Keep a conversation with a turn for each question, whose answer is the question again."""
    conversation = conversations.open(id_, folder)
    for text in texts or ("What is this?",):
        conversations.keep(conversation, turn(conversations.begin(conversation), text, f"Answer: {text}"))
    return conversation


def child(data: Path, code: str, **environment: str) -> subprocess.Popen[str]:
    """Start another process that has ``conversations`` on the same file, and ``talk`` and ``turn``."""
    head = (
        "import os, sys, time; from pathlib import Path; from dataclasses import replace\n"
        "from support.conversations import talk, turn, BEGAN\n"
        "from sidelight.store.conversations import StoredConversations\n"
        f"conversations = StoredConversations(Path({str(data)!r}), days=90, budget_bytes={200 * MIB})\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + code],
        env={**os.environ, "PYTHONPATH": f"{SERVER}{os.pathsep}{SERVER.parent / 'tests'}", **environment},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run_child(data: Path, code: str) -> str:
    """Run code in another process to its end; returns what it prints."""
    out, errors = child(data, code).communicate(timeout=30)
    assert not errors, errors
    return out
