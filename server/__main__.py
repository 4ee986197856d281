"""Starts Sidelight from this folder without its being installed: ``python -I server lsp``.

``-I`` keeps Python from looking into the current folder, so that nothing in an opened project can run as a module of
ours. Dependencies are taken from ``bundled/`` beside this file where that exists, else from the interpreter.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _is_here(entry: str) -> bool:
    """Whether an entry of the module path is the current folder (which may have been deleted)."""
    try:
        return Path(entry).resolve() == Path.cwd().resolve()
    except OSError:
        return False


def _start() -> int:
    if sys.version_info < (3, 10):
        print("Sidelight needs Python 3.10 or newer; this is %s." % sys.version.split()[0], file=sys.stderr)
        return 2
    sys.path[:] = [entry for entry in sys.path if entry and not _is_here(entry)]
    sys.path[:0] = [str(_HERE), str(_HERE / "bundled")]
    try:
        from sidelight.cli import main

        return main()
    except ModuleNotFoundError as error:
        missing = {"dotenv": "python-dotenv"}.get(error.name or "", error.name)
        print(f"Sidelight needs the package {missing}: {sys.executable} -m pip install {missing}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(_start())
