/** The extension's front door: puts the parts together and takes them down. The server decides; this shows. */
import * as vscode from "vscode";
import { Changes } from "./changes";
import { Commands } from "./commands";
import { connectToServer, forgetKey } from "./connect";
import { Doctor } from "./doctor";
import { Edits } from "./edits";
import { provideHover, registerAskAgain } from "./hover";
import { Keys } from "./keys";
import { Knowledge } from "./knowledge";
import { Masks } from "./masks";
import { showMenu } from "./menu";
import { Server } from "./server";
import { changesTheStart } from "./settings";
import { SideView } from "./side";
import { StatusItem } from "./status";
import { tryIt } from "./walkthrough";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const masks = new Masks();
  const log = masks.over(vscode.window.createOutputChannel("Sidelight", { log: true }));
  const keys = new Keys(context.secrets, masks);
  const item = new StatusItem();
  const started = (server = new Server(context.extensionPath, context.globalStorageUri.fsPath, keys, log));
  const side = new SideView(context, started);
  const edits = new Edits(() => started.client);
  const commands = new Commands(started, side.runs, edits);
  const changes = new Changes();
  const doctor = new Doctor();
  started.use({
    executeCommand: commands.executeCommand,
    handleDiagnostics: changes.handleDiagnostics,
    handleWorkDoneProgress: edits.handleWorkDoneProgress,
    provideHover,
    workspace: { handleApplyEdit: edits.handleApplyEdit },
  });
  const palette = (name: string, work: () => unknown) => vscode.commands.registerCommand(`sidelight.palette.${name}`, work);
  context.subscriptions.push(
    log, side, item, started, changes, doctor,
    commands.register(),
    new Knowledge(started).register(),
    registerAskAgain(started, side.runs),
    palette("showLog", () => { log.show(); }),
    palette("menu", showMenu),
    palette("getStarted", () => vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`)),
    palette("tryIt", () => tryIt(context.extensionUri)),
    palette("connect", () => started.withClient((client) => connectToServer(started, client, keys))),
    palette("forgetKey", () => forgetKey(keys)),
    palette("doctor", () => started.withClient((client) => doctor.examine(client))),
    doctor.onDidExamine((found) => { item.showExamined(found); }),
    started.onDidChange((state) => {
      item.show(state);
      if (state.kind === "said") {
        void vscode.commands.executeCommand("setContext", "sidelight.provider", state.status.provider);
        return;
      }
      changes.clear();
      const cutOff = edits.cutOff();
      if (cutOff.length) void started.sayCutOff(cutOff);
      else if (state.kind === "lost" && state.again) started.sayLost();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => started.trustGranted()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (changesTheStart(event)) void started.restart();
      else if (event.affectsConfiguration("sidelight")) void started.refreshKeys();
    }),
    context.secrets.onDidChange(() => started.refreshKeys()),
  );
  // Not awaited: looking for a Python takes its time, and the commands answer meanwhile.
  void started.restart();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
