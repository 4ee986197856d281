// What happens when things go wrong or are out of the ordinary: a server that dies, two windows, no folder, a huge file.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startModel } from "./model.mjs";
import { startVSCode } from "./vscode.mjs";
import { eventually, Workbench } from "./workbench.mjs";

const DEMO = `def add(a, b):
    return a - b


print(add(1, 2))
`;
const HUGE = `${"# a line that is there to fill the file, as in generated code\n".repeat(100_000)}def last(a, b):\n    return a + b\n`;

describe("a server that ends by itself", { timeout: 600_000 }, () => {
  let vscode, user, model;

  before(async () => {
    model = await startModel();
    const settings = { "sidelight.python": process.env.PYTHON, "sidelight.anythingllm.baseUrl": model.address };
    const environment = { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" };
    vscode = await startVSCode({ files: { "demo.py": DEMO, "huge.py": HUGE }, settings, environment });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("anythingllm"));
  });

  after(async () => {
    await user?.shot("last-robust");
    await vscode?.close();
    await model?.close();
  });

  test("is started again, it is said, and the answer's text is kept as cut off", async () => {
    Object.assign(model, { pieces: ["It "], isEndless: true });
    await user.ask("For how long?");
    await eventually(() => user.answer.locator(".text").innerText(), (text) => text.split("word").length > 10);
    assert.equal(vscode.kill(), 1);
    await user.ended("cut_off");
    assert.match(await user.answer.locator(".text").innerText(), /^It word word/);
    assert.match(await user.answer.locator(".end").innerText(), /The Sidelight server stopped\./);
    await user.toast("The Sidelight server ended unexpectedly and is started again.");
    await user.statusThat((text, icon) => text.includes("anythingllm") && icon.includes("lightbulb"));
    Object.assign(model, { pieces: ["Again."], isEndless: false });
    await user.ask("And now?");
    await user.ended("complete");
  });

  test("in mid-edit says where, and the earlier text can be restored", async () => {
    Object.assign(model, { pieces: ["```python\n", "def add(a, b):\n", '    """Add."""\n', "    total = a + b\n"], pauseMs: 100, isEndless: true });
    await user.selectLines(1, 2);
    await user.command("Sidelight: Fix");
    await user.textThat((shown) => shown.includes('"""Add."""'));
    assert.equal(vscode.kill(), 1);
    const toast = user.page.locator(".notification-toast", { hasText: "ended while it wrote in demo.py" });
    await toast.waitFor();
    Object.assign(model, { pieces: ["Done."], pauseMs: 0, isEndless: false });
    await user.statusThat((text, icon) => text.includes("anythingllm") && icon.includes("lightbulb"));
    assert.equal(await user.page.locator(".notification-toast", { hasText: "is not running" }).count(), 0);
    await user.shot("cut-off-edit");
    await toast.locator("a", { hasText: "Restore the Earlier Text" }).click();
    await user.choose("Which text of demo.py", "This edit never came to its end");
    await user.textThat((shown) => shown === DEMO);
  });

  test("what a server writes is no link in a message, and runs nothing", async () => {
    model.pieces = [];
    model.error = "Log in [again](command:workbench.action.files.newUntitledFile) first";
    await user.selectLine(1);
    await user.command("Sidelight: Fix");
    const toast = user.page.locator(".notification-toast", { hasText: "Log in [again]" });
    await toast.waitFor();
    assert.equal(await toast.locator("a", { hasText: "again" }).count(), 0);
    await user.command("Notifications: Clear All Notifications");
    model.error = "";
  });

  test("restarted twice at once is up again, and only once", async () => {
    await user.command("Sidelight: Restart Server");
    await user.command("Sidelight: Restart Server");
    await user.statusThat((text, icon) => text.includes("anythingllm") && icon.includes("lightbulb"));
    Object.assign(model, { pieces: ["Still here."], isEndless: false });
    await user.ask("Are you?");
    await user.ended("complete");
    assert.equal(vscode.servers().length, 1);
    // On a slow machine the first of the two ends while it is starting, which the log may tell.
    assert.doesNotMatch(vscode.log(), /already exists/);
  });

  test("restarted in mid-edit says where, too", async () => {
    Object.assign(model, { pieces: ["```python\n", "def add(a, b):\n", '    """Sum."""\n', "    total = a + b\n"], pauseMs: 100, isEndless: true });
    await user.selectLines(1, 2);
    await user.command("Sidelight: Fix");
    await user.textThat((shown) => shown.includes('"""Sum."""'));
    await user.command("Sidelight: Restart Server");
    await user.page.locator(".notification-toast", { hasText: "ended while it wrote in demo.py" }).waitFor();
    Object.assign(model, { pieces: ["Done."], pauseMs: 0, isEndless: false });
    await user.command("Notifications: Clear All Notifications");
    await user.statusThat((text, icon) => text.includes("anythingllm") && icon.includes("lightbulb"));
    await user.command("File: Revert File");
  });

  test("a file of over 5 MB is answered about, and edited", async () => {
    await user.openFile("huge.py");
    await user.goToLine(100_001);
    await user.page.keyboard.press("Shift+ArrowDown");
    await user.page.keyboard.press("Shift+End");
    Object.assign(model, { pieces: ["```python\ndef last(a, b):\n", "    return b + a\n```\n"], pauseMs: 0, isEndless: false });
    await user.command("Sidelight: Fix");
    await user.textThat((shown) => shown.includes("return b + a"));
    await user.idle();
    await user.page.keyboard.press("Control+Z");
    await user.textThat((shown) => shown.includes("return a + b"));
  });
});

describe("without a folder", { timeout: 600_000 }, () => {
  let vscode, user;

  before(async () => {
    vscode = await startVSCode({ files: {}, settings: { "sidelight.python": process.env.PYTHON } });
    user = new Workbench(vscode.page);
    await user.openEmpty(vscode.emptyUrl);
    await user.statusThat((text) => text.includes("builtin"));
  });

  after(async () => {
    await user?.shot("last-empty");
    await vscode?.close();
  });

  test("the walkthrough's last step explains an untitled example", async () => {
    await user.command("Sidelight: Get Started");
    await user.page.locator(".getting-started-step").first().waitFor();
    await user.page.locator(".getting-started-step", { hasText: "Keep it, or undo it" }).click();
    await user.shot("walkthrough");
    await user.page.locator(".getting-started-step", { hasText: "See an answer arrive" }).click();
    await user.page.locator(".getting-started-step .monaco-button", { hasText: "Explain an Example" }).click();
    await user.ended("complete");
    assert.match(await user.answer.locator(".text").innerText(), /mean/);
    await user.shot("example");
  });

  test("an untitled file is edited, and the edit undone", async () => {
    await user.command("Sidelight: Explain an Example");
    await user.textThat((shown) => shown.includes("def mean"));
    await user.goToLine(1);
    await user.command("Sidelight: Generate");
    await user.answerBox("What should be written here?", "a docstring");
    await user.textThat((shown) => shown.includes('"""'));
    await user.idle();
    await user.focusEditor();
    await user.page.keyboard.press("Control+Z");
    await user.textThat((shown) => shown.includes("def mean") && !shown.includes('"""'));
  });
});

describe("two windows", { timeout: 600_000 }, () => {
  let vscode, users;

  before(async () => {
    vscode = await startVSCode({ files: { "demo.py": DEMO }, settings: { "sidelight.python": process.env.PYTHON } });
    users = [new Workbench(vscode.page), new Workbench(await vscode.page.context().newPage())];
    for (const user of users) {
      await user.open(vscode.url);
      await user.openFile("demo.py");
    }
  });

  after(async () => {
    await vscode?.close();
  });

  test("have a server each, and one's end does not concern the other", async () => {
    for (const user of users) await user.statusThat((text) => text.includes("builtin"));
    await users[0].page.bringToFront();
    await users[0].selectLine(1);
    await users[0].command("Sidelight: Explain");
    await users[0].ended("complete");
    await users[1].page.bringToFront();
    await users[1].command("Sidelight: Restart Server");
    await users[1].statusThat((text, icon) => text.includes("builtin") && icon.includes("lightbulb"));
    assert.match(await users[0].answer.locator(".text").innerText(), /add/);
    await users[1].selectLine(1);
    await users[1].command("Sidelight: Explain");
    await users[1].ended("complete");
    assert.equal(vscode.kill(), 2);
  });
});
