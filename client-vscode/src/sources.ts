/**
 * Opens what an answer cites: its address, or the text that came with it, as a document that cannot be changed.
 * The address was written by a server: only schemes that show something are followed.
 */
import * as vscode from "vscode";
import type { Source } from "./protocol";

const SCHEME = "sidelight-source";
const MOST_TEXTS = 50;

export class Sources implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  #latest = 0;

  /** Opens a source; `others` are all of the answer, of which several may be pieces of one document. */
  async open(source: Source, others: Source[]): Promise<void> {
    if (source.uri) await openAddress(source.uri);
    else if (source.text) await this.#openText(source, others);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.query) ?? "";
  }

  dispose(): void {
    this.#registration.dispose();
  }

  async #openText({ title }: Source, others: Source[]): Promise<void> {
    const pieces = others.filter((other) => other.title === title && !other.uri).map(({ text }) => text ?? "");
    const key = String(++this.#latest);
    this.#texts.set(key, pieces.join("\n\n⋯\n\n"));
    this.#texts.delete(String(this.#latest - MOST_TEXTS));
    const name = title.replace(/[\\/\p{Cc}]/gu, "_").slice(0, 100) || vscode.l10n.t("Source");
    await openDocument(vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: key }));
  }
}

async function openAddress(address: string): Promise<void> {
  const uri = vscode.Uri.parse(address);
  switch (uri.scheme) {
    case "http":
    case "https":
      // VS Code asks before it leaves for a site that is not trusted.
      await vscode.env.openExternal(uri);
      break;
    case "file":
    case "sidelight":
      await openDocument(uri);
      break;
    default:
      void vscode.window.showWarningMessage(vscode.l10n.t("Sidelight does not open {0}", address));
  }
}

async function openDocument(uri: vscode.Uri): Promise<void> {
  try {
    await vscode.window.showTextDocument(uri, { preview: true });
  } catch (error) {
    void vscode.window.showErrorMessage(String(error));
  }
}
