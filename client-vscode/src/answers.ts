/**
 * The view in the side bar: its page, and the border that messages cross.
 *
 * What a model wrote crosses as data only; the view shows it as text. VS Code throws a hidden view away and builds it
 * anew when it is seen again, so a view says when it is ready, and what is said before is not heard.
 */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { FromView, ToView } from "./messages";

const VIEW = "sidelight.answers";

export class AnswersView implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #heard = new vscode.EventEmitter<FromView>();
  readonly onMessage = this.#heard.event;
  readonly #registration: vscode.Disposable;
  #view: vscode.WebviewView | undefined;
  #isReady = false;

  constructor(private readonly extensionUri: vscode.Uri) {
    this.#registration = vscode.window.registerWebviewViewProvider(VIEW, this);
  }

  /** Whether what is said to the view is heard. */
  get isReady(): boolean {
    return this.#isReady;
  }

  post(...messages: ToView[]): void {
    if (this.#isReady) void this.#view?.webview.postMessage(messages);
  }

  /** Shows the view; leaves the cursor where it is unless it shall come along. */
  async reveal(takesFocus = false): Promise<void> {
    if (this.#view && !takesFocus) this.#view.show(true);
    else await vscode.commands.executeCommand(`${VIEW}.focus`, { preserveFocus: !takesFocus });
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const dist = vscode.Uri.joinPath(this.extensionUri, "client-vscode", "dist");
    this.#view = view;
    this.#isReady = false;
    view.webview.options = { enableScripts: true, localResourceRoots: [dist] };
    view.webview.onDidReceiveMessage((message: FromView) => {
      if (message.kind === "ready") this.#isReady = true;
      this.#heard.fire(message);
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
    this.#heard.dispose();
  }
}

/** The page lets in our own script and style; nothing remote, no frames, no forms, no command links. */
function page(webview: vscode.Webview, dist: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(dist, name)).toString();
  return `<!DOCTYPE html>
<html lang="${vscode.env.language.replace(/[^\w-]/g, "")}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy"
    content="default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; form-action 'none'; base-uri 'none'">
  <link rel="stylesheet" href="${at("answers.css")}">
</head>
<body>
  <script nonce="${nonce}" src="${at("answers.js")}"></script>
</body>
</html>`;
}
