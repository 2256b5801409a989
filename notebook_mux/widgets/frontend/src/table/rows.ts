/** A page's copy of a table: the rows and what is known of them, shared by its views. */

import { humanDuration } from "../common/age";
import { naturalKey, numberKey, type SortKey, textKey } from "../common/order";

/** As it comes: [cluster, uid, namespace, name, cells, {index: [since, template]}]. */
type Wire = [number, string, string, string, unknown[], Record<string, [number, string]>];

export class Row {
  readonly key: string;
  /** The order of kubectl: cluster, namespace, name. */
  readonly place: string;
  #text: string | undefined;
  #keys: (SortKey | undefined)[] = [];

  constructor(readonly wire: Wire) {
    this.key = `${wire[0]} ${wire[1]}`;
    this.place = `${String(wire[0]).padStart(4, "0")}\u0000${wire[2]}\u0000${textKey(wire[3])}`;
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

  /** What a column is sorted by: the moment that an age counts from, numbers as numbers. */
  sortKey(index: number, title: string): SortKey {
    return (this.#keys[index] ??= this.#makeKey(index, title));
  }

  #makeKey(index: number, title: string): SortKey {
    const alive = this.wire[5][index];
    if (alive === undefined) return naturalKey(this.wire[4][index], title);
    return alive[1] === "{}" ? numberKey(-alive[0]) : naturalKey(alive[1].replace("{}", "0s"), title);
  }

  /** All its words in lower case, for the filter. */
  text(clusters: readonly string[]): string {
    return (this.#text ??= [clusters[this.cluster] ?? "", this.namespace, ...this.wire[4].map(asText)]
      .join("\n")
      .toLowerCase());
  }
}

export function asText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** What a message changed, each row once. */
export interface Changes {
  add: Row[];
  update: Row[];
  remove: Row[];
}

/** What a message says of each row it names: the row before and after. */
type Touched = Map<string, [before: Row | undefined, after: Row | undefined]>;

const decoder = new TextDecoder();

function decode<T>(buffer: DataView | undefined): T | undefined {
  return buffer && buffer.byteLength > 0 ? (JSON.parse(decoder.decode(buffer)) as T) : undefined;
}

export class Rows {
  readonly byKey = new Map<string, Row>();
  /** Rows of each cluster. */
  readonly counts: number[] = [];
  #seen: Set<string> | undefined;

  /** Take in a message's buffers; returns what that changed. */
  take(buffers: DataView[], whole: { part: number; last: boolean } | undefined): Changes {
    const touched: Touched = new Map();
    if (whole?.part === 0) this.#seen = new Set();
    const delta = decode<[Wire[], [number, string][]]>(buffers[0]);
    for (const wire of delta?.[0] ?? []) this.#put(wire, touched);
    for (const [cluster, uid] of delta?.[1] ?? []) this.#remove(`${cluster} ${uid}`, touched);
    if (whole !== undefined) {
      for (const wire of decode<Wire[]>(buffers[1]) ?? []) this.#put(wire, touched);
      if (whole.last && this.#seen !== undefined) {
        const seen = this.#seen;
        for (const key of [...this.byKey.keys()]) if (!seen.has(key)) this.#remove(key, touched);
        this.#seen = undefined;
      }
    }
    const changes: Changes = { add: [], update: [], remove: [] };
    for (const [before, after] of touched.values()) {
      if (after !== undefined) (before === undefined ? changes.add : changes.update).push(after);
      else if (before !== undefined) changes.remove.push(before);
    }
    return changes;
  }

  #put(wire: Wire, touched: Touched): void {
    const row = new Row(wire);
    this.#touch(row.key, row, touched);
    if (!this.byKey.has(row.key)) this.counts[row.cluster] = (this.counts[row.cluster] ?? 0) + 1;
    this.byKey.set(row.key, row);
    this.#seen?.add(row.key);
  }

  #remove(key: string, touched: Touched): void {
    this.#touch(key, undefined, touched);
    const row = this.byKey.get(key);
    if (row === undefined) return;
    this.counts[row.cluster] = (this.counts[row.cluster] ?? 1) - 1;
    this.byKey.delete(key);
  }

  #touch(key: string, after: Row | undefined, touched: Touched): void {
    const known = touched.get(key);
    touched.set(key, [known === undefined ? this.byKey.get(key) : known[0], after]);
  }
}
