/**
 * The keys of servers, in VS Code's SecretStorage: never in settings, never in a log.
 *
 * A key belongs to the origin for which it was entered. The server process gets it in its environment, together with
 * that origin, and only if the settings named it when the server was started; the server sends it nowhere else.
 */
import * as vscode from "vscode";
import { CONNECTIONS, type Connection } from "./connections";
import type { Masks } from "./masks";
import { originOf } from "./origin";
import { textSetting } from "./settings";

const SECRET = "keys";
const ORIGINS = "SIDELIGHT_KEY_ORIGINS";

/** One kept key; `origin` is empty for the vendor's own address. */
export interface KeptKey {
  provider: string;
  origin: string;
}

type ByOrigin = Record<string, string>;
type ByProvider = Record<string, ByOrigin>;

export class Keys {
  constructor(
    private readonly secrets: vscode.SecretStorage,
    private readonly masks: Masks,
  ) {}

  /** The environment in which the server is to be started, beside that of VS Code. */
  async environment(): Promise<Record<string, string>> {
    const all = await this.#all();
    const keys: Record<string, string> = {};
    const origins: Record<string, string> = {};
    for (const { provider, keyVariable, addressSetting } of CONNECTIONS) {
      const origin = originOf(textSetting(addressSetting));
      const key = origin === undefined ? undefined : all[provider]?.[origin];
      if (!keyVariable || !key || origin === undefined) continue;
      keys[keyVariable] = key;
      origins[keyVariable] = origin;
    }
    return Object.keys(keys).length ? { ...keys, [ORIGINS]: JSON.stringify(origins) } : {};
  }

  async get({ provider }: Connection, address: string): Promise<string | undefined> {
    const origin = originOf(address);
    return origin === undefined ? undefined : (await this.#all())[provider]?.[origin];
  }

  async set({ provider }: Connection, address: string, key: string): Promise<void> {
    const origin = originOf(address);
    if (origin === undefined) return;
    const all = await this.#all();
    await this.#store({ ...all, [provider]: { ...all[provider], [origin]: key } });
  }

  async kept(): Promise<KeptKey[]> {
    const all = Object.entries(await this.#all());
    return all.flatMap(([provider, keys]) => Object.keys(keys).map((origin) => ({ provider, origin })));
  }

  async forget({ provider, origin }: KeptKey): Promise<void> {
    const all = await this.#all();
    const others = Object.entries(all[provider] ?? {}).filter(([each]) => each !== origin);
    await this.#store({ ...all, [provider]: Object.fromEntries(others) });
  }

  /** Keeps a key that was just entered out of the log; those that are kept never get there. */
  mask(key: string): void {
    this.masks.add(key);
  }

  async #all(): Promise<ByProvider> {
    const all = JSON.parse((await this.secrets.get(SECRET)) ?? "{}") as ByProvider;
    this.masks.add(...Object.values(all).flatMap((byOrigin) => Object.values(byOrigin)));
    return all;
  }

  #store(keys: ByProvider): Thenable<void> {
    return this.secrets.store(SECRET, JSON.stringify(keys));
  }
}
