// The extension in VS Code's own extension host: each test of `inside/` is one here.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runInside } from "./host.mjs";
import { startModel } from "./model.mjs";
import { writeFiles } from "./vscode.mjs";

const SETTINGS = { "sidelight.python": process.env.PYTHON };
const DEMO = "import os\n\n\ndef add(a, b):\n    return a + b\n\n\nprint(addd(1, 2))\n";
const NOTEBOOK = JSON.stringify({
  cells: [{ cell_type: "code", execution_count: null, metadata: {}, outputs: [], source: DEMO.trimEnd() }],
  metadata: { language_info: { name: "python" } },
  nbformat: 4,
  nbformat_minor: 5,
});
const REPLY = ["```python\n", "def total(prices):\n", "    result = 0.0\n", "    for price in prices:\n",
  "        result += price\n", "    return result\n", "```\n"];

/** Reports results under their names; what a test returned stands beside its name. */
function report(results) {
  assert.ok(results.length > 0, "nothing ran");
  for (const { name, value, error } of results) {
    test(name, (context) => {
      if (value) context.diagnostic(JSON.stringify(value));
      if (error !== undefined) throw Object.assign(new Error("it failed inside"), { stack: error });
    });
  }
}

/** What an earlier version of the extension would have left. */
function leaveBytecode(_folder, scratch) {
  writeFiles(join(scratch, "server/data/User/globalStorage/sidelight.sidelight/bytecode/0.0.1"), { "old.pyc": "" });
}

const built_in = await runInside({
  suite: "extension.js",
  settings: SETTINGS,
  files: { "demo.py": DEMO, "demo.ipynb": NOTEBOOK },
  prepare: leaveBytecode,
});
describe("on the built-in provider", () => report(built_in));

const model = await startModel();
Object.assign(model, { pieces: REPLY, pauseMs: 300 });
const streamed = await runInside({
  suite: "streaming.js",
  settings: { ...SETTINGS, "sidelight.anythingllm.baseUrl": model.address },
  environment: { ANYTHINGLLM_API_KEY: "KEY-1", ANYTHINGLLM_WORKSPACE_SLUG: "docs" },
});
await model.close();
describe("while an answer streams in", () => report(streamed));

/** An environment that the user has made and chosen. */
function environmentIn(place) {
  execFileSync(process.env.PYTHON, ["-m", "venv", "--without-pip", join(place, "environment")]);
  return { SIDELIGHT_TEST_CHOICE: join(place, "environment/bin/python") };
}

/** A program that came with the folder: it leaves a mark when it runs. */
function trapIn(place) {
  const choice = join(place, "python");
  writeFileSync(choice, `#!/bin/sh\ntouch '${choice}.ran'\nexec '${process.env.PYTHON}' "$@"\n`);
  chmodSync(choice, 0o755);
  return { SIDELIGHT_TEST_CHOICE: choice };
}

const extensions = ["python"];
const [chosen, refused] = await Promise.all([
  runInside({ suite: "choice.js", extensions, prepare: (_folder, scratch) => environmentIn(scratch) }),
  runInside({ suite: "choice.js", extensions, trusted: false, prepare: (folder) => trapIn(folder) }),
]);
describe("with the Python extension, in a trusted folder", () => report(chosen));
describe("with the Python extension, in a folder that is not trusted", () => report(refused));
