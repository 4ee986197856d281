/**
 * The keys of servers, in VS Code's SecretStorage: never in settings, never in a log.
 *
 * A key belongs to the address for which it was entered. The server process gets it in its environment, and only while
 * the settings name that address; the server itself binds it further (`Settings.bound`).
 */
import * as vscode from "vscode";
import { originOf } from "./origin";
import { CONNECTIONS, type Connection } from "./connections";

export class Keys {
  constructor(private readonly secrets: vscode.SecretStorage) {}

  /** The environment in which the server is to be started, beside that of VS Code. */
  async environment(): Promise<Record<string, string>> {
    const environment: Record<string, string> = {};
    for (const connection of CONNECTIONS) {
      const key = connection.keyVariable && (await this.get(connection, addressOf(connection)));
      if (connection.keyVariable && key) environment[connection.keyVariable] = key;
    }
    return environment;
  }

  async get(connection: Connection, address: string): Promise<string | undefined> {
    const name = nameOf(connection, address);
    return name && (await this.secrets.get(name));
  }

  /** Keeps a key; an empty one is forgotten. */
  async set(connection: Connection, address: string, key: string): Promise<void> {
    const name = nameOf(connection, address);
    if (!name) return;
    if (key) await this.secrets.store(name, key);
    else await this.secrets.delete(name);
  }
}

/** The address in the user's settings. */
export function addressOf({ addressSetting }: Connection): string {
  return vscode.workspace.getConfiguration("sidelight").get(addressSetting, "").trim();
}

function nameOf({ provider }: Connection, address: string): string | undefined {
  const origin = originOf(address);
  return origin === undefined ? undefined : `key ${provider} ${origin}`;
}
