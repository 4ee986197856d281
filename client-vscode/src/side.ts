/** The side view as a whole: puts its parts together, and does what is pressed in it or called for it. */
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { TurnActs } from "./acts";
import { AnswersView } from "./answers";
import { isRunning } from "./conversation";
import { Conversations } from "./conversations";
import { attempt } from "./execute";
import { History } from "./history";
import type { FromView, Page, ToView } from "./messages";
import { Offers } from "./offers";
import { Places } from "./places";
import { Runs } from "./runs";
import type { Server, ServerState } from "./server";
import { words } from "./words";

const SHOWN = "sidelight.shown";

export class SideView implements vscode.Disposable {
  readonly runs: Runs;
  readonly #view: AnswersView;
  readonly #conversations: Conversations;
  readonly #history: History;
  readonly #offers = new Offers();
  readonly #acts: TurnActs;
  readonly #memory: vscode.Memento;
  readonly #disposables: vscode.Disposable;
  /** The cursor is to go into the view, once that has heard everything. */
  #wantsFocus = false;
  /** Whether the server has said who answers; before, it cannot be asked for the history. */
  #serverState: ServerState["kind"] | undefined;
  #page: Page = "conversation";
  #search = "";
  /** The list that is asked for counts, and not one before it that comes late. */
  #latestList = 0;
  /** The conversation of before the window was loaded, until it is known what became of it. */
  #before: string | undefined;

  constructor(context: vscode.ExtensionContext, private readonly server: Server) {
    this.#memory = context.workspaceState;
    this.#before = this.#memory.get<string>(SHOWN);
    this.#view = new AnswersView(context.extensionUri);
    const places = new Places(this.#memory);
    this.#conversations = new Conversations(() => `sidelight-${randomUUID()}`, (message) => { this.#tell(message); }, () => { this.#changed(); });
    this.runs = new Runs(this.#conversations, places, () => { this.#turnTo("conversation"); void this.#view.reveal(); });
    this.#history = new History(server, this.#conversations, places, this.runs);
    this.#acts = new TurnActs(server, this.#conversations, this.runs, (message) => { this.#tell(message); });
    this.#disposables = vscode.Disposable.from(
      this.#view, this.#offers, this.#acts, this.runs, this.#register(),
      this.#view.onMessage((message) => { void this.#hear(message); }),
      this.#offers.onDidChange((offer) => { this.#tell({ kind: "offer", ...(offer ? { offer } : {}) }); }),
      server.onDidChange((state) => { void this.#follow(state); }),
    );
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #register(): vscode.Disposable {
    const command = (name: string, work: () => unknown) => vscode.commands.registerCommand(`sidelight.palette.${name}`, work);
    const about = (work: (id: string) => Promise<void>) => async () => {
      const { id, turns } = this.#conversations.shown;
      const chosen = turns.length ? id : await this.#history.choose();
      if (chosen !== undefined) await work(chosen);
      this.#list();
    };
    return vscode.Disposable.from(
      command("newConversation", () => this.#newConversation()),
      command("showHistory", () => this.#showHistory()),
      command("renameConversation", about((id) => this.#history.rename(id))),
      command("exportConversation", about((id) => this.#history.export(id))),
      command("deleteConversation", about((id) => this.#history.remove(id))),
      command("clearConversations", async () => { await this.#history.clear(); this.#list(); }),
    );
  }

  async #newConversation(): Promise<void> {
    this.#before = undefined;
    this.#conversations.showNew();
    this.#turnTo("conversation");
    await this.#takeFocus();
  }

  async #showHistory(): Promise<void> {
    this.#turnTo("history");
    await this.#takeFocus();
  }

  async #takeFocus(): Promise<void> {
    this.#wantsFocus = true;
    await this.#view.reveal(true);
    this.#tellFocus();
  }

  #tellFocus(): void {
    if (!this.#wantsFocus || !this.#view.isReady) return;
    this.#wantsFocus = false;
    this.#tell({ kind: "focus" });
  }

  #tell(message: ToView): void {
    this.#view.post(message);
  }

  #turnTo(page: Page): void {
    this.#page = page;
    this.#tell({ kind: "page", page });
    this.#list();
  }

  /** Another conversation is shown, or one began or ended to be answered. */
  #changed(): void {
    const { shown } = this.#conversations;
    const hasTurns = shown.turns.length > 0;
    void this.#memory.update(SHOWN, hasTurns ? shown.id : undefined);
    void vscode.commands.executeCommand("setContext", "sidelight.hasConversation", hasTurns);
    this.#list();
  }

  #list(): void {
    if (this.#page === "history") void this.#listNow();
  }

  async #listNow(): Promise<void> {
    const number = ++this.#latestList;
    const listed = await this.#history.list(this.#search);
    if (number === this.#latestList) this.#tell({ kind: "history", ...listed });
  }

  async #follow(state: ServerState): Promise<void> {
    const id = this.#before;
    const hasChanged = state.kind !== this.#serverState;
    this.#serverState = state.kind;
    // What starts has nothing to list yet; a restart begins with the end of the server before.
    if (hasChanged && state.kind !== "starting") this.#list();
    if (state.kind === "starting") this.runs.cutOff();
    if (state.kind === "stopped" || state.kind === "lost") {
      this.runs.cutOff();
      // What is to be shown again goes on waiting: the server may come up later.
      if (id !== undefined) this.#tell(this.#conversations.whole());
    }
    if (state.kind !== "said" || id === undefined) return;
    this.#before = undefined;
    await this.#history.restore(id);
    this.#tell(this.#conversations.whole());
    this.#list();
  }

  async #hear(message: FromView): Promise<void> {
    switch (message.kind) {
      case "ready":
        this.#tellAll();
        break;
      case "ask":
        await attempt(this.server, (client) => this.#ask(client, message.text, message.offer));
        break;
      case "stop":
        this.runs.stop(this.#conversations.shown);
        break;
      case "connect":
        await vscode.commands.executeCommand("sidelight.palette.connect");
        break;
      case "page":
        // Who goes back to what is shown does not wait for what was to be opened.
        if (message.page === "conversation") this.#conversations.wish();
        this.#turnTo(message.page);
        break;
      case "search":
        this.#search = message.text;
        this.#list();
        break;
      case "openConversation":
        if (await this.#history.open(message.id)) this.#turnTo("conversation");
        break;
      case "deleteConversation":
        await this.#history.remove(message.id);
        this.#list();
        break;
      default:
        await this.#acts.hear(message);
    }
  }

  /** The view was built anew: it hears everything. */
  #tellAll(): void {
    const offer = this.#offers.current;
    this.#tell({ kind: "words", words: words(), language: vscode.env.language });
    this.#tell({ kind: "offer", ...(offer ? { offer } : {}) });
    // Not a word about where to begin, where there is something to be shown again.
    if (this.#before === undefined || this.#conversations.shown.turns.length) this.#tell(this.#conversations.whole());
    this.#tell({ kind: "page", page: this.#page });
    this.#list();
    this.#tellFocus();
  }

  async #ask(client: LanguageClient, text: string, offer: number | undefined): Promise<void> {
    const { shown } = this.#conversations;
    if (isRunning(shown)) return;
    this.#before = undefined;
    this.#tell({ kind: "asked" });
    const place = offer === undefined ? {} : this.#offers.take(offer, client);
    await this.runs.ask(client, shown, { task: "ask", instruction: text, ...place });
  }
}
