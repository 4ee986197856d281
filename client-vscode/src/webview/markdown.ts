/**
 * Shows a model's text while it arrives: code fences, headings, list items, and `code` and **bold** within a line.
 *
 * Fed with any cut of the text, the outcome is the same. Each line is an element of its own and each piece a text node
 * of its own, so that a piece costs its own length, however long the answer has become. Model text only ever becomes
 * text nodes. A line is shown as it comes, except for its first characters while they may still become a fence.
 */
import type { Words } from "../messages";

// What a line may begin with and still turn out to be a fence, a heading or a list item.
const UNDECIDED = /^[ \t]*(?:#{1,6}|[-*+]|\d{1,9}[.)]?|`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*)?$/;
const UNDECIDED_IN_CODE = /^[ \t]*(?:`+|~+)?[ \t]*$/;
const FENCE = /^[ \t]*(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^#{1,6}[ \t]/;
const ITEM = /^[ \t]{0,100}(?:[-*+]|\d{1,9}[.)])[ \t]/;
const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*/g;
// A line that is undecided for longer than this is text; so looking at it again costs little.
const LONGEST_UNDECIDED = 200;

export class Markdown {
  #fence: { mark: string; code: HTMLElement } | undefined;
  #held = "";
  #line: HTMLElement | undefined;

  constructor(private readonly root: HTMLElement, private readonly words: Pick<Words, "copy" | "copied">) {}

  feed(text: string): void {
    const [first = "", ...rest] = text.replaceAll("\r", "").split("\n");
    this.#append(first);
    for (const piece of rest) {
      this.#endLine();
      this.#append(piece);
    }
  }

  /** The text is complete: shows what was held back. */
  finish(): void {
    if (this.#held || this.#line) this.#endLine();
  }

  clear(): void {
    this.root.replaceChildren();
    this.#fence = undefined;
    this.#held = "";
    this.#line = undefined;
  }

  #append(piece: string): void {
    if (!piece) return;
    if (this.#line) {
      this.#line.append(piece);
      return;
    }
    this.#held += piece;
    const undecided = this.#fence ? UNDECIDED_IN_CODE : UNDECIDED;
    if (this.#held.length <= LONGEST_UNDECIDED && undecided.test(this.#held)) return;
    this.#openLine();
  }

  #endLine(): void {
    if (!this.#line && !this.#isFence()) this.#openLine();
    this.#line?.normalize();
    if (this.#line && !this.#fence) formatInline(this.#line);
    this.#line = undefined;
    this.#held = "";
  }

  /** Opens or closes a block of code if the held line is a fence. */
  #isFence(): boolean {
    const [, mark = "", info = ""] = FENCE.exec(this.#held) ?? [];
    if (!mark || this.#held.length > LONGEST_UNDECIDED) return false;
    if (!this.#fence) {
      this.#fence = { mark, code: this.#openCode() };
      return true;
    }
    const closes = mark.startsWith(this.#fence.mark) && !info.trim();
    if (closes) this.#fence = undefined;
    return closes;
  }

  #openCode(): HTMLElement {
    const block = document.createElement("div");
    const code = document.createElement("pre");
    const copy = document.createElement("button");
    block.className = "code";
    copy.textContent = this.words.copy;
    copy.addEventListener("click", () => {
      const lines = [...code.children].map((line) => line.textContent);
      void navigator.clipboard.writeText(lines.join("\n") + "\n").then(() => (copy.textContent = this.words.copied));
    });
    block.append(copy, code);
    this.root.append(block);
    return code;
  }

  #openLine(): void {
    const heading = this.#fence ? null : HEADING.exec(this.#held);
    const line = document.createElement(heading ? "h3" : "div");
    line.append(heading ? this.#held.slice(heading[0].length) : this.#held);
    if (!this.#fence && !heading) line.className = ITEM.test(this.#held) ? "line item" : "line";
    (this.#fence?.code ?? this.root).append(line);
    this.#line = line;
    this.#held = "";
  }
}

/** Formats a finished line; before, a mark may still be waiting for its partner. */
function formatInline(line: HTMLElement): void {
  const text = line.textContent;
  const pieces: (string | HTMLElement)[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const element = document.createElement(match[1] === undefined ? "strong" : "code");
    element.append(match[1] ?? match[2] ?? "");
    pieces.push(text.slice(end, match.index), element);
    end = match.index + match[0].length;
  }
  if (pieces.length) line.replaceChildren(...pieces, text.slice(end));
}
