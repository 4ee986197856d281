// The first run: install, connect to AnythingLLM with a key, choose a workspace, ask; and where the key is afterwards.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { KEY, startAnythingLLM } from "./replay.mjs";
import { startVSCode } from "./vscode.mjs";
import { eventually, Workbench } from "./workbench.mjs";

const DEMO = `def add(a, b):
    return a + b
`;

describe("connecting", { timeout: 600_000 }, () => {
  let vscode, user, anythingllm;

  before(async () => {
    anythingllm = await startAnythingLLM();
    const settings = { "sidelight.python": process.env.PYTHON, "sidelight.trace.server": "verbose" };
    vscode = await startVSCode({ files: { "demo.py": DEMO }, settings });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("builtin"));
    // With both, every message between VS Code and the server is logged.
    await user.commandAndPick("Developer: Set Log Level", "Sidelight");
    // The list before has a row for the trace, too, for everything that logs.
    await user.page.locator(".quick-input-widget .monaco-list-row", { hasText: "Trace" }).first().click();
  });

  after(async () => {
    await user?.shot("last-connect");
    await vscode?.close();
    await anythingllm?.close();
  });

  async function connect(address, key) {
    await user.command("Sidelight: Connect");
    await user.choose("Sidelight: Connect", "AnythingLLM");
    await user.answerBox("The address, such as", address);
    await user.answerBox("The API key.", key);
  }

  test("with a wrong key says so, and saves nothing unless it is wanted", async () => {
    await connect(anythingllm.address, "WRONG-KEY");
    const dialog = user.page.locator(".monaco-dialog-box");
    await dialog.waitFor();
    await user.shot("connect-failed");
    const said = await dialog.innerText();
    assert.match(said, /key/i);
    assert.ok(!said.includes("WRONG-KEY"));
    await dialog.locator(".monaco-button", { hasText: "Cancel" }).click();
    assert.ok(!vscode.settings().includes(anythingllm.address));
  });

  test("with the right key lists the workspaces, and the chosen one answers with its sources", async () => {
    await connect(anythingllm.address, KEY);
    const list = user.page.locator(".quick-input-widget", { hasText: "Connect to AnythingLLM" });
    await list.locator(".monaco-list-row", { hasText: "test1" }).first().waitFor();
    await user.shot("connect-workspaces");
    await list.locator(".monaco-list-row").first().click();
    await user.statusThat((text, icon) => text.includes("anythingllm") && icon.includes("lightbulb"));
    await user.command("Notifications: Clear All Notifications");
    await user.selectLine(1);
    await user.command("Sidelight: Explain");
    await user.ended("complete");
    assert.match(await user.answer.locator(".text").innerText(), /AnythingLLM is a private RAG server/);
    assert.match(await user.answer.locator(".sources").innerText(), /\.md|\.txt/);
    await user.shotInBothThemes("sources");
    assert.ok(anythingllm.requests.filter(({ line }) => line.startsWith("POST")).every(({ hasKey }) => hasKey));
  });

  test("a source that names a file of AnythingLLM's own shows the text that came with it", async () => {
    await user.press("freedonia.txt");
    await user.page.locator('.tab[data-resource-name="freedonia.txt"]').waitFor();
    await user.textThat((shown) => shown.startsWith("The capital of Freedonia is Sylvania City."));
  });

  test("leaves the key in no file: neither in settings nor in a log, not even in one of every message", async () => {
    assert.match(vscode.settings(), /sidelight\.anythingllm\.baseUrl/);
    await eventually(() => vscode.log(), (log) => /Sending request 'sidelight\/connect[^]*"key": "\*\*\*"/.test(log));
    assert.deepEqual(vscode.filesWith(KEY), []);
    assert.deepEqual(vscode.filesWith("WRONG-KEY"), []);
  });

  test("holds after the window was loaded again", async () => {
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("anythingllm"));
    const before = anythingllm.requests.length;
    await user.selectLine(1);
    await user.command("Sidelight: Explain");
    await user.ended("complete");
    assert.ok(anythingllm.requests.slice(before).some(({ line, hasKey }) => line.startsWith("POST") && hasKey));
  });

  test("the key does not go to another address", async () => {
    const other = await startAnythingLLM();
    try {
      vscode.set({ ...vscode.machineSettings(), "sidelight.anythingllm.baseUrl": other.address });
      // The server is started anew without the key, and cuts off a question that came just before.
      await eventually(async () => {
        await user.ask("Who are you?");
        return user.ending();
      }, (ending) => ending === "failed");
      assert.match(await user.answer.innerText(), /key/);
      assert.ok(other.requests.every(({ hasKey }) => !hasKey));
      await user.shot("no-key");
      await user.view.getByRole("button", { name: "Connect…" }).click();
      await user.page.locator(".quick-input-widget", { hasText: "Sidelight: Connect" }).waitFor();
      await user.page.keyboard.press("Escape");
    } finally {
      await other.close();
    }
  });

  test("the doctor says what it found, and that localhost is the machine of the server", async () => {
    await user.command("Sidelight: Doctor");
    await user.page.locator(".tab", { hasText: "Sidelight Doctor" }).waitFor();
    const report = await user.textThat((shown) => shown.includes("anythingllm"));
    assert.ok(!report.includes(KEY));
    await user.shot("doctor");
  });
});
