// Stands for the linters that users have: reports every "import os" as unused.
const vscode = require("vscode");

exports.activate = (context) => {
  const problems = vscode.languages.createDiagnosticCollection("test-linter");
  const look = (document) => {
    const found = [];
    for (let line = 0; line < document.lineCount; line++) {
      if (document.lineAt(line).text !== "import os") continue;
      const problem = new vscode.Diagnostic(document.lineAt(line).range, "`os` imported but unused", vscode.DiagnosticSeverity.Warning);
      problem.code = "F401";
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
