/** The `sidelight` section as the server wants it: without the keys that are the client's own. */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

const CLIENT_ONLY = ["python", "server"];

export function serverSettings(): Record<string, unknown> {
  return withoutClientOnly(vscode.workspace.getConfiguration().get("sidelight"));
}

/** Answers `workspace/configuration` with the same. */
export const configuration: NonNullable<NonNullable<Middleware["workspace"]>["configuration"]> = async (params, token, next) => {
  const values = await next(params, token);
  if (!Array.isArray(values)) return values;
  return values.map((value: unknown, index) => (params.items[index]?.section === "sidelight" ? withoutClientOnly(value) : value));
};

function withoutClientOnly(section: unknown): Record<string, unknown> {
  const settings = section !== null && typeof section === "object" ? section : {};
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !CLIENT_ONLY.includes(key)));
}

/** A setting of kind text; whatever else stands in its place counts as empty. */
export function textSetting(name: string): string {
  const value = vscode.workspace.getConfiguration("sidelight").get<unknown>(name);
  return typeof value === "string" ? value.trim() : "";
}

export function pythonSetting(): string {
  return textSetting("python");
}

export function serverCommandSetting(): string[] {
  const value = vscode.workspace.getConfiguration("sidelight").get<unknown>("server.command");
  return Array.isArray(value) ? value.filter((part) => typeof part === "string") : [];
}

/** Whether the server has to be started anew for the change to count. */
export function changesTheStart(event: vscode.ConfigurationChangeEvent): boolean {
  return CLIENT_ONLY.some((key) => event.affectsConfiguration(`sidelight.${key}`));
}
