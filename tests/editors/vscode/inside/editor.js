// What the tests inside the extension host do to documents. Waits for what is to be seen, never for a time.
const assert = require("node:assert/strict");
const { readdirSync, readFileSync } = require("node:fs");
const vscode = require("vscode");

const EXTENSION = "sidelight.sidelight";

async function eventually(read, satisfies) {
  let value;
  for (const until = Date.now() + 20_000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 10))) {
    value = await read();
    if (satisfies(value)) return value;
  }
  throw new Error(`waited 20 s, and saw last: ${JSON.stringify(value)?.slice(-1000)}`);
}

/** Opens text as an unsaved document, with the cursor at its beginning. */
async function open(content) {
  const document = await vscode.workspace.openTextDocument({ language: "python", content });
  return vscode.window.showTextDocument(document, { preview: false });
}

function rangeOf(document, text) {
  const start = document.getText().indexOf(text);
  assert.ok(start >= 0, `${text} is not in the document`);
  return new vscode.Range(document.positionAt(start), document.positionAt(start + text.length));
}

/** The code action whose title begins like this, as soon as it is offered for that text. */
async function action(document, text, title) {
  const actions = await eventually(
    () => vscode.commands.executeCommand("vscode.executeCodeActionProvider", document.uri, rangeOf(document, text)),
    (found) => found.some((each) => each.title.startsWith(title)),
  );
  return actions.find((each) => each.title.startsWith(title));
}

async function take({ command }) {
  await vscode.commands.executeCommand(command.command, ...(command.arguments ?? []));
}

/** Waits until the document has a text that satisfies the check. */
function textThat(document, satisfies) {
  return eventually(() => document.getText(), satisfies);
}

/** The language server, a process that this one has started; undefined while there is none. */
function serverProcess() {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const [command, ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
      if (!status.includes(`PPid:\t${process.pid}\n`) || args.at(-1) !== "lsp") continue;
      return { command, args, residentMib: Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) / 1024 };
    } catch {
      // It has ended since it was listed.
    }
  }
  return undefined;
}

module.exports = { EXTENSION, action, eventually, open, rangeOf, serverProcess, take, textThat };
