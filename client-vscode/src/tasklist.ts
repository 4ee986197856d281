/** Which tasks are offered where, and in which order. Knows nothing of VS Code. */
import type { TaskInfo } from "./protocol";

/** Returns the user's own tasks and ours, without those for other languages; ours stand as the server lists them. */
export function offered(tasks: TaskInfo[], languageId: string | undefined): { own: TaskInfo[]; ours: TaskInfo[] } {
  const fitting = tasks.filter(({ languages }) => !languages.length || (languageId !== undefined && languages.includes(languageId)));
  const own = fitting.filter(({ isOwn }) => isOwn).sort((one, other) => one.title.localeCompare(other.title));
  return { own, ours: fitting.filter(({ isOwn }) => !isOwn) };
}

/** Returns what is done with a task: its answer is a text to read, or findings, a message, an edit. */
export function kindOf({ name, edits, isOwn }: Pick<TaskInfo, "name" | "edits" | "isOwn">): "text" | "findings" | "message" | "edit" {
  if (!isOwn && name === "review") return "findings";
  if (!isOwn && name === "commit") return "message";
  return edits ? "edit" : "text";
}
