// A browser for the parts of the view, bundled as the extension bundles them.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const { chromium } = createRequire(join(process.env.SIDELIGHT_TEST_TOOLS ?? "", "playwright/"))("playwright-core");

export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    chromiumSandbox: false,
    args: ["--disable-gpu", "--no-first-run"],
  });
}

/** Bundles a file of the client; for a browser what it exports is in `globalName`. */
export async function bundled(path, options) {
  const entryPoints = [join(root, "client-vscode/src", path)];
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, outdir: "/", ...options });
  return outputFiles[0].text;
}

/** The cuts of a text into pieces of 1 to 12 characters that belong to a seed. */
export function randomCuts(text, seed) {
  const pieces = [];
  for (let at = 0; at < text.length; ) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const length = 1 + (seed >> 8) % 12;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
