/** What the kernel says of an object; see notebook_mux/widgets/details.py and printing/facts.py. */

import type { Clock } from "../common/clock";
import type { Standing } from "../common/trouble";

/** An object of the same cluster. */
export interface Named {
  kind: string;
  namespace: string;
  name: string;
}

export interface Rich {
  text: string;
  tone?: string;
  /** Unix seconds, for the `{}` in the text. */
  since?: number;
  ref?: Named;
  mono?: boolean;
  /** What it means, in words. */
  title?: string;
}

export type Cell = string | Rich;
export type Value = Cell | Cell[];
export type Item = [label: string, value: Value];

export interface Card {
  title: string;
  /** "", "init", "ephemeral". */
  kind: string;
  state: Cell;
  items: Item[];
}

export interface Key {
  name: string;
  size: number;
  secret?: boolean;
  text?: string;
  /** Characters left out. */
  cut?: number;
}

export interface Section {
  title: string;
  items?: Item[];
  columns?: string[];
  rows?: Value[][];
  cards?: Card[];
  keys?: Key[];
  note?: string;
}

export interface Owned {
  title: string;
  columns: string[];
  rows: { ref: Named; cells: Cell[] }[];
  total: number;
  /** Whether they may be in several namespaces. */
  spaces: boolean;
  note: string;
}

export interface Content {
  kind: string;
  api: string;
  uid: string;
  created: number | null;
  deleting: number | null;
  finalizers: string[];
  labels: [string, string][];
  annotations: [key: string, value: string, cut: number][];
  printed: [title: string, cell: Cell][];
  sections: Section[];
  owners: Named[];
  owned: Owned[];
}

export interface Data {
  ref: Named;
  cluster: Standing & { name: string; synced: boolean; clock: Clock };
  missing: boolean;
  deleted: number | null;
  closed: boolean;
  object: Content | null;
}

export function isRich(cell: Cell): cell is Rich {
  return typeof cell === "object";
}

const UNITS: [number, string][] = [[1024 * 1024, "MiB"], [1024, "KiB"]];

/** Bytes as people say them. */
export function sizeWords(bytes: number): string {
  const [size, name] = UNITS.find(([least]) => bytes >= least) ?? [1, ""];
  if (size === 1) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  return `${(bytes / size).toFixed(1)} ${name}`;
}

/** The first of a long text, to stand where it is folded. */
export function foldWords(text: string, most: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most)}…`;
}

/** Characters from which a text is folded. */
export const LONG = 220;
