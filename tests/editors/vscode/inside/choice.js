// Which Python runs the server, seen from inside. The Python extension's choice is in SIDELIGHT_TEST_CHOICE.
const assert = require("node:assert/strict");
const { existsSync } = require("node:fs");
const vscode = require("vscode");
const { eventually, serverProcess } = require("./editor.js");

const choice = process.env.SIDELIGHT_TEST_CHOICE;

exports.tests = {
  "the server runs on the Python extension's choice, unless that lies in a folder that is not trusted": async () => {
    const { command } = await eventually(serverProcess, (found) => found !== undefined);
    assert.equal(command === choice, vscode.workspace.isTrusted, command);
    assert.ok(!existsSync(`${choice}.ran`), "a program of the folder has run");
    return { isTrusted: vscode.workspace.isTrusted, command };
  },
};
