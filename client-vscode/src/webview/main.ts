/** The script of the side view: hears what arrives, shows it once a frame, and says what was pressed. */
import type { FromView, Page, ToView, Words } from "../messages";
import { QuestionBox } from "./box";
import { ConversationView } from "./conversation";
import { make } from "./elements";
import { HistoryView } from "./list";

/** What VS Code keeps for the view while it is hidden, and when its window is loaded again. */
interface Kept { draft?: string }

declare function acquireVsCodeApi(): { postMessage(message: FromView): void; getState(): Kept | undefined; setState(kept: Kept): void };

class Side {
  readonly #conversation: ConversationView;
  readonly #history: HistoryView;
  readonly #box: QuestionBox;
  /** Tells a screen reader that an answer began and how it ended; not what is in it, word by word. */
  readonly #live = make("div", "unseen");
  #page: Page = "conversation";

  constructor(private readonly words: Words, language: string) {
    this.#conversation = new ConversationView(words, say);
    this.#history = new HistoryView(words, language, say);
    this.#box = new QuestionBox(words, say, (draft) => { vscode.setState({ draft }); });
    this.#box.draft = vscode.getState()?.draft ?? "";
    this.#live.setAttribute("role", "status");
    document.body.replaceChildren(this.#history.element, this.#conversation.element, this.#box.element, this.#live);
    document.body.addEventListener("keydown", (event) => { this.#key(event); });
  }

  hear(message: ToView): void {
    switch (message.kind) {
      case "words":
        break;
      case "offer":
        this.#box.offer = message.offer;
        break;
      case "asked":
        this.#box.asked();
        break;
      case "history":
        this.#history.show(message);
        break;
      case "page":
        this.#turnTo(message.page);
        break;
      case "focus":
        (this.#page === "history" ? this.#history : this.#box).focus();
        break;
      default:
        this.#conversation.hear(message);
        this.#announce(message);
    }
  }

  /** Everything that came was put in. */
  settle(): void {
    const { isRunning } = this.#conversation;
    this.#box.isRunning = isRunning;
    document.body.classList.toggle("answering", isRunning);
    if (this.#page === "conversation") this.#conversation.follow();
  }

  #turnTo(page: Page): void {
    const isOther = page !== this.#page;
    const hadFocus = document.hasFocus() && document.activeElement !== document.body;
    this.#page = page;
    this.#history.element.hidden = page !== "history";
    this.#conversation.element.hidden = this.#box.element.hidden = page === "history";
    if (isOther && hadFocus) (page === "history" ? this.#history : this.#box).focus();
  }

  #announce(message: ToView): void {
    if (message.kind === "turn") this.#live.textContent = this.words.answering;
    if (message.kind === "end") this.#live.textContent = [message.end.message ?? this.words.answered, message.end.hint].filter(Boolean).join(" ");
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.isComposing) return;
    if (this.#page === "history") say({ kind: "page", page: "conversation" });
    else if (this.#conversation.isRunning) say({ kind: "stop" });
  }
}

const vscode = acquireVsCodeApi();
const waiting: ToView[] = [];
let side: Side | undefined;
let isDue = false;

function say(message: FromView): void {
  vscode.postMessage(message);
}

/** Puts in everything that has come since the last frame, so that the page is laid out once for all of it. */
function putIn(): void {
  isDue = false;
  for (const message of waiting.splice(0)) {
    if (message.kind === "words") side ??= new Side(message.words, message.language);
    side?.hear(message);
  }
  side?.settle();
}

window.addEventListener("message", (event: MessageEvent<ToView[]>) => {
  waiting.push(...event.data);
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(putIn);
});

say({ kind: "ready" });
