/** What the kernel says of a manager. Times are Unix seconds, lag is in seconds. */

import type { Standing } from "../common/trouble";

export interface Socket {
  url: string;
  state: string;
  reason: string;
  last_error: string;
  instance: string;
  package: string;
  since: number;
  retry_at: number | null;
  reconnects: number;
  attempts: number;
  bytes_in: number;
  bytes_out: number;
  sockets: number;
  /** Those of single watches that a Headlamp server does not carry on the multiplexed one. */
  direct_sockets: number;
  subscriptions: number;
}

export interface Cluster extends Standing {
  name: string;
  version: string;
  server: string;
  namespace: string;
  write: boolean;
}

export interface Stream {
  id: string;
  what: string;
  states: Record<string, string>;
  /** What is wrong on a cluster that is itself well, such as what is forbidden there. */
  troubles: (Standing & { name: string })[];
  objects: number;
  changes: number;
  skipped: number;
  relists: number;
  bytes: number;
  lag: number;
  last_change: number;
  holders: number;
}

export interface Terminal {
  id: string;
  words: string;
  cluster: string;
  state: string;
  reason: string;
  returncode: number | null;
  since: number;
  /** Seconds that it is kept for once no kernel and no page is there; 0 where nobody else keeps it. */
  kept: number;
}

export interface Data {
  socket: Socket;
  clusters: Cluster[];
  streams: Stream[];
  terminals?: Terminal[];
}
