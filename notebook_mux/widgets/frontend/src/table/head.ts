/** What the kernel says of a table beside its rows. */

export interface Column {
  title: string;
  type: string;
  about: string;
  wide: boolean;
}

export interface Cluster {
  name: string;
  state: string;
  reason: string;
  said: string;
  todo: string;
  since: number;
  retryAt: number | null;
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
  settings: Settings;
}
