// Bundles the extension (Node) and the script and style of its view (browser) into client-vscode/dist.
import { context } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const watch = process.argv.includes("--watch");
const shared = {
  bundle: true,
  minify: !watch,
  sourcemap: watch ? "inline" : false,
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
  await Promise.all(bundles.map((bundle) => bundle.rebuild()));
  await Promise.all(bundles.map((bundle) => bundle.dispose()));
}
