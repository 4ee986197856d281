/** Choosing one of the server's tasks, the user's own among them. A wrong file of a task is named, and opened when chosen. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { describeError } from "./errors";
import { type TaskInfo, type TaskList, type TaskProblem, tasks } from "./protocol";
import { offered } from "./tasklist";

interface Item extends vscode.QuickPickItem {
  task?: TaskInfo;
  problem?: TaskProblem;
}

export async function listTasks(client: LanguageClient, uri?: string): Promise<TaskList> {
  return client.sendRequest(tasks, uri === undefined ? {} : { uri });
}

/** Returns the chosen task; undefined where none was chosen, or a wrong file, which is shown then. */
export async function chooseTask(client: LanguageClient, uri?: string): Promise<TaskInfo | undefined> {
  try {
    const title = vscode.l10n.t("Sidelight: Run Task");
    const placeHolder = vscode.l10n.t("What is to be done here?");
    const items = listTasks(client, uri).then(itemsOf);
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true, matchOnDetail: true });
    if (chosen?.problem) await showProblem(chosen.problem);
    return chosen?.task;
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
    return undefined;
  }
}

/** Asks for what a task needs to be told; undefined where the user has cancelled. */
export async function askInstruction({ title }: TaskInfo): Promise<string | undefined> {
  const instruction = await vscode.window.showInputBox({ title, prompt: vscode.l10n.t("What should this task know?") });
  return instruction?.trim() ? instruction : undefined;
}

function itemsOf({ tasks, problems }: TaskList): Item[] {
  const { own, ours } = offered(tasks, vscode.window.activeTextEditor?.document.languageId);
  return [
    ...group(vscode.l10n.t("Your Own"), own.map(itemOf)),
    ...group(vscode.l10n.t("Could Not Be Read"), problems.map(problemItem)),
    ...group("Sidelight", ours.map(itemOf)),
  ];
}

function group(label: string, items: Item[]): Item[] {
  return items.length ? [{ label, kind: vscode.QuickPickItemKind.Separator }, ...items] : [];
}

function itemOf(task: TaskInfo): Item {
  return { label: task.title || task.name, ...(task.description ? { detail: task.description } : {}), task };
}

function problemItem(problem: TaskProblem): Item {
  const { file, line, message } = problem;
  return { label: `$(warning) ${file.split(/[\\/]/).pop() ?? file}:${line}`, description: message, problem };
}

async function showProblem({ file, line }: TaskProblem): Promise<void> {
  const uri = /^file:/i.test(file) ? vscode.Uri.parse(file, true) : vscode.Uri.file(file);
  const at = new vscode.Position(Math.max(0, line - 1), 0);
  try {
    await vscode.window.showTextDocument(uri, { selection: new vscode.Range(at, at) });
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}
