// The view's Markdown in a real browser: however a text is cut, the page is the same; and no text becomes an element.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bundled, openBrowser, randomCuts } from "./browser.mjs";

const TEXT = `# Title
##not a title
#### Deep \`code\`
Use \`add\` and **not** \`sub\`; 2 ** 3 ** 4, an open \` tick, **a
*leaning* and _so_ and ***both*** and ~~gone~~, snake_case_name and __init__ and 2*3*4 and \\*stars\\*
\`\`two \` ticks\`\` **bold with \`**code**\` and *inner* end**
[docs](https://example.org/a_(b)) ![image](http://example.org/x.png "t") <https://a.b> https://plain.example
[quit](command:workbench.action.quit) [js](javascript:alert(1)) [ref] [x](y) [open](https://
${"*".repeat(600)} and *${"far ".repeat(200)}* and [${"x".repeat(600)}](https://e.org)
- one
  * two
    1. deep
  * three

  with a paragraph
- four
      far indented
10. ten
11. eleven
    \`\`\`js
    if (x) {
        y()
    }
    \`\`\`
    after
1.5 is no item
- [ ] task
- - nested at once
-
not an item

> quoted **text**
> - with a list
>
> > and more
> \`\`\`
> code
after the quote
| name | n |
|:-----|--:|
| \`a\` | 1 |
| b \\| c | 2 | 3 |
| d
no row
| not | a | table
|---|
| still text
***
- - -
___
--
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
- item
${" ".repeat(300)}- far inside
${"`".repeat(300)}
${"- ".repeat(30)}deep
${"> ".repeat(30)}deep
${Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n")}
the last, in an open fence:
\`\`\`\`\`md
\`\`\`
x`;

const LETTERS = "ab *`_~[]()!\\|#->.1\n\n  ";

let browser, page;

before(async () => {
  browser = await openBrowser();
  page = await browser.newPage();
  await page.addScriptTag({ content: await bundled("webview/markdown.ts", { format: "iife", globalName: "view" }) });
  await page.evaluate(() => {
    globalThis.acted = [];
    const words = { copy: "Copy", copied: "Copied", insert: "Insert", apply: "Apply", code: "Code" };
    const tools = { words, acts: ["copy", "insert", "apply"], act: (kind, code) => globalThis.acted.push([kind, code]) };
    globalThis.write = (pieces, root = document.createElement("div")) => {
      const markdown = new globalThis.view.Markdown(root, tools);
      pieces.forEach((piece) => markdown.feed(piece));
      markdown.finish();
      return root;
    };
    globalThis.begin = (root) => new globalThis.view.Markdown(root, tools);
  });
});

after(() => browser?.close());

/** The page's HTML after the pieces have been fed. */
const shown = (pieces) => page.evaluate((pieces) => globalThis.write(pieces).innerHTML, pieces);
const all = (texts) => page.evaluate((texts) => texts.map((pieces) => globalThis.write(pieces).innerHTML), texts);

test("every cut of a text gives the same page", async () => {
  const whole = await shown([TEXT]);
  assert.equal(await shown([...TEXT]), whole, "character by character");
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  for (let round = 0; round < 50; round++) {
    assert.equal(await shown(randomCuts(TEXT, seed + round)), whole, `SEED=${seed + round}`);
  }
});

test("every cut of any text gives the same page, and shows every letter of it", async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  const texts = Array.from({ length: 1500 }, (_, index) => randomText(seed + index));
  const whole = await all(texts.map((text) => [text]));
  const cut = await all(texts.map((text) => [...text]));
  const words = await page.evaluate((pages) => pages.map((html) => {
    const root = document.createElement("div");
    root.innerHTML = html;
    return root.textContent.replace(/[^ab]/g, "");
  }), whole);
  texts.forEach((text, index) => {
    assert.equal(cut[index], whole[index], `SEED=${seed + index}: ${JSON.stringify(text)}`);
    // What stands behind a fence is the name of a language; these texts have none.
    assert.equal(words[index], text.replace(/[^ab]/g, ""), `SEED=${seed + index}: ${JSON.stringify(text)}`);
  });
});

test("headings, marks and fences are recognised, and nothing else", async () => {
  const whole = await shown([TEXT]);
  assert.match(whole, /<h3>Title<\/h3><p>##not a title<\/p><h6>Deep <code>code<\/code><\/h6>/);
  assert.match(whole, /Use <code>add<\/code> and <strong>not<\/strong> <code>sub<\/code>; 2 \*\* 3 \*\* 4, an open ` tick, \*\*a<br>/);
  assert.match(whole, /<em>leaning<\/em> and <em>so<\/em> and <strong><em>both<\/em><\/strong> and <del>gone<\/del>, snake_case_name and __init__ and 2\*3\*4 and \*stars\*/);
  assert.match(whole, /<code>two ` ticks<\/code> <strong>bold with <code>\*\*code\*\*<\/code> and <em>inner<\/em> end<\/strong>/);
  assert.match(whole, /&lt;b&gt;bold\?&lt;\/b&gt; &lt;script&gt;x&lt;\/script&gt; &amp;amp;/);
  assert.equal(whole.match(/<hr>/g)?.length, 3);
  assert.match(whole, /<p>```one line``` of text|<p><code>one line<\/code> of text/);
});

test("lists nest, count on, and hold paragraphs and code", async () => {
  const lists = await shown([TEXT.slice(TEXT.indexOf("- one"), TEXT.indexOf("> quoted"))]);
  assert.match(lists, /<ul><li><p>one<\/p><ul><li><p>two<\/p><ol><li><p>deep<\/p><\/li><\/ol><\/li><li><p>three<\/p><\/li><\/ul><p>with a paragraph<\/p><\/li><li><p>four<br>/);
  assert.match(lists, /<ol start="10"><li><p>ten<\/p><\/li><li><p>eleven<\/p><div class="code"/);
  assert.match(lists, /<div>if \(x\) {<\/div><div> {4}y\(\)<\/div>/);
  assert.match(lists, /<p>after<\/p><\/li><\/ol><p>1\.5 is no item<\/p>/);
});

test("quotes and tables", async () => {
  const rest = await shown([TEXT.slice(TEXT.indexOf("> quoted"), TEXT.indexOf("***\n- - -"))]);
  assert.match(rest, /<blockquote><p>quoted <strong>text<\/strong><\/p><ul><li><p>with a list<\/p><\/li><\/ul><blockquote><p>and more<\/p><\/blockquote><div class="code"/);
  assert.match(rest, /<thead><tr><th>name<\/th><th class="right">n<\/th><\/tr><\/thead><tbody><tr><td><code>a<\/code><\/td><td class="right">1<\/td><\/tr>/);
  assert.match(rest, /<td>b \| c<\/td><td class="right">2 \| 3<\/td>/);
  assert.match(rest, /<p>no row<br>\| not \| a \| table<br>\|---\|<br>\| still text<\/p>/);
});

test("links are text with their address, and only those to the web", async () => {
  const whole = await shown([TEXT]);
  assert.match(whole, /docs<span class="address"> \(https:\/\/example\.org\/a_\(b\)\)<\/span> image<span class="address"> \(http:\/\/example\.org\/x\.png\)<\/span>/);
  assert.ok(whole.includes("[quit](command:workbench.action.quit) [js](javascript:alert(1)) [ref] [x](y)"), "other links stay as they are written");
  assert.equal(whole.match(/<(a|img|script|iframe|b|link|style|form|input|svg onload)[\s>]/g), null);
});

test("no character of the text is lost but the marks of what was recognised", async () => {
  const text = "plain ` and * and # and ~~ and __dunder__ [x](y) C:\\dir\n    indented";
  assert.equal((await page.evaluate((text) => globalThis.write([text]).innerHTML, text)).replace("<br>", "\n"), `<div class="part"><p>${text}</p></div>`);
});

test("the buttons of a block act on its code, and come when it is complete", async () => {
  const buttons = await page.evaluate(() => {
    const root = document.body.appendChild(document.createElement("div"));
    const markdown = globalThis.begin(root);
    markdown.feed("```py\na = 1\n\nb = 2\n");
    const before = root.querySelector(".buttons").hidden;
    markdown.feed("```\n");
    const after = root.querySelector(".buttons").hidden;
    root.querySelectorAll("button").forEach((button) => button.click());
    root.remove();
    return { before, after, acted: globalThis.acted };
  });
  const code = "a = 1\n\nb = 2\n";
  assert.deepEqual(buttons, { before: true, after: false, acted: [["copy", code], ["insert", code], ["apply", code]] });
});

for (const [what, pieces] of [
  ["words", ["another word "]],
  ["prose", ["another **word** ", "and `code` ", "end\n", "- item *so*\n", "\n"]],
]) {
  test(`a long answer costs as much for its last piece as for its first: ${what}`, async () => {
    const ratio = await page.evaluate((pieces) => {
      const markdown = globalThis.begin(document.body.appendChild(document.createElement("div")));
      const feed = (count) => {
        const start = performance.now();
        for (let i = 0; i < count; i++) markdown.feed(i % 40 ? pieces[i % pieces.length] : "\n");
        return performance.now() - start;
      };
      feed(5_000);
      const early = feed(20_000);
      feed(100_000);
      const ratio = feed(20_000) / early;
      document.body.replaceChildren();
      return ratio;
    }, pieces);
    assert.ok(ratio < 5, `the last pieces took ${ratio.toFixed(1)} times as long`);
  });
}

test("a text made to be slow costs what its length says", { timeout: 30_000 }, async () => {
  const took = await page.evaluate(() => ["*a", "[", "`", "**a `", "_b ", "> ", "- ", "|", "1. ", "\\", "!["].map((piece) => {
    const measure = (count) => {
      const start = performance.now();
      globalThis.write([piece.repeat(count)]);
      return performance.now() - start;
    };
    measure(2_000);
    const short = measure(20_000);
    return [piece, measure(80_000) / Math.max(short, 2)];
  }));
  for (const [piece, ratio] of took) assert.ok(ratio < 12, `four times the length of ${JSON.stringify(piece)} took ${ratio.toFixed(1)} times as long`);
});

function randomText(seed) {
  let text = "";
  for (let length = 0; length < 60; length++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    text += LETTERS[(seed >> 8) % LETTERS.length];
  }
  return text.replace(/(`{3}|~{3})[^\n]*/g, "$1");
}
