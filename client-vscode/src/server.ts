/** The server's life: started, stopped, started anew. At most one at a time; starts and stops wait for each other. */
import * as vscode from "vscode";
import { type LanguageClientOptions, type Middleware, RevealOutputChannelOn, State } from "vscode-languageclient/node";
import { CalmClient, LastWords } from "./client";
import { findLaunch, reportNoPython } from "./launch";
import { didChangeTrust, status, type Status } from "./protocol";
import { configuration, serverSettings } from "./settings";

export type ServerState = { kind: "starting" | "stopped" } | { kind: "said"; status: Status };

const LAST_WORDS_MS = 300;

export class Server implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<ServerState>();
  readonly onDidChange = this.#changed.event;
  #client: CalmClient | undefined;
  #queue: Promise<void> = Promise.resolve();
  readonly #middleware: Middleware = { workspace: { configuration } };

  constructor(
    private readonly extensionPath: string,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Lets somebody else run commands of the server in their own way. Counts from the next start on. */
  set onCommand(executeCommand: NonNullable<Middleware["executeCommand"]>) {
    this.#middleware.executeCommand = executeCommand;
  }

  /** The running client; undefined while there is none. */
  get client(): CalmClient | undefined {
    return this.#client?.state === State.Running ? this.#client : undefined;
  }

  restart(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#stop();
      await this.#start();
    });
  }

  stop(): Promise<void> {
    return this.#enqueue(() => this.#stop());
  }

  async trustGranted(): Promise<void> {
    // Where no Python was found, one inside the folder may do now.
    if (this.client) await this.client.sendNotification(didChangeTrust, { trusted: true });
    else await this.restart();
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work, work);
    return this.#queue;
  }

  async #start(): Promise<void> {
    this.#changed.fire({ kind: "starting" });
    const launch = await findLaunch(this.extensionPath, this.log);
    if ("tried" in launch) {
      this.#changed.fire({ kind: "stopped" });
      void reportNoPython(launch.tried, this.log);
      return;
    }
    const lastWords = new LastWords();
    const client = new CalmClient(launch.executable, this.#options(lastWords));
    this.#client = client;
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Starting) this.#changed.fire({ kind: "starting" });
      if (newState === State.Stopped || newState === State.StartFailed) this.#hasStopped(client, lastWords);
    });
    client.onNotification(status, (said) => {
      this.#changed.fire({ kind: "said", status: said });
    });
    // Not awaited, so that a server which hangs while it starts can still be stopped. The change of state tells the user.
    client.start().catch((error: unknown) => {
      this.log.error(String(error));
    });
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      // A server that never came up, or that does not go down in time, is gone all the same.
      this.log.warn(String(error));
    }
  }

  #hasStopped(client: CalmClient, lastWords: LastWords): void {
    this.#changed.fire({ kind: "stopped" });
    if (this.#client !== client) return;
    // What a dying process wrote last can arrive after the news of its end.
    setTimeout(() => void this.sayNotRunning(lastWords.toString()), LAST_WORDS_MS);
  }

  async sayNotRunning(why = ""): Promise<void> {
    const message = [vscode.l10n.t("The Sidelight server is not running."), why].filter(Boolean).join(" ");
    const start = vscode.l10n.t("Start");
    const showLog = vscode.l10n.t("Show Log");
    const choice = await vscode.window.showErrorMessage(message, start, showLog);
    if (choice === start) await this.restart();
    if (choice === showLog) this.log.show();
  }

  #options(lastWords: LastWords): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }, { scheme: "sidelight" }],
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
