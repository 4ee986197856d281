/**
 * The view in the side bar in which answers arrive.
 *
 * What a model wrote crosses this border as data only; the view shows it as text. Everything said to the view is kept
 * for as long as the answer is shown, because VS Code throws a hidden view away and builds it anew when it is seen again.
 */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { FromView, ToView, Words } from "./messages";
import { openSource } from "./sources";

const VIEW = "sidelight.answers";
const MOST_ANSWERS = 20;

type AboutRun = Exclude<Extract<ToView, { run: number }>, { kind: "forget" }>;

export class AnswersView implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #stopped = new vscode.EventEmitter<number>();
  readonly onStop = this.#stopped.event;
  readonly #answers = new Map<number, AboutRun[]>();
  readonly #registration: vscode.Disposable;
  #view: vscode.WebviewView | undefined;
  #isReady = false;

  constructor(private readonly extensionUri: vscode.Uri) {
    this.#registration = vscode.window.registerWebviewViewProvider(VIEW, this);
  }

  post(message: AboutRun): void {
    if (message.kind === "begin") this.#begin(message.run);
    this.#answers.get(message.run)?.push(message);
    this.#send([message]);
  }

  /** Forgets the answers that have ended. */
  clear(): void {
    for (const [run, told] of this.#answers) if (told.at(-1)?.kind === "end") this.#answers.delete(run);
    this.#tellAgain();
  }

  /** Shows the view and leaves the cursor where it is. */
  async reveal(): Promise<void> {
    if (this.#view) this.#view.show(true);
    else await vscode.commands.executeCommand(`${VIEW}.focus`, { preserveFocus: true });
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const dist = vscode.Uri.joinPath(this.extensionUri, "client-vscode", "dist");
    this.#view = view;
    this.#isReady = false;
    view.webview.options = { enableScripts: true, localResourceRoots: [dist] };
    view.webview.onDidReceiveMessage((message: FromView) => {
      this.#hear(message);
    });
    view.onDidChangeVisibility(() => {
      if (!view.visible) this.#isReady = false;
    });
    view.onDidDispose(() => {
      this.#view = undefined;
      this.#isReady = false;
    });
    view.webview.html = page(view.webview, dist);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#stopped.dispose();
  }

  #begin(run: number): void {
    this.#answers.set(run, []);
    const [oldest] = this.#answers.keys();
    if (oldest === undefined || this.#answers.size <= MOST_ANSWERS) return;
    this.#answers.delete(oldest);
    this.#send([{ kind: "forget", run: oldest }]);
  }

  #send(messages: ToView[]): void {
    // Before it is ready the view would hear messages that it is told again when it is.
    if (this.#isReady) void this.#view?.webview.postMessage(messages);
  }

  #tellAgain(): void {
    this.#send([{ kind: "clear" }, ...[...this.#answers.values()].flat()]);
  }

  #hear(message: FromView): void {
    switch (message.kind) {
      case "ready":
        this.#isReady = true;
        this.#send([{ kind: "words", words: words() }]);
        this.#tellAgain();
        break;
      case "stop":
        this.#stopped.fire(message.run);
        break;
      case "open":
        void this.#openSource(message.run, message.source);
    }
  }

  async #openSource(run: number, index: number): Promise<void> {
    const told = this.#answers.get(run)?.findLast((message) => message.kind === "sources");
    const uri = told?.sources[index]?.uri;
    if (uri) await openSource(uri);
  }
}

/** The page lets in our own script and style; nothing remote, no frames, no forms, no command links. */
function page(webview: vscode.Webview, dist: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(dist, name)).toString();
  return `<!DOCTYPE html>
<html>
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy"
    content="default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; form-action 'none'; base-uri 'none'">
  <link rel="stylesheet" href="${at("answers.css")}">
</head>
<body>
  <main></main>
  <script nonce="${nonce}" src="${at("answers.js")}"></script>
</body>
</html>`;
}

function words(): Words {
  return {
    empty: vscode.l10n.t("Select code and choose Explain or Ask from the context menu, the light bulb or the command palette."),
    stop: vscode.l10n.t("Stop"),
    copy: vscode.l10n.t("Copy"),
    copied: vscode.l10n.t("Copied"),
    reasoning: vscode.l10n.t("Reasoning"),
    sources: vscode.l10n.t("Sources"),
    working: vscode.l10n.t("Working…"),
  };
}
