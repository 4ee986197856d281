/** A conversation as it is shown: its turns, what was asked in each, and how what arrives changes them. Knows no VS Code. */
import type { End, Note, Turn } from "./messages";
import type { PartialAnswer, StoredConversation, StoredTurn, TaskArguments } from "./protocol";

/** What was asked: enough to ask it again. */
export type Asked = Omit<TaskArguments, "conversation"> & { task: string };

/** Where a turn's question was about, as it is remembered beyond the session. */
export type Place = Required<Pick<TaskArguments, "uri">> & Pick<TaskArguments, "range">;

export interface Conversation {
  id: string;
  title: string;
  turns: Turn[];
  /** What was asked, by the key of its turn. */
  asked: Map<number, Asked>;
  /** When it was last asked or answered in, in milliseconds. */
  changedAt: number;
}

/** What is not asked again in the view: an edit belongs into the document, and a message into its box. */
const ELSEWHERE = ["fix", "generate", "document", "test", "commit"];

export function isRunning({ turns }: Conversation): boolean {
  return turns.some(({ end }) => !end);
}

export function beginTurn(conversation: Conversation, key: number, asked: Asked, now: number): Turn {
  const turn: Turn = {
    key,
    task: asked.task,
    question: asked.instruction ?? "",
    place: placeName(asked),
    canOpenPlace: asked.uri !== undefined,
    canRetry: !ELSEWHERE.includes(asked.task),
    text: "",
    reasoning: "",
    status: "",
    sources: [],
    notes: [],
  };
  conversation.turns.push(turn);
  conversation.asked.set(key, asked);
  conversation.changedAt = now;
  return turn;
}

/** Takes what arrived; a newer server may send kinds that nobody here knows. */
export function hear(turn: Turn, partial: PartialAnswer, now: number): void {
  switch (partial.kind) {
    case "text":
    case "replace":
      stopThinking(turn, now);
      turn.text = partial.kind === "text" ? turn.text + partial.text : partial.text;
      break;
    case "reasoning":
      turn.thinkingSince ??= now;
      turn.reasoning += partial.text;
      break;
    case "status":
      turn.status = partial.text;
      break;
    case "sources":
      turn.sources = partial.sources;
  }
}

export function notesOf({ notes = [], warnings = [] }: { notes?: string[]; warnings?: string[] }): Note[] {
  return notes.map((text) => ({ text, isWarning: warnings.includes(text) }));
}

export function endTurn(conversation: Conversation, turn: Turn, end: End, now: number): void {
  stopThinking(turn, now);
  turn.end = end;
  conversation.changedAt = now;
}

function stopThinking(turn: Turn, now: number): void {
  if (turn.thinkingSince !== undefined) turn.thinkingMs ??= now - turn.thinkingSince;
}

/** Returns a conversation as the server keeps it; `places` are those of its turns by their numbers. */
export function fromStored(
  stored: StoredConversation, nextKey: () => number, places: Record<number, Place>, endOf: (turn: StoredTurn) => End,
): Conversation {
  const asked = new Map<number, Asked>();
  const turns = stored.turns.map((turn) => {
    const key = nextKey();
    const place = places[turn.number];
    asked.set(key, { task: turn.task, ...(turn.instruction ? { instruction: turn.instruction } : {}), ...place });
    return {
      key,
      number: turn.number,
      task: turn.task,
      question: turn.instruction,
      place: place ? placeName(place) : turn.place,
      canOpenPlace: place !== undefined,
      // Without its place the question would be another one.
      canRetry: !ELSEWHERE.includes(turn.task) && (place !== undefined || !turn.place),
      text: turn.answer,
      reasoning: turn.reasoning ?? "",
      status: "",
      sources: turn.sources,
      notes: notesOf(turn),
      end: endOf(turn),
    };
  });
  return { id: stored.id, title: stored.title, turns, asked, changedAt: Date.parse(stored.changedAt) || 0 };
}

/** Names a place for people: `demo.py:8-12`, with lines counted from 1. */
export function placeName({ uri, range }: Pick<TaskArguments, "uri" | "range">): string {
  if (!uri) return "";
  const file = decoded(uri.replace(/[?#].*$/, "").split(/[/:]/).pop() ?? "");
  if (!range) return file;
  const { start, end } = range;
  // A selection that ends before the first character of a line does not hold that line.
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return last > start.line ? `${file}:${start.line + 1}-${last + 1}` : `${file}:${start.line + 1}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
