// A real VS Code (code-server) with the .vsix installed (`run.sh` builds it), on a data folder of its own; and a browser to see it.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { installedExtension } from "./installed.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const tools = process.env.SIDELIGHT_TEST_TOOLS ?? "";
const { chromium } = createRequire(join(tools, "playwright/"))("playwright-core");

export const QUIET = {
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
 * @param {{files: Record<string, string>, settings?: object, environment?: object, trusted?: boolean, locale?: string}} wishes
 */
export async function startVSCode({ files, settings = {}, environment = {}, trusted = true, locale = "en" }) {
  const data = mkdtempSync(join(tmpdir(), "sidelight-vscode-"));
  const folder = join(data, "folder");
  // The window is in the browser; settings of scope "machine" are read from the machine that the extension runs on.
  const set = (settings) => writeFiles(join(data, "user/Machine"), { "settings.json": JSON.stringify(settings) });
  writeFiles(folder, files);
  writeFiles(join(data, "user"), {
    "User/settings.json": JSON.stringify({ ...QUIET, "security.workspace.trust.enabled": !trusted }),
  });
  set(settings);
  installExtensions(join(data, "extensions"));
  if (locale !== "en") addLanguage(data, locale);
  const port = await freePort();
  const server = startCodeServer(data, port, environment, locale);
  try {
    await healthy(port, server);
    const browser = await openBrowser(data);
    browser.setDefaultTimeout(60_000);
    const page = browser.pages()[0] ?? (await browser.newPage());
    const close = async () => {
      await browser.close();
      await end(server);
      rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    };
    const url = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`;
    return { page, folder, url, emptyUrl: `http://127.0.0.1:${port}/?ew=true`, set, close,
      settings: () => globSync(join(data, "user/{User,Machine}/settings.json")).map((file) => readFileSync(file, "utf8")).join("\n"),
      machineSettings: () => JSON.parse(readFileSync(join(data, "user/Machine/settings.json"), "utf8")),
      has: (name) => existsSync(join(folder, name)),
      filesWith: (text) => filesWith(data, text),
      servers: () => languageServers(server.pid),
      kill: () => killLanguageServers(server.pid), log: () => extensionLog(data) };
  } catch (error) {
    await end(server);
    throw error;
  }
}

export function writeFiles(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** What VS Code made of the .vsix when it installed it, and beside it a stand-in for a linter. */
function installExtensions(folder) {
  cpSync(dirname(installedExtension()), folder, { recursive: true });
  cpSync(join(here, "linter"), join(folder, "test.linter"), { recursive: true });
  const list = join(folder, "extensions.json");
  const linter = { identifier: { id: "test.linter" }, version: "1.0.0", relativeLocation: "test.linter" };
  const entries = [...JSON.parse(readFileSync(list, "utf8")), linter].map((entry) => ({
    ...entry, location: { $mid: 1, scheme: "file", path: join(folder, entry.relativeLocation) },
  }));
  writeFileSync(list, JSON.stringify(entries));
}

/** VS Code takes a language that a pack brings; this one is empty, so that VS Code's own words stay English. */
function addLanguage(data, locale) {
  const pack = join(data, "pack.json");
  writeFileSync(pack, JSON.stringify({ contents: {} }));
  const language = { hash: "1", label: locale, extensions: [{ extensionIdentifier: { id: "test.pack" }, version: "1" }], translations: { vscode: pack } };
  writeFiles(join(data, "user"), { "languagepacks.json": JSON.stringify({ [locale]: language }) });
}

function startCodeServer(data, port, environment, locale) {
  const home = join(data, "home");
  mkdirSync(home);
  const entry = join(tools, "code-server/node_modules/code-server/out/node/entry.js");
  const args = [entry, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--user-data-dir", join(data, "user"),
    "--extensions-dir", join(data, "extensions"), "--locale", locale, "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
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

export async function openBrowser(data, options = {}) {
  const browser = await chromium.launchPersistentContext(join(data, "browser"), {
    executablePath: process.env.CHROMIUM,
    viewport: { width: 1280, height: 800 },
    chromiumSandbox: false,
    ...options,
    args: ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  // Nothing but this machine is let through; VS Code would ask its extension gallery.
  await browser.route((url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1", (route) => route.abort());
  return browser;
}

export async function end(server) {
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

/** The processes of the language servers of this VS Code. */
function languageServers(group) {
  const isLanguageServer = ([pid]) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("lsp");
  const listed = execFileSync("ps", ["-eo", "pid=,pgid="], { encoding: "utf8" }).trim().split("\n");
  const members = listed.map((line) => line.trim().split(/ +/)).filter(([, of]) => Number(of) === group);
  const servers = members.filter((member) => { try { return isLanguageServer(member); } catch { return false; } });
  return servers.map(([pid]) => Number(pid));
}

/** Ends them as a crash would; returns how many there were. */
function killLanguageServers(group) {
  const servers = languageServers(group);
  for (const pid of servers) process.kill(pid, "SIGKILL");
  return servers.length;
}

/** The files of VS Code and of the server in which a text stands. */
function filesWith(folder, text) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name)).filter((path) => readFileSync(path).includes(text));
}

function extensionLog(data) {
  const logs = globSync(join(data, "user/logs/**/sidelight.sidelight/*.log"));
  return logs.map((log) => readFileSync(log, "utf8")).join("\n");
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
