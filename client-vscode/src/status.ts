/** The status bar item and the language status: who answers, and whether something is running or wrong. */
import * as vscode from "vscode";
import type { DoctorResult, Status } from "./protocol";
import type { ServerState } from "./server";

export class StatusItem implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem("sidelight.status", vscode.StatusBarAlignment.Right, 100);
  readonly #language = vscode.languages.createLanguageStatusItem("sidelight.doctor", [{ scheme: "file" }, { scheme: "untitled" }]);

  constructor() {
    this.#item.name = "Sidelight";
    this.#language.name = "Sidelight";
    this.#language.command = { command: "sidelight.palette.doctor", title: vscode.l10n.t("Run Doctor") };
    this.show({ kind: "stopped" });
    this.#item.show();
  }

  show(state: ServerState): void {
    this.#item.backgroundColor = undefined;
    switch (state.kind) {
      case "starting":
        this.#set("loading~spin", "Sidelight", vscode.l10n.t("The server is starting."), "menu");
        this.#tell("Sidelight", "", vscode.LanguageStatusSeverity.Information, true);
        break;
      case "lost":
        // What follows, a start or an end, is told by itself.
        break;
      case "stopped":
        this.#set("circle-slash", "Sidelight", vscode.l10n.t("The Sidelight server is not running."), "menu");
        this.#tell(vscode.l10n.t("The Sidelight server is not running."), "", vscode.LanguageStatusSeverity.Error);
        break;
      case "said":
        this.#say(state.status);
    }
  }

  /** Shows what the doctor has found, until something else is known. */
  showExamined({ state, summary }: DoctorResult): void {
    this.#tell(summary, vscode.l10n.t("as the doctor found it"), SEVERITIES[state]);
  }

  dispose(): void {
    this.#item.dispose();
    this.#language.dispose();
  }

  #say({ state, message, provider, model, why }: Status): void {
    const isBusy = state === "busy";
    const who = [provider, model].filter(Boolean).join(" · ") || "Sidelight";
    this.#set(ICONS[state], shortened(who), [isBusy ? "" : message, who, why].filter(Boolean).join("\n"), isBusy ? "stop" : "menu");
    if (state === "warning" || state === "error") {
      this.#item.backgroundColor = new vscode.ThemeColor(`statusBarItem.${state}Background`);
    }
    this.#tell(who, isBusy ? "" : message || (why ?? ""), SEVERITIES[state], isBusy);
  }

  #set(icon: string, text: string, said: string, click: "stop" | "menu"): void {
    const hint = click === "stop" ? vscode.l10n.t("Click to stop.") : vscode.l10n.t("Click for more.");
    this.#item.text = `$(${icon}) ${text}`;
    this.#item.tooltip = `Sidelight\n${said}\n${hint}`;
    this.#item.accessibilityInformation = { label: `Sidelight: ${text}. ${said} ${hint}`, role: "button" };
    this.#item.command = `sidelight.palette.${click}`;
  }

  #tell(text: string, detail: string, severity: vscode.LanguageStatusSeverity, isBusy = false): void {
    Object.assign(this.#language, { text, detail, severity, busy: isBusy });
  }
}

const LONGEST = 40;

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

const ICONS: Record<Status["state"], string> = {
  ready: "lightbulb",
  busy: "loading~spin",
  warning: "warning",
  error: "error",
  inactive: "circle-slash",
};

const SEVERITIES: Record<Status["state"] | DoctorResult["state"], vscode.LanguageStatusSeverity> = {
  ok: vscode.LanguageStatusSeverity.Information,
  ready: vscode.LanguageStatusSeverity.Information,
  busy: vscode.LanguageStatusSeverity.Information,
  inactive: vscode.LanguageStatusSeverity.Warning,
  warning: vscode.LanguageStatusSeverity.Warning,
  error: vscode.LanguageStatusSeverity.Error,
  failed: vscode.LanguageStatusSeverity.Error,
};
