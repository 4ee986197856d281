/** The server's life: started, stopped, started anew. At most one at a time; starts and stops wait for each other. */
import { isDeepStrictEqual } from "node:util";
import * as vscode from "vscode";
import { type Executable, type LanguageClientOptions, type Middleware, RevealOutputChannelOn, State } from "vscode-languageclient/node";
import { CalmClient, LastWords } from "./client";
import { plain } from "./plain";
import type { Keys } from "./keys";
import { findLaunch, reportNoPython } from "./launch";
import { SCHEMES } from "./place";
import { didChangeTrust, status, type Status } from "./protocol";
import { restoreText } from "./restore";
import { configuration, serverSettings } from "./settings";

/** `lost` is a server that ended by itself. */
export type ServerState =
  | { kind: "starting" | "stopped" }
  | { kind: "lost"; again: boolean }
  | { kind: "said"; status: Status };

const LAST_WORDS_MS = 300;
const START_MS = 30_000;

export class Server implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<ServerState>();
  readonly onDidChange = this.#changed.event;
  #client: CalmClient | undefined;
  #queue: Promise<void> = Promise.resolve();
  #nextRestart: Promise<void> | undefined;
  #environment: Record<string, string> = {};
  #hasOldKeys = false;
  #isBusy = false;
  #isComing = false;
  readonly #middleware: Middleware & { workspace: object } = { workspace: { configuration } };

  constructor(
    private readonly extensionPath: string,
    private readonly storagePath: string,
    private readonly keys: Keys,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Lets others take part in what server and VS Code say to each other. Counts from the next start on. */
  use({ workspace, ...more }: Middleware): void {
    Object.assign(this.#middleware, more);
    Object.assign(this.#middleware.workspace, workspace);
  }

  /** The running client; undefined while there is none. */
  get client(): CalmClient | undefined {
    return this.#client?.isUp ? this.#client : undefined;
  }

  /** Starts the server anew; one restart that has not begun yet is enough for all who want one. */
  restart(): Promise<void> {
    return (this.#nextRestart ??= this.#enqueue(async () => {
      this.#nextRestart = undefined;
      this.#tell({ kind: "starting" });
      await this.#stop();
      await this.#startOrSay();
    }));
  }

  stop(): Promise<void> {
    return this.#enqueue(() => this.#stop());
  }

  async trustGranted(): Promise<void> {
    // Where no Python was found, one inside the folder may do now.
    if (this.client) await this.client.sendNotification(didChangeTrust, { trusted: true });
    else await this.restart();
  }

  /** Gives the server the keys as they are now: starts it anew where they have changed, once it has nothing to do. */
  async refreshKeys(): Promise<void> {
    try {
      this.#hasOldKeys = !isDeepStrictEqual(await this.keys.environment(), this.#environment);
    } catch (error) {
      this.log.error(`The kept keys cannot be read: ${String(error)}`);
    }
    if (this.#hasOldKeys && !this.#isBusy) await this.restart();
  }

  /** Does something with the running server, waiting for one that is just being started; or says that there is none. */
  async withClient(work: (client: CalmClient) => Promise<unknown>): Promise<void> {
    if (this.#isComing) await this.#awaitStart();
    const { client } = this;
    if (client) await work(client);
    else await this.sayNotRunning();
  }

  /** Says that the server has ended by itself and comes back. */
  sayLost(): void {
    void vscode.window.showWarningMessage(vscode.l10n.t("The Sidelight server ended unexpectedly and is started again."));
  }

  /** Says that edits were being written when the server ended, for whatever reason. */
  async sayCutOff([first, ...more]: vscode.Uri[]): Promise<void> {
    if (!first) return;
    const names = [first, ...more].map((uri) => uri.path.split("/").pop() ?? "").join(", ");
    const message = vscode.l10n.t("The Sidelight server ended while it wrote in {0}. What it wrote stands, in part; undo takes it back.", plain(names));
    const restore = vscode.l10n.t("Restore the Earlier Text…");
    if (await vscode.window.showWarningMessage(message, restore) !== restore) return;
    await this.withClient((client) => restoreText(client, client.code2ProtocolConverter.asUri(first)));
  }

  dispose(): void {
    this.#changed.dispose();
  }

  /** Waits until it is known what has become of a start; shows that it waits, and not for ever. */
  async #awaitStart(): Promise<void> {
    const title = vscode.l10n.t("Waiting for the Sidelight server");
    await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () => new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, START_MS);
      const listening = this.onDidChange(() => {
        if (this.#isComing) return;
        clearTimeout(limit);
        listening.dispose();
        resolve();
      });
    }));
  }

  #tell(state: ServerState): void {
    // One that has started is not of use before it has said who answers.
    this.#isComing = state.kind === "starting" || (state.kind === "lost" && state.again);
    this.#changed.fire(state);
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work, work);
    return this.#queue;
  }

  async #startOrSay(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.log.error(String(error));
      this.#tell({ kind: "stopped" });
      void this.sayNotRunning(String(error));
    }
  }

  async #start(): Promise<void> {
    this.#hasOldKeys = this.#isBusy = false;
    const launch = await findLaunch(this.extensionPath, this.storagePath, this.log);
    if ("tried" in launch) {
      this.#tell({ kind: "stopped" });
      void reportNoPython(launch.tried, this.log);
      return;
    }
    const lastWords = new LastWords();
    const client = new CalmClient(await this.#withKeys(launch.executable), this.#options(lastWords), (again) => {
      if (this.#client === client) this.#tell({ kind: "lost", again });
    });
    this.#client = client;
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Starting && this.#client === client) this.#tell({ kind: "starting" });
      if (newState === State.Stopped || newState === State.StartFailed) this.#hasStopped(client, lastWords);
    });
    client.onNotification(status, (said) => {
      if (this.#client !== client) return;
      this.#tell({ kind: "said", status: said });
      this.#isBusy = said.state === "busy";
      if (this.#hasOldKeys && !this.#isBusy) void this.restart();
    });
    // Not awaited, so that a server which hangs while it starts can still be stopped. The change of state tells the user.
    client.start().catch((error: unknown) => {
      this.log.error(String(error));
    });
  }

  async #withKeys(executable: Executable): Promise<Executable> {
    this.#environment = await this.keys.environment();
    return { ...executable, options: { ...executable.options, env: { ...process.env, ...this.#environment } } };
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    try {
      await client?.leave();
    } catch (error) {
      // A server that never came up, or that does not go down in time, is gone all the same.
      this.log.warn(String(error));
    }
  }

  #hasStopped(client: CalmClient, lastWords: LastWords): void {
    // One that was told to leave, or that comes back, is nothing to speak of.
    if (client.isComingBack || this.#client !== client) return;
    this.#tell({ kind: "stopped" });
    // What a dying process wrote last can arrive after the news of its end.
    setTimeout(() => void this.sayNotRunning(lastWords.toString()), LAST_WORDS_MS);
  }

  async sayNotRunning(why = ""): Promise<void> {
    const message = [vscode.l10n.t("The Sidelight server is not running."), plain(why)].filter(Boolean).join(" ");
    const start = vscode.l10n.t("Start");
    const showLog = vscode.l10n.t("Show Log");
    const choice = await vscode.window.showErrorMessage(message, start, showLog);
    if (choice === start) await this.restart();
    if (choice === showLog) this.log.show();
  }

  #options(lastWords: LastWords): LanguageClientOptions {
    return {
      documentSelector: SCHEMES.map((scheme) => ({ scheme })),
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      stdioOptions: {
        stdout: lastWords.listen,
        // The server's log goes to stderr whatever its level; the default would show every line as an error.
        stderr: lastWords.listen,
      },
      initializationFailedHandler: () => false,
      initializationOptions: () => ({ trusted: vscode.workspace.isTrusted, settings: serverSettings() }),
      middleware: this.#middleware,
    };
  }
}
