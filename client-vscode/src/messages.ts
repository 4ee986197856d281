/** What the extension and its view say to each other. Types only: both sides of the wall import them. */
import type { Finish, Sent, Source, Summary } from "./protocol";

/** One question and its answer, as far as it has come. `key` is its name between the two. */
export interface Turn {
  key: number;
  /** Its number in the conversation, where the server has told it. */
  number?: number;
  task: string;
  question: string;
  /** What it is about, for people: `demo.py:8-12`. */
  place: string;
  canOpenPlace: boolean;
  canRetry: boolean;
  text: string;
  reasoning: string;
  /** When the model began to reason, and for how long it did, by the extension's clock. */
  thinkingSince?: number;
  thinkingMs?: number;
  status: string;
  sources: Source[];
  notes: Note[];
  end?: End;
}

/** What is said of an answer beside it; a warning where it may be wrong because of that. */
export interface Note {
  text: string;
  isWarning: boolean;
}

/** `failed` is an answer of which nothing came. */
export interface End {
  finish: Finish | "failed";
  message?: string;
  hint?: string;
  /** Whether another address or key may help. */
  canConnect?: boolean;
}

/** What can be asked about where the user is. `id` changes with the place. */
export interface Offer {
  id: number;
  label: string;
  isSelection: boolean;
}

/** A conversation in the list; `when` is in milliseconds, `folder` there where it is another one than the opened. */
export type Entry = Pick<Summary, "id" | "title" | "turns" | "found"> & { when: number; isRunning: boolean; isShown: boolean; folder?: string };

export type Page = "conversation" | "history";

/** What the model was sent, without the whole text. */
export type SentToShow = Omit<Sent, "text">;

export type ToView =
  | { kind: "words"; words: Words; language: string }
  | { kind: "show"; title: string; turns: Turn[]; now: number }
  | { kind: "turn"; turn: Turn; title: string; now: number }
  | { kind: "text" | "replace" | "reasoning" | "status"; turn: number; text: string }
  | { kind: "sources"; turn: number; sources: Source[] }
  | { kind: "end"; turn: number; end: End; notes: Note[]; thinkingMs?: number }
  | { kind: "sent"; turn: number; sent?: SentToShow; problem?: string }
  | { kind: "offer"; offer?: Offer }
  /** The question in the box was taken. */
  | { kind: "asked" }
  | { kind: "history"; search: string; entries: Entry[]; problem?: string }
  | { kind: "page"; page: Page }
  | { kind: "focus" };

/** Places and sources are named by numbers, so that the view cannot have an address opened that no answer has. */
export type FromView =
  | { kind: "ready" }
  | { kind: "ask"; text: string; offer?: number }
  | { kind: "stop" }
  | { kind: "connect" }
  | { kind: "retry"; turn: number }
  | { kind: "copyAnswer"; turn: number }
  | { kind: "openPlace"; turn: number }
  | { kind: "copy"; turn: number; code: string }
  | { kind: "insert"; turn: number; code: string }
  | { kind: "apply"; turn: number; code: string }
  | { kind: "openSource"; turn: number; source: number }
  /** What was sent is to be told, or shown as a whole. */
  | { kind: "sent" | "openSent"; turn: number }
  | { kind: "page"; page: Page }
  | { kind: "search"; text: string }
  | { kind: "openConversation" | "deleteConversation"; id: string };

/** The view's own words, in the user's language. */
export interface Words {
  conversation: string;
  history: string;
  empty: string;
  placeholder: string;
  question: string;
  tasks: Record<string, string>;
  send: string;
  stop: string;
  include: string;
  openPlace: string;
  jump: string;
  connect: string;
  code: string;
  copy: string;
  copied: string;
  insert: string;
  apply: string;
  copyAnswer: string;
  retry: string;
  reasoning: string;
  reasoningFor: string;
  reasonedFor: string;
  sources: string;
  excerpt: string;
  note: string;
  warning: string;
  sent: string;
  sentTo: string;
  sentNowhere: string;
  sentText: string;
  tokens: string;
  where: Record<string, string>;
  working: string;
  answering: string;
  answered: string;
  back: string;
  search: string;
  nothingFound: string;
  nothingYet: string;
  running: string;
  remove: string;
  oneQuestion: string;
  questions: string;
  today: string;
  yesterday: string;
  thisWeek: string;
  older: string;
}
