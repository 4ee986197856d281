/** Asks things of the server, and shows what goes wrong. */
import * as vscode from "vscode";
import { ExecuteCommandRequest, type LanguageClient } from "vscode-languageclient/node";
import { describeError } from "./errors";
import type { Server } from "./server";

/** Has the server do something that it answers at once. */
export async function execute(client: LanguageClient, command: string, argument?: object): Promise<void> {
  try {
    await client.sendRequest(ExecuteCommandRequest.type, { command, ...(argument ? { arguments: [argument] } : {}) });
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}

/** Does something with the running server; that there is none is said, too. */
export async function attempt(server: Server, work: (client: LanguageClient) => Promise<void>): Promise<void> {
  try {
    await server.withClient(work);
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}
