/** Which sources are passages of one document. Knows nothing of VS Code; the extension and its view both go by it. */
import type { Source } from "./protocol";

export interface Cited {
  /** What stands before it in the list. */
  number: number;
  /** Where its first passage stands among the sources. */
  index: number;
  title: string;
  uri: string;
  /** Whether there may be something to open. */
  canOpen: boolean;
  texts: string[];
}

/** What passages of one document have in common: the server's number, else title and address. */
export function documentKey({ number, title, uri = "" }: Source): string {
  return number === undefined ? JSON.stringify([title, uri]) : String(number);
}

/** Returns the documents in the order of their first passages. */
export function cited(sources: Source[]): Cited[] {
  const documents = new Map<string, Cited>();
  sources.forEach((source, index) => {
    const key = documentKey(source);
    const { title, uri = "", text } = source;
    // What the server has numbered it can look for.
    const canOpen = source.number !== undefined || uri !== "" || Boolean(text);
    const document = documents.get(key) ?? { number: source.number ?? documents.size + 1, index, title, uri, canOpen, texts: [] };
    if (text && !document.texts.includes(text)) document.texts.push(text);
    documents.set(key, document);
  });
  return [...documents.values()];
}
