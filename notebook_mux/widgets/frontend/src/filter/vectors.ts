/** Tables to filter, out of the file that Python's own filter is tested with. */

import { readFileSync } from "node:fs";

import { naturalKey, numberKey, type SortKey } from "../common/order";
import { type Column, type Facts, type Scheme, wordsOf } from "./judging";

interface GivenRow {
  cluster: string;
  namespace: string;
  name: string;
  cells: unknown[];
  alive: Record<string, [number, string]>;
  labels: Record<string, string>;
  fault: boolean;
}

interface GivenWorld {
  columns: [string, string][];
  several: [boolean, boolean];
  now: number;
  rows: GivenRow[];
}

interface Vectors {
  worlds: Record<string, GivenWorld>;
  judged: [string, string, string[]][];
  mistakes: [string, string, [number, number, string, string, boolean][]][];
  completed: [string, string, number, number, [string, string, string][]][];
}

/** npm runs tests in the front ends' folder. */
export const VECTORS = JSON.parse(readFileSync("../../../tests/unit/widgets/filters.json", "utf8")) as Vectors;

class Row implements Facts {
  constructor(
    readonly given: GivenRow,
    readonly cluster: number,
  ) {}
  get namespace(): string {
    return this.given.namespace;
  }
  get name(): string {
    return this.given.name;
  }
  get labels(): Record<string, string> {
    return this.given.labels;
  }
  get wire(): Facts["wire"] {
    return [0, "", "", "", this.given.cells, this.given.alive];
  }
  sortKey(index: number, title: string): SortKey {
    const alive = this.given.alive[index];
    if (alive === undefined) return naturalKey(this.given.cells[index], title);
    return alive[1] === "{}" ? numberKey(-alive[0]) : naturalKey(alive[1].replace("{}", "0s"), title);
  }
  words(): string {
    return wordsOf(this.given.cells, this.given.alive);
  }
}

export class World {
  readonly scheme: Scheme;
  readonly rows: Row[];
  readonly columns: Column[];

  constructor({ columns, several, now, rows }: GivenWorld) {
    const clusters = [...new Set(rows.map((row) => row.cluster))];
    this.columns = columns.map(([title, type]) => ({ title, type }));
    this.rows = rows.map((row) => new Row(row, clusters.indexOf(row.cluster)));
    const fault = (row: Facts) => (row as Row).given.fault;
    this.scheme = { columns: this.columns, several, clusters, timeOf: () => now, fault };
  }
}
