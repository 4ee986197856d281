"""Where the tests of a source file are, or would be: by the names of the workspace's files alone.

An existing test file is known by its name and, among several, by how much of its folders it shares with the source. A
new one goes where the others are: from the pairs of source and test that there are, the way of the nearest is taken.
Paths are relative to the workspace folder, with slashes. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from sidelight.editing.languages import language_of

_SCRIPTS = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
_SCRIPT_NAMES = ("{}.test", "{}.spec", "{}-test", "{}_test")
# The usual one first; the endings are those of the language's files.
_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "python": (("test_{}", "{}_test"), (".py",)),
    "go": (("{}_test",), (".go",)),
    "rust": (("{}_test", "test_{}"), (".rs",)),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), (_SCRIPT_NAMES, _SCRIPTS)),
    "java": (("{}Test", "{}Tests", "Test{}"), (".java",)),
    "kotlin": (("{}Test", "{}Tests"), (".kt",)),
    "scala": (("{}Test", "{}Spec", "{}Suite"), (".scala",)),
    "groovy": (("{}Spec", "{}Test"), (".groovy",)),
    "csharp": (("{}Tests", "{}Test"), (".cs",)),
    "swift": (("{}Tests", "{}Test"), (".swift",)),
    "php": (("{}Test",), (".php",)),
    "ruby": (("{}_spec", "{}_test", "test_{}"), (".rb",)),
    "elixir": (("{}_test",), (".exs",)),
    "dart": (("{}_test",), (".dart",)),
    "lua": (("{}_spec", "test_{}"), (".lua",)),
    "c": (("test_{}", "{}_test"), (".c",)),
    "cpp": (("{}_test", "test_{}", "{}Test"), (".cpp", ".cc", ".cxx")),
}
_TEST_FOLDERS = ("tests", "test", "__tests__", "spec", "Tests")
# Where nothing is there yet: the folder of the source on the left becomes that on the right.
_MIRRORS = {
    "java": ("src/main/java", "src/test/java"), "kotlin": ("src/main/kotlin", "src/test/kotlin"),
    "scala": ("src/main/scala", "src/test/scala"), "groovy": ("src/main/groovy", "src/test/groovy"),
    "dart": ("lib", "test"), "elixir": ("lib", "test"), "ruby": ("lib", "spec"), "php": ("src", "tests"),
}  # fmt: skip
_BESIDE = ("go", "javascript", "javascriptreact", "typescript", "typescriptreact", "c", "cpp", "java", "kotlin")


@dataclass(frozen=True, slots=True)
class TestFile:
    """Where tests go.

    ``is_source``: they stand in the source file itself. ``like``: an existing test file to copy the style of, or empty.
    ``source``: the file that they test.
    """

    __test__ = False  # it is no test of ours

    path: str
    exists: bool
    is_source: bool = False
    like: str = ""
    source: str = ""


def find_test_file(source: str, paths: Collection[str], language: str) -> TestFile | None:
    """Return where the tests of ``source`` are or belong; None for languages whose tests nobody here knows."""
    language = language_of(language)
    if language == "rust" or (language in _NAMES and is_test_file(source, language)):
        return TestFile(source, exists=True, is_source=True, source=source)
    if language not in _NAMES:
        return None
    at = PurePosixPath(source)
    tests = sorted(path for path in paths if path != source and is_test_file(path, language))
    stems = set(_stems(at, language))
    named = [path for path in tests if PurePosixPath(path).stem in stems and not _is_of_another(path, at, paths)]
    if language == "python" and not named:
        named = [path for path in paths if path == (at.parent / "tests.py").as_posix()]  # Django's
    if named:
        found = max(named, key=lambda path: _nearness(at, PurePosixPath(path)))
        return TestFile(found, exists=True, like=found, source=source)
    nearest = max(tests, key=lambda path: _nearness(at, PurePosixPath(path)), default="")
    made = _like_others(at, tests, paths, language) or _usual(at, nearest, paths, language)
    return TestFile(made.as_posix(), exists=made.as_posix() in paths, like=nearest, source=source)


def is_test_file(path: str, language: str) -> bool:
    """Whether a file of this language is one of tests, by its name."""
    patterns, endings = _NAMES.get(language_of(language), ((), ()))
    name = PurePosixPath(path)
    return name.suffix in endings and any(_stem_of(name.stem, pattern) for pattern in patterns)


def _stem_of(test: str, pattern: str) -> str:
    """Return the name of the source that a test's name speaks of; empty where it is none of this pattern."""
    before, _, after = pattern.partition("{}")
    is_one = test.startswith(before) and test.endswith(after) and len(test) > len(before) + len(after)
    return test[len(before) : len(test) - len(after)] if is_one else ""


def _stems(source: PurePosixPath, language: str) -> Iterator[str]:
    """Yield how the test of a source file may be called, without the ending."""
    names = [source.stem, source.stem.strip("_")]
    if source.stem in ("__init__", "mod", "index") and source.parent.name:
        names = [source.parent.name, source.stem]
    for pattern in _NAMES[language][0]:
        yield from (pattern.format(name) for name in names if name)
        if source.parent.name:
            yield pattern.format(f"{source.parent.name}_{names[-1]}")


def _is_of_another(test: str, source: PurePosixPath, paths: Collection[str]) -> bool:
    """Whether a source of the same name is nearer to a test file."""
    at = PurePosixPath(test)
    others = (PurePosixPath(path) for path in paths if PurePosixPath(path).name == source.name)
    return any(_nearness(other, at) > _nearness(source, at) for other in others if other != source)


def _nearness(source: PurePosixPath, test: PurePosixPath) -> tuple[int, int, int]:
    """Return how much two files belong together: folders alike from the end, then from the root; then the shorter."""
    folders = [part for part in test.parent.parts if part not in _TEST_FOLDERS]
    return (
        _common(reversed(source.parent.parts), reversed(folders)),
        _common(source.parent.parts, test.parent.parts),
        -len(test.parts),
    )


def _common(one: Iterable[str], other: Iterable[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _like_others(
    source: PurePosixPath, tests: Collection[str], paths: Collection[str], language: str
) -> PurePosixPath | None:
    """Return where the test goes by the way of the nearest source that has one."""
    pairs = list(_pairs(tests, paths, source.suffix, language))
    if not pairs:
        return None
    other, test, pattern = max(pairs, key=lambda pair: (_nearness(source, pair[0]), pair[1].as_posix()))
    name = pattern.format(source.stem.strip("_") or source.stem) + test.suffix
    if test.suffix in _SCRIPTS:
        name = pattern.format(source.stem) + source.suffix
    folders = {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents}
    return _mapped(source.parent, other.parent, test.parent, folders) / name


def _pairs(
    tests: Collection[str], paths: Collection[str], ending: str, language: str
) -> Iterator[tuple[PurePosixPath, PurePosixPath, str]]:
    sources: dict[str, list[PurePosixPath]] = {}
    for path in paths:
        if path.endswith(ending) and not is_test_file(path, language):
            sources.setdefault(PurePosixPath(path).stem.strip("_"), []).append(PurePosixPath(path))
    for path in tests:
        test = PurePosixPath(path)
        for pattern in _NAMES[language][0]:
            if others := sources.get(_stem_of(test.stem, pattern)):
                yield max(others, key=lambda other: _nearness(other, test)), test, pattern
                break


def _mapped(
    folder: PurePosixPath, other: PurePosixPath, test: PurePosixPath, folders: Collection[str]
) -> PurePosixPath:
    """Return the folder of tests for ``folder``, as ``test`` is that for ``other``."""
    if test.is_relative_to(other):  # beside the source, or in a folder there
        return folder / test.relative_to(other)
    same = _common(reversed(other.parts), reversed(test.parts))
    base, root = (PurePosixPath(*path.parts[: len(path.parts) - same]) for path in (other, test))
    if not folder.is_relative_to(base):
        return root
    mirrored = root / folder.relative_to(base)
    return mirrored if same or mirrored.as_posix() in folders else root


def _usual(source: PurePosixPath, nearest: str, paths: Collection[str], language: str) -> PurePosixPath:
    """Return where the test goes where no source has one whose way could be followed."""
    patterns, endings = _NAMES[language]
    pattern = next((it for it in patterns if nearest and _stem_of(PurePosixPath(nearest).stem, it)), patterns[0])
    ending = source.suffix if source.suffix in endings else endings[0]
    stem = source.stem.strip("_") or source.stem
    if source.stem == "__init__" and source.parent.name:
        stem = source.parent.name
    name = pattern.format(stem) + ending
    if language in _MIRRORS:
        there, here = _MIRRORS[language]
        whole = f"/{source.parent.as_posix()}/"
        if f"/{there}/" in whole:
            return PurePosixPath(whole.replace(f"/{there}/", f"/{here}/", 1).strip("/")) / name
    if language in _BESIDE:
        return source.parent / name
    if nearest:
        return PurePosixPath(nearest).parent / name
    folders = {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents}
    for above in source.parents:
        for each in _TEST_FOLDERS:
            if (above / each).as_posix() in folders:
                return above / each / name
    return PurePosixPath("tests") / name
