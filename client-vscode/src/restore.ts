/** Choosing which text from before an edit comes back. The server keeps them, and merges in what was typed since. */
import * as vscode from "vscode";
import { ExecuteCommandRequest, type LanguageClient } from "vscode-languageclient/node";
import { describeError } from "./errors";
import { history, type RestorePoint } from "./protocol";
import { taskNames } from "./words";

export async function restoreText(client: LanguageClient, uri: string): Promise<void> {
  try {
    const { points } = await client.sendRequest(history, { uri });
    const names = taskNames();
    const items = points.map((point) => ({ label: vscode.l10n.t("before “{0}”", names[point.task] ?? point.task), ...about(point), id: point.id }));
    if (!items.length) {
      void vscode.window.showInformationMessage(vscode.l10n.t("No earlier text of this file is kept."));
      return;
    }
    const title = vscode.l10n.t("Which text of {0} do you want back?", points[0]?.name ?? "");
    const point = (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.id;
    if (point === undefined) return;
    await client.sendRequest(ExecuteCommandRequest.type, { command: "sidelight.restore", arguments: [{ uri, point }] });
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}

function about({ madeAt, changedLines, isRunning }: RestorePoint): { description: string; detail?: string } {
  const description = new Date(madeAt).toLocaleString(vscode.env.language);
  if (isRunning) return { description, detail: vscode.l10n.t("This edit is under way.") };
  if (changedLines === null) return { description, detail: vscode.l10n.t("This edit never came to its end.") };
  return { description, detail: changedLines === 1 ? vscode.l10n.t("1 line changed") : vscode.l10n.t("{0} lines changed", changedLines) };
}
