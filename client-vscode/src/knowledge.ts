/** Files and folders for the knowledge base: what the explorer and the palette name. The server sends, and says how it went. */
import * as vscode from "vscode";
import { execute } from "./execute";
import type { Server } from "./server";

type Act = "add" | "sync" | "remove" | "status";

export class Knowledge {
  constructor(private readonly server: Server) {}

  register(): vscode.Disposable {
    const palette = (name: string, work: (...given: unknown[]) => unknown) =>
      vscode.commands.registerCommand(`sidelight.palette.${name}`, work);
    return vscode.Disposable.from(
      palette("addToKnowledge", (one, all) => this.#withFiles("add", one, all)),
      palette("removeFromKnowledge", (one, all) => this.#withFiles("remove", one, all)),
      palette("syncKnowledge", () => this.#do("sync")),
      palette("knowledgeStatus", () => this.#do("status")),
    );
  }

  /** The explorer names what was clicked, and all that is selected with it; the palette names nothing. */
  async #withFiles(act: Act, one: unknown, all: unknown): Promise<void> {
    const uris = selected(one, all) ?? (await chooseFiles(act));
    if (uris?.length) await this.#do(act, uris);
  }

  async #do(act: Act, uris?: vscode.Uri[]): Promise<void> {
    await this.server.withClient((client) => {
      const named = uris && { uris: uris.map((uri) => client.code2ProtocolConverter.asUri(uri)) };
      return execute(client, "sidelight.knowledge", { act, ...named });
    });
  }
}

function selected(one: unknown, all: unknown): vscode.Uri[] | undefined {
  const many = Array.isArray(all) ? all.filter((each) => each instanceof vscode.Uri) : [];
  if (many.length) return many;
  return one instanceof vscode.Uri ? [one] : undefined;
}

/** The file in front, else what the user chooses; undefined when that is nothing. */
async function chooseFiles(act: Act): Promise<vscode.Uri[] | undefined> {
  const uri = vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme === "file") return [uri];
  const openLabel = act === "add" ? vscode.l10n.t("Add") : vscode.l10n.t("Remove");
  return vscode.window.showOpenDialog({ canSelectFiles: true, canSelectFolders: true, canSelectMany: true, openLabel });
}
