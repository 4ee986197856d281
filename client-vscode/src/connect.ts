/**
 * Connect: asks which server, where it is and for its key, has the server try them, and only then saves: address and
 * model in the user's settings, the key in VS Code's SecretStorage.
 */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { CONNECTIONS, type Connection } from "./connections";
import { describeError, plain } from "./errors";
import type { Keys } from "./keys";
import { pickModelOf } from "./models";
import { originOf } from "./origin";
import { type Check, chooseModel, connect, type ConnectParams, type ConnectResult, type Model } from "./protocol";
import type { Server } from "./server";
import { textSetting } from "./settings";

interface Wanted {
  connection: Connection;
  address: string;
  /** Undefined: that which is kept already, or none. */
  key?: string;
}

export async function connectToServer(server: Server, client: LanguageClient, keys: Keys): Promise<void> {
  let wanted = await ask(keys);
  while (wanted) {
    const result = await tryConnection(client, keys, wanted);
    const next = result?.isConnected ? "save" : result && (await sayFailed(result.checks));
    if (next === "save" && (await saveChosen(keys, wanted, result?.models ?? []))) await sayWhoAnswers(server);
    wanted = next === "again" ? await ask(keys, wanted) : undefined;
  }
}

/** Lets the user choose a kept key that is to be forgotten. */
export async function forgetKey(keys: Keys): Promise<void> {
  const kept = await keys.kept();
  if (!kept.length) {
    void vscode.window.showInformationMessage(vscode.l10n.t("No key is kept."));
    return;
  }
  const nameOf = (provider: string) => CONNECTIONS.find((each) => each.provider === provider)?.name ?? provider;
  const items = kept.map((key) => ({ label: nameOf(key.provider), description: key.origin, key }));
  const title = vscode.l10n.t("Sidelight: Forget a Key");
  const chosen = await vscode.window.showQuickPick(items, { title });
  if (chosen) await keys.forget(chosen.key);
}

async function ask(keys: Keys, before?: Wanted): Promise<Wanted | undefined> {
  const connection = await askConnection(before?.connection);
  if (!connection) return undefined;
  const suggested = before?.connection === connection ? before.address : textSetting(connection.addressSetting) || connection.address;
  const address = await askAddress(connection, suggested);
  if (address === undefined) return undefined;
  if (!connection.keyVariable) return { connection, address };
  const key = await askKey(connection, Boolean(await keys.get(connection, address)));
  return key === undefined ? undefined : { connection, address, ...(key ? { key } : {}) };
}

async function askConnection(before?: Connection): Promise<Connection | undefined> {
  const items = CONNECTIONS.map((connection) => ({ label: connection.name, detail: about(connection), connection }));
  // What was chosen before stands first, so that Enter takes it.
  items.sort((one, other) => Number(other.connection === before) - Number(one.connection === before));
  const title = vscode.l10n.t("Sidelight: Connect");
  const placeHolder = vscode.l10n.t("Where do your answers come from?");
  return (await vscode.window.showQuickPick(items, { title, placeHolder, ignoreFocusOut: true }))?.connection;
}

function about({ provider }: Connection): string {
  switch (provider) {
    case "anythingllm":
      return vscode.l10n.t("Your documents and your models, with sources");
    case "ollama":
      return vscode.l10n.t("Models on this machine or another");
    case "openai":
      return vscode.l10n.t("LM Studio, llama.cpp, vLLM, or any server with this interface");
    case "dashscope":
      return vscode.l10n.t("Models of Alibaba Cloud");
  }
}

function askAddress({ name, address }: Connection, value: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: vscode.l10n.t("Sidelight: Connect to {0}", name),
    prompt: address
      ? vscode.l10n.t("The address, such as {0}", address)
      : vscode.l10n.t("The address, by the region of your key. Empty: China's."),
    value,
    ignoreFocusOut: true,
    validateInput: (text) => {
      const origin = originOf(text);
      return origin === undefined || (!origin && address) ? vscode.l10n.t("This is not an address.") : undefined;
    },
  }).then((text) => text?.trim());
}

function askKey({ name }: Connection, isKept: boolean): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: vscode.l10n.t("Sidelight: Connect to {0}", name),
    prompt: isKept
      ? vscode.l10n.t("The API key. Empty: the one that is kept for this address.")
      : vscode.l10n.t("The API key. Empty: the server wants none."),
    password: true,
    ignoreFocusOut: true,
  }).then((text) => text?.trim());
}

/** Returns undefined when the user has cancelled, or when it was said why it could not be tried. */
async function tryConnection(client: LanguageClient, keys: Keys, { connection, address, key }: Wanted): Promise<ConnectResult | undefined> {
  if (key !== undefined) keys.mask(key);
  const known = key ?? (await keys.get(connection, address));
  const params: ConnectParams = { provider: connection.provider, address, ...(known ? { key: known } : {}) };
  const title = vscode.l10n.t("Connecting to {0}", connection.name);
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (_progress, token) => {
    try {
      return await client.sendRequest(connect, params, token);
    } catch (error) {
      if (!token.isCancellationRequested) void vscode.window.showErrorMessage(describeError(error));
      return undefined;
    }
  });
}

async function sayFailed(checks: Check[]): Promise<"again" | "save" | undefined> {
  const failed = checks.find(({ state }) => state === "failed");
  const again = vscode.l10n.t("Change…");
  const save = vscode.l10n.t("Save Anyway");
  const detail = failed?.hint ?? "";
  const said = plain(failed?.message ?? "") || vscode.l10n.t("The server could not be reached.");
  const choice = await vscode.window.showErrorMessage(said, { modal: true, detail }, again, save);
  if (choice === again) return "again";
  return choice === save ? "save" : undefined;
}

/** Lets the user choose a model and saves; returns whether that was done. */
async function saveChosen(keys: Keys, wanted: Wanted, models: Model[]): Promise<boolean> {
  const model = await pickModelOf(wanted.connection, models);
  if (model === undefined) return false;
  try {
    await save(keys, wanted, model);
    return true;
  } catch (error) {
    void vscode.window.showErrorMessage(vscode.l10n.t("The settings could not be saved. {0}", describeError(error)));
    return false;
  }
}

/** The server knows: the folder's own settings may want somebody else. What was chosen for the folder is over. */
async function sayWhoAnswers(server: Server): Promise<void> {
  await server.refreshKeys();
  await server.withClient(async (client) => {
    const { provider, model, why } = await client.sendRequest(chooseModel, {});
    const ask = vscode.l10n.t("Ask a Question");
    const who = [provider, model].filter(Boolean).join(" · ");
    const said = vscode.l10n.t("Answers come from {0} now: {1}.", plain(who), plain(why));
    void vscode.window.showInformationMessage(said, ask).then((choice) => {
      if (choice === ask) void vscode.commands.executeCommand("sidelight.palette.ask");
    });
  });
}

/** A machine-wide setting is written where the server runs: on the remote machine, where there is one. */
async function save(keys: Keys, { connection, address, key }: Wanted, model: string): Promise<void> {
  if (key !== undefined) await keys.set(connection, address, key);
  const settings = vscode.workspace.getConfiguration("sidelight");
  const everywhere = vscode.ConfigurationTarget.Global;
  await settings.update(connection.addressSetting, address || undefined, everywhere);
  await settings.update(connection.modelSetting, model || undefined, everywhere);
  await settings.update("provider", connection.provider, everywhere);
}
