/**
 * A view's rows as they are shown: sorted, filtered, in groups. The grid is a window onto this, so what costs something
 * for each row is done here, once, and only for rows that changed: rows are never altered, so the order of those that
 * did not change holds.
 */

import type { Changes, Row } from "./rows";

/** What a view wants of its rows; all of it depends on the row alone. */
export interface Rules {
  /** The order, groups apart; never 0 for two different rows. */
  compare(a: Row, b: Row): number;
  /** Whether the row passes the filter. */
  passes(row: Row): boolean;
  /** The name of the row's group; undefined where there are no groups. */
  groupOf: ((row: Row) => string) | undefined;
  /** The order of groups. */
  compareGroups(a: string, b: string): number;
  /** Whether something is wrong with what the row shows. */
  fault(row: Row): boolean;
}

/** A group's own row, above those of the group. */
export interface Group {
  readonly group: string;
  /** Rows that pass the filter, all of them, and those among the former with a fault. */
  count: number;
  total: number;
  faults: number;
  open: boolean;
}

export type Shown = Row | Group;

export function isGroup(shown: Shown | undefined): shown is Group {
  return shown !== undefined && "group" in shown;
}

export class Arrangement {
  /** What is shown, from the top. */
  shown: Shown[] = [];
  /** Rows that pass the filter, shown or in a closed group. */
  passing = 0;
  /** Names of groups that are closed. */
  readonly closed = new Set<string>();
  #rules: Rules;
  /** All rows, in order, and for each whether it passes. */
  #order: Row[] = [];
  #passes: boolean[] = [];
  /** Rows that are gone and are shown a little longer: they do not count. */
  #leaving = new Set<Row>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** How many rows there are, whether they pass the filter or not. */
  get size(): number {
    return this.#order.length - this.#leaving.size;
  }

  rows(): readonly Row[] {
    return this.#order;
  }

  /** The rows that pass the filter, in order, whether their group is open or not. */
  passed(): Row[] {
    return this.#order.filter((row, index) => this.#passes[index] && !this.#leaving.has(row));
  }

  /** Another order, other groups, another filter; by default for the rows that are here. */
  arrange(rules: Rules, rows: Iterable<Row> = this.#order): void {
    this.#rules = rules;
    const before = this.#order;
    this.#order = [...rows].sort((a, b) => this.#compare(a, b));
    if (rows !== before) this.#leaving.clear();
    this.filter(rules);
  }

  /** Another filter, the same order. */
  filter(rules: Rules): void {
    this.#rules = rules;
    this.#passes = this.#order.map((row) => rules.passes(row));
    this.show();
  }

  /** Take in changes; `stays` says of a row that is gone whether it is shown a little longer. */
  take(changes: Changes, stays: (row: Row) => boolean = () => false): void {
    const dropped = new Set<Row>();
    const coming: Row[] = [];
    for (const [before, after] of changes.values()) {
      if (before !== undefined) {
        if (after === undefined && stays(before)) this.#leaving.add(before);
        else dropped.add(before);
      }
      if (after !== undefined) coming.push(after);
    }
    if (dropped.size + coming.length > 0) this.#merge(dropped, coming);
    else if (changes.size > 0) this.show();
  }

  /** Forget all rows. */
  clear(): void {
    this.arrange(this.#rules, []);
  }

  /** Take rows out that had stayed a little longer. */
  drop(rows: Iterable<Row>): void {
    const dropped = new Set(rows);
    for (const row of dropped) this.#leaving.delete(row);
    if (dropped.size > 0) this.#merge(dropped, []);
  }

  /** Where a row or a group's own row is shown; -1 where it is not. */
  indexOf(shown: Shown): number {
    return this.shown.indexOf(shown);
  }

  /** The row of this key among those that are shown, and where; undefined where it is not. */
  find(key: string): [row: Row, index: number] | undefined {
    const index = this.shown.findIndex((shown) => !isGroup(shown) && shown.key === key);
    return index < 0 ? undefined : [this.shown[index] as Row, index];
  }

  /** Where a group's own row is; -1 for none. */
  indexOfGroup(name: string): number {
    return this.shown.findIndex((shown) => isGroup(shown) && shown.group === name);
  }

  /** Whether rows are in groups. */
  get grouped(): boolean {
    return this.#rules.groupOf !== undefined;
  }

  /** Whether rows that are gone are shown a little longer. */
  get leaving(): boolean {
    return this.#leaving.size > 0;
  }

  /**
   * Show rows at some places, as they will be there when all changes are taken in; the others stay as they are until then.
   * Whoever calls this knows that there are no groups.
   */
  ahead(first: number, rows: readonly Row[]): void {
    const keys = new Set(rows.map((row) => row.key));
    const others = this.shown.filter((shown) => !keys.has((shown as Row).key));
    this.shown = [...others.slice(0, first), ...rows, ...others.slice(first)];
  }

  /** Open or close a group. */
  toggle(name: string, open: boolean): void {
    if (open) this.closed.delete(name);
    else this.closed.add(name);
    this.show();
  }

  /** Work out anew what is shown of what is here. */
  show(): void {
    const { groupOf, fault } = this.#rules;
    const shown: Shown[] = [];
    let passing = 0;
    let group: Group | undefined;
    let at = 0;
    let any = false;
    this.#order.forEach((row, index) => {
      const passes = this.#passes[index] === true;
      if (groupOf !== undefined) {
        const name = groupOf(row);
        if (group === undefined || group.group !== name) {
          if (group !== undefined && !any) shown.length = at; // nothing of it passes: it vanishes
          any = false;
          group = { group: name, count: 0, total: 0, faults: 0, open: !this.closed.has(name) };
          at = shown.push(group) - 1;
        }
        const counts = !this.#leaving.has(row);
        if (counts) group.total += 1;
        if (counts && passes) {
          group.count += 1;
          if (fault(row)) group.faults += 1;
        }
        if (passes) any = true;
      }
      if (!passes) return;
      if (!this.#leaving.has(row)) passing += 1;
      if (group === undefined || group.open) shown.push(row);
    });
    if (group !== undefined && !any) shown.length = at;
    this.shown = shown;
    this.passing = passing;
  }

  #compare(a: Row, b: Row): number {
    const { groupOf, compareGroups, compare } = this.#rules;
    if (groupOf !== undefined) {
      const [of, other] = [groupOf(a), groupOf(b)];
      if (of !== other) return compareGroups(of, other);
    }
    return compare(a, b);
  }

  #merge(dropped: ReadonlySet<Row>, coming: Row[]): void {
    const { passes } = this.#rules;
    coming.sort((a, b) => this.#compare(a, b));
    const before: Row[] = [];
    const passed: boolean[] = [];
    this.#order.forEach((row, index) => {
      if (dropped.has(row)) return;
      before.push(row);
      passed.push(this.#passes[index] as boolean);
    });
    const order: Row[] = [];
    const passing: boolean[] = [];
    let next = 0;
    const keep = (until: number) => {
      for (; next < until; next++) {
        order.push(before[next] as Row);
        passing.push(passed[next] as boolean);
      }
    };
    for (const row of coming) {
      keep(this.#place(row, before, next));
      order.push(row);
      passing.push(passes(row));
    }
    keep(before.length);
    this.#order = order;
    this.#passes = passing;
    this.show();
  }

  /** Where a row is to go in among others that are in order. */
  #place(row: Row, rows: readonly Row[], from: number): number {
    let [low, high] = [from, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(rows[middle] as Row, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
