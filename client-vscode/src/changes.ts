/**
 * Marks the lines that an edit of ours wrote until they are kept or undone. The server tells them as hints, as every
 * editor understands; VS Code would show these as three dots below the text, so they become a coloured ground instead.
 */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

const SOURCE = "sidelight";
const MARK = "changed";
const HAS_CHANGES = "sidelight.hasChanges";
const CHANGED_FILES = "sidelight.changedFiles";

export class Changes implements vscode.Disposable {
  readonly #written = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor("diffEditor.insertedLineBackground"),
    overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.addedForeground"),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
    // High contrast has no grounds; there the border tells.
    borderColor: new vscode.ThemeColor("contrastActiveBorder"),
    borderStyle: "none none none solid",
    borderWidth: "0 0 0 3px",
  });
  readonly #changes = new Map<string, vscode.Diagnostic[]>();
  readonly #listening: vscode.Disposable;

  constructor() {
    this.#listening = vscode.Disposable.from(
      vscode.window.onDidChangeVisibleTextEditors((editors) => { editors.forEach((editor) => { this.#mark(editor); }); }),
      vscode.window.onDidChangeActiveTextEditor(() => { this.#tellContext(); }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (this.#changes.delete(uri.toString())) this.#tellContext();
      }),
    );
  }

  readonly handleDiagnostics: NonNullable<Middleware["handleDiagnostics"]> = (uri, diagnostics, next) => {
    // What a review has found has the same source, and stays a problem.
    const ours = diagnostics.filter(({ source, code }) => source === SOURCE && code === MARK);
    this.#set(uri, ours);
    next(uri, diagnostics.filter((each) => !ours.includes(each)));
  };

  /** The server is gone, and with it what could be done about the changes. */
  clear(): void {
    for (const uri of [...this.#changes.keys()]) this.#set(vscode.Uri.parse(uri), []);
  }

  dispose(): void {
    this.#listening.dispose();
    this.#written.dispose();
  }

  #set(uri: vscode.Uri, changes: vscode.Diagnostic[]): void {
    if (changes.length) this.#changes.set(uri.toString(), changes);
    else this.#changes.delete(uri.toString());
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.toString() === uri.toString()) this.#mark(editor);
    }
    this.#tellContext();
  }

  #mark(editor: vscode.TextEditor): void {
    const changes = this.#changes.get(editor.document.uri.toString()) ?? [];
    editor.setDecorations(this.#written, changes.map(decoration));
  }

  /** The keys are about the document that the user is in; the buttons, which every group has, about that of their group. */
  #tellContext(): void {
    const uri = vscode.window.activeTextEditor?.document.uri.toString();
    void vscode.commands.executeCommand("setContext", HAS_CHANGES, uri !== undefined && this.#changes.has(uri));
    // As addresses, and not as text: VS Code spells those of another machine in a way of its own.
    void vscode.commands.executeCommand("setContext", CHANGED_FILES, this.#changed());
  }

  /** The documents with changes; a cell's buttons are those of its notebook. */
  #changed(): vscode.Uri[] {
    const notebooks = vscode.workspace.notebookDocuments.filter((notebook) => notebook.getCells().some(({ document }) => this.#changes.has(document.uri.toString())));
    return [...[...this.#changes.keys()].map((uri) => vscode.Uri.parse(uri)), ...notebooks.map(({ uri }) => uri)];
  }
}

function decoration({ range, message }: vscode.Diagnostic): vscode.DecorationOptions {
  // A change ends at the start of the line below it, which is not changed.
  const last = range.end.character === 0 && range.end.line > range.start.line ? range.end.line - 1 : range.end.line;
  // The message quotes the user's code, which is not Markdown.
  const hoverMessage = new vscode.MarkdownString().appendText(message);
  return { range: new vscode.Range(range.start.line, 0, last, 0), hoverMessage };
}
