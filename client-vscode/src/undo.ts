/**
 * Which edits make one undo step. Those of one job carry the same label; they belong together for as long as nothing
 * else has changed the document in between. Knows nothing of VS Code.
 */

interface Step {
  label: string;
  uri: string;
  /** The document's version after the edit. */
  version: number;
}

const MOST_DOCUMENTS = 100;

export class UndoSteps {
  readonly #last = new Map<string, Step>();

  /** Whether an edit of this label goes on with the step that the last one began. */
  continues(label: string, uri: string, version: number): boolean {
    const last = this.#last.get(uri);
    return last?.label === label && last.version === version;
  }

  /** Takes note of an edit that has been applied to this version: each edit makes it one higher. */
  applied(label: string, uri: string, version: number): void {
    this.#last.delete(uri);
    this.#last.set(uri, { label, uri, version: version + 1 });
    const [oldest] = this.#last.keys();
    if (oldest !== undefined && this.#last.size > MOST_DOCUMENTS) this.#last.delete(oldest);
  }
}
