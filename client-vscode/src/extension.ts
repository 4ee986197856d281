/** The extension's front door: puts the parts together and takes them down. The server decides; this shows. */
import * as vscode from "vscode";
import { AnswersView } from "./answers";
import { Commands } from "./commands";
import { Runs } from "./runs";
import { Server } from "./server";
import { changesTheStart } from "./settings";
import { StatusItem } from "./status";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Sidelight", { log: true });
  const view = new AnswersView(context.extensionUri);
  const runs = new Runs(view);
  const item = new StatusItem();
  const started = (server = new Server(context.extensionPath, log));
  const commands = new Commands(started, runs);
  started.onCommand = commands.executeCommand;
  context.subscriptions.push(
    log, view, runs, item, started,
    commands.register(),
    vscode.commands.registerCommand("sidelight.palette.showLog", () => { log.show(); }),
    vscode.commands.registerCommand("sidelight.palette.clear", () => { view.clear(); }),
    started.onDidChange((state) => { item.show(state); }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => started.trustGranted()),
    vscode.workspace.onDidChangeConfiguration((event) => changesTheStart(event) && started.restart()),
  );
  // Not awaited: looking for a Python takes its time, and the commands answer meanwhile.
  void started.restart();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
