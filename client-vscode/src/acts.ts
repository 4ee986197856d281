/** Does what is pressed at a turn of the view: its code, its place, its sources, what was sent for it. */
import * as vscode from "vscode";
import { applyAsEdit, insertAtCursor, showPlace } from "./blocks";
import type { Conversation } from "./conversation";
import type { Conversations } from "./conversations";
import { describeError, plain } from "./errors";
import { attempt } from "./execute";
import type { FromView, ToView, Turn } from "./messages";
import * as protocol from "./protocol";
import type { Runs } from "./runs";
import type { Server } from "./server";
import { Sources } from "./sources";

type OfTurn = Extract<FromView, { turn: number }>;

export class TurnActs implements vscode.Disposable {
  readonly #sources = new Sources();

  constructor(
    private readonly server: Server,
    private readonly conversations: Conversations,
    private readonly runs: Runs,
    private readonly tell: (message: ToView) => void,
  ) {}

  dispose(): void {
    this.#sources.dispose();
  }

  async hear(message: OfTurn): Promise<void> {
    const { shown } = this.conversations;
    const turn = shown.turns.find(({ key }) => key === message.turn);
    if (!turn) return;
    switch (message.kind) {
      case "copy":
        await vscode.env.clipboard.writeText(message.code);
        break;
      case "copyAnswer":
        await vscode.env.clipboard.writeText(turn.text);
        break;
      case "insert":
        await insertAtCursor(message.code);
        break;
      case "openSource":
        await this.#openSource(shown, turn, message.source);
        break;
      case "sent":
        await this.#tellSent(shown, turn);
        break;
      case "openSent":
        await this.#openSent(shown, turn);
        break;
      default:
        await this.#askServer(message, shown, turn);
    }
  }

  async #askServer(message: Extract<OfTurn, { kind: "retry" | "apply" | "openPlace" }>, shown: Conversation, turn: Turn): Promise<void> {
    if (this.runs.hasLeft(shown, turn.key)) {
      void vscode.window.showWarningMessage(vscode.l10n.t("{0} is not open any more.", plain(turn.place)));
      return;
    }
    await attempt(this.server, async (client) => {
      if (message.kind === "retry") await this.runs.retry(client, shown, turn.key);
      else if (message.kind === "openPlace") await showPlace(client, shown, turn);
      else await applyAsEdit(client, shown, turn, message.code);
    });
  }

  async #openSource({ id }: Conversation, { number: turn, sources }: Turn, index: number): Promise<void> {
    const source = sources[index];
    if (!source) return;
    const { client } = this.server;
    const find = async () => {
      const { number } = source;
      if (!client || turn === undefined || number === undefined) return undefined;
      const { uri, range, notice } = await client.sendRequest(protocol.source, { conversation: id, turn, number });
      if (uri !== undefined && notice) void vscode.window.showInformationMessage(plain(notice));
      return uri === undefined ? undefined : { uri, range: range && client.protocol2CodeConverter.asRange(range) };
    };
    await this.#sources.open(source, sources, find);
  }

  async #tellSent(shown: Conversation, turn: Turn): Promise<void> {
    try {
      const { provider, model, sentTo, tokens, parts } = await this.#sent(shown, turn);
      this.tell({ kind: "sent", turn: turn.key, sent: { provider, model, sentTo, tokens, parts } });
    } catch (error) {
      this.tell({ kind: "sent", turn: turn.key, problem: describeError(error) });
    }
  }

  async #openSent(shown: Conversation, turn: Turn): Promise<void> {
    try {
      await this.#sources.show(vscode.l10n.t("What Was Sent"), (await this.#sent(shown, turn)).text);
    } catch (error) {
      void vscode.window.showErrorMessage(describeError(error));
    }
  }

  async #sent({ id }: Conversation, { number }: Turn): Promise<protocol.Sent> {
    const { client } = this.server;
    if (!client) throw new Error(vscode.l10n.t("The Sidelight server is not running."));
    return client.sendRequest(protocol.sent, { conversation: id, turn: number ?? 0 });
  }
}
