// In Chinese: what the manifest says, what the client says and what the server says.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startVSCode } from "./vscode.mjs";
import { Workbench } from "./workbench.mjs";

describe("in Simplified Chinese", { timeout: 600_000 }, () => {
  let vscode, user;

  before(async () => {
    const settings = { "sidelight.python": process.env.PYTHON };
    vscode = await startVSCode({ files: { "demo.py": "def add(a, b):\n    return a + b\n" }, settings, locale: "zh-cn" });
    user = new Workbench(vscode.page);
    await user.open(vscode.url);
    await user.openFile("demo.py");
    await user.statusThat((text) => text.includes("builtin"));
  });

  after(async () => {
    await user?.shot("last-chinese");
    await vscode?.close();
  });

  test("the palette, the view and the answer are in Chinese", async () => {
    await user.selectLine(1);
    await user.command("Sidelight: 解释");
    await user.ended("complete");
    const shown = await user.answer.innerText();
    assert.match(shown, /解释/);
    assert.match(shown, /函数/, "the server's own words");
    await user.shotInBothThemes("chinese");
  });

  test("the status bar says in Chinese what a click does, and the doctor reports in Chinese", async () => {
    assert.match(await user.statusItem.locator("a").first().getAttribute("aria-label"), /点击查看更多/);
    await user.command("Sidelight: 诊断");
    assert.match(await user.textThat((shown) => shown.includes("Sidelight 0")), /配置|提供方/);
    await user.shot("chinese-doctor");
  });
});
