/** What the extension and its view say to each other. Types only: both sides of the wall import them. */
import type { Finish, Source } from "./protocol";

export type ToView =
  | { kind: "words"; words: Words }
  | { kind: "clear" }
  | { kind: "forget"; run: number }
  | { kind: "begin"; run: number; title: string; question?: string }
  | { kind: "text" | "replace" | "reasoning" | "status"; run: number; text: string }
  | { kind: "sources"; run: number; sources: Source[] }
  | { kind: "end"; run: number; finish: Finish | "failed"; message?: string; hint?: string };

/** A source is named by its number, so that the view cannot have an address opened that no source has. */
export type FromView =
  | { kind: "ready" }
  | { kind: "stop"; run: number }
  | { kind: "open"; run: number; source: number };

/** The view's own words, in the user's language. */
export interface Words {
  empty: string;
  stop: string;
  copy: string;
  copied: string;
  reasoning: string;
  sources: string;
  working: string;
}
