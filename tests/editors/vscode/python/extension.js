// Stands for the Python extension, as far as others ask it: the user has chosen the interpreter of the environment.
const vscode = require("vscode");

const path = process.env.SIDELIGHT_TEST_CHOICE;

exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => ({ path }),
    resolveEnvironment: async () => ({ executable: { uri: vscode.Uri.file(path) } }),
  },
});
