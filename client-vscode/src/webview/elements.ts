/** Makes elements. Texts become text nodes, and icons are drawn from the few lines below: nothing is loaded. */

const ICONS = {
  send: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
  stop: "M4.5 4.5h7v7h-7z",
  close: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3.5v9M3.5 8h9",
  copy: "M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2",
  insert: "M13 3v5.5H4M7 5.5l-3 3 3 3",
  apply: "M3 8.5l3.5 3.5L13 4.5",
  retry: "M12.5 8a4.5 4.5 0 1 1-1.4-3.2M12.5 2.5v3h-3",
  remove: "M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.5 9h6l.5-9M6.8 7v4M9.2 7v4",
  down: "M8 3v10M3.5 8.5 8 13l4.5-4.5",
  warning: "M8 2.5 14 13.5H2zM8 6.5v3.5M8 11.7v.3",
  back: "M13 8H3M7.5 3.5 3 8l4.5 4.5",
} as const;

export type Icon = keyof typeof ICONS;

export function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, className = "", text = ""): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

export function button(label: string, press: () => void, className = ""): HTMLButtonElement {
  const element = make("button", className, label);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

/** A button that is an icon; its name is its tooltip, too. */
export function iconButton(icon: Icon, label: string, press: () => void, className = ""): HTMLButtonElement {
  const element = button("", press, `icon ${className}`.trim());
  element.append(drawing(icon));
  name(element, label);
  return element;
}

export function name(element: HTMLElement, label: string): void {
  element.title = label;
  element.setAttribute("aria-label", label);
}

export function drawing(icon: Icon): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[icon]);
  svg.append(path);
  return svg;
}

/** Puts values into the places {0}, {1} of a text. */
export function fill(text: string, ...values: (string | number)[]): string {
  return text.replace(/\{(\d)\}/g, (place, index: string) => String(values[Number(index)] ?? place));
}
