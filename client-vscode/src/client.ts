/**
 * A language client that writes what goes wrong into the log instead of over the editor, and that does not start a
 * server again that never came up. One that ends later is started again, each time after a longer wait.
 * Whoever owns it tells the user.
 */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { LogOutputChannel } from "vscode";
import { CloseAction, type CloseHandlerResult, ErrorAction, type Executable, LanguageClient, type LanguageClientOptions, State } from "vscode-languageclient/node";
import { BackOff } from "./backoff";

export class CalmClient extends LanguageClient {
  readonly #backOff = new BackOff();
  #isLost = false;
  #isComingBack = false;

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

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  async #closed(): Promise<CloseHandlerResult> {
    const wasUp = this.state === State.Running;
    const wait = wasUp ? this.#backOff.next() : undefined;
    this.#isLost = true;
    this.#isComingBack = wait !== undefined;
    if (wasUp) this.lost(wait !== undefined);
    if (wait !== undefined) {
      await pause(wait);
      // Stopped or disposed of meanwhile: then nobody wants it any more.
      this.#isComingBack = this.state === State.Running;
    }
    return { action: this.#isComingBack ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
  }
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
