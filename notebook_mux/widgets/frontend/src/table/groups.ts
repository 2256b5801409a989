/** Groups of rows: by what, under which name, and in which order. */

import { textKey } from "../common/order";
import type { Head } from "./head";
import type { Row } from "./rows";

const LABEL = "label:";

/** What a table is grouped by: "", "namespace", "node", "owner", "cluster" or "label:" and a key. */
export type GroupBy = string;

/** Gives the name of a row's group, "" where it has none; undefined where rows are not grouped, or cannot be. */
export function grouping(by: GroupBy, head: Head): ((row: Row) => string) | undefined {
  if (by === "namespace") return (row) => row.namespace;
  if (by === "cluster") {
    const names = head.clusters.map((cluster) => cluster.name);
    return (row) => names[row.cluster] ?? "";
  }
  if (by === "owner") return (row) => row.owner;
  if (by === "node") {
    const index = head.columns.findIndex((column) => column.title === "Node");
    return index < 0 ? undefined : (row) => named(row.source(index));
  }
  if (by.startsWith(LABEL)) {
    const key = by.slice(LABEL.length);
    return (row) => (Object.hasOwn(row.labels, key) ? (row.labels[key] ?? "") : "");
  }
  return undefined;
}

function named(cell: unknown): string {
  return typeof cell === "string" && cell !== "<none>" ? cell : "";
}

/** What a group's own row says of it; `by` as the table is grouped. */
export function groupTitle(by: GroupBy, name: string): string {
  const label = by.startsWith(LABEL) ? by.slice(LABEL.length) : "";
  if (label !== "") return name === "" ? `no label ${label}` : `${label}=${name}`;
  return name === "" ? `no ${by}` : name;
}

/** Rows whose labels are looked at to find keys, and keys that are offered. */
const SAMPLE = 500;
const OFFERED = 6;
/** Labels that controllers put on what they make: as many values as there are of these. */
const MADE = /(^|\/)(pod-template-hash|controller-(uid|revision-hash)|pod-template-generation|job-name|pod-index|pod-name|batch-\w+)$/;

/** Keys of labels that rows have, those of most rows first. */
export function labelKeys(rows: readonly Row[]): string[] {
  const counts = new Map<string, number>();
  for (const row of rows.slice(0, SAMPLE)) {
    for (const key of Object.keys(row.labels)) if (!MADE.test(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const found = [...counts].sort(([a, of], [b, other]) => other - of || (a < b ? -1 : 1));
  return found.slice(0, OFFERED).map(([key]) => key);
}

const keys = new Map<string, string>();
/** Names whose keys are kept: more than a table has groups. */
const KEPT = 10_000;

function keyOf(name: string): string {
  let key = keys.get(name);
  if (key === undefined) {
    if (keys.size >= KEPT) keys.clear();
    keys.set(name, (key = textKey(name)));
  }
  return key;
}

/** Names as people count, and last the rows that have none. */
export function compareGroups(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  const [of, other] = [keyOf(a), keyOf(b)];
  if (of !== other) return of < other ? -1 : 1;
  return a < b ? -1 : 1;
}
