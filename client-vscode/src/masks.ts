/**
 * Keeps keys out of the log, whatever is written into it: with the trace of the protocol turned on, that is every message
 * between client and server, that of Connect with its key too. Knows VS Code by its types only.
 */
import { format } from "node:util";
import type { LogOutputChannel } from "vscode";

const MASK = "***";
// As in the server's log; a shorter one would mask half of every line.
const SHORTEST = 6;
/** What messages have under a name for secrets: a key of any length, and the headers of the settings. */
const NAMED = /("(?:key|headers)":\s*)(?:"[^"\\]*(?:\\.[^"\\]*)*"|\{[^"{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"{}]*)*\})/g;

export class Masks {
  /** As they are and as they stand in JSON, also in JSON that is quoted in JSON; longest first, so that no part stays. */
  #secrets: string[] = [];

  /** From now on none of these is written. */
  add(...secrets: string[]): void {
    const long = secrets.filter(({ length }) => length >= SHORTEST);
    const forms = long.flatMap((secret) => [secret, quoted(secret), quoted(quoted(secret))]);
    this.#secrets = [...new Set([...this.#secrets, ...forms])].sort((one, other) => other.length - one.length);
  }

  masked(text: string): string {
    const named = text.replace(NAMED, `$1"${MASK}"`);
    return this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), named);
  }

  /** Returns a log that masks all that goes into this one. */
  over(log: LogOutputChannel): LogOutputChannel {
    const line = (...said: unknown[]) => this.masked(format(...said));
    return {
      get name() { return log.name; },
      get logLevel() { return log.logLevel; },
      onDidChangeLogLevel: log.onDidChangeLogLevel,
      trace: (...said) => { log.trace(line(...said)); },
      debug: (...said) => { log.debug(line(...said)); },
      info: (...said) => { log.info(line(...said)); },
      warn: (...said) => { log.warn(line(...said)); },
      error: (...said) => { log.error(line(...said)); },
      append: (text) => { log.append(this.masked(text)); },
      appendLine: (text) => { log.appendLine(this.masked(text)); },
      replace: (text) => { log.replace(this.masked(text)); },
      clear: () => { log.clear(); },
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- one of its two forms is; whoever calls it is checked
      show: (keepsFocus?: unknown) => { log.show(keepsFocus === true); },
      hide: () => { log.hide(); },
      dispose: () => { log.dispose(); },
    };
  }
}

/** Returns the text as it stands between the quotes of a JSON string. */
function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
