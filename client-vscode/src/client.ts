/**
 * A language client that writes what goes wrong into the log instead of over the editor, and that does not start a
 * server again that never came up. Whoever owns it tells the user once, with the server's last words.
 */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { LogOutputChannel } from "vscode";
import { CloseAction, type ErrorHandler, type Executable, LanguageClient, type LanguageClientOptions, State } from "vscode-languageclient/node";

const MOST_RESTARTS = 4;

export class CalmClient extends LanguageClient {
  constructor(executable: Executable, options: LanguageClientOptions) {
    super("sidelight", "Sidelight", executable, options);
    // Only now is there a client whose state the handler can ask for.
    this.clientOptions.errorHandler = this.#errorHandler();
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  #errorHandler(): ErrorHandler {
    const usual = this.createDefaultErrorHandler(MOST_RESTARTS);
    return {
      error: (...given) => usual.error(...given),
      closed: async () => {
        const isUp = this.state === State.Running;
        const result = isUp ? await usual.closed() : { action: CloseAction.DoNotRestart };
        return { ...result, handled: true };
      },
    };
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
