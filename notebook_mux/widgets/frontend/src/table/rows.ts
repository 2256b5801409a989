/** A page's copy of a table: the rows and what is known of them, shared by its views. */

import { humanDuration } from "../common/age";
import { wordsOf } from "../filter/judging";
import { naturalKey, numberKey, type SortKey, textKey } from "../common/order";

/** As it comes: [cluster, uid, namespace, name, cells, {index: [since, template]}, labels, owner]. */
export type Wire = [
  cluster: number,
  uid: string,
  namespace: string,
  name: string,
  cells: unknown[],
  alive: Record<string, [since: number, template: string]>,
  labels?: Record<string, string> | null,
  owner?: string | null,
];

/** What has changed of a row: its cells, and those that go on by themselves; 0 for one that does so no more. */
type Change = [cluster: number, uid: string, cells: Record<string, unknown>, alive: Record<string, [since: number, template: string] | 0>];

function keyOf(wire: Wire | Change): string {
  return `${wire[0]} ${wire[1]}`;
}

/** What a column is sorted by, as it was asked for once. */
interface Kept {
  readonly index: number;
  readonly title: string;
  readonly key: SortKey;
}

type Judge = (cells: readonly unknown[]) => boolean;

const NO_LABELS: Readonly<Record<string, string>> = {};

export class Row {
  readonly key: string;
  /** The order of kubectl: cluster, namespace, name. */
  readonly place: string;
  #words: string | undefined;
  #keys: Kept[] = [];
  #judge: Judge | undefined;
  #verdict = false;

  /** `before` is what the row was, if it was there: what names it need not be made again. */
  constructor(readonly wire: Wire, before?: Row) {
    this.key = before?.key ?? keyOf(wire);
    const named = before !== undefined && before.wire[2] === wire[2] && before.wire[3] === wire[3];
    this.place = named ? before.place : `${String(wire[0]).padStart(4, "0")}\u0000${wire[2]}\u0000${textKey(wire[3])}`;
  }

  get cluster(): number {
    return this.wire[0];
  }
  get uid(): string {
    return this.wire[1];
  }
  get namespace(): string {
    return this.wire[2];
  }
  get name(): string {
    return this.wire[3];
  }
  get labels(): Readonly<Record<string, string>> {
    return this.wire[6] ?? NO_LABELS;
  }
  /** Its controller, as `ReplicaSet/web-5d`; "" for none. */
  get owner(): string {
    return this.wire[7] ?? "";
  }

  /** A cell as it is to be printed at `now` (Unix seconds by the kernel's clock). */
  cell(index: number, now: number): unknown {
    const alive = this.wire[5][index];
    if (alive === undefined) return this.wire[4][index];
    return alive[1].replace("{}", () => humanDuration(now - alive[0]));
  }

  isLive(index: number): boolean {
    return this.wire[5][index] !== undefined;
  }

  /** What a cell is made of: the clock and template of a live one, else the cell itself. Cheap, for it is asked often. */
  source(index: number): unknown {
    return this.wire[5][index] ?? this.wire[4][index];
  }

  /** What a cell says, without the time that goes on in it. */
  still(index: number): unknown {
    return this.wire[5][index]?.[1] ?? this.wire[4][index];
  }

  /** What a column is sorted by: the moment that an age counts from, numbers as numbers. */
  sortKey(index: number, title: string): SortKey {
    // a column that has another title now may be read otherwise; a table is sorted by one column or two
    for (const kept of this.#keys) if (kept.index === index && kept.title === title) return kept.key;
    const key = this.#makeKey(index, title);
    this.#keys.push({ index, title, key });
    return key;
  }

  #makeKey(index: number, title: string): SortKey {
    const alive = this.wire[5][index];
    if (alive === undefined) return naturalKey(this.wire[4][index], title);
    return alive[1] === "{}" ? numberKey(-alive[0]) : naturalKey(alive[1].replace("{}", "0s"), title);
  }

  /** What a judge says of its cells; asked anew for each row that is drawn, counted or grouped, and seldom by another judge. */
  judged(judge: Judge): boolean {
    if (this.#judge !== judge) {
      this.#judge = judge;
      this.#verdict = judge(this.wire[4]);
    }
    return this.#verdict;
  }

  /** Its cells in lower case, for the filter. */
  words(): string {
    return (this.#words ??= wordsOf(this.wire[4], this.wire[5]));
  }
}

export function asText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** What became of rows, by their key: as it was before, and as it is; undefined where it is not there. */
export type Changes = Map<string, [before: Row | undefined, after: Row | undefined]>;

/** Whether two rows would be drawn, sorted and grouped alike. Asked for each row that is told again, so it makes nothing. */
function alike(a: Wire, b: Wire): boolean {
  if (a[2] !== b[2] || a[3] !== b[3] || (a[7] ?? "") !== (b[7] ?? "") || !sameList(a[4], b[4])) return false;
  return sameRecord(a[6] ?? NO_LABELS, b[6] ?? NO_LABELS) && sameRecord(a[5], b[5]);
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!same(a[index], b[index])) return false;
  return true;
}

function sameRecord(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  if (a === b) return true;
  let more = 0;
  for (const key in a) {
    if (!same(a[key], b[key])) return false;
    more += 1;
  }
  for (const _ in b) more -= 1;
  return more === 0;
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return sameList(a, b);
  // a cell that is an object is seldom, and short
  return typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b);
}

const decoder = new TextDecoder();

function decode<T>(buffer: DataView | undefined): T | undefined {
  return buffer && buffer.byteLength > 0 ? (JSON.parse(decoder.decode(buffer)) as T) : undefined;
}

export class Rows {
  readonly byKey = new Map<string, Row>();
  /** Rows of each cluster. */
  readonly counts: number[] = [];
  #seen: Set<string> | undefined;

  /** Forget all rows: what comes next is of another question. */
  clear(): void {
    this.byKey.clear();
    this.counts.length = 0;
    this.#seen = undefined;
  }

  /** Take in a message's buffers; returns what that changed, each row once. */
  take(buffers: DataView[], whole: { part: number; last: boolean } | undefined): Changes {
    const changes: Changes = new Map();
    if (whole?.part === 0) this.#seen = new Set();
    const delta = decode<[(Wire | Change)[], [number, string][]]>(buffers[0]);
    for (const wire of delta?.[0] ?? []) {
      if (isChange(wire)) this.#change(wire, changes);
      else this.#put(wire, changes);
    }
    for (const [cluster, uid] of delta?.[1] ?? []) this.#remove(`${cluster} ${uid}`, changes);
    if (whole !== undefined) {
      for (const wire of decode<Wire[]>(buffers[1]) ?? []) this.#put(wire, changes);
      if (whole.last && this.#seen !== undefined) {
        const seen = this.#seen;
        for (const key of [...this.byKey.keys()]) if (!seen.has(key)) this.#remove(key, changes);
        this.#seen = undefined;
      }
    }
    for (const [key, [before, after]] of changes) if (before === after) changes.delete(key);
    return changes;
  }

  #put(wire: Wire, changes: Changes): void {
    const key = keyOf(wire);
    this.#seen?.add(key);
    const known = this.byKey.get(key);
    if (known !== undefined && alike(known.wire, wire)) return;
    const row = new Row(wire, known);
    touch(changes, key, known, row);
    if (known === undefined) this.counts[row.cluster] = (this.counts[row.cluster] ?? 0) + 1;
    this.byKey.set(key, row);
  }

  #change(change: Change, changes: Changes): void {
    const key = keyOf(change);
    const known = this.byKey.get(key);
    // a part of the whole state that is on its way has it
    if (known === undefined || this.#seen?.has(key) === false) return;
    const row = new Row(changed(known.wire, change), known);
    touch(changes, key, known, row);
    this.byKey.set(key, row);
  }

  #remove(key: string, changes: Changes): void {
    const row = this.byKey.get(key);
    if (row === undefined) return;
    touch(changes, key, row, undefined);
    this.counts[row.cluster] = (this.counts[row.cluster] ?? 1) - 1;
    this.byKey.delete(key);
  }
}

function isChange(wire: Wire | Change): wire is Change {
  return typeof wire[2] === "object";
}

function changed(wire: Wire, [, , cells, moments]: Change): Wire {
  const alive = { ...wire[5] };
  for (const index in moments) {
    const moment = moments[index];
    if (moment) alive[index] = moment;
    else delete alive[index];
  }
  const shown = wire[4].slice();
  for (const index in cells) shown[Number(index)] = cells[index];
  return [wire[0], wire[1], wire[2], wire[3], shown, alive, wire[6] ?? null, wire[7] ?? null];
}

function touch(changes: Changes, key: string, before: Row | undefined, after: Row | undefined): void {
  const known = changes.get(key);
  changes.set(key, [known === undefined ? before : known[0], after]);
}
