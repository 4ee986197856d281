from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sidelight.lsp.documents import document_key, file_path, file_uri, name_of

SERVER = Path(__file__).resolve().parents[2] / "server"


@pytest.mark.parametrize(
    "spellings",
    [
        ("file:///c%3A/x/a%20b.py", "file:///C:/x/a b.py", "file:///c:/x/a%20b.py", "FILE:///C%3a/x/a%20b.py"),
        ("file:///home/%E4%BD%A0/a%23b.py", "file:///home/你/a%23b.py"),
        ("file://server/share/a.py", "file://SERVER/share/a.py"),
        ("file://localhost/etc/x", "file:///etc/x"),
        ("sidelight:/answers/a.md", "sidelight:///answers/a.md"),
    ],
)
def test_one_document_has_one_key(spellings: tuple[str, ...]) -> None:
    assert len({document_key(uri) for uri in spellings}) == 1


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "untitled:Untitled-2", "vscode-notebook-cell:/a.ipynb#X1"])
def test_other_schemes_keep_apart_what_is_apart(uri: str) -> None:
    assert document_key(uri) != document_key("untitled:Untitled-3")
    assert document_key(f"{uri}0") != document_key(uri)


def test_a_file_and_its_uri_are_one(tmp_path: Path) -> None:
    for name in ("a b.py", "a#b%20.py", "你好.py", "a?b.py"):
        if os.name == "nt" and "?" in name:
            continue
        uri = file_uri(tmp_path / name)
        assert file_path(uri) == tmp_path / name
        assert name_of(uri) == name


def test_what_is_no_file_has_no_path() -> None:
    assert file_path("untitled:Untitled-1") is None
    assert file_path("https://h/x.py") is None


def test_a_stray_print_does_not_reach_the_protocol() -> None:
    script = (
        f"import os, subprocess, sys; sys.path.insert(0, {str(SERVER)!r})\n"
        "from sidelight.lsp.stdio import take_over_standard_streams\n"
        "protocol_in, protocol_out = take_over_standard_streams()\n"
        "print('stray one', flush=True)\n"
        "os.write(1, b'stray two')\n"
        "subprocess.run([sys.executable, '-c', 'print(\"stray\", \"three\", input.__name__)'])\n"
        "assert sys.stdin.read() == ''\n"
        "os.write(protocol_out, b'frame:' + os.read(protocol_in, 100))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], input=b"request", capture_output=True, check=True, timeout=20)
    assert done.stdout == b"frame:request"
    assert [word in done.stderr for word in (b"stray one", b"stray two", b"stray three")] == [True] * 3
