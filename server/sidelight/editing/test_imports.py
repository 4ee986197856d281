"""The imports of new tests, made ready for a file that has imports already: one line each, and only new names. Pure."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Sequence

from sidelight.editing.languages import language_of

_IMPORT = re.compile(r"(?:import|from|use|using|package|require|require_relative)\b|const\s.*\brequire\(|#include\b")
_COMMENT = re.compile(r"\s*(?:#|//|/\*|\*|--)")
_BEGINS = re.compile(r"(?:import|from|export)\b")
_OPENING, _CLOSING = "([{", ")]}"
_PYTHON = re.compile(r"from\s+(?P<module>[\w.]+)\s+import\s+\(?(?P<names>[^()#]*?),?\s*\)?$")
_SCRIPT = re.compile(
    r"import\s+(?P<kind>type\s+)?\{(?P<names>[^}]*)\}\s*from\s*(?P<module>'[^']*'|\"[^\"]*\")\s*;?\s*$"
)
_GO_PATH = re.compile(r'\s*(?:import\s+)?(?P<name>[\w.]+\s+)?(?P<path>"[^"]+")\s*$')
_SCRIPTS = ("javascript", "javascriptreact", "typescript", "typescriptreact")


def with_new_imports(old: Sequence[str], new: Sequence[str], language: str) -> tuple[list[str], list[str]]:
    """Return both files' lines: the old with what only has a place among its own imports, the new with what is new."""
    language = language_of(language)
    if language == "go":
        return _in_go(old, new)
    pattern = _PYTHON if language == "python" else _SCRIPT if language in _SCRIPTS else None
    known: dict[str, set[str]] = {}
    for line in _on_one_line(old):
        if found := pattern.match(line) if pattern else None:
            known.setdefault(found["module"].strip("'\""), set()).update(_names(found["names"]))
    kept = [_only_new(line, pattern, known) if pattern else line for line in _on_one_line(new)]
    lines = [line for line in kept if line is not None]
    end = next((n for n, line in enumerate(lines) if line.strip() and not _IMPORT.match(line)), len(lines))
    there = {line.strip() for line in old}
    imports = [line for line in lines[:end] if line.strip() and line.strip() not in there]
    if not imports:
        return list(old), lines[end:]
    at, blank = _below_imports(old, language)
    return [*old[:at], *imports, *blank, *old[at:]], lines[end:]


def _below_imports(old: Sequence[str], language: str) -> tuple[int, list[str]]:
    """Return the line at which new imports go, and the blank lines they need below where they are the first."""
    at = number = 0
    while number < len(old):
        if not _IMPORT.match(old[number]):
            number += 1
            continue
        depth = 0
        while number < len(old):  # to the end of its brackets
            depth += sum((sign in _OPENING) - (sign in _CLOSING) for sign in old[number])
            number += 1
            if depth <= 0:
                break
        at = number
    if at:
        return at, []
    return _below_head(old, language), ["", ""] if language == "python" else [""]


def _below_head(old: Sequence[str], language: str) -> int:
    """Return the line below the comment or docstring that a file begins with."""
    if language == "python":
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            body = ast.parse("\n".join(old)).body
            if body and ast.get_docstring(ast.Module(body[:1], [])) is not None:
                return body[0].end_lineno or 0
    return next((n for n, line in enumerate(old) if line.strip() and not _COMMENT.match(line)), 0)


def _on_one_line(lines: Sequence[str]) -> list[str]:
    """Return the lines with imports of several of them joined."""
    joined: list[str] = []
    depth = 0
    for line in lines:
        begins = not depth and _BEGINS.match(line) is not None
        if depth:
            joined[-1] = f"{joined[-1].rstrip()} {line.strip()}"
        else:
            joined.append(line)
        if depth or begins:
            depth = max(0, depth + sum((sign in _OPENING) - (sign in _CLOSING) for sign in line))
    return joined


def _names(listed: str) -> list[str]:
    return [" ".join(name.split()) for name in listed.split(",") if name.strip()]


def _only_new(line: str, pattern: re.Pattern[str], known: dict[str, set[str]]) -> str | None:
    """Return an import with the names that are not there yet; None where it has none."""
    found = pattern.match(line)
    if found is None:
        return line
    there = known.get(found["module"].strip("'\""), set())
    names = [name for name in _names(found["names"]) if name not in there]
    if not names:
        return None
    if pattern is _PYTHON:
        return f"from {found['module']} import {', '.join(names)}"
    end = ";" if line.rstrip().endswith(";") else ""
    return f"import {found['kind'] or ''}{{ {', '.join(names)} }} from {found['module']}{end}"


def _in_go(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """Go takes imports before all else: in its one block of them, or right below the package clause."""
    wanted: list[str] = []
    rest: list[str] = []
    is_inside = False
    for line in new:
        found = _GO_PATH.match(line)
        if is_inside or line.startswith("import "):
            is_inside = not line.startswith(")") if is_inside else line.rstrip().endswith("(")
            wanted += [f"{found['name'] or ''}{found['path']}"] if found else []
        elif not line.startswith("package "):
            rest.append(line)
    there = {f"{found['name'] or ''}{found['path']}" for line in old if (found := _GO_PATH.match(line))}
    missing = [path for path in wanted if path not in there]
    if not missing:
        return list(old), rest
    block = next((n for n, line in enumerate(old) if re.match(r"import\s*\($", line.rstrip())), None)
    if block is not None:
        return [*old[: block + 1], *(f"\t{path}" for path in missing), *old[block + 1 :]], rest
    at = next((n for n, line in enumerate(old) if line.startswith("package ")), -1) + 1
    return [*old[:at], "", *(f"import {path}" for path in missing), *old[at:]], rest
