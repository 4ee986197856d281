// Bundles the extension (Node) and the script and style of its view (browser) into client-vscode/dist, with the
// licences of what they are made of: the bundles themselves do not keep them.
import { context } from "esbuild";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const watch = process.argv.includes("--watch");
const shared = {
  bundle: true,
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  metafile: true,
  absWorkingDir: join(here, ".."),
  outdir: join(here, "dist"),
  logLevel: "warning",
};

const bundles = await Promise.all([
  context({
    ...shared,
    entryPoints: [join(here, "src/extension.ts")],
    platform: "node",
    // VS Code 1.91, the oldest that we support, runs extensions on Node 20.
    target: "node20",
    format: "cjs",
    external: ["vscode"],
  }),
  context({
    ...shared,
    entryPoints: [
      { in: join(here, "src/webview/main.ts"), out: "answers" },
      { in: join(here, "src/webview/answers.css"), out: "answers" },
    ],
    platform: "browser",
    target: "chrome122",
    format: "iife",
  }),
]);

if (watch) {
  await Promise.all(bundles.map((bundle) => bundle.watch()));
} else {
  const built = await Promise.all(bundles.map((bundle) => bundle.rebuild()));
  await Promise.all(bundles.map((bundle) => bundle.dispose()));
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  writeFileSync(join(here, "dist/LICENSES.txt"), licences(inputs));
}

function licences(inputs) {
  const packages = inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean);
  const texts = [...new Set(packages)].sort().map((path) => {
    const folder = join(here, "..", path);
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    if (!file) throw new Error(`${name} comes without its licence`);
    return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
