// What the client decides by itself, without an editor: which edits are one undo step, whose a key is, what no log may
// have, when to start again, which passages are one document's, which tasks are offered.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const scratch = mkdtempSync(join(tmpdir(), "sidelight-rules-"));
let UndoSteps, originOf, BackOff, plain, cited, offered, kindOf, Masks;

before(async () => {
  const contents = ["undo", "origin", "backoff", "plain", "passages", "tasklist", "masks"].map((name) => `export * from "./${name}";`).join("\n");
  const outfile = join(scratch, "rules.mjs");
  const stdin = { contents, resolveDir: join(root, "client-vscode/src"), loader: "ts" };
  await build({ stdin, bundle: true, platform: "node", format: "esm", outfile });
  ({ UndoSteps, originOf, BackOff, plain, cited, offered, kindOf, Masks } = await import(pathToFileURL(outfile)));
});

after(() => rmSync(scratch, { recursive: true }));

describe("an undo step", () => {
  test("goes on with the next edit of the same job", () => {
    const steps = new UndoSteps();
    assert.equal(steps.continues("fix-1", "file:///a", 7), false, "the first edit begins one");
    steps.applied("fix-1", "file:///a", 7);
    assert.equal(steps.continues("fix-1", "file:///a", 8), true);
  });

  test("ends where the user has typed", () => {
    const steps = new UndoSteps();
    steps.applied("fix-1", "file:///a", 7);
    assert.equal(steps.continues("fix-1", "file:///a", 9), false);
  });

  test("ends where another job has written, also when it goes on afterwards", () => {
    const steps = new UndoSteps();
    steps.applied("fix-1", "file:///a", 7);
    assert.equal(steps.continues("fix-2", "file:///a", 8), false);
    steps.applied("fix-2", "file:///a", 8);
    assert.equal(steps.continues("fix-1", "file:///a", 9), false);
  });

  test("is that of its document", () => {
    const steps = new UndoSteps();
    steps.applied("fix-1", "file:///a", 7);
    steps.applied("fix-1", "file:///b", 3);
    assert.equal(steps.continues("fix-1", "file:///a", 8), true);
    assert.equal(steps.continues("fix-1", "file:///b", 8), false);
  });

  test("is remembered for the last hundred documents only", () => {
    const steps = new UndoSteps();
    for (let each = 0; each <= 100; each++) steps.applied("fix-1", `file:///${each}`, 1);
    assert.equal(steps.continues("fix-1", "file:///0", 2), false);
    assert.equal(steps.continues("fix-1", "file:///1", 2), true);
  });
});

test("an origin is scheme, host and port, however the address is written", () => {
  assert.equal(originOf("http://Example.com:3001/api/v1/"), "http://example.com:3001");
  assert.equal(originOf(" https://example.com:443 "), "https://example.com");
  assert.equal(originOf("localhost:11434"), "http://localhost:11434");
  assert.equal(originOf("http://user:secret@example.com/"), "http://example.com");
  assert.equal(originOf(""), "");
});

test("other hosts, ports and schemes are other origins", () => {
  const origins = ["http://a", "https://a", "http://a:81", "http://a.b", "http://b"].map((address) => originOf(address));
  assert.equal(new Set(origins).size, origins.length);
});

test("what is no address has no origin", () => {
  for (const text of ["http://", "ftp://a", "javascript:alert(1)", "file:///etc/passwd", "http://a b"]) {
    assert.equal(originOf(text), undefined, text);
  }
});

test("text from outside makes no link, and reads as before", () => {
  const link = /\[[^\]]+\]\((?:https?:\/\/|command:|file:)/;
  const text = "Sign [in](command:x), [or](https://e), a[0](1)";
  assert.doesNotMatch(plain(text), link);
  assert.equal(plain(text).replaceAll("\u200b", ""), text);
});

describe("the log", () => {
  const masksOf = (...secrets) => {
    const masks = new Masks();
    masks.add(...secrets);
    return masks;
  };

  test("has no key that was entered, however it is quoted, and not a part of a longer one", () => {
    const key = 'KEY-"1"\\x';
    const error = JSON.stringify({ error: `No such key: ${key}` });
    const said = [key, JSON.stringify({ text: key }), JSON.stringify({ message: error }), `${key}-LONGER`];
    const masks = masksOf(key, `${key}-LONGER`);
    assert.doesNotMatch(said.map((text) => masks.masked(text)).join("\n"), /KEY|LONGER/);
  });

  test("has no member of a message that is called a key or headers, be it ever so short or odd", () => {
    const said = { provider: "openai", key: 'a"}', settings: { headers: { "X-Token": 'b"}{', Other: "c" } }, model: "m" };
    for (const space of [undefined, 4]) {
      const written = new Masks().masked(JSON.stringify(said, null, space));
      assert.deepEqual(JSON.parse(written), { provider: "openai", key: "***", settings: { headers: "***" }, model: "m" });
    }
  });

  test("keeps what is no secret: a short key like any word, and a document with keys of another kind", () => {
    const text = JSON.stringify({ text: '{"key": "value", "headers": {"a": "b"}} none' });
    assert.equal(masksOf("none").masked(text), text);
  });

  test("masks at every level, whatever is handed to it, and is the log beneath it otherwise", () => {
    const written = [];
    const names = ["trace", "debug", "info", "warn", "error", "append", "appendLine", "replace"];
    const beneath = Object.fromEntries(names.map((name) => [name, (text) => written.push(text)]));
    const log = masksOf("THE-KEY").over({ ...beneath, logLevel: 1 });
    for (const name of names) log[name]("with THE-KEY");
    log.error(new Error("THE-KEY is wrong"));
    log.info("An object:", { text: "THE-KEY" });
    assert.equal(written.length, names.length + 2);
    assert.ok(written.every((text) => text.includes("***") && !text.includes("THE-KEY")), written.join("\n"));
    assert.equal(log.logLevel, 1);
  });
});

test("a process is started again after longer and longer waits, and not for ever", () => {
  let now = 0;
  const backOff = new BackOff(() => now);
  const waits = [];
  for (let end = 0; end < 5; end++) {
    waits.push(backOff.next());
    now += 1000;
  }
  assert.deepEqual(waits, [500, 2000, 8000, 32000, undefined]);
  now += 200_000;
  assert.equal(backOff.next(), 500, "after a quiet time all is forgotten");
});

describe("the sources of an answer", () => {
  test("are the server's documents, under its numbers, each passage once", () => {
    const sources = [
      { title: "guide.md", uri: "file:///1", text: "one", number: 2, file: "file:///w/guide.md" },
      { title: "other.md", text: "two", number: 1 },
      { title: "guide.md", uri: "file:///2", text: "three", number: 2 },
      { title: "guide.md", text: "one", number: 2 },
    ];
    assert.deepEqual(cited(sources), [
      { number: 2, index: 0, title: "guide.md", uri: "file:///1", canOpen: true, texts: ["one", "three"] },
      { number: 1, index: 1, title: "other.md", uri: "", canOpen: true, texts: ["two"] },
    ]);
  });

  test("are told apart by number, also where their names are the same", () => {
    const sources = [{ title: "README.md", number: 1 }, { title: "README.md", number: 2 }];
    assert.deepEqual(cited(sources).map(({ number, index }) => [number, index]), [[1, 0], [2, 1]]);
  });

  test("that came without numbers go by title and address", () => {
    const sources = [{ title: "a", uri: "x" }, { title: "a", uri: "y" }, { title: "a", uri: "x", text: "t" }, { title: "b" }];
    const found = cited(sources).map(({ number, uri, canOpen, texts }) => [number, uri, canOpen, texts]);
    assert.deepEqual(found, [[1, "x", true, ["t"]], [2, "y", true, []], [3, "", false, []]]);
  });
});

describe("the list of tasks", () => {
  const task = (name, more = {}) => ({ name, title: name, description: "", edits: false, needsInstruction: false, isOwn: false, languages: [], ...more });

  test("has the user's own by their titles, and ours as the server has them", () => {
    const { own, ours } = offered([task("fix"), task("z", { isOwn: true }), task("ask"), task("b", { isOwn: true })], "python");
    assert.deepEqual([own, ours].map((group) => group.map(({ name }) => name)), [["b", "z"], ["fix", "ask"]]);
  });

  test("leaves out what is for another language, and without a file all that is for one", () => {
    const tasks = [task("go", { isOwn: true, languages: ["go"] }), task("any", { isOwn: true }), task("py", { isOwn: true, languages: ["go", "python"] })];
    assert.deepEqual(offered(tasks, "python").own.map(({ name }) => name), ["any", "py"]);
    assert.deepEqual(offered(tasks, undefined).own.map(({ name }) => name), ["any"]);
  });

  test("tells what becomes of an answer; a task of the user's own is never one of ours by its name", () => {
    assert.deepEqual([task("review"), task("commit"), task("fix", { edits: true }), task("explain")].map(kindOf), ["findings", "message", "edit", "text"]);
    assert.deepEqual([task("review", { isOwn: true }), task("commit", { isOwn: true, edits: true })].map(kindOf), ["text", "edit"]);
  });
});

describe("the manifest", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const settings = manifest.contributes.configuration.properties;
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;

  test("lets a folder that is not trusted set nothing", () => {
    assert.deepEqual([...restrictedConfigurations].sort(), Object.keys(settings).sort());
  });

  test("lets no folder ever say where code goes, with which headers, or what is run", () => {
    const dangerous = Object.keys(settings).filter((name) => /url|host|headers|caFile|python|command|body$/i.test(name));
    assert.ok(dangerous.length >= 8, dangerous.join());
    for (const name of dangerous) assert.equal(settings[name].scope, "machine", name);
  });

  test("has no setting for a key", () => {
    assert.deepEqual(Object.keys(settings).filter((name) => /key|secret|password/i.test(name)), []);
  });

  test("puts only commands of its own into menus, and hides none from the palette but the menu of the status bar", () => {
    const commands = new Set(manifest.contributes.commands.map(({ command }) => command));
    const inMenus = Object.values(manifest.contributes.menus).flat().filter(({ command }) => command);
    for (const { command } of [...inMenus, ...manifest.contributes.keybindings]) assert.ok(commands.has(command), command);
    const hidden = manifest.contributes.menus.commandPalette.filter(({ when }) => when === "false");
    assert.deepEqual(hidden.map(({ command }) => command), ["sidelight.palette.menu"]);
  });
});
