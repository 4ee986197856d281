/** What is shown of an error: the server's own words, and what to do. */
import { ResponseError } from "vscode-languageclient/node";
import { plain } from "./plain";

export { plain };

export function describeError(error: unknown): string {
  if (!(error instanceof ResponseError)) return plain(error instanceof Error ? error.message : String(error));
  const { hint } = (error.data ?? {}) as { hint?: string };
  return plain(hint ? `${error.message} ${hint}` : error.message);
}
