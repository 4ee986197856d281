/** Asks questions whose answers go into the view: sends `sidelight/run`, hands on what arrives, and can stop it. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { type Asked, type Conversation, isRunning, notesOf, placeName } from "./conversation";
import type { Conversations } from "./conversations";
import { endOf, endOfFailure, serverStopped } from "./endings";
import type { End, Turn } from "./messages";
import type { Places } from "./places";
import { partials, run, type RunParams, type RunResult } from "./protocol";
import { taskNames } from "./words";

const LONGEST_TITLE = 80;
const FLEETING = /^(untitled|vscode-notebook-cell):/;

interface Running {
  conversation: Conversation;
  cancellation: vscode.CancellationTokenSource;
  /** Ends the run for the view, whether or not the server ever answers. */
  end(end: End): void;
}

export class Runs implements vscode.Disposable {
  readonly #running = new Set<Running>();
  /** The documents that questions were about; a name can be another document's by now. */
  readonly #documents = new WeakMap<Asked, vscode.TextDocument>();
  #latest = 0;

  constructor(
    private readonly conversations: Conversations,
    private readonly places: Places,
    private readonly reveal: () => void,
  ) {}

  /** Asks in a conversation of its own, which is shown from now on; those that are being answered go on. */
  async start(client: LanguageClient, { conversation: id, ...asked }: RunParams): Promise<void> {
    const held = id === undefined ? undefined : this.conversations.get(id);
    if (held) this.conversations.show(held);
    this.reveal();
    await this.ask(client, held ?? this.conversations.showNew(), asked);
  }

  async ask(client: LanguageClient, conversation: Conversation, asked: Asked): Promise<void> {
    const document = openDocument(asked);
    if (document) this.#documents.set(asked, document);
    const turn = this.conversations.begin(conversation, asked, titleOf(asked));
    const cancellation = new vscode.CancellationTokenSource();
    const partialResultToken = `sidelight-run-${++this.#latest}`;
    const running: Running = { conversation, cancellation, end: (end) => { this.#end(running, turn, end); } };
    this.#running.add(running);
    let listening: vscode.Disposable | undefined;
    try {
      listening = client.onProgress(partials, partialResultToken, (partial) => {
        if (!turn.end) this.conversations.hear(conversation, turn, partial);
      });
      const params = { ...asked, conversation: conversation.id, partialResultToken } as RunParams;
      const result = await client.sendRequest(run, params, cancellation.token);
      this.#learn(conversation, turn, asked, result);
      running.end(endOf(result));
    } catch (error) {
      this.#learn(conversation, turn, asked);
      running.end(endOfFailure(error));
    } finally {
      listening?.dispose();
      cancellation.dispose();
    }
  }

  /** Asks what was asked in a turn again, as the next turn. */
  async retry(client: LanguageClient, conversation: Conversation, key: number): Promise<void> {
    const asked = conversation.asked.get(key);
    if (asked && !isRunning(conversation)) await this.ask(client, conversation, asked);
  }

  /** Whether a turn is about an untitled document or a cell that is closed: those have their names only while open. */
  hasLeft(conversation: Conversation, key: number): boolean {
    const asked = conversation.asked.get(key);
    if (!asked?.uri || !FLEETING.test(asked.uri)) return false;
    return (this.#documents.get(asked) ?? openDocument(asked))?.isClosed ?? true;
  }

  /** Stops what is being answered in a conversation; without one, in that which is shown, or else what began last. */
  stop(conversation?: Conversation): void {
    const all = [...this.#running];
    const inShown = all.filter((running) => running.conversation === (conversation ?? this.conversations.shown));
    for (const running of conversation || inShown.length ? inShown : all.slice(-1)) running.cancellation.cancel();
  }

  /** The server is gone: what came of the answers is all there will be. */
  cutOff(): void {
    for (const running of this.#running) running.end(serverStopped());
  }

  dispose(): void {
    for (const { cancellation } of this.#running) cancellation.cancel();
  }

  #end(running: Running, turn: Turn, end: End): void {
    if (this.#running.delete(running)) this.conversations.end(running.conversation, turn, end);
  }

  #learn(conversation: Conversation, turn: Turn, { uri, range }: Asked, result?: RunResult): void {
    turn.notes = notesOf(result ?? {});
    turn.number = result?.turn ?? (conversation.turns.at(-2)?.number ?? 0) + 1;
    if (uri) this.places.remember(conversation.id, turn.number, { uri, ...(range ? { range } : {}) });
  }
}

function openDocument({ uri }: Asked): vscode.TextDocument | undefined {
  const name = uri === undefined ? undefined : vscode.Uri.parse(uri).toString();
  return vscode.workspace.textDocuments.find((document) => document.uri.toString() === name);
}

/** The title until the server has made one: the first line of the question, else the task and its place. */
function titleOf(asked: Asked): string {
  const first = asked.instruction?.trim().split("\n")[0] ?? "";
  if (first) return first.length > LONGEST_TITLE ? `${first.slice(0, LONGEST_TITLE - 1)}…` : first;
  return `${taskNames()[asked.task] ?? asked.task} ${placeName(asked)}`.trim();
}
