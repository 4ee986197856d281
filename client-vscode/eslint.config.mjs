import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores(["**/dist/", "**/node_modules/"]),
  tseslint.configs.recommended,
  {
    files: ["client-vscode/src/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      // Numbers read well in templates; the rule's fear is objects, which it still reports.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    // Extension code without a build step: VS Code hands its interface out through require.
    files: ["tests/editors/vscode/{linter,python,inside}/*.js"],
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
  {
    files: ["client-vscode/src/webview/**/*.ts"],
    rules: {
      // What a model wrote is shown as text, whatever it is.
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Use text nodes." },
        { property: "outerHTML", message: "Use text nodes." },
        { property: "insertAdjacentHTML", message: "Use text nodes." },
      ],
    },
  },
);
