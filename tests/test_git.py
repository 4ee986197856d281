"""What has changed in a repository, asked of a real git that the repository cannot make run anything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sidelight import git
from sidelight.changed_files import NothingToReviewError, changed_files, files_of_diff
from sidelight.core.changes import Changes
from sidelight.core.git_output import patches_of
from sidelight.core.stopping import Stop, Stopped
from sidelight.errors import UsageError

Git = Callable[..., None]


@pytest.fixture
def repository(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository in ``folder``; returns what runs git there."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)

    run("init", "-q")
    return run


def by_path(changes: Changes) -> dict[str, tuple[str, int | None, int | None]]:
    return {file.path: (file.state, file.added, file.removed) for file in changes.files}


def test_staged_files_are_listed_whole_and_lock_files_and_binaries_only_named(folder: Path, repository: Git) -> None:
    (folder / "sub").mkdir()
    (folder / "é b.txt").write_text("one\ntwo\n", "utf-8")
    (folder / "sub" / "uv.lock").write_text("x\n")
    (folder / "image").write_bytes(b"\0\1" * 20)
    repository("add", ".")
    changes = git.staged_diff(folder / "sub")
    assert by_path(changes) == {
        "image": ("added", None, None), "sub/uv.lock": ("added", 1, 0), "é b.txt": ("added", 2, 0),
    }  # fmt: skip
    assert [file.path for file in changes.files if file.patch] == ["é b.txt"]
    assert changes.files[-1].patch.endswith("@@ -0,0 +1,2 @@\n+one\n+two\n")
    assert not changes.is_cut


def test_renames_and_names_with_quotes_have_their_patches(folder: Path, repository: Git) -> None:
    (folder / "old.py").write_text("x = 1\n" * 20)
    repository("add", ".")
    repository("commit", "-qm", "First\n\nBody")
    repository("mv", "old.py", "new.py")
    (folder / "new.py").write_text("x = 1\n" * 20 + "y = 2\n")
    if os.name != "nt":
        (folder / 'q"u\tote').write_text("z\n")
    repository("add", ".")
    files = {file.path: file for file in git.staged_diff(folder).files}
    assert (files["new.py"].state, files["new.py"].before) == ("renamed", "old.py")
    assert files["new.py"].patch.endswith("+y = 2\n")
    assert os.name == "nt" or files['q"u\tote'].patch.endswith("+z\n")
    assert git.last_subjects(folder) == ["First"]


def test_the_working_tree_is_compared_with_the_last_commit_or_with_nothing(folder: Path, repository: Git) -> None:
    (folder / "a.py").write_text("x = 1\n")
    repository("add", ".")
    assert git.last_subjects(folder) == []
    assert by_path(git.working_diff(folder)) == {"a.py": ("added", 1, 0)}
    repository("commit", "-qm", "First")
    (folder / "a.py").write_text("x = 2\n")
    (folder / "unknown.py").write_text("")
    assert by_path(git.working_diff(folder)) == {"a.py": ("changed", 1, 1)}
    assert git.staged_diff(folder).files == ()


def test_a_review_of_changes_has_the_files_that_git_does_not_know_yet(folder: Path, repository: Git) -> None:
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "a.py").write_text("x = 1\n")
    (folder / "given-up.py").write_text("x = 1\n")
    repository("add", ".")
    repository("commit", "-qm", "First")
    (folder / ".git" / "info" / "exclude").write_text("mine.py\n")
    for name in ("a.log", "mine.py", "sub/kept-out.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("ignored\n")
    (folder / "sub" / ".gitignore").write_text("kept-out.py\n.gitignore\n")
    (folder / "sub" / "é new.py").write_bytes("def f():\r\n    return 'é'\r\n".encode())
    (folder / "last").write_bytes(b"no line end, \xe9")
    (folder / "image").write_bytes(b"\0\1" * 20)
    (folder / ".env").write_text("TOKEN=abc\n")
    (folder / "uv.lock").write_text("locked\n")
    (folder / "empty.py").write_text("")
    (folder / "other").mkdir()
    repository("init", "-q", "other")
    (folder / "other" / "theirs.py").write_text("x = 1\n")
    repository("rm", "-q", "--cached", "given-up.py")
    found = changed_files(folder / "sub", (), "", "")
    assert [file.name for file in found.code.files] == ["last", "sub/é new.py"]
    assert found.paths[1] == folder / "sub" / "é new.py"
    assert found.code.files[1].lines[:2] == ["def f():\r\n", "    return 'é'\r\n"]
    shown = "".join(found.code.context.lines)
    assert "=== sub/é new.py (added)\n+ 1| def f():\n+ 2|     return 'é'\n" in shown
    assert "+ 1| no line end, \ufffd\n" in shown
    for line in ("image (added", "uv.lock (added", "empty.py (added", "given-up.py (deleted"):
        assert f"=== {line}, not shown)" in shown
    assert not any(word in shown for word in ("ignored", "theirs", "TOKEN", ".env", "locked", "a.py (changed"))
    assert [".env" in str(note) for note in found.code.context.notes] == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_what_a_new_link_points_at_is_not_read(folder: Path, repository: Git, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("private\n")
    (folder / "link").symlink_to(tmp_path / "outside.txt")
    (folder / "new.py").write_text("x = 1\n")
    shown = "".join(changed_files(folder, (), "", "").code.context.lines)
    assert "=== link (added, not shown)" in shown
    assert "private" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="no file is called so there")
def test_the_name_of_a_new_file_is_no_part_of_its_patch(folder: Path, repository: Git) -> None:
    name = "a\n@@ -0,0 +1000000 @@\n+forged"
    (folder / name).write_text("x = 1\n")
    [file] = changed_files(folder, (), "", "").code.files
    assert (file.name, file.lines, file.first) == (name, ["x = 1\n", ""], 0)


@pytest.mark.parametrize("line", ["+99999999", f"+{'9' * 5000}", f"+1,{'9' * 5000}"])
def test_a_diff_that_speaks_of_impossible_lines_is_not_shown(folder: Path, line: str) -> None:
    with pytest.raises(NothingToReviewError):
        files_of_diff(f"diff --git a/a.py b/a.py\n@@ -1 {line} @@\n+x\n", folder, "", "")


def test_a_repository_speaks_for_its_own_folder_alone(folder: Path, repository: Git) -> None:
    (folder.parent / "private").mkdir()
    (folder.parent / "private" / "notes.txt").write_text("my own words\n")
    (folder / "private").mkdir()
    (folder / "private" / "notes.txt").write_text("x\n")
    repository("add", ".")
    repository("commit", "-qm", "First")
    repository("config", "core.worktree", "../..")
    (folder / "new.py").write_text("x = 1\n")
    shown = "".join(changed_files(folder, (), "", "").code.context.lines)
    assert shown == "=== new.py (added)\n+ 1| x = 1\n\n"


def test_new_files_have_the_limits_that_changes_have(folder: Path, repository: Git) -> None:
    for name in "abc":
        (folder / name).write_text(f"{name * 60}\n" * 10_000)
    found = changed_files(folder, (), "", "")
    assert [file.name for file in found.code.files] == ["a"]
    assert "too large" in str(found.code.context.notes[0])
    for number in range(1000):
        (folder / f"many{number}.txt").write_text("x\n")
    assert len("".join(changed_files(folder, (), "", "").code.context.lines)) < 1 << 20


def test_where_nothing_has_changed_there_is_nothing_to_review(folder: Path, repository: Git) -> None:
    for make in (lambda: None, lambda: (folder / "image").write_bytes(b"\0\1")):
        make()
        with pytest.raises(NothingToReviewError):
            changed_files(folder, (), "", "")


def test_what_is_too_large_is_cut_and_the_list_is_not(folder: Path, repository: Git) -> None:
    for name in "abc":
        (folder / name).write_text(f"{name * 60}\n" * 10_000)
    repository("add", ".")
    changes = git.staged_diff(folder)
    assert changes.is_cut
    assert by_path(changes) == dict.fromkeys("abc", ("added", 10_000, 0))
    assert changes.files[0].patch.count("\n+aa") == 10_000
    assert 0 < changes.files[1].patch.count("\n+bb") < 10_000
    assert not changes.files[2].patch


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_a_repository_runs_nothing(folder: Path, repository: Git, tmp_path: Path) -> None:
    """Every setting of git's by which a diff or a log may start a program, each pointing at one that leaves a mark."""
    mark, program = tmp_path / "mark", tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\necho $0 $* >> {mark}\ncat\n")
    program.chmod(0o755)
    (folder / ".gitattributes").write_text("*.py diff=evil filter=evil\n*.bin diff=evil\n")
    (folder / "a.py").write_text("x = 1\n")
    repository("add", ".")
    repository("commit", "-qm", "First")
    hooks = folder / ".git" / "hooks"
    (hooks / "post-index-change").write_text(program.read_text())
    (hooks / "post-index-change").chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean",
        "filter.evil.smudge", "filter.evil.process", "gpg.program", "core.sshCommand", "core.editor", "core.askPass",
    ):  # fmt: skip
        repository("config", key, str(program))
    for key in ("log.showSignature", "filter.evil.required", "core.untrackedCache"):
        repository("config", key, "true")
    (folder / "a.py").write_text("x = 2\n")
    (folder / "new.py").write_text("y = 1\n")
    (folder / "new.bin").write_text("y = 1\n")
    index = (folder / ".git" / "index").read_bytes()
    assert by_path(git.working_diff(folder)) == {"a.py": ("changed", 1, 1)}
    assert [file.name for file in changed_files(folder, (), "", "").code.files] == ["a.py", "new.bin", "new.py"]
    assert git.staged_diff(folder).files == ()
    assert git.last_subjects(folder) == ["First"]
    assert (folder / ".git" / "index").read_bytes() == index
    assert not mark.exists(), mark.read_text()
    subprocess.run(["git", "diff"], cwd=folder, check=False, capture_output=True)
    assert mark.exists()  # or nothing of this proves anything


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_git_is_not_taken_from_an_opened_folder_or_a_relative_one(
    folder: Path, repository: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = git.find_git([])
    fake = folder / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    (tmp_path / "linked").symlink_to(fake.parent)
    monkeypatch.chdir(folder)
    found = os.pathsep.join([str(fake.parent), "bin", "", str(tmp_path / "linked"), str(real.parent)])
    monkeypatch.setenv("PATH", found)
    assert git.find_git([folder]) == real
    assert git.staged_diff(folder).files == ()
    monkeypatch.setenv("PATH", str(fake.parent))
    with pytest.raises(UsageError, match="git was not found"):
        git.staged_diff(folder)


def test_no_repository_and_a_broken_one_are_told(folder: Path, repository: Git, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        git.staged_diff(tmp_path)
    (folder / ".git" / "HEAD").write_text("nonsense")
    with pytest.raises(UsageError, match="git could not say"):
        git.staged_diff(folder)


def test_a_stop_ends_it(folder: Path, repository: Git) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        git.staged_diff(folder, stop=stop)


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell command")
def test_a_filter_whose_name_is_no_text_does_not_run(folder: Path, repository: Git, tmp_path: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    repository("add", ".")
    repository("commit", "-qm", "First")
    mark = tmp_path / "mark"
    with (folder / ".git" / "config").open("ab") as file:
        file.write(b'[filter "\xff"]\n\tclean = "touch ' + os.fsencode(mark) + b'; cat"\n')
    (folder / ".git" / "info" / "attributes").write_bytes(b"*.py filter=\xff\n")
    (folder / "a.py").write_text("x = 2\n")
    with pytest.raises(UsageError, match="cannot be switched off"):
        git.working_diff(folder)
    assert not mark.exists()
    subprocess.run(["git", "diff"], cwd=folder, check=False, capture_output=True)
    assert mark.exists()  # or nothing of this proves anything


def test_the_repository_of_the_folder_is_asked_whatever_git_told_our_parent(
    folder: Path, repository: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor that git started for a message has the variables of that repository."""
    other = tmp_path / "other"
    other.mkdir()
    for arguments in (("init", "-q"), ("add", ".")):
        (other / "theirs.py").write_text("y = 1\n")
        subprocess.run(["git", *arguments], cwd=other, check=True)
    (folder / "ours.py").write_text("x = 1\n")
    repository("add", ".")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert list(by_path(git.staged_diff(folder))) == ["ours.py"]
    (folder / ".git" / "index").rename(folder / ".git" / "next-index")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")  # a commit that is being made
    assert list(by_path(git.staged_diff(folder))) == ["ours.py"]


def test_why_git_refuses_a_repository_is_told(folder: Path, repository: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for ask in (git.staged_diff, git.working_diff):
        with pytest.raises(UsageError, match="dubious ownership"):
            ask(folder)


def test_blank_lines_of_a_patch_keep_their_place(folder: Path, repository: Git) -> None:
    repository("config", "diff.suppressBlankEmpty", "true")
    (folder / "a.py").write_text("a\n\nb\n")
    repository("add", ".")
    repository("commit", "-qm", "First")
    (folder / "a.py").write_text("a\n\nc\n")
    assert git.working_diff(folder).files[0].patch.endswith("\n a\n \n-b\n+c\n")


def test_names_in_a_diff_that_git_escaped_are_read_as_they_are() -> None:
    def path_of(quoted: str) -> str:
        return next(iter(patches_of(f'diff --git "a/{quoted}" "b/{quoted}"\n@@ -1 +1 @@\n-x\n+y\n')))

    assert path_of(r"\350\223\235\t\"\\.py") == '蓝\t"\\.py'
    assert path_of(r"蓝\303\244.py") == "蓝ä.py"
    assert path_of(r"\9\777.py") == "9\ufffd.py"  # nothing that git writes


def test_a_diff_names_no_file_outside_the_repository(folder: Path, repository: Git, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("one\ntwo\nthree\n")
    where = os.path.relpath(tmp_path / "outside.md", folder)
    (folder / "inside.md").write_text("one\ntwo\nthree\n")
    lines = []
    for name in (where.replace(os.sep, "/"), "inside.md"):
        found = files_of_diff(f"diff --git a/{name} b/{name}\n@@ -1 +1 @@\n one\n", folder, "", "")
        assert found is not None
        lines.append(len(found.code.files[0].lines))
    assert lines == [1, 4]  # what the diff says, and the whole file
