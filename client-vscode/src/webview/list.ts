/** The page of the history: a search box, and the conversations by the day they were last continued on. */
import type { Entry, FromView, ToView, Words } from "../messages";
import { fill, iconButton, make } from "./elements";

const SETTLE_MS = 200;
const DAY_MS = 24 * 60 * 60 * 1000;

export class HistoryView {
  readonly element = make("section", "history");
  readonly #search = make("input");
  readonly #list = make("div", "list");
  #timer: number | undefined;

  constructor(private readonly words: Words, private readonly language: string, private readonly say: (message: FromView) => void) {
    const bar = make("div", "search");
    this.#search.type = "search";
    this.#search.placeholder = words.search;
    this.#search.setAttribute("aria-label", words.search);
    this.#search.addEventListener("input", () => { this.#searchSoon(); });
    bar.append(iconButton("back", words.back, () => { say({ kind: "page", page: "conversation" }); }), this.#search);
    this.element.setAttribute("aria-label", words.history);
    this.element.append(make("h1", "unseen", words.history), bar, this.#list);
    this.element.hidden = true;
  }

  focus(): void {
    this.#search.focus();
  }

  show({ entries, problem, search }: Extract<ToView, { kind: "history" }>): void {
    if (!this.#search.value && search && document.activeElement !== this.#search) this.#search.value = search;
    const focused = this.#focused();
    const parts: HTMLElement[] = problem ? [make("p", "problem", problem)] : [];
    for (const [day, these] of this.#byDay(entries)) {
      const list = make("ul");
      list.append(...these.map((entry) => this.#row(entry)));
      parts.push(make("h2", "", day), list);
    }
    if (!entries.length && !problem) parts.push(make("p", "empty", search ? this.words.nothingFound : this.words.nothingYet));
    this.#list.replaceChildren(...parts);
    if (focused) this.#focusAgain(...focused);
  }

  #row(entry: Entry): HTMLElement {
    const { words } = this;
    const { id, title, found, isShown, isRunning } = entry;
    const row = make("li");
    const open = make("button", "entry");
    open.type = "button";
    open.dataset["id"] = id;
    if (isShown) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => { this.say({ kind: "openConversation", id }); });
    open.append(make("span", "title", title), make("span", "about", this.#about(entry)));
    if (isRunning) open.querySelector(".about")?.prepend(make("span", "dot"));
    if (found) open.append(make("span", "found", found));
    row.append(open, iconButton("remove", fill(words.remove, title), () => { this.say({ kind: "deleteConversation", id }); }, "remove"));
    return row;
  }

  #about({ when, turns, folder, isRunning }: Entry): string {
    const { words } = this;
    const questions = turns === 1 ? words.oneQuestion : fill(words.questions, turns);
    return [isRunning ? words.running : this.#time(when), questions, folder].filter(Boolean).join(" · ");
  }

  #time(when: number): string {
    const isToday = startOfDay(when) === startOfDay(Date.now());
    const style: Intl.DateTimeFormatOptions = isToday ? { timeStyle: "short" } : { dateStyle: "medium" };
    return new Intl.DateTimeFormat(this.language, style).format(when);
  }

  #byDay(entries: Entry[]): Map<string, Entry[]> {
    const { today, yesterday, thisWeek, older } = this.words;
    const days = new Map<string, Entry[]>();
    const now = startOfDay(Date.now());
    for (const entry of entries) {
      const age = Math.round((now - startOfDay(entry.when)) / DAY_MS);
      const day = age <= 0 ? today : age === 1 ? yesterday : age < 7 ? thisWeek : older;
      days.set(day, [...(days.get(day) ?? []), entry]);
    }
    return days;
  }

  #searchSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.say({ kind: "search", text: this.#search.value.trim() }); }, SETTLE_MS);
  }

  /** Which row has the focus, for the list is built anew; the row that follows takes it when that one is gone. */
  #focused(): [string, number, boolean] | undefined {
    const active = document.activeElement;
    const row = active?.closest(".list li");
    const id = row?.querySelector<HTMLElement>(".entry")?.dataset["id"];
    if (!row || id === undefined) return undefined;
    return [id, this.#rows().indexOf(row), active?.classList.contains("remove") ?? false];
  }

  #focusAgain(id: string, index: number, onRemove: boolean): void {
    const rows = this.#rows();
    const same = rows.find((row) => row.querySelector<HTMLElement>(".entry")?.dataset["id"] === id);
    const row = same ?? rows[Math.min(index, rows.length - 1)];
    (row?.querySelector<HTMLElement>(onRemove && same ? ".remove" : ".entry") ?? this.#search).focus();
  }

  #rows(): Element[] {
    return [...this.#list.querySelectorAll("li")];
  }
}

function startOfDay(when: number): number {
  return new Date(when).setHours(0, 0, 0, 0);
}
