/** One answer on the page: title, status line with Stop, reasoning, text, sources, and how it ended. */
import type { FromView, ToView, Words } from "../messages";
import { Markdown } from "./markdown";

type About = Exclude<Extract<ToView, { run: number }>, { kind: "begin" | "forget" }>;
type Begin = Extract<ToView, { kind: "begin" }>;
type Source = Extract<ToView, { kind: "sources" }>["sources"][number];

export class Answer {
  readonly element = make("article");
  readonly #status = make("div", "status");
  readonly #said = make("span");
  readonly #thinking = make("details", "reasoning");
  readonly #sources = make("section", "sources");
  readonly #text: Markdown;
  readonly #reasoning: Markdown;
  #hasEnded = false;

  constructor(begin: Begin, private readonly words: Words, private readonly say: (message: FromView) => void) {
    const body = make("div", "text");
    const thoughts = make("div");
    this.#text = new Markdown(body, words);
    this.#reasoning = new Markdown(thoughts, words);
    this.#thinking.append(make("summary", "", words.reasoning), thoughts);
    this.#thinking.hidden = true;
    this.#sources.hidden = true;
    this.#said.textContent = words.working;
    this.#status.setAttribute("role", "status");
    this.#status.append(make("span", "dot"), this.#said, this.#button(words.stop, () => { say({ kind: "stop", run: begin.run }); }));
    this.element.append(make("h2", "", begin.title));
    if (begin.question) this.element.append(make("blockquote", "", begin.question));
    this.element.append(this.#thinking, body, this.#sources, this.#status);
  }

  hear(message: About): void {
    if (this.#hasEnded) return;
    switch (message.kind) {
      case "text":
        this.#text.feed(message.text);
        break;
      case "replace":
        this.#text.clear();
        this.#text.feed(message.text);
        break;
      case "reasoning":
        this.#thinking.hidden = false;
        this.#reasoning.feed(message.text);
        break;
      case "status":
        this.#said.textContent = message.text;
        break;
      case "sources":
        this.#showSources(message.run, message.sources);
        break;
      case "end":
        this.#end(message);
    }
  }

  #end({ finish, message, hint }: Extract<ToView, { kind: "end" }>): void {
    this.#hasEnded = true;
    this.#text.finish();
    this.#reasoning.finish();
    this.#status.className = `end ${finish}`;
    this.#status.replaceChildren();
    if (message) this.#status.append(make("p", "", message));
    if (hint) this.#status.append(make("p", "hint", hint));
  }

  #showSources(run: number, sources: Source[]): void {
    const list = make("ol");
    list.append(...sources.map((source, index) => this.#source(run, source, index)));
    this.#sources.replaceChildren(make("h3", "", this.words.sources), list);
    this.#sources.hidden = sources.length === 0;
  }

  #source(run: number, { title, uri, text }: Source, index: number): HTMLElement {
    const item = make("li");
    const name = uri ? this.#button(title, () => { this.say({ kind: "open", run, source: index }); }) : make("span", "", title);
    if (uri) name.title = uri;
    item.append(text ? excerpt(name, text) : name);
    return item;
  }

  #button(label: string, press: () => void): HTMLButtonElement {
    const button = make("button", "", label);
    button.addEventListener("click", press);
    return button;
  }
}

function excerpt(name: HTMLElement, text: string): HTMLElement {
  const details = make("details");
  const summary = make("summary");
  summary.append(name);
  details.append(summary, make("p", "excerpt", text));
  return details;
}

export function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, className = "", text = ""): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
