"""Builds ``dist/sidelight-VERSION.vsix``: the bundled client, and the server with its pure-Python dependencies.

One package serves every platform. `make package` runs this with an interpreter that has Sidelight, after the client
was built. Only what is named here goes in; the same sources give the same bytes. A .vsix is a zip file with two lists
in it; the packer from npm that also writes them would bring 119 packages, native ones among them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import distributions, requires
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# pip's own copy: it is wherever pip is, and knows the rules of markers.
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
CONSTRAINTS = ROOT / "constraints.txt"
# The oldest Python that the server runs on, and a machine for which nothing compiled is wanted.
OLDEST = "3.10"
MARKERS = {"python_version": OLDEST, "python_full_version": f"{OLDEST}.0", "platform_machine": "any", "extra": ""}
PURE = f"--only-binary=:all: --platform any --implementation py --abi none --python-version {OLDEST}".split()

CLIENT = (
    "package.json", "package.nls*.json", "README.md", "CHANGELOG.md", "LICENSE", "client-vscode/l10n/*.json",
    *(f"client-vscode/dist/*.{suffix}" for suffix in ("js", "css", "txt")),
    *(f"client-vscode/media/**/*.{suffix}" for suffix in ("svg", "png", "md", "py")),
)  # fmt: skip
SERVER = ("server/__main__.py", "server/sidelight/**/*.py", "server/sidelight/**/*.mo")
# What a dependency brings along and nobody needs to run it. Licences and METADATA stay.
NEEDLESS = (
    "bin", "**/*.pyi", "**/py.typed", "**/*.pyx", "**/*.pxd", "**/__pycache__",
    "sqlalchemy/**/*.txt", "sqlalchemy/testing",
    *(f"sqlalchemy/dialects/{name}" for name in ("mssql", "mysql", "oracle", "postgresql")),
    *(f"*.dist-info/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "WHEEL", "*_points.txt", "top_level.txt")),
)  # fmt: skip
# The manifest's parts that are for whoever builds it.
BUILDERS = ("private", "scripts", "dependencies", "devDependencies")

CONTENT_TYPES = {
    ".css": "text/css", ".js": "application/javascript", ".json": "application/json", ".md": "text/markdown",
    ".png": "image/png", ".svg": "image/svg+xml", ".txt": "text/plain", ".vsixmanifest": "text/xml",
}  # fmt: skip


def main() -> None:
    """Build the package, and say how large it is."""
    manifest = json.loads((ROOT / "package.json").read_text("utf-8"))
    target = ROOT / "dist" / f"{manifest['name']}-{manifest['version']}.vsix"
    target.parent.mkdir(exist_ok=True)
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        stage = Path(scratch) / "stage"
        gather(manifest, stage / "extension")
        write(stage / "extension.vsixmanifest", package_manifest(manifest))
        write(stage / "[Content_Types].xml", content_types(stage))
        count = pack(stage, Path(scratch) / target.name)
        (Path(scratch) / target.name).replace(target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.2f} MB, {count} files")


def gather(manifest: dict[str, Any], extension: Path) -> None:
    """Put the extension together in a folder."""
    if not (ROOT / manifest["main"]).exists():
        raise SystemExit("The client has not been built: npm run build")
    for pattern in (*CLIENT, *SERVER):
        for path in filter(Path.is_file, ROOT.glob(pattern)):
            (extension / path.relative_to(ROOT).parent).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, extension / path.relative_to(ROOT))
    shutil.copytree(dependencies(), extension / "server" / "bundled")
    (extension / "LICENSE").rename(extension / "LICENSE.txt")
    shipped = {key: value for key, value in manifest.items() if key not in BUILDERS}
    write(extension / "package.json", json.dumps(shipped, indent=2, ensure_ascii=False) + "\n")
    for page in ("README.md", "CHANGELOG.md"):
        write(extension / page, without_dead_links((extension / page).read_text("utf-8")))


def write(path: Path, text: str) -> None:
    """Write a file that is the same on every system."""
    path.write_bytes(text.encode("utf-8"))


def without_dead_links(page: str) -> str:
    """Return a page without pictures and links that lead to other files of the repository, which are not there."""
    page = re.sub(r"!\[[^\]]*\]\((?!https?:)[^)]*\)\n?", "", page)
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"\1", page)


# The server's dependencies


def dependencies() -> Path:
    """Return a folder with what the server needs at run time; installed once for each state of the requirements."""
    direct = needed(requires("sidelight") or [])
    state = hashlib.sha256(
        "\n".join([CONSTRAINTS.read_text("utf-8"), Path(__file__).read_text("utf-8"), *direct]).encode()
    )
    folder = BUILD / f"bundled-{state.hexdigest()[:12]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
            install(direct, Path(scratch) / "bundled")
            (Path(scratch) / "bundled").rename(folder)
    return folder


def install(direct: Iterable[str], folder: Path) -> None:
    """Install requirements, and theirs, in the pinned versions. pip itself would judge markers by this machine."""
    pinned = {
        canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", CONSTRAINTS.read_text("utf-8"), re.MULTILINE)
    }
    installed: set[str] = set()
    wanted = set(direct)
    while missing := sorted(wanted - installed):
        if unpinned := set(missing) - pinned:
            raise SystemExit(f"Not pinned in {CONSTRAINTS.name}: {', '.join(sorted(unpinned))}")
        pip("--target", str(folder), *PURE, *missing)
        installed.update(missing)
        for distribution in distributions(path=[str(folder)]):
            wanted.update(needed(distribution.requires or []))
        strip(folder)


def needed(requirements: Iterable[str]) -> list[str]:
    """Return the names of those requirements that count for the oldest Python on no machine in particular."""
    parsed = map(Requirement, requirements)
    return sorted(canonicalize_name(one.name) for one in parsed if not one.marker or one.marker.evaluate(MARKERS))


def pip(*arguments: str) -> None:
    """Run pip of this interpreter, without its advice."""
    command = ("install", "--quiet", "--no-compile", "--no-deps", "--constraint", str(CONSTRAINTS), *arguments)
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    subprocess.run([sys.executable, "-m", "pip", *command], check=True, env=os.environ | quiet)


def strip(folder: Path) -> None:
    """Remove what is not needed at run time."""
    for pattern in NEEDLESS:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


# The package


def package_manifest(manifest: dict[str, Any]) -> str:
    """Return what VS Code and its marketplace read before the extension's own manifest."""
    texts = json.loads((ROOT / "package.nls.json").read_text("utf-8"))
    description = re.sub(r"^%(.*)%$", lambda match: texts[match[1]], manifest["description"])
    properties = {
        "Microsoft.VisualStudio.Code.Engine": manifest["engines"]["vscode"],
        "Microsoft.VisualStudio.Code.ExtensionKind": ",".join(manifest["extensionKind"]),
        "Microsoft.VisualStudio.Code.ExecutesCode": "true",
        "Microsoft.VisualStudio.Services.GitHubFlavoredMarkdown": "true",
        "Microsoft.VisualStudio.Services.Content.Pricing": "Free",
    }
    assets = {
        "Microsoft.VisualStudio.Code.Manifest": "package.json",
        "Microsoft.VisualStudio.Services.Content.Details": "README.md",
        "Microsoft.VisualStudio.Services.Content.Changelog": "CHANGELOG.md",
        "Microsoft.VisualStudio.Services.Content.License": "LICENSE.txt",
    } | ({"Microsoft.VisualStudio.Services.Icons.Default": manifest["icon"]} if "icon" in manifest else {})
    identity = {"Id": manifest["name"], "Version": manifest["version"], "Publisher": manifest["publisher"]}
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">',
        "<Metadata>",
        f'<Identity Language="en-US" {" ".join(f"{key}={quoteattr(value)}" for key, value in identity.items())} />',
        f"<DisplayName>{escape(manifest['displayName'])}</DisplayName>",
        f'<Description xml:space="preserve">{escape(description)}</Description>',
        f"<Tags>{escape(','.join(manifest['keywords']))}</Tags>",
        f"<Categories>{escape(','.join(manifest['categories']))}</Categories>",
        "<GalleryFlags>Public</GalleryFlags>",
        "<Properties>",
        *(f'<Property Id="{key}" Value={quoteattr(value)} />' for key, value in properties.items()),
        "</Properties>",
        "<License>extension/LICENSE.txt</License>",
        *([f"<Icon>extension/{escape(manifest['icon'])}</Icon>"] if "icon" in manifest else []),
        "</Metadata>",
        '<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>',
        "<Dependencies/>",
        "<Assets>",
        *(
            f'<Asset Type="{key}" Path={quoteattr(f"extension/{path}")} Addressable="true" />'
            for key, path in assets.items()
        ),
        "</Assets>",
        "</PackageManifest>",
    ]
    return "\n".join(lines) + "\n"


def content_types(stage: Path) -> str:
    """Return the list of what the files are, by how their names end."""
    suffixes = sorted({path.suffix.lower() for path in stage.rglob("*") if path.is_file()} - {""})
    types = {suffix: CONTENT_TYPES.get(suffix, "application/octet-stream") for suffix in suffixes}
    entries = "".join(f'<Default Extension="{suffix}" ContentType="{kind}"/>' for suffix, kind in types.items())
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    return f'{head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{entries}</Types>\n'


def pack(stage: Path, target: Path) -> int:
    """Write the zip file, in an order and with times that say nothing of this machine; returns the number of files."""
    files = sorted(path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file())
    with ZipFile(target, "w") as archive:
        for name in files:
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, (stage / name).read_bytes(), ZIP_DEFLATED, 9)
    return len(files)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
