/** The page of the conversation: its turns, which are followed while they grow unless the reader has scrolled up. */
import type { FromView, ToView, Turn, Words } from "../messages";
import { iconButton, make } from "./elements";
import { TurnView } from "./turn";

const NEAR_THE_END_PX = 32;

export class ConversationView {
  readonly element = make("main");
  readonly #scroller = make("div", "turns");
  readonly #title = make("h1", "unseen");
  readonly #turns = new Map<number, TurnView>();
  readonly #empty: HTMLElement;
  readonly #jump: HTMLButtonElement;
  #isFollowing = true;

  constructor(private readonly words: Words, private readonly say: (message: FromView) => void) {
    this.#empty = make("p", "empty", words.empty);
    this.#jump = iconButton("down", words.jump, () => {
      this.#isFollowing = true;
      this.follow();
      this.#scroller.focus();
    }, "jump");
    this.#jump.hidden = true;
    this.#scroller.tabIndex = 0;
    // A log that is not read out word by word: `Live` tells how it goes.
    this.#scroller.setAttribute("role", "log");
    this.#scroller.setAttribute("aria-live", "off");
    this.#scroller.setAttribute("aria-label", words.conversation);
    this.#scroller.addEventListener("scroll", () => { this.#scrolled(); }, { passive: true });
    this.element.append(this.#title, this.#scroller, this.#jump);
  }

  get isRunning(): boolean {
    return [...this.#turns.values()].some(({ isRunning }) => isRunning);
  }

  hear(message: Extract<ToView, { kind: "show" | "turn" } | { turn: number }>): void {
    switch (message.kind) {
      case "show":
        this.#show(message.title, message.turns, Date.now() - message.now);
        break;
      case "turn":
        this.#empty.remove();
        this.#name(message.title);
        this.#begin(message.turn, Date.now() - message.now);
        this.#isFollowing = true;
        break;
      default:
        this.#turns.get(message.turn)?.hear(message);
    }
  }

  /** Follows what has grown; called once a frame, after everything that came was put in. */
  follow(): void {
    if (this.#isFollowing) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#showJump();
  }

  #show(title: string, turns: Turn[], aheadMs: number): void {
    for (const turn of this.#turns.values()) turn.dispose();
    this.#turns.clear();
    this.#name(title);
    this.#scroller.replaceChildren(...(turns.length ? [] : [this.#empty]));
    for (const turn of turns) this.#begin(turn, aheadMs);
    this.#isFollowing = true;
  }

  #name(title: string): void {
    this.#title.textContent = title || this.words.conversation;
  }

  #begin(turn: Turn, aheadMs: number): void {
    const view = new TurnView(turn, this.words, this.say, aheadMs);
    this.#turns.set(turn.key, view);
    this.#scroller.append(view.element);
  }

  #scrolled(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    this.#isFollowing = scrollTop + clientHeight >= scrollHeight - NEAR_THE_END_PX;
    this.#showJump();
  }

  #showJump(): void {
    this.#jump.hidden = this.#isFollowing;
  }
}
