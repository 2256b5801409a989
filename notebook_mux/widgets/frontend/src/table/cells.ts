/** What a table's cells say and how they sort, by column title: the server's columns, and those that come before them. */

import { compareSorted, naturalKey } from "../common/order";
import type { Column, Head } from "./head";
import { asText, type Row } from "./rows";
import type { Said } from "./tone_rules";
import { kindKey, look, mayTone, partner } from "./tones";

/** Seconds since the epoch by a cluster's clock, by the cluster's index. */
export type TimeOf = (cluster: number) => number;

const NOTHING_SAID: Said = ["", ""];

/** One column of a table. */
export interface Field {
  readonly title: string;
  readonly column: Column | undefined;
  text(row: Row): string;
  /** Whether its cell goes on by itself in this row. */
  live(row: Row): boolean;
  /** The tone of its cell, and what it says in words. */
  said(row: Row): Said;
  /** Whether it has tones at all. */
  readonly toned: boolean;
  /** Nothing comes last, whichever way it is sorted. */
  compare(a: Row, b: Row, descending: boolean): number;
}

/** The field of a title; of one that the table does not have, an empty one. */
export function fieldOf(head: Head, title: string, timeOf: TimeOf): Field {
  const index = head.columns.findIndex((column) => column.title === title);
  const column = head.columns[index];
  if (column !== undefined) {
    // a label's words are its owner's, whatever its title
    const own = column.source !== "label";
    const kind = kindKey(head.kind);
    const beside = partner(kind, title)?.toLowerCase();
    const stateAt = beside === undefined ? -1 : head.columns.findIndex((one) => one.title.toLowerCase() === beside);
    const state = (row: Row): unknown => (stateAt < 0 ? "" : row.cell(stateAt, 0));
    const text = (row: Row): string => asText(row.cell(index, row.isLive(index) ? timeOf(row.cluster) : 0));
    return {
      title,
      column,
      text,
      live: (row) => row.isLive(index),
      said: (row) => (own ? look(kind, title, text(row), state(row)) : NOTHING_SAID),
      toned: own && mayTone(kind, title),
      compare: (a, b, down) => compareSorted(a.sortKey(index, title), b.sortKey(index, title), down),
    };
  }
  const clusters = head.clusters.map((cluster) => cluster.name);
  const text =
    title === "Cluster"
      ? (row: Row): string => clusters[row.cluster] ?? ""
      : title === "Namespace"
        ? (row: Row): string => row.namespace
        : (): string => "";
  const keys = new Map<string, ReturnType<typeof naturalKey>>();
  const key = (row: Row) => {
    const said = text(row);
    let made = keys.get(said);
    if (made === undefined) keys.set(said, (made = naturalKey(said)));
    return made;
  };
  return {
    title,
    column: undefined,
    text,
    live: () => false,
    said: () => NOTHING_SAID,
    toned: false,
    compare: (a, b, down) => compareSorted(key(a), key(b), down),
  };
}

/** The order of kubectl: cluster, namespace, name. */
export function byPlace(a: Row, b: Row): number {
  if (a.place !== b.place) return a.place < b.place ? -1 : 1;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** What a view is sorted by: a title, and whether descending; the first counts most. */
export interface Sort {
  readonly title: string;
  readonly down: boolean;
}

/** `Status,-Age`, as the kernel says it. */
export function sortsOf(text: string): Sort[] {
  const parts = text.split(",").map((part) => part.trim());
  return parts.filter((part) => part !== "").map((part) => ({ title: part.replace(/^-/, "").trim(), down: part.startsWith("-") }));
}

/** The same as text. */
export function sortText(sorts: readonly Sort[]): string {
  return sorts.map(({ title, down }) => (down ? `-${title}` : title)).join(",");
}

/** The order of rows by some columns, and of those that are alike in them by place. */
export function comparator(head: Head, sorts: readonly Sort[], timeOf: TimeOf): (a: Row, b: Row) => number {
  const fields = sorts.map(({ title, down }) => [fieldOf(head, title, timeOf), down] as const);
  const [first] = fields;
  if (first === undefined) return byPlace;
  if (fields.length === 1) {
    const [field, down] = first;
    return (a, b) => field.compare(a, b, down) || byPlace(a, b);
  }
  return (a, b) => {
    for (const [field, down] of fields) {
      const way = field.compare(a, b, down);
      if (way !== 0) return way;
    }
    return byPlace(a, b);
  };
}
