/** Asks questions whose answers go into the view: sends `sidelight/run`, hands on what arrives, and can stop it. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { type Asked, type Conversation, isRunning, placeName } from "./conversation";
import type { Conversations } from "./conversations";
import { endOf, endOfFailure, serverStopped } from "./endings";
import type { End, Turn } from "./messages";
import type { Places } from "./places";
import { partials, run, type RunParams, type RunResult } from "./protocol";
import { taskNames } from "./words";

const LONGEST_TITLE = 80;

interface Running {
  conversation: Conversation;
  cancellation: vscode.CancellationTokenSource;
  /** Ends the run for the view, whether or not the server ever answers. */
  end(end: End): void;
}

export class Runs implements vscode.Disposable {
  readonly #running = new Set<Running>();
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
    const turn = this.conversations.begin(conversation, asked, titleOf(asked));
    const cancellation = new vscode.CancellationTokenSource();
    const partialResultToken = `sidelight-run-${++this.#latest}`;
    const listening = client.onProgress(partials, partialResultToken, (partial) => {
      if (!turn.end) this.conversations.hear(conversation, turn, partial);
    });
    const running: Running = { conversation, cancellation, end: (end) => { this.#end(running, turn, end); } };
    this.#running.add(running);
    try {
      const params = { ...asked, conversation: conversation.id, partialResultToken } as RunParams;
      const result = await client.sendRequest(run, params, cancellation.token);
      this.#learn(conversation, turn, asked, result);
      running.end(endOf(result));
    } catch (error) {
      this.#learn(conversation, turn, asked);
      running.end(endOfFailure(error));
    } finally {
      listening.dispose();
      cancellation.dispose();
    }
  }

  /** Asks what was asked in a turn again, as the next turn. */
  async retry(client: LanguageClient, conversation: Conversation, key: number): Promise<void> {
    const asked = conversation.asked.get(key);
    if (asked && !isRunning(conversation)) await this.ask(client, conversation, asked);
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
    turn.notes = result?.notes ?? [];
    turn.number = result?.turn ?? (conversation.turns.at(-2)?.number ?? 0) + 1;
    if (uri) this.places.remember(conversation.id, turn.number, { uri, ...(range ? { range } : {}) });
  }
}

/** The title until the server has made one: the first line of the question, else the task and its place. */
function titleOf(asked: Asked): string {
  const first = asked.instruction?.trim().split("\n")[0] ?? "";
  if (first) return first.length > LONGEST_TITLE ? `${first.slice(0, LONGEST_TITLE - 1)}…` : first;
  return `${taskNames()[asked.task] ?? asked.task} ${placeName(asked)}`.trim();
}
