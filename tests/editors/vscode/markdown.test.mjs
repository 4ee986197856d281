// The view's Markdown in a real browser: however a text is cut, the page is the same; and no text becomes an element.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const { chromium } = createRequire(join(process.env.SIDELIGHT_TEST_TOOLS ?? "", "playwright/"))("playwright-core");

const TEXT = `# Title
##not a title
Use \`add\` and **not** \`sub\`; 2 ** 3 ** 4, an open \` tick, **a
- one
  * two
10. ten
1.5 is no item

\`\`\`python
def f():

    return "\`\`"
  ~~~
\`\`\` python is still code
\`\`\`
~~~
\`\`\`
~~~
\`\`\`one line\`\`\` of text
<b>bold?</b> <script>x</script> &amp;
${" ".repeat(300)}- far
${"`".repeat(300)}
the last, in an open fence:
\`\`\`\`\`md
\`\`\`
x`;

let browser, page;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    chromiumSandbox: false,
    args: ["--disable-gpu", "--no-first-run"],
  });
  page = await browser.newPage();
  const entryPoints = [join(root, "client-vscode/src/webview/markdown.ts")];
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, format: "iife", globalName: "view" });
  await page.addScriptTag({ content: outputFiles[0].text });
});

after(() => browser?.close());

/** The page's HTML after the pieces have been fed. */
function shown(pieces) {
  return page.evaluate((pieces) => {
    const root = document.createElement("div");
    const markdown = new globalThis.view.Markdown(root, { copy: "Copy", copied: "Copied" });
    pieces.forEach((piece) => markdown.feed(piece));
    markdown.finish();
    return root.innerHTML;
  }, pieces);
}

test("every cut of a text gives the same page", async () => {
  const whole = await shown([TEXT]);
  assert.equal(await shown([...TEXT]), whole, "character by character");
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  for (let round = 0; round < 50; round++) {
    assert.equal(await shown(randomCuts(TEXT, seed + round)), whole, `SEED=${seed + round}`);
  }
});

test("fences, headings, items and marks are recognised, and nothing else", async () => {
  const whole = await shown([TEXT]);
  assert.equal(whole.match(/<h3>/g)?.length, 1);
  assert.equal(whole.match(/<pre>/g)?.length, 3);
  assert.equal(whole.match(/class="line item"/g)?.length, 3);
  assert.match(whole, /Use <code>add<\/code> and <strong>not<\/strong> <code>sub<\/code>; 2/);
  assert.match(whole, /&lt;b&gt;bold\?&lt;\/b&gt; &lt;script&gt;x&lt;\/script&gt; &amp;amp;/);
});

test("no character of the text is lost but the marks of what was recognised", async () => {
  const text = "plain ` and * and # and ~~ and __dunder__ [x](y)\n\n    indented\n";
  const lines = await page.evaluate((text) => {
    const root = document.createElement("div");
    new globalThis.view.Markdown(root, { copy: "", copied: "" }).feed(text);
    return [...root.children].map((line) => line.textContent);
  }, text);
  assert.deepEqual(lines, text.split("\n").slice(0, -1));
});

test("a long answer costs as much for its last piece as for its first", async () => {
  const ratio = await page.evaluate(() => {
    const root = document.body.appendChild(document.createElement("div"));
    const markdown = new globalThis.view.Markdown(root, { copy: "", copied: "" });
    const feed = (count) => {
      const start = performance.now();
      for (let i = 0; i < count; i++) markdown.feed(i % 8 ? "another word " : "word\n");
      return performance.now() - start;
    };
    feed(5_000);
    const early = feed(20_000);
    feed(100_000);
    return feed(20_000) / early;
  });
  assert.ok(ratio < 5, `the last pieces took ${ratio.toFixed(1)} times as long`);
});

function randomCuts(text, seed) {
  const pieces = [];
  for (let at = 0; at < text.length; ) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const length = 1 + (seed >> 8) % 12;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
