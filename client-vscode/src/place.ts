/** Where the user is: the document, the selection and what other tools found wrong there, in LSP's terms. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { TaskArguments } from "./protocol";

/** The documents that the server is told of: files, what is not saved yet, cells, and its own answer pages. */
export const SCHEMES = ["file", "untitled", "vscode-notebook-cell", "sidelight"];

/** Returns undefined when no document that the server knows is open in front of the user. */
export async function placeOf(client: LanguageClient): Promise<TaskArguments | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (!editor || !SCHEMES.includes(editor.document.uri.scheme)) return undefined;
  const { document, selection } = editor;
  const converter = client.code2ProtocolConverter;
  return {
    uri: converter.asUri(document.uri),
    range: converter.asRange(selection),
    diagnostics: await converter.asDiagnostics(diagnosticsAt(document, selection)),
  };
}

/** A server sees its own diagnostics only; those of all tools are known to the editor alone. */
function diagnosticsAt(document: vscode.TextDocument, selection: vscode.Selection): vscode.Diagnostic[] {
  const place = selection.isEmpty ? document.lineAt(selection.active.line).range : selection;
  return vscode.languages.getDiagnostics(document.uri).filter(({ range }) => range.intersection(place));
}
