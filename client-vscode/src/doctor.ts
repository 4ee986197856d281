/** The doctor's report: asked of the server, shown as a page that can be copied into a question to somebody. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { describeError } from "./errors";
import { type Check, doctor, type DoctorResult } from "./protocol";

const PAGE = vscode.Uri.parse("sidelight-doctor:/Sidelight%20Doctor");
const MARKS: Record<Check["state"], string> = { ok: "✓", failed: "✗", note: "·" };

export class Doctor implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #examined = new vscode.EventEmitter<DoctorResult>();
  /** What the doctor has found. */
  readonly onDidExamine = this.#examined.event;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(PAGE.scheme, this);
  #report = "";

  async examine(client: LanguageClient): Promise<void> {
    const options = { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t("Sidelight: Doctor"), cancellable: true };
    const result = await vscode.window.withProgress(options, async (_progress, token) => {
      try {
        return await client.sendRequest(doctor, { remote: vscode.env.remoteName ?? "", asks: true }, token);
      } catch (error) {
        if (!token.isCancellationRequested) void vscode.window.showErrorMessage(describeError(error));
        return undefined;
      }
    });
    if (!result) return;
    this.#examined.fire(result);
    this.#report = [...this.#head(), result.summary, "", ...result.checks.flatMap(lines), ""].join("\n");
    this.#changed.fire(PAGE);
    await vscode.window.showTextDocument(PAGE, { preview: true });
  }

  provideTextDocumentContent(): string {
    return this.#report;
  }

  dispose(): void {
    this.#registration.dispose();
    this.#examined.dispose();
    this.#changed.dispose();
  }

  #head(): string[] {
    const { appName, remoteName } = vscode.env;
    return [`${appName} ${vscode.version}${remoteName ? `, ${remoteName}` : ""}`, ""];
  }
}

function lines({ state, message, hint, details = [] }: Check): string[] {
  return [`${MARKS[state]} ${message}`, ...details.map((detail) => `    ${detail}`), ...(hint ? [`  → ${hint}`] : [])];
}
