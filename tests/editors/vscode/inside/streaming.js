// Live edits while they stream in, from a model that answers with FIXED line by line; and what undo makes of them.
const assert = require("node:assert/strict");
const vscode = require("vscode");
const { action, eventually, open, rangeOf, take, textThat } = require("./editor.js");

const WRONG = `# above


def total(prices):
    result = 0
    for price in prices:
        result -= price
    return result


# below
`;
const FIXED = WRONG.replace("result = 0", "result = 0.0").replace("-=", "+=");
const FUNCTION = WRONG.slice(WRONG.indexOf("def"), WRONG.indexOf("\n\n\n# below"));
const FIRST_LINE = "result = 0.0";

async function startFix({ document }) {
  await eventually(() => vscode.commands.getCommands(true), (commands) => commands.includes("sidelight.fix"));
  const { start, end } = rangeOf(document, FUNCTION);
  const place = ({ line, character }) => ({ line, character });
  const range = { start: place(start), end: place(end) };
  await vscode.commands.executeCommand("sidelight.fix", { uri: document.uri.toString(), range });
}

/** Waits for the end of the edit; returns the action that takes it back. */
async function ended({ document }, text) {
  await textThat(document, (shown) => shown === text);
  return action(document, FIRST_LINE, "Undo this edit");
}

async function typeAbove(editor, text) {
  editor.selection = new vscode.Selection(0, 7, 0, 7);
  await vscode.commands.executeCommand("default:type", { text });
}

/** Undoes until the text is that one; returns every text on the way. */
async function undoTo({ document }, text) {
  const shown = [];
  while (document.getText() !== text && shown.length < 20) {
    await vscode.commands.executeCommand("undo");
    shown.push(document.getText());
  }
  return shown;
}

exports.tests = {
  "one undo takes back an edit that came in many pieces": async () => {
    const editor = await open(WRONG);
    await startFix(editor);
    await textThat(editor.document, (text) => text.includes(FIRST_LINE) && text.includes("-="));
    await ended(editor, FIXED);
    assert.deepEqual(await undoTo(editor, WRONG), [WRONG]);
    await vscode.commands.executeCommand("redo");
    assert.equal(editor.document.getText(), FIXED);
  },

  "what is typed during an edit stays where the cursor is, and undo this edit leaves it": async () => {
    const editor = await open(WRONG);
    await startFix(editor);
    await textThat(editor.document, (text) => text.includes(FIRST_LINE));
    await typeAbove(editor, " typed");
    assert.ok(editor.document.getText().includes("-="), "the edit had ended before the typing");
    const undo = await ended(editor, FIXED.replace("# above", "# above typed"));
    assert.deepEqual(editor.selection.active, new vscode.Position(0, 13));
    await take(undo);
    await textThat(editor.document, (text) => text === WRONG.replace("# above", "# above typed"));
  },

  "undo takes back typing and edit in the order in which they came": async () => {
    const editor = await open(WRONG);
    await startFix(editor);
    await textThat(editor.document, (text) => text.includes(FIRST_LINE));
    await typeAbove(editor, " typed");
    await ended(editor, FIXED.replace("# above", "# above typed"));
    const [rest, typing, first, ...more] = await undoTo(editor, WRONG);
    assert.ok(rest.includes(FIRST_LINE) && rest.includes("-=") && rest.includes("# above typed"), rest);
    assert.ok(typing.includes(FIRST_LINE) && !typing.includes("typed"), typing);
    assert.deepEqual([first, ...more], [WRONG]);
  },

  "an edit goes on in a document that is hidden meanwhile": async () => {
    const editor = await open(WRONG);
    await startFix(editor);
    await textThat(editor.document, (text) => text.includes(FIRST_LINE));
    await open("# something else\n");
    await ended(editor, FIXED);
  },

  "a file of more than 5 MB is edited where it is asked for": async () => {
    const before = "value = 1  # a line among many\n".repeat(180_000);
    assert.ok(before.length > 5_000_000);
    const editor = await open(before + WRONG);
    await startFix(editor);
    await textThat(editor.document, (text) => text === before + FIXED);
    await action(editor.document, FIRST_LINE, "Undo this edit");
    assert.deepEqual((await undoTo(editor, before + WRONG)).length, 1);
  },
};
