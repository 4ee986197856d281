/**
 * Applies the server's edits so that all edits of one job are one undo step and the cursor stays where it is.
 *
 * VS Code makes every edit of `workspace.applyEdit` an undo step of its own. A visible editor takes edits that join the
 * step before them; what joins is decided by the label, which all edits of a job share. Everything else (files that
 * nobody sees, previews) goes the usual way.
 */
import { setTimeout as pause } from "node:timers/promises";
import * as vscode from "vscode";
import { type ApplyWorkspaceEditParams, type ApplyWorkspaceEditResult, type LanguageClient, type Middleware, TextDocumentEdit, type TextEdit } from "vscode-languageclient/node";
import { UndoSteps } from "./undo";

type HandleApplyEdit = NonNullable<NonNullable<Middleware["workspace"]>["handleApplyEdit"]>;
type HandleProgress = NonNullable<Middleware["handleWorkDoneProgress"]>;

const DISCARDED_MS = 1_000;

// The request has no token of its own; the client's handler asks for one all the same.
const NOBODY_STOPS = new vscode.CancellationTokenSource().token;

interface Change {
  uri: string;
  version: number;
  edits: TextEdit[];
}

export class Edits {
  readonly #steps = new UndoSteps();
  /** The jobs that are running, each with the documents that it has written to. */
  readonly #jobs = new Map<string, Set<string>>();
  /** The previews that the user has not decided yet, by the labels of their edits. */
  readonly #previews = new Map<string, Promise<unknown>>();

  constructor(private readonly client: () => LanguageClient | undefined) {}

  readonly handleApplyEdit: HandleApplyEdit = async (params, next) => {
    if (params.edit.changeAnnotations) return this.#preview(params.label ?? "", next(params, NOBODY_STOPS));
    const client = this.client();
    const change = client && onlyChange(params);
    const uri = change && client.protocol2CodeConverter.asUri(change.uri);
    const editor = uri && vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    const result = editor ? await this.#write(client, editor, change, params.label ?? "") : await next(params, NOBODY_STOPS);
    if (uri && "applied" in result && result.applied) this.#remember(params.label ?? "", uri);
    return result;
  };

  /** Follows which jobs are running: their progress has the job's name as its token. */
  readonly handleWorkDoneProgress: HandleProgress = (token, params, next) => {
    if (params.kind === "begin") this.#jobs.set(String(token), new Set());
    if (params.kind === "end") this.#jobs.delete(String(token));
    next(token, params);
  };

  /**
   * Discards the preview that the latest job waits for; returns whether there was one. To the server that is the user's
   * no: the job ends, and nothing is kept of it but its answer.
   */
  async discardPreview(): Promise<boolean> {
    const job = [...this.#jobs.keys()].at(-1);
    const waiting = [...this.#previews].find(([label]) => job !== undefined && label.includes(job));
    if (!waiting) return false;
    try {
      // VS Code has one preview at a time: as long as ours waits for an answer, it is this one.
      await vscode.commands.executeCommand("refactorPreview.discard");
    } catch {
      return false; // an editor that has no such command
    }
    return Promise.race([waiting[1].then(() => true), pause(DISCARDED_MS, false)]);
  }

  /** The server is gone: returns the documents in which an edit was cut off. */
  cutOff(): vscode.Uri[] {
    const uris = new Set([...this.#jobs.values()].flatMap((written) => [...written]));
    this.#jobs.clear();
    return [...uris].map((uri) => vscode.Uri.parse(uri));
  }

  async #write(client: LanguageClient, editor: vscode.TextEditor, change: Change, label: string): Promise<ApplyWorkspaceEditResult> {
    const { document } = editor;
    const { version } = document;
    if (change.version !== version) return { applied: false, failureReason: `version ${change.version} is not ${version}` };
    const uri = document.uri.toString();
    const edits = change.edits.map(({ range, newText }) => ({ range: client.protocol2CodeConverter.asRange(range), newText }));
    // From here to the call nothing may wait: VS Code refuses the edit if the document changes after the call, only.
    const isTaken = await editor.edit(
      (builder) => {
        for (const { range, newText } of edits) builder.replace(range, newText);
      },
      // No stop after it: what the user types next begins a step of its own.
      { undoStopBefore: !this.#steps.continues(label, uri, version), undoStopAfter: false },
    );
    // VS Code says yes for a document that it shows and does not let anybody write to.
    const applied = isTaken && document.version !== version;
    if (applied) this.#steps.applied(label, uri, version);
    return { applied };
  }

  async #preview<Result>(label: string, answer: Result | PromiseLike<Result>): Promise<Result> {
    const answered = Promise.resolve(answer);
    this.#previews.set(label, answered.catch(() => undefined));
    try {
      return await answered;
    } finally {
      this.#previews.delete(label);
    }
  }

  #remember(label: string, uri: vscode.Uri): void {
    for (const [job, written] of this.#jobs) if (label.includes(job)) written.add(uri.toString());
  }
}

/** The change of one document and nothing else that these parameters hold; undefined where there is more to it. */
function onlyChange({ edit }: ApplyWorkspaceEditParams): Change | undefined {
  const [change, ...more] = edit.documentChanges ?? [];
  if (!TextDocumentEdit.is(change) || more.length || edit.changeAnnotations) return undefined;
  const { uri, version } = change.textDocument;
  const isPlain = change.edits.every((each) => "newText" in each && !("annotationId" in each));
  return version !== null && isPlain ? { uri, version, edits: change.edits as TextEdit[] } : undefined;
}
