// How long the extension takes to be of use, and what it takes up; `make bench` prints it.
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");
const vscode = require("vscode");
const { EXTENSION, action, eventually, open, serverProcess } = require("./editor.js");

const MIB = 1 << 20;
const WRONG = "print(addd(1, 2))\n";
const extension = vscode.extensions.getExtension(EXTENSION);

async function firstAction(document) {
  await action(document, "print(addd(1, 2))", "Fix with Sidelight");
}

async function isUp() {
  await eventually(() => vscode.commands.getCommands(true), (commands) => commands.includes("sidelight.fix"));
}

/** What is in use, without what is only waiting to be collected. */
function heapMib() {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed / MIB;
}

exports.tests = {
  "the start": async () => {
    if (extension.isActive) throw new Error("it was active before the measurement");
    const before = heapMib();
    const begin = performance.now();
    const passed = () => performance.now() - begin;
    await extension.activate();
    const activated = passed();
    await isUp();
    const up = passed();
    const { document } = await open(WRONG);
    await firstAction(document);
    return { activated, up, action: passed(), heapMib: heapMib() - before, serverMib: serverProcess().residentMib };
  },

  "a restart, with bytecode": async () => {
    const { document } = await open(WRONG);
    await firstAction(document);
    const begin = performance.now();
    await vscode.commands.executeCommand("sidelight.palette.restart");
    await isUp();
    const up = performance.now() - begin;
    await firstAction(document);
    return { up, action: performance.now() - begin };
  },
};
