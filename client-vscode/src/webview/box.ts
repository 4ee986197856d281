/** The question box: what it is about as a chip, the text, and a button that sends, or stops what is being answered. */
import type { FromView, Offer, Words } from "../messages";
import { drawing, fill, iconButton, make, name } from "./elements";

// What browsers say of a key that an input method took; some have ended the composition by then.
const INPUT_METHOD = 229;

export class QuestionBox {
  readonly element = make("footer");
  readonly #chips = make("div", "chips");
  readonly #field = make("div", "field");
  readonly #text = make("textarea");
  readonly #go: HTMLButtonElement;
  #offer: Offer | undefined;
  /** The selection that the user does not want to ask about. */
  #leftOut: number | undefined;
  /** The file that the user wants to ask about; by its name, for the offer changes with every selection in it. */
  #taken: string | undefined;
  #isRunning = false;
  #sent: string | undefined;

  constructor(private readonly words: Words, private readonly say: (message: FromView) => void, private readonly keep: (draft: string) => void) {
    const frame = make("div", "box");
    const bar = make("div", "bar");
    this.#go = iconButton("send", words.send, () => { this.#press(); }, "go");
    this.#text.rows = 1;
    this.#text.placeholder = words.placeholder;
    this.#text.setAttribute("aria-label", words.question);
    this.#text.addEventListener("input", () => { this.#typed(); });
    this.#text.addEventListener("keydown", (event) => { this.#key(event); });
    this.#field.append(this.#text);
    bar.append(this.#chips, this.#go);
    frame.append(this.#field, bar);
    this.element.append(frame);
    this.#show();
  }

  set draft(draft: string) {
    this.#text.value = draft;
    this.#grow();
  }

  set offer(offer: Offer | undefined) {
    this.#offer = offer;
    this.#showChips();
  }

  set isRunning(isRunning: boolean) {
    if (isRunning === this.#isRunning) return;
    this.#isRunning = isRunning;
    this.#show();
  }

  /** The question was taken; what has been typed since stays. */
  asked(): void {
    if (this.#text.value.trim() === this.#sent) {
      this.#text.value = "";
      this.#typed();
    }
    this.#sent = undefined;
  }

  focus(): void {
    this.#text.focus();
  }

  #key(event: KeyboardEvent): void {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else tells it
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === INPUT_METHOD) return;
    event.preventDefault();
    if (!this.#isRunning) this.#send();
  }

  #press(): void {
    if (this.#isRunning) this.say({ kind: "stop" });
    else this.#send();
    this.#text.focus();
  }

  #send(): void {
    const text = this.#text.value.trim();
    if (!text) return;
    this.#sent = text;
    this.say({ kind: "ask", text, ...(this.#offer && this.#isOn(this.#offer) ? { offer: this.#offer.id } : {}) });
  }

  #typed(): void {
    this.#grow();
    this.keep(this.#text.value);
  }

  /** A copy of the text behind it gives the box its height. */
  #grow(): void {
    this.#field.dataset["text"] = this.#text.value;
  }

  #show(): void {
    this.#go.replaceChildren(drawing(this.#isRunning ? "stop" : "send"));
    this.#go.classList.toggle("stop", this.#isRunning);
    name(this.#go, this.#isRunning ? this.words.stop : this.words.send);
  }

  #isOn({ id, label, isSelection }: Offer): boolean {
    return isSelection ? this.#leftOut !== id : this.#taken === label;
  }

  #showChips(): void {
    const offer = this.#offer;
    const hadFocus = this.#chips.contains(document.activeElement);
    this.#chips.replaceChildren(...(offer ? [this.#chip(offer)] : []));
    if (hadFocus) (this.#chips.querySelector("button") ?? this.#text).focus();
  }

  #chip(offer: Offer): HTMLElement {
    const { id, label, isSelection } = offer;
    const isOn = this.#isOn(offer);
    const chip = make("button", "chip");
    chip.type = "button";
    chip.append(make("span", "", label), drawing(isOn ? "close" : "plus"));
    chip.setAttribute("aria-pressed", String(isOn));
    name(chip, fill(this.words.include, label));
    chip.addEventListener("click", () => {
      if (isSelection) this.#leftOut = isOn ? id : undefined;
      else this.#taken = isOn ? undefined : label;
      this.#showChips();
    });
    return chip;
  }
}
