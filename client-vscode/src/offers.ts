/** Where the user is, offered to the view as something to ask about: the selection of the active editor, or its file. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { placeName } from "./conversation";
import type { Offer } from "./messages";
import type { TaskArguments } from "./protocol";

/** What the user writes in, and may ask about; not what is only shown. */
export const WRITABLE = ["file", "untitled", "vscode-notebook-cell"];
// While the mouse selects, the selection changes with every move.
const SETTLE_MS = 60;
const MOST_KEPT = 8;

interface Kept { uri: vscode.Uri; selection: vscode.Selection | undefined }

export class Offers implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<Offer | undefined>();
  readonly onDidChange = this.#changed.event;
  /** The latest places by their ids: a question may name the one before, when both cross. */
  readonly #kept = new Map<number, Kept>();
  readonly #listening: vscode.Disposable;
  #current: Offer | undefined;
  #latest = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.#look();
    this.#listening = vscode.Disposable.from(
      vscode.window.onDidChangeActiveTextEditor(() => { this.#soon(); }),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === vscode.window.activeTextEditor) this.#soon();
      }),
    );
  }

  get current(): Offer | undefined {
    return this.#current;
  }

  /** Returns the place that an offer named, in LSP's terms. */
  take(id: number, client: LanguageClient): Pick<TaskArguments, "uri" | "range"> | undefined {
    const kept = this.#kept.get(id);
    if (!kept) return undefined;
    const { code2ProtocolConverter: converter } = client;
    const range = kept.selection && { range: converter.asRange(kept.selection) };
    return { uri: converter.asUri(kept.uri), ...range };
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listening.dispose();
    this.#changed.dispose();
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#look(); }, SETTLE_MS);
  }

  #look(): void {
    const editor = vscode.window.activeTextEditor;
    const isKnown = editor !== undefined && WRITABLE.includes(editor.document.uri.scheme);
    const next = isKnown ? this.#offer(editor) : undefined;
    const kept = next && this.#kept.get(next.id);
    const was = this.#current && this.#kept.get(this.#current.id);
    if (isSame(kept, was)) return;
    this.#current = next;
    this.#changed.fire(next);
  }

  #offer({ document, selection }: vscode.TextEditor): Offer {
    const id = ++this.#latest;
    const selected = selection.isEmpty ? undefined : selection;
    this.#kept.set(id, { uri: document.uri, selection: selected });
    for (const old of this.#kept.keys()) if (old <= id - MOST_KEPT && old !== this.#current?.id) this.#kept.delete(old);
    return { id, label: label(document.uri, selected), isSelection: selected !== undefined };
  }
}

function isSame(one: Kept | undefined, other: Kept | undefined): boolean {
  if (!one || !other) return one === other;
  const isSelected = one.selection && other.selection ? one.selection.isEqual(other.selection) : one.selection === other.selection;
  return isSelected && one.uri.toString() === other.uri.toString();
}

function label(uri: vscode.Uri, selection: vscode.Selection | undefined): string {
  return placeName({ uri: uri.with({ fragment: "" }).toString(), ...(selection ? { range: selection } : {}) });
}
