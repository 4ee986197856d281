"""From a source to its file: the ways there, and that none of them leads out of the user's own folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sidelight.core.answers import Source
from sidelight.core.sources import cited
from sidelight.editing.text import Place, Range, Text
from sidelight.lsp.source_files import SourceFiles, passage_in

posix = pytest.mark.skipif(os.name != "posix", reason="names and links of POSIX")


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")


def found(folder: Path, title: str, uri: str = "", **mapped: str) -> str | None:
    [document] = cited([Source(title, uri, "text")])
    path = SourceFiles((folder,), mapped.get("mapped", {})).find(document)  # type: ignore[arg-type]
    return None if path is None else path.relative_to(folder).as_posix()


@pytest.mark.parametrize(
    ("title", "uri"),
    [
        ("x", "localfile://project/docs/Area%20Guide.md"), ("x", "localfile://docs/Area Guide.md"),
        ("area-guide.txt", ""), ("Area Guide.md", ""), ("C:\\Users\\me\\Area Guide.md", ""),
        ("AREA_guide.md", "file:///app/collector/hotdir/area-guide.md"), ("x", "file:///app/hotdir/area guide.md"),
        ("x", "file:///C%3A/docs/Area%20Guide.md"), ("x", "https://wiki.example.com/docs/area-guide.txt?version=2"),
    ],
)  # fmt: skip
def test_a_source_is_found_by_its_address_or_name(folder: Path, title: str, uri: str) -> None:
    put(folder, "docs/Area Guide.md", "docs/other.md", "node_modules/m/Area Guide.md")
    expected = None if "AREA_guide" in title and not uri else "docs/Area Guide.md"
    assert found(folder, title, uri) == expected


def test_a_file_uri_means_that_very_file(folder: Path) -> None:
    put(folder, "a/README.md", "b/README.md")
    assert found(folder, "README.md", (folder / "b" / "README.md").as_uri()) == "b/README.md"
    assert found(folder, "README.md", (folder / "b" / "README.md").as_uri().lower()) == "b/README.md"


def test_of_two_files_with_a_name_the_folders_decide_or_none_is_it(folder: Path) -> None:
    put(folder, "a/README.md", "b/README.md")
    assert found(folder, "README.md") is None
    assert found(folder, "b/readme.txt") == "b/README.md"
    assert found(folder, "x", "file:///srv/checkout/a/readme.md") == "a/README.md"


def test_a_name_of_other_scripts_and_accents_is_compared_folded(folder: Path) -> None:
    put(folder, "蓝色协议说明.md", "Überblick.md")
    assert found(folder, "蓝色协议说明.txt") == "蓝色协议说明.md"
    assert found(folder, "uberblick.txt") == "Überblick.md"
    assert found(folder, ".txt") is None


def test_a_suffix_counts_where_the_knowledge_base_has_kept_it(folder: Path) -> None:
    put(folder, "area.py", "area.md")
    assert found(folder, "area.md") == "area.md"
    assert found(folder, "area.txt") is None
    assert found(folder, "area.pdf") is None


@pytest.mark.parametrize(
    ("prefix", "target", "title", "uri"),
    [
        ("https://wiki.example.com/x/", "docs", "x", "link://https://wiki.example.com/x/sub/My%20Page.md"),
        ("handbook", "docs/sub", "Handbook/my page.md", ""),
        ("C:\\Docs", "docs", "x", "file:///C:/docs/sub/my page.md"),
        ("/srv/kb/", "docs", "x", "file:///srv/kb/sub/My%20Page.md"),
    ],
)  # fmt: skip
def test_the_users_map_leads_to_a_folder(folder: Path, prefix: str, target: str, title: str, uri: str) -> None:
    put(folder, "docs/sub/My Page.md", "other/My Page.md")
    for to in (target, str(folder / target)):
        assert found(folder, title, uri, mapped={prefix: to}) == "docs/sub/My Page.md"  # type: ignore[arg-type]


def test_a_map_does_not_lead_out_of_its_folder_and_odd_ones_are_no_matter(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "secret.md")
    put(folder, "docs/a.md")
    odd = {"kb": 5, "": "docs", "kb/": "docs"}
    assert found(folder, "x", "kb/../../secret.md", mapped=odd) is None  # type: ignore[arg-type]
    assert found(folder, "x", "kb/a.md", mapped=odd) == "docs/a.md"  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["{}", "file://{}", "localfile://{}", "localfile://project/{}", "kb/{}"])
@pytest.mark.parametrize("path", ["../secret.md", "%2e%2e/secret.md", "..\\secret.md", "a/../../secret.md", "{outside}",
                                  "secret.md\0", "//server/share/secret.md", "C:\\secret.md",
                                  "~/secret.md"])  # fmt: skip
def test_nothing_outside_the_folders_is_found(folder: Path, tmp_path: Path, form: str, path: str) -> None:
    put(tmp_path, "secret.md")
    put(folder, "a/inside.md")
    uri = form.format(path.replace("{outside}", (tmp_path / "secret.md").as_posix()))
    assert found(folder, uri, uri, mapped={"kb": "a"}) is None  # type: ignore[arg-type]


@posix
def test_a_link_that_leads_out_is_not_followed(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "out/secret.md")
    put(folder, "a.md")
    (folder / "linked").symlink_to(tmp_path / "out")
    (folder / "link.md").symlink_to(tmp_path / "out" / "secret.md")
    assert found(folder, "secret.md") is None
    assert found(folder, "link.md") is None
    assert found(folder, "x", "localfile://project/linked/secret.md") is None
    assert found(folder, "x", (folder / "linked" / "secret.md").as_uri()) is None


def test_a_passage_is_found_whatever_its_white_space() -> None:
    text = Text("# Area\r\n\r\nThe  radius\r\n\tis squared 🙂 here.\r\n")
    assert passage_in(text, ["nothing", "The radius is\nsquared 🙂"]) == Range(Place(2, 0), Place(3, 13))
    assert passage_in(text, ["The circle"]) is None
    assert passage_in(text, ["", " \n"]) is None
