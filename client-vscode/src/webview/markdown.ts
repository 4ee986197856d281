/**
 * Shows a model's text while it arrives: paragraphs, headings, lists, quotes, tables, rules and blocks of code; what
 * stands within a line is `inline.ts`'s.
 *
 * Fed with any cut of the text, the outcome is the same. A piece costs its own length, however long the answer has become.
 * Model text only ever becomes text nodes. A line is shown as it comes, except for its first characters while they may
 * still become a mark, and rows of tables. What stands inside a list item or a quote is fed to a Markdown of its own.
 */
import { CodeBlock, type Tools } from "./code";
import { make } from "./elements";
import { Inline } from "./inline";
import { Table } from "./table";

// What a line may begin with and still turn out to be a mark.
const UNDECIDED =
  /^[ \t]*(?:#{1,6}[ \t]*|(?:-[ \t]*)+|(?:\*[ \t]*)+|(?:_[ \t]*)+|\+[ \t]*|\d{1,9}(?:[.)][ \t]*)?|`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*|>)?$/;
const UNDECIDED_IN_CODE = /^[ \t]*(?:`+|~+)?[ \t]*$/;
const BLANK = /^[ \t]*$/;
const FENCE = /^([ \t]{0,100})(`{3,}|~{3,})([^`]*)$/;
const RULE = /^[ \t]{0,100}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+/;
const ROW = /^[ \t]{0,100}\|/;
const QUOTE = /^[ \t]{0,100}> ?/;
const ITEM = /^([ \t]{0,100})([-*+]|(\d{1,9})[.)])([ \t]+|$)/;
// A line that is undecided for longer than this is text; so looking at it again costs little.
const LONGEST_UNDECIDED = 200;
const DEEPEST = 8;
// Long blocks are cut, and blocks put into parts, so that what the browser lays out anew with each piece stays small.
const LINES_A_PARAGRAPH = 20;
const ITEMS_A_LIST = 100;
const BLOCKS_A_PART = 32;

interface Paragraph { kind: "paragraph"; element: HTMLElement; lines: number }
interface List { kind: "list"; element: HTMLElement; mark: string; indent: number; content: number; items: number; child: Markdown }
type Block =
  | Paragraph
  | List
  | { kind: "code"; mark: string; indent: number; code: CodeBlock }
  | { kind: "quote"; child: Markdown }
  | { kind: "table"; table: Table }
  /** A line that is the head of a table if dashes follow. */
  | { kind: "row"; line: string; after: Paragraph | undefined };

/** Takes the rest of the line whose beginning is decided. */
interface Line { feed(piece: string): void; finish(): void }

export class Markdown {
  #held = "";
  #line: Line | undefined;
  #open: Block | undefined;
  #part: HTMLElement | undefined;

  constructor(private readonly root: HTMLElement, private readonly tools: Tools, private readonly depth = 0) {}

  feed(text: string): void {
    const [first = "", ...rest] = text.replaceAll("\r", "").split("\n");
    this.#append(first);
    for (const piece of rest) {
      this.#endLine();
      this.#append(piece);
    }
  }

  /** The text is complete: shows what was held back. */
  finish(): void {
    if (this.#held || this.#line) this.#endLine();
    this.#close();
  }

  clear(): void {
    this.root.replaceChildren();
    this.#held = "";
    this.#line = this.#open = this.#part = undefined;
  }

  get isInCode(): boolean {
    return this.#open?.kind === "code" || (this.#open?.kind === "list" && this.#open.child.isInCode);
  }

  #append(piece: string): void {
    if (!piece) return;
    if (this.#line) {
      this.#line.feed(piece);
      return;
    }
    this.#held += piece;
    this.#decide(false);
  }

  #endLine(): void {
    if (!this.#line) this.#decide(true);
    this.#line?.finish();
    this.#line = undefined;
    this.#held = "";
  }

  /** Looks whether what has come of the line says what the line is. */
  #decide(isEnd: boolean): void {
    const isShort = this.#held.length <= LONGEST_UNDECIDED;
    const block = this.#open;
    if (block?.kind === "code") this.#decideInCode(block, isEnd, isShort);
    else if (block?.kind === "list" && BLANK.test(this.#held) && isShort) {
      if (isEnd) block.child.feed("\n");
    } else if (block?.kind === "list" && belongs(block, this.#held)) {
      this.#descend(block.child, withoutIndent(this.#held, block.content));
    } else if (isEnd || !isShort || !UNDECIDED.test(this.#held)) this.#begin(isEnd && isShort);
  }

  #decideInCode({ code, mark, indent }: Extract<Block, { kind: "code" }>, isEnd: boolean, isShort: boolean): void {
    if (isShort && UNDECIDED_IN_CODE.test(this.#held)) {
      if (!isEnd) return;
      if (this.#held.trim().startsWith(mark)) {
        this.#close();
        return;
      }
    }
    code.openLine(withoutIndent(this.#held, indent));
    this.#line = { feed: (piece) => { code.add(piece); }, finish: () => { code.endLine(); } };
  }

  /** Begins the line; `isWhole` when it is all there and may be a mark as a whole. */
  #begin(isWhole: boolean): void {
    const text = this.#held;
    const [, indent = "", mark = "", info = ""] = (isWhole && FENCE.exec(text)) || [];
    if (isWhole && BLANK.test(text)) this.#close();
    else if (mark) this.#openCode(mark, indent.length, info);
    else if (isWhole && RULE.test(text)) this.#add(make("hr"));
    else if (ROW.test(text)) this.#holdRow(text);
    else if (!this.#openHeading(text) && !this.#openQuote(text) && !this.#openItem(text)) this.#openText(text);
  }

  #openCode(mark: string, indent: number, info: string): void {
    const code = new CodeBlock(info, this.tools);
    this.#add(code.element);
    this.#open = { kind: "code", mark, indent, code };
  }

  #openHeading(text: string): boolean {
    const found = HEADING.exec(text);
    if (!found) return false;
    // The question is the heading above.
    const level = Math.min(6, (found[1]?.length ?? 1) + 2) as 3 | 4 | 5 | 6;
    const element = make(`h${level}`);
    this.#add(element);
    this.#write(element, text.slice(found[0].length));
    return true;
  }

  #openQuote(text: string): boolean {
    const found = this.depth < DEEPEST && QUOTE.exec(text);
    if (!found) return false;
    if (this.#open?.kind !== "quote") {
      const element = make("blockquote");
      this.#add(element);
      this.#open = { kind: "quote", child: new Markdown(element, this.tools, this.depth + 1) };
    }
    this.#descend(this.#open.child, text.slice(found[0].length));
    return true;
  }

  #openItem(text: string): boolean {
    const [whole, indent = "", marker = "", number, space = ""] = (this.depth < DEEPEST && ITEM.exec(text)) || [];
    if (whole === undefined) return false;
    const list = this.#listFor(marker.slice(-1), width(indent), number);
    const element = make("li");
    list.element.append(element);
    list.items++;
    list.content = width(indent) + marker.length + (space.length > 4 ? 1 : space.length);
    list.child = new Markdown(element, this.tools, this.depth + 1);
    this.#descend(list.child, text.slice(whole.length));
    return true;
  }

  #listFor(mark: string, indent: number, number: string | undefined): List {
    const open = this.#open;
    if (open?.kind === "list" && open.mark === mark && open.items < ITEMS_A_LIST) {
      open.child.finish();
      return open;
    }
    const element = make(number === undefined ? "ul" : "ol");
    if (number !== undefined && Number(number) !== 1) element.setAttribute("start", String(Number(number)));
    this.#add(element);
    return (this.#open = { kind: "list", element, mark, indent, content: 0, items: 0, child: this });
  }

  /** The rest of the line, and of those that belong to the same item or quote, is the child's. */
  #descend(child: Markdown, text: string): void {
    child.feed(text);
    this.#line = { feed: (piece) => { child.feed(piece); }, finish: () => { child.feed("\n"); } };
  }

  #openText(text: string): void {
    let paragraph = this.#paragraph();
    if (paragraph && paragraph.lines < LINES_A_PARAGRAPH) paragraph.element.append(make("br"));
    else {
      const element = make("p", paragraph ? "more" : "");
      this.#add(element);
      this.#open = paragraph = { kind: "paragraph", element, lines: 0 };
    }
    paragraph.lines++;
    this.#write(paragraph.element, text);
  }

  /** The paragraph that a line of text goes on with. */
  #paragraph(): Paragraph | undefined {
    if (this.#open?.kind === "row") this.#releaseRow();
    return this.#open?.kind === "paragraph" ? this.#open : undefined;
  }

  #write(element: HTMLElement, text: string): void {
    this.#line = new Inline(element);
    this.#line.feed(text);
  }

  #holdRow(text: string): void {
    let row = text;
    this.#line = { feed: (piece) => { row += piece; }, finish: () => { this.#endRow(row); } };
  }

  #endRow(row: string): void {
    const open = this.#open;
    if (open?.kind === "table") {
      open.table.add(row);
      return;
    }
    const table = open?.kind === "row" ? Table.begin(open.line, row) : undefined;
    if (table) {
      this.#open = undefined;
      this.#add(table.element);
      this.#open = { kind: "table", table };
      return;
    }
    const after = this.#paragraph();
    if (!after) this.#close();
    this.#open = { kind: "row", line: row, after };
  }

  /** The line that might have been the head of a table is text. */
  #releaseRow(): void {
    if (this.#open?.kind !== "row") return;
    const { line, after } = this.#open;
    this.#open = after;
    this.#openText(line);
    this.#line?.finish();
    this.#line = undefined;
  }

  /** Ends the block that is open, if any. */
  #close(): void {
    this.#releaseRow();
    const block = this.#open;
    this.#open = undefined;
    if (block?.kind === "code") block.code.close();
    if (block?.kind === "list" || block?.kind === "quote") block.child.finish();
  }

  #add(element: HTMLElement): void {
    this.#close();
    if (this.depth > 0) {
      this.root.append(element);
      return;
    }
    if (!this.#part || this.#part.childElementCount >= BLOCKS_A_PART) this.root.append((this.#part = make("div", "part")));
    this.#part.append(element);
  }
}

/** Whether a line is part of a list's last item; models do not indent exactly. */
function belongs(list: List, text: string): boolean {
  return list.child.isInCode || width(/^[ \t]*/.exec(text)?.[0] ?? "") >= list.indent + 2;
}

function width(indent: string): number {
  let columns = 0;
  for (const character of indent) columns += character === "\t" ? 4 - (columns % 4) : 1;
  return columns;
}

/** The text without the first columns of its indentation. */
function withoutIndent(text: string, columns: number): string {
  let at = 0;
  for (let here = 0; here < columns && (text[at] === " " || text[at] === "\t"); at++) here += text[at] === "\t" ? 4 : 1;
  return text.slice(at);
}
