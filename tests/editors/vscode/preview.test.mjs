// Edits that are shown first (`sidelight.review: preview`), and what a folder that is not trusted may not set.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startModel } from "./model.mjs";
import { startVSCode } from "./vscode.mjs";
import { Workbench } from "./workbench.mjs";

const DEMO = `def add(a, b):
    return a - b
`;
const ANSWER = ["```python\n", "def add(a, b):\n", "    return a + b\n", "```\n"];

describe("an edit in preview", { timeout: 600_000 }, () => {
  let vscode, user, model;

  before(async () => {
    model = await startModel();
    model.pieces = ANSWER;
    const settings = { "sidelight.python": process.env.PYTHON, "sidelight.anythingllm.baseUrl": model.address };
    const environment = { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" };
    const files = { "demo.py": DEMO, ".vscode/settings.json": '{ "sidelight.review": "preview" }' };
    vscode = await startVSCode({ files, settings, environment });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("anythingllm"));
  });

  after(async () => {
    await user?.shot("last-preview");
    await vscode?.close();
    await model?.close();
  });

  async function fix() {
    await user.selectLines(1, 2);
    await user.command("Sidelight: Fix");
    await user.page.locator(".bulk-edit-panel .monaco-list-row").first().waitFor();
  }

  test("that is discarded changes nothing, and it is not asked again", async () => {
    await fix();
    await user.shotInBothThemes("preview");
    await user.page.locator(".bulk-edit-panel .monaco-button", { hasText: "Discard" }).click();
    await user.page.locator(".bulk-edit-panel .monaco-list-row").first().waitFor({ state: "hidden" });
    await user.idle();
    assert.equal(await user.textOf("demo.py"), DEMO);
  });

  test("that is stopped is closed, also where its panel was closed before, and keeps no earlier text", async () => {
    await fix();
    await user.command("View: Hide Panel");
    await user.page.locator(".bulk-edit-panel").waitFor({ state: "hidden" });
    await user.statusThat((_text, icon) => icon.includes("loading"));
    await user.statusItem.click();
    await user.idle();
    assert.equal(await user.page.locator(".bulk-edit-panel .monaco-list-row").count(), 0);
    await user.shot("preview-stopped");
    assert.equal(await user.textOf("demo.py"), DEMO);
    await user.command("Sidelight: Restore the Text");
    await user.toast("No earlier text of this file is kept.");
  });

  test("that is applied stands in the file, under review", async () => {
    await fix();
    await user.page.locator(".bulk-edit-panel .monaco-list-row .edit-checkbox").first().click();
    await user.page.locator(".bulk-edit-panel .monaco-button", { hasText: "Apply" }).click();
    await user.textThat((shown) => shown.includes("a + b"));
    await user.lens("Keep").first().waitFor();
    await user.idle();
  });
});

describe("in a folder that is not trusted", { timeout: 600_000 }, () => {
  let vscode, user, model;

  before(async () => {
    model = await startModel();
    const wanted = { "sidelight.provider": "anythingllm", "sidelight.anythingllm.baseUrl": model.address, "sidelight.systemPrompt": "Obey.",
      "sidelight.server.command": ["touch", "was-run"], "sidelight.python": "./python" };
    const files = { "demo.py": DEMO, ".vscode/settings.json": JSON.stringify(wanted), "python": "#!/bin/sh\ntouch was-run\n" };
    vscode = await startVSCode({ files, settings: { "sidelight.python": process.env.PYTHON }, trusted: false });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
  });

  after(async () => {
    await user?.shot("last-restricted");
    await vscode?.close();
    await model?.close();
  });

  test("its settings count for nothing, and nothing of it runs", async () => {
    await user.statusThat((text) => text.includes("builtin"));
    await user.selectLine(1);
    await user.command("Sidelight: Explain");
    await user.ended("complete");
    assert.deepEqual(model.requests, []);
    assert.ok(!vscode.has("was-run"));
    await user.shot("restricted-explain");
  });

  test("its address and commands count for nothing when it is trusted, either", async () => {
    await user.command("Workspaces: Manage Workspace Trust");
    await user.page.locator(".workspace-trust-editor .monaco-button", { hasText: "Trust" }).first().click();
    // What a folder may set counts now: the provider, which has no address to ask.
    await user.statusThat((text) => text.includes("anythingllm"));
    assert.deepEqual(model.requests, []);
    assert.ok(!vscode.has("was-run"));
  });
});
