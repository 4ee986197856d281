/**
 * What the palette and the menus call, and where the server's own commands go.
 *
 * The palette's ids differ from the server's (`sidelight.explain`, …), because the language client registers those
 * itself. Explain and ask go to the view, wherever they come from; edits go to the server as they are.
 */
import * as vscode from "vscode";
import { ExecuteCommandRequest, type LanguageClient, type Middleware } from "vscode-languageclient/node";
import { describeError } from "./errors";
import { chooseAnyModel } from "./models";
import { placeOf } from "./place";
import type { Task, TaskArguments } from "./protocol";
import { restoreText } from "./restore";
import type { Runs } from "./runs";
import type { Server } from "./server";

type Streamed = "explain" | "ask";
type Edit = Exclude<Task, Streamed>;

/** What can be done with the latest edit in the document that the user is in; the server's commands of that name. */
const REVIEW = ["keep", "undo", "retry", "refine", "nextChange", "showAnswer"] as const;

export class Commands {
  constructor(
    private readonly server: Server,
    private readonly runs: Runs,
  ) {}

  register(): vscode.Disposable {
    const palette = (name: string, work: (given?: unknown) => unknown) =>
      vscode.commands.registerCommand(`sidelight.palette.${name}`, work);
    return vscode.Disposable.from(
      palette("explain", () => this.#fromEditor((client, place) => this.#stream(client, "explain", place))),
      palette("ask", () => this.#ask()),
      palette("fix", () => this.#fromEditor((client, place) => this.#edit(client, "fix", place))),
      palette("generate", () => this.#fromEditor((client, place) => this.#generate(client, place))),
      palette("stop", () => this.#stop()),
      palette("chooseModel", () => this.server.withClient(chooseAnyModel)),
      palette("restart", () => this.server.restart()),
      palette("restore", () => this.#fromEditor((client, { uri = "" }) => restoreText(client, uri))),
      ...REVIEW.map((name) => palette(name, (given) => this.#review(name, given))),
    );
  }

  /**
   * The light bulb's explain and ask stream into the view too, and what has to be chosen is chosen in a list of VS Code.
   * Not awaited: to VS Code the code action would be under way until the answer has ended.
   */
  readonly executeCommand: NonNullable<Middleware["executeCommand"]> = (command, args, next) => {
    const client = this.server.client;
    const given = (args[0] ?? {}) as TaskArguments;
    if (client && command === "sidelight.explain") void this.#stream(client, "explain", given);
    else if (client && command === "sidelight.ask") void this.#askAbout(client, given);
    else if (client && command === "sidelight.restore" && given.uri) void restoreText(client, given.uri);
    else return next(command, args) as Promise<unknown>;
    return undefined;
  };

  async #fromEditor(work: (client: LanguageClient, place: TaskArguments) => Promise<void>): Promise<void> {
    await this.server.withClient(async (client) => {
      const place = await placeOf(client);
      if (place) await work(client, place);
      else void vscode.window.showInformationMessage(vscode.l10n.t("Open a file first."));
    });
  }

  async #ask(): Promise<void> {
    await this.server.withClient(async (client) => { await this.#askAbout(client, (await placeOf(client)) ?? {}); });
  }

  async #askAbout(client: LanguageClient, place: TaskArguments): Promise<void> {
    const instruction = place.instruction ?? (await vscode.window.showInputBox({
      title: "Sidelight",
      prompt: vscode.l10n.t("What do you want to know?"),
    }));
    if (instruction?.trim()) await this.#stream(client, "ask", { ...place, instruction });
  }

  async #generate(client: LanguageClient, place: TaskArguments): Promise<void> {
    const instruction = await vscode.window.showInputBox({
      title: "Sidelight",
      prompt: vscode.l10n.t("What should be written here?"),
      placeHolder: vscode.l10n.t("Empty: what the comment or signature at the cursor says"),
    });
    if (instruction === undefined) return;
    await this.#edit(client, "generate", instruction.trim() ? { ...place, instruction } : place);
  }

  async #stream(client: LanguageClient, task: Streamed, place: TaskArguments): Promise<void> {
    await this.runs.start(client, { ...place, task });
  }

  async #edit(client: LanguageClient, task: Edit, place: TaskArguments): Promise<void> {
    await execute(client, `sidelight.${task}`, place);
  }

  /** `given` is the document of the editor whose button was pressed; the cursor may be in another one. */
  async #review(name: (typeof REVIEW)[number], given?: unknown): Promise<void> {
    const work = async (client: LanguageClient, { uri, range }: TaskArguments) => {
      const line = range && name === "nextChange" ? { line: range.start.line } : {};
      const instruction = name === "refine" ? await askRefinement() : {};
      if (uri && instruction) await execute(client, `sidelight.${name}`, { uri, ...line, ...instruction });
    };
    // A notebook is not a document: what is meant is the cell that the user is in.
    const document = vscode.workspace.textDocuments.find(({ uri }) => given instanceof vscode.Uri && uri.toString() === given.toString());
    if (document) await this.server.withClient((client) => work(client, { uri: client.code2ProtocolConverter.asUri(document.uri) }));
    else await this.#fromEditor(work);
  }

  /** Stops the latest answer in the view and the latest job of the server; users mean whatever is running. */
  async #stop(): Promise<void> {
    this.runs.stop();
    const client = this.server.client;
    if (client) await execute(client, "sidelight.stop");
  }
}

async function askRefinement(): Promise<{ instruction: string } | undefined> {
  const prompt = vscode.l10n.t("What should be different?");
  const instruction = (await vscode.window.showInputBox({ title: "Sidelight", prompt }))?.trim();
  return instruction ? { instruction } : undefined;
}

/** Has the server do something; what goes wrong is shown. */
async function execute(client: LanguageClient, command: string, argument?: object): Promise<void> {
  try {
    await client.sendRequest(ExecuteCommandRequest.type, { command, ...(argument ? { arguments: [argument] } : {}) });
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}
