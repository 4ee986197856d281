// A real VS Code (code-server) with the extension as it is packed, on a data folder of its own; and a browser to see it.
import { spawn } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const tools = process.env.SIDELIGHT_TEST_TOOLS ?? "";
const { chromium } = createRequire(join(tools, "playwright/"))("playwright-core");

// What .vscodeignore lets into the package.
const PACKED = ["package.json", "package.nls.json", "package.nls.zh-cn.json", "server",
  ...["dist", "l10n", "media"].map((name) => `client-vscode/${name}`)];

const QUIET = {
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  // The web build saves by itself, which would hide whether an edit is still unsaved.
  "files.autoSave": "off",
  "remote.autoForwardPorts": false,
  "security.workspace.trust.startupPrompt": "never",
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.menuBarVisibility": "classic",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

/**
 * Starts everything; `files` are the opened folder's. The caller owes a `close()`.
 * @param {{files: Record<string, string>, settings?: object, environment?: object, trusted?: boolean}} wishes
 */
export async function startVSCode({ files, settings = {}, environment = {}, trusted = true }) {
  const data = mkdtempSync(join(tmpdir(), "sidelight-vscode-"));
  const folder = join(data, "folder");
  // The window is in the browser; settings of scope "machine" are read from the machine that the extension runs on.
  const set = (settings) => writeFiles(join(data, "user/Machine"), { "settings.json": JSON.stringify(settings) });
  writeFiles(folder, files);
  writeFiles(join(data, "user"), {
    "User/settings.json": JSON.stringify({ ...QUIET, "security.workspace.trust.enabled": !trusted }),
  });
  set(settings);
  packExtension(join(data, "extensions/sidelight.sidelight"));
  cpSync(join(here, "linter"), join(data, "extensions/test.linter"), { recursive: true });
  const port = await freePort();
  const server = startCodeServer(data, port, environment);
  try {
    await healthy(port, server);
    const browser = await openBrowser(data);
    const page = browser.pages()[0] ?? (await browser.newPage());
    const close = async () => {
      await browser.close();
      await end(server);
      rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    };
    const url = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`;
    return { page, url, set, close, log: () => extensionLog(data) };
  } catch (error) {
    await end(server);
    throw error;
  }
}

function writeFiles(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function packExtension(extension) {
  for (const name of PACKED) {
    mkdirSync(dirname(join(extension, name)), { recursive: true });
    cpSync(join(root, name), join(extension, name), { recursive: true, filter: (path) => !path.endsWith("__pycache__") });
  }
}

function startCodeServer(data, port, environment) {
  const home = join(data, "home");
  mkdirSync(home);
  const entry = join(tools, "code-server/node_modules/code-server/out/node/entry.js");
  const args = [entry, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--user-data-dir", join(data, "user"),
    "--extensions-dir", join(data, "extensions"), "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
  const env = { PATH: process.env.PATH, LANG: "C.UTF-8", HOME: home, TMPDIR: data, CODE_SERVER_CONFIG: join(data, "config.yaml"), ...environment };
  // A process group of its own, so that the extension host and the language server end with it.
  return spawn(join(tools, "node24/node"), args, { env, detached: true, stdio: "ignore" });
}

async function healthy(port, server) {
  for (const until = Date.now() + 30_000; Date.now() < until; await pause(100)) {
    if (server.exitCode !== null) throw new Error("VS Code did not start");
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
  }
  throw new Error("VS Code did not answer within 30 s");
}

async function openBrowser(data) {
  const browser = await chromium.launchPersistentContext(join(data, "browser"), {
    executablePath: process.env.CHROMIUM,
    viewport: { width: 1280, height: 800 },
    chromiumSandbox: false,
    args: ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  // Nothing but this machine is let through; VS Code would ask its extension gallery.
  await browser.route((url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1", (route) => route.abort());
  return browser;
}

async function end(server) {
  if (server.exitCode === null) {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    process.kill(-server.pid, "SIGTERM");
    await Promise.race([ended, pause(5_000)]);
  }
  try {
    process.kill(-server.pid, "SIGKILL");
  } catch {
    // Nobody of the group is left.
  }
}

function extensionLog(data) {
  const logs = globSync(join(data, "user/logs/**/sidelight.sidelight/*.log"));
  return logs.map((log) => readFileSync(log, "utf8")).join("\n");
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
