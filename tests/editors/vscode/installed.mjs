// The extension as users get it: built into a .vsix and installed by VS Code. `run.sh` does that once for all tests.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let extension = process.env.SIDELIGHT_TEST_EXTENSION;

/** The folder of the installed extension; `extensions.json` stands beside it. */
export function installedExtension() {
  extension ??= install();
  return extension;
}

function install() {
  const folder = mkdtempSync(join(tmpdir(), "sidelight-installed-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const script = join(dirname(fileURLToPath(import.meta.url)), "install-vsix.sh");
  return execFileSync(script, [folder], { encoding: "utf8" }).trim();
}
