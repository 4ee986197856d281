/** Choosing which model or AnythingLLM workspace answers. The server knows who can be reached; this lists them. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { Connection } from "./connections";
import { describeError } from "./errors";
import { chooseModel, type Model, models, type Unreachable } from "./protocol";

interface Item extends vscode.QuickPickItem {
  /** Undefined: what is configured. */
  model?: Model;
  isNone?: boolean;
}

/** Lets the user choose who answers from now on in this folder. */
export async function chooseAnyModel(client: LanguageClient): Promise<void> {
  const cancellation = new vscode.CancellationTokenSource();
  const listed = client.sendRequest(models, {}, cancellation.token);
  const items = listed.then(({ models, unreachable }) => [...itemsOf(models), ...unreachableItems(unreachable), asConfigured()]);
  try {
    const title = vscode.l10n.t("Which model answers from now on, in this folder?");
    const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true }, cancellation.token);
    if (!chosen || chosen.isNone) return;
    const { model } = chosen;
    const wanted = model ? { provider: model.provider, model: model.id, ...(model.address ? { address: model.address } : {}) } : {};
    const { provider, model: name } = await client.sendRequest(chooseModel, wanted);
    vscode.window.setStatusBarMessage(vscode.l10n.t("Answers come from {0} now.", [provider, name].filter(Boolean).join(" · ")), 5000);
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  } finally {
    cancellation.cancel();
  }
}

/** Lets the user choose among the models of one server. Empty: none is named; undefined: the user has cancelled. */
export async function pickModelOf({ name }: Connection, models: Model[]): Promise<string | undefined> {
  if (models.length <= 1) return models[0]?.id ?? "";
  const title = vscode.l10n.t("Sidelight: Connect to {0}", name);
  const placeHolder = vscode.l10n.t("Which one answers?");
  const items = models.map(itemOf);
  return (await vscode.window.showQuickPick(items, { title, placeHolder, ignoreFocusOut: true, matchOnDescription: true }))?.model?.id;
}

function itemsOf(models: Model[]): Item[] {
  const providers = [...new Set(models.map(({ provider }) => provider))];
  return providers.flatMap((provider) => [
    { label: provider, kind: vscode.QuickPickItemKind.Separator },
    ...models.filter((model) => model.provider === provider).map(itemOf),
  ]);
}

function itemOf(model: Model): Item {
  const name = model.name || model.id;
  return {
    label: model.isCurrent ? `$(check) ${name}` : name,
    description: [name === model.id ? "" : model.id, model.address].filter(Boolean).join(" · "),
    detail: model.detail,
    model,
  };
}

function unreachableItems(unreachable: Unreachable[]): Item[] {
  if (!unreachable.length) return [];
  return [
    { label: vscode.l10n.t("not reached"), kind: vscode.QuickPickItemKind.Separator },
    ...unreachable.map(({ provider, message, hint }) => ({
      label: `$(warning) ${provider}`, description: message, ...(hint ? { detail: hint } : {}), isNone: true,
    })),
  ];
}

function asConfigured(): Item {
  return { label: vscode.l10n.t("As configured"), detail: vscode.l10n.t("Forget what was chosen for this folder.") };
}
