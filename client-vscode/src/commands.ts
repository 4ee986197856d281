/**
 * What the palette and the menus call, and where the server's own commands go.
 *
 * The palette's ids differ from the server's (`sidelight.explain`, …), because the language client registers those
 * itself. Explain and ask go to the view, wherever they come from; edits go to the server as they are.
 */
import * as vscode from "vscode";
import { ExecuteCommandRequest, type LanguageClient, type Middleware, ResponseError } from "vscode-languageclient/node";
import { placeOf } from "./place";
import type { Task, TaskArguments } from "./protocol";
import type { Runs } from "./runs";
import type { Server } from "./server";

type Streamed = "explain" | "ask";
type Edit = Exclude<Task, Streamed>;

export class Commands {
  constructor(
    private readonly server: Server,
    private readonly runs: Runs,
  ) {}

  register(): vscode.Disposable {
    const palette = (name: string, work: () => unknown) =>
      vscode.commands.registerCommand(`sidelight.palette.${name}`, work);
    return vscode.Disposable.from(
      palette("explain", () => this.#fromEditor((client, place) => this.#stream(client, "explain", place))),
      palette("ask", () => this.#ask()),
      palette("fix", () => this.#fromEditor((client, place) => this.#edit(client, "fix", place))),
      palette("generate", () => this.#fromEditor((client, place) => this.#generate(client, place))),
      palette("stop", () => this.#stop()),
      palette("chooseModel", () => this.#chooseModel()),
      palette("restart", () => this.server.restart()),
    );
  }

  /**
   * The light bulb's explain and ask stream into the view too. Not awaited: to VS Code the code action would be under
   * way until the answer has ended.
   */
  readonly executeCommand: NonNullable<Middleware["executeCommand"]> = (command, args, next) => {
    const client = this.server.client;
    const given = (args[0] ?? {}) as TaskArguments;
    if (client && command === "sidelight.explain") void this.#stream(client, "explain", given);
    else if (client && command === "sidelight.ask") void this.#askAbout(client, given);
    else return next(command, args) as Promise<unknown>;
    return undefined;
  };

  async #fromEditor(work: (client: LanguageClient, place: TaskArguments) => Promise<void>): Promise<void> {
    const client = this.#clientOrSay();
    if (!client) return;
    const place = await placeOf(client);
    if (place) await work(client, place);
    else void vscode.window.showInformationMessage(vscode.l10n.t("Open a file first."));
  }

  async #ask(): Promise<void> {
    const client = this.#clientOrSay();
    if (client) await this.#askAbout(client, (await placeOf(client)) ?? {});
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
    try {
      await execute(client, `sidelight.${task}`, place);
    } catch (error) {
      void vscode.window.showErrorMessage(describe(error));
    }
  }

  /** Stops the latest answer in the view and the latest job of the server; users mean whatever is running. */
  async #stop(): Promise<void> {
    this.runs.stop();
    const client = this.server.client;
    if (client) await execute(client, "sidelight.stop");
  }

  /** The server asks which one: it knows who can be reached. */
  async #chooseModel(): Promise<void> {
    const client = this.#clientOrSay();
    if (client) await execute(client, "sidelight.chooseModel");
  }

  #clientOrSay(): LanguageClient | undefined {
    const client = this.server.client;
    if (!client) void this.server.sayNotRunning();
    return client;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof ResponseError)) return String(error);
  const { hint } = (error.data ?? {}) as { hint?: string };
  return hint ? `${error.message} ${hint}` : error.message;
}

async function execute(client: LanguageClient, command: string, argument?: TaskArguments): Promise<void> {
  await client.sendRequest(ExecuteCommandRequest.type, { command, ...(argument ? { arguments: [argument] } : {}) });
}
