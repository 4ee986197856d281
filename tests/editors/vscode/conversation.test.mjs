// The side view in a real VS Code, with the real server and a stand-in for AnythingLLM: asking in it, code from it,
// sources, history, and what is there again after the window was loaded anew.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startModel } from "./model.mjs";
import { startVSCode } from "./vscode.mjs";
import { eventually, Workbench } from "./workbench.mjs";

const DEMO = `def add(a, b):
    return a + b


def main():
    print(add(1, 2))
`;
const ANSWER = `## Adding

\`add\` takes **two numbers** and returns their *sum*. It is called in \`main\`:

1. the arguments are evaluated
   - first \`a\`
   - then \`b\`
2. their sum is printed

| call | result |
|:-----|-------:|
| \`add(1, 2)\` | 3 |

\`\`\`python
if total > 3:
    print("much")
\`\`\`

> See the [handbook](https://example.invalid/handbook).
`;

/** Pictures in high contrast, wide and narrow. */
async function shootWide(user) {
  const drag = async (from, to) => {
    await user.page.mouse.move(from, 400);
    await user.page.mouse.down();
    await user.page.mouse.move(to, 400, { steps: 5 });
    await user.page.mouse.up();
  };
  for (const [theme, mark] of [["Dark High Contrast", "hc-black"], ["Light High Contrast", "hc-light"], ["Light Modern", "vs"]]) {
    await user.command("View: Focus Active Editor Group");
    await user.page.keyboard.press("Control+K");
    await user.page.keyboard.press("Control+T");
    await user.page.locator(".quick-input-widget input").waitFor();
    await user.page.keyboard.type(theme);
    await user.page.locator(".quick-input-list .monaco-list-row", { hasText: theme }).first().waitFor();
    await user.page.keyboard.press("Enter");
    await user.page.locator(`.monaco-workbench.${mark}`).waitFor();
    if (mark !== "vs") await user.shot(`view-answer-${mark}`);
  }
  await drag(350, 700);
  await user.shot("view-answer-wide");
  await drag(700, 230);
  await user.shot("view-answer-narrow");
  await drag(218, 350);
}

describe("the conversation", { timeout: 600_000 }, () => {
  let vscode, user, model;

  before(async () => {
    model = await startModel();
    const environment = { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" };
    const settings = { "sidelight.python": process.env.PYTHON, "sidelight.anythingllm.baseUrl": model.address };
    vscode = await startVSCode({ files: { "demo.py": DEMO, "other.py": "x = 1\n" }, settings, environment });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("anythingllm"));
    await user.newConversation();
  });

  after(async () => {
    await user?.shot("last-conversation");
    await vscode?.close();
    await model?.close();
  });

  test("the selection is a chip, and goes along with the question", async () => {
    model.pieces = ["<think>They add. ", "So be it.</think>", ...ANSWER.match(/[^]{1,40}/g)];
    model.sources = [
      { title: "handbook.md", chunkSource: "link://https://example.invalid/a%2Fb?c=d%26e", text: "How numbers are added." },
      { title: "elsewhere.md", chunkSource: "file:///nowhere/elsewhere.md", text: "From another machine." },
      { title: "bare.md", chunkSource: "localfile:///bare.md" },
      { title: "notes.txt", text: "Sums are commutative.\nMostly." },
    ];
    await user.shot("view-empty");
    await user.selectLines(1, 2);
    await user.askOn("What does it do?", "demo.py:1-2");
    await user.ended("complete");
    assert.equal(await user.answer.locator("h2 .chip").innerText(), "demo.py:1-2");
    assert.match(model.requests.at(-1), /return a \+ b/);
    assert.equal(await user.box.inputValue(), "");
    await user.shotInBothThemes("view-answer");
    if (process.env.SHOTS) await shootWide(user);
  });

  test("the next question goes on in the same conversation, without a place that was left out", async () => {
    await user.press("Ask about demo.py:1-2");
    model.pieces = ["Because it is short."];
    model.sources = [];
    await user.askOn("And why?");
    await user.ended("complete");
    assert.equal(await user.answers.count(), 2);
    assert.equal(await user.answer.locator("h2 .chip").count(), 0);
    const [one, other] = model.requests.slice(-2).map((body) => JSON.parse(body).sessionId);
    assert.ok(one && one === other);
  });

  test("code is inserted at the cursor with its indentation, as one step", async () => {
    await user.command("View: Focus Active Editor Group");
    await user.goToLine(6);
    await user.page.keyboard.press("End");
    await user.page.keyboard.press("Enter");
    const before = await user.text();
    await user.answers.first().locator(".code").hover();
    await user.press("Insert at Cursor");
    await user.textThat((shown) => shown.includes('    if total > 3:\n        print("much")'));
    await eventually(() => user.hasFocusInEditor(), Boolean);
    await user.page.keyboard.press("Control+Z");
    await user.textThat((shown) => shown === before);
  });

  test("a source without an address shows its stored text, which cannot be changed", async () => {
    await user.press("notes.txt");
    await user.page.locator('.tab[data-resource-name="notes.txt"]').waitFor();
    await user.textThat((shown) => shown.includes("Sums are commutative.\nMostly."));
    await user.page.keyboard.type("x");
    await user.textThat((shown) => shown.includes("Sums are commutative.\nMostly."));
    assert.equal(await user.page.locator(".tab.dirty[data-resource-name='notes.txt']").count(), 0);
  });

  test("a source on a page opens exactly its address, when that is allowed", async () => {
    const left = user.page.context().waitForEvent("request", (request) => request.url().includes("example.invalid"));
    await user.press("handbook.md");
    await user.page.locator(".monaco-dialog-box").getByRole("button", { name: "Open", exact: true }).click();
    assert.equal((await left).url(), "https://example.invalid/a%2Fb?c=d%26e");
    await eventually(() => user.page.context().pages().length, (count) => count > 1);
    await Promise.all(user.page.context().pages().slice(1).map((page) => page.close()));
  });

  test("a source whose file is not on this machine shows its stored text; one without any says that it cannot be opened", async () => {
    await user.press("elsewhere.md");
    await user.page.locator('.tab[data-resource-name="elsewhere.md"]').waitFor();
    await user.textThat((shown) => shown.includes("From another machine."));
    await user.press("bare.md");
    await user.toast("localfile:///bare.md cannot be opened from here.");
  });

  test("the place of a question opens its file", async () => {
    await user.press("demo.py:1-2");
    await user.page.locator('.tab.active[data-resource-name="demo.py"]').waitFor();
  });

  test("code is applied as an edit where the question was about, also when another file is in front", async () => {
    model.pieces = ["```python\ndef add(a, b):\n    return b + a\n```\n"];
    await user.command("View: Focus Active Editor Group");
    await user.selectLines(1, 2);
    await user.askOn("Swap them", "demo.py:1-2");
    await user.ended("complete");
    await user.openFile("other.py");
    await user.answer.getByRole("button", { name: "Apply as Edit" }).press("Enter");
    await user.textThat((shown) => shown.includes("return b + a") && !shown.includes("return a + b"));
    await user.lens("Undo this edit").click();
    await user.textThat((shown) => shown.includes("return a + b"));
  });

  test("a question about an untitled document is not asked again, nor its code applied, once that is closed", async () => {
    const tabs = await user.tabs();
    const open = async () => {
      await user.page.keyboard.press("F1");
      await user.page.locator(".quick-input-widget input").waitFor();
      await user.page.keyboard.type("New Untitled Text File");
      // A command that compares two of them has nearly this name, and may stand above.
      await user.page.locator('.quick-input-list .monaco-list-row[aria-label^="File: New Untitled Text File"]').click();
      await eventually(() => user.tabs(), (count) => count === tabs + 1);
      await user.view.getByRole("button", { name: "Ask about Untitled-1" }).waitFor();
    };
    const close = async () => {
      await user.command("View: Focus Active Editor Group");
      await user.command("View: Revert and Close Editor");
      await eventually(() => user.tabs(), (count) => count === tabs);
    };
    await user.newConversation();
    await open();
    await user.page.keyboard.type("secret = 1");
    model.pieces = ["```python\nsecret = 2\n```\n"];
    await user.press("Ask about Untitled-1");
    await user.askOn("Better?");
    await user.ended("complete");
    await close();
    await open();
    for (const name of ["Apply as Edit", "Ask Again", "Untitled-1"]) {
      await user.answer.getByRole("button", { name: name === "Untitled-1" ? /Untitled-1/ : name }).press("Enter");
      await user.toast("Untitled-1 is not open any more.");
    }
    assert.equal(await user.answers.count(), 1);
    await close();
    await user.showHistory();
    await user.view.locator(".list li", { hasText: "What does it do?" }).getByRole("button").first().click();
    await user.answers.nth(2).waitFor();
  });

  test("Explain begins a conversation, while the one before goes on and is marked in the history", async () => {
    Object.assign(model, { pieces: ["Slowly ", ...Array(1000).fill("word ")], pauseMs: 100 });
    await user.askOn("How long?");
    await eventually(() => user.answer.locator(".text").innerText(), (text) => text.includes("word"));
    model.pieces = ["It adds."];
    await user.command("Sidelight: Explain");
    await user.asked("Explain");
    await user.ended("complete");
    assert.equal(await user.answers.count(), 1);
    await user.showHistory();
    const rows = user.view.locator(".list li");
    await eventually(() => rows.allInnerTexts(), (texts) => texts.length === 3 && texts.filter((text) => text.includes("Answering…")).length === 1);
    await user.shotInBothThemes("view-history");
    await rows.filter({ hasText: "Answering…" }).getByRole("button").first().click();
    await user.answers.nth(3).waitFor();
    await eventually(() => user.answer.locator(".text").innerText(), (text) => /^Slowly word/.test(text));
  });

  test("a question can be asked again after it was stopped", async () => {
    await user.box.press("Escape");
    await user.ended("stopped");
    Object.assign(model, { pieces: ["Not long."], pauseMs: 0 });
    await user.answer.getByRole("button", { name: "Ask Again" }).click();
    await user.answers.nth(4).waitFor();
    await user.ended("complete");
    assert.match(await user.answer.innerText(), /How long\?[^]*Not long\./);
  });

  test("the history finds what was said, and a conversation goes on from there", async () => {
    await user.newConversation();
    await eventually(() => user.box.evaluate((box) => document.activeElement === box), Boolean);
    await user.showHistory();
    const search = user.view.getByRole("searchbox");
    await search.fill("commutative");
    await eventually(() => user.view.locator(".list").innerText(), (text) => text.includes("No conversation has these words."));
    await search.fill("short");
    const row = user.view.locator(".list li");
    await eventually(() => row.allInnerTexts(), (texts) => texts.length === 1 && texts[0].includes("Because it is short."));
    await row.getByRole("button").first().click();
    await user.answers.nth(4).waitFor();
  });

  test("New Conversation and Show History take the cursor along, also from a side bar that was hidden", async () => {
    const hasFocus = (locator) => eventually(() => locator.evaluate((element) => document.hasFocus() && document.activeElement === element), Boolean);
    for (const [title, field] of [["Show History", user.view.getByRole("searchbox")], ["New Conversation", user.box]]) {
      await user.command("View: Toggle Primary Side Bar Visibility");
      await user.box.waitFor({ state: "detached" });
      await user.command(`Sidelight: ${title}`);
      await field.waitFor();
      await hasFocus(field);
    }
    await user.showHistory();
    await user.view.locator(".list li", { hasText: "What does it do?" }).getByRole("button").first().click();
    await user.answers.nth(4).waitFor();
  });

  test("after the window is loaded again, the conversation and the draft are there", async () => {
    await user.box.fill("half a question");
    const shown = await user.answers.first().innerText();
    await user.command("Developer: Reload Window");
    await user.box.waitFor({ state: "detached" });
    await user.answers.nth(4).waitFor();
    assert.equal(await user.box.inputValue(), "half a question");
    assert.equal(await user.answers.first().innerText(), shown);
    assert.equal(await user.answers.first().locator("h2 button.chip").innerText(), "demo.py:1-2");
    model.pieces = ["Yes."];
    await user.askOn("Still there?");
    await user.ended("complete");
    assert.equal(await user.answers.count(), 6);
  });

  test("a conversation gets a title, is exported, and is deleted when that is confirmed", async () => {
    await user.command("Sidelight: Rename Conversation");
    await user.page.locator(".quick-input-widget", { hasText: "Title of the conversation" }).waitFor();
    await user.page.keyboard.press("Control+A");
    await user.page.keyboard.type("Sums");
    await user.page.keyboard.press("Enter");
    await user.view.locator("h1", { hasText: "Sums" }).waitFor({ state: "attached" });
    await user.command("Sidelight: Export Conversation");
    await user.choose("Export Conversation", "Markdown, as a document");
    await user.textThat((text) => text.includes("# Sums"));
    await user.showHistory();
    const rows = user.view.locator(".list li");
    await eventually(() => rows.count(), (count) => count === 3);
    await rows.filter({ hasText: "Sums" }).hover();
    await user.press("Delete Sums");
    const dialog = user.page.locator(".monaco-dialog-box");
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /Sums/);
    await dialog.getByRole("button", { name: "Delete" }).click();
    await eventually(() => rows.allInnerTexts(), (texts) => texts.length === 2 && texts.every((text) => !text.includes("Sums")));
    await user.press("Back to the Conversation");
    await user.view.locator(".empty").waitFor();
  });

  test("without a server the history and Delete All say so, and the list is there again with the server", async () => {
    const settings = vscode.machineSettings();
    await user.showHistory();
    const rows = user.view.locator(".list li");
    await eventually(() => rows.count(), (count) => count === 2);
    vscode.set({ ...settings, "sidelight.python": "/nowhere/python" });
    await user.view.locator(".list", { hasText: "The Sidelight server is not running." }).waitFor();
    await user.command("Notifications: Clear All Notifications");
    await user.command("Sidelight: Delete All Conversations");
    await user.page.locator(".monaco-dialog-box").getByRole("button", { name: "Delete All" }).click();
    await user.toast("The Sidelight server is not running.");
    vscode.set(settings);
    await eventually(() => rows.count(), (count) => count === 2);
  });
});
