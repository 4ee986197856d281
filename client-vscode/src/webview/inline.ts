/**
 * Shows the text of one line while it arrives: `code`, **bold**, *italics*, ~~struck~~, and links as text with their
 * address. A mark that has no partner within the next characters stands for itself.
 *
 * What cannot change any more becomes nodes; the rest, which is short, is shown as it came and looked at again with the
 * next piece. So the outcome does not depend on how the text was cut, and a piece costs no more late than early.
 */
import { make } from "./elements";

// A partner further away than this is none; so the text that has to be looked at again stays short.
const FARTHEST = 500;
const DEEPEST = 3;
const MARK = /[`*_~[!\\]/g;
const ESCAPED = /[\\`*_~[\](){}#+\-.!|<>]/;
const WORD = /[\p{L}\p{N}_]/u;
const NARROW_WORD = /\w/;

type Piece = string | HTMLElement;
/** `wait`: more text decides; `undefined`: no mark. */
type Found = { end: number; pieces: Piece[] } | "wait" | undefined;

interface Source {
  text: string;
  isEnd: boolean;
  /** What stands before the text, for marks that must not stand inside a word. */
  before: string;
  depth: number;
}

export class Inline {
  readonly #tail = document.createTextNode("");
  #pending = "";
  #before = "";

  constructor(private readonly root: HTMLElement) {
    root.append(this.#tail);
  }

  feed(piece: string): void {
    this.#pending += piece;
    this.#settle(false);
  }

  finish(): void {
    this.#settle(true);
    this.#tail.remove();
    this.root.normalize();
  }

  #settle(isEnd: boolean): void {
    const { pieces, end } = read({ text: this.#pending, isEnd, before: this.#before, depth: 0 });
    if (end) {
      for (const piece of pieces) this.#tail.before(piece);
      this.#before = this.#pending.charAt(end - 1);
      this.#pending = this.#pending.slice(end);
    }
    this.#tail.data = this.#pending;
  }
}

/** Shows a text that is complete. */
export function showInline(root: HTMLElement, text: string): void {
  for (const piece of read({ text, isEnd: true, before: "", depth: 0 }).pieces) root.append(piece);
}

function read(source: Source): { pieces: Piece[]; end: number } {
  const { text } = source;
  const pieces: Piece[] = [];
  let shown = 0;
  for (let at = nextMark(text, 0); at < text.length; at = nextMark(text, at)) {
    const found = readMark(source, at);
    if (found === "wait") {
      pieces.push(text.slice(shown, at));
      return { pieces, end: at };
    }
    if (!found) {
      at += runLength(text, at);
      continue;
    }
    pieces.push(text.slice(shown, at), ...found.pieces);
    at = shown = found.end;
  }
  pieces.push(text.slice(shown));
  return { pieces, end: text.length };
}

function nextMark(text: string, from: number): number {
  MARK.lastIndex = from;
  return MARK.exec(text)?.index ?? text.length;
}

function readMark(source: Source, at: number): Found {
  const { text, isEnd } = source;
  const mark = text.charAt(at);
  const next = text.charAt(at + runLength(text, at));
  if (!next && !isEnd) return "wait";
  switch (mark) {
    case "`":
      return readCode(source, at);
    case "\\":
      return readEscape(text, at);
    case "[":
      return readLink(source, at, at);
    case "!":
      return next === "[" ? readLink(source, at, at + 1) : undefined;
    default:
      return readEmphasis(source, at);
  }
}

function readEscape(text: string, at: number): Found {
  const escaped = text.charAt(at + 1);
  return ESCAPED.test(escaped) ? { end: at + 2, pieces: [escaped] } : undefined;
}

function readCode(source: Source, at: number): Found {
  const length = runLength(source.text, at);
  const close = findCode(source, at);
  if (typeof close !== "number") return close;
  const code = source.text.slice(at + length, close);
  // A space on both sides is there to keep backticks apart.
  const bare = /^ .*[^ ].* $/.test(code) ? code.slice(1, -1) : code;
  return { end: close + length, pieces: [make("code", "", bare)] };
}

/** Returns where the run of backticks begins that closes the one at `at`. */
function findCode({ text, isEnd }: Source, at: number): number | "wait" | undefined {
  const length = runLength(text, at);
  for (let close = near(text, "`", at + length); close !== -1 && close - at <= FARTHEST; ) {
    const run = runLength(text, close);
    if (close + run === text.length && !isEnd) return "wait";
    if (run === length) return close;
    close = near(text, "`", close + run);
  }
  return !isEnd && text.length - at <= FARTHEST ? "wait" : undefined;
}

function readEmphasis(source: Source, at: number): Found {
  const { text, before, depth } = source;
  const mark = text.charAt(at);
  const length = runLength(text, at);
  const tags = TAGS[`${mark}${length}`];
  const previous = at ? text.charAt(at - 1) : before;
  const isInside = mark === "_" ? WORD.test(previous) : length === 1 && NARROW_WORD.test(previous);
  if (!tags || isInside || !/\S/.test(text.charAt(at + length)) || depth >= DEEPEST) return undefined;
  const close = findClose(source, at, mark, length);
  if (typeof close !== "number") return close;
  const content = read({ text: text.slice(at + length, close), isEnd: true, before: mark, depth: depth + 1 });
  const pieces = tags.reduce<Piece[]>((inner, tag) => {
    const element = make(tag);
    element.append(...inner);
    return [element];
  }, content.pieces);
  return { end: close + length, pieces };
}

const TAGS: Record<string, ("em" | "strong" | "del")[]> = {
  "*1": ["em"], "*2": ["strong"], "*3": ["em", "strong"], "_1": ["em"], "~2": ["del"],
};

/** Returns where the run begins that closes the one at `at`; code in between is passed over. */
function findClose(source: Source, at: number, mark: string, length: number): number | "wait" | undefined {
  const { text, isEnd } = source;
  let here = at + length;
  while (here < text.length && here - at <= FARTHEST) {
    const character = text.charAt(here);
    const run = character === mark || character === "`" ? runLength(text, here) : character === "\\" ? 2 : 1;
    if (character === "`") {
      const close = findCode(source, here);
      if (close === "wait") return "wait";
      here = close === undefined ? here + run : close + run;
      continue;
    }
    if (character === mark) {
      if (here + run >= text.length && !isEnd) return "wait";
      if (run === length && closes(text, here, run, mark)) return here;
    }
    here += run;
  }
  return !isEnd && text.length - at <= FARTHEST ? "wait" : undefined;
}

function closes(text: string, at: number, run: number, mark: string): boolean {
  const after = text.charAt(at + run);
  const isInside = mark === "_" ? WORD.test(after) : run === 1 && NARROW_WORD.test(after);
  return /\S/.test(text.charAt(at - 1)) && !isInside;
}

/** A link to the web becomes its text and its address, to be read and copied; any other stays as it was written. */
function readLink({ text, isEnd, depth }: Source, at: number, open: number): Found {
  const waits = !isEnd && text.length - at <= FARTHEST ? "wait" : undefined;
  const close = near(text, "]", open);
  if (close === -1 || close - at > FARTHEST) return waits;
  if (close + 1 >= text.length && !isEnd) return "wait";
  if (text.charAt(close + 1) !== "(" || depth >= DEEPEST) return undefined;
  let end = near(text, ")", close);
  if (end !== -1 && text.slice(close + 2, end).includes("(")) end = near(text, ")", end + 1);
  if (end === -1 || end - at > FARTHEST) return waits;
  const [, address] = /^<?(https?:\/\/[^\s<>]+)>?(?:\s+"[^"]*")?$/i.exec(text.slice(close + 2, end)) ?? [];
  if (!address) return undefined;
  const { pieces } = read({ text: text.slice(open + 1, close), isEnd: true, before: "", depth: depth + 1 });
  return { end: end + 1, pieces: [...pieces, make("span", "address", ` (${address})`)] };
}

function runLength(text: string, at: number): number {
  const mark = text.charAt(at);
  if (mark === "\\" || mark === "[" || mark === "!") return 1;
  let end = at + 1;
  while (text.charAt(end) === mark) end++;
  return end - at;
}

/** Looks for a character, but not farther than a partner may be. */
function near(text: string, character: string, from: number): number {
  const found = text.slice(from, from + FARTHEST + 1).indexOf(character);
  return found === -1 ? -1 : from + found;
}
