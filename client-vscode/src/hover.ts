/**
 * Puts "Ask Again" below the server's hover. What the server shows there quotes a model and stays untrusted: no command
 * link in it is followed. The line below it is ours, and may run one command.
 */
import * as vscode from "vscode";
import type { LanguageClient, Middleware } from "vscode-languageclient/node";
import type { Runs } from "./runs";
import type { Server } from "./server";

const AGAIN = "sidelight.explainAgain";

export const provideHover: NonNullable<Middleware["provideHover"]> = async (document, position, token, next) => {
  const hover = await next(document, position, token);
  if (!hover?.contents.length) return hover;
  return new vscode.Hover([...hover.contents.map(untrusted), askAgain(document.uri, hover.range ?? new vscode.Range(position, position))], hover.range);
};

/** The command behind the link: explains what stands at a place of a document anew, in the view. */
export function registerAskAgain(server: Server, runs: Runs): vscode.Disposable {
  return vscode.commands.registerCommand(AGAIN, async (uri: unknown, line: unknown, character: unknown) => {
    if (typeof uri !== "string" || typeof line !== "number" || typeof character !== "number") return;
    const at = { line, character };
    const work = (client: LanguageClient) =>
      runs.start(client, { task: "explain", uri: client.code2ProtocolConverter.asUri(vscode.Uri.parse(uri, true)), range: { start: at, end: at }, symbol: true });
    await server.withClient(work);
  });
}

function untrusted<Content>(content: Content): Content {
  if (content instanceof vscode.MarkdownString) content.isTrusted = content.supportHtml = false;
  return content;
}

function askAgain(uri: vscode.Uri, { start }: vscode.Range): vscode.MarkdownString {
  const given = encodeURIComponent(JSON.stringify([uri.toString(), start.line, start.character]));
  const link = new vscode.MarkdownString(`[${vscode.l10n.t("Ask Again")}](command:${AGAIN}?${given})`);
  link.isTrusted = { enabledCommands: [AGAIN] };
  return link;
}
