"""The file that the tests of a source go into, by the names of a project's files."""

from __future__ import annotations

import pytest

from sidelight.core.context import Context
from sidelight.core.tasks.test import framework_of, test_task
from sidelight.core.test_files import find_test_file, is_test_file


@pytest.mark.parametrize(
    ("source", "others", "language", "path"),
    [
        ("src/pkg/a.py", ["tests/test_a.py"], "python", "tests/test_a.py"),
        ("src/pkg/a.py", ["tests/x/test_a.py", "tests/pkg/test_a.py"], "python", "tests/pkg/test_a.py"),
        ("pkg/_a.py", ["pkg/a_test.py"], "python", "pkg/a_test.py"),
        ("src/pkg/__init__.py", ["tests/test_pkg.py"], "python", "tests/test_pkg.py"),
        ("app/models.py", ["app/tests.py"], "python", "app/tests.py"),
        ("pkg/a.go", ["pkg/a_test.go"], "go", "pkg/a_test.go"),
        ("src/Menu.tsx", ["src/__tests__/Menu.test.tsx"], "typescriptreact", "src/__tests__/Menu.test.tsx"),
        ("src/a.ts", ["test/a.spec.ts"], "typescript", "test/a.spec.ts"),
        ("src/main/java/p/X.java", ["src/test/java/p/XTests.java"], "java", "src/test/java/p/XTests.java"),
        ("lib/a.rb", ["spec/a_spec.rb"], "ruby", "spec/a_spec.rb"),
    ],
)
def test_an_existing_file_is_found_by_its_name(source: str, others: list[str], language: str, path: str) -> None:
    found = find_test_file(source, {source, *others}, language)
    assert found is not None
    assert (found.path, found.exists) == (path, True)


@pytest.mark.parametrize(
    ("source", "others", "language", "path"),
    [
        ("src/pkg/sub/b.py", ["src/pkg/a.py", "tests/pkg/test_a.py"], "python", "tests/pkg/sub/test_b.py"),
        ("src/pkg/sub/b.py", ["src/pkg/a.py", "tests/test_a.py"], "python", "tests/test_b.py"),
        ("src/pkg/b.py", ["src/pkg/a.py", "src/pkg/a_test.py"], "python", "src/pkg/b_test.py"),
        ("core/p.py", ["lsp/p.py", "tests/lsp/test_p.py", "core/t.py", "tests/core/test_t.py"], "python",
         "tests/core/test_p.py"),
        ("a.py", ["test/readme.md"], "python", "test/test_a.py"),
        ("a.py", [], "python", "tests/test_a.py"),
        ("pkg/a.go", [], "go", "pkg/a_test.go"),
        ("src/ui/B.tsx", ["src/ui/M.tsx", "src/ui/__tests__/M.spec.tsx"], "typescriptreact",
         "src/ui/__tests__/B.spec.tsx"),
        ("src/x.ts", ["src/y.ts", "test/y.test.ts"], "typescript", "test/x.test.ts"),
        ("src/x.ts", [], "typescript", "src/x.test.ts"),
        ("m/src/main/java/p/X.java", [], "java", "m/src/test/java/p/XTest.java"),
        ("lib/a.rb", ["lib/b.rb", "spec/b_spec.rb"], "ruby", "spec/a_spec.rb"),
        ("lib/a/b.ex", [], "elixir", "test/a/b_test.exs"),
    ],
)  # fmt: skip
def test_a_new_file_goes_where_the_others_are(source: str, others: list[str], language: str, path: str) -> None:
    found = find_test_file(source, {source, *others}, language)
    assert found is not None
    assert (found.path, found.exists) == (path, False)


def test_rust_has_its_tests_in_the_source_and_a_test_file_in_itself() -> None:
    for source, language in (("src/lib.rs", "rust"), ("tests/test_a.py", "python")):
        found = find_test_file(source, {source}, language)
        assert found is not None
        assert (found.path, found.is_source) == (source, True)


def test_a_language_without_known_tests_has_none() -> None:
    assert find_test_file("a.sql", {"a.sql"}, "sql") is None
    assert not is_test_file("test_a.sql", "sql")


@pytest.mark.parametrize(
    ("text", "paths", "language", "name"),
    [
        ("import pytest\n", [], "python", "pytest"),
        ("import unittest\n", ["conftest.py"], "python", "unittest"),
        ("", ["tests/conftest.py"], "python", "pytest"),
        ("import { test } from 'vitest'", [], "typescript", "Vitest"),
        ("", ["jest.config.js"], "javascript", "Jest"),
        ("import org.junit.jupiter.api.Test;", [], "java", "JUnit 5"),
        ("", [], "python", ""),
    ],
)
def test_the_framework_is_seen_in_a_test_file_or_in_file_names(
    text: str, paths: list[str], language: str, name: str
) -> None:
    assert framework_of(text, paths, language) == name


@pytest.mark.parametrize(
    ("source", "language", "others"),
    [("src/area.py", "python", ()), ("src/area.py", "python", ("tests/test_area.py",)), ("lib/a.ts", "typescript", ())],
)
def test_the_model_is_told_both_folders(source: str, language: str, others: tuple[str, ...]) -> None:
    file = find_test_file(source, {source, *others}, language)
    assert file is not None
    asked = test_task(file, "").question(Context())
    assert f"added to {file.path}" in asked or f"new file {file.path}" in asked
    assert f"The code that they test is in {source}." in asked


def test_tests_in_the_source_itself_are_told_one_file() -> None:
    file = find_test_file("src/lib.rs", {"src/lib.rs"}, "rust")
    assert file is not None
    assert test_task(file, "").question(Context()).count("src/lib.rs") == 1
