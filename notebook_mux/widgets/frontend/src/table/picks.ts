/** The rows selected in one view, by key: they stay selected wherever they go. */

import { isGroup, type Shown } from "./arrangement";

export class Picks {
  readonly keys = new Set<string>();
  #anchor = "";

  get size(): number {
    return this.keys.size;
  }

  /** Only this one. */
  only(key: string): void {
    this.keys.clear();
    this.keys.add(key);
    this.#anchor = key;
  }

  /** This one too, or not any more. */
  toggle(key: string): void {
    if (!this.keys.delete(key)) this.keys.add(key);
    this.#anchor = key;
  }

  /** All from where the selection began to this one, in the order shown; `from` where it has not begun. */
  through(key: string, shown: readonly Shown[], from = ""): void {
    const at = (wanted: string) => shown.findIndex((one) => !isGroup(one) && one.key === wanted);
    if (at(this.#anchor) < 0) this.#anchor = from;
    const begin = at(this.#anchor);
    const end = at(key);
    if (begin < 0 || end < 0) return this.only(key);
    this.keys.clear();
    for (let index = Math.min(begin, end); index <= Math.max(begin, end); index++) {
      const one = shown[index];
      if (one !== undefined && !isGroup(one)) this.keys.add(one.key);
    }
  }

  all(keys: Iterable<string>): void {
    this.keys.clear();
    for (const key of keys) this.keys.add(key);
  }

  clear(): void {
    this.keys.clear();
    this.#anchor = "";
  }

  /** Forget rows that are not there any more; says whether there were any. */
  keep(there: (key: string) => boolean): boolean {
    const before = this.keys.size;
    for (const key of this.keys) if (!there(key)) this.keys.delete(key);
    return this.keys.size !== before;
  }
}
