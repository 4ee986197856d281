/** Decides how the server is started: the developers' command, or the first Python that will do. */
import { readdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as vscode from "vscode";
import type { Executable } from "vscode-languageclient/node";
import { type Candidate, OLDEST, type Outcome, type Tried, tryPython } from "./python";
import { pythonSetting, serverCommandSetting } from "./settings";

export type Launch = { executable: Executable } | { tried: Tried[] };

// Another extension may take its time to wake up, or never do.
const PYTHON_EXTENSION_MS = 5_000;

/** `storagePath` is the extension's own folder for what outlives an update of it. */
export async function findLaunch(extensionPath: string, storagePath: string, log: vscode.LogOutputChannel): Promise<Launch> {
  // Not the opened folder, which is the language client's default: nothing of it may come first on a search path.
  const options = { cwd: extensionPath, windowsHide: true };
  const [command, ...args] = serverCommandSetting();
  if (command) {
    log.info(`Server command from the settings: ${[command, ...args].join(" ")}`);
    return { executable: { command, args, options } };
  }
  const tried: Tried[] = [];
  for await (const candidate of candidates()) {
    const outcome = await tryPython(candidate, extensionPath, untrustedFolders());
    log.info(describe({ candidate, outcome }));
    tried.push({ candidate, outcome });
    if (outcome.kind === "found") {
      const args = serverArguments(extensionPath, storagePath);
      return { executable: { command: outcome.executable, args, options } };
    }
    // A Python that the user asked for and that will not do is an error, not a reason to take another one.
    if (candidate.command === chosen(pythonSetting())) break;
  }
  return { tried };
}

/** Isolated, so that neither the user's environment nor the current folder can put a module in the way of ours. */
function serverArguments(extensionPath: string, storagePath: string): string[] {
  const bytecode = join(storagePath, "bytecode");
  // The version alone: Python puts whole paths below it, and on Windows a path should stay under 260 characters.
  const own = basename(extensionPath).replace(/^sidelight\.sidelight-/, "");
  void removeOthers(bytecode, own);
  return ["-I", "-X", `pycache_prefix=${join(bytecode, own)}`, join(extensionPath, "server"), "lsp"];
}

/** Removes what earlier versions of the extension have left. A server that still runs does not need it. */
async function removeOthers(folder: string, kept: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const others = names.filter((name) => name !== kept).map((name) => join(folder, name));
  await Promise.allSettled(others.map((path) => rm(path, { recursive: true, force: true })));
}

async function* candidates(): AsyncGenerator<Candidate> {
  const setting = chosen(pythonSetting());
  if (setting) yield { command: setting, origin: vscode.l10n.t("the setting sidelight.python") };
  const active = await pythonExtensionsChoice();
  if (active) yield { command: active, origin: vscode.l10n.t("the Python extension") };
  const origin = vscode.l10n.t("on the PATH");
  yield { command: "python3", origin };
  yield { command: "python", origin };
  if (process.platform === "win32") yield { command: "py", args: ["-3"], origin };
}

function chosen(setting: string): string {
  return setting.startsWith("~/") ? join(homedir(), setting.slice(2)) : setting;
}

/** The part of the Python extension's interface that we use. */
interface PythonExtension {
  environments: {
    getActiveEnvironmentPath(): { path: string };
    resolveEnvironment(path: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
  };
}

function pythonExtensionsChoice(): Promise<string | undefined> {
  return Promise.race([askPythonExtension(), pause(PYTHON_EXTENSION_MS, undefined)]);
}

async function askPythonExtension(): Promise<string | undefined> {
  try {
    const python = await vscode.extensions.getExtension<PythonExtension>("ms-python.python")?.activate();
    const path = python?.environments.getActiveEnvironmentPath();
    return path && (await python?.environments.resolveEnvironment(path))?.executable.uri?.fsPath;
  } catch {
    // Somebody else's extension that fails must not keep us from looking further.
    return undefined;
  }
}

function untrustedFolders(): string[] {
  if (vscode.workspace.isTrusted) return [];
  return (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
}

/** Says what was looked for and what to do, with the way to do it. */
export async function reportNoPython(tried: Tried[], log: vscode.LogOutputChannel): Promise<void> {
  const message = vscode.l10n.t(
    "Sidelight needs Python {0} or newer and found none. Looked at: {1}. Install Python, or name one in the setting sidelight.python.",
    OLDEST.join("."),
    tried.map(describe).join("; "),
  );
  log.error(message);
  const openSettings = vscode.l10n.t("Open Settings");
  const showLog = vscode.l10n.t("Show Log");
  const choice = await vscode.window.showErrorMessage(message, openSettings, showLog);
  if (choice === openSettings) await vscode.commands.executeCommand("workbench.action.openSettings", "sidelight.python");
  if (choice === showLog) log.show();
}

function describe({ candidate, outcome }: Tried): string {
  const name = [candidate.command, ...(candidate.args ?? [])].join(" ");
  return `${name} (${candidate.origin}): ${describeOutcome(outcome)}`;
}

function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "found":
      return `${outcome.executable}, Python ${outcome.version}`;
    case "missing":
      return vscode.l10n.t("not there");
    case "untrusted":
      return vscode.l10n.t("{0} lies inside the opened folder, which is not trusted", outcome.executable);
    case "too_old":
      return vscode.l10n.t("{0} is Python {1}, too old", outcome.executable, outcome.version);
    case "broken":
      return vscode.l10n.t("{0} does not run: {1}", outcome.executable, outcome.reason);
  }
}
