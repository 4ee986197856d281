/** What the model was sent for a turn: folded, and asked for when it is unfolded. */
import type { FromView, SentToShow, ToView, Words } from "../messages";
import { button, fill, make } from "./elements";

type About = Omit<Extract<ToView, { kind: "sent" }>, "kind" | "turn">;

export class SentView {
  readonly element = make("details", "sent");
  /** There from the start: a screen reader reads out what is put in. */
  readonly #sum = make("p", "sum");
  readonly #parts = make("div");
  #isKnown = false;

  constructor(private readonly words: Words, private readonly turn: number, private readonly say: (message: FromView) => void) {
    this.#sum.setAttribute("role", "status");
    this.element.append(make("summary", "", words.sent), this.#sum, this.#parts);
    this.element.addEventListener("toggle", () => {
      if (this.element.open && !this.#isKnown) say({ kind: "sent", turn });
    });
  }

  show({ sent, problem }: About): void {
    this.#isKnown = sent !== undefined;
    this.#sum.classList.toggle("problem", problem !== undefined);
    this.#sum.textContent = problem ?? (sent ? this.#summed(sent) : "");
    this.#parts.replaceChildren(...(sent ? this.#listed(sent) : []));
  }

  #summed({ provider, model, sentTo, tokens }: SentToShow): string {
    const who = [provider, model].filter(Boolean).join(" · ");
    if (tokens === null) return [who, sentTo].filter(Boolean).join(" · ");
    return fill(sentTo ? this.words.sentTo : this.words.sentNowhere, count(tokens), who, sentTo);
  }

  #listed({ parts }: SentToShow): HTMLElement[] {
    const { words, turn } = this;
    const list = make("ul");
    list.append(...parts.map(({ name, why, tokens, where }) => {
      const item = make("li");
      item.append(make("span", "name", name || why));
      const about = [name ? why : "", fill(words.tokens, count(tokens)), words.where[where]];
      item.append(make("span", "about", about.filter(Boolean).join(" · ")));
      return item;
    }));
    return [list, button(words.sentText, () => { this.say({ kind: "openSent", turn }); }, "link")];
  }
}

/** A number as the user's language writes it. */
function count(tokens: number): string {
  return new Intl.NumberFormat(document.documentElement.lang || undefined).format(tokens);
}
