/**
 * The messages of our own between client and server, as `server/sidelight/lsp/PROTOCOL.md` tells them.
 * Positions and ranges are LSP's.
 */
import type { Diagnostic, Range } from "vscode-languageclient/node";
import { NotificationType, ProgressType, RequestType } from "vscode-languageclient/node";

export type Task = "explain" | "fix" | "generate" | "ask";

/** The one argument of a command. */
export interface TaskArguments {
  uri?: string;
  range?: Range;
  instruction?: string;
  diagnostics?: Diagnostic[];
  conversation?: string;
  workspace?: string;
}

export interface RunParams extends TaskArguments {
  task: Task;
  partialResultToken?: string;
}

export interface Source {
  title: string;
  uri?: string;
  text?: string;
}

/** What went wrong (`message`) and what to do about it (`hint`), in the user's language. */
export interface Failure {
  kind?: string;
  message: string;
  hint?: string;
}

export type Finish = "complete" | "length" | "cut_off" | "refused" | "stopped";

export interface RunResult {
  conversation: string;
  turn: number;
  text?: string;
  sources?: Source[];
  finish: Finish;
  /** What the model was not shown, because it did not fit. */
  notes?: string[];
  error?: Failure;
  notice?: string;
}

export type PartialAnswer =
  | { kind: "text" | "replace" | "reasoning" | "status"; text: string }
  | { kind: "sources"; sources: Source[] };

export interface Status {
  state: "ready" | "busy" | "warning" | "error" | "inactive";
  message: string;
  provider: string;
  /** Why it is this provider that answers. */
  why?: string;
  model: string;
}

export const run = new RequestType<RunParams, RunResult, { kind?: string; hint?: string }>("sidelight/run");
export const partials = new ProgressType<PartialAnswer>();
export const status = new NotificationType<Status>("sidelight/status");
export const didChangeTrust = new NotificationType<{ trusted: boolean }>("sidelight/didChangeTrust");
