/** Fits code to the place where it is inserted: its lines below the first get the indentation of the cursor's line. */

/** `before` is the text of the cursor's line up to the cursor. */
export function fitted(code: string, before: string): string {
  const lines = code.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n");
  const common = commonIndent(lines);
  const indent = /^[ \t]*/.exec(before)?.[0] ?? "";
  return lines.map((line, index) => shifted(line, common, index ? indent : "")).join("\n");
}

function shifted(line: string, common: string, indent: string): string {
  return line.trim() ? indent + line.slice(common.length) : "";
}

/** The whitespace that all lines begin with, blank ones aside. */
function commonIndent(lines: string[]): string {
  const indents = lines.filter((line) => line.trim()).map((line) => /^[ \t]*/.exec(line)?.[0] ?? "");
  return indents.reduce((common, indent) => {
    let length = 0;
    while (length < common.length && common[length] === indent[length]) length++;
    return common.slice(0, length);
  }, indents[0] ?? "");
}
