"""What a project's folders hold for a prompt: instructions, and files that are mentioned by name."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sidelight.core.context import Context, Excerpt, Piece
from sidelight.core.prompt import Budget, build_prompt
from sidelight.core.tasks import TASKS
from sidelight.editing.text import Place, Range
from sidelight.messages import msg
from sidelight.project import LARGEST_INSTRUCTIONS_KIB, LARGEST_MENTIONED_KIB, Opened, Project, with_project

CODE = "import os\n\n\ndef area(a, b):\n    return a * b\n\n\ndef half(a):\n    return area(a, 1) / 2\n"


def written(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def asking(instruction: str) -> Context:
    return Context(instruction=instruction)


def pieces(context: Context) -> list[tuple[str, str, str]]:
    return [(piece.kind, piece.name, piece.text) for piece in context.pieces]


def notes(context: Context) -> str:
    return "\n".join(str(note) for note in context.notes)


def test_instructions_count_in_a_trusted_folder_only(tmp_path: Path) -> None:
    written(tmp_path, AGENTS_dot_md="Use tabs.\n", _dot_sidelight__instructions_dot_md="Write tests.\n")
    assert Project((tmp_path,)).add_to(asking("hi"), None).pieces == ()
    context = Project((tmp_path,), is_trusted=True).add_to(asking("hi"), tmp_path / "a.py")
    assert pieces(context) == [
        ("instructions", "AGENTS.md", "Use tabs.\n"),
        ("instructions", ".sidelight/instructions.md", "Write tests.\n"),
    ]
    assert notes(context) == ""


def test_a_file_outside_of_the_folders_has_no_instructions(tmp_path: Path) -> None:
    written(tmp_path, work__AGENTS_dot_md="Use tabs.\n")
    project = Project((tmp_path / "work",), is_trusted=True)
    assert project.add_to(asking("hi"), tmp_path / "other.py").pieces == ()


def test_the_instructions_are_those_of_the_folder_that_the_document_is_in(tmp_path: Path) -> None:
    written(tmp_path, a__AGENTS_dot_md="a\n", b__AGENTS_dot_md="b\n")
    project = Project((tmp_path / "a", tmp_path / "b"), is_trusted=True)
    assert [piece.text for piece in project.add_to(asking(""), tmp_path / "b" / "x.py").pieces] == ["b\n"]


def test_long_instructions_are_cut_at_a_line_and_that_is_told(tmp_path: Path) -> None:
    line = "ä" * 99 + "\n"
    written(tmp_path, AGENTS_dot_md=line * 200)
    context = Project((tmp_path,), is_trusted=True).add_to(asking(""), None)
    text = context.pieces[0].text
    assert text == line * text.count("\n")
    assert 0 < len(text.encode()) <= LARGEST_INSTRUCTIONS_KIB << 10
    assert "AGENTS.md is longer than 16 KiB" in notes(context)


def test_a_mentioned_file_is_found_by_name_or_path(tmp_path: Path) -> None:
    written(tmp_path, src__area_dot_py=CODE, src__b__util_dot_py="1\n", tests__util_dot_py="2\n")
    project = Project((tmp_path,))
    assert pieces(project.add_to(asking("see @area.py"), None)) == [("mention", "src/area.py", CODE)]
    assert pieces(project.add_to(asking("see @b/util.py"), None)) == [("mention", "src/b/util.py", "1\n")]
    assert all(piece.is_wanted for piece in project.add_to(asking("@area.py"), None).pieces)
    found = project.add_to(asking("@area.py:4-5"), None).pieces[0]
    assert (found.text, found.first_line) == ("def area(a, b):\n    return a * b\n", 3)


def test_a_name_of_several_files_is_told_with_all_of_them(tmp_path: Path) -> None:
    written(tmp_path, src__util_dot_py="1\n", tests__util_dot_py="2\n")
    context = Project((tmp_path,)).add_to(asking("see @util.py and @nothing.py"), None)
    assert context.pieces == ()
    assert "@util.py can mean 2 files (src/util.py, tests/util.py)" in notes(context)
    assert "Nothing is called @nothing.py" in notes(context)


def test_an_open_document_comes_before_files_and_as_it_is_in_the_editor(tmp_path: Path) -> None:
    written(tmp_path, src__util_dot_py="on disk\n", tests__util_dot_py="2\n")
    opened = Opened("util.py", tmp_path / "src" / "util.py", "python", ["typed\n"])
    context = Project((tmp_path,), opened=[opened]).add_to(asking("see @util.py"), None)
    assert pieces(context) == [("mention", "src/util.py", "typed\n")]


def test_the_document_itself_is_mentioned_as_lines_of_it(tmp_path: Path) -> None:
    lines = tuple(CODE.splitlines(keepends=True))
    opened = Opened("area.py", tmp_path / "area.py", "python", lines)
    context = replace(asking("@area.py"), lines=lines)
    context = Project((tmp_path,), opened=[opened]).add_to(context, tmp_path / "area.py")
    assert [(one.kind, one.first, one.end) for one in context.excerpts] == [("mention", 0, len(lines))]
    assert context.pieces == ()


@pytest.mark.parametrize("mention", ["@.env", "@keys/server.pem", "@../secret.txt", "@/etc/passwd", '@"../secret.txt"'])
def test_files_for_secrets_and_outside_of_the_folder_are_not_sent(tmp_path: Path, mention: str) -> None:
    work = tmp_path / "work"
    written(tmp_path, secret_dot_txt="outside\n", work___dot_env="A=1\n", work__keys__server_dot_pem="x\n")
    context = Project((work,), is_trusted=True).add_to(asking(f"show {mention}"), None)
    assert context.pieces == ()
    assert len(context.notes) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_that_leads_out_of_the_folder_or_to_a_secret_is_not_followed(tmp_path: Path) -> None:
    written(tmp_path, secret_dot_txt="outside\n", work___dot_env="A=1\n", work__real_dot_md="fine\n")
    work = tmp_path / "work"
    os.symlink(tmp_path / "secret.txt", work / "out.txt")
    os.symlink(tmp_path / "secret.txt", work / "AGENTS.md")
    os.symlink(work / ".env", work / "settings.txt")
    os.symlink(work / "real.md", work / "link.md")
    os.symlink(work / "loop.md", work / "loop.md")
    os.mkfifo(work / "pipe.txt")
    project = Project((work,), is_trusted=True)
    context = project.add_to(asking("@out.txt @settings.txt @link.md @loop.md @pipe.txt"), None)
    assert pieces(context) == [("mention", "link.md", "fine\n")]
    assert len(context.notes) == 4


def test_binary_and_huge_files_are_not_sent(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\0\1\2")
    (tmp_path / "b.txt").write_bytes(b"a" * ((LARGEST_MENTIONED_KIB << 10) + 1))
    context = Project((tmp_path,)).add_to(asking("@a.bin @b.txt"), None)
    assert context.pieces == ()
    assert "not text in UTF-8" in notes(context)
    assert "@b.txt is larger than 1024 KiB" in notes(context)


def test_folders_of_others_code_are_not_looked_through(tmp_path: Path) -> None:
    written(tmp_path, node_modules__x__util_dot_py="no\n", src__util_dot_py="yes\n")
    assert [piece.text for piece in Project((tmp_path,)).add_to(asking("@util.py"), None).pieces] == ["yes\n"]


def test_a_word_is_a_symbol_before_it_is_a_file(tmp_path: Path) -> None:
    written(tmp_path, Makefile="all:\n", area="a file\n")
    shown = Excerpt("mention", 3, 5, msg("why"))
    project = Project((tmp_path,), symbol={"area": shown}.get)
    context = project.add_to(asking("@area @Makefile"), None)
    assert context.excerpts == (shown,)
    assert [piece.text for piece in context.pieces] == ["all:\n"]


def test_a_file_in_a_terminal_comes_with_what_it_uses_of_itself(tmp_path: Path) -> None:
    lines = tuple(CODE.splitlines(keepends=True))
    target = Range(Place(7, 0), Place(9, 0))
    context = Context("area.py", "python", lines, target, target, instruction="like @area")
    context = with_project(context, tmp_path / "area.py", tmp_path, is_trusted=False)
    assert ("mention", 3) in [(one.kind, one.first) for one in context.excerpts]
    assert ("definition", 3) in [(one.kind, one.first) for one in context.excerpts]
    assert not any(isinstance(piece, Piece) for piece in context.pieces)


def test_some_lines_of_a_private_key_are_masked_as_the_whole_is(tmp_path: Path) -> None:
    line = "MIIEabcdefghijklmnopQRSTUVWXYZ0123456789abcdefghijkl"
    body = "".join(f"{line}{number}\n" for number in range(6))
    written(tmp_path, notes_dot_txt=f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\n")
    context = Project((tmp_path,)).add_to(asking("What is @notes.txt:3-5?"), None)
    assert [piece.text.count(line) for piece in context.pieces] == [3]
    prompt = build_prompt(TASKS["ask"], context, Budget(4000, msg("choose less")))
    assert "@notes.txt:3-5" in prompt.user
    assert line not in prompt.user
