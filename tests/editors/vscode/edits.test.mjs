// Live edits in a real VS Code: one undo step where the user rested, and the user's own steps kept where not.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startModel } from "./model.mjs";
import { startVSCode } from "./vscode.mjs";
import { eventually, Workbench } from "./workbench.mjs";

const DEMO = `def first(a):
    return a


def second(a, b):
    return a - b


print(second(1, 2))
`;
const ANSWER = ["```python\n", "def second(a, b):\n", '    """Add."""\n', "    total = a + b\n", "    return total\n", "```\n"];
const ADDED = `def first(a):
    return a


def second(a, b):
    """Add."""
    total = a + b
    return total


print(second(1, 2))
`;

describe("a live edit", { timeout: 600_000 }, () => {
  let vscode, user, model;

  before(async () => {
    model = await startModel();
    const settings = { "sidelight.python": process.env.PYTHON, "sidelight.anythingllm.baseUrl": model.address };
    const environment = { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" };
    vscode = await startVSCode({ files: { "demo.py": DEMO, "other.py": "# another file\n" }, settings, environment });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("anythingllm"));
  });

  beforeEach(async () => {
    await user.command("File: Revert File");
    await user.textThat((shown) => shown === DEMO);
    Object.assign(model, { pieces: ANSWER, pauseMs: 150, isEndless: false, breaksOff: false });
  });

  after(async () => {
    await user?.shot("last-edits");
    await vscode?.close();
    await model?.close();
  });

  async function fix() {
    await user.selectLines(5, 6);
    await user.command("Sidelight: Fix");
  }

  const written = () => user.textThat((shown) => shown === ADDED);

  test("of many pieces is one undo step, and one redo step", async () => {
    await fix();
    await user.textThat((shown) => shown.includes('"""Add."""') && !shown.includes("return total"));
    await written();
    await user.idle();
    await user.page.keyboard.press("Control+Z");
    assert.equal(await user.textThat((shown) => !shown.includes("Add.")), DEMO);
    await user.page.keyboard.press("Control+Shift+Z");
    await written();
  });

  test("is marked until it is kept, and Keep leaves only the text", async () => {
    await fix();
    await written();
    await user.lens("Keep").first().waitFor();
    await eventually(() => user.marks(), (count) => count > 0);
    await user.goToLine(11);
    await user.shotInBothThemes("edit");
    await user.command("Sidelight: Keep Edit");
    await eventually(() => user.marks(), (count) => count === 0);
    await eventually(() => user.lens("Keep").count(), (count) => count === 0);
    await written();
  });

  test("and what is typed elsewhere meanwhile are steps of their own", async () => {
    model.pauseMs = 500;
    await fix();
    await user.textThat((shown) => shown.includes('"""Add."""'));
    await user.goToLine(1);
    await user.page.keyboard.press("End");
    await user.page.keyboard.type("  # mine");
    const both = ADDED.replace("def first(a):", "def first(a):  # mine");
    await user.textThat((shown) => shown === both);
    await user.idle();
    await user.command("Sidelight: Undo This Edit");
    const mine = DEMO.replace("def first(a):", "def first(a):  # mine");
    await user.textThat((shown) => shown === mine);
    // Everything can still be taken back, one step after the other, to the text that was there first.
    for (let step = 0; step < 12 && (await user.text()) !== DEMO; step++) await user.page.keyboard.press("Control+Z");
    await user.textThat((shown) => shown === DEMO);
  });

  test("leaves the cursor and the selection where they are", async () => {
    model.pauseMs = 400;
    await fix();
    await user.goToLine(9);
    await user.page.keyboard.press("End");
    await written();
    await user.idle();
    await user.page.keyboard.type("  # here");
    await user.textThat((shown) => shown.includes("print(second(1, 2))  # here"));
  });

  test("typing after it is a step of its own", async () => {
    await fix();
    await written();
    await user.idle();
    await user.page.keyboard.press("Control+End");
    await user.page.keyboard.type("x");
    await user.textThat((shown) => shown.trimEnd().endsWith("x"));
    await user.page.keyboard.press("Control+Z");
    await written();
  });

  test("two of them after another are two steps", async () => {
    await fix();
    await written();
    await user.idle();
    model.pieces = ["```python\n", "def first(a):\n", "    return a + 1\n", "```\n"];
    await user.selectLines(1, 2);
    await user.command("Sidelight: Fix");
    await user.textThat((shown) => shown.includes("a + 1"));
    await user.idle();
    await user.page.keyboard.press("Control+Z");
    await written();
    await user.page.keyboard.press("Control+Z");
    await user.textThat((shown) => shown === DEMO);
  });

  test("that is stopped leaves what was written, one step too", async () => {
    model.pieces = ANSWER.slice(0, 3);
    model.isEndless = true;
    await fix();
    await user.textThat((shown) => shown.includes('"""Add."""'));
    await user.command("Sidelight: Stop");
    await user.idle();
    await eventually(() => model.hangUps, (count) => count > 0);
    await user.focusEditor();
    await user.page.keyboard.press("Control+Z");
    await user.textThat((shown) => shown === DEMO);
  });

  test("in a file that is shown nowhere arrives all the same", async () => {
    model.pauseMs = 700;
    await fix();
    await user.openFile("other.py");
    await user.textThat((shown) => shown.includes("another file"));
    await user.idle();
    await user.page.locator('.tab[data-resource-name="demo.py"]').click();
    await written();
  });
});
