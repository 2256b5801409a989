/** Which rows and cells on the screen are new, changed or gone, and for how long that is to be seen. */

import type { Row } from "./rows";

/** Milliseconds: long enough to be found by an eye that was elsewhere, short enough not to pile up. */
export const CHANGED_MS = 1200;
export const NEW_MS = 2500;
export const GONE_MS = 1500;

export type RowMark = "new" | "gone";

export class Marks {
  #new = new Map<string, number>();
  #gone = new Map<string, [row: Row, at: number]>();
  #cells = new Map<string, Map<string, number>>();
  #now: () => number;

  /** @param now Milliseconds that only go forward. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether there is anything to be seen. */
  get any(): boolean {
    return this.#new.size + this.#gone.size + this.#cells.size > 0;
  }

  added(row: Row): void {
    this.#new.set(row.key, this.#now());
    this.#gone.delete(row.key);
  }

  gone(row: Row): void {
    this.#gone.set(row.key, [row, this.#now()]);
    this.#new.delete(row.key);
    this.#cells.delete(row.key);
  }

  /** A row is back that was marked as gone; gives what stood for it. */
  back(key: string): Row | undefined {
    const known = this.#gone.get(key);
    this.#gone.delete(key);
    return known?.[0];
  }

  changed(row: Row, titles: Iterable<string>): void {
    const cells = this.#cells.get(row.key) ?? new Map<string, number>();
    for (const title of titles) cells.set(title, this.#now());
    if (cells.size > 0) this.#cells.set(row.key, cells);
  }

  row(key: string): RowMark | undefined {
    return this.#gone.has(key) ? "gone" : this.#new.has(key) ? "new" : undefined;
  }

  /** When cells of a row changed, by column; undefined for none. */
  cells(key: string): ReadonlyMap<string, number> | undefined {
    return this.#cells.get(key);
  }

  /** Forget what has been seen long enough; gives the rows that go from the screen now. */
  expire(): Row[] {
    const now = this.#now();
    for (const [key, at] of this.#new) if (now - at >= NEW_MS) this.#new.delete(key);
    for (const [key, cells] of this.#cells) {
      for (const [title, at] of cells) if (now - at >= CHANGED_MS) cells.delete(title);
      if (cells.size === 0) this.#cells.delete(key);
    }
    const going: Row[] = [];
    for (const [key, [row, at]] of this.#gone) {
      if (now - at < GONE_MS) continue;
      this.#gone.delete(key);
      going.push(row);
    }
    return going;
  }

  /** Forget all; gives the rows that go from the screen now. */
  clear(): Row[] {
    const going = [...this.#gone.values()].map(([row]) => row);
    this.#new.clear();
    this.#gone.clear();
    this.#cells.clear();
    return going;
  }
}
