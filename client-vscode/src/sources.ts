/**
 * Opens what an answer cites: the file that it is on this machine, or its page, or else the text that came with it, as a
 * document that cannot be changed. Addresses were written by a server of documents: only those of pages are followed;
 * which file one is, our own server tells.
 */
import * as vscode from "vscode";
import { describeError, plain } from "./errors";
import { documentKey } from "./passages";
import type { Source } from "./protocol";

const SCHEME = "sidelight-source";
// AnythingLLM puts a word of its own before the address of a page.
const WRAPPING = /^(link|web):\/\/(?=https?:)/i;
const MOST_TEXTS = 50;

/** The cited lines of a local file, as far as they are known. */
export interface FilePlace { uri: string; range: vscode.Range | undefined }

export class Sources implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  #latest = 0;

  /**
   * Opens a source; `others` are all of the answer, of which several may be pieces of one document. `find` tells which
   * local file it is, and where in it the passage stands, as far as that is known now.
   */
  async open(source: Source, others: Source[], find: () => Promise<FilePlace | undefined>): Promise<void> {
    const { title, uri, text, file } = source;
    if (await openFile(file, find)) return;
    if (uri && await openAddress(uri.replace(WRAPPING, ""))) return;
    if (text) await this.show(title || vscode.l10n.t("Source"), piecesOf(source, others).join("\n\n⋯\n\n"));
    else void vscode.window.showWarningMessage(vscode.l10n.t("{0} cannot be opened from here.", plain(uri ?? title)));
  }

  /** Shows a text as a document that cannot be changed. */
  async show(title: string, text: string): Promise<void> {
    const key = String(++this.#latest);
    this.#texts.set(key, text);
    this.#texts.delete(String(this.#latest - MOST_TEXTS));
    const name = title.replace(/[\\/\p{Cc}]/gu, "_").slice(0, 100);
    try {
      await showDocument(vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: key }));
    } catch (error) {
      void vscode.window.showErrorMessage(describeError(error));
    }
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.query) ?? "";
  }

  dispose(): void {
    this.#registration.dispose();
  }
}

function piecesOf(source: Source, others: Source[]): string[] {
  return others.filter((other) => documentKey(other) === documentKey(source)).map(({ text }) => text ?? "").filter(Boolean);
}

/** Returns whether there is such a file, and it is shown; at its beginning where the passage is not known. */
async function openFile(file: string | undefined, find: () => Promise<FilePlace | undefined>): Promise<boolean> {
  const place = await find().catch(() => undefined);
  const uri = place?.uri ?? file;
  if (uri === undefined) return false;
  try {
    await showDocument(vscode.Uri.parse(uri, true), place?.range);
    return true;
  } catch {
    return false;
  }
}

/** Returns whether the address is one that is followed, and showed something. */
async function openAddress(address: string): Promise<boolean> {
  try {
    // VS Code asks before it leaves for a site that is not trusted. A Uri would write %2F and %26 as what they stand
    // for; a string is opened as it is, though the types do not tell.
    if (!/^https?:\/\//i.test(address)) return false;
    await vscode.env.openExternal(address as unknown as vscode.Uri);
    return true;
  } catch {
    return false;
  }
}

async function showDocument(uri: vscode.Uri, selection?: vscode.Range): Promise<void> {
  await vscode.window.showTextDocument(uri, { preview: true, ...(selection ? { selection } : {}) });
}
