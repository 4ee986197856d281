/** A block of code: its language, buttons for what can be done with it, and its lines. */
import type { Words } from "../messages";
import { iconButton, make, name } from "./elements";

export type CodeAct = "copy" | "insert" | "apply";

/** What Markdown needs of its surroundings: words, and somebody who does what the buttons of code blocks say. */
export interface Tools {
  words: Pick<Words, "copy" | "copied" | "insert" | "apply" | "code">;
  acts: readonly CodeAct[];
  act(kind: CodeAct, code: string): void;
}

// Lines that are done are put into parts, which the browser passes over while they are out of sight.
const LINES_A_PART = 100;
const LONGEST_LANGUAGE = 30;
const FEEDBACK_MS = 1500;

export class CodeBlock {
  readonly element = make("div", "code");
  readonly #pre = make("pre");
  readonly #buttons = make("div", "buttons");
  #part: HTMLElement | undefined;
  #line: HTMLElement | undefined;
  #count = 0;
  #code = "";

  constructor(info: string, private readonly tools: Tools) {
    const language = (info.trim().split(/\s/)[0] ?? "").slice(0, LONGEST_LANGUAGE);
    const bar = make("div", "bar");
    bar.append(make("span", "language", language), this.#buttons);
    this.#buttons.append(...tools.acts.map((kind) => this.#button(kind)));
    this.#buttons.hidden = true;
    this.#pre.tabIndex = 0;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", language ? `${tools.words.code}: ${language}` : tools.words.code);
    this.element.append(bar, this.#pre);
  }

  openLine(text: string): void {
    if (!this.#part || this.#count % LINES_A_PART === 0) this.#pre.append((this.#part = make("div", "part")));
    if (this.#count++) this.#code += "\n";
    this.#part.append((this.#line = make("div")));
    this.add(text);
  }

  add(piece: string): void {
    this.#code += piece;
    this.#line?.append(piece);
  }

  endLine(): void {
    this.#line?.normalize();
  }

  /** The code is complete, so that something can be done with it. */
  close(): void {
    this.#buttons.hidden = this.#count === 0;
  }

  #button(kind: CodeAct): HTMLButtonElement {
    const { words } = this.tools;
    const element = iconButton(kind, words[kind], () => {
      this.tools.act(kind, `${this.#code}\n`);
      if (kind === "copy") tell(element, words.copied, words.copy);
    });
    return element;
  }
}

/** Says in a button's place that it was done. */
export function tell(element: HTMLButtonElement, said: string, usual: string): void {
  name(element, said);
  element.classList.add("done");
  setTimeout(() => {
    name(element, usual);
    element.classList.remove("done");
  }, FEEDBACK_MS);
}
