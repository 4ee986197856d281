/**
 * A language client that writes what goes wrong into the log instead of over the editor, and that does not start a
 * server again that never came up. One that ends later is started again, each time after a longer wait.
 * Whoever owns it tells the user.
 */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { LogOutputChannel } from "vscode";
import {
  CloseAction, type CloseHandlerResult, ErrorAction, type Executable, LanguageClient, type LanguageClientOptions, type Message,
  type MessageTransports, ShowMessageNotification, ShowMessageRequest, State,
} from "vscode-languageclient/node";
import { BackOff } from "./backoff";
import { plain } from "./plain";

// What a server that is killed while it starts takes to be gone; then it is no longer waited for.
const GONE_MS = 3_000;

export class CalmClient extends LanguageClient {
  readonly #backOff = new BackOff();
  #isLost = false;
  #isComingBack = false;
  #isUnwanted = false;
  #started: Promise<void> = Promise.resolve();

  /** `lost` is called when the server has ended by itself; `again` tells whether it is going to be started again. */
  constructor(executable: Executable, options: LanguageClientOptions, private readonly lost: (again: boolean) => void) {
    super("sidelight", "Sidelight", executable, options);
    // Only now is there a client whose state the handler can ask for.
    this.clientOptions.errorHandler = {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => this.#closed(),
    };
    this.onDidChangeState(({ newState }) => {
      if (newState === State.Starting) this.#isLost = this.#isComingBack = false;
    });
  }

  /** Whether requests can be sent. While a lost server is waited for, the client itself still says that it is running. */
  get isUp(): boolean {
    return this.state === State.Running && !this.#isLost;
  }

  /** Whether a server that was lost is going to be started again. On the way the client says that it has stopped. */
  get isComingBack(): boolean {
    return this.#isComingBack;
  }

  override start(): Promise<void> {
    const started = super.start();
    this.#started = started.catch(() => undefined);
    return started;
  }

  /** Ends the server for good; also one that is only starting, which the language client itself cannot. */
  async leave(): Promise<void> {
    this.#isUnwanted = true;
    if (this.state === State.Starting) {
      this.serverProcess?.kill();
      await Promise.race([this.#started, pause(GONE_MS)]);
    }
    await this.dispose();
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  protected override async createMessageTransports(encoding: string): Promise<MessageTransports> {
    const transports = await super.createMessageTransports(encoding);
    if (this.#isUnwanted) {
      this.serverProcess?.kill();
      throw new Error("Nobody wants this server any more.");
    }
    const { reader } = transports;
    const listen = reader.listen.bind(reader);
    reader.listen = (callback) => listen((message) => { callback(disarmed(message)); });
    return transports;
  }

  async #closed(): Promise<CloseHandlerResult> {
    const wasUp = this.state === State.Running && !this.#isUnwanted;
    const wait = wasUp ? this.#backOff.next() : undefined;
    this.#isLost = true;
    this.#isComingBack = wait !== undefined;
    if (wasUp) this.lost(wait !== undefined);
    if (wait !== undefined) {
      await pause(wait);
      // Stopped or disposed of meanwhile: then nobody wants it any more.
      this.#isComingBack = this.state === State.Running && !this.#isUnwanted;
    }
    return { action: this.#isComingBack ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
  }
}

/** A message of the server quotes models and files, and VS Code makes links of commands in it. */
function disarmed(message: Message): Message {
  const { method, params } = message as { method?: string; params?: { message?: unknown } };
  if (method !== ShowMessageNotification.method && method !== ShowMessageRequest.method) return message;
  if (typeof params?.message !== "string") return message;
  return { ...message, params: { ...params, message: plain(params.message) } } as Message;
}

/** Keeps the last lines that the server wrote besides its messages; they tell why it ended. */
export class LastWords {
  readonly #lines: string[] = [];

  readonly listen = (input: Readable, log: LogOutputChannel): void => {
    createInterface({ input }).on("line", (line) => {
      log.info(line);
      if (line.trim()) this.#lines.push(line.trim());
      if (this.#lines.length > 3) this.#lines.shift();
    });
  };

  toString(): string {
    return this.#lines.join(" ");
  }
}
