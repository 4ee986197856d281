/** The part of the Git extension that we use: https://github.com/microsoft/vscode/blob/main/extensions/git/src/api/git.d.ts */
import * as vscode from "vscode";

export interface Repository {
  readonly rootUri: vscode.Uri;
  readonly inputBox: { value: string };
  readonly ui: { readonly selected: boolean };
}

interface Git {
  readonly repositories: Repository[];
  getRepository(uri: vscode.Uri): Repository | null;
}

/** Returns the repository that is meant; undefined where there is none, null where the user has chosen none. */
export async function chooseRepository(given?: vscode.Uri): Promise<Repository | undefined | null> {
  const git = await findGit();
  if (!git) return undefined;
  const uri = given ?? vscode.window.activeTextEditor?.document.uri;
  const around = uri && git.getRepository(uri);
  if (around) return around;
  const { repositories } = git;
  if (repositories.length <= 1) return repositories[0];
  const selected = repositories.filter(({ ui }) => ui.selected);
  return selected.length === 1 ? selected[0] : pickRepository(repositories);
}

async function pickRepository(repositories: Repository[]): Promise<Repository | null> {
  const items = repositories.map((repository) => {
    const { path, fsPath } = repository.rootUri;
    return { label: path.split("/").pop() ?? path, description: fsPath, repository };
  });
  const title = vscode.l10n.t("Which repository?");
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.repository ?? null;
}

async function findGit(): Promise<Git | undefined> {
  try {
    const exported = await vscode.extensions.getExtension<{ getAPI(version: 1): Git }>("vscode.git")?.activate();
    return exported?.getAPI(1);
  } catch {
    // It is switched off by a setting, or by a folder that is not trusted.
    return undefined;
  }
}
