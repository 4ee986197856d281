"""The .vsix as a user gets it: what is in it, what must not be, and its server on every Python that is here.

Needs npm and pip; `make e2e` runs it. The servers run without any site-packages: what they need is in the package.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

import sidelight
from support.anythingllm import AnythingLLMServer
from support.editor import Editor

ROOT = Path(__file__).resolve().parents[3]
LARGEST_BYTES = 4_000_000

ALLOWED = re.compile(
    r"""
    \[Content_Types\]\.xml | extension\.vsixmanifest | extension/(
        package(\.nls(\.[a-z-]+)?)?\.json | README\.md | CHANGELOG\.md | LICENSE\.txt
        | client-vscode/dist/(\w+\.(js|css) | LICENSES\.txt)
        | client-vscode/l10n/bundle\.l10n\.[a-z-]+\.json
        | client-vscode/media/[\w/-]+\.(svg|png|md|py)
        | server/__main__\.py
        | server/sidelight/([\w]+/)*\w+\.py
        | server/sidelight/locale/\w+/LC_MESSAGES/sidelight\.mo
        | server/bundled/([\w]+/)*\w+\.py
        | server/bundled/[\w.-]+\.dist-info/(METADATA | licenses/[A-Z]+(\.(txt|md))?)
        | server/bundled/certifi/cacert\.pem
        | server/bundled/urllib3/contrib/emscripten/emscripten_fetch_worker\.js
    )
    """,
    re.VERBOSE,
)
KEYS = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-[A-Za-z0-9]{16,}|\bghp_[A-Za-z0-9]{30,}|\bAKIA[A-Z0-9]{16}\b"
    rb"|\b(?!X{7})[A-Z0-9]{7}(-[A-Z0-9]{7}){3}\b"
)

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[1:]
import sidelight
for module in pkgutil.walk_packages(sidelight.__path__, "sidelight."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("sidelight")]))
"""


def pythons() -> list[str]:
    """Return this interpreter, and one of every other version that pyenv has and that will do."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    others = sorted(path for path in versions.glob("3.1[0-9].*/bin/python") if path.parents[1].name[:4] != THIS[:4])
    return [sys.executable, *map(str, others)]


THIS = "{}.{}".format(*sys.version_info)


def build() -> Path:
    built = subprocess.run(
        [sys.executable, "client-vscode/package.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return ROOT / built.stdout.partition(":")[0]


@pytest.fixture(scope="module")
def vsix() -> Path:
    if not shutil.which("npm"):
        pytest.skip("npm is not here: there is no client to pack")
    subprocess.run(["npm", "run", "--silent", "build"], cwd=ROOT, check=True)
    return build()


@pytest.fixture(scope="module")
def extension(vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vsix")
    with ZipFile(vsix) as archive:
        archive.extractall(folder)
    return folder / "extension"


def contents(vsix: Path) -> dict[str, bytes]:
    with ZipFile(vsix) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_package_is_small(vsix: Path) -> None:
    assert vsix.stat().st_size < LARGEST_BYTES


def test_only_what_may_be_in_the_package_is_in_it(vsix: Path) -> None:
    assert [name for name in contents(vsix) if not ALLOWED.fullmatch(name)] == []


def test_no_file_names_this_machine_or_holds_a_key(vsix: Path) -> None:
    places = [f"{place}/".encode() for place in (ROOT, Path.home(), sys.prefix)]
    for name, data in contents(vsix).items():
        assert not KEYS.search(data), name
        assert not any(place in data for place in places), name


def test_the_same_sources_give_the_same_bytes(vsix: Path) -> None:
    before = vsix.read_bytes()
    assert build().read_bytes() == before


def test_what_the_manifest_names_is_there(extension: Path) -> None:
    manifest = json.loads((extension / "package.json").read_text("utf-8"))
    named = re.findall(r'"(?:\./)?(client-vscode/[^"]+)"', json.dumps(manifest))
    assert named
    assert [path for path in named if not (extension / path).exists()] == []


def test_the_manifest_has_nothing_that_is_installed_or_run_later(extension: Path) -> None:
    manifest = json.loads((extension / "package.json").read_text("utf-8"))
    assert not {"scripts", "dependencies", "devDependencies", "extensionDependencies", "extensionPack"} & set(manifest)
    assert manifest["version"] == sidelight.__version__


def test_the_pages_link_to_nothing_that_is_not_there(extension: Path) -> None:
    for page in ("README.md", "CHANGELOG.md"):
        assert re.findall(r"\]\((?!https?:|#)[^)]*\)", (extension / page).read_text("utf-8")) == []


def test_every_dependency_comes_with_its_licence(extension: Path) -> None:
    bundled = extension / "server" / "bundled"
    packages = [path.name for path in bundled.glob("*.dist-info")]
    assert len(packages) > 10
    assert [name for name in packages if not any((bundled / name / "licenses").iterdir())] == []
    assert "vscode-languageclient" in (extension / "client-vscode/dist/LICENSES.txt").read_text("utf-8")


@pytest.mark.parametrize("python", pythons())
def test_every_module_finds_what_it_imports(extension: Path, python: str) -> None:
    server = extension / "server"
    imported = subprocess.run(
        [python, "-I", "-S", "-B", "-c", IMPORT_EVERYTHING, str(server), str(server / "bundled")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert imported.returncode == 0, imported.stderr
    assert int(imported.stdout) > 80


@pytest.fixture(params=pythons())
def start_packaged(request: pytest.FixtureRequest, extension: Path, folder: Path, tmp_path: Path):
    """Starts the package's server as the extension does, but without site-packages."""
    started: list[Editor] = []
    command = (request.param, "-I", "-S", "-X", f"pycache_prefix={tmp_path / 'pycache'}", str(extension / "server"))

    def start(environment: dict[str, str], **initialize: object) -> Editor:
        started.append(Editor(environment, folder, command=command))
        started[-1].initialize(**initialize)
        return started[-1]

    yield start
    for editor in started:
        editor.close()


def test_the_packaged_server_answers_in_the_users_language(
    start_packaged, extension: Path, environment: dict[str, str]
) -> None:
    editor = start_packaged(environment, locale="zh-cn")
    uri = editor.open("a.py", "def add(a, b):\n    return a + b\n")
    place = {"line": 0, "character": 4}
    result = editor.request("sidelight/run", {"task": "explain", "uri": uri, "range": {"start": place, "end": place}})
    assert result["finish"] == "complete"
    assert re.search("[\u4e00-\u9fff]", result["text"]), result["text"]
    assert result["conversation"]
    assert not list(extension.rglob("__pycache__"))


def test_the_packaged_server_speaks_http_and_keeps_the_conversation(
    start_packaged, connected: dict[str, str], anythingllm: AnythingLLMServer
) -> None:
    editor = start_packaged(connected)
    result = editor.request("sidelight/run", {"task": "ask", "instruction": "What is it?"})
    assert result["finish"] == "complete", editor.stderr
    assert result["text"]
    kept = editor.request("sidelight/conversations", {})
    assert [one["id"] for one in kept["conversations"]] == [result["conversation"]], kept
