/** The script of the answers view: hears what arrives, shows it, and says when a button was pressed. */
import type { FromView, ToView, Words } from "../messages";
import { Answer } from "./answer";

declare function acquireVsCodeApi(): { postMessage(message: FromView): void };

const vscode = acquireVsCodeApi();
const say = (message: FromView) => {
  vscode.postMessage(message);
};
const main = document.querySelector("main") ?? document.body;
const answers = new Map<number, Answer>();
let words: Words | undefined;

function hear(message: ToView): void {
  switch (message.kind) {
    case "words":
      words = message.words;
      break;
    case "clear":
      clear();
      break;
    case "begin":
      begin(message);
      break;
    case "forget":
      answers.get(message.run)?.element.remove();
      answers.delete(message.run);
      break;
    default:
      answers.get(message.run)?.hear(message);
  }
}

function clear(): void {
  answers.clear();
  const empty = document.createElement("p");
  empty.className = "empty";
  empty.textContent = words?.empty ?? "";
  main.replaceChildren(empty);
}

function begin(message: Extract<ToView, { kind: "begin" }>): void {
  if (!words) return;
  if (!answers.size) main.replaceChildren();
  const answer = new Answer(message, words, say);
  answers.set(message.run, answer);
  main.append(answer.element);
  answer.element.scrollIntoView();
}

window.addEventListener("message", (event: MessageEvent<ToView[]>) => {
  // Follow the text, but not when the reader has scrolled up.
  const page = document.documentElement;
  const isAtEnd = page.scrollTop + page.clientHeight >= page.scrollHeight - 24;
  event.data.forEach(hear);
  if (isAtEnd) page.scrollTop = page.scrollHeight;
});

say({ kind: "ready" });
