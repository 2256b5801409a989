/** What one view shows of the page's lines, in order: after its filters, folds and pause, or around what it has found. */

import { LEVEL, MARK } from "./data";
import { plain } from "./escapes";
import type { Change, Store } from "./store";

/** What is asked of a line's own text, and what of its trace: that is kept at the trace's first line. */
const IN = 1;
const OUT = 2;
const FOUND = 4;
const FOLDED = 8;
const OPEN = 16;
const GROUP_IN = 32;
const GROUP_OUT = 64;

/** In a row: lines are left out before this one. */
export const BREAK = 0x8000_0000;

/** Bytes of a line that expressions are tried on: a line of 256 KiB is not a line for people. */
const TRIED = 16 * 1024;

/** Milliseconds at a time for trying an expression on all lines. */
const SLICE_MS = 8;
const EVERY = 64;

export const ALL_LEVELS = 0xff;

export class Rows {
  /** Slots in the order shown, some with `BREAK`. */
  rows = new Uint32Array(4096);
  count = 0;
  include: RegExp | undefined;
  exclude: RegExp | undefined;
  search: RegExp | undefined;
  /** Show only what is found, with so many lines around it. */
  around: number | undefined;
  levels = ALL_LEVELS;
  readonly hidden = new Set<number>();
  /** Slots from here on are held back. */
  stop = Infinity;
  foldAll = false;
  /** Rows from this place on may be others than when this was last set to infinity. */
  since = 0;
  #store: Store;
  #bits = new Uint8Array(4096);
  /** Lines before this slot have not been tried with the present expressions. */
  #untried = 0;
  /** All rows, where `rows` are those around what is found. */
  #all = new Uint32Array(0);
  #allCount = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#room();
    this.#rebuild();
  }

  // --- reading ------------------------------------------------------------------------------------------------------

  slot(place: number): number {
    return (this.rows[place] as number) & ~BREAK;
  }

  isBreak(place: number): boolean {
    return (this.rows[place] as number) >= BREAK;
  }

  isOpen(slot: number): boolean {
    return ((this.#bits[slot] as number) & OPEN) !== 0;
  }

  isFolded(slot: number): boolean {
    return (((this.#bits[slot] as number) & FOLDED) !== 0) !== this.foldAll;
  }

  isFound(slot: number): boolean {
    return this.search !== undefined && ((this.#bits[slot] as number) & FOUND) !== 0;
  }

  /** The first place that is not before this slot. */
  placeOf(slot: number): number {
    let [from, to] = [0, this.count];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#store.compare(this.slot(middle), slot) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** The first place of this time (Unix milliseconds) or later. */
  placeAt(millis: number): number {
    let [from, to] = [0, this.count];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#store.millis(this.slot(middle)) < millis) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Lines of a trace below its first one. */
  below(slot: number): number {
    const { heads, order, count } = this.#store;
    if (heads[slot] !== slot) return 0;
    const at = this.#store.placeOf(slot);
    let to = at + 1;
    while (to < count && heads[order[to] as number] === slot) to++;
    return to - at - 1;
  }

  /** How many rows are found, and which of them is the first at or behind a place. */
  found(place: number): { total: number; before: number } {
    let [total, before] = [0, 0];
    if (this.search === undefined) return { total, before };
    for (let at = 0; at < this.count; at++) {
      if (((this.#bits[this.slot(at)] as number) & FOUND) === 0) continue;
      total++;
      if (at < place) before++;
    }
    return { total, before };
  }

  /** The next found place, from `place` on in a direction, around the end; -1 if there is none. */
  next(place: number, step: 1 | -1): number {
    for (let tried = 0, at = place; tried < this.count; tried++, at += step) {
      const there = (at + this.count) % this.count;
      if (this.isFound(this.slot(there))) return there;
    }
    return -1;
  }

  get filtering(): boolean {
    return this.include !== undefined || this.exclude !== undefined || this.levels !== ALL_LEVELS || this.hidden.size > 0;
  }

  /** The share of lines that the expressions have been tried on, 1 when they are through. */
  get progress(): number {
    return this.#store.count === 0 ? 1 : 1 - this.#untried / this.#store.count;
  }

  // --- changes ------------------------------------------------------------------------------------------------------

  /** The lines have changed. */
  take(change: Change): void {
    this.#room();
    const bits = this.#bits;
    if (change.reset) {
      bits.fill(0);
      this.#untried = 0;
      this.#allCount = 0;
    }
    let from = change.from;
    if (change.trimmed > 0) {
      bits.copyWithin(0, change.trimmed);
      bits.fill(0, bits.length - change.trimmed);
      this.#untried = Math.max(0, this.#untried - change.trimmed);
      this.stop -= change.trimmed;
      this.#regroup();
    }
    if (change.prepended > 0) {
      bits.copyWithin(change.prepended, 0, this.#store.count - change.prepended);
      bits.fill(0, 0, change.prepended);
      this.stop += change.prepended;
      this.#untried += change.prepended;
      if (this.#trying) this.#try(0, change.prepended);
      if (this.#untried === change.prepended) this.#untried = 0;
      this.#regroup();
    } else if (change.added < this.#store.count) {
      bits.fill(0, change.added, this.#store.count);
      if (this.#trying) from = Math.min(from, this.#try(change.added, this.#store.count));
    }
    this.#extend(from);
  }

  /** Other expressions: `work` tries them on the lines that are there. */
  expressions(given: { include?: RegExp | undefined; exclude?: RegExp | undefined; search?: RegExp | undefined }): void {
    Object.assign(this, given);
    this.#untried = this.#trying ? this.#store.count : 0;
    this.#bits.forEach((bits, slot) => (this.#bits[slot] = bits & (FOLDED | OPEN)));
    if (this.#untried === 0) this.#rebuild();
  }

  /** Try the expressions on more lines, the newest first; true when that was the last of them. */
  work(now: () => number): boolean {
    if (this.#untried === 0) return false;
    const until = now() + SLICE_MS;
    do {
      const to = this.#untried;
      this.#untried = Math.max(0, to - EVERY);
      this.#try(this.#untried, to);
    } while (this.#untried > 0 && now() < until);
    if (this.#untried > 0) return false;
    this.#regroup();
    this.#rebuild();
    return true;
  }

  /** Something else that decides what is shown is another: levels, sources, pause, folds, what is around. */
  again(): void {
    if (this.#untried === 0) this.#rebuild();
  }

  /** Fold a trace, or open a line; true if the rows are others then. */
  toggle(slot: number, what: "fold" | "open"): void {
    (this.#bits[slot] as number) ^= what === "fold" ? FOLDED : OPEN;
    if (what === "fold") this.again();
  }

  /** Fold all traces, or none. */
  fold(all: boolean): void {
    this.foldAll = all;
    this.#bits.forEach((bits, slot) => (this.#bits[slot] = bits & ~FOLDED));
    this.again();
  }

  get #trying(): boolean {
    return this.include !== undefined || this.exclude !== undefined || this.search !== undefined;
  }

  /** Try the expressions on some lines; returns the first place in the order whose showing that may have changed. */
  #try(from: number, to: number): number {
    const { include, exclude, search } = this;
    const bits = this.#bits;
    const { heads } = this.#store;
    let first = Infinity;
    for (let slot = from; slot < to; slot++) {
      if (this.#store.isMark(slot)) continue;
      const text = plain(this.#store.text(slot, TRIED));
      let own = 0;
      if (include?.test(text)) own |= IN;
      if (exclude?.test(text)) own |= OUT;
      if (search?.test(text)) own |= FOUND;
      bits[slot] = ((bits[slot] as number) & ~(IN | OUT | FOUND)) | own;
      const head = heads[slot] as number;
      const group = (bits[head] as number) | grouped(own);
      if (group !== bits[head]) {
        bits[head] = group;
        if (head < from) first = Math.min(first, this.#store.placeOf(head));
      }
    }
    return first;
  }

  /** What traces have in them, anew. */
  #regroup(): void {
    if (!this.#trying) return;
    const bits = this.#bits;
    const { heads, count } = this.#store;
    for (let slot = 0; slot < count; slot++) (bits[slot] as number) &= ~(GROUP_IN | GROUP_OUT);
    for (let slot = 0; slot < count; slot++) (bits[heads[slot] as number] as number) |= grouped(bits[slot] as number);
  }

  #rebuild(): void {
    this.#extend(0);
  }

  /** The rows from a place in the order on. */
  #extend(from: number): void {
    const store = this.#store;
    const { order, heads, flags, sources } = store;
    const bits = this.#bits;
    if (this.#all.length < order.length) {
      const grown = new Uint32Array(order.length);
      grown.set(this.#all.subarray(0, this.#allCount));
      this.#all = grown;
    }
    const all = this.#all;
    const kept = from >= store.count ? this.#allCount : this.#cutAt(from);
    let write = kept;
    const { levels, hidden, include, exclude, stop, foldAll } = this;
    const unfolded = foldAll ? FOLDED : 0;
    for (let place = from; place < store.count; place++) {
      const slot = order[place] as number;
      if (slot >= stop) continue;
      if (hidden.size > 0 && hidden.has(sources[slot] as number)) continue;
      if (((flags[slot] as number) & MARK) === 0) {
        const head = heads[slot] as number;
        const group = bits[head] as number;
        if (((levels >> ((flags[head] as number) & LEVEL)) & 1) === 0) continue;
        if (slot !== head && (group & FOLDED) !== unfolded) continue;
        if (include !== undefined && (group & GROUP_IN) === 0) continue;
        if (exclude !== undefined && (group & GROUP_OUT) !== 0) continue;
      }
      all[write++] = slot;
    }
    this.#allCount = write;
    if (this.around === undefined || this.search === undefined) {
      this.rows = all;
      this.count = write;
    } else this.#narrow(this.around);
    this.since = Math.min(this.since, this.around === undefined ? kept : 0);
  }

  /** How many of the rows of before are before a place in the order. */
  #cutAt(from: number): number {
    if (from === 0) return 0;
    const last = this.#store.order[from - 1] as number;
    let [low, high] = [0, this.#allCount];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#store.compare(this.#all[middle] as number, last) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Only the rows around what is found. */
  #narrow(around: number): void {
    const all = this.#all;
    if (this.rows === all || this.rows.length < all.length) this.rows = new Uint32Array(all.length);
    const { rows } = this;
    let [write, done] = [0, 0];
    for (let at = 0; at < this.#allCount; at++) {
      if (((this.#bits[all[at] as number] as number) & FOUND) === 0) continue;
      const begin = Math.max(done, at - around);
      const end = Math.min(this.#allCount, at + around + 1);
      for (let place = begin; place < end; place++) {
        rows[write++] = ((all[place] as number) | (place === begin && place > done ? BREAK : 0)) >>> 0;
      }
      done = Math.max(done, end);
    }
    this.count = write;
  }

  #room(): void {
    const size = this.#store.order.length;
    if (this.#bits.length >= size) return;
    const grown = new Uint8Array(size);
    grown.set(this.#bits);
    this.#bits = grown;
  }
}

function grouped(own: number): number {
  return ((own & IN) !== 0 ? GROUP_IN : 0) | ((own & OUT) !== 0 ? GROUP_OUT : 0);
}
