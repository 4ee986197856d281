/** How long to wait before a process that ended is started again: longer each time. Knows nothing of VS Code. */

const FIRST_MS = 500;
const FACTOR = 4;
const MOST = 4;
const FORGET_AFTER_MS = 180_000;

export class BackOff {
  #ends: number[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** Takes note of an end. Returns how many milliseconds to wait, or undefined when it has ended too often. */
  next(): number | undefined {
    const now = this.now();
    this.#ends = [...this.#ends.filter((end) => now - end < FORGET_AFTER_MS), now];
    return this.#ends.length > MOST ? undefined : FIRST_MS * FACTOR ** (this.#ends.length - 1);
  }
}
