/**
 * The conversations that are in memory: the one that is shown, those that are being answered, and a few that were shown
 * last. Others are read from the server again. What changes in the shown one is told to the view. Knows no VS Code.
 */
import { type Asked, beginTurn, type Conversation, endTurn, hear, isRunning } from "./conversation";
import type { End, ToView, Turn } from "./messages";
import type { PartialAnswer } from "./protocol";

const MOST_HELD = 5;

export class Conversations {
  readonly #held = new Map<string, Conversation>();
  #shown: Conversation;
  #latestKey = 0;
  #latestWish = 0;

  /** `changed` is called when another conversation is shown, and when one begins or ends to be answered. */
  constructor(
    private readonly newId: () => string,
    private readonly tell: (message: ToView) => void,
    private readonly changed: () => void,
    private readonly now = Date.now,
  ) {
    this.#shown = this.#empty();
  }

  get shown(): Conversation {
    return this.#shown;
  }

  readonly nextKey = (): number => ++this.#latestKey;

  get(id: string): Conversation | undefined {
    return this.#held.get(id);
  }

  get running(): Conversation[] {
    return [...this.#held.values()].filter(isRunning);
  }

  /**
   * Notes that the user wants something to be shown. Returns what tells, once that has arrived, whether nothing else was
   * wanted meanwhile: another conversation, a new one, or an answer in the one that is shown.
   */
  wish(): () => boolean {
    const wish = ++this.#latestWish;
    return () => wish === this.#latestWish;
  }

  /** What the view has to hear when it is built anew. */
  whole(): ToView {
    return { kind: "show", title: this.#shown.title, turns: this.#shown.turns, now: this.now() };
  }

  show(conversation: Conversation): void {
    this.wish();
    this.#turnTo(conversation);
  }

  /** Shows a conversation in which nothing was asked yet. */
  showNew(): Conversation {
    this.wish();
    if (this.#shown.turns.length) this.#turnTo(this.#empty());
    return this.#shown;
  }

  rename(id: string, title: string): void {
    const conversation = this.#held.get(id);
    if (conversation) conversation.title = title;
    if (conversation === this.#shown) this.tell(this.whole());
    this.changed();
  }

  forget(id: string): void {
    this.#held.delete(id);
    if (this.#shown.id === id) this.#turnTo(this.#empty());
  }

  forgetAll(): void {
    this.#held.clear();
    this.show(this.#empty());
  }

  begin(conversation: Conversation, asked: Asked, title: string): Turn {
    this.wish();
    conversation.title ||= title;
    const turn = beginTurn(conversation, this.nextKey(), asked, this.now());
    this.#hold(conversation);
    if (conversation === this.#shown) this.tell({ kind: "turn", turn, title: conversation.title, now: this.now() });
    this.changed();
    return turn;
  }

  hear(conversation: Conversation, turn: Turn, partial: PartialAnswer): void {
    hear(turn, partial, this.now());
    if (conversation !== this.#shown) return;
    switch (partial.kind) {
      case "sources":
        this.tell({ kind: "sources", turn: turn.key, sources: partial.sources });
        break;
      case "text":
      case "replace":
      case "reasoning":
      case "status":
        this.tell({ kind: partial.kind, turn: turn.key, text: partial.text });
    }
  }

  end(conversation: Conversation, turn: Turn, end: End): void {
    endTurn(conversation, turn, end, this.now());
    const thought = turn.thinkingMs === undefined ? {} : { thinkingMs: turn.thinkingMs };
    if (conversation === this.#shown) this.tell({ kind: "end", turn: turn.key, end, notes: turn.notes, ...thought });
    this.#forgetOldest();
    this.changed();
  }

  #turnTo(conversation: Conversation): void {
    this.#shown = conversation;
    this.#hold(conversation);
    this.tell(this.whole());
    this.changed();
  }

  #empty(): Conversation {
    return { id: this.newId(), title: "", turns: [], asked: new Map(), changedAt: this.now() };
  }

  /** Holds a conversation as the one used last. */
  #hold(conversation: Conversation): void {
    this.#held.delete(conversation.id);
    if (conversation.turns.length) this.#held.set(conversation.id, conversation);
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    const idle = [...this.#held.values()].filter((each) => each !== this.#shown && !isRunning(each));
    for (const { id } of idle.slice(0, Math.max(0, idle.length - MOST_HELD))) this.#held.delete(id);
  }
}
