/** The sources of an answer as a numbered list; passages of one document stand together. */
import { type Cited, cited } from "../passages";
import type { Turn, Words } from "../messages";
import { button, make } from "./elements";

export function sourceList(sources: Turn["sources"], words: Pick<Words, "excerpt">, open: (index: number) => void): HTMLElement {
  const list = make("ol");
  list.append(...cited(sources).map((document) => item(document, words, open)));
  return list;
}

function item({ number, index, title, uri, canOpen, texts }: Cited, words: Pick<Words, "excerpt">, open: (index: number) => void): HTMLElement {
  const element = make("li");
  element.value = number;
  const shown = title || uri;
  if (canOpen) {
    const name = button(shown, () => { open(index); }, "link");
    name.title = uri || shown;
    element.append(name);
  } else element.append(make("span", "", shown));
  if (texts.length) element.append(excerpts(shown, texts, words));
  return element;
}

function excerpts(title: string, texts: string[], words: Pick<Words, "excerpt">): HTMLElement {
  const details = make("details");
  const summary = make("summary", "", words.excerpt);
  summary.setAttribute("aria-label", `${words.excerpt}: ${title}`);
  details.append(summary, ...texts.map((text) => make("p", "excerpt", text)));
  return details;
}
