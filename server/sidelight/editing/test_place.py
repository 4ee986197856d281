"""Where new tests belong in a file of tests: beside the others, and never in place of one that they do not name.

What defines something goes where ``code_place.py`` finds its place; a class or module of tests that is there already
takes the new members of its like; what is only called, as most tests in JavaScript, goes to the end. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidelight.editing.blocks import block_end
from sidelight.editing.code_place import CodePlace, find_place
from sidelight.editing.definitions import Definition, definitions
from sidelight.editing.languages import language_of
from sidelight.editing.test_imports import with_new_imports
from sidelight.editing.text import Text, lines_of, split_lines, without_line_end
from sidelight.messages import Message

_RUST_MODULE = re.compile(r"\s*(?:pub\s+)?mod\s+\w*tests?\w*\s*\{")
# A test in the languages whose tests are calls; what groups them may be there twice.
_TITLE = re.compile(r"\s*(?:it|test|specify|scenario)\b.*['\"`]")


def place_tests(document: Sequence[str], code: str, language: str) -> CodePlace:
    """Return what the lines of a test file become with the tests of ``code``; see ``CodePlace``."""
    old = [without_line_end(line) for line in document]
    new = _trimmed([without_line_end(line) for line in lines_of(code)])
    if not any(map(str.strip, old)) or not any(map(str.strip, new)):
        return find_place(document, code, None, language)
    if language_of(language) == "rust":
        return _in_rust(old, new)
    there, said = definitions(old, language), definitions(new, language)
    home = _home(there, said) or _last_class(there, said, new)
    near = home or next((one for one in reversed(there) if not one.container), None)
    place = (near.first, near.end) if near else None
    if members := _new_members(there, said, new, language):
        return _added(old, [*new[: said[0].first], *members], place, language)
    if _has_known(there, said) or (not said and _repeats(old, new)):
        return find_place(document, "\n".join(new), place, language)
    return _added(old, _trimmed(new), place, language)


def with_tests(text: str, code: str, language: str) -> tuple[str, Message | None]:
    """Return a test file's text with the tests of ``code``; or why they have no place there."""
    if not text.strip():
        return text + code.strip("\n") + "\n", None
    lines = split_lines(text)
    found = place_tests(lines, code, language)
    end = Text(text).line_end
    new = end.join(found.lines) + (end if found.end < len(lines) else "")
    return "".join([*lines[: found.first], new, *lines[found.end :]]), found.obstacle


def _added(old: list[str], new: list[str], place: tuple[int, int] | None, language: str) -> CodePlace:
    """Return the file with tests of which it has none yet."""
    with_imports, new = with_new_imports(old, _trimmed(new), language)
    new = _trimmed(new)
    by = len(with_imports) - len(old)
    found = _at_the_end(with_imports, new)
    if definitions(new, language):
        moved = (place[0] + by, place[1] + by) if place else None
        named = find_place(with_imports, "\n".join(new), moved, language)
        found = named if named.obstacle is None else found
    if not by:
        return found
    return CodePlace(0, len(old), [*with_imports[: found.first], *found.lines, *with_imports[found.end :]])


def _repeats(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether code that defines nothing names a test that is there already."""
    titles = {line.strip() for line in old if _TITLE.match(line)}
    return any(line.strip() in titles for line in new)


def _trimmed(lines: list[str]) -> list[str]:
    filled = [n for n, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else lines


def _home(there: Sequence[Definition], said: Sequence[Definition]) -> Definition | None:
    """Return the class of tests that the code names."""
    names = [one.key for one in said if one.kind and not one.container]
    return next((one for one in there if one.kind and one.key in names), None)


def _last_class(there: Sequence[Definition], said: Sequence[Definition], new: Sequence[str]) -> Definition | None:
    """Return the last class, where the code is a method by its first words or its indentation."""
    classes = [one for one in there if one.kind and not one.container]
    is_method = any(one.receiver.startswith("self") for one in said if not one.container)
    return classes[-1] if classes and (is_method or new[0][:1] in (" ", "\t")) else None


def _new_members(
    there: Sequence[Definition], said: Sequence[Definition], new: Sequence[str], language: str
) -> list[str]:
    """Return the members of a class that the code repeats only around new ones; nothing where it does more."""
    outer = [one for one in said if not one.container]
    home = _home(there, said)
    if len(outer) != 1 or home is None:
        return []
    above, below = new[: outer[0].first], new[outer[0].end :]
    if any(map(str.strip, [*with_new_imports([""], above, language)[1], *below])):
        return []
    members = [one for one in said if one.container == outer[0].inside]
    known = {one.name for one in there if one.container == home.inside}
    if not members or any(one.name in known for one in members):
        return []
    return list(new[members[0].first : members[-1].end])


def _has_known(there: Sequence[Definition], said: Sequence[Definition]) -> bool:
    return bool({one.key for one in there} & {one.key for one in said})


def _at_the_end(old: Sequence[str], new: Sequence[str]) -> CodePlace:
    filled = len(_trimmed_end(old))
    return CodePlace(filled - 1, filled, [old[filled - 1], "", *new])


def _trimmed_end(lines: Sequence[str]) -> Sequence[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def _in_rust(old: Sequence[str], new: list[str]) -> CodePlace:
    """Return the source with tests in its module of tests, which is made where there is none."""
    body = _without_module(new)
    at = next((n for n, line in enumerate(old) if _RUST_MODULE.match(line)), None)
    if at is None:
        filled = len(_trimmed_end(old))
        inner = [f"    {line}" if line.strip() else "" for line in body]
        module = ["", "#[cfg(test)]", "mod tests {", "    use super::*;", "", *inner, "}"]
        return CodePlace(filled - 1, filled, [old[filled - 1], *module])
    end = block_end(old, at)
    known = {one.name for one in definitions(old[at + 1 : end - 1], "rust")}
    if known & {one.name for one in definitions(body, "rust")}:
        return find_place(old, "\n".join(body), (at, end), "rust")
    indent = old[at][: len(old[at]) - len(old[at].lstrip())] + "    "
    inner = [indent + line if line.strip() else "" for line in body]
    return CodePlace(end - 1, end, ["", *inner, old[end - 1]])


def _without_module(new: list[str]) -> list[str]:
    """Return the tests without the module around them, and without what every module of tests begins with."""
    at = next((n for n, line in enumerate(new) if _RUST_MODULE.match(line)), None)
    if at is not None:
        new = new[at + 1 : block_end(new, at) - 1]
    kept = [line for line in new if line.strip() != "use super::*;"]
    shortest = min((len(line) - len(line.lstrip()) for line in kept if line.strip()), default=0)
    return _trimmed([line[shortest:] for line in kept])
