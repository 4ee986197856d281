// Which Python the extension would start, and which it never would.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const scratch = mkdtempSync(join(tmpdir(), "sidelight-python-"));
const folder = join(scratch, "folder");
let tryPython;

before(async () => {
  const outfile = join(scratch, "python.mjs");
  await build({ entryPoints: [join(root, "client-vscode/src/python.ts")], bundle: true, platform: "node", format: "esm", outfile });
  ({ tryPython } = await import(outfile));
  mkdirSync(folder);
});

after(() => rmSync(scratch, { recursive: true }));

const attempt = (command, untrusted = [folder]) => tryPython({ command, origin: "a test" }, scratch, untrusted);

/** A program that leaves a mark when it runs and answers like a Python of that version. */
function fake(path, version) {
  const answer = JSON.stringify([path, ...version]);
  writeFileSync(path, `#!/bin/sh\ntouch '${path}.ran'\necho '${answer}'\n`);
  chmodSync(path, 0o755);
  return path;
}

test("a Python that is new enough is found, with its version", async () => {
  const outcome = await attempt(fake(join(scratch, "new"), [3, 10, 0]));
  assert.deepEqual(outcome, { kind: "found", executable: join(scratch, "new"), version: "3.10.0" });
});

test("an old Python is refused", async () => {
  assert.equal((await attempt(fake(join(scratch, "old"), [3, 9, 19]))).kind, "too_old");
});

test("a program that is no Python is refused", async () => {
  assert.equal((await attempt("/bin/false")).kind, "broken");
  assert.equal((await attempt("/bin/echo")).kind, "broken");
});

test("what a broken program said is the reason that is told", async () => {
  const path = join(scratch, "stub");
  writeFileSync(path, "#!/bin/sh\necho 'Python was not found; install it.' >&2\nexit 9\n");
  chmodSync(path, 0o755);
  assert.equal((await attempt(path)).reason, "Python was not found; install it.");
});

test("a path that cannot be examined is passed over", async () => {
  symlinkSync(join(scratch, "loop"), join(scratch, "loop"));
  assert.equal((await attempt(join(scratch, "loop"))).kind, "missing");
});

test("looking at a Python writes nothing and runs nothing that is installed there", async () => {
  const path = join(scratch, "told");
  writeFileSync(path, `#!/bin/sh\necho "$@" > '${path}.arguments'\necho '["x", 3, 12, 0]'\n`);
  chmodSync(path, 0o755);
  assert.equal((await attempt(path)).kind, "found");
  assert.match(readFileSync(`${path}.arguments`, "utf8"), /^-I -S -B -c /);
});

test("a name is looked up on the absolute part of the PATH only", async () => {
  fake(join(scratch, "only-here"), [3, 12, 0]);
  process.chdir(scratch);
  process.env.PATH = ".";
  assert.equal((await attempt("only-here")).kind, "missing");
  process.env.PATH = scratch;
  assert.equal((await attempt("only-here")).kind, "found");
});

test("a Python inside an untrusted folder does not even run", async () => {
  const path = fake(join(folder, "python"), [3, 12, 0]);
  assert.equal((await attempt(path)).kind, "untrusted");
  assert.ok(!existsSync(`${path}.ran`));
  assert.equal((await attempt(path, [])).kind, "found");
});

test("a link that leads into or out of an untrusted folder is inside it", async () => {
  const inside = fake(join(folder, "inside"), [3, 12, 0]);
  symlinkSync(inside, join(scratch, "into"));
  symlinkSync(fake(join(scratch, "outside"), [3, 12, 0]), join(folder, "out-of"));
  assert.equal((await attempt(join(scratch, "into"))).kind, "untrusted");
  assert.equal((await attempt(join(folder, "out-of"))).kind, "untrusted");
  assert.ok(!existsSync(`${inside}.ran`));
});

test("a folder whose name begins alike is another folder", async () => {
  mkdirSync(`${folder}-2`);
  assert.equal((await attempt(fake(join(`${folder}-2`, "python"), [3, 12, 0]))).kind, "found");
});

test("a folder named ..x is inside", async () => {
  mkdirSync(join(folder, "..x"));
  assert.equal((await attempt(fake(join(folder, "..x", "python"), [3, 12, 0]))).kind, "untrusted");
});
