/** A table of an answer. It is known to be one by the line of dashes below its head. */
import { make } from "./elements";
import { showInline } from "./inline";

const DASHES = /^:?-+:?$/;

type Side = "" | "center" | "right";

export class Table {
  readonly element = make("div", "table");
  readonly #body = make("tbody");

  private constructor(head: string[], private readonly sides: Side[]) {
    const table = make("table");
    const top = make("thead");
    top.append(this.#row("th", head));
    table.append(top, this.#body);
    this.element.tabIndex = 0;
    this.element.append(table);
  }

  /** Returns the table that begins with these two lines; undefined where they begin none. */
  static begin(first: string, second: string): Table | undefined {
    const head = cells(first);
    const dashes = cells(second);
    if (head.length !== dashes.length || !dashes.every((cell) => DASHES.test(cell))) return undefined;
    return new Table(head, dashes.map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "")));
  }

  add(line: string): void {
    const row = cells(line);
    const kept = row.slice(0, this.sides.length);
    // What is too much stays readable, in the last cell.
    if (row.length > kept.length) kept.push([kept.pop(), ...row.slice(kept.length + 1)].join(" | "));
    this.#body.append(this.#row("td", kept));
  }

  #row(tag: "th" | "td", texts: string[]): HTMLElement {
    const row = make("tr");
    row.append(...this.sides.map((side, index) => {
      const cell = make(tag, side);
      showInline(cell, texts[index] ?? "");
      return cell;
    }));
    return row;
  }
}

function cells(line: string): string[] {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}
