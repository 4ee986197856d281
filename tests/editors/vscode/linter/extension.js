// Stands for the linters that users have: reports every "import os" as unused, and "addd" as undefined.
const vscode = require("vscode");

const PROBLEMS = { "import os": "`os` imported but unused", "print(addd(1, 2))": "undefined name `addd`" };

exports.activate = (context) => {
  const problems = vscode.languages.createDiagnosticCollection("test-linter");
  const look = (document) => {
    const found = [];
    for (let line = 0; line < document.lineCount; line++) {
      const message = PROBLEMS[document.lineAt(line).text];
      if (message === undefined) continue;
      const problem = new vscode.Diagnostic(document.lineAt(line).range, message, vscode.DiagnosticSeverity.Warning);
      problem.source = "linter";
      found.push(problem);
    }
    problems.set(document.uri, found);
  };
  vscode.workspace.textDocuments.forEach(look);
  context.subscriptions.push(
    problems,
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidChangeTextDocument((event) => look(event.document)),
  );
};
