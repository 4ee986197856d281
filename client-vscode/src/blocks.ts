/** Puts code of an answer into a document: as it is at the cursor, or, by way of the server, as an edit to be reviewed. */
import * as vscode from "vscode";
import { ExecuteCommandRequest, type LanguageClient } from "vscode-languageclient/node";
import type { Conversation } from "./conversation";
import { describeError, plain } from "./errors";
import { fitted } from "./fitting";
import type { Turn } from "./messages";
import { WRITABLE } from "./offers";

/** Inserts at the cursor, or in place of the selection; one undo takes it back. */
export async function insertAtCursor(code: string): Promise<void> {
  const editor = writtenEditor();
  if (!editor) {
    void vscode.window.showInformationMessage(vscode.l10n.t("Open a file first."));
    return;
  }
  const { document, selection } = editor;
  const before = document.lineAt(selection.start.line).text.slice(0, selection.start.character);
  const isDone = await editor.edit((edit) => { edit.replace(selection, fitted(code, before)); });
  if (!isDone) {
    void vscode.window.showErrorMessage(vscode.l10n.t("The code could not be inserted into {0}.", plain(nameOf(document.uri))));
    return;
  }
  const end = editor.selection.end;
  editor.selection = new vscode.Selection(end, end);
  if (document.uri.scheme === "vscode-notebook-cell") return;
  await vscode.window.showTextDocument(document, { ...(editor.viewColumn ? { viewColumn: editor.viewColumn } : {}), preserveFocus: false });
}

/** Has the server make an edit of the code where the question was about; without a place, where the cursor is. */
export async function applyAsEdit(client: LanguageClient, conversation: Conversation, turn: Turn, code: string): Promise<void> {
  const place = placeOfTurn(conversation, turn) ?? placeOfCursor(client);
  if (!place) {
    void vscode.window.showInformationMessage(vscode.l10n.t("Open a file first."));
    return;
  }
  const number = turn.number === undefined ? {} : { turn: turn.number };
  const argument = { code, ...place, conversation: conversation.id, ...number };
  try {
    await showDocument(client.protocol2CodeConverter.asUri(place.uri));
    await client.sendRequest(ExecuteCommandRequest.type, { command: "sidelight.applyCode", arguments: [argument] });
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}

/** Shows where a turn's question was about. */
export async function showPlace(client: LanguageClient, conversation: Conversation, turn: Turn): Promise<void> {
  const place = placeOfTurn(conversation, turn);
  if (!place) return;
  try {
    const converter = client.protocol2CodeConverter;
    const selection = place.range && { selection: converter.asRange(place.range) };
    await showDocument(converter.asUri(place.uri), { preserveFocus: false, ...selection });
  } catch (error) {
    void vscode.window.showErrorMessage(describeError(error));
  }
}

/** The editor that the user is in; where that only shows something, one beside it. */
function writtenEditor(): vscode.TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  return [activeTextEditor, ...visibleTextEditors].find((editor) => editor && WRITABLE.includes(editor.document.uri.scheme));
}

function placeOfTurn(conversation: Conversation, turn: Turn) {
  const { uri, range } = conversation.asked.get(turn.key) ?? {};
  return uri === undefined ? undefined : { uri, ...(range ? { range } : {}) };
}

function placeOfCursor(client: LanguageClient) {
  const editor = writtenEditor();
  if (!editor) return undefined;
  const { code2ProtocolConverter: converter } = client;
  return { uri: converter.asUri(editor.document.uri), range: converter.asRange(editor.selection) };
}

async function showDocument(uri: vscode.Uri, options: vscode.TextDocumentShowOptions = { preserveFocus: true }): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  // A cell is shown by its notebook, and not by itself.
  if (uri.scheme === "vscode-notebook-cell") return;
  const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
  await vscode.window.showTextDocument(document, { ...(shown?.viewColumn ? { viewColumn: shown.viewColumn } : {}), ...options });
}

function nameOf(uri: vscode.Uri): string {
  return uri.path.split("/").pop() ?? uri.toString();
}
