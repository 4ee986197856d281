/** The last step of the walkthrough: a small program, and an answer about it that streams in. */
import * as vscode from "vscode";

export async function tryIt(extensionUri: vscode.Uri): Promise<void> {
  const example = vscode.Uri.joinPath(extensionUri, "client-vscode", "media", "walkthrough", "example.py");
  const content = new TextDecoder().decode(await vscode.workspace.fs.readFile(example));
  // Untitled, so that it is the user's to change, and nothing is left on the disk.
  const document = await vscode.workspace.openTextDocument({ language: "python", content });
  const editor = await vscode.window.showTextDocument(document);
  editor.selection = new vscode.Selection(0, 0, document.lineCount, 0);
  await vscode.commands.executeCommand("sidelight.palette.explain");
}
