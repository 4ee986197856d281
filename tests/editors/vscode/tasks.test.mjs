// The tasks beside explain, fix and ask in a real VS Code, and what an answer rests on: the user's own tasks, reviews,
// commit messages, sources on this machine, what was sent, kept explanations.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { startModel } from "./model.mjs";
import { startVSCode, writeFiles } from "./vscode.mjs";
import { eventually, Workbench } from "./workbench.mjs";

const CALC = `def add(a, b):
    return a - b


def half(a):
    return a / 2
`;
const GUIDE = `# The guide

Much is said before the passage.

Numbers are added from left to right.

And much after it.
`;
const OWN = `---
title: Explain to a newcomer
description: Without any jargon
answer: text
languages: [python]
---
Explain {selection} of {file} to somebody who is new.
`;
const WRONG = `---
title: Broken
answer: sometimes
---
Do it.
`;

/** A repository in which one version is committed, and the working tree has another one. */
function makeRepository(folder) {
  const git = (...args) => execFileSync("git", ["-C", folder, "-c", "user.name=A", "-c", "user.email=a@example.invalid", ...args]);
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "-m", "Begin");
  writeFiles(folder, { "calc.py": CALC.replace("a / 2", "a / 3") });
  git("add", "calc.py");
}

describe("tasks, and what answers rest on", { timeout: 600_000 }, () => {
  let vscode, user, model;

  const box = () => user.page.locator(".scm-editor .view-lines").first().innerText().then((text) => text.replaceAll("\u00a0", " ").trim());
  const selection = () => user.page.locator(".statusbar-item[id='status.editor.selection']").innerText();
  const dialog = () => user.page.locator(".monaco-dialog-box");

  before(async () => {
    model = await startModel();
    const environment = { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" };
    const settings = { "sidelight.python": process.env.PYTHON, "sidelight.anythingllm.baseUrl": model.address };
    const files = { "calc.py": CALC, "docs/guide.md": GUIDE, ".sidelight/tasks/newcomer.md": OWN, ".sidelight/tasks/broken.md": WRONG };
    vscode = await startVSCode({ files, settings, environment });
    makeRepository(vscode.folder);
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("calc.py");
    await user.statusThat((text) => text.includes("anythingllm"));
  });

  after(async () => {
    await user?.shot("last-tasks");
    await vscode?.close();
    await model?.close();
  });

  test("a task of the user's own is run from the list, and its answer comes into the view", async () => {
    model.pieces = ["It makes one number of two."];
    await user.selectLines(1, 2);
    await user.command("Sidelight: Run Task");
    await user.choose("Sidelight: Run Task", "Explain to a newcomer");
    await user.ended("complete");
    assert.match(await user.answer.innerText(), /It makes one number of two\./);
    assert.match(model.requests.at(-1), /somebody who is new/);
    assert.match(model.requests.at(-1), /return a - b/);
  });

  test("a file of a task that is wrong is listed with its line, and opens there", async () => {
    await user.command("Sidelight: Run Task");
    const row = user.page.locator(".quick-input-widget .monaco-list-row", { hasText: "broken.md:3" });
    await row.waitFor();
    await user.shot("tasks");
    await row.click();
    await user.page.locator('.tab.active[data-resource-name="broken.md"]').waitFor();
    await eventually(selection, (text) => text.includes("Ln 3"));
    await user.command("View: Revert and Close Editor");
  });

  test("a review's findings are problems, whose quick fix is applied", async () => {
    model.pieces = ["2 | error | It subtracts.\n```python\n    return a + b\n```\n"];
    await user.openFile("calc.py");
    await user.selectLines(1, 2);
    await user.command("Sidelight: Review");
    await user.page.locator(".squiggly-error").first().waitFor();
    assert.equal(await user.marks(), 0, "a finding is not shown as a change");
    await user.goToLine(2);
    await user.lightBulb("Apply the suggested fix");
    await user.textThat((shown) => shown.includes("return a + b") && !shown.includes("return a - b"));
    await eventually(() => user.page.locator(".squiggly-error").count(), (count) => count === 0);
    await user.command("File: Revert File");
    await user.textThat((shown) => shown.includes("return a - b"));
  });

  test("a review of the changes finds what the working tree has", async () => {
    model.pieces = ["calc.py:6 | warning | That is a third.\n"];
    await user.command("Sidelight: Review Changes");
    await user.page.locator(".squiggly-warning").first().waitFor();
    assert.match(model.requests.at(-1), /a \/ 3/);
    await user.goToLine(6);
    await user.lightBulb("Dismiss: That is a third.");
    await eventually(() => user.page.locator(".squiggly-warning").count(), (count) => count === 0);
  });

  test("a commit message lands in the message box, and replaces nothing that is there without a yes", async () => {
    model.pieces = ["Take a third where it was a half"];
    await user.command("Source Control: Focus on Changes View");
    await user.page.getByRole("button", { name: /Write Commit Message/ }).first().click();
    await eventually(box, (text) => text === "Take a third where it was a half");
    assert.match(model.requests.at(-1), /a \/ 3/);
    const { length } = model.requests;
    model.pieces = ["Divide by three"];
    await user.shot("commit");
    await user.command("Sidelight: Write Commit Message");
    await dialog().getByRole("button", { name: "Cancel" }).click();
    assert.equal(await box(), "Take a third where it was a half");
    assert.equal(model.requests.length, length, "nothing is asked for nothing");
    await user.command("Sidelight: Write Commit Message");
    await dialog().getByRole("button", { name: "Replace" }).click();
    await eventually(box, (text) => text === "Divide by three");
  });

  test("a source that is a file of the folder opens it at the passage", async () => {
    model.pieces = ["From left to right [1]."];
    model.sources = [
      { title: "guide.md", chunkSource: "localfile:///elsewhere/guide.md", text: "Numbers are added from left to right." },
      { title: "guide.md", chunkSource: "localfile:///elsewhere/guide.md", text: "And much after it." },
    ];
    await user.newConversation();
    await user.askOn("In which order?");
    await user.ended("complete");
    assert.equal(await user.answer.locator(".sources li").count(), 1);
    await user.press("guide.md");
    await user.page.locator('.tab.active[data-resource-name="guide.md"]').waitFor();
    await eventually(selection, (text) => /Ln [57]\b.*selected/.test(text));
    await user.shot("source");
    await user.command("View: Revert and Close Editor");
    await user.command("Developer: Reload Window");
    await user.box.waitFor({ state: "detached" });
    await user.answer.waitFor();
    await user.press("guide.md");
    await user.page.locator('.tab.active[data-resource-name="guide.md"]').waitFor();
    await eventually(selection, (text) => /Ln [57]\b.*selected/.test(text));
  });

  test("what was sent is told part by part, and shown as a whole", async () => {
    await user.answer.locator(".sent summary").click();
    await eventually(() => user.answer.locator(".sent [role=status]").innerText(), (text) => /About \d+ tokens to anythingllm · docs at 127\.0\.0\.1:\d+/.test(text));
    assert.ok((await user.answer.locator(".sent li").count()) >= 1);
    await user.shotInBothThemes("sent");
    await user.press("Open the Message");
    await user.page.locator('.tab.active[data-resource-name="What Was Sent"]').waitFor();
    await user.textThat((shown) => shown.includes("In which order?"));
  });

  test("a hover shows the kept explanation, makes no request, and asks again when that is chosen", async () => {
    Object.assign(model, { pieces: ["It **halves**. [Run](command:workbench.action.closeAllEditors)"], sources: [] });
    await user.openFile("calc.py");
    await user.goToLine(5);
    await user.command("Sidelight: Explain");
    await user.asked("Explain");
    await user.ended("complete");
    const { length } = model.requests;
    await user.goToLine(5);
    await user.page.keyboard.press("Control+ArrowRight");
    await user.page.keyboard.press("Control+ArrowRight");
    await user.command("Show or Focus Hover");
    const hover = user.page.locator(".monaco-hover:visible", { hasText: "It halves." });
    await hover.waitFor();
    await user.shot("hover");
    assert.equal(model.requests.length, length);
    assert.equal(await hover.locator("a[href^='command:'], a[data-href^='command:']").count(), 1, "the model's link is none");
    model.pieces = ["It divides."];
    await hover.getByRole("link", { name: "Ask Again" }).click();
    await eventually(() => user.answer.locator(".text").innerText(), (text) => text === "It divides.");
    assert.equal(model.requests.length, length + 1);
  });

  test("a file of the explorer goes into the knowledge base", async () => {
    model.documents = [];
    await user.page.locator(".activitybar .action-label[aria-label^='Explorer']").click();
    await user.page.locator(".explorer-folders-view .monaco-list-row", { hasText: "calc.py" }).click({ button: "right" });
    // A menu takes no click right after it was opened.
    await user.page.locator(".monaco-menu").getByText("Add to Knowledge Base").hover();
    await user.page.keyboard.press("Enter");
    await user.toast("1 added");
    assert.deepEqual(model.documents.map(({ docpath }) => /calc\.py/.test(docpath)), [true]);
    await user.command("Sidelight: Knowledge Base Status");
    await user.toast("1 in step");
  });
});
