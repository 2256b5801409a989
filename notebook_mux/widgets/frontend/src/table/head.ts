/** What the kernel says of a table beside its rows. */

import type { Clock } from "../common/clock";
import type { Standing } from "../common/trouble";

export interface Column {
  title: string;
  type: string;
  about: string;
  wide: boolean;
  /** Those besides the server's come after them. A label's title may be the last part of its key. */
  source: "server" | "custom" | "label" | "usage";
}

/** What the rows are of. */
export interface Kind {
  kind: string;
  resource: string;
  group: string;
  namespaced: boolean;
}

/** What was asked. No namespaces: each context's own; clusters null: all. */
export interface Question {
  kind: string;
  namespaces: string[];
  clusters: string[] | null;
  selector: string;
  fieldSelector: string;
  /** All clusters there are to choose from. */
  all: string[];
  /** The namespaces that are meant where none is named. */
  own: string[];
}

/** How the columns were arranged in a page: a title that it does not name is shown as if there were none. */
export interface Layout {
  order: string[];
  hidden: string[];
  widths: Record<string, number>;
}

export interface Cluster extends Standing {
  name: string;
  synced: boolean;
  clock: Clock;
}

export interface Settings {
  filter: string;
  faults: boolean;
  wide: boolean;
  usage: boolean;
  /** Keys of labels shown as columns. */
  labels: string[];
  /** As in `Status,-Age`. */
  sort: string;
  /** "" (none), "namespace", "node", "owner", "cluster" or "label:KEY". */
  group: string;
  height: number;
  /** The titles that were asked for in Python; null for the server's. */
  columns: string[] | null;
  /** The titles to show, in order, Cluster and Namespace among them, before the layout orders and hides them. */
  shown: string[];
  layout: Layout | null;
  /** The number of the last change of these settings. */
  at: number;
}

export interface Head {
  title: string;
  /** null while it is not known. */
  kind: Kind | null;
  question: Question;
  columns: Column[];
  clusters: Cluster[];
  /** For each cluster, whether it may be changed from here. */
  write: boolean[];
  /** Such as "no metrics in prod: ...". */
  notes: string[];
  /** Whether there are several clusters, several namespaces. */
  several: [boolean, boolean];
  closed: boolean;
  /** Whether a row's events and logs can be opened. */
  looks: boolean;
  settings: Settings;
}
