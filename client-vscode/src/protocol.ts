/**
 * The messages of our own between client and server, as `server/sidelight/lsp/PROTOCOL.md` tells them.
 * Positions and ranges are LSP's.
 */
import type { Diagnostic, Range } from "vscode-languageclient/node";
import { NotificationType, ProgressType, RequestType } from "vscode-languageclient/node";

export type Task = "explain" | "fix" | "generate" | "ask" | "document" | "test" | "review" | "commit";

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
  /** One of `Task`, or the name of a task of the user's own. */
  task: string;
  /** The range stands on a name: its definition is meant. */
  symbol?: boolean;
  partialResultToken?: string;
}

export interface Source {
  title: string;
  uri?: string;
  text?: string;
  /** That of its document, from 1: several passages of one document share it. */
  number?: number;
  /** The local file that the document is, as a URI, where one was found at once; `source` tells of it later, too. */
  file?: string;
}

export interface SourceParams {
  conversation: string;
  turn: number;
  number: number;
}

/** Where a source is to be read: a place in a local file, or else its text. */
export interface SourcePlace {
  title: string;
  uri?: string;
  range?: Range;
  text: string;
  /** What the user should know of the place, such as that the file has not the cited text any more. */
  notice?: string;
}

/** One part of what a model was sent; `where` is `orders`, `message`, `attachment`, `earlier` or `search`. */
export interface SentPart {
  kind: string;
  name: string;
  why: string;
  tokens: number;
  where: string;
}

/** What the model was sent for a turn; `sentTo` is a host and port, empty where nothing left the server. */
export interface Sent {
  provider: string;
  model: string;
  sentTo: string;
  /** Null where nobody counted. */
  tokens: number | null;
  parts: SentPart[];
  text: string;
}

export interface TaskInfo {
  name: string;
  title: string;
  description: string;
  edits: boolean;
  needsInstruction: boolean;
  isOwn: boolean;
  /** The languages that it is for, as LSP names them; none: all. */
  languages: string[];
}

/** What is wrong with a file of a task; lines count from 1. */
export interface TaskProblem {
  file: string;
  line: number;
  message: string;
}

export interface TaskList {
  tasks: TaskInfo[];
  problems: TaskProblem[];
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
  notes?: string[];
  /** Those of the notes because of which the answer may be wrong. */
  warnings?: string[];
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

/** A conversation without its turns, for lists. Times are ISO 8601. */
export interface Summary {
  id: string;
  title: string;
  folder: string;
  beganAt: string;
  changedAt: string;
  turns: number;
  /** The piece of text that a search met. */
  found?: string;
}

/** A turn as the server keeps it; `finish` is empty where the answer did not end, or not yet. */
export interface StoredTurn {
  number: number;
  task: string;
  instruction: string;
  place: string;
  answer: string;
  reasoning?: string;
  sources: Source[];
  notes: string[];
  warnings?: string[];
  finish: Finish | "";
  error?: string;
}

export type StoredConversation = Omit<Summary, "turns"> & { turns: StoredTurn[] };

export interface ConversationList {
  conversations: Summary[];
  problem?: Failure;
}

export interface ListParams {
  search?: string;
  folder?: string;
  limit?: number;
}

export const run = new RequestType<RunParams, RunResult, { kind?: string; hint?: string }>("sidelight/run");
export const partials = new ProgressType<PartialAnswer>();
export const status = new NotificationType<Status>("sidelight/status");
export const didChangeTrust = new NotificationType<{ trusted: boolean }>("sidelight/didChangeTrust");

/** A model, or a workspace of AnythingLLM; `address` where its server was found and not configured. */
export interface Model {
  provider: string;
  id: string;
  name: string;
  detail: string;
  abilities: string[];
  contextTokens?: number;
  address?: string;
  isCurrent: boolean;
}

export interface Unreachable {
  provider: string;
  message: string;
  hint?: string;
}

export interface ModelChoice {
  provider?: string;
  model?: string;
  address?: string;
}

/** What was looked at, and what was found wrong with it. */
export interface Check {
  state: "ok" | "failed" | "note";
  message: string;
  hint?: string;
  details?: string[];
}

export interface ConnectParams {
  provider: string;
  address?: string;
  key?: string;
  model?: string;
}

export interface ConnectResult {
  isConnected: boolean;
  checks: Check[];
  models: Model[];
}

export interface DoctorResult {
  state: "ok" | "warning" | "failed";
  summary: string;
  checks: Check[];
}

export const models = new RequestType<object, { models: Model[]; unreachable: Unreachable[] }, Failure>("sidelight/models");
export const chooseModel = new RequestType<ModelChoice, { provider: string; model: string; why: string }, Failure>("sidelight/chooseModel");
export const connect = new RequestType<ConnectParams, ConnectResult, Failure>("sidelight/connect");
export const doctor = new RequestType<{ remote?: string; asks?: boolean }, DoctorResult, Failure>("sidelight/doctor");
export const conversations = new RequestType<ListParams, ConversationList, Failure>("sidelight/conversations");
export const conversation = new RequestType<{ id: string }, StoredConversation, Failure>("sidelight/conversation");
export const renameConversation = new RequestType<{ id: string; title: string }, { renamed: boolean }, Failure>("sidelight/renameConversation");
export const deleteConversation = new RequestType<{ id: string }, { deleted: boolean }, Failure>("sidelight/deleteConversation");
export const clearConversations = new RequestType<{ folder?: string }, { deleted: number }, Failure>("sidelight/clearConversations");
export const exportConversation = new RequestType<{ id: string; format: "markdown" | "json" }, { text: string }, Failure>("sidelight/exportConversation");

/** A text from before an edit; `changedLines` is null where the edit has not ended, and may be under way still. */
export interface RestorePoint {
  id: number;
  uri: string;
  name: string;
  task: string;
  madeAt: string;
  changedLines: number | null;
  isRunning: boolean;
}

export const history = new RequestType<{ uri?: string }, { points: RestorePoint[] }, Failure>("sidelight/history");
export const tasks = new RequestType<{ uri?: string }, TaskList, Failure>("sidelight/tasks");
export const sent = new RequestType<{ conversation: string; turn: number }, Sent, Failure>("sidelight/sent");
export const source = new RequestType<SourceParams, SourcePlace, Failure>("sidelight/source");
