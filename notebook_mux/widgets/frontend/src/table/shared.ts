/** The page's copy of a table, as its views see it. */

import type { Link } from "../common/link";
import type { Head } from "./head";
import type { Rows } from "./rows";

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly rows: Rows;
  readonly head: Head | undefined;
  /** Whether the rows' first state is there: what comes after it is news. */
  readonly settled: boolean;
  /** The view in which rows were selected last: Python has its selection. */
  picker: string;
  readonly changes: { total: number; rate: number; last: number };
  now(): number;
  /** The time in a cluster, by its index: ages count from it. */
  timeOf(cluster: number): number;
  /** Let the rate sink when no message comes. */
  settle(): void;
}
