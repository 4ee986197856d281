// The side view in a real browser, with the test in the extension's place: what it shows, what it says, its keyboard.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { bundled, openBrowser } from "./browser.mjs";

const PLACE = { id: 7, label: "demo.py:8-12", isSelection: true };
// A colour that is not defined takes the whole rule with it; VS Code defines these in every theme.
const COLOURS = ":root { --vscode-focusBorder: #07c; --vscode-foreground: #ccc; --vscode-descriptionForeground: #999; }";
const ENDED = { end: { finish: "complete" } };

let browser, page, script, style, words;

before(async () => {
  browser = await openBrowser();
  script = await bundled("webview/main.ts", { format: "iife" });
  style = await bundled("webview/answers.css");
  words = await theWords();
});

after(() => browser?.close());

beforeEach(async () => {
  await page?.close();
  page = await browser.newPage({ viewport: { width: 320, height: 600 } });
  await open();
});

/** Loads the view as VS Code would, with what it kept of it before. */
async function open(kept) {
  await page.setContent(`<!DOCTYPE html><html lang="en"><head><style>${COLOURS}${style}</style></head><body class="vscode-dark"></body></html>`);
  await page.evaluate((kept) => {
    globalThis.said = [];
    globalThis.kept = kept;
    globalThis.acquireVsCodeApi = () => ({
      postMessage: (message) => globalThis.said.push(message),
      getState: () => globalThis.kept,
      setState: (state) => { globalThis.kept = state; },
    });
  }, kept);
  await page.addScriptTag({ content: script });
  await tell({ kind: "words", words, language: "en" }, { kind: "show", title: "", turns: [], now: 0 }, { kind: "page", page: "conversation" });
}

/** Says something to the view, and waits until it has drawn it. */
function tell(...messages) {
  return page.evaluate((messages) => new Promise((done) => {
    window.postMessage(messages, "*");
    window.addEventListener("message", () => requestAnimationFrame(() => requestAnimationFrame(done)), { once: true });
  }), messages);
}

const said = (kind) => page.evaluate((kind) => globalThis.said.filter((message) => message.kind === kind), kind);
const turn = (key, more = {}) => ({
  key, task: "ask", question: "Why?", place: "", canOpenPlace: false, canRetry: true, text: "", reasoning: "", status: "", sources: [], notes: [], ...more,
});
const begin = (key, more) => tell({ kind: "turn", turn: turn(key, more), title: "Why?", now: Date.now() });
const box = () => page.locator("textarea");
const button = (name) => page.getByRole("button", { name, exact: true });

describe("the question box", () => {
  test("Enter sends, and the text goes when it was taken", async () => {
    await box().fill("Why so?");
    await box().press("Enter");
    assert.deepEqual(await said("ask"), [{ kind: "ask", text: "Why so?" }]);
    assert.equal(await box().inputValue(), "Why so?");
    await tell({ kind: "asked" });
    assert.equal(await box().inputValue(), "");
  });

  test("Shift+Enter makes a line, and the box grows with its lines", async () => {
    const height = async () => (await box().boundingBox()).height;
    const before = await height();
    await box().press("a");
    await box().press("Shift+Enter");
    await box().press("b");
    await box().press("Shift+Enter");
    assert.equal(await box().inputValue(), "a\nb\n");
    assert.ok((await height()) > before * 1.8, `${await height()} of ${before}`);
    assert.deepEqual(await said("ask"), []);
  });

  test("Enter that ends a composition does not send", async () => {
    await box().fill("ni");
    for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
      await box().evaluate((text, how) => text.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, ...how })), how);
    }
    assert.deepEqual(await said("ask"), []);
    await box().press("Enter");
    assert.equal((await said("ask")).length, 1);
  });

  test("what was typed is there again after the view was built anew", async () => {
    await box().fill("half a ques");
    await open(await page.evaluate(() => globalThis.kept));
    assert.equal(await box().inputValue(), "half a ques");
  });

  test("what is typed while a question is being taken stays", async () => {
    await box().fill("first");
    await box().press("Enter");
    await box().fill("first and more");
    await tell({ kind: "asked" });
    assert.equal(await box().inputValue(), "first and more");
  });

  test("nothing is sent while an answer comes; the button stops it, and so does Escape", async () => {
    await begin(1);
    await box().fill("next");
    await box().press("Enter");
    assert.deepEqual(await said("ask"), []);
    await button("Stop").click();
    assert.equal((await said("stop")).length, 1);
    await box().press("Escape");
    assert.equal((await said("stop")).length, 2);
    await tell({ kind: "end", turn: 1, ...ENDED, notes: [] });
    await box().press("Escape");
    assert.equal((await said("stop")).length, 2);
    await button("Send").click();
    assert.deepEqual(await said("ask"), [{ kind: "ask", text: "next" }]);
  });

  test("the selection is asked about unless it is left out", async () => {
    await tell({ kind: "offer", offer: PLACE });
    await box().fill("a");
    await box().press("Enter");
    const chip = page.getByRole("button", { name: "Ask about demo.py:8-12", exact: true });
    assert.equal(await chip.getAttribute("aria-pressed"), "true");
    await chip.click();
    assert.equal(await chip.getAttribute("aria-pressed"), "false", "its name stays, and its state tells");
    await box().press("Enter");
    await tell({ kind: "offer", offer: { ...PLACE, id: 8, label: "demo.py:9-12" } });
    await box().press("Enter");
    assert.deepEqual((await said("ask")).map(({ offer }) => offer), [7, undefined, 8]);
  });

  test("the file is asked about only when it is put in, and stays in while the cursor moves", async () => {
    await tell({ kind: "offer", offer: { id: 1, label: "demo.py", isSelection: false } });
    await box().fill("a");
    await box().press("Enter");
    await page.getByRole("button", { name: "Ask about demo.py" }).press("Space");
    await tell({ kind: "offer", offer: { id: 2, label: "demo.py", isSelection: false } });
    await box().press("Enter");
    await tell({ kind: "offer", offer: { id: 3, label: "other.py", isSelection: false } });
    await box().press("Enter");
    assert.deepEqual((await said("ask")).map(({ offer }) => offer), [undefined, 2, undefined]);
  });
});

describe("turns", () => {
  test("what a model or a user writes is text, whatever it is", async () => {
    const hostile = '<img src=x onerror="document.title=1"> <script>document.title=1</script> [x](command:a.b) [y](javascript:alert(1)) <a href="//e">z</a>';
    const sources = [{ title: hostile, uri: "command:a.b", text: hostile }];
    await begin(1, { question: hostile, place: hostile });
    await tell(
      ...["text", "reasoning", "status"].map((kind) => ({ kind, turn: 1, text: hostile })),
      { kind: "sources", turn: 1, sources },
      { kind: "end", turn: 1, end: { finish: "cut_off", message: hostile, hint: hostile }, notes: [{ text: hostile, isWarning: true }] },
    );
    await tell({ kind: "history", search: "", entries: [{ id: hostile, title: hostile, turns: 1, when: 0, found: hostile, folder: hostile, isRunning: false, isShown: false }] });
    assert.equal(await page.locator("body :is(a, img, script:not(:last-child), iframe, link)").count(), 0);
    assert.equal(await page.title(), "");
    assert.ok((await page.locator("article .text").innerText()).includes(hostile));
    await button(hostile).click();
    assert.deepEqual(await said("openSource"), [{ kind: "openSource", turn: 1, source: 0 }]);
  });

  test("a turn told as a whole looks as one that came piece by piece", async () => {
    const sources = [{ title: "a.md", text: "one" }, { title: "a.md", text: "two" }, { title: "b.md", uri: "https://e.org" }];
    const end = { finish: "length", message: "Too long.", hint: "Ask for less." };
    const begun = turn(1, { task: "explain", question: "", place: "demo.py:4", canOpenPlace: true });
    await tell({ kind: "turn", turn: begun, now: 0 }, { kind: "reasoning", turn: 1, text: "Hm" }, { kind: "text", turn: 1, text: "# A\nb" });
    await tell({ kind: "text", turn: 1, text: "c\n```js\nx" }, { kind: "sources", turn: 1, sources }, { kind: "end", turn: 1, end, notes: [{ text: "Left out.", isWarning: false }], thinkingMs: 3000 });
    const live = await page.locator("article").innerHTML();
    const whole = { ...begun, reasoning: "Hm", thinkingSince: 0, thinkingMs: 3000, text: "# A\nbc\n```js\nx", sources, end, notes: [{ text: "Left out.", isWarning: false }] };
    await tell({ kind: "show", title: "T", turns: [whole], now: 0 });
    assert.equal(await page.locator("article").innerHTML(), live);
    assert.match(await page.locator(".reasoning summary").innerText(), /Reasoned for 3 s/);
    assert.equal(await page.locator(".sources li").count(), 2);
  });

  test("while a model only reasons, the folded reasoning tells for how long", async () => {
    await begin(1);
    await tell({ kind: "show", title: "", turns: [turn(2, { reasoning: "Hm", thinkingSince: 5_000 })], now: 17_000 });
    assert.match(await page.locator(".reasoning summary").innerText(), /Reasoning… 1[23] s/);
    assert.equal(await page.locator(".reasoning").evaluate((details) => details.open), false);
  });

  test("the buttons of a turn say which turn they mean", async () => {
    await begin(5, { place: "demo.py:4", canOpenPlace: true });
    await tell({ kind: "text", turn: 5, text: "```py\na\n```\n" }, { kind: "end", turn: 5, ...ENDED, notes: [] });
    for (const name of ["demo.py:4", "Copy", "Insert at Cursor", "Apply as Edit", "Copy Answer", "Ask Again"]) await button(name).press("Enter");
    const acts = (await page.evaluate(() => globalThis.said)).filter((message) => message.turn === 5);
    assert.deepEqual(acts.map(({ kind, code }) => [kind, code]), [
      ["openPlace", undefined], ["copy", "a\n"], ["insert", "a\n"], ["apply", "a\n"], ["copyAnswer", undefined], ["retry", undefined],
    ]);
  });

  test("beginning and end are read out, and the words between are not", async () => {
    const live = page.getByRole("status");
    await begin(1);
    assert.equal(await live.innerText(), "Sidelight is answering.");
    assert.equal(await page.locator("main h1").textContent(), "Why?", "the title is that of what began");
    await tell({ kind: "text", turn: 1, text: "word" }, { kind: "status", turn: 1, text: "3 words" });
    assert.equal(await live.innerText(), "Sidelight is answering.");
    await tell({ kind: "end", turn: 1, end: { finish: "failed", message: "No.", hint: "Try later." }, notes: [] });
    assert.equal(await live.innerText(), "No. Try later.");
    assert.equal(await page.locator("[aria-live]:not([aria-live=off])").count(), 0);
  });

  const SENT = {
    provider: "openai", model: "coder", sentTo: "models.example.org:443", tokens: 1234,
    parts: [
      { kind: "target", name: "demo.py:3-9", why: "what was asked about", tokens: 1200, where: "message" },
      { kind: "orders", name: "", why: "how to answer", tokens: 34, where: "orders" },
    ],
  };

  test("what was sent is asked for when it is unfolded, and only then; it can be opened as a whole", async () => {
    await begin(1);
    assert.equal(await page.locator(".sent").isVisible(), false);
    await tell({ kind: "end", turn: 1, ...ENDED, notes: [] });
    assert.deepEqual(await said("sent"), []);
    await page.locator(".sent summary").focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => globalThis.said.some((message) => message.kind === "sent"));
    await tell({ kind: "sent", turn: 1, sent: SENT });
    assert.equal(await page.locator(".sent [role=status]").innerText(), "About 1,234 tokens to openai · coder at models.example.org:443");
    assert.deepEqual(await page.locator(".sent li").allInnerTexts(), [
      "demo.py:3-9\nwhat was asked about · 1,200 tokens · in the message", "how to answer\n34 tokens · in the standing orders",
    ]);
    await button("Open the Message").press("Enter");
    assert.deepEqual(await said("openSent"), [{ kind: "openSent", turn: 1 }]);
    const fold = async () => { await page.locator(".sent summary").click(); await page.locator(".sent summary").click(); };
    await fold();
    assert.equal((await said("sent")).length, 1);
  });

  test("what was sent nowhere names no place, and why it cannot be told is said, and asked again", async () => {
    await tell({ kind: "show", title: "T", turns: [turn(1, ENDED)], now: 0 });
    await page.locator(".sent summary").click();
    await tell({ kind: "sent", turn: 1, problem: "It is no longer kept." });
    assert.equal(await page.locator(".sent .problem").innerText(), "It is no longer kept.");
    await page.locator(".sent summary").click();
    await page.locator(".sent summary").click();
    await page.waitForFunction(() => globalThis.said.filter((message) => message.kind === "sent").length === 2);
    await tell({ kind: "sent", turn: 1, sent: { ...SENT, tokens: null, parts: [] } });
    assert.equal(await page.locator(".sent [role=status]").innerText(), "openai · coder · models.example.org:443");
    await tell({ kind: "sent", turn: 1, sent: { ...SENT, provider: "builtin", model: "", sentTo: "" } });
    assert.equal(await page.locator(".sent [role=status]").innerText(), "About 1,234 tokens to builtin");
    assert.equal(await page.locator(".sent .problem").count(), 0);
  });

  test("names and reasons of what was sent are text", async () => {
    const hostile = "<img src=x onerror=alert(1)> [a](command:b)";
    await tell({ kind: "show", title: "T", turns: [turn(1, ENDED)], now: 0 });
    await tell({ kind: "sent", turn: 1, sent: { ...SENT, parts: [{ kind: "k", name: hostile, why: hostile, tokens: 1, where: hostile }] } });
    assert.equal(await page.locator(".sent .name").textContent(), hostile);
    assert.equal(await page.locator(".sent :is(img, a)").count(), 0);
  });

  test("a note is marked for the eye and by a word", async () => {
    await begin(1);
    await tell({ kind: "end", turn: 1, ...ENDED, notes: [{ text: "No source supports this.", isWarning: true }, { text: "A key was masked.", isWarning: false }] });
    assert.deepEqual(await page.locator(".note").allTextContents(), ["Warning: No source supports this.", "Note: A key was masked."]);
    assert.deepEqual(await page.locator(".note").evaluateAll((notes) => notes.map((note) => note.querySelectorAll("svg").length)), [1, 0]);
  });

  test("sources have the numbers of their documents, and a file on this machine opens without an address", async () => {
    const sources = [
      { title: "guide.md", text: "one", number: 1, file: "file:///w/guide.md" }, { title: "b.md", number: 2, file: "file:///w/b.md" },
      { title: "guide.md", text: "two", number: 1, file: "file:///w/guide.md" },
    ];
    await begin(1);
    await tell({ kind: "sources", turn: 1, sources });
    assert.deepEqual(await page.locator(".sources li").evaluateAll((items) => items.map(({ value }) => value)), [1, 2]);
    assert.deepEqual(await page.locator(".sources li").first().locator(".excerpt").allTextContents(), ["one", "two"]);
    await button("b.md").press("Enter");
    assert.deepEqual(await said("openSource"), [{ kind: "openSource", turn: 1, source: 1 }]);
  });

  test("a growing answer is followed until the reader scrolls up, and again at the end", async () => {
    const grow = () => tell({ kind: "text", turn: 1, text: "a line\n\n".repeat(60) });
    const fromEnd = () => page.locator(".turns").evaluate((it) => it.scrollHeight - it.clientHeight - it.scrollTop);
    await begin(1);
    await grow();
    assert.ok((await fromEnd()) < 2);
    await page.locator(".turns").hover();
    await page.mouse.wheel(0, -300);
    await button("Jump to the End").waitFor();
    const above = await page.locator(".turns").evaluate((it) => it.scrollTop);
    await grow();
    assert.equal(await page.locator(".turns").evaluate((it) => it.scrollTop), above);
    await button("Jump to the End").click();
    await page.waitForFunction(() => document.querySelector(".jump").hidden);
    assert.ok((await fromEnd()) < 2);
    await grow();
    assert.ok((await fromEnd()) < 2);
  });

  test("the last frames of an answer of 1 MB cost what the first did, layout and all", { timeout: 60_000 }, async (t) => {
    await begin(0, { text: "An **earlier** answer.\n\n".repeat(2_000), ...ENDED });
    await begin(1);
    const [early, late] = await page.evaluate(async () => {
      const pieces = ["Some `code` and **words** of a ", "line that goes on.\n\n", "- item\n", "```py\n", ...Array(12).fill("    return call(argument, other) + 1\n"), "```\n\n"];
      let sent = 0, at = 0, spent = 0;
      const raw = window.requestAnimationFrame.bind(window);
      // The view puts in what came, and has it laid out to know the height, within its frame.
      window.requestAnimationFrame = (draw) => raw((time) => {
        const start = performance.now();
        draw(time);
        spent = performance.now() - start;
      });
      const frame = () => {
        const messages = [];
        for (const until = sent + 2_000; sent < until; at++) {
          const text = pieces[at % pieces.length];
          messages.push({ kind: "text", turn: 1, text });
          sent += text.length;
        }
        window.postMessage(messages, "*");
        return new Promise((done) => window.addEventListener("message", () => raw(() => done(spent)), { once: true }));
      };
      const frames = async (count) => {
        const times = [];
        for (let i = 0; i < count; i++) times.push(await frame());
        return times.sort((a, b) => a - b)[Math.floor(count / 2)];
      };
      await frames(20);
      const early = await frames(40);
      while (sent < 1_000_000) await frame();
      return [early, await frames(40)];
    });
    t.diagnostic(`a frame of 2 kB takes ${early.toFixed(1)} ms early and ${late.toFixed(1)} ms after 1 MB`);
    assert.ok(late < early * 4, `a frame took ${early.toFixed(1)} ms early and ${late.toFixed(1)} ms late`);
  });
});

describe("the history", () => {
  const entry = (id, more = {}) => ({ id, title: `About ${id}`, turns: 2, when: Date.now(), isRunning: false, isShown: false, ...more });
  const list = (...entries) => tell({ kind: "history", search: "", entries });

  beforeEach(() => tell({ kind: "page", page: "history" }));

  test("conversations stand under their days, with what was found, and running ones are marked", async () => {
    const day = 24 * 60 * 60 * 1000;
    await list(entry("a", { isRunning: true }), entry("b", { when: Date.now() - day, turns: 1, found: "…met…" }), entry("c", { when: 0, folder: "other" }));
    assert.deepEqual(await page.locator(".list h2").allInnerTexts(), ["Today", "Yesterday", "Older"]);
    const rows = await page.locator(".list li").allInnerTexts();
    assert.match(rows[0], /Answering… · 2 questions/);
    assert.match(rows[1], /1 question\n…met…/);
    assert.match(rows[2], /1970 · 2 questions · other/);
  });

  test("the search waits until the typing rests", async () => {
    await page.getByRole("searchbox").pressSequentially("word", { delay: 10 });
    await page.waitForFunction(() => globalThis.said.some((message) => message.kind === "search"));
    assert.deepEqual(await said("search"), [{ kind: "search", text: "word" }]);
  });

  test("by keyboard: open, delete, and the focus stays in the list", async () => {
    await list(entry("a"), entry("b"));
    await page.getByRole("searchbox").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.deepEqual(await said("openConversation"), [{ kind: "openConversation", id: "a" }]);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.deepEqual(await said("deleteConversation"), [{ kind: "deleteConversation", id: "a" }]);
    await list(entry("b"));
    assert.equal(await page.evaluate(() => document.activeElement.dataset.id), "b");
    await page.keyboard.press("Escape");
    assert.deepEqual(await said("page"), [{ kind: "page", page: "conversation" }]);
  });

  test("why nothing is listed is said", async () => {
    await list();
    assert.match(await page.locator(".list").innerText(), /No conversations yet\./);
    await tell({ kind: "history", search: "x", entries: [] });
    assert.match(await page.locator(".list").innerText(), /No conversation has these words\./);
    await tell({ kind: "history", search: "", entries: [], problem: "The disk is full." });
    assert.equal(await page.locator(".list").innerText(), "The disk is full.");
  });
});

describe("for everybody", () => {
  const LONG = "averylongnamewithoutanybreak".repeat(8);

  async function everything() {
    const text = `# ${LONG}\n\n${LONG} \`${LONG}\`\n\n- 1\n  - 2\n    - ${LONG}\n\n| ${LONG} | b |\n|---|---|\n| 1 | 2 |\n\n\`\`\`${LONG}\n${LONG}\n\`\`\`\n\n> ${LONG}\n\n[x](https://e.org/${LONG})`;
    const sources = [{ title: LONG, uri: "https://e.org", text: LONG }];
    const done = turn(1, { question: LONG, place: LONG, canOpenPlace: true, text, reasoning: LONG, thinkingMs: 0, sources, notes: [{ text: LONG, isWarning: true }], end: { finish: "cut_off", message: LONG, hint: LONG } });
    await tell({ kind: "show", title: LONG, turns: [done, turn(2, { place: LONG })], now: 0 }, { kind: "offer", offer: { ...PLACE, label: LONG } });
    const part = { kind: "mention", name: LONG, why: LONG, tokens: 1, where: "message" };
    await tell({ kind: "sent", turn: 1, sent: { provider: LONG, model: LONG, sentTo: LONG, tokens: 1, parts: [part] } });
    await page.locator("details").evaluateAll((all) => all.forEach((details) => { details.open = true; }));
    await box().fill(LONG);
  }
  const history = () => tell({ kind: "page", page: "history" }, {
    kind: "history", search: "", problem: LONG,
    entries: [{ id: "1", title: LONG, turns: 2, when: 0, found: LONG, folder: LONG, isRunning: true, isShown: true }],
  });

  for (const width of [200, 640]) {
    test(`nothing sticks out at ${width} pixels`, async () => {
      await page.setViewportSize({ width, height: 500 });
      await everything();
      assert.deepEqual(await sticksOut(), []);
      await history();
      assert.deepEqual(await sticksOut(), []);
    });
  }

  test("everything that can be pressed has a name, takes the focus in its order, and shows it", async () => {
    await everything();
    for (const show of [() => {}, history]) {
      await show();
      const faults = await page.evaluate(() => {
        const named = (it) => it.getAttribute("aria-label") || it.textContent.trim() || it.placeholder;
        const shown = [...document.querySelectorAll("button, summary, input, textarea, [tabindex]")].filter((it) => it.checkVisibility());
        return shown.flatMap((it) => {
          it.focus({ focusVisible: true });
          const { outlineStyle, outlineWidth } = getComputedStyle(it);
          const frame = it.matches("textarea, input");
          return [
            !named(it) && !it.matches("pre, .table") && "no name",
            it.tabIndex > 0 && "an order of its own",
            it.tabIndex < 0 && "cannot be reached",
            document.activeElement === it && !frame && (outlineStyle === "none" || outlineWidth === "0px") && "focus is not seen",
            it.tagName === "BUTTON" && it.type !== "button" && "submits",
          ].filter(Boolean).map((fault) => `${fault}: ${it.outerHTML.slice(0, 120)}`);
        });
      });
      assert.deepEqual(faults, []);
    }
  });

  test("there are landmarks, and headings in their order", async () => {
    await everything();
    assert.deepEqual(await page.locator("main, footer").count(), 2);
    const levels = await page.locator("main :is(h1, h2, h3, h4)").evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
    assert.equal(levels[0], 1);
    levels.forEach((level, index) => assert.ok(index === 0 || level <= levels[index - 1] + 1, levels.join(" ")));
  });

  test("the focus is where the page is that was turned to", async () => {
    await box().focus();
    await tell({ kind: "page", page: "history" });
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    await tell({ kind: "page", page: "conversation" });
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
  });

  function sticksOut() {
    return page.evaluate(() => {
      const page = document.documentElement;
      const scrolls = [page, ...document.querySelectorAll(".turns, .list, .field")].filter((it) => it.checkVisibility());
      return scrolls.filter((it) => it.scrollWidth > it.clientWidth).map((it) => `${it.tagName}.${it.className}: ${it.scrollWidth} > ${it.clientWidth}`);
    });
  }
});

/** The words as the extension sends them, in English. */
async function theWords() {
  const stub = "export const l10n = { t: (text, ...values) => text.replace(/\\{(\\d)\\}/g, (_, i) => values[i]) };";
  const vscode = { name: "vscode", setup: (build) => {
    build.onResolve({ filter: /^vscode$/ }, () => ({ path: "vscode", namespace: "stub" }));
    build.onLoad({ filter: /.*/, namespace: "stub" }, () => ({ contents: stub }));
  } };
  const text = await bundled("words.ts", { format: "esm", plugins: [vscode] });
  return (await import(`data:text/javascript,${encodeURIComponent(text)}`)).words();
}
