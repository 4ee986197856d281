/**
 * Has a commit message written, and puts it into the message box of the Git extension; without one, into a document.
 * What the user wrote there is replaced only when the user has agreed to that very text being replaced.
 */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { endOf } from "./endings";
import { describeError, plain } from "./errors";
import { chooseRepository, type Repository } from "./git";
import { run } from "./protocol";

export async function writeCommitMessage(client: LanguageClient, root?: vscode.Uri): Promise<void> {
  const repository = await chooseRepository(root);
  if (repository === null) return;
  const before = repository?.inputBox.value ?? "";
  if (before.trim() && !(await mayReplace())) return;
  try {
    const message = await askFor(client, repository?.rootUri ?? root ?? openedUri());
    if (message) await put(message, repository, before);
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}

/** Where the user is: the file in front, or else the folder. */
export function openedUri(): vscode.Uri | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === "file" ? uri : vscode.workspace.workspaceFolders?.[0]?.uri;
}

async function askFor(client: LanguageClient, uri: vscode.Uri | undefined): Promise<string> {
  const about = uri && { uri: client.code2ProtocolConverter.asUri(uri) };
  const result = await vscode.window.withProgress({ location: vscode.ProgressLocation.SourceControl }, () =>
    client.sendRequest(run, { task: "commit", ...about }));
  const { message, hint } = endOf(result);
  const said = [message, hint, ...(result.notes ?? [])].filter(Boolean).join(" ");
  if (said) void vscode.window.showWarningMessage(plain(said));
  // What was stopped is not wanted, and a refusal is no message; the conversation keeps both.
  return ["stopped", "refused"].includes(result.finish) ? "" : (result.text ?? "").trim();
}

async function mayReplace(): Promise<boolean> {
  const replace = vscode.l10n.t("Replace");
  const question = vscode.l10n.t("Replace the commit message that is there?");
  return (await vscode.window.showWarningMessage(question, { modal: true }, replace)) === replace;
}

async function put(message: string, repository: Repository | undefined, before: string): Promise<void> {
  if (!repository) {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: message, language: "git-commit" }));
    return;
  }
  const { inputBox } = repository;
  if (!inputBox.value.trim() || inputBox.value === before) {
    inputBox.value = message;
    await vscode.commands.executeCommand("workbench.view.scm");
    return;
  }
  // Written meanwhile.
  const replace = vscode.l10n.t("Replace");
  const copy = vscode.l10n.t("Copy");
  const choice = await vscode.window.showInformationMessage(vscode.l10n.t("The commit message was changed meanwhile."), replace, copy);
  if (choice === replace) inputBox.value = message;
  if (choice === copy) await vscode.env.clipboard.writeText(message);
}
