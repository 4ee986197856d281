/** One turn on the page: what was asked and where, the reasoning, the answer, its sources, and how it ended. */
import type { End, FromView, Note, ToView, Turn, Words } from "../messages";
import { type CodeAct, tell, type Tools } from "./code";
import { button, drawing, fill, iconButton, make } from "./elements";
import { Markdown } from "./markdown";
import { SentView } from "./sent";
import { sourceList } from "./sources";

type About = Extract<ToView, { turn: number }>;

const EVERY_SECOND_MS = 1000;

export class TurnView {
  readonly element = make("article");
  readonly #status = make("div", "status");
  readonly #said = make("span");
  readonly #thinking = make("details", "reasoning");
  readonly #summary = make("summary");
  readonly #sources = make("section", "sources");
  readonly #sent: SentView;
  readonly #text: Markdown;
  readonly #reasoning: Markdown;
  /** When the model began to reason, by this page's clock. */
  #thinkingSince: number | undefined;
  #clock: number | undefined;
  #hasEnded = false;

  /** `aheadMs` is how much this page's clock is ahead of the extension's. */
  constructor(private readonly turn: Turn, private readonly words: Words, private readonly say: (message: FromView) => void, aheadMs: number) {
    const body = make("div", "text");
    const thoughts = make("div");
    this.#text = new Markdown(body, this.#tools(["copy", "insert", "apply"]));
    this.#reasoning = new Markdown(thoughts, this.#tools(["copy"]));
    this.#thinking.append(this.#summary, thoughts);
    this.#sent = new SentView(words, turn.key, say);
    this.#thinking.hidden = this.#sources.hidden = this.#sent.element.hidden = true;
    this.#said.textContent = words.working;
    this.#status.append(make("span", "dot"), this.#said);
    this.element.append(this.#asked(), this.#thinking, body, this.#sources, this.#sent.element, this.#status);
    this.#replay(aheadMs);
  }

  hear(message: About): void {
    if (message.kind === "sent") this.#sent.show(message);
    if (this.#hasEnded) return;
    switch (message.kind) {
      case "text":
        this.#stopThinking();
        this.#text.feed(message.text);
        break;
      case "replace":
        this.#stopThinking();
        this.#text.clear();
        this.#text.feed(message.text);
        break;
      case "reasoning":
        this.#think(message.text, Date.now());
        break;
      case "status":
        this.#said.textContent = message.text;
        break;
      case "sources":
        this.#showSources(message.sources);
        break;
      case "end":
        this.#end(message.end, message.notes, message.thinkingMs);
    }
  }

  /** Whether the answer is still coming. */
  get isRunning(): boolean {
    return !this.#hasEnded;
  }

  /** The view is about to forget this turn. */
  dispose(): void {
    clearInterval(this.#clock);
  }

  #replay(aheadMs: number): void {
    const { text, reasoning, status, sources, end, notes, thinkingSince, thinkingMs } = this.turn;
    if (reasoning) this.#think(reasoning, (thinkingSince ?? Date.now()) + aheadMs);
    if (text) {
      this.#stopThinking(thinkingMs);
      this.#text.feed(text);
    }
    if (status) this.#said.textContent = status;
    this.#showSources(sources);
    if (end) this.#end(end, notes, thinkingMs);
  }

  #asked(): HTMLElement {
    const { task, question, place, key, canOpenPlace } = this.turn;
    const { words } = this;
    const header = make("header");
    const heading = make("h2");
    heading.append(make("span", question && task === "ask" ? "unseen" : "task", words.tasks[task] ?? task));
    if (place && canOpenPlace) {
      const open = button(place, () => { this.say({ kind: "openPlace", turn: key }); }, "chip");
      open.title = fill(words.openPlace, place);
      heading.append(open);
    } else if (place) heading.append(make("span", "chip", place));
    header.append(heading);
    if (question) header.append(make("blockquote", "", question));
    return header;
  }

  #tools(acts: CodeAct[]): Tools {
    return { words: this.words, acts, act: (kind, code) => { this.say({ kind, turn: this.turn.key, code }); } };
  }

  #think(text: string, since: number): void {
    this.#thinking.hidden = false;
    this.#reasoning.feed(text);
    if (this.#thinkingSince !== undefined) return;
    this.#thinkingSince = since;
    this.#showThinking();
    this.#clock = setInterval(() => { this.#showThinking(); }, EVERY_SECOND_MS);
  }

  #showThinking(): void {
    const seconds = Math.round((Date.now() - (this.#thinkingSince ?? 0)) / 1000);
    this.#summary.textContent = seconds > 0 ? fill(this.words.reasoningFor, seconds) : `${this.words.reasoning}…`;
  }

  #stopThinking(thinkingMs?: number): void {
    if (this.#clock === undefined && thinkingMs === undefined) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
    const seconds = Math.round((thinkingMs ?? Date.now() - (this.#thinkingSince ?? 0)) / 1000);
    this.#summary.textContent = seconds > 0 ? fill(this.words.reasonedFor, seconds) : this.words.reasoning;
  }

  #end({ finish, message, hint, canConnect }: End, notes: Note[], thinkingMs?: number): void {
    this.#hasEnded = true;
    this.#stopThinking(thinkingMs);
    if (!this.#summary.textContent) this.#summary.textContent = this.words.reasoning;
    this.#text.finish();
    this.#reasoning.finish();
    this.#status.className = `end ${finish}`;
    this.#status.replaceChildren();
    if (message) this.#status.append(make("p", "message", message));
    if (hint) this.#status.append(make("p", "hint", hint));
    if (canConnect) this.#status.append(button(this.words.connect, () => { this.say({ kind: "connect" }); }, "connect"));
    this.#status.append(...notes.map((note) => this.#note(note)), this.#actions());
    this.#sent.element.hidden = false;
    this.element.classList.add("ended");
  }

  /** What is said of the answer: a sign for the eye where it may be wrong, and a word for a screen reader. */
  #note({ text, isWarning }: Note): HTMLElement {
    const note = make("p", isWarning ? "note warning" : "note");
    if (isWarning) note.append(drawing("warning"));
    note.append(make("span", "unseen", `${isWarning ? this.words.warning : this.words.note}: `), make("span", "", text));
    return note;
  }

  #actions(): HTMLElement {
    const { words, turn } = this;
    const actions = make("div", "actions");
    const copy = iconButton("copy", words.copyAnswer, () => {
      this.say({ kind: "copyAnswer", turn: turn.key });
      tell(copy, words.copied, words.copyAnswer);
    });
    if (this.element.querySelector(".text")?.hasChildNodes()) actions.append(copy);
    if (turn.canRetry) actions.append(iconButton("retry", words.retry, () => { this.say({ kind: "retry", turn: turn.key }); }, "retry"));
    return actions;
  }

  #showSources(sources: Turn["sources"]): void {
    const open = (source: number) => { this.say({ kind: "openSource", turn: this.turn.key, source }); };
    this.#sources.replaceChildren(make("h3", "", this.words.sources), sourceList(sources, this.words, open));
    this.#sources.hidden = sources.length === 0;
  }
}
