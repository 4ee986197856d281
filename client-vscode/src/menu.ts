/** What a click on the status bar item offers. */
import * as vscode from "vscode";

export async function showMenu(): Promise<void> {
  const items = [
    { label: `$(comment) ${vscode.l10n.t("Ask…")}`, command: "ask" },
    { label: `$(play) ${vscode.l10n.t("Run Task…")}`, command: "runTask" },
    { label: `$(symbol-parameter) ${vscode.l10n.t("Choose Model or Workspace…")}`, command: "chooseModel" },
    { label: `$(plug) ${vscode.l10n.t("Connect…")}`, command: "connect" },
    { label: `$(pulse) ${vscode.l10n.t("Run Doctor")}`, command: "doctor" },
    { label: `$(output) ${vscode.l10n.t("Show Log")}`, command: "showLog" },
    { label: `$(debug-restart) ${vscode.l10n.t("Restart Server")}`, command: "restart" },
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: "Sidelight" });
  if (chosen) await vscode.commands.executeCommand(`sidelight.palette.${chosen.command}`);
}
