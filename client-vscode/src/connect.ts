/**
 * Connect: asks which server, where it is and for its key, has the server try them, and only then saves: address and
 * model in the user's settings, the key in VS Code's SecretStorage.
 */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { describeError } from "./errors";
import { addressOf, type Keys } from "./keys";
import { CONNECTIONS, type Connection } from "./connections";
import { type Check, connect, type ConnectParams, type ConnectResult, type Model } from "./protocol";
import { originOf } from "./origin";
import { pickModelOf } from "./models";

interface Wanted {
  connection: Connection;
  address: string;
  /** Undefined: that which is kept already, or none. */
  key?: string;
}

export async function connectToServer(client: LanguageClient, keys: Keys): Promise<void> {
  let wanted = await ask(keys);
  while (wanted) {
    const result = await tryConnection(client, keys, wanted);
    const next = result?.isConnected ? "save" : result && (await sayFailed(result.checks));
    if (next === "save") await saveConnected(keys, wanted, result?.models ?? []);
    wanted = next === "again" ? await ask(keys, wanted) : undefined;
  }
}

async function ask(keys: Keys, before?: Wanted): Promise<Wanted | undefined> {
  const connection = await askConnection(before?.connection);
  if (!connection) return undefined;
  const suggested = before?.connection === connection ? before.address : addressOf(connection) || connection.address;
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
  const said = failed?.message ?? vscode.l10n.t("The server could not be reached.");
  const choice = await vscode.window.showErrorMessage(said, { modal: true, detail }, again, save);
  if (choice === again) return "again";
  return choice === save ? "save" : undefined;
}

async function saveConnected(keys: Keys, wanted: Wanted, models: Model[]): Promise<void> {
  const model = await pickModelOf(wanted.connection, models);
  if (model === undefined) return;
  try {
    await save(keys, wanted, model);
  } catch (error) {
    void vscode.window.showErrorMessage(vscode.l10n.t("The settings could not be saved. {0}", String(error)));
    return;
  }
  const ask = vscode.l10n.t("Ask a Question");
  const said = vscode.l10n.t("Sidelight asks {0} from now on.", [wanted.connection.name, model].filter(Boolean).join(" · "));
  if (await vscode.window.showInformationMessage(said, ask) === ask) await vscode.commands.executeCommand("sidelight.palette.ask");
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
