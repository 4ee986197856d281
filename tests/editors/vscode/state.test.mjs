// What the view's state is made of, without an editor: conversations, places, and code that fits where it goes.
import assert from "node:assert/strict";
import { before, beforeEach, test } from "node:test";
import { bundled } from "./browser.mjs";

let Conversations, fromStored, placeName, fitted, Places, History;
let told, changes, now, conversations;

// What the history takes from VS Code and from its language client where nothing is asked or shown.
const STANDS_FOR = {
  "vscode": `export const l10n = { t: (text) => text }; export const workspace = {};`,
  "vscode-languageclient/node": `class Named { constructor(method) { this.method = method; } }
    export { Named as RequestType, Named as NotificationType, Named as ProgressType };
    export class ResponseError extends Error {}
    export const ErrorCodes = {}, LSPErrorCodes = {};`,
};
const standIns = { name: "stand-ins", setup: (build) => {
  build.onResolve({ filter: /^vscode/ }, ({ path }) => ({ path, namespace: "stand-in" }));
  build.onLoad({ filter: /.*/, namespace: "stand-in" }, ({ path }) => ({ contents: STANDS_FOR[path] }));
} };

before(async () => {
  const load = async (path) => import(`data:text/javascript,${encodeURIComponent(await bundled(path, { format: "esm", platform: "node", plugins: [standIns] }))}`);
  ({ Conversations } = await load("conversations.ts"));
  ({ fromStored, placeName } = await load("conversation.ts"));
  ({ fitted } = await load("fitting.ts"));
  ({ Places } = await load("places.ts"));
  ({ History } = await load("history.ts"));
});

beforeEach(() => {
  told = [];
  changes = now = 0;
  let ids = 0;
  conversations = new Conversations(() => `c${++ids}`, (message) => told.push(structuredClone(message)), () => changes++, () => now);
});

const ASKED = { task: "ask", instruction: "Why?", uri: "file:///a/demo.py", range: { start: { line: 7, character: 0 }, end: { line: 12, character: 0 } } };
const COMPLETE = { finish: "complete" };

/** A conversation with one turn that has ended; it is not shown any more. */
function ended() {
  conversations.showNew();
  const conversation = conversations.shown;
  conversations.end(conversation, conversations.begin(conversation, ASKED, "T"), COMPLETE);
  conversations.showNew();
  return conversation;
}

test("what the view hears piece by piece is what it hears as a whole when it is built anew", () => {
  const { shown } = conversations;
  const turn = conversations.begin(shown, ASKED, "T");
  for (const partial of [{ kind: "reasoning", text: "Hm" }, { kind: "text", text: "a" }, { kind: "text", text: "b" }, { kind: "status", text: "2 words" }]) {
    now += 1000;
    conversations.hear(shown, turn, partial);
  }
  assert.deepEqual(told.map(({ kind, text }) => text ?? kind), ["turn", "Hm", "a", "b", "2 words"]);
  const [again] = conversations.whole().turns;
  assert.equal(again.text, "ab");
  assert.equal(again.reasoning, "Hm");
  assert.equal(again.thinkingMs, 1000);
  assert.equal(again.place, "demo.py:8-12");
  assert.equal(told[0].title, conversations.whole().title);
});

test("a replaced text forgets what came before, and an unknown kind does no harm", () => {
  const { shown } = conversations;
  const turn = conversations.begin(shown, ASKED, "T");
  for (const partial of [{ kind: "text", text: "a" }, { kind: "replace", text: "b" }, { kind: "song", text: "la" }]) conversations.hear(shown, turn, partial);
  assert.equal(turn.text, "b");
  assert.deepEqual(told.map(({ kind }) => kind), ["turn", "text", "replace"]);
});

test("what happens in a conversation that is not shown is kept, and not told", () => {
  const one = conversations.shown;
  const turn = conversations.begin(one, ASKED, "T");
  conversations.showNew();
  told.length = 0;
  conversations.hear(one, turn, { kind: "text", text: "later" });
  assert.deepEqual(conversations.running, [one]);
  conversations.end(one, turn, COMPLETE);
  assert.deepEqual(told, []);
  conversations.show(one);
  assert.equal(told.at(-1).turns[0].text, "later");
  assert.deepEqual(told.at(-1).turns[0].end, COMPLETE);
});

test("only the last few that have ended stay in memory; a running one and the shown one always do", () => {
  const running = conversations.shown;
  conversations.begin(running, ASKED, "T");
  const all = Array.from({ length: 9 }, ended);
  assert.equal(conversations.get(running.id), running);
  assert.deepEqual(all.map(({ id }) => conversations.get(id) !== undefined), [...Array(4).fill(false), ...Array(5).fill(true)]);
});

test("a new conversation takes the place of the shown one only if something was asked in it", () => {
  const first = conversations.shown;
  assert.equal(conversations.showNew(), first);
  conversations.begin(first, ASKED, "T");
  assert.notEqual(conversations.showNew(), first);
});

test("a conversation that is deleted while it is shown makes room for a new one", () => {
  const { shown } = conversations;
  conversations.begin(shown, ASKED, "T");
  conversations.forget(shown.id);
  assert.equal(conversations.get(shown.id), undefined);
  assert.deepEqual(told.at(-1).turns, []);
});

const STORED = {
  id: "s", title: "Stored", folder: "", beganAt: "2026-01-01T00:00:00Z", changedAt: "2026-01-02T00:00:00Z",
  turns: [
    { number: 1, task: "explain", instruction: "", place: "demo.py:8", answer: "It.", sources: [], notes: ["n", "w"], warnings: ["w"], finish: "complete" },
    { number: 2, task: "fix", instruction: "x", place: "demo.py:8", answer: "```\n```", sources: [], notes: [], finish: "complete" },
    { number: 3, task: "ask", instruction: "And?", place: "", answer: "", sources: [], notes: [], finish: "" },
  ],
};

test("a stored conversation has its turns again; only what can be asked again as it was is offered again", () => {
  let key = 10;
  const place = { uri: ASKED.uri, range: ASKED.range };
  const without = fromStored(STORED, () => ++key, {}, ({ finish }) => ({ finish: finish || "cut_off" }));
  assert.deepEqual(without.turns.map(({ canRetry, canOpenPlace, place }) => [canRetry, canOpenPlace, place]), [
    [false, false, "demo.py:8"], [false, false, "demo.py:8"], [true, false, ""],
  ]);
  const withPlace = fromStored(STORED, () => ++key, { 1: place }, () => COMPLETE);
  assert.deepEqual(withPlace.turns.map(({ canRetry, canOpenPlace }) => [canRetry, canOpenPlace]), [[true, true], [false, false], [true, false]]);
  assert.deepEqual(withPlace.asked.get(14), { task: "explain", ...place });
  assert.ok(withPlace.turns.every(({ end }) => end), "nothing that is stored is running");
  assert.deepEqual(withPlace.turns[0].notes, [{ text: "n", isWarning: false }, { text: "w", isWarning: true }]);
});

/** A history whose server answers when the test lets it: `answers` by the ids of the conversations. */
function historyOn(client) {
  const server = { client, withClient: async (work) => work(client) };
  return new History(server, conversations, { of: () => ({}) }, {});
}

test("of two conversations that are opened quickly the second is shown, also when its answer comes first", async () => {
  const answers = new Map();
  const history = historyOn({ sendRequest: (_type, { id }) => new Promise((answer) => answers.set(id, () => answer({ ...STORED, id }))) });
  const first = history.open("slow");
  const second = history.open("quick");
  answers.get("quick")();
  assert.equal(await second, true);
  answers.get("slow")();
  assert.equal(await first, false);
  assert.equal(conversations.shown.id, "quick");
});

/** A history in which a conversation is being opened; `answer` is the server's answer, and resolves to whether it is shown. */
function slowly(open) {
  let answer;
  const history = historyOn({ sendRequest: () => new Promise((resolve) => { answer = resolve; }) });
  const opening = history[open]("slow");
  return { history, answer: () => { answer({ ...STORED, id: "slow" }); return opening; } };
}

for (const open of ["open", "restore"]) {
  test(`what the user wants to see after a slow ${open} is not replaced by it`, async () => {
    const begun = conversations.shown;
    conversations.begin(begun, ASKED, "T");
    const held = ended();
    const wishes = {
      "a new conversation": () => conversations.showNew(),
      "a question in a new one": () => { conversations.begin(conversations.showNew(), ASKED, "T"); },
      "another conversation": () => { conversations.show(held); },
    };
    for (const [name, wish] of Object.entries(wishes)) {
      conversations.showNew();
      const { answer } = slowly(open);
      wish();
      const { shown } = conversations;
      await answer();
      assert.equal(conversations.shown, shown, name);
    }
  });
}

test("a question in the conversation that is shown is not left by one that was to be opened before", async () => {
  const { shown } = conversations;
  conversations.begin(shown, ASKED, "T");
  const { answer } = slowly("open");
  conversations.begin(shown, ASKED, "T");
  assert.equal(await answer(), false);
  assert.equal(conversations.shown, shown);
});

test("a conversation that is opened is shown also when the one before it was deleted or renamed meanwhile", async () => {
  const { shown } = conversations;
  conversations.end(shown, conversations.begin(shown, ASKED, "T"), COMPLETE);
  const { answer } = slowly("open");
  conversations.rename(shown.id, "Other");
  conversations.forget(shown.id);
  assert.equal(await answer(), true);
  assert.equal(conversations.shown.id, "slow");
});

test("without a server the list says so, and not that there are no conversations", async () => {
  const { entries, problem } = await historyOn(undefined).list("");
  assert.deepEqual([entries, problem], [[], "The Sidelight server is not running."]);
});

test("places are named as people do", () => {
  const range = (first, last, character = 1) => ({ start: { line: first, character: 0 }, end: { line: last, character } });
  const named = [
    ["file:///a/de%20mo.py", range(7, 11), "de mo.py:8-12"],
    ["file:///a/demo.py", range(7, 12, 0), "demo.py:8-12"],
    ["file:///a/demo.py", range(7, 7), "demo.py:8"],
    ["file:///a/demo.py", range(7, 8, 0), "demo.py:8"],
    ["untitled:Untitled-1", undefined, "Untitled-1"],
    ["vscode-notebook-cell:/a/book.ipynb#W0sZ", undefined, "book.ipynb"],
    ["file:///a/100%.py", undefined, "100%.py"],
    [undefined, undefined, ""],
  ];
  for (const [uri, at, name] of named) assert.equal(placeName({ uri, range: at }), name);
});

test("the places of the conversations asked in last are remembered", () => {
  const kept = new Map();
  const memory = { get: (key, otherwise) => kept.get(key) ?? otherwise, update: (key, value) => kept.set(key, structuredClone(value)) };
  const places = new Places(memory);
  for (let id = 0; id < 40; id++) places.remember(`c${id}`, 1, { uri: `file:///${id}` });
  places.remember("c10", 2, { uri: "file:///again" });
  places.remember("c40", 1, { uri: "file:///40" });
  assert.deepEqual(places.of("c10"), { 1: { uri: "file:///10" }, 2: { uri: "file:///again" } });
  assert.deepEqual(places.of("c11"), {});
  assert.ok(Object.keys(kept.get("sidelight.places")).length <= 30);
  places.forget("c10");
  assert.deepEqual(places.of("c10"), {});
  places.forget();
  assert.deepEqual(places.of("c40"), {});
});

test("the place in an untitled document is not remembered: the next window may give its name to another text", () => {
  const memory = { get: (_key, otherwise) => otherwise, update: (...stored) => assert.fail(JSON.stringify(stored)) };
  new Places(memory).remember("c", 1, { uri: "untitled:Untitled-1" });
});

test("inserted code takes the indentation of the line it goes to", () => {
  const code = "    if a:\r\n        b()\r\n\r\n    c()\r\n\r\n";
  assert.equal(fitted(code, ""), "if a:\n    b()\n\nc()");
  assert.equal(fitted(code, "\t"), "if a:\n\t    b()\n\n\tc()");
  assert.equal(fitted(code, "    x = "), "if a:\n        b()\n\n    c()");
  assert.equal(fitted("one\n", "  "), "one");
  assert.equal(fitted("\ta\n  b\n", " "), "\ta\n   b");
});
