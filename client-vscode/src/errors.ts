/** What is shown of an error: the server's own words, and what to do. */
import { ResponseError } from "vscode-languageclient/node";

export function describeError(error: unknown): string {
  if (!(error instanceof ResponseError)) return error instanceof Error ? error.message : String(error);
  const { hint } = (error.data ?? {}) as { hint?: string };
  return hint ? `${error.message} ${hint}` : error.message;
}
