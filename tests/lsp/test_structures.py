"""The structures of open documents: read in the background, at hand at once, never of an older text."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic

import pytest
from lsprotocol import types

from sidelight.editing.structure import Structure
from sidelight.editing.structure_near import NearStructure
from sidelight.lsp.documents import Document, Documents
from sidelight.lsp.structures import Structures

CODE = "import math\n\n\ndef area(shape):\n    return math.pi * shape.radius\n"
URI = "file:///area.py"


def opened(documents: Documents, text: str = CODE, uri: str = URI, language: str = "python") -> Document:
    return documents.open(types.TextDocumentItem(uri, language, 1, text))


def typed(documents: Documents, version: int, line: int, text: str) -> None:
    at = types.Position(line, 0)
    change = types.TextDocumentContentChangePartial(types.Range(at, at), text)
    documents.change(types.VersionedTextDocumentIdentifier(version, URI), [change])


async def until(condition: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not condition():
        assert monotonic() < end, "it never came"
        await asyncio.sleep(0.01)


def is_whole(structures: Structures, document: Document) -> bool:
    return not isinstance(structures.of(document), NearStructure)


async def test_an_opened_document_is_read_in_the_background_and_answers_before() -> None:
    documents = Documents()
    structures = Structures(documents)
    document = opened(documents)
    assert isinstance(structures.of(document), NearStructure)
    assert [one.name for one in structures.of(document).enclosing(4, 5)] == ["area"]
    await until(lambda: is_whole(structures, document))
    assert structures.of(document).names_used(4, 5) == ("math.pi", ".radius")
    assert structures.of(document) is structures.of(document)


async def test_after_a_change_the_answer_is_of_the_text_as_it_is_now() -> None:
    documents = Documents()
    structures = Structures(documents)
    document = opened(documents)
    await until(lambda: is_whole(structures, document))
    typed(documents, 2, 3, "LIMIT = 1\n\n\n")
    now = structures.of(document)
    assert isinstance(now, NearStructure)
    assert [one.header for one in now.enclosing(7, 8)] == [6]
    await until(lambda: is_whole(structures, document))
    assert [one.header for one in structures.of(document).enclosing(7, 8)] == [6]


async def test_what_was_read_of_an_older_text_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, seen = threading.Event(), threading.Event(), list[int]()
    read = Structure.of

    def slowly(lines: tuple[str, ...], language: str, is_wanted: Callable[[], bool]) -> Structure:
        seen.append(len(lines))
        begun.set()
        assert go_on.wait(20)
        return read(lines, language, is_wanted)

    monkeypatch.setattr(Structure, "of", slowly)
    documents = Documents()
    structures = Structures(documents)
    document = opened(documents)
    await asyncio.to_thread(begun.wait, 20)
    typed(documents, 2, 0, "\n\n")
    go_on.set()
    await until(lambda: is_whole(structures, document))
    assert seen == [6, 8]
    assert [one.header for one in structures.of(document).enclosing(6, 7)] == [5]


async def test_changes_that_follow_one_another_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[int]()
    read = Structure.of

    def counted(lines: tuple[str, ...], language: str, is_wanted: Callable[[], bool]) -> Structure:
        seen.append(len(lines))
        return read(lines, language, is_wanted)

    monkeypatch.setattr(Structure, "of", counted)
    documents = Documents()
    structures = Structures(documents)
    document = opened(documents)
    for version in range(2, 12):
        typed(documents, version, 0, "\n")
    await until(lambda: is_whole(structures, document))
    assert seen == [16]


async def test_the_loop_goes_on_while_a_long_document_is_read() -> None:
    documents = Documents()
    structures = Structures(documents)
    body = "".join(
        f"    def method_{n}(self, shape):\n        return self.method_{n}(shape.x)\n\n" for n in range(6000)
    )
    document = opened(documents, f"class Long:\n{body}")
    await until(lambda: structures._reading is not None)
    turns = 0
    while structures._reading is not None:
        await asyncio.sleep(0.005)
        turns += 1
    assert is_whole(structures, document)
    assert turns > 3


async def test_a_huge_document_is_only_looked_at_around_the_place() -> None:
    documents = Documents()
    structures = Structures(documents)
    huge = opened(documents, CODE + "x = 1\n" * 400_000)
    small = opened(documents, uri="file:///small.py")
    await until(lambda: is_whole(structures, small))
    await until(lambda: structures._reading is None)
    assert not is_whole(structures, huge)
    assert [one.name for one in structures.of(huge).enclosing(4, 5)] == ["area"]


async def test_others_are_all_that_are_open_the_last_touched_first() -> None:
    documents = Documents()
    structures = Structures(documents)
    document = opened(documents)
    for name in ("one", "two", "three"):
        opened(documents, uri=f"file:///{name}.py")
    documents.close("file:///two.py")
    typed(documents, 2, 0, "\n")
    assert [one.name for one in structures.others(document)] == ["three.py", "one.py"]
    assert [one.name for one in structures.others(None)] == ["area.py", "three.py", "one.py"]
    assert structures.others(document)[0].lines == tuple(document.text.lines[1:])


async def test_a_document_that_is_opened_anew_is_another_one() -> None:
    documents = Documents()
    structures = Structures(documents)
    first = opened(documents)
    await until(lambda: is_whole(structures, first))
    second = opened(documents, "def other():\n    pass\n")
    assert [one.name for one in structures.of(second).enclosing(1, 2)] == ["other"]
    await until(lambda: is_whole(structures, second))
    assert not is_whole(structures, first)


async def test_a_document_that_is_not_open_answers_too() -> None:
    document = Document(URI, "python", None, CODE, "utf-16")
    assert [one.name for one in Structures(Documents()).of(document).enclosing(4, 5)] == ["area"]


async def test_nothing_is_read_after_the_end() -> None:
    documents = Documents()
    structures = Structures(documents)
    document = opened(documents)
    structures.end()
    typed(documents, 2, 0, "\n")
    assert all(read.timer is None for read in structures._reads.values())
    assert not is_whole(structures, document)
