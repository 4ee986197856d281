// The extension's start, and its edits in every kind of document, on the built-in provider.
const assert = require("node:assert/strict");
const { readdirSync } = require("node:fs");
const { dirname, join } = require("node:path");
const vscode = require("vscode");
const { EXTENSION, action, eventually, open, serverProcess, take, textThat } = require("./editor.js");

const WRONG = "import os\n\n\ndef add(a, b):\n    return a + b\n\n\nprint(addd(1, 2))\n";
const RIGHT = WRONG.replace("addd", "add");
const FIX = "Fix with Sidelight: undefined name";

const extension = vscode.extensions.getExtension(EXTENSION);
const wasActive = extension.isActive;
const begin = performance.now();

async function fix(document) {
  await take(await action(document, "print(addd(1, 2))", FIX));
  await textThat(document, (text) => text === RIGHT);
  // The edit is at its end when it can be judged.
  return action(document, "print(add(1, 2))", "Undo this edit");
}

exports.tests = {
  "activation does not wait for the server": async () => {
    assert.ok(!wasActive, "it was active before the test");
    await extension.activate();
    const ms = performance.now() - begin;
    // The client registers the server's own commands when that is up.
    assert.ok(!(await vscode.commands.getCommands(true)).includes("sidelight.fix"));
    assert.ok(ms < 2000, `it took ${ms} ms`);
    return { ms };
  },

  "every command of the manifest is registered": async () => {
    const registered = new Set(await vscode.commands.getCommands(true));
    const commands = extension.packageJSON.contributes.commands.map(({ command }) => command);
    assert.deepEqual(commands.filter((command) => !registered.has(command)), []);
  },

  "a diagnostic has its code actions as soon as the server is there": async () => {
    const { document } = await open(WRONG);
    await action(document, "print(addd(1, 2))", FIX);
    await action(document, "import os", "Explain with Sidelight");
    return { ms: performance.now() - begin };
  },

  "the server runs isolated, and its bytecode is not in the extension's folder": async () => {
    const { args } = serverProcess();
    assert.deepEqual(args.slice(0, 2), ["-I", "-X"]);
    const [, bytecode] = /^pycache_prefix=(.*\/globalStorage\/sidelight\.sidelight\/bytecode\/.*)$/.exec(args[2]);
    assert.deepEqual(args.slice(3), [join(extension.extensionPath, "server"), "lsp"]);
    assert.ok(readdirSync(bytecode, { recursive: true }).some((name) => name.endsWith(".pyc")));
    // What an earlier version has left is gone.
    await eventually(() => readdirSync(dirname(bytecode)), (names) => names.length === 1);
    const files = readdirSync(extension.extensionPath, { recursive: true });
    assert.deepEqual(files.filter((name) => name.endsWith(".pyc")), []);
  },

  "one undo takes back a fix of an untitled document": async () => {
    const { document } = await open(WRONG);
    await fix(document);
    await vscode.commands.executeCommand("undo");
    assert.equal(document.getText(), WRONG);
    await vscode.commands.executeCommand("redo");
    assert.equal(document.getText(), RIGHT);
  },

  "one undo takes back a fix of a file, which is clean again": async () => {
    const uri = vscode.Uri.file(join(vscode.workspace.workspaceFolders[0].uri.fsPath, "demo.py"));
    const { document } = await vscode.window.showTextDocument(uri);
    assert.equal(document.getText(), WRONG);
    await fix(document);
    assert.ok(document.isDirty);
    await vscode.commands.executeCommand("undo");
    assert.equal(document.getText(), WRONG);
    assert.ok(!document.isDirty);
  },

  "undo this edit leaves what was typed since": async () => {
    const editor = await open(WRONG);
    const undo = await fix(editor.document);
    editor.selection = new vscode.Selection(0, 0, 0, 0);
    await vscode.commands.executeCommand("default:type", { text: "# mine\n" });
    await take(undo);
    await textThat(editor.document, (text) => text === `# mine\n${WRONG}`);
  },

  "two documents beside each other are fixed each in its own right": async () => {
    const first = await open(WRONG);
    const document = await vscode.workspace.openTextDocument({ language: "python", content: WRONG });
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: false });
    await Promise.all([fix(first.document), fix(document)]);
    await vscode.commands.executeCommand("undo");
    assert.equal(document.getText(), WRONG);
    assert.equal(first.document.getText(), RIGHT);
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
  },

  "a document that nobody sees is fixed, too": async () => {
    const editor = await open(WRONG);
    const found = await action(editor.document, "print(addd(1, 2))", FIX);
    await open("# something else\n");
    await take(found);
    await textThat(editor.document, (text) => text === RIGHT);
  },

  "a cell of a notebook is fixed": async () => {
    const uri = vscode.Uri.file(join(vscode.workspace.workspaceFolders[0].uri.fsPath, "demo.ipynb"));
    const notebook = await vscode.workspace.openNotebookDocument(uri);
    await vscode.window.showNotebookDocument(notebook);
    const [{ document }] = notebook.getCells();
    assert.equal(document.getText(), WRONG.trimEnd());
    await take(await action(document, "print(addd(1, 2))", FIX));
    await textThat(document, (text) => text === RIGHT.trimEnd());
  },
};
