/** What the kernel says of a manager. Times are Unix seconds, lag is in seconds. */

import type { Clock } from "../common/clock";
import type { Standing } from "../common/trouble";

export interface Socket {
  url: string;
  user?: string;
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

/** Of each second of the last minute, the oldest first; empty where the kernel keeps none. */
export interface Minute {
  changes: number[];
  bytes: number[];
  /** The longest, in seconds. */
  lag: number[];
}

/** What all streams cost in the kernel together. */
export interface Kernel {
  /** Bytes. */
  memory: number;
  /** Seconds. */
  cpu: number;
  minute: Minute;
}

/** The newest of a minute's figures. */
export function lastOf(seconds: readonly number[]): number {
  return seconds.at(-1) ?? 0;
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
  requests: number;
  snapshots: number;
  /** Who holds it, in words. */
  held: string[];
  minute: Minute;
  change_rate: number;
  byte_rate: number;
  /** Bytes that its objects take in the kernel. */
  memory: number;
  /** Seconds of the kernel's thread. */
  cpu: number;
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

/** The embedded cluster's scenario, and how its clock goes. */
export interface Demo {
  scenario: string;
  seed: number;
  clock: Clock;
}

export interface Data {
  demo?: Demo | null;
  socket: Socket;
  kernel: Kernel;
  clusters: Cluster[];
  streams: Stream[];
  terminals?: Terminal[];
}
