"""New tests find their place beside the others, and none that is there goes."""

from __future__ import annotations

import pytest

from sidelight.editing.test_place import with_tests

PYTEST = "import pytest\nfrom a import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
UNITTEST = (
    "import unittest\n\n\nclass TestA(unittest.TestCase):\n    def test_one(self):\n        self.assertTrue(1)\n\n\n"
    "if __name__ == '__main__':\n    unittest.main()\n"
)
TWO = "    def test_two(self):\n        self.assertTrue(2)\n"
SCRIPT = (
    "import { add } from './a';\nimport { expect, test } from 'vitest';\n\n"
    "test('adds', () => {\n  expect(add(1, 2)).toBe(3);\n});\n"
)
JAVA = (
    "package a;\n\nimport org.junit.jupiter.api.Test;\n\n"
    "class XTest {\n    @Test\n    void one() {\n        f(1);\n    }\n}\n"
)
GO = 'package a\n\nimport (\n\t"testing"\n)\n\nfunc TestOne(t *testing.T) {\n\tt.Log(1)\n}\n'
RUST = "fn add(a: i32) -> i32 {\n    a\n}\n"
RUST_TEST = "#[test]\nfn adds() {\n    assert_eq!(add(1), 1);\n}\n"


def placed(text: str, code: str, language: str) -> str:
    new, obstacle = with_tests(text, code, language)
    assert obstacle is None
    return new


def test_functions_go_below_and_only_new_names_are_imported() -> None:
    test = "@pytest.mark.x\ndef test_sub():\n    assert sub(2, 1) == 1\n"
    code = f"import os\nfrom a import (\n    add,\n    sub,\n)\n\n\n{test}"
    new = placed(PYTEST, code, "python")
    assert new == (
        "import pytest\nfrom a import add\nimport os\nfrom a import sub\n\n\n"
        f"def test_add():\n    assert add(1, 2) == 3\n\n\n{test}"
    )


@pytest.mark.parametrize(
    "code",
    [TWO, f"class TestA(unittest.TestCase):\n{TWO}", "def test_two(self):\n    self.assertTrue(2)\n"],
)
def test_a_method_goes_into_the_class_however_it_comes(code: str) -> None:
    assert placed(UNITTEST, code, "python") == UNITTEST.replace("(1)\n", f"(1)\n\n{TWO}")


def test_a_new_class_stands_above_what_runs_the_file() -> None:
    new = placed(UNITTEST, f"import os\n\n\nclass TestB(unittest.TestCase):\n{TWO}", "python")
    assert new.startswith("import unittest\nimport os\n")
    assert new.index("TestB") < new.index("__main__")
    assert "test_one" in new


def test_calls_go_to_the_end_with_their_imports() -> None:
    imports = "import {\n  expect,\n  test,\n} from 'vitest';\nimport { add, sub } from './a';\n"
    code = f"{imports}\ntest('subs', () => {{\n  sub();\n}});\n"
    new = placed(SCRIPT, code, "typescript")
    assert new == SCRIPT.replace("'vitest';\n", "'vitest';\nimport { sub } from './a';\n") + (
        "\ntest('subs', () => {\n  sub();\n});\n"
    )


def test_a_group_of_the_same_name_is_added_and_not_replaced() -> None:
    ruby = "require 'a'\n\nRSpec.describe A do\n  it 'one' do\n  end\nend\n"
    new = placed(ruby, "RSpec.describe A do\n  it 'two' do\n  end\nend\n", "ruby")
    assert new == f"{ruby}\nRSpec.describe A do\n  it 'two' do\n  end\nend\n"


def test_a_method_of_java_goes_into_its_class() -> None:
    two = "    @Test\n    void two() {\n        f(2);\n    }\n"
    for code in (f"package a;\n\nclass XTest {{\n{two}}}\n", "@Test\nvoid two() {\n    f(2);\n}\n"):
        assert placed(JAVA, code, "java") == JAVA.replace("    }\n}\n", f"    }}\n\n{two}}}\n")


def test_imports_of_go_go_into_its_block() -> None:
    code = 'package a\n\nimport (\n\t"testing"\n\t"time"\n)\n\nfunc TestTwo(t *testing.T) {\n\tt.Log(time.Now())\n}\n'
    new = placed(GO, code, "go")
    assert new.count("package a") == new.count('"testing"') == new.count('\t"time"') == 1
    assert new.endswith("\n\nfunc TestTwo(t *testing.T) {\n\tt.Log(time.Now())\n}\n")


def test_rust_has_a_module_for_tests_which_is_made_once() -> None:
    once = placed(RUST, RUST_TEST, "rust")
    inner = "    #[test]\n    fn adds() {\n        assert_eq!(add(1), 1);\n    }\n"
    assert once == f"{RUST}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n\n{inner}}}\n"
    twice = placed(
        once, f"#[cfg(test)]\nmod tests {{\n    use super::*;\n\n{inner}}}\n".replace("adds", "more"), "rust"
    )
    assert twice == once[:-2] + "\n" + inner.replace("adds", "more") + "}\n"


def test_a_test_that_is_named_again_is_replaced_and_the_others_stay() -> None:
    code = "def test_add():\n    assert add(1, 5) == 6\n\n\ndef test_more():\n    assert add(0, 0) == 0\n"
    new = placed(PYTEST, code, "python")
    assert "add(1, 5)" in new
    assert "add(1, 2)" not in new
    assert "test_more" in new


def test_calls_that_repeat_a_title_are_refused() -> None:
    _, obstacle = with_tests(SCRIPT, "describe('x', () => {\n  test('adds', () => {\n  });\n});\n", "typescript")
    assert obstacle is not None


def test_line_ends_and_a_head_of_comments_stay() -> None:
    new = placed("# head\r\n", "import os\n\ndef test_two():\n    pass\n", "python")
    assert new.startswith("# head\r\n") or "# head\r\n" in new
    assert "\n" not in new.replace("\r\n", "")


def test_a_method_without_a_body_does_not_end_with_its_class() -> None:
    text = "class ATest {\n    @Test\n    void a() {}\n}\n"
    new, obstacle = with_tests(text, text.replace("void a", "void b"), "java")
    assert obstacle is None
    assert new == "class ATest {\n    @Test\n    void a() {}\n\n    @Test\n    void b() {}\n}\n"


def test_what_stands_beside_a_class_of_tests_is_not_lost() -> None:
    text = "class TestA:\n    def test_a(self):\n        pass\n"
    for code in ("LIMIT = 3\n\n\n{}", "{}\n\nLIMIT = 3\n"):
        new, obstacle = with_tests(text, code.format(text.replace("test_a", "test_b")), "python")
        assert obstacle is not None or ("LIMIT = 3" in new and "test_a" in new and "test_b" in new)
        assert "    LIMIT" not in new
