"""Real model servers for the tests: llama.cpp's llama-server, built here, and `transformers serve` in a venv.

They stay in ${SIDELIGHT_TEST_TOOLS:-~/.cache/sidelight-test} under names that hold their versions, and a name appears
only when all is there. Run as a program this makes what is missing. What cannot be had is said in one line, and its
tests skip with the same line; with SIDELIGHT_REQUIRE_SERVERS=1 both are failures. System packages are never installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TextIO

FOLDER = Path(os.environ.get("SIDELIGHT_TEST_TOOLS") or Path.home() / ".cache" / "sidelight-test").absolute()
REQUIRED = os.environ.get("SIDELIGHT_REQUIRE_SERVERS") == "1"

# The source package of llama-cpp-python carries llama.cpp with its server.
LLAMA_VERSION = "0.3.36"
TRANSFORMERS_VERSION = "5.23.0"
# A plain torch for Linux brings gigabytes of CUDA, so only the build without it will do.
TORCH_VERSION = "2.13.0+cpu" if sys.platform == "linux" else "2.13.0"


@dataclass(frozen=True)
class Tool:
    """Something that is made once for each version."""

    name: str
    takes: str
    lacking: Callable[[], str]
    """What the machine lacks to make it, in one line, or nothing."""
    make: Callable[[Path, TextIO], Path]
    """Makes it in a scratch folder, writing to a log, and returns what is to be kept."""

    @property
    def path(self) -> Path:
        """Where it is, once it is made."""
        return FOLDER / self.name

    @property
    def log(self) -> Path:
        """What its making said."""
        return FOLDER / f"{self.name}.log"

    def why_missing(self) -> str:
        """Return why it is not there, in one line."""
        if lacking := self.lacking():
            return f"{self.name} is not here: {lacking}"
        made = f"making it failed: {_last_line(self.log)} ({self.log})" if self.log.exists() else "run make e2e"
        return f"{self.name} is not here: {made}"


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines() or ["nothing was said"]
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1]).strip()[:200]


def _lacking_for_llama_server() -> str:
    if sys.platform == "win32":
        return "its tests need a Unix"
    compiler = os.environ.get("CXX", "c++")
    missing = [program for program in ("cmake", "make", compiler) if not shutil.which(program)]
    return f"it is built with {', '.join(missing)}; on Debian: apt install cmake make g++" if missing else ""


def _make_llama_server(scratch: Path, log: TextIO) -> Path:
    name = "llama-cpp-python"
    only_source = ["--no-deps", "--no-binary", name]
    _pip(sys.executable, ["download", *only_source, f"{name}=={LLAMA_VERSION}", "--dest", str(scratch)], log)
    _run(["tar", "xzf", *map(str, scratch.glob("*.tar.gz")), "-C", str(scratch)], log)
    source = scratch / f"llama_cpp_python-{LLAMA_VERSION}" / "vendor" / "llama.cpp"
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        # Compiling for less speed is quicker, and the model is tiny.
        "CMAKE_C_FLAGS_RELEASE": "-O1",
        "CMAKE_CXX_FLAGS_RELEASE": "-O1",
        # One program that runs from anywhere, on other machines too.
        "BUILD_SHARED_LIBS": "OFF",
        "GGML_NATIVE": "OFF",
        "GGML_OPENMP": "OFF",
        "GGML_METAL": "OFF",
        "LLAMA_OPENSSL": "OFF",
        "LLAMA_BUILD_TESTS": "OFF",
        "LLAMA_BUILD_EXAMPLES": "OFF",
        "LLAMA_BUILD_APP": "OFF",
        "LLAMA_BUILD_UI": "OFF",
        "LLAMA_USE_PREBUILT_UI": "OFF",
    }
    build = scratch / "build"
    _run(["cmake", "-S", str(source), "-B", str(build), *(f"-D{name}={value}" for name, value in options.items())], log)
    jobs = str(os.cpu_count() or 1)
    _run(["cmake", "--build", str(build), "--target", "llama-server", "--parallel", jobs], log)
    return build / "bin" / "llama-server"


def _make_transformers(scratch: Path, log: TextIO) -> Path:
    venv = scratch / "venv"
    _run([sys.executable, "-m", "venv", str(venv)], log)
    # torch first: where it cannot be had, nothing else is fetched.
    for package in (f"torch=={TORCH_VERSION}", f"transformers[serving]=={TRANSFORMERS_VERSION}"):
        _pip(str(venv / "bin" / "python"), ["install", "--only-binary", "torch", package], log)
    return venv


def _pip(python: str, arguments: list[str], log: TextIO) -> None:
    _run([python, "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet", "--progress-bar", "off"], log)


def _run(command: list[str], log: TextIO) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=True)


LLAMA_SERVER = Tool(f"llama-server-{LLAMA_VERSION}", "3 to 10 minutes", _lacking_for_llama_server, _make_llama_server)
TRANSFORMERS = Tool(
    f"transformers-{TRANSFORMERS_VERSION}",
    "2 minutes and 1.2 GB",
    lambda: "its tests need a Unix" if sys.platform == "win32" else "",
    _make_transformers,
)


def _provide(tool: Tool) -> bool:
    """Make a tool if it is not there; return whether it is there now."""
    if not tool.path.exists() and not tool.lacking():
        print(f"Making {tool.path}, once; this takes about {tool.takes} …", flush=True)
        began = monotonic()
        _make(tool)
        print(f"That took {monotonic() - began:.0f} s.")
    if not tool.path.exists():
        print(tool.why_missing())
    return tool.path.exists()


def _make(tool: Tool) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=f"{tool.name}.making-", dir=FOLDER) as scratch,
        tool.log.open("w", encoding="utf-8") as log,
    ):
        try:
            os.rename(tool.make(Path(scratch), log), tool.path)
        except subprocess.CalledProcessError:
            pass  # The log ends with what the program had to say.
        except OSError as error:
            print(f"error: {error}", file=log)


def main() -> int:
    """Make the tools that are missing."""
    provided = [_provide(tool) for tool in (LLAMA_SERVER, TRANSFORMERS)]
    return 1 if REQUIRED and not all(provided) else 0


if __name__ == "__main__":
    sys.exit(main())
