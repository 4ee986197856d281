// Runs tests inside the extension host of a real VS Code, next to the extension: what is not to be seen from a browser.
//
// VS Code's own server takes a development extension and a test module from the page's address when it is started for
// that. The module writes its results into a file, which is waited for.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { installedExtension } from "./installed.mjs";
import { end, freePort, openBrowser, QUIET, writeFiles } from "./vscode.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const tools = process.env.SIDELIGHT_TEST_TOOLS ?? "";
const PATIENCE_MS = 120_000;

/**
 * Runs a suite of `inside/`; returns what came of its tests: `{name, ms, value?, error?}`. `prepare` gets the opened
 * folder and a scratch folder before anything starts, and may return more of the environment.
 * @param {{suite: string, files?: Record<string, string>, settings?: object, environment?: object, extensions?: string[],
 *   trusted?: boolean, prepare?: (folder: string, scratch: string) => object | undefined, browser?: object}} wishes
 */
export async function runInside({ suite, files = {}, settings = {}, environment = {}, extensions = ["linter"],
  trusted = true, prepare = () => undefined, browser: options }) {
  const data = mkdtempSync(join(tmpdir(), "sidelight-host-"));
  const folder = join(data, "folder");
  const report = join(data, "report.json");
  mkdirSync(folder);
  writeFiles(folder, files);
  writeFiles(join(data, "server/data"), {
    "Machine/settings.json": JSON.stringify(settings),
    "User/settings.json": JSON.stringify({ ...QUIET, "security.workspace.trust.enabled": !trusted }),
  });
  for (const name of extensions) cpSync(join(here, name), join(data, "server/extensions", name), { recursive: true });
  const port = await freePort();
  const inside = JSON.stringify({ suite: join(here, "inside", suite), report });
  const server = startServer(data, port, { ...environment, ...prepare(folder, data), SIDELIGHT_INSIDE: inside });
  let browser;
  try {
    await listening(port, server);
    browser = await openBrowser(data, options);
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(address(port, folder));
    await written(report, page);
    return JSON.parse(readFileSync(report, "utf8"));
  } finally {
    await browser?.close();
    await end(server);
    rmSync(data, { recursive: true, force: true, maxRetries: 5 });
  }
}

function address(port, folder) {
  const remote = (path) => `vscode-remote://127.0.0.1:${port}${path}`;
  const payload = [
    ["extensionDevelopmentPath", remote(installedExtension())],
    ["extensionTestsPath", remote(join(here, "inside/index.js"))],
  ];
  return `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
}

function startServer(data, port, environment) {
  const main = join(tools, "code-server/node_modules/code-server/lib/vscode/out/server-main.js");
  const args = [main, "--host", "127.0.0.1", "--port", String(port), "--without-connection-token", "--accept-server-license-terms",
    "--server-data-dir", join(data, "server"), "--enable-smoke-test-driver", "--telemetry-level", "off"];
  const home = join(data, "home");
  mkdirSync(home);
  const env = { PATH: process.env.PATH, LANG: "C.UTF-8", HOME: home, TMPDIR: data, ...environment };
  return spawn(join(tools, "node24/node"), args, { env, detached: true, stdio: "ignore" });
}

async function listening(port, server) {
  for (const until = Date.now() + 30_000; Date.now() < until; await pause(100)) {
    if (server.exitCode !== null) throw new Error("VS Code's server did not start");
    const answer = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
    if (answer?.ok) return;
  }
  throw new Error("VS Code's server did not answer within 30 s");
}

async function written(report, page) {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await pause(50)) {
    if (existsSync(report)) return;
  }
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/host.png` });
  throw new Error("the extension host has not reported");
}
