/**
 * What the palette and the menus call, and where the server's own commands go.
 *
 * The palette's ids differ from the server's (`sidelight.explain`, …), because the language client registers those
 * itself. Explain and ask go to the view, wherever they come from; edits go to the server as they are.
 */
import * as vscode from "vscode";
import type { LanguageClient, Middleware } from "vscode-languageclient/node";
import { openedUri, writeCommitMessage } from "./commit";
import type { Edits } from "./edits";
import { describeError } from "./errors";
import { execute } from "./execute";
import { chooseAnyModel } from "./models";
import { placeOf } from "./place";
import type { TaskArguments, TaskInfo } from "./protocol";
import { restoreText } from "./restore";
import type { Runs } from "./runs";
import type { Server } from "./server";
import { kindOf } from "./tasklist";
import { askInstruction, chooseTask, listTasks } from "./tasks";

type Edit = "fix" | "generate" | "document" | "test";
/** The server's command for a task of the user's own. */
interface TaskCommand extends TaskArguments { task: string }

/** What can be done with the latest edit in the document that the user is in; the server's commands of that name. */
const REVIEW = ["keep", "undo", "retry", "refine", "nextChange", "showAnswer"] as const;

export class Commands {
  constructor(
    private readonly server: Server,
    private readonly runs: Runs,
    private readonly edits: Edits,
  ) {}

  register(): vscode.Disposable {
    const palette = (name: string, work: (given?: unknown) => unknown) =>
      vscode.commands.registerCommand(`sidelight.palette.${name}`, work);
    return vscode.Disposable.from(
      palette("explain", () => this.#fromEditor((client, place) => this.#stream(client, "explain", place))),
      palette("ask", () => this.#ask()),
      palette("fix", () => this.#fromEditor((client, place) => this.#edit(client, "fix", place))),
      palette("generate", () => this.#fromEditor((client, place) => this.#generate(client, place))),
      palette("document", () => this.#fromEditor((client, place) => this.#edit(client, "document", place))),
      palette("test", () => this.#fromEditor((client, place) => this.#edit(client, "test", place))),
      palette("reviewCode", () => this.#fromEditor((client, place) => this.#reviewCode(client, place))),
      palette("reviewChanges", (given) => this.#reviewChanges(given)),
      palette("commitMessage", (given) => this.server.withClient((client) => writeCommitMessage(client, rootOf(given)))),
      palette("fixAll", () => this.#fromEditor((client, place) => this.#fixAll(client, place))),
      palette("runTask", () => this.#runTask()),
      palette("showSent", () => this.server.withClient((client) => execute(client, "sidelight.showSent", {}))),
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
    else if (client && command === "sidelight.commit") void writeCommitMessage(client, given.uri === undefined ? undefined : vscode.Uri.parse(given.uri));
    else if (client && command === "sidelight.task") void this.#ownTask(client, given as TaskCommand);
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

  async #stream(client: LanguageClient, task: string, place: TaskArguments): Promise<void> {
    await this.runs.start(client, { ...place, task });
  }

  async #edit(client: LanguageClient, task: Edit, place: TaskArguments): Promise<void> {
    await execute(client, `sidelight.${task}`, place);
  }

  /** The selection; without one, the whole file. */
  async #reviewCode(client: LanguageClient, { uri, range }: TaskArguments): Promise<void> {
    const isSelected = range && (range.start.line !== range.end.line || range.start.character !== range.end.character);
    await execute(client, "sidelight.review", { uri, ...(isSelected ? { range } : {}) });
  }

  /** What was changed in the repository of the file in front, or of the button's source control. */
  async #reviewChanges(given: unknown): Promise<void> {
    const uri = rootOf(given) ?? openedUri();
    await this.server.withClient((client) => {
      const about = uri && { uri: client.code2ProtocolConverter.asUri(uri) };
      return execute(client, "sidelight.review", { ...about, changes: true });
    });
  }

  async #fixAll(client: LanguageClient, { uri = "" }: TaskArguments): Promise<void> {
    const found = vscode.languages.getDiagnostics(client.protocol2CodeConverter.asUri(uri));
    await execute(client, "sidelight.fixAll", { uri, diagnostics: await client.code2ProtocolConverter.asDiagnostics(found) });
  }

  /** Any task may be without a document; the server says so where it needs one. */
  async #runTask(): Promise<void> {
    await this.server.withClient(async (client) => {
      const place = (await placeOf(client)) ?? {};
      const task = await chooseTask(client, place.uri);
      if (task) await this.#perform(client, task, place);
    });
  }

  async #perform(client: LanguageClient, task: TaskInfo, place: TaskArguments): Promise<void> {
    const { name, isOwn } = task;
    if (!isOwn && name === "ask") await this.#askAbout(client, place);
    else if (!isOwn && name === "generate") await this.#generate(client, place);
    else if (kindOf(task) === "findings") await this.#reviewCode(client, place);
    else if (kindOf(task) === "message") await writeCommitMessage(client);
    else await this.#start(client, task, place);
  }

  async #start(client: LanguageClient, task: TaskInfo, place: TaskArguments): Promise<void> {
    const instruction = task.needsInstruction ? place.instruction ?? (await askInstruction(task)) : place.instruction;
    if (task.needsInstruction && instruction === undefined) return;
    const given = { ...place, ...(instruction === undefined ? {} : { instruction }) };
    if (kindOf(task) === "text") await this.#stream(client, task.name, given);
    else if (task.isOwn) await execute(client, "sidelight.task", { ...given, task: task.name });
    else await execute(client, `sidelight.${task.name}`, given);
  }

  /** The light bulb's tasks of the user's own, of which only the list tells what they make. */
  async #ownTask(client: LanguageClient, { task: name, ...place }: TaskCommand): Promise<void> {
    try {
      const task = (await listTasks(client, place.uri)).tasks.find((each) => each.name === name);
      if (task) await this.#start(client, task, place);
      else await execute(client, "sidelight.task", { ...place, task: name });
    } catch (error) {
      void vscode.window.showErrorMessage(describeError(error));
    }
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

  /**
   * Stops the latest answer in the view and the latest job of the server; users mean whatever is running. A job that waits
   * for a preview ends with it: the server alone could not close that.
   */
  async #stop(): Promise<void> {
    this.runs.stop();
    if (await this.edits.discardPreview()) return;
    const client = this.server.client;
    if (client) await execute(client, "sidelight.stop");
  }
}

async function askRefinement(): Promise<{ instruction: string } | undefined> {
  const prompt = vscode.l10n.t("What should be different?");
  const instruction = (await vscode.window.showInputBox({ title: "Sidelight", prompt }))?.trim();
  return instruction ? { instruction } : undefined;
}

/** The folder of the repository whose button was pressed. */
function rootOf(given: unknown): vscode.Uri | undefined {
  return (given as Partial<vscode.SourceControl> | undefined)?.rootUri;
}
