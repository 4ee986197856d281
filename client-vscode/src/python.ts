/**
 * Finds the Python that runs the server.
 *
 * Nothing from an opened folder runs before the user trusts it: a candidate inside an untrusted folder is passed over
 * before it is started. Every candidate is started once, without a shell, to learn its version. Knows nothing of VS Code.
 */
import { execFile } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";

export interface Candidate {
  /** A path, or a name on the PATH. */
  command: string;
  args?: string[];
  /** Where it was named, for the user. */
  origin: string;
}

/** What became of a candidate; `version` and `executable` are those that it reported. */
export type Outcome =
  | { kind: "found"; executable: string; version: string }
  | { kind: "missing" }
  | { kind: "untrusted"; executable: string }
  | { kind: "too_old"; executable: string; version: string }
  | { kind: "broken"; executable: string; reason: string };

export interface Tried {
  candidate: Candidate;
  outcome: Outcome;
}

export const OLDEST = [3, 10] as const;

// A network drive or a virus scanner may make the first start of an interpreter take seconds.
const PROBE_TIMEOUT_MS = 15_000;
// Isolated; runs no code that is installed there (-S) and writes no bytecode (-B).
const QUIETLY = ["-I", "-S", "-B"];
const PROBE = "import json, sys; print(json.dumps([sys.executable, *sys.version_info[:3]]))";

/** Tries one candidate. `cwd` must not be an opened folder; `untrusted` are the folders that nothing may come from. */
export async function tryPython(candidate: Candidate, cwd: string, untrusted: readonly string[]): Promise<Outcome> {
  const command = locate(candidate.command);
  if (command === undefined) return { kind: "missing" };
  if (isInside(command, untrusted)) return { kind: "untrusted", executable: command };
  const outcome = await probe(command, candidate.args ?? [], cwd);
  // A launcher (py, a shim) may choose an interpreter of the folder.
  if (outcome.kind === "found" && isInside(outcome.executable, untrusted)) {
    return { kind: "untrusted", executable: outcome.executable };
  }
  return outcome;
}

async function probe(command: string, args: string[], cwd: string): Promise<Outcome> {
  try {
    const options = { cwd, timeout: PROBE_TIMEOUT_MS, windowsHide: true };
    const { stdout } = await promisify(execFile)(command, [...args, ...QUIETLY, "-c", PROBE], options);
    return judge(command, JSON.parse(stdout));
  } catch (error) {
    return { kind: "broken", executable: command, reason: reasonOf(error) };
  }
}

function judge(command: string, answer: unknown): Outcome {
  if (!Array.isArray(answer)) return { kind: "broken", executable: command, reason: "" };
  const [executable, major, minor, micro] = answer as [string, number, number, number];
  const version = `${major}.${minor}.${micro}`;
  const isNewEnough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  return { kind: isNewEnough ? "found" : "too_old", executable: executable || command, version };
}

/** What the program said itself tells more than that it failed. */
function reasonOf(error: unknown): string {
  const { stderr = "" } = error as { stderr?: string };
  const said = stderr.trim() || (error instanceof Error ? error.message : String(error));
  return said.split(/\r?\n/, 1)[0] ?? "";
}

/** Returns the absolute path of a command. Searching ourselves keeps Windows from looking in the current folder first. */
function locate(command: string): string | undefined {
  const suffixes = process.platform === "win32" ? ["", ".exe"] : [""];
  const isName = !command.includes("/") && !command.includes("\\");
  // A relative entry of the PATH would be looked up in whatever folder we are in.
  const folders = isName ? (process.env.PATH ?? "").split(delimiter).filter(isAbsolute) : [""];
  const paths = folders.flatMap((folder) => suffixes.map((suffix) => join(folder, command + suffix)));
  return paths.filter(isAbsolute).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // The app aliases of the Microsoft Store cannot be examined; they are files all the same.
    return existsSync(path);
  }
}

/** Whether a path lies in one of the folders, as it is written or after its links are followed. */
function isInside(path: string, folders: readonly string[]): boolean {
  const places = [path, real(path)];
  return folders.some((folder) => places.some((place) => [folder, real(folder)].some((root) => contains(root, place))));
}

function contains(folder: string, path: string): boolean {
  const way = relative(caseless(resolve(folder)), caseless(resolve(path)));
  // By its parts: a folder may be called "..x". On Windows the way to another drive is absolute.
  return way.split(sep)[0] !== ".." && !isAbsolute(way);
}

function caseless(path: string): string {
  return process.platform === "win32" || process.platform === "darwin" ? path.toLowerCase() : path;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
