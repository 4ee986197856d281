/** How an answer ended, in the user's words. */
import * as vscode from "vscode";
import { ErrorCodes, LSPErrorCodes, ResponseError } from "vscode-languageclient/node";
import type { End } from "./messages";
import type { Failure, Finish, RunResult, StoredTurn } from "./protocol";

const CONNECTION_KINDS = ["auth", "network", "not_found"];

export function endOf({ finish, error, notice }: RunResult): End {
  return { finish, ...saying(sentence(finish), error?.message, notice), ...adviceOf(error) };
}

export function endOfFailure(error: unknown): End {
  if (!(error instanceof ResponseError)) return { finish: "failed", message: error instanceof Error ? error.message : String(error) };
  if (error.code === ErrorCodes.PendingResponseRejected || error.code === ErrorCodes.ConnectionInactive) return serverStopped();
  if (error.code === LSPErrorCodes.RequestCancelled) return { finish: "stopped", ...saying(sentence("stopped")) };
  return { finish: "failed", message: error.message, ...adviceOf(error.data as Failure | undefined) };
}

export function serverStopped(): End {
  return { finish: "cut_off", message: vscode.l10n.t("The Sidelight server stopped.") };
}

export function endOfStored({ finish, error, answer }: StoredTurn): End {
  if (finish === "") return { finish: "cut_off", ...saying(vscode.l10n.t("This answer did not come to its end.")) };
  if (finish === "cut_off" && error && !answer) return { finish: "failed", message: error };
  return { finish, ...saying(sentence(finish), error) };
}

function saying(...sentences: (string | undefined)[]): { message?: string } {
  const message = sentences.filter(Boolean).join(" ");
  return message ? { message } : {};
}

function sentence(finish: Finish): string {
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

/** What to do about a failure: what the server advises, and whether connecting anew may help. */
function adviceOf(failure: Partial<Failure> | null | undefined): { hint?: string; canConnect?: boolean } {
  const canConnect = CONNECTION_KINDS.includes(failure?.kind ?? "");
  return { ...(failure?.hint ? { hint: failure.hint } : {}), ...(canConnect ? { canConnect } : {}) };
}
