/** Runs explain and ask: sends `sidelight/run`, hands what arrives to the view, and can stop it. */
import * as vscode from "vscode";
import { ErrorCodes, type LanguageClient, LSPErrorCodes, ResponseError } from "vscode-languageclient/node";
import type { AnswersView } from "./answers";
import { type Failure, type Finish, type PartialAnswer, partials, run, type RunParams, type RunResult } from "./protocol";

type End = { finish: Finish | "failed"; message?: string; hint?: string };

export class Runs implements vscode.Disposable {
  readonly #running = new Map<number, vscode.CancellationTokenSource>();
  #latest = 0;

  constructor(private readonly view: AnswersView) {
    view.onStop((id) => {
      this.stop(id);
    });
  }

  async start(client: LanguageClient, params: RunParams): Promise<void> {
    const id = ++this.#latest;
    const cancellation = new vscode.CancellationTokenSource();
    this.#running.set(id, cancellation);
    this.view.post({ kind: "begin", run: id, ...headline(params) });
    const partialResultToken = `sidelight-run-${id}`;
    const listening = client.onProgress(partials, partialResultToken, (partial) => {
      this.#show(id, partial);
    });
    try {
      void this.view.reveal();
      const result = await client.sendRequest(run, { ...params, partialResultToken }, cancellation.token);
      this.view.post({ kind: "end", run: id, ...endOf(result) });
    } catch (error) {
      this.view.post({ kind: "end", run: id, ...endOfFailure(error) });
    } finally {
      listening.dispose();
      this.#running.delete(id);
      cancellation.dispose();
    }
  }

  /** Stops one run, or the latest. */
  stop(id = Math.max(...this.#running.keys())): void {
    this.#running.get(id)?.cancel();
  }

  dispose(): void {
    for (const cancellation of this.#running.values()) cancellation.cancel();
  }

  #show(id: number, partial: PartialAnswer): void {
    // A newer server may send more kinds; the view gets those that it knows.
    switch (partial.kind) {
      case "sources":
        this.view.post({ kind: "sources", run: id, sources: partial.sources });
        break;
      case "text":
      case "replace":
      case "reasoning":
      case "status":
        this.view.post({ kind: partial.kind, run: id, text: partial.text });
    }
  }
}

function headline({ task, uri, range, instruction }: RunParams): { title: string; question?: string } {
  const name = task === "ask" ? vscode.l10n.t("Ask") : vscode.l10n.t("Explain");
  const file = uri && vscode.Uri.parse(uri).path.split("/").pop();
  const place = file && range ? `${file}:${range.start.line + 1}` : file;
  return { title: place ? `${name} · ${place}` : name, ...(instruction ? { question: instruction } : {}) };
}

function endOf({ finish, error, notice, notes = [] }: RunResult): End {
  const said = [ending(finish), error?.message, notice, ...notes].filter(Boolean).join(" ");
  return { finish, ...(said ? { message: said } : {}), ...hintOf(error) };
}

function ending(finish: Finish): string {
  switch (finish) {
    case "complete":
    case "length": // its error says it
      return "";
    case "cut_off":
      return vscode.l10n.t("Cut off.");
    case "refused":
      return vscode.l10n.t("The model refused.");
    case "stopped":
      return vscode.l10n.t("Stopped.");
  }
}

function endOfFailure(error: unknown): End {
  if (!(error instanceof ResponseError)) return { finish: "failed", message: String(error) };
  if (error.code === ErrorCodes.PendingResponseRejected || error.code === ErrorCodes.ConnectionInactive) {
    return { finish: "failed", message: vscode.l10n.t("The Sidelight server stopped.") };
  }
  if (error.code === LSPErrorCodes.RequestCancelled) return { finish: "stopped", message: ending("stopped") };
  return { finish: "failed", message: error.message, ...hintOf(error.data as Failure | undefined) };
}

function hintOf(failure: Pick<Failure, "hint"> | null | undefined): { hint?: string } {
  return failure?.hint ? { hint: failure.hint } : {};
}
