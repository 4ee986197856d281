/** Opens what an answer cites. Its address was written by a server: only schemes that show something are followed. */
import * as vscode from "vscode";

export async function openSource(address: string): Promise<void> {
  const uri = vscode.Uri.parse(address);
  switch (uri.scheme) {
    case "http":
    case "https":
      // VS Code asks before it leaves for a site that is not trusted.
      await vscode.env.openExternal(uri);
      break;
    case "file":
    case "sidelight":
      await openDocument(uri);
      break;
    default:
      void vscode.window.showWarningMessage(vscode.l10n.t("Sidelight does not open {0}", address));
  }
}

async function openDocument(uri: vscode.Uri): Promise<void> {
  try {
    await vscode.window.showTextDocument(uri, { preview: true });
  } catch (error) {
    void vscode.window.showErrorMessage(String(error));
  }
}
