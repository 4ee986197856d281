// What is done to a whole file or beside it, in a real VS Code: documentation, tests, all problems, the knowledge base.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startModel } from "./model.mjs";
import { startVSCode, writeFiles } from "./vscode.mjs";
import { eventually, Workbench } from "./workbench.mjs";

const CALC = `def add(a, b):
    return a + b
`;
const DOCUMENTED = `def add(a, b):
    """Return the sum of two numbers."""
    return a + b
`;
const ADDS = `def test_add():
    assert add(1, 2) == 3
`;
const ZERO = `def test_zero():
    assert add(0, 0) == 0
`;
const FAR = `from far import add\n\n\n${ADDS}${Array.from({ length: 30 }, (_, number) => `\n\ndef test_${number}():\n    assert add(${number}, 1) == ${number + 1}\n`).join("")}`;
const WRONG = `import os


def add(a, b):
    return a + b


print(addd(1, 2))
`;
const RIGHT = `import sys


def add(a, b):
    return a + b


print(add(1, 2))
`;
const fenced = (code) => ["Here it is.\n```python\n", code, "```\n"];

describe("what is done to a whole file, or beside it", { timeout: 240_000 }, () => {
  let vscode, user, model;

  before(async () => {
    model = await startModel();
    const environment = { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" };
    const settings = { "sidelight.python": process.env.PYTHON, "sidelight.anythingllm.baseUrl": model.address };
    const files = { "calc.py": CALC, "far.py": CALC, "tests/test_far.py": FAR, "wrong.py": WRONG,
      "docs/guide.md": "# The guide\n", "docs/more.md": "# More\n" };
    vscode = await startVSCode({ files, settings, environment });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("calc.py");
    await user.statusThat((text) => text.includes("anythingllm"));
  });

  after(async () => {
    await user?.shot("last-acts");
    await vscode?.close();
    await model?.close();
  });

  test("documentation lands in the buffer, and one undo takes it away", async () => {
    model.pieces = fenced(DOCUMENTED);
    await user.goToLine(2);
    await user.command("Sidelight: Document");
    await user.textThat((shown) => shown === DOCUMENTED);
    await user.lens("Keep").first().waitFor();
    await user.idle();
    await user.shot("acts-document");
    await user.focusEditor();
    await user.page.keyboard.press("Control+Z");
    await user.textThat((shown) => shown === CALC);
  });

  test("tests come into a new file, which is shown", async () => {
    model.pieces = fenced(`from calc import add\n\n\n${ADDS}`);
    await user.goToLine(2);
    await user.command("Sidelight: Write Tests");
    await user.page.locator('.tab.active[data-resource-name="test_calc.py"]').waitFor();
    await user.textThat((shown) => shown.includes("assert add(1, 2) == 3"));
    await user.lens("Keep").first().waitFor();
    await user.idle();
    await user.shot("acts-tests-new");
    assert.match(model.requests.at(-1), /return a \+ b/);
  });

  test("more tests go below those that are there, and are what is seen of a long file", async () => {
    model.pieces = fenced(`from far import add\n\n\n${ZERO}`);
    await user.command("File: Save All Files");
    await user.openFile("far.py");
    await user.goToLine(2);
    await user.command("Sidelight: Write Tests");
    await user.page.locator('.tab.active[data-resource-name="test_far.py"]').waitFor();
    await user.textThat((shown) => shown.includes("assert add(0, 0) == 0"));
    await user.lens("Keep").first().waitFor();
    await user.idle();
    await user.shot("acts-tests-more");
    await user.command("File: Save All Files");
    await eventually(() => readFileSync(join(vscode.folder, "tests/test_far.py"), "utf8"), (text) => text === `${FAR}\n\n${ZERO}`);
    assert.match(model.requests.at(-1), /def test_add/);
  });

  test("all problems of a file are fixed, each with its own answer", async () => {
    model.pieces = (asked) => fenced(asked.includes("undefined name") ? "print(add(1, 2))\n" : "import sys\n");
    await user.openFile("wrong.py");
    await eventually(() => user.page.locator(".squiggly-warning").count(), (count) => count === 2);
    const { length } = model.requests;
    await user.command("Sidelight: Fix All");
    await user.textThat((shown) => shown === RIGHT);
    await eventually(() => user.lens("Keep").count(), (count) => count === 2);
    await user.idle();
    assert.equal(model.requests.length, length + 2);
    await eventually(() => user.page.locator(".squiggly-warning").count(), (count) => count === 0);
    await user.shot("acts-fix-all");
  });

  test("documents are added, brought up to date and taken away from the explorer and the palette", async () => {
    const told = (text) => user.page.locator(".notification-toast", { hasText: text }).waitFor();
    model.documents = [];
    await user.page.locator(".explorer-folders-view .monaco-list-row", { hasText: "docs" }).click({ button: "right" });
    // A menu takes no click right after it was opened.
    await user.page.locator(".monaco-menu").getByText("Add to Knowledge Base").hover();
    await user.shot("acts-menu");
    await user.page.keyboard.press("Enter");
    await told("docs: 2 added.");
    writeFiles(vscode.folder, { "docs/more.md": "# Less\n", "docs/third.md": "# Third\n" });
    await user.command("Sidelight: Knowledge Base Status");
    await told("docs: 1 in step, 1 new, 1 changed.");
    await user.command("Sidelight: Sync Knowledge Base");
    await told("docs: 1 added, 1 updated, 1 unchanged.");
    await user.shot("acts-documents");
    // No more than three are shown at a time.
    await user.command("Notifications: Clear All Notifications");
    rmSync(join(vscode.folder, "docs/third.md"));
    await user.command("Sidelight: Sync Knowledge Base");
    await told("docs: 1 removed, 2 unchanged.");
    await user.openFile("guide.md");
    await user.command("Sidelight: Remove from Knowledge Base");
    await told("docs: 1 removed.");
  });
});
