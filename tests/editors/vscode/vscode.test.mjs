// The extension in a real VS Code, with the real server. Models are the built-in provider and a stand-in for AnythingLLM.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startModel } from "./model.mjs";
import { startVSCode } from "./vscode.mjs";
import { eventually, Workbench } from "./workbench.mjs";

const DEMO = `import os


def add(a, b):
    return a + b


print(addd(1, 2))
`;
const LAST_LINE = 99;
const PYTHON = { "sidelight.python": process.env.PYTHON };

describe("in a trusted folder", { timeout: 600_000 }, () => {
  let vscode, user, model;

  before(async () => {
    model = await startModel();
    const environment = { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" };
    vscode = await startVSCode({ files: { "demo.py": DEMO }, settings: PYTHON, environment });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("builtin"));
  });

  after(async () => {
    await user?.shot("last");
    await vscode?.close();
    await model?.close();
  });

  test("explain from the palette arrives in the view and leaves the cursor in the editor", async () => {
    await user.selectLine(4);
    await user.command("Sidelight: Explain");
    await user.ended("complete");
    assert.match(await user.answer.locator(".text").innerText(), /add/);
    assert.match(await user.answer.locator("h2").innerText(), /demo\.py:4/);
    assert.ok(await user.hasFocusInEditor());
    await user.shotInBothThemes("explain");
  });

  test("explain on a diagnostic from the light bulb goes into the view, not onto a page", async () => {
    await user.goToLine(1);
    await user.lightBulb("Explain with Sidelight: `os`");
    await user.asked("demo.py:1");
    await user.ended("complete");
    assert.match(await user.answer.locator("h2").innerText(), /demo\.py:1/);
    assert.equal(await user.tabs(), 1);
  });

  test("ask from the light bulb prompts, and the answer goes into the view", async () => {
    await user.goToLine(4);
    await user.lightBulb("Ask Sidelight");
    await user.answerBox("What do you want to know?", "What is it for?");
    await user.asked("What is it for?");
    await user.ended("complete");
    assert.match(await user.answer.innerText(), /What is it for\?/);
  });

  test("fix from the light bulb changes the buffer", async () => {
    await user.goToLine(8);
    await user.lightBulb("Fix with Sidelight: undefined name");
    const text = await user.textThat((shown) => shown.includes("print(add(1, 2))"));
    assert.match(text, /def add\(a, b\):/);
    await user.shot("fix");
  });

  test("a changed setting counts at once", async () => {
    vscode.set({ ...PYTHON, "sidelight.anythingllm.baseUrl": model.address });
    await user.statusThat((text) => text.includes("anythingllm"));
  });

  test("what a model writes is shown as text, with reasoning folded and sources listed", async () => {
    model.pieces = ["<think>Let me ", "see.</think>", HOSTILE.slice(0, 30), HOSTILE.slice(30)];
    model.sources = [{ title: "handbook.md", chunkSource: "https://example.invalid/x", text: "How <b>numbers</b> are added." }];
    await user.ask("How do I add?");
    await user.ended("complete");
    const shown = await user.answer.locator(".text").innerText();
    assert.ok(shown.includes("<img src=x onerror=alert(1)>") && shown.includes("<script>alert(2)</script>"), shown);
    assert.equal(await user.answer.locator("a, img, script, iframe, b").count(), 0);
    assert.match(await user.answer.locator("header blockquote").innerText(), /How do I add\?/);
    assert.equal(await user.answer.locator(".reasoning").evaluate((details) => details.open), false);
    assert.match(await user.answer.locator(".reasoning").textContent(), /Let me see\./);
    assert.match(await user.answer.locator(".sources").innerText(), /handbook\.md/);
    await user.shotInBothThemes("hostile");
  });

  test("stop in the view keeps the text and hangs up on the model", async () => {
    Object.assign(model, { pieces: ["It "], sources: [], isEndless: true });
    await user.ask("For how long?");
    await eventually(() => user.answer.locator(".text").innerText(), (text) => text.split("word").length > 20);
    await user.statusThat((_text, icon) => icon.includes("loading"));
    await user.shot("streaming");
    await user.press("Stop");
    await user.ended("stopped");
    await eventually(() => model.hangUps, (count) => count === 1);
    assert.match(await user.answer.locator(".text").innerText(), /^It word word/);
    await user.statusThat((_text, icon) => !icon.includes("loading"));
  });

  test("a click on the busy status bar item stops, too", async () => {
    await user.ask("And now?");
    await user.statusThat((_text, icon) => icon.includes("loading"));
    await user.statusItem.click();
    await user.ended("stopped");
    await eventually(() => model.hangUps, (count) => count === 2);
  });

  test("a restart of the server ends a running answer and keeps its text", async () => {
    await user.ask("Still there?");
    await eventually(() => user.answer.locator(".text").innerText(), (text) => text.includes("word"));
    await user.command("Sidelight: Restart Server");
    await user.ended("cut_off");
    assert.match(await user.answer.innerText(), /It word[^]*The Sidelight server stopped\./);
    await user.statusThat((text, icon) => text.includes("anythingllm") && icon.includes("lightbulb"));
  });

  test("an answer that breaks off is marked, and its text is kept", async () => {
    Object.assign(model, { pieces: ["Half an answer"], isEndless: false, breaksOff: true });
    await user.ask("Whole?");
    await user.ended("cut_off");
    assert.match(await user.answer.locator(".text").innerText(), /Half an answer/);
    assert.match(await user.answer.locator(".end").innerText(), /Cut off/);
    model.breaksOff = false;
  });

  test("a failure is shown with what to do about it", async () => {
    Object.assign(model, { pieces: [], error: "Could not reach the model: API key missing" });
    await user.ask("Can you?");
    await user.ended("failed");
    assert.ok(await user.answer.locator(".end .hint").innerText());
    await user.shotInBothThemes("failures");
    model.error = "";
  });

  test("generate from the palette writes what the model says into the buffer", async () => {
    model.pieces = ["```python\n", "def sub(a, b):\n    return a - b\n", "```\n"];
    await user.goToLine(LAST_LINE);
    await user.command("Sidelight: Generate");
    await user.answerBox("What should be written here?", "a function that subtracts");
    await user.textThat((shown) => /def sub\(a, b\):\n +return a - b/.test(shown));
  });

  test("an edit grows while it is written, and a lens above it undoes it", async () => {
    const before = await user.text();
    model.pieces = ["```python\n", "def mul(a, b):\n", '    """Multiply."""\n', "    return a * b\n```\n"];
    model.pauseMs = 500;
    await user.goToLine(LAST_LINE);
    await user.command("Sidelight: Generate");
    await user.answerBox("What should be written here?", "a function that multiplies");
    await user.textThat((shown) => shown.includes("Multiply.") && !shown.includes("a * b"));
    await user.textThat((shown) => shown.includes("a * b"));
    model.pauseMs = 0;
    const lenses = user.lens("Undo this edit");
    await eventually(() => lenses.count(), (count) => count === 2); // that of the edit before, too
    await user.shotInBothThemes("live-edit");
    await lenses.last().click();
    assert.equal(await user.textThat((shown) => !shown.includes("def mul")), before);
  });

  test("the view follows the theme", async () => {
    const colours = () => user.view.locator("body").evaluate((body) => {
      const style = getComputedStyle(body);
      return `${style.color} on ${getComputedStyle(document.documentElement).getPropertyValue("--vscode-sideBar-background")}`;
    });
    await user.command("View: Show Sidelight");
    await user.box.waitFor();
    const before = await colours();
    await user.command("Preferences: Toggle between Light/Dark Themes");
    await eventually(colours, (now) => now !== before);
    await user.command("Preferences: Toggle between Light/Dark Themes");
    await eventually(colours, (now) => now === before);
  });

  test("answers are there again after the view was hidden", async () => {
    const shown = await user.answers.count();
    const last = await user.answer.innerText();
    await user.command("View: Show Explorer");
    await user.page.locator(".explorer-folders-view .monaco-list-row").first().waitFor();
    await user.command("View: Show Sidelight");
    await user.answers.nth(shown - 1).waitFor();
    assert.equal(await user.answers.count(), shown);
    assert.equal(await user.answer.innerText(), last);
  });
});

describe("in a folder that is not trusted", { timeout: 600_000 }, () => {
  let vscode, user;

  before(async () => {
    const files = { "demo.py": DEMO, ".env": "ANYTHINGLLM_BASE_URL=http://127.0.0.1:9\n" };
    vscode = await startVSCode({ files, settings: PYTHON, trusted: false });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
  });

  after(async () => {
    await user?.shot("last-untrusted");
    await vscode?.close();
  });

  test("its .env does not count until the user grants trust", async () => {
    await user.statusThat((text) => text.includes("builtin"));
    await user.command("Workspaces: Manage Workspace Trust");
    await user.shot("restricted");
    await user.page.locator(".workspace-trust-editor .monaco-button", { hasText: "Trust" }).first().click();
    await user.statusThat((text) => text.includes("anythingllm"));
  });
});

describe("where the server does not start", { timeout: 600_000 }, () => {
  let vscode, user;

  before(async () => {
    vscode = await startVSCode({ files: { "demo.py": DEMO }, settings: { "sidelight.python": "/nowhere/python" } });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
  });

  after(() => vscode?.close());

  test("it is said what was looked for and what to do", async () => {
    const said = await user.toast("Sidelight needs Python 3.10 or newer");
    assert.match(said, /\/nowhere\/python/);
    assert.match(said, /Open Settings/);
  });

  test("a server that ends at once is not started again, and its last words are shown", async () => {
    vscode.set({ "sidelight.server.command": [process.env.PYTHON, "-c", "raise SystemExit('the words of the end')"] });
    assert.match(await user.toast("The Sidelight server is not running."), /the words of the end/);
  });

  test("it starts as soon as the setting is right, also after a server that hung", async () => {
    vscode.set({ "sidelight.server.command": ["sleep", "1000"] });
    await user.statusThat((_text, icon) => icon.includes("loading"));
    vscode.set(PYTHON);
    await user.statusThat((text) => text.includes("builtin"));
  });
});

const HOSTILE = `Use \`add\`. <img src=x onerror=alert(1)> [quit](command:workbench.action.quit)

\`\`\`python
print(add(1, 2))  # <script>alert(2)</script>
\`\`\`
`;
