/** The conversations that the server keeps: listed, opened, renamed, taken away and removed. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { fromStored } from "./conversation";
import type { Conversations } from "./conversations";
import { endOfStored } from "./endings";
import { describeError, plain } from "./errors";
import type { Entry } from "./messages";
import type { Places } from "./places";
import * as protocol from "./protocol";
import type { Runs } from "./runs";
import type { Server } from "./server";

const MOST_LISTED = 200;

export interface Listed {
  search: string;
  entries: Entry[];
  problem?: string;
}

export class History {
  readonly #titles = new Map<string, string>();

  constructor(
    private readonly server: Server,
    private readonly conversations: Conversations,
    private readonly places: Places,
    private readonly runs: Runs,
  ) {}

  async list(search: string): Promise<Listed> {
    const running = this.conversations.running;
    const { client } = this.server;
    if (!client) return { search, entries: [], problem: vscode.l10n.t("The Sidelight server is not running.") };
    try {
      const said = await client.sendRequest(protocol.conversations, { search, limit: MOST_LISTED });
      const entries = said.conversations.map((summary) => this.#entry(summary));
      for (const { id, title } of entries) this.#titles.set(id, title);
      // What just began may not be kept yet, or never.
      const missing = search ? [] : running.filter(({ id }) => !entries.some((entry) => entry.id === id));
      const begun = missing.map(({ id, title, turns, changedAt }) =>
        ({ id, title, turns: turns.length, when: changedAt, isRunning: true, isShown: id === this.conversations.shown.id }));
      const problem = said.problem ? { problem: [said.problem.message, said.problem.hint].filter(Boolean).join(" ") } : {};
      return { search, entries: [...begun, ...entries], ...problem };
    } catch (error) {
      return { search, entries: [], problem: describeError(error) };
    }
  }

  /** Returns whether the conversation is shown now. */
  async open(id: string): Promise<boolean> {
    const isWanted = this.conversations.wish();
    const held = this.conversations.get(id);
    if (held) this.conversations.show(held);
    else await this.#change(async (client) => {
      const stored = await client.sendRequest(protocol.conversation, { id });
      if (isWanted()) this.#show(stored);
    });
    return this.conversations.shown.id === id;
  }

  /** Shows again what was shown before the window was loaded; says nothing if it is gone. */
  async restore(id: string): Promise<void> {
    const isWanted = this.conversations.wish();
    try {
      const stored = await this.server.client?.sendRequest(protocol.conversation, { id });
      if (stored && isWanted() && !this.conversations.shown.turns.length) this.#show(stored);
    } catch {
      // Deleted meanwhile, by another window or by its age.
    }
  }

  async remove(id: string): Promise<void> {
    const title = this.#titleOf(id);
    const remove = vscode.l10n.t("Delete");
    const question = title ? vscode.l10n.t("Delete the conversation “{0}”?", plain(title)) : vscode.l10n.t("Delete this conversation?");
    const detail = vscode.l10n.t("It cannot be brought back.");
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    await this.#change(async (client) => {
      const held = this.conversations.get(id);
      if (held) this.runs.stop(held);
      await client.sendRequest(protocol.deleteConversation, { id });
      this.conversations.forget(id);
      this.places.forget(id);
    });
  }

  async rename(id: string): Promise<void> {
    const now = this.#titleOf(id);
    const prompt = vscode.l10n.t("Title of the conversation; empty: its first question");
    const title = await vscode.window.showInputBox({ title: "Sidelight", prompt, value: now });
    if (title === undefined) return;
    await this.#change(async (client) => {
      await client.sendRequest(protocol.renameConversation, { id, title });
      const { title: made } = await client.sendRequest(protocol.conversation, { id });
      this.#titles.set(id, made);
      this.conversations.rename(id, made);
    });
  }

  async export(id: string): Promise<void> {
    const document = vscode.l10n.t("Markdown, as a document");
    const markdown = vscode.l10n.t("Markdown, as a file…");
    const json = vscode.l10n.t("JSON, as a file…");
    const choice = await vscode.window.showQuickPick([document, markdown, json], { title: vscode.l10n.t("Export Conversation") });
    if (!choice) return;
    await this.#change(async (client) => {
      const format = choice === json ? "json" : "markdown";
      const { text } = await client.sendRequest(protocol.exportConversation, { id, format });
      if (choice === document) await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: text, language: "markdown" }));
      else await save(text, this.#titleOf(id), format);
    });
  }

  async clear(): Promise<void> {
    const remove = vscode.l10n.t("Delete All");
    const question = vscode.l10n.t("Delete all conversations, those of other folders too?");
    const detail = vscode.l10n.t("They cannot be brought back.");
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    await this.#change(async (client) => {
      for (const conversation of this.conversations.running) this.runs.stop(conversation);
      await client.sendRequest(protocol.clearConversations, {});
      this.conversations.forgetAll();
      this.places.forget();
    });
  }

  /** Lets the user choose one of the conversations that are kept. */
  async choose(): Promise<string | undefined> {
    const { entries, problem } = await this.list("");
    if (!entries.length) {
      void vscode.window.showInformationMessage(problem === undefined ? vscode.l10n.t("No conversations yet.") : plain(problem));
      return undefined;
    }
    const picks = entries.map(({ id, title, when }) => ({ id, label: title, description: new Date(when).toLocaleString(vscode.env.language) }));
    return (await vscode.window.showQuickPick(picks, { title: "Sidelight", matchOnDescription: true }))?.id;
  }

  #titleOf(id: string): string {
    return this.conversations.get(id)?.title ?? this.#titles.get(id) ?? "";
  }

  #entry({ id, title, turns, changedAt, found, folder }: protocol.Summary): Entry {
    const held = this.conversations.get(id);
    const elsewhere = folder && !isOpened(folder) ? { folder: decodeURIComponent(folder.split("/").pop() ?? "") } : {};
    return {
      id, title, turns, ...(found ? { found } : {}), ...elsewhere,
      when: Date.parse(changedAt),
      isRunning: held !== undefined && this.conversations.running.includes(held),
      isShown: id === this.conversations.shown.id,
    };
  }

  #show(stored: protocol.StoredConversation): void {
    this.conversations.show(fromStored(stored, this.conversations.nextKey, this.places.of(stored.id), endOfStored));
  }

  /** Does something with the server; that there is none, or what goes wrong, is said. */
  async #change(work: (client: LanguageClient) => Promise<void>): Promise<void> {
    try {
      await this.server.withClient(work);
    } catch (error) {
      void vscode.window.showErrorMessage(describeError(error));
    }
  }
}

/** Whether a folder is one of the workspace's; the server spells its address in a way of its own. */
function isOpened(folder: string): boolean {
  const path = vscode.Uri.parse(folder).path;
  return (vscode.workspace.workspaceFolders ?? []).some(({ uri }) => uri.path.replace(/\/$/, "") === path);
}

async function save(text: string, title: string, format: "markdown" | "json"): Promise<void> {
  const extension = format === "json" ? "json" : "md";
  const name = title.replace(/[^\p{L}\p{N} _.-]+/gu, "").trim().slice(0, 60) || "conversation";
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const wanted = folder && { defaultUri: vscode.Uri.joinPath(folder, `${name}.${extension}`) };
  const filters = format === "json" ? { JSON: ["json"] } : { Markdown: ["md"] };
  const uri = await vscode.window.showSaveDialog({ filters, ...wanted });
  if (uri) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
}
