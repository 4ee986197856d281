/** Text from outside (models, servers, file names) for VS Code's messages. Knows nothing of VS Code. */

/**
 * Returns the text so that VS Code makes no link of it: in a message, `[here](command:…)` would run the command when it is
 * clicked. An unseen space between the brackets takes that away and leaves the text readable.
 */
export function plain(text: string): string {
  return text.replaceAll("](", "]\u200b(");
}
