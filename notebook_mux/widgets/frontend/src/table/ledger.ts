/** What has changed since a view was last drawn, each row once: what a view draws next, or what a paused one has missed. */

import type { Changes } from "./rows";

/** How many rows are new, have changed, and are gone. */
export interface Missed {
  readonly added: number;
  readonly changed: number;
  readonly gone: number;
}

export class Ledger {
  #changes: Changes = new Map();

  get size(): number {
    return this.#changes.size;
  }

  /** Take in what happened after all that is here. A row that came and went again is nothing. */
  add(changes: Changes): void {
    for (const [key, [before, after]] of changes) {
      const known = this.#changes.get(key);
      const first = known === undefined ? before : known[0];
      if (first === after) this.#changes.delete(key);
      else this.#changes.set(key, [first, after]);
    }
  }

  /** All that is here; nothing is, afterwards. */
  drain(): Changes {
    const changes = this.#changes;
    this.#changes = new Map();
    return changes;
  }

  missed(): Missed {
    let [added, changed, gone] = [0, 0, 0];
    for (const [before, after] of this.#changes.values()) {
      if (before === undefined) added += 1;
      else if (after === undefined) gone += 1;
      else changed += 1;
    }
    return { added, changed, gone };
  }
}

/** What a paused view says. */
export function missedText({ added, changed, gone }: Missed): string {
  const all = added + changed + gone;
  if (all === 0) return "paused · nothing missed";
  const parts = [[added, "new"], [changed, "changed"], [gone, "gone"]] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return `paused · ${all} ${all === 1 ? "change" : "changes"} missed (${said.join(", ")})`;
}
