// Fails when a text that users see is missing in one of the languages, or is there but used by nobody.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const read = (path) => readFileSync(join(root, path), "utf8");
const keys = (path) => new Set(Object.keys(JSON.parse(read(path))));
const matches = (text, pattern) => new Set([...text.matchAll(pattern)].map((match) => match[1]));

const problems = [];
const compare = (wanted, found, place) => {
  for (const text of wanted) if (!found.has(text)) problems.push(`missing in ${place}: ${text}`);
  for (const text of found) if (!wanted.has(text)) problems.push(`used by nobody in ${place}: ${text}`);
};

const inManifest = matches(read("package.json"), /"%([^%"]+)%"/g);
compare(inManifest, keys("package.nls.json"), "package.nls.json");
compare(inManifest, keys("package.nls.zh-cn.json"), "package.nls.zh-cn.json");

const files = readdirSync(join(root, "client-vscode/src")).filter((name) => name.endsWith(".ts"));
const sources = files.map((name) => read(`client-vscode/src/${name}`)).join("\n");
// The texts are plain string literals, so that this and VS Code's own extraction can find them.
const inCode = new Set([...matches(sources, /\bt\(\s*("(?:[^"\\]|\\.)*")/g)].map((literal) => JSON.parse(literal)));
compare(inCode, keys("client-vscode/l10n/bundle.l10n.zh-cn.json"), "bundle.l10n.zh-cn.json");

problems.forEach((problem) => console.error(problem));
process.exitCode = problems.length ? 1 : 0;
