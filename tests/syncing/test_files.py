"""Which files go into a knowledge base."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sidelight.core.stopping import Stop, Stopped
from sidelight.syncing.files import LARGEST_BYTES, Selection, select
from sidelight.syncing.names import local_file, place_of, root_of, source_of

PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAuV7yYzq1Yk3Y9m3bJxQ8cN5pRkT0sLwZ2dFhGjKlQwErTyUi\n"
PATTERNS = ["*.md", "!a.md", "docs/", "/docs/*", "!docs/b.md", "b.md", "/a.md", "**/c.md", "docs/**", "x/*.md", "!x/",
            "[ab].md", "d?cs/", "# a.md", "\\#.md", "c.md ", "x/docs", "!/x/docs/a.md", "!*.md",
            "*", "!*/", "**/", "x/**", "!**", "/**/b.md", "docs/**/"]  # fmt: skip


def put(path: Path, text: str | bytes = "text\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def chosen(root: Path, *tops: str, without: tuple[str, ...] = ()) -> Selection:
    return select(root, tops or ("",), without, Stop())


def reasons(selection: Selection) -> dict[str, str]:
    return {it.name: it.why for it in selection.refused}


@pytest.mark.skipif(shutil.which("git") is None, reason="git itself is what is compared with")
@pytest.mark.parametrize("seed", range(12))
def test_what_git_ignores_is_left_out_on_every_level(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    choose = random.Random(seed)
    root = tmp_path.resolve()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    folders = ["", "docs", "x", "x/docs", "x/docs/docs"]
    for folder in folders:
        for name in ("a.md", "b.md", "c.md", "#.md"):
            put(root / folder / name, f"{folder}/{name}\n")
    for place in (*choose.sample(folders, 3), ".git/info"):
        lines = choose.choices(PATTERNS, k=choose.randint(1, 4))
        put(root / place / ("exclude" if place.startswith(".git") else ".gitignore"), "\n".join(lines) + "\n")
        print(place, lines)
    listed = subprocess.run(
        ["git", "-C", str(root), "-c", "core.excludesFile=", "ls-files", "--others", "--exclude-standard", "-z"],
        check=True, capture_output=True, text=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    ).stdout  # fmt: skip
    assert sorted(chosen(root).digests) == sorted(name for name in listed.split("\0") if name)


def test_a_named_file_goes_though_git_ignores_it_and_a_named_folder_does_not(tmp_path: Path) -> None:
    put(tmp_path / ".gitignore", "build/\n*.log\n")
    put(tmp_path / "build" / "a.md")
    put(tmp_path / "run.log")
    selection = chosen(tmp_path, "run.log", "build/a.md", "build")
    assert sorted(selection.digests) == ["build/a.md", "run.log"]
    assert reasons(selection) == {"build": "ignored"}


def test_secrets_binaries_and_empty_and_huge_files_are_left_out_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path / "a.md")
    put(tmp_path / ".env", "A=b")
    put(tmp_path / "key.md", f"one\n\n{PRIVATE_KEY}")
    put(tmp_path / "nul.md", "a\0b")
    put(tmp_path / "latin.md", b"caf\xe9")
    put(tmp_path / "empty.md", " \n")
    put(tmp_path / "huge.md", b"a" * (LARGEST_BYTES + 1))
    put(tmp_path / ".git" / "config", "[core]")
    put(tmp_path / "node_modules" / "x.js", "x")
    selection = chosen(tmp_path)
    assert list(selection.digests) == ["a.md"]
    assert reasons(selection) == {
        ".env": "secret", "key.md": "secret", "nul.md": "binary", "latin.md": "binary", "empty.md": "empty",
        "huge.md": "large",
    }  # fmt: skip
    assert "line 4" in str(next(it.message for it in selection.refused if it.name == "key.md"))
    assert reasons(chosen(tmp_path, ".git/config", ".env")) == {".git/config": "ignored", ".env": "secret"}


def test_removed_ones_stay_away_and_a_stop_is_heard(tmp_path: Path) -> None:
    for name in ("a.md", "b/c.md", "bc.md"):
        put(tmp_path / name)
    assert list(chosen(tmp_path, without=("b",)).digests) == ["a.md", "bc.md"]
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        select(tmp_path, [""], (), stop)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", put(tmp_path / "outside" / "a.md")
    put(root / "b.md")
    put(root / ".env", "A=b")
    (root / "in.md").symlink_to("b.md")
    (root / "out.md").symlink_to(outside)
    (root / "secret.md").symlink_to(".env")
    (root / "folder").symlink_to(outside.parent)
    (root / "dead.md").symlink_to("nowhere")
    selection = chosen(root)
    assert list(selection.digests) == ["b.md", "in.md"]
    told = reasons(selection)
    assert told == {".env": "secret", "out.md": "link", "secret.md": "secret", "dead.md": "unreadable"}
    assert reasons(chosen(root, "folder")) == {"folder": "link"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names, or no pipes among files")
def test_odd_names_and_files_that_never_end_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "bad\udcff.md")
    os.mkfifo(tmp_path / "pipe.md")
    assert sorted(reasons(chosen(tmp_path)).values()) == ["binary", "name"]


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="permissions bind everybody only elsewhere")
def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b.md")
    (tmp_path / "a").chmod(0)
    try:
        assert reasons(chosen(tmp_path)) == {"a": "unreadable"}
    finally:
        (tmp_path / "a").chmod(0o700)


def test_a_source_leads_back_to_its_file_in_its_own_root(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for root in (one, two):
        put(root / "docs" / "蓝色 100%#?.md", root.name)
    source = source_of(two, "docs/蓝色 100%#?.md")
    assert source.isascii() and source.startswith("localfile://two/docs/%")
    found = local_file(source, [one, two])
    assert found is not None and found.read_text() == "two"
    assert local_file(source, [one]) == (one / "docs" / "蓝色 100%#?.md").resolve()
    (tmp_path / ".git").mkdir()
    assert local_file(source_of(tmp_path, "two/docs/蓝色 100%#?.md"), [two]) is not None
    assert local_file(source_of(tmp_path, "one/docs/蓝色 100%#?.md"), [two]) is None
    for wrong in (source_of(two, "docs/no.md"), "localfile://two/../one/docs/a", "localfile://two//etc/passwd",
                  "localfile://two/docs", "file:///etc/passwd", "localfile://", "localfile://two/%00"):  # fmt: skip
        assert local_file(wrong, [one, two]) is None


def test_the_root_is_the_repository_else_the_opened_folder(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    page = put(base / "repository" / "docs" / "a.md")
    other = put(base / "plain" / "docs" / "b.md")
    (base / "repository" / ".git").mkdir()
    assert root_of(page, [base / "repository" / "docs"]) == base / "repository"
    assert place_of(page) == (base / "repository", "docs/a.md")
    assert root_of(other, [base / "plain"]) == base / "plain"
    assert root_of(other, [base / "repository"]) == base / "plain" / "docs"
    assert place_of(base / "plain", [base / "plain"]) == (base / "plain", "")


@pytest.mark.skipif(shutil.which("git") is None, reason="git makes the work tree")
def test_the_exclude_file_of_a_second_work_tree_counts(tmp_path: Path) -> None:
    root = tmp_path.resolve() / "main"
    run = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    tree = root.parent / "tree"
    subprocess.run([*run, "worktree", "add", "-q", str(tree)], check=True, capture_output=True)
    put(root / ".git" / "info" / "exclude", "b.md\n")
    put(tree / "a.md")
    put(tree / "b.md")
    assert list(chosen(tree).digests) == ["a.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_is_what_is_named_and_an_opened_folder_may_be_one(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    put(base / "repository" / ".git" / "HEAD")
    put(base / "elsewhere" / ".git" / "HEAD")
    put(base / "elsewhere" / "private.md")
    (base / "repository" / "docs").symlink_to(base / "elsewhere")
    (base / "opened").symlink_to(base / "repository")
    assert place_of(base / "repository" / "docs") == (base / "repository", "docs")
    assert reasons(chosen(base / "repository", "docs")) == {"docs": "link"}
    assert place_of(base / "opened", [base / "opened"]) == (base / "repository", "")
    assert place_of(base / "opened") == (base / "repository", "")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_in_a_circle_holds_nothing_up_and_one_to_what_is_ignored_is_ignored(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    put(root / ".gitignore", "private/\n")
    put(root / "private" / "a.md")
    put(root / "b.md")
    (root / "a.md").symlink_to(root / "private" / "a.md")
    (root / "c.md").symlink_to(root / "b.md")
    (root / "circle").symlink_to("circle")
    selection = chosen(root)
    assert sorted(selection.digests) == [".gitignore", "b.md", "c.md"]
    assert reasons(selection) == {"circle": "unreadable"}
    assert reasons(chosen(root, "circle")) == {"circle": "unreadable"}
