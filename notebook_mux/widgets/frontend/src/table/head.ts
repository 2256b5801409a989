/** What the kernel says of a table beside its rows. */

import type { Standing } from "../common/trouble";

export interface Column {
  title: string;
  type: string;
  about: string;
  wide: boolean;
}

export interface Cluster extends Standing {
  name: string;
  synced: boolean;
}

export interface Settings {
  filter: string;
  wide: boolean;
  sort: string;
  height: number;
  columns: string[] | null;
  by: string;
}

export interface Head {
  title: string;
  columns: Column[];
  clusters: Cluster[];
  /** Whether there are several clusters, several namespaces. */
  several: [boolean, boolean];
  closed: boolean;
  /** Whether a row's events and logs can be opened. */
  looks: boolean;
  settings: Settings;
}
