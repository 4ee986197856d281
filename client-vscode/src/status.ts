/** The status bar item: who answers, and whether something is running. A click stops it, or shows the log. */
import * as vscode from "vscode";
import type { Status } from "./protocol";
import type { ServerState } from "./server";

export class StatusItem implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem("sidelight.status", vscode.StatusBarAlignment.Right, 100);

  constructor() {
    this.#item.name = "Sidelight";
    this.show({ kind: "stopped" });
    this.#item.show();
  }

  show(state: ServerState): void {
    this.#item.backgroundColor = undefined;
    switch (state.kind) {
      case "starting":
        this.#set("loading~spin", "Sidelight", vscode.l10n.t("The server is starting."), "showLog");
        break;
      case "stopped":
        this.#set("circle-slash", "Sidelight", vscode.l10n.t("The Sidelight server is not running."), "showLog");
        break;
      case "said":
        this.#say(state.status);
    }
  }

  dispose(): void {
    this.#item.dispose();
  }

  #say({ state, message, provider, model, why }: Status): void {
    const isBusy = state === "busy";
    const who = [provider, model].filter(Boolean).join(" · ");
    this.#set(ICONS[state], provider || "Sidelight", [message, who, why].filter(Boolean).join("\n"), isBusy ? "stop" : "showLog");
    if (state === "warning" || state === "error") {
      this.#item.backgroundColor = new vscode.ThemeColor(`statusBarItem.${state}Background`);
    }
  }

  #set(icon: string, text: string, said: string, click: "stop" | "showLog"): void {
    const hint = click === "stop" ? vscode.l10n.t("Click to stop.") : vscode.l10n.t("Click to show the log.");
    this.#item.text = `$(${icon}) ${text}`;
    this.#item.tooltip = `Sidelight\n${said}\n${hint}`;
    this.#item.accessibilityInformation = { label: `Sidelight: ${text}. ${said} ${hint}`, role: "button" };
    this.#item.command = `sidelight.palette.${click}`;
  }
}

const ICONS: Record<Status["state"], string> = {
  ready: "lightbulb",
  busy: "loading~spin",
  warning: "warning",
  error: "error",
  inactive: "circle-slash",
};
