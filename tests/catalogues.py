"""The catalogues in ``server/sidelight/locale``: ``update`` brings them up to date (`make messages`), ``check`` looks.

A catalogue is made from the templates in the code and the translations in its ``.po``, and from nothing else, so it is
the same on every machine. Of a ``.po`` only the translations are kept; all the rest is written anew.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parents[1] / "server" / "sidelight"


@dataclass(frozen=True, slots=True)
class Call:
    """One ``msg("…", name=…)`` in the code: where it stands, its template, and the names of its values."""

    place: str
    template: str
    names: frozenset[str | None]


class _Catalogue(Catalog):
    header_comment = "# Written by `make messages`: fill in what is empty, and run it again."

    @property
    def mime_headers(self) -> list[tuple[str, str]]:  # Babel's own hold dates, and its version
        return [
            ("Language", str(self.locale_identifier)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


@dataclass(frozen=True, slots=True)
class Made:
    """What the files of a language should hold, and the templates that have no translation."""

    po: str
    mo: bytes
    untranslated: list[str]


def calls(package: Path = PACKAGE) -> Iterator[Call]:
    """Yield every call of ``msg`` in a package; ends the program at one whose template is not a literal.

    Not with Babel's extractor: before Python 3.12 it sees no call that stands inside an f-string.
    """
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "msg":
                place = f"{path.relative_to(package).as_posix()}:{node.lineno}"
                match node.args:
                    case [ast.Constant(str(template))]:
                        yield Call(place, template, frozenset(keyword.arg for keyword in node.keywords))
                    case _:
                        sys.exit(f"{place}: msg takes one literal template, and its values by name.")


def languages(package: Path = PACKAGE) -> list[Path]:
    """Return the folder of each language that there is a catalogue for."""
    return sorted(path for path in (package / "locale").iterdir() if path.is_dir())


def files(language: Path) -> tuple[Path, Path]:
    """Return the two files of a language: to be translated, and compiled."""
    return language / "LC_MESSAGES" / "sidelight.po", language / "LC_MESSAGES" / "sidelight.mo"


def translations(language: Path) -> dict[str, str]:
    """Return what a language's ``.po`` says, template by template; what it marks as fuzzy counts as not said."""
    po, _ = files(language)
    if not po.exists():
        return {}
    with po.open("rb") as file:
        read = read_po(file, locale=language.name, abort_invalid=True)
    return {str(message.id): str(message.string) for message in read if message.id and not message.fuzzy}


def make(language: Path, templates: Iterable[str]) -> Made:
    """Make a language's files from the templates and from the translations that it has."""
    known = translations(language)
    catalogue = _Catalogue(locale=language.name, fuzzy=False)
    for template in sorted(set(templates)):
        # Said here, because versions of Babel differ in what they find out themselves.
        catalogue.add(template, known.get(template, "")).flags = {"python-brace-format"} if "{" in template else set()
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalogue, width=0, sort_output=True)
    write_mo(mo, catalogue)
    untranslated = [str(message.id) for message in catalogue if message.id and not message.string]
    return Made(po.getvalue().decode(), mo.getvalue(), untranslated)


def update(package: Path = PACKAGE) -> list[str]:
    """Write the files of every language; returns what is left to do."""
    templates = [call.template for call in calls(package)]
    for language in languages(package):
        made = make(language, templates)
        po, mo = files(language)
        po.parent.mkdir(exist_ok=True)
        po.write_text(made.po, "utf-8", newline="\n")
        mo.write_bytes(made.mo)
    return check(package)


def check(package: Path = PACKAGE) -> list[str]:
    """Return where the code, the ``.po`` and the ``.mo`` disagree, and what is not translated."""
    found: list[str] = []
    templates = [call.template for call in calls(package)]
    for language in languages(package):
        made = make(language, templates)
        po, mo = files(language)
        name = po.relative_to(package).as_posix()
        if not po.exists() or po.read_text("utf-8") != made.po:
            found.append(f"{name} does not hold the sentences of the code; run `make messages`.")
        if not mo.exists() or mo.read_bytes() != made.mo:
            found.append(f"{name} is not compiled; run `make messages`.")
        found += [f"{name} has no translation for {template!r}." for template in made.untranslated]
    return found


if __name__ == "__main__":
    commands = {"update": update, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit("usage: python tests/catalogues.py update|check")
    problems = commands[sys.argv[1]]()
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(1 if problems else 0)
