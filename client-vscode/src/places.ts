/** Where the questions of the latest conversations were about: the server keeps a place for people only. */
import type * as vscode from "vscode";
import type { Place } from "./conversation";

const KEY = "sidelight.places";
const MOST_CONVERSATIONS = 30;

type ByTurn = Record<number, Place>;
type ByConversation = Record<string, ByTurn>;

export class Places {
  constructor(private readonly memory: vscode.Memento) {}

  of(conversation: string): ByTurn {
    return this.#all()[conversation] ?? {};
  }

  remember(conversation: string, turn: number, place: Place): void {
    // The next window may give its name to another text.
    if (place.uri.startsWith("untitled:")) return;
    const { [conversation]: turns, ...others } = this.#all();
    // The one remembered last stands at the end.
    const kept = Object.entries(others).slice(1 - MOST_CONVERSATIONS);
    this.#store(Object.fromEntries([...kept, [conversation, { ...turns, [turn]: place }]]));
  }

  forget(conversation?: string): void {
    const kept = Object.entries(this.#all()).filter(([id]) => conversation !== undefined && id !== conversation);
    this.#store(Object.fromEntries(kept));
  }

  #all(): ByConversation {
    return this.memory.get<ByConversation>(KEY, {});
  }

  #store(places: ByConversation): void {
    void this.memory.update(KEY, places);
  }
}
