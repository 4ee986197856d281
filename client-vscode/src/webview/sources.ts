/** The sources of an answer as a numbered list; pieces of one document stand together. */
import type { Turn, Words } from "../messages";
import { button, make } from "./elements";

type Source = Turn["sources"][number];

interface Group { index: number; title: string; uri: string; texts: string[] }

export function sourceList(sources: Source[], words: Pick<Words, "excerpt">, open: (index: number) => void): HTMLElement {
  const list = make("ol");
  list.append(...grouped(sources).map((group) => item(group, words, open)));
  return list;
}

function grouped(sources: Source[]): Group[] {
  const groups = new Map<string, Group>();
  sources.forEach(({ title, uri = "", text }, index) => {
    const key = JSON.stringify([title, uri]);
    const group = groups.get(key) ?? { index, title, uri, texts: [] };
    if (text) group.texts.push(text);
    groups.set(key, group);
  });
  return [...groups.values()];
}

function item({ index, title, uri, texts }: Group, words: Pick<Words, "excerpt">, open: (index: number) => void): HTMLElement {
  const element = make("li");
  const shown = title || uri;
  if (uri || texts.length) {
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
