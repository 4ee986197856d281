// Whether a key of ours is a default key of VS Code, as VS Code itself lists them for this platform.
const assert = require("node:assert/strict");
const vscode = require("vscode");
const { EXTENSION, eventually } = require("./editor.js");

const isOurs = ({ command }) => command.startsWith("sidelight.");

/** The default keybindings: a JSON list between comments. */
async function defaults() {
  await vscode.commands.executeCommand("workbench.action.openDefaultKeybindingsFile");
  const text = await eventually(
    () => vscode.window.activeTextEditor?.document.getText() ?? "",
    (shown) => shown.includes("\n]"),
  );
  return JSON.parse(text.slice(text.indexOf("[\n"), text.indexOf("\n]") + 2));
}

exports.tests = {
  "no key of ours is a default key of VS Code": async () => {
    const bindings = await defaults();
    const ours = bindings.filter(isOurs);
    const theirs = bindings.filter((binding) => !isOurs(binding));
    assert.ok(theirs.length > 500, `VS Code lists ${theirs.length}`);
    const contributed = vscode.extensions.getExtension(EXTENSION).packageJSON.contributes.keybindings ?? [];
    assert.equal(ours.length, contributed.length);
    const keys = new Set(ours.map(({ key }) => key));
    assert.deepEqual(theirs.filter(({ key }) => keys.has(key)), []);
    return { keys: [...keys], theirs: theirs.length };
  },
};
