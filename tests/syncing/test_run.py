"""Bringing files into a knowledge base, over HTTP, with a server that keeps documents as AnythingLLM does."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sidelight.core.stopping import Stop
from sidelight.errors import ProviderError, SidelightError, UsageError
from sidelight.providers.anythingllm_api import AnythingLLMConfig
from sidelight.providers.anythingllm_documents import AnythingLLMDocuments
from sidelight.providers.http import Http, HttpOptions
from sidelight.syncing.run import Syncing, Wish
from sidelight.syncing.values import Report, Step
from sidelight.syncing.work import Work
from support.anythingllm import KEY, Pause, Script, Seen, json_reply
from support.anythingllm_documents import DocumentsServer
from support.vendor import eventually

ADD = Wish("add", ("",))
SYNC = Wish("sync")


@pytest.fixture
def server() -> Iterator[DocumentsServer]:
    server = DocumentsServer()
    yield server
    server.close()


class Project:
    """A folder and a workspace, as one user has them."""

    def __init__(self, root: Path, kept: Path, server: DocumentsServer, workspace: str = "test1") -> None:
        root.mkdir(exist_ok=True)
        self.root = root.resolve()
        self.kept = kept
        self.server = server
        self.config = AnythingLLMConfig(server.url, KEY, workspace)
        self.steps: list[Step] = []
        self.stop = Stop()

    @property
    def syncing(self) -> Syncing:
        return Syncing(self.root, AnythingLLMDocuments(self.config, Http(HttpOptions(retries=0))), self.kept)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def do(self, wish: Wish = SYNC) -> Report:
        self.server.seen.clear()
        return self.syncing.perform(wish, self.steps.append, self.stop)

    def look(self, wish: Wish = SYNC) -> Report:
        return self.syncing.look(wish, Stop())


@pytest.fixture
def project(tmp_path: Path, server: DocumentsServer) -> Project:
    project = Project(tmp_path / "project", tmp_path / "kept", server)
    project.write("README.md", "Hello.\n")
    project.write("docs/蓝色 协议.md", "你好。\n")
    return project


def is_whole(report: Report) -> bool:
    return not (report.failed or report.error or report.is_stopped)


def titles(server: DocumentsServer) -> list[str]:
    return sorted(it["title"] for it in server.documents.values())


def test_what_is_added_is_there_under_its_real_name(project: Project, server: DocumentsServer) -> None:
    report = project.do(ADD)
    assert is_whole(report)
    assert report.workspace == "test1"
    assert sorted(report.done) == server.names() == ["README.md", "docs/蓝色 协议.md"]
    assert server.text_of("docs/蓝色 协议.md") == "你好。\n"
    [source] = {it["chunkSource"] for it in server.documents.values() if it["title"] == "docs/蓝色 协议.md"}
    assert source == "localfile://project/docs/%E8%93%9D%E8%89%B2%20%E5%8D%8F%E8%AE%AE.md"
    assert [(step.number, step.count) for step in project.steps if step.act == "upload"] == [(1, 2), (2, 2)]


def test_a_second_time_nothing_is_sent(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    for wish in (ADD, SYNC):
        report = project.do(wish)
        assert is_whole(report) and not report.done and len(report.plan.in_step) == 2
        assert [seen.path for seen in server.seen] == ["/api/v1/workspace/test1"]


def test_a_changed_file_replaces_its_document_and_is_never_away(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    [old] = [it["docpath"] for it in server.workspaces["test1"] if "README" in it["metadata"]]
    project.write("README.md", "Hello again.\n")
    held: list[bool] = []

    def watch(_seen: Seen) -> None:
        held.append("README.md" in server.names())

    server.fault = watch
    report = project.do()
    assert report.plan.changed == report.done == ["README.md"]
    assert server.text_of("README.md") == "Hello again.\n"
    assert all(held)
    assert old not in server.documents and len(server.documents) == 2
    assert len(server.uploads) == 1


def test_new_files_of_added_folders_come_and_deleted_ones_go(project: Project, server: DocumentsServer) -> None:
    project.do(Wish("add", ("docs",)))
    project.write("docs/new.md", "New.\n")
    project.write("elsewhere.md", "Not asked for.\n")
    (project.root / "docs" / "蓝色 协议.md").unlink()
    report = project.do()
    assert (report.plan.new, report.plan.gone) == (["docs/new.md"], ["docs/蓝色 协议.md"])
    assert server.names() == titles(server) == ["docs/new.md"]


def test_a_document_that_was_deleted_on_the_server_is_brought_again(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    server.documents.clear()
    server.workspaces["test1"].clear()
    assert sorted(project.look().plan.missing) == ["README.md", "docs/蓝色 协议.md"]
    assert is_whole(project.do())
    assert server.names() == titles(server) == ["README.md", "docs/蓝色 协议.md"]


def test_a_document_that_was_only_taken_out_of_the_workspace_is_not_sent_again(
    project: Project, server: DocumentsServer
) -> None:
    project.do(ADD)
    server.workspaces["test1"].clear()
    assert is_whole(project.do())
    assert server.names() == ["README.md", "docs/蓝色 协议.md"]
    assert not server.uploads


def test_what_was_cut_off_between_upload_and_taking_in_is_gone_on_with(
    project: Project, server: DocumentsServer
) -> None:
    def cut_off(seen: Seen) -> Script | None:
        return iter(["reset"]) if seen.path.endswith("/update-embeddings") else None

    server.fault = cut_off
    report = project.do(ADD)
    assert report.error is not None or len(report.failed) == 2
    assert server.names() == []
    server.fault = lambda _: None
    assert sorted(project.look().plan.unfinished) == ["README.md", "docs/蓝色 协议.md"]
    assert is_whole(project.do())
    assert not server.uploads
    assert server.names() == titles(server) == ["README.md", "docs/蓝色 协议.md"]


def test_a_stop_while_it_is_taken_in_leaves_all_that_was_done(project: Project, server: DocumentsServer) -> None:
    reached = threading.Event()

    def hang(seen: Seen) -> Script | None:
        if not seen.path.endswith("/update-embeddings"):
            return None
        reached.set()
        return iter([Pause(30)])

    server.fault = hang
    threading.Thread(target=lambda: (reached.wait(10), project.stop.set()), daemon=True).start()
    assert project.do(ADD).is_stopped
    assert eventually(server.calls("/update-embeddings")[0].closed.is_set)
    server.fault, project.stop = lambda _: None, Stop()
    assert is_whole(project.do())
    assert not server.uploads
    assert server.names() == titles(server) == ["README.md", "docs/蓝色 协议.md"]


def test_one_that_fails_does_not_stop_the_others_and_is_tried_again(project: Project, server: DocumentsServer) -> None:
    project.write("a.md", "first\n")
    failing = json_reply({"success": False, "error": "No text content found.", "documents": []}, "500 Server Error")
    server.fault = lambda seen: failing if seen.path.endswith("upload") and "a.md-" in seen.body["file"][0] else None
    server.stuck = {"README.md"}
    report = project.do(ADD)
    assert {name: str(error.message) for name, error in report.failed} == {
        "a.md": "AnythingLLM could not take the document: No text content found.",
        "README.md": "It was uploaded, but the workspace did not take it in.",
    }
    assert all(error.hint for _, error in report.failed)
    assert server.names() == ["docs/蓝色 协议.md"]
    server.fault, server.stuck = lambda _: None, set()
    assert is_whole(project.do())
    assert server.names() == titles(server) == ["README.md", "a.md", "docs/蓝色 协议.md"]


def test_what_comes_in_after_a_proxy_gave_up_counts(project: Project, server: DocumentsServer) -> None:
    late = threading.Event()

    def give_up(seen: Seen) -> bytes | None:
        if not seen.path.endswith("/update-embeddings") or late.is_set():
            return None
        server._update("test1", {"adds": seen.body["adds"][:1]})
        late.set()
        threading.Timer(0.1, server._update, ("test1", {"adds": seen.body["adds"][1:]})).start()
        return json_reply({}, "504 Gateway Timeout")

    server.fault = give_up
    syncing = project.syncing
    report = Report("", "")
    work, selection = syncing._prepare(ADD, report, Stop())
    work.ledger.begin()
    replace(work, look_every_s=0.02, patience_s=5.0).do(selection.digests, project.steps.append, Stop())
    assert is_whole(report) and len(report.done) == 2
    assert isinstance(work, Work)


def test_a_wrong_key_is_told_at_once_and_changes_nothing(project: Project, server: DocumentsServer) -> None:
    project.config = replace(project.config, key="SAMPLE1-TEST001-ANYTHNG-LLM0009")
    with pytest.raises(ProviderError) as told:
        project.do(ADD)
    assert told.value.kind == "auth"
    assert len(server.seen) == 1
    assert not list(project.kept.glob("*.jsonl"))


def test_a_server_that_goes_away_ends_it_and_the_next_run_goes_on(project: Project, server: DocumentsServer) -> None:
    refused = json_reply({"error": "No valid api key found."}, "403 Forbidden")
    server.fault = lambda seen: refused if len(server.uploads) > 1 else None
    report = project.do(ADD)
    assert report.error is not None and report.error.kind == "auth"
    assert not report.failed
    server.fault = lambda _: None
    assert is_whole(project.do())
    assert server.names() == titles(server) == ["README.md", "docs/蓝色 协议.md"]


def test_two_roots_of_one_workspace_do_not_touch_each_other(
    project: Project, server: DocumentsServer, tmp_path: Path
) -> None:
    other = Project(tmp_path / "other", project.kept, server)
    other.write("README.md", "Hello.\n")
    project.do(ADD)
    other.do(ADD)
    assert server.names() == ["README.md", "README.md", "docs/蓝色 协议.md"]
    assert is_whole(other.do(Wish("remove", ("",))))
    assert server.names() == ["README.md", "docs/蓝色 协议.md"]
    assert len(project.look().plan.in_step) == 2


def test_each_workspace_has_its_own_state(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    project.config = replace(project.config, workspace="test-2")
    assert project.look().is_empty
    project.do(Wish("add", ("README.md",)))
    assert server.names("test-2") == ["README.md"]
    assert server.names("test1") == ["README.md", "docs/蓝色 协议.md"]


def test_a_lost_ledger_costs_nothing_but_a_look(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    for kept in project.kept.glob("*.jsonl"):
        kept.unlink()
    project.write("README.md", "Changed meanwhile.\n")
    report = project.do(ADD)
    assert is_whole(report) and report.plan.in_step == ["docs/蓝色 协议.md"]
    assert len(server.uploads) == 1


def test_a_damaged_ledger_is_told_and_a_line_cut_off_is_not_missed(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    [kept] = project.kept.glob("*.jsonl")
    kept.write_bytes(kept.read_bytes() + b'{"name": "docs/x')
    assert len(project.do().plan.in_step) == 2
    kept.write_bytes(b"nonsense\n")
    with pytest.raises(SidelightError) as told:
        project.do()
    assert told.value.hint is not None
    assert kept.read_bytes() == b"nonsense\n"


def test_every_document_is_kept_on_disk_before_the_next_is_sent(project: Project, server: DocumentsServer) -> None:
    facts: list[int] = []

    def count(seen: Seen) -> None:
        if seen.path.endswith(("upload", "update-embeddings")):
            [kept] = project.kept.glob("*.jsonl")
            facts.append(kept.read_bytes().count(b'"location"'))

    server.fault = count
    project.do(ADD)
    assert facts == [0, 1, 2]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
def test_what_is_kept_is_for_nobody_else(project: Project) -> None:
    project.do(ADD)
    modes = {path.name[-6:]: stat.S_IMODE(path.stat().st_mode) for path in [project.kept, *project.kept.iterdir()]}
    assert set(modes.values()) == {0o700, 0o600}, modes


def test_removed_files_stay_away_until_they_are_added_again(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    report = project.do(Wish("remove", ("docs",)))
    assert report.done == ["docs/蓝色 协议.md"]
    assert server.names() == titles(server) == ["README.md"]
    assert not project.do().plan.new
    project.do(Wish("add", ("docs",)))
    assert server.names() == ["README.md", "docs/蓝色 协议.md"]
    with pytest.raises(UsageError):
        project.do(Wish("remove", ("nothing.md",)))


def test_a_file_that_became_secret_is_taken_away(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    (project.root / ".gitignore").write_text("README.md\n")
    project.do()
    assert server.names() == [".gitignore", "docs/蓝色 协议.md"]


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="permissions bind everybody only elsewhere")
def test_what_cannot_be_read_now_is_not_taken_away(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    (project.root / "docs").chmod(0)
    try:
        report = project.do()
    finally:
        (project.root / "docs").chmod(0o700)
    assert [it.name for it in report.refused] == ["docs"]
    assert server.names() == ["README.md", "docs/蓝色 协议.md"]


def test_only_one_process_at_a_time_works_on_a_root(project: Project, server: DocumentsServer) -> None:
    refused: list[SidelightError] = []

    def another(seen: Seen) -> None:
        if seen.path.endswith("upload") and not refused:
            with pytest.raises(SidelightError) as told:
                Project(project.root, project.kept, server).syncing.perform(SYNC, lambda _: None, Stop())
            refused.append(told.value)

    server.fault = another
    assert is_whole(project.do(ADD))
    assert "Another process" in str(refused[0])
    assert is_whole(project.do())


def test_many_documents_are_taken_in_and_out_by_and_by(project: Project, server: DocumentsServer) -> None:
    for number in range(20):
        project.write(f"many/{number}.md", f"{number}\n")
    project.do(Wish("add", ("many",)))
    assert [len(seen.body["adds"]) for seen in server.calls("/update-embeddings")] == [8, 8, 4]
    project.do(Wish("remove", ("many/3.md", "many/4.md")))
    assert len(server.names()) == 18
    report = project.do(Wish("remove", ("many",)))
    assert (len(report.done), server.names()) == (18, [])
    calls = [seen.body["deletes"] for seen in server.calls("/update-embeddings") if not seen.body["adds"]]
    assert [len(deletes) for deletes in calls] == [8, 8, 2]


def test_a_project_that_is_away_is_not_gone(project: Project, server: DocumentsServer) -> None:
    project.do(ADD)
    project.root.rename(project.root.parent / "unplugged")
    with pytest.raises(UsageError, match="does not exist"):
        project.do()
    assert server.names() == ["README.md", "docs/蓝色 协议.md"]
