/**
 * Opens what an answer cites: its address, or else the text that came with it, as a document that cannot be changed.
 * The address was written by a server: only schemes that show something are followed.
 */
import * as vscode from "vscode";
import { describeError, plain } from "./errors";
import type { Source } from "./protocol";

const SCHEME = "sidelight-source";
// AnythingLLM puts a word of its own before the address of a page.
const WRAPPING = /^(link|web):\/\/(?=https?:)/i;
const MOST_TEXTS = 50;

export class Sources implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  #latest = 0;

  /** Opens a source; `others` are all of the answer, of which several may be pieces of one document. */
  async open(source: Source, others: Source[]): Promise<void> {
    if (source.uri && await openAddress(source.uri.replace(WRAPPING, ""))) return;
    if (source.text) await this.#openText(source, others);
    else void vscode.window.showWarningMessage(vscode.l10n.t("{0} cannot be opened from here.", plain(source.uri ?? source.title)));
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.query) ?? "";
  }

  dispose(): void {
    this.#registration.dispose();
  }

  async #openText({ title, uri }: Source, others: Source[]): Promise<void> {
    const pieces = others.filter((other) => other.title === title && other.uri === uri).map(({ text }) => text ?? "");
    const key = String(++this.#latest);
    this.#texts.set(key, pieces.join("\n\n⋯\n\n"));
    this.#texts.delete(String(this.#latest - MOST_TEXTS));
    const name = title.replace(/[\\/\p{Cc}]/gu, "_").slice(0, 100) || vscode.l10n.t("Source");
    try {
      await showDocument(vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: key }));
    } catch (error) {
      void vscode.window.showErrorMessage(describeError(error));
    }
  }
}

/** Returns whether the address is one that is followed, and showed something. */
async function openAddress(address: string): Promise<boolean> {
  try {
    // VS Code asks before it leaves for a site that is not trusted. A Uri would write %2F and %26 as what they stand
    // for; a string is opened as it is, though the types do not tell.
    if (/^https?:/i.test(address)) await vscode.env.openExternal(address as unknown as vscode.Uri);
    else if (/^(file|sidelight):/i.test(address)) await showDocument(vscode.Uri.parse(address, true));
    else return false;
    return true;
  } catch {
    // No address at all, or a file of the machine that AnythingLLM runs on.
    return false;
  }
}

async function showDocument(uri: vscode.Uri): Promise<void> {
  await vscode.window.showTextDocument(uri, { preview: true });
}
